/**
 * The assertions of Linux's own test of the vGIC's creation (tools/testing/selftests/kvm/arm64/vgic_init.c), as one table
 * per test: calls in their order, and what each answers. Four vCPUs unless a test says otherwise.
 */
import { describe, expect, it } from 'vitest'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'
import { DEVICE_TYPE, VGIC_CTRL, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import { ename } from '../../testing/kvm-cases/answers.ts'
import { CaseVm } from '../../testing/kvm-cases/case-vm.ts'
import { A, AP0R, AT, G, GICD } from '../../testing/kvm-cases/places.ts'
import { vcpus } from '../../testing/kvm-cases/set-ups.ts'

const { H1, HC, H2 } = HOST_PRESETS
/** Beyond the guest's physical address space. */
const L = 2 ** 40
const FRAME = 0x20000

const withGic = (n: number, host: HostProfile = H1, type: number = DEVICE_TYPE.V3): CaseVm => {
  const vm = vcpus({ ruleSet: 'mainline', base: '6.12', host }, n)
  return vm.must(vm.gic(type))
}
const addr = (vm: CaseVm, attr: bigint, base: number): string => vm.set(G.ADDR, attr, base)
const got = (vm: CaseVm, index: number): string => {
  const { error, value } = vm.get(G.ADDR, A.V3_REDIST_REGION, BigInt(index))
  return error === '0' ? `0x${value.toString(16)}` : error
}

type Row = readonly [what: string, answer: (vm: CaseVm) => string, expected: string]

/** Performs a table on one VM, row after row. */
const answers = (vm: CaseVm, rows: readonly Row[]): readonly string[] =>
  rows.map(([what, answer]) => `${what}: ${answer(vm)}`)
const expected = (rows: readonly Row[]): readonly string[] => rows.map(([what, , wanted]) => `${what}: ${wanted}`)

describe('device', () => {
  it.each([
    ['of a GICv3', H1, DEVICE_TYPE.V3, DEVICE_TYPE.V2, 'ENODEV'],
    ['of a GICv3, where the other can be had as well', HC, DEVICE_TYPE.V3, DEVICE_TYPE.V2, 'EEXIST'],
    ['of a GICv2', H2, DEVICE_TYPE.V2, DEVICE_TYPE.V3, 'ENODEV'],
    ['of a GICv2, where the other can be had as well', HC, DEVICE_TYPE.V2, DEVICE_TYPE.V3, 'EEXIST'],
  ] as const)('%s', (_, host, type, other, refused) => {
    const vm = vcpus({ ruleSet: 'mainline', base: '6.12', host }, 4)
    expect([vm.gic(0), vm.gic(type), vm.gic(type), vm.gic(other)]).toEqual(['ENODEV', '0', 'EEXIST', refused])
  })
})

describe('distributor and redistributors', () => {
  const rows: readonly Row[] = [
    ['HAS ADDR -1', (vm) => vm.has(G.ADDR, 2n ** 64n - 1n), 'ENXIO'],
    ['misaligned distributor', (vm) => addr(vm, A.V3_DIST, 0x1000), 'EINVAL'],
    ['misaligned redistributors', (vm) => addr(vm, A.V3_REDIST, 0x1000), 'EINVAL'],
    ['distributor out of range', (vm) => addr(vm, A.V3_DIST, L), 'E2BIG'],
    ['redistributors out of range', (vm) => addr(vm, A.V3_REDIST, L), 'E2BIG'],
    ['redistributors that end out of range', (vm) => addr(vm, A.V3_REDIST, L - 0x10000), 'E2BIG'],
    ['redistributors', (vm) => addr(vm, A.V3_REDIST, 0), '0'],
    ['redistributors again', (vm) => addr(vm, A.V3_REDIST, 0xe0000), 'EEXIST'],
    ['a region after the legacy one', (vm) => vm.region(4, 0x100000, 0), 'EINVAL'],
    // Four redistributors from 0 on: the distributor lies over the last 64 KiB.
    ['a distributor that overlaps', (vm) => addr(vm, A.V3_DIST, 4 * FRAME - 0x10000), '0'],
    ['INIT', (vm) => vm.initGic(), '0'],
    ['run vCPU 3', (vm) => vm.run(3), 'EINVAL'],
  ]

  it('with the vCPUs made before the device', () => {
    expect(answers(withGic(4), rows)).toEqual(expected(rows))
  })

  it('with the vCPUs made after the device', () => {
    const vm = withGic(1)
    const early = rows.slice(0, 10)
    expect(answers(vm, early)).toEqual(expected(early))
    // The last one's frame will be where the distributor is; only the first run sees it.
    const late: readonly Row[] = [
      ...[1, 2, 3].map((id): Row => [`add ${id}`, (one) => one.add(id), '0']),
      ...rows.slice(10),
    ]
    expect(answers(vm, late)).toEqual(expected(late))
  })

  it('of a GICv2: the distributor and the CPU interface', () => {
    const v2: readonly Row[] = [
      ['HAS ADDR -1', (vm) => vm.has(G.ADDR, 2n ** 64n - 1n), 'ENXIO'],
      ['misaligned distributor', (vm) => addr(vm, A.V2_DIST, 0x100), 'EINVAL'],
      ['misaligned CPU interface', (vm) => addr(vm, A.V2_CPU, 0x100), 'EINVAL'],
      ['distributor out of range', (vm) => addr(vm, A.V2_DIST, L), 'E2BIG'],
      ['CPU interface out of range', (vm) => addr(vm, A.V2_CPU, L), 'E2BIG'],
      ['CPU interface that ends out of range', (vm) => addr(vm, A.V2_CPU, L - 0x1000), 'E2BIG'],
      ['CPU interface', (vm) => addr(vm, A.V2_CPU, 0), '0'],
      ['CPU interface again', (vm) => addr(vm, A.V2_CPU, 0xe0000), 'EEXIST'],
      ['a region', (vm) => vm.region(4, 0x100000, 0), 'ENXIO'],
      ['a distributor that overlaps', (vm) => addr(vm, A.V2_DIST, 0x1000), '0'],
      ['run vCPU 3', (vm) => vm.run(3), 'EINVAL'],
    ]
    expect(answers(withGic(4, HC, DEVICE_TYPE.V2), v2)).toEqual(expected(v2))
  })

  it('of a GICv2 without a vCPU: no register has a CPU', () => {
    const vm = withGic(0, HC, DEVICE_TYPE.V2)
    expect([vm.has(G.CPU_REGS, 0), vm.get(G.CPU_REGS, 0).error, vm.set(G.CPU_REGS, 0, 0)]).toEqual([
      'EINVAL',
      'EINVAL',
      'EINVAL',
    ])
  })
})

describe('redistributor regions', () => {
  const rows: readonly Row[] = [
    ['flags', (vm) => vm.set(G.ADDR, A.V3_REDIST_REGION, (2n << 52n) | 0x200000n | (2n << 12n)), 'EINVAL'],
    ['count 0', (vm) => vm.region(0, 0x200000, 0), 'EINVAL'],
    ['the first with index 1', (vm) => vm.region(2, 0x200000, 1), 'EINVAL'],
    ['misaligned', (vm) => vm.region(2, 0x201000, 1), 'EINVAL'],
    ['2 at 0x200000', (vm) => vm.region(2, 0x200000, 0), '0'],
    ['the same with index 1', (vm) => vm.region(2, 0x200000, 1), 'EINVAL'],
    ['overlapping, index 2', (vm) => vm.region(1, 0x210000, 2), 'EINVAL'],
    ['index 2 before 1', (vm) => vm.region(1, 0x240000, 2), 'EINVAL'],
    ['1 at 0x240000', (vm) => vm.region(1, 0x240000, 1), '0'],
    ['out of range', (vm) => vm.region(1, L, 2), 'E2BIG'],
    ['ends out of range', (vm) => vm.region(2, L - 0x30000, 2), 'E2BIG'],
    ['the legacy one', (vm) => addr(vm, A.V3_REDIST, 0x260000), 'EINVAL'],
    ['get 0', (vm) => got(vm, 0), '0x20000000200000'],
    ['get 1', (vm) => got(vm, 1), '0x10000000240001'],
    ['get 2', (vm) => got(vm, 2), 'ENOENT'],
    ['distributor at 0x260000', (vm) => addr(vm, A.V3_DIST, 0x260000), '0'],
    ['a region on it', (vm) => vm.region(1, 0x260000, 2), 'EINVAL'],
  ]

  it('and their order', () => {
    expect(answers(withGic(4), rows)).toEqual(expected(rows))
  })

  const twoRegions = (second: number): CaseVm => {
    const vm = withGic(4)
    vm.must(addr(vm, A.V3_DIST, GICD))
    vm.must(vm.region(2, 0x200000, 0))
    return vm.must(vm.region(second, 0x240000, 1))
  }

  it('too few for all vCPUs', () => {
    const vm = twoRegions(1)
    expect([vm.initGic(), vm.run(3)]).toEqual(['0', 'ENXIO'])
  })

  it('not initialised', () => {
    expect(twoRegions(2).run(3)).toBe('EBUSY')
  })

  it('whose value cannot be read', () => {
    const vm = withGic(4)
    const bad = { call: 'KVM_SET_DEVICE_ATTR', group: G.ADDR, attr: A.V3_REDIST_REGION, value: 0n } as const
    expect(ename(vm.call({ ...bad, badPointer: true }))).toBe('EFAULT')
    const whole = twoRegions(2)
    expect([whole.initGic(), whole.run(3)]).toEqual(['0', '0'])
  })
})

describe('GICR_TYPER', () => {
  it('before, while and after regions are made', () => {
    const vm = new CaseVm({ ruleSet: 'mainline', base: '6.12', host: H1 })
    vm.must(vm.add(0))
    vm.must(vm.gic(DEVICE_TYPE.V3))
    vm.must(vm.add(3))
    const rows: readonly Row[] = [
      ['TYPER of 1, which is not there', () => vm.typ(1), 'EINVAL'],
      ['add 1', () => vm.add(1), '0'],
      ['TYPER of 1 before INIT', () => vm.typ(1), 'EBUSY'],
      ['add 2', () => vm.add(2), '0'],
      ['INIT', () => vm.initGic(), '0'],
      ...[0, 1, 2, 3].map((id): Row => [`TYPER of ${id}`, () => vm.typ(id), `0 (${(id << 8).toString(16)})`]),
      ['2 at 0x200000', () => vm.region(2, 0x200000, 0), '0'],
      ['TYPER of 0', () => vm.typ(0), '0 (0)'],
      ['TYPER of 3', () => vm.typ(3), '0 (310)'],
      ['10 that collide', () => vm.region(10, 0x100000, 1), 'EINVAL'],
      ['TYPER of 1', () => vm.typ(1), '0 (100)'],
      ['TYPER of 2', () => vm.typ(2), '0 (200)'],
      ['10 at 0x20000', () => vm.region(10, 0x20000, 1), '0'],
      ['TYPER of 1', () => vm.typ(1), '0 (100)'],
      ['TYPER of 2', () => vm.typ(2), '0 (210)'],
    ]
    expect(answers(vm, rows)).toEqual(expected(rows))
  })
})

describe('the address space at the first run', () => {
  it('a legacy region that grew beyond it', () => {
    const vm = withGic(1)
    vm.must(addr(vm, A.V3_DIST, 0))
    vm.must(addr(vm, A.V3_REDIST, L - 3 * FRAME))
    for (const id of [1, 2, 3]) vm.must(vm.add(id))
    expect(vm.must(vm.initGic()).run(2)).toBe('EINVAL')
  })
})

describe('the ITS', () => {
  it('and its address', () => {
    const vm = withGic(4)
    vm.must(vm.gic(DEVICE_TYPE.ITS))
    const at = (base: number): string =>
      ename(vm.call({ call: 'KVM_SET_DEVICE_ATTR', group: G.ADDR, attr: A.ITS, value: BigInt(base), its: 0 }))
    expect([at(0x401000), at(L), at(L - 0x10000), at(0x400000), at(0x300000)]).toEqual([
      'EINVAL',
      'E2BIG',
      'E2BIG',
      '0',
      'EEXIST',
    ])
    const control = { call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.CTRL, attr: VGIC_CTRL.INIT, value: 0n } as const
    expect(ename(vm.call({ ...control, its: 0 }))).toBe('0')
  })
})

describe('the registers of the CPU interface', () => {
  const plain = ['PMR', 'BPR0', 'BPR1', 'CTLR', 'SRE', 'IGRPEN0', 'IGRPEN1'] as const
  const AP1R = [ICC.ICC_AP1R0_EL1, ICC.ICC_AP1R1_EL1, ICC.ICC_AP1R2_EL1, ICC.ICC_AP1R3_EL1]

  it.each([5, 6, 7])('of every vCPU take back what they read, with %i bits of priority', (priBits) => {
    const env = { ruleSet: 'mainline', base: '6.12', host: { ...H1, priBits } } as const
    const vm = vcpus(env, 4)
    vm.must(vm.v3())
    /** HAS, GET and SET of one register. */
    const threefold = (encoding: number, cpu: number): readonly string[] => {
      const { error, value } = vm.get(G.CPU_SYSREGS, AT(cpu, encoding))
      return [vm.has(G.CPU_SYSREGS, AT(cpu, encoding)), error, vm.set(G.CPU_SYSREGS, AT(cpu, encoding), value)]
    }
    for (const cpu of [0, 1, 2, 3]) {
      for (const name of plain) expect(threefold(ICC[`ICC_${name}_EL1`], cpu)).toEqual(['0', '0', '0'])
      for (const bank of [AP0R, AP1R]) {
        const there = bank.map((_, n) => n < 2 ** (priBits - 5))
        expect(bank.map((encoding) => threefold(encoding, cpu).join(' '))).toEqual(
          there.map((is) => (is ? '0 0 0' : '0 EINVAL EINVAL')),
        )
      }
    }
  })
})
