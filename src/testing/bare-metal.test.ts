/** A guest that is no Linux: a flat binary at RAM base + 0x80000, with the device tree in X0 and any file as its initrd. */
import { describe, expect, it } from 'vitest'
import { createVmm } from '../engine/vmm/vmm.ts'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import { parseFdt } from '../pure/blueprint/fdt.ts'
import type { FdtNode } from '../pure/blueprint/fdt.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'

/** Says where it runs, then prints its device tree, and powers off. */
const SOURCE = `
        adr     x2, .
        ldr     x1, =0x09000000
        mov     w3, #8
1:      strb    w2, [x1]
        lsr     x2, x2, #8
        subs    w3, w3, #1
        b.ne    1b
        ldr     w3, [x0, #4]            // totalsize
        rev     w3, w3
2:      ldrb    w2, [x0], #1
        strb    w2, [x1]
        subs    w3, w3, #1
        b.ne    2b
        ldr     x0, =0x84000008         // SYSTEM_OFF
        hvc     #0
`
const ORIGIN = 0x4008_0000
const ENVIRONMENT = 'NR_CPUS=2\nMEMSIZE=64\n'
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const find = ({ children }: FdtNode, name: string): FdtNode | undefined =>
  children.find((child) => child.name.startsWith(name))
const property = (node: FdtNode | undefined, name: string): Uint8Array =>
  node?.properties.find((each) => each.name === name)?.value ?? new Uint8Array()
const big = (bytes: Uint8Array): number => bytes.reduce((all, byte) => all * 256 + byte, 0)

describe.each([
  { gic: 2, host: HOST_PRESETS.H2, compatible: 'arm,cortex-a15-gic' },
  { gic: 3, host: HOST_PRESETS.H1, compatible: 'arm,gic-v3' },
] as const)('a flat binary with a GICv$gic', ({ gic, host, compatible }) => {
  it('finds itself, its arguments and its initrd where the architecture and the device tree say', () => {
    const program = assemble(SOURCE, ORIGIN)
    if (!program.ok) throw new Error('the guest does not assemble')
    const printed: number[] = []
    const made = createVmm({
      blueprint: {
        ...defaultBlueprint,
        gic,
        host,
        vcpus: 2,
        memory: 64 * 2 ** 20,
        guest: { id: 'own', append: 'ipi selftest' },
      },
      engine: 'translator',
      guest: { kernel: program.bytes, initrd: new TextEncoder().encode(ENVIRONMENT), append: '' },
      onConsole: (bytes) => printed.push(...bytes),
    })
    if (!made.ok) throw new Error(made.what)
    expect(made.vmm.run(1e8, 1e8)).toBe('off')
    expect(big(Uint8Array.from(printed.slice(0, 8)).toReversed())).toBe(ORIGIN)
    const tree = parseFdt(Uint8Array.from(printed.slice(8)))
    if (!tree.ok) throw new Error(tree.what)
    const chosen = find(tree.root, 'chosen')
    expect(text(property(chosen, 'bootargs'))).toBe('ipi selftest\0')
    const [start, end] = ['start', 'end'].map((which) => big(property(chosen, `linux,initrd-${which}`)))
    expect(text(made.vmm.ramView(start ?? 0, (end ?? 0) - (start ?? 0)) ?? new Uint8Array())).toBe(ENVIRONMENT)
    expect(text(property(find(tree.root, 'intc@'), 'compatible'))).toBe(`${compatible}\0`)
  })
})
