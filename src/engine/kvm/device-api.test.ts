/** The device API's legality. What is expected was recorded on Linux 6.12; the order of the steps is part of each case. */
import { describe, expect, it } from 'vitest'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { encodeIrqLine } from '../../pure/uapi/irq-line.ts'
import {
  DEVICE_TYPE,
  VGIC_ADDR,
  VGIC_CTRL,
  VGIC_GROUP,
  encodeRedistRegion,
  registerAttr,
} from '../../pure/uapi/vgic-attr.ts'
import { GICD, GICR, TestVm, outcome } from '../../testing/test-vm.ts'
import type { TestVmOptions } from '../../testing/test-vm.ts'

const make = (options: Partial<TestVmOptions> = {}): TestVm => new TestVm({ ruleSet: 'mainline', ...options })
/** vCPUs only, and a fresh GIC device without addresses. */
const bare = (ids: readonly number[] = [0, 1, 2, 3]): TestVm => {
  const vm = make({ ids, gic: 'none' })
  vm.must(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 }))
  return vm
}
const addr = (vm: TestVm, attr: bigint, base: number): string =>
  outcome(vm.setAttr(VGIC_GROUP.ADDR, attr, BigInt(base)))
const region = (vm: TestVm, count: number, base: number, index: number, flags = 0): string =>
  outcome(vm.setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_REDIST_REGION, encodeRedistRegion({ index, base, count, flags })))
const nrIrqs = (vm: TestVm, count: number): string => outcome(vm.setAttr(VGIC_GROUP.NR_IRQS, 0n, BigInt(count)))
const init = (vm: TestVm): string => outcome(vm.setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n))
const run = (vm: TestVm, vcpu = 0): string => outcome(vm.kvm.execute({ call: 'KVM_RUN', vcpu }))
const addVcpu = (vm: TestVm, id: number): string => {
  const created = vm.kvm.execute({ call: 'KVM_CREATE_VCPU', id })
  const vcpu = vm.kvm.vcpus.length - 1
  return created.ok
    ? outcome(vm.kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu, features: ['PSCI_0_2'] }))
    : outcome(created)
}
const got = (vm: TestVm, group: number, attr: bigint): string => {
  const answer = vm.getAttr(group, attr)
  return answer.ok ? `0 ${(answer.value ?? 0n).toString(16)}` : answer.errno
}
const { V3_DIST, V3_REDIST, V3_REDIST_REGION, V2_DIST } = VGIC_ADDR
const L = 2 ** 40

describe('creation', () => {
  it('makes one GIC a VM, of a model the host has', () => {
    const vm = make({ gic: 'none' })
    const create = (type: number, test = false): string =>
      outcome(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type, test }))
    expect([create(0), create(5), create(7, true), create(7), create(7), create(5)]).toEqual([
      'ENODEV',
      'ENODEV',
      '0',
      '0',
      'EEXIST',
      'ENODEV',
    ])
    expect(got(vm, VGIC_GROUP.ADDR, V3_DIST)).toBe('0 ffffffffffffffff')
  })

  it('serves eight CPUs with a GICv2', () => {
    const ids = Array.from({ length: 9 }, (_, id) => id)
    const vm = make({ host: HOST_PRESETS.HC, ids, gic: 'none' })
    expect(outcome(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V2 }))).toBe('E2BIG')
    const v2 = make({ host: HOST_PRESETS.H2, ids: ids.slice(0, 8), gic: 'none' })
    expect(addVcpu(v2, 8)).toBe('EINVAL')
    expect(outcome(v2.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V2 }))).toBe('0')
  })

  it('is too late once a vCPU has run without one', () => {
    const vm = make({ gic: 'none' })
    expect(run(vm)).toBe('0')
    expect(outcome(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 }))).toBe('EBUSY')
  })

  it('ends the time in which vCPUs can be made', () => {
    expect(addVcpu(make(), 4)).toBe('EBUSY')
    const empty = bare([])
    expect([init(empty), addVcpu(empty, 0)]).toEqual(['0', 'EBUSY'])
  })

  it('does not mix widths of EL1', () => {
    const wide = make({ gic: 'none', ids: [0] })
    wide.kvm.execute({ call: 'KVM_CREATE_VCPU', id: 1 })
    expect(outcome(wide.kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu: 1, features: ['EL1_32BIT'] }))).toBe('EINVAL')
    const narrow = make({ gic: 'none', ids: [0], el1: 32 })
    narrow.kvm.execute({ call: 'KVM_CREATE_VCPU', id: 1 })
    expect(outcome(narrow.kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu: 1, features: [] }))).toBe('EINVAL')
  })
})

describe('addresses', () => {
  it('are checked in order', () => {
    const vm = bare()
    const steps: readonly (readonly [string, string])[] = [
      [outcome(vm.hasAttr(VGIC_GROUP.ADDR, 2n ** 64n - 1n)), 'ENXIO'],
      [addr(vm, V3_DIST, 0x1000), 'EINVAL'],
      [addr(vm, V3_REDIST, 0x1000), 'EINVAL'],
      [addr(vm, V3_DIST, L), 'E2BIG'],
      [addr(vm, V3_REDIST, L), 'E2BIG'],
      [addr(vm, V3_REDIST, L - 0x10000), 'E2BIG'],
      [addr(vm, V2_DIST, 0), 'ENXIO'],
      [outcome(vm.hasAttr(VGIC_GROUP.ADDR, V2_DIST)), 'ENXIO'],
      [region(vm, 2, 0x200000, 0, 2), 'EINVAL'],
      [region(vm, 0, 0x200000, 0), 'EINVAL'],
      [region(vm, 2, 0x200000, 1), 'EINVAL'],
      [region(vm, 2, 0x200000, 0), '0'],
      [outcome(vm.setAttr(VGIC_GROUP.ADDR, V3_REDIST_REGION, (2n << 52n) | 0x201000n | 1n)), 'EINVAL'],
      [region(vm, 2, 0x200000, 1), 'EINVAL'],
      [region(vm, 1, 0x240000, 2), 'EINVAL'],
      [region(vm, 1, 0x240000, 1), '0'],
      [region(vm, 1, L, 2), 'E2BIG'],
      [region(vm, 2, L - 0x30000, 2), 'E2BIG'],
      [addr(vm, V3_REDIST, 0x260000), 'EINVAL'],
    ]
    expect(steps.map(([answer]) => answer)).toEqual(steps.map(([, expected]) => expected))
    const presets = [0n, 1n, 2n].map((value) =>
      vm.kvm.execute({ call: 'KVM_GET_DEVICE_ATTR', group: VGIC_GROUP.ADDR, attr: V3_REDIST_REGION, value }),
    )
    expect(presets.map((answer) => (answer.ok ? answer.value?.toString(16) : answer.errno))).toEqual([
      '20000000200000',
      '10000000240001',
      'ENOENT',
    ])
    expect([addr(vm, V3_DIST, 0x260000), region(vm, 1, 0x260000, 2)]).toEqual(['0', 'EINVAL'])
    // The region that failed is gone again: its index is free.
    expect(region(vm, 1, 0x300000, 2)).toBe('0')
  })

  it('are set once', () => {
    const vm = make()
    expect([addr(vm, V3_REDIST, 0xe0000), region(vm, 4, 0x100000, 0), addr(vm, V3_DIST, 0)]).toEqual([
      'EEXIST',
      'EINVAL',
      'EEXIST',
    ])
  })

  it('let a region with index 1 follow the legacy one', () => {
    const vm = bare()
    expect([addr(vm, V3_REDIST, GICR), region(vm, 4, 0x0900_0000, 1)]).toEqual(['0', '0'])
  })

  it('are known to GICR_TYPER as soon as they are set, vCPUs made before or after', () => {
    const vm = bare([0])
    vm.must(vm.setAttr(VGIC_GROUP.ADDR, V3_DIST, 0n))
    const answers: string[] = []
    const typer = (affinity: number): number => answers.push(vm.typerLow(affinity, 1))
    addVcpu(vm, 3)
    typer(1)
    addVcpu(vm, 1)
    typer(1)
    addVcpu(vm, 2)
    init(vm)
    for (const id of [0, 1, 2, 3]) typer(id)
    answers.push(region(vm, 2, 0x200000, 0))
    typer(0)
    typer(3)
    // 10 redistributors at 0x100000 would reach into region 0.
    answers.push(region(vm, 10, 0x100000, 1))
    typer(1)
    typer(2)
    answers.push(region(vm, 10, 0x20000, 1))
    typer(1)
    typer(2)
    expect(answers.join(' ')).toBe('EINVAL EBUSY 0 100 200 300 0 0 310 EINVAL 100 200 0 100 210')
  })
})

describe('NR_IRQS and CTRL', () => {
  it('take 64 to 992 interrupts, once', () => {
    expect([32, 80, 1024, 992].map((count) => nrIrqs(bare(), count))).toEqual(['EINVAL', 'EINVAL', 'EINVAL', '0'])
    expect(nrIrqs(make(), 256)).toBe('EBUSY')
  })

  it('have 256 interrupts unless told otherwise', () => {
    const vm = bare()
    const before = got(vm, VGIC_GROUP.NR_IRQS, 0n)
    expect([before, init(vm), got(vm, VGIC_GROUP.NR_IRQS, 0n), init(vm)]).toEqual(['0 20', '0', '0 100', '0'])
  })

  it('know INIT and SAVE_PENDING_TABLES', () => {
    const vm = bare()
    const save = (): string => outcome(vm.setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.SAVE_PENDING_TABLES, 0n))
    expect([
      save(),
      init(vm),
      save(),
      outcome(vm.setAttr(VGIC_GROUP.CTRL, 77n, 0n)),
      outcome(vm.hasAttr(9, 0n)),
    ]).toEqual(['ENXIO', '0', '0', 'ENXIO', 'ENXIO'])
  })
})

describe('registers', () => {
  it('are there once the GIC is initialised', () => {
    const vm = bare()
    expect(got(vm, VGIC_GROUP.DIST_REGS, registerAttr(0, 0))).toBe('EBUSY')
    expect(outcome(vm.setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, 8), 0n))).toBe('EBUSY')
    expect(got(vm, VGIC_GROUP.CPU_SYSREGS, registerAttr(0, ICC.ICC_CTLR_EL1))).toBe('EBUSY')
  })

  it('of the distributor do not look at the affinity', () => {
    expect(got(make(), VGIC_GROUP.DIST_REGS, registerAttr(0xdead_0000, 4))).toBe('0 480007')
  })

  it('that do not exist read as zero, but HAS_ATTR knows', () => {
    const vm = make()
    const attr = registerAttr(0, 0x4000)
    expect(outcome(vm.hasAttr(VGIC_GROUP.DIST_REGS, attr))).toBe('ENXIO')
    expect(got(vm, VGIC_GROUP.DIST_REGS, attr)).toBe('0 0')
    expect(outcome(vm.setAttr(VGIC_GROUP.DIST_REGS, attr, 1n))).toBe('0')
  })

  it('of the CPU interface keep KVM apart from the architecture', () => {
    const vm = make()
    const attr = registerAttr(0, ICC.ICC_AP1R1_EL1)
    expect(outcome(vm.hasAttr(VGIC_GROUP.CPU_SYSREGS, attr))).toBe('0')
    expect(got(vm, VGIC_GROUP.CPU_SYSREGS, attr)).toBe('EINVAL')
    const unknown = registerAttr(0, 0xc677)
    expect(outcome(vm.hasAttr(VGIC_GROUP.CPU_SYSREGS, unknown))).toBe('ENXIO')
    expect(got(vm, VGIC_GROUP.CPU_SYSREGS, unknown)).toBe('ENOENT')
  })

  it('of line levels cover 32 interrupts at a multiple of 32', () => {
    const vm = make()
    expect([33n, 1024n, 32n].map((attr) => got(vm, VGIC_GROUP.LEVEL_INFO, attr))).toEqual(['EINVAL', 'EINVAL', '0 0'])
    expect(outcome(vm.hasAttr(VGIC_GROUP.LEVEL_INFO, (1n << 10n) | 32n))).toBe('ENXIO')
    expect(got(vm, VGIC_GROUP.LEVEL_INFO, 992n)).toBe('0 0')
  })

  it('answer at 0.0.0.0 for a vCPU that was never initialised', () => {
    const vm = make({ ids: [0], gic: 'none' })
    vm.must(vm.setMpidr(0, 0x8000_0005n))
    vm.must(vm.kvm.execute({ call: 'KVM_CREATE_VCPU', id: 1 }))
    vm.must(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 }))
    addr(vm, V3_DIST, GICD)
    addr(vm, V3_REDIST, GICR)
    init(vm)
    expect(vm.typerLow(0, 3)).toBe('110')
  })
})

describe('KVM_IRQ_LINE', () => {
  it('knows SPIs and PPIs', () => {
    const vm = make({ ids: [0, 1], init: false })
    const line = (type: number, vcpu: number, number: number): string =>
      outcome(vm.kvm.execute({ call: 'KVM_IRQ_LINE', irq: encodeIrqLine(type, vcpu, number), level: true }))
    expect(line(1, 0, 40)).toBe('EBUSY')
    init(vm)
    const cases = [
      [0, 0, 0, 'ENXIO'],
      [1, 0, 31, 'EINVAL'],
      [1, 0, 40, '0'],
      [1, 0, 255, '0'],
      [1, 0, 256, 'EINVAL'],
      [2, 0, 15, 'EINVAL'],
      [2, 0, 20, '0'],
      [2, 0, 32, 'EINVAL'],
      [2, 9, 20, 'EINVAL'],
      [2, 0, 27, '0'],
      [3, 0, 20, 'EINVAL'],
    ] as const
    expect(cases.map(([type, vcpu, number]) => line(type, vcpu, number))).toEqual(cases.map(([, , , answer]) => answer))
    // PPI 20 is pending; the virtual timer's line is KVM's own.
    vm.run()
    expect(vm.machine.load(GICR + 0x10200, 4)).toBe(0x10_0000n)
  })
})

describe('the first run', () => {
  it('needs an initialised vCPU', () => {
    const vm = make({ gic: 'none', ids: [] })
    vm.kvm.execute({ call: 'KVM_CREATE_VCPU', id: 0 })
    expect(run(vm)).toBe('ENOEXEC')
  })

  it('needs the GIC to be initialised', () => {
    expect(run(make({ init: false }))).toBe('EBUSY')
  })

  it('needs a redistributor for every vCPU; a VM without one is dead', () => {
    const vm = make({ regions: [[3, 0x0810_0000]] })
    expect(run(vm, 3)).toBe('ENXIO')
    expect(got(vm, VGIC_GROUP.ADDR, V3_DIST)).toBe('EIO')
    expect(run(vm)).toBe('EIO')
  })

  it('needs frames that do not overlap', () => {
    const vm = bare()
    addr(vm, V3_REDIST, 0)
    addr(vm, V3_DIST, 0x80000 - 0x10000)
    init(vm)
    expect(run(vm, 3)).toBe('EINVAL')
  })

  it('starts the CPUs that are not off where the VMM says', () => {
    const vm = make({ off: [1, 2, 3] })
    vm.must(vm.kvm.execute({ call: 'KVM_SET_ONE_REG', vcpu: 0, reg: 0x6030_0000_0010_0040n, value: 0x4020_0000n }))
    vm.must(vm.kvm.execute({ call: 'KVM_SET_ONE_REG', vcpu: 0, reg: 0x6030_0000_0010_0000n, value: 0x4800_0000n }))
    vm.run()
    expect(vm.machine.cpu(0).startedAt).toEqual({ entry: 0x4020_0000n, context: 0x4800_0000n })
    expect(vm.machine.cpus.map(({ powered }) => powered)).toEqual([true, false, false, false])
  })
})

it('a register id that does not exist gives ENOENT', () => {
  const vm = make()
  // MPIDR_EL1 with the size bits of a 32-bit register.
  expect(outcome(vm.kvm.execute({ call: 'KVM_GET_ONE_REG', vcpu: 0, reg: 0x6020_0000_0013_c005n }))).toBe('ENOENT')
  expect(outcome(vm.kvm.execute({ call: 'KVM_GET_ONE_REG', vcpu: 0, reg: 0x6030_0000_0013_c005n }))).toBe('0')
})
