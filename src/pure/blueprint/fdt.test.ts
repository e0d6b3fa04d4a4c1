import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from '../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import type { GicVersion } from './blueprint.ts'
import { deviceTree, withChosen } from './device-tree.ts'
import { cells, flag, parseFdt, strings, wide, writeFdt } from './fdt.ts'
import type { FdtNode } from './fdt.ts'

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0

const TREE: FdtNode = {
  name: '',
  properties: [cells('#address-cells', 2), strings('compatible', 'one', 'two')],
  children: [
    { name: 'a@1', properties: [flag('empty'), cells('reg', ...wide(0x1_0000_0002))], children: [] },
    { name: 'b', properties: [], children: [{ name: 'c', properties: [cells('reg', 7)], children: [] }] },
  ],
}

const dtc = (blob: Uint8Array): string => {
  const { status, stdout, stderr } = spawnSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts', '-'], { input: blob })
  if (status !== 0) throw new Error(stderr.toString())
  return stdout.toString()
}

describe('a flattened device tree', () => {
  it('reads back as it was written, in a blob without padding', () => {
    const blob = writeFdt(TREE)
    expect(parseFdt(blob)).toEqual({ ok: true, root: TREE, size: blob.length })
  })

  it.skipIf(!has('dtc'))('means the same to dtc', () => {
    expect(dtc(writeFdt(TREE)).replace(/\s+/g, ' ')).toBe(
      '/dts-v1/; / { #address-cells = <0x02>; compatible = "one\\0two"; ' +
        'a@1 { empty; reg = <0x01 0x02>; }; b { c { reg = <0x07>; }; }; }; ',
    )
  })

  it.skipIf(!has('qemu-system-aarch64'))("of QEMU's virt machine is read", () => {
    const folder = mkdtempSync(join(tmpdir(), 'fdt-'))
    const file = join(folder, 'virt.dtb')
    spawnSync('qemu-system-aarch64', ['-M', `virt,gic-version=3,dumpdtb=${file}`, '-smp', '2', '-nic', 'none'])
    const parsed = parseFdt(Uint8Array.from(readFileSync(file)))
    rmSync(folder, { recursive: true })
    if (!parsed.ok) throw new Error(parsed.what)
    expect(parsed.root.children.map(({ name }) => name)).toContain('intc@8000000')
    expect(parsed.root.children.find(({ name }) => name === 'psci')?.properties).toContainEqual(
      strings('method', 'hvc'),
    )
  })

  it.each<[string, (blob: Uint8Array) => Uint8Array, string]>([
    ['is empty', () => new Uint8Array(0), 'The device tree has 0 bytes, less than its header of 40.'],
    ['begins otherwise', (blob) => blob.with(0, 0), 'The device tree begins with 0xdfeed, not with 0xd00dfeed.'],
    [
      'is cut short',
      (blob) => blob.subarray(0, 100),
      'The device tree is cut short: its header says 228 bytes, 100 are there.',
    ],
    ['has an old version', (blob) => blob.with(23, 3), 'The device tree has version 3; version 17 is understood.'],
    [
      'has its structure elsewhere',
      (blob) => blob.with(10, 0x70),
      'The device tree has off_dt_struct + size_dt_struct = 0x70c0, beyond its end.',
    ],
    ['has no root', (blob) => blob.with(59, 9), 'The device tree has token 0x9 where its root must begin.'],
    ['has a token of its own', (blob) => blob.with(67, 8), 'The device tree has token 0x8 at 0x40, which is none.'],
  ])('that %s is refused with a sentence', (_, spoil, what) => {
    expect(parseFdt(spoil(writeFdt(TREE)))).toEqual({ ok: false, what })
  })

  it('with any byte changed is read or refused, and never throws', () => {
    const blob = writeFdt(TREE)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: blob.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        expect(parseFdt(blob.with(at, byte))).toHaveProperty('ok')
      }),
      { numRuns: 2000 },
    )
  })
})

const build = (affinities: readonly number[], gic: GicVersion = 3): string =>
  dtc(
    deviceTree({
      cpu: 'cortex-a57',
      gic,
      its: false,
      affinities,
      memory: 2 ** 28,
      bootargs: 'a=b',
      initrd: { start: 0x4800_0000, end: 0x4800_1234 },
    }),
  ).replace(/\s+/g, ' ')

describe('the device tree of the machine', () => {
  it.skipIf(!has('dtc'))('names each CPU by its affinity in one cell', () => {
    const text = build([0, 0x102])
    expect(text).toContain('cpus { #address-cells = <0x01>; #size-cells = <0x00>; cpu@0 {')
    expect(text).toContain(
      'cpu@102 { device_type = "cpu"; compatible = "arm,cortex-a57"; enable-method = "psci"; reg = <0x102>;',
    )
  })

  it.skipIf(!has('dtc'))('takes two cells for all CPUs as soon as one has an Aff3', () => {
    const text = build([0, 0x0100_0002])
    expect(text).toContain('cpus { #address-cells = <0x02>;')
    expect(text).toContain('reg = <0x00 0x00>;')
    expect(text).toMatch(/cpu@100000002 {[^}]*reg = <0x01 0x02>;/)
  })

  it.skipIf(!has('dtc'))('has a second redistributor region from the 124th vCPU on', () => {
    expect(build(Array.from({ length: 123 }, (_, i) => i))).toContain('#redistributor-regions = <0x01>;')
    expect(build(Array.from({ length: 124 }, (_, i) => i))).toContain(
      '#redistributor-regions = <0x02>; reg = <0x00 0x8000000 0x00 0x10000 0x00 0x80a0000 0x00 0xf60000 ' +
        '0x40 0x00 0x00 0x30a0000>;',
    )
  })

  it.skipIf(!has('dtc'))('hands over command line, initrd and memory', () => {
    const text = build([0])
    expect(text).toContain(
      'bootargs = "a=b"; linux,initrd-start = <0x00 0x48000000>; linux,initrd-end = <0x00 0x48001234>;',
    )
    expect(text).toContain('memory@40000000 { device_type = "memory"; reg = <0x00 0x40000000 0x00 0x10000000>; };')
  })
})

describe.skipIf(!has('dtc') || !has('qemu-system-aarch64'))('beside QEMU, the device tree', () => {
  it.each([2, 3] as const)("describes each device as QEMU's virt machine with a GICv%i does", (gic) => {
    const folder = mkdtempSync(join(tmpdir(), 'fdt-'))
    const file = join(folder, 'virt.dtb')
    spawnSync('qemu-system-aarch64', [
      '-M',
      `virt,gic-version=${gic},dumpdtb=${file}`,
      '-cpu',
      'cortex-a57',
      '-smp',
      '3',
      '-nic',
      'none',
    ])
    const theirs = parseFdt(Uint8Array.from(readFileSync(file)))
    rmSync(folder, { recursive: true })
    const ours = parseFdt(
      deviceTree({ cpu: 'cortex-a57', gic, its: gic === 3, affinities: [0, 1, 2], memory: 2 ** 27, bootargs: '' }),
    )
    if (!theirs.ok || !ours.ok) throw new Error('a tree does not parse')
    for (const name of ['intc@8000000', 'pl011@9000000', 'pl031@9010000', 'timer', 'memory@40000000', 'apb-pclk']) {
      const find = (root: FdtNode): FdtNode | undefined => root.children.find((child) => child.name === name)
      for (const property of ['reg', 'interrupts', '#redistributor-regions', 'clock-names', 'clock-frequency']) {
        const value = (root: FdtNode) => find(root)?.properties.find((each) => each.name === property)?.value
        expect([name, property, value(ours.root)]).toEqual([name, property, value(theirs.root)])
      }
    }
    const itsOf = (root: FdtNode) => {
      const intc = root.children.find(({ name }) => name === 'intc@8000000')
      const its = intc?.children.find(({ name }) => name === 'its@8080000')
      const of = (node: FdtNode | undefined, names: readonly string[]) =>
        names.map((name) => [name, node?.properties.find((each) => each.name === name)?.value])
      return [
        ...of(intc, ['#address-cells', '#size-cells', 'ranges']),
        ...of(its, ['compatible', 'msi-controller', '#msi-cells', 'reg']),
      ]
    }
    // QEMU's GICv2 has a frame for messages inside, which ours has not.
    expect(gic === 2 || itsOf(ours.root)).toEqual(gic === 2 || itsOf(theirs.root))
  })
})

describe("a person's own device tree", () => {
  const own = writeFdt({
    ...TREE,
    children: [...TREE.children, { name: 'chosen', properties: [strings('bootargs', 'old'), flag('x')], children: [] }],
  })
  const chosenOf = (blob: Uint8Array): readonly string[] => {
    const parsed = parseFdt(blob)
    if (!parsed.ok) throw new Error(parsed.what)
    const chosen = parsed.root.children.find(({ name }) => name === 'chosen')
    return chosen?.properties.map(({ name, value }) => `${name}=${new TextDecoder().decode(value)}`) ?? []
  }

  it('gets the command line and the initrd of this boot, and keeps the rest', () => {
    const made = withChosen(own, { bootargs: 'new', initrd: { start: 0x41424344, end: 0x41424345 } })
    if (!made.ok) throw new Error(made.what)
    expect(chosenOf(made.dtb)).toEqual([
      'x=',
      'bootargs=new\0',
      'linux,initrd-start=\0\0\0\0ABCD',
      'linux,initrd-end=\0\0\0\0ABCE',
    ])
    expect(parseFdt(made.dtb)).toMatchObject({ root: { children: [...TREE.children, { name: 'chosen' }] } })
  })

  it('keeps its own command line where none is given', () => {
    const made = withChosen(own, { bootargs: '' })
    if (!made.ok) throw new Error(made.what)
    expect(chosenOf(made.dtb)).toEqual(['bootargs=old\0', 'x='])
  })

  it('that is none is refused with a sentence', () => {
    expect(withChosen(new Uint8Array(50), { bootargs: '' })).toEqual({
      ok: false,
      what: 'The device tree begins with 0x0, not with 0xd00dfeed.',
    })
  })
})
