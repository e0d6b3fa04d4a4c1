/** A guest that is no Linux: a flat binary at RAM base + 0x80000, with the device tree in X0 and any file as its initrd. */
import { describe, expect, it } from 'vitest'
import { parseFdt } from '../pure/blueprint/fdt.ts'
import type { FdtNode } from '../pure/blueprint/fdt.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import { FlatGuest, ORIGIN } from './flat-guest.ts'

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
    const guest = new FlatGuest({
      source: SOURCE,
      blueprint: { gic, host, vcpus: 2 },
      bootargs: 'ipi selftest',
      initrd: new TextEncoder().encode(ENVIRONMENT),
    })
    expect(guest.run(1e8)).toBe('off')
    const { printed } = guest
    expect(big(printed.slice(0, 8).toReversed())).toBe(ORIGIN)
    const tree = parseFdt(printed.slice(8))
    if (!tree.ok) throw new Error(tree.what)
    const chosen = find(tree.root, 'chosen')
    expect(text(property(chosen, 'bootargs'))).toBe('ipi selftest\0')
    const [start, end] = ['start', 'end'].map((which) => big(property(chosen, `linux,initrd-${which}`)))
    expect(text(guest.vmm.ramView(start ?? 0, (end ?? 0) - (start ?? 0)) ?? new Uint8Array())).toBe(ENVIRONMENT)
    expect(text(property(find(tree.root, 'intc@'), 'compatible'))).toBe(`${compatible}\0`)
  })
})

/** Opens Group 0 only, sends itself SGI 1, which is in it, and then SGI 2, which is not signalled, and waits for it. */
const OPEN = {
  2: `
        ldr     x11, =0x08010000
        mov     w0, #1
        str     w0, [x10]
        mov     w0, #0xf0
        str     w0, [x11, #4]           // GICC_PMR
        mov     w0, #9                  // EnableGrp0, FIQEn
        str     w0, [x11]
        mov     w0, #4
        str     w0, [x10, #0x80]        // SGI 2 in Group 1`,
  3: `
        ldr     x11, =0x080b0000
        mov     w0, #0x12
        str     w0, [x10]
        mov     w0, #0xfffffffd         // SGI 1 in Group 0
        str     w0, [x11, #0x80]
        mov     x0, #0xf0
        msr     icc_pmr_el1, x0
        mov     x0, #1
        msr     icc_igrpen0_el1, x0`,
} as const
const SEND = {
  2: (intid: number) => `
        ldr     w0, =0x0200000${intid}       // GICD_SGIR: the writer
        add     x1, x10, #0xf00
        str     w0, [x1]`,
  3: (intid: number) => `
        ldr     x0, =0x0${intid}000001
        msr     icc_sgi${intid === 1 ? 0 : 1}r_el1, x0
        isb`,
} as const
const TAKE = {
  2: `
        ldr     w0, [x11, #0xc]         // GICC_IAR
        str     w0, [x11, #0x10]        // GICC_EOIR`,
  3: `
        mrs     x0, icc_iar0_el1
        msr     icc_eoir0_el1, x0`,
} as const
const fiqSource = (gic: 2 | 3): string => `
        adr     x0, vectors
        msr     vbar_el1, x0
        ldr     x9, =0x09000000
        ldr     x10, =0x08000000
        ${OPEN[gic]}
        ${SEND[gic](1)}
        mrs     x0, isr_el1             // F is bit 6, I is bit 7
        lsr     w0, w0, #6
        add     w0, w0, #'0'
        strb    w0, [x9]
        msr     daifclr, #1
        isb
        ${SEND[gic](2)}
        wfi
        mov     w0, #'W'
        strb    w0, [x9]
        ldr     x0, =0x84000008
        hvc     #0
        .balign 2048
vectors:
        .org    vectors + 0x280
        b       .
        .org    vectors + 0x300
        ${TAKE[gic]}
        mov     w1, #'F'
        strb    w1, [x9]
        add     w0, w0, #'0'
        strb    w0, [x9]
        eret
`

describe('Group 0', () => {
  it.each([2, 3] as const)(
    'is an FIQ with a GICv%i; what no CPU interface signals lets a WFI end all the same, as KVM traps it',
    (gic) => {
      const guest = new FlatGuest({
        source: fiqSource(gic),
        blueprint: { gic, host: HOST_PRESETS.HC, vcpus: 1 },
        engine: 'interpreter',
      })
      expect([guest.run(1e6), guest.text]).toEqual(['off', '1F1W'])
    },
  )
})
