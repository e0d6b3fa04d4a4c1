/** The device API of a vGICv2 (arch/arm64/kvm/vgic/vgic-kvm-device.c, vgic-v2.c; Documentation/virt/kvm/devices/arm-vgic.rst). */
import { describe, expect, it, test } from 'vitest'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { ID_AA64PFR0 } from '../../pure/arch/sysregs/identification.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { KernelBase } from '../../pure/blueprint/host.ts'
import { encodeIrqLine } from '../../pure/uapi/irq-line.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_CTRL, VGIC_GROUP, v2RegisterAttr } from '../../pure/uapi/vgic-attr.ts'
import { TestVm, outcome } from '../../testing/test-vm.ts'

const { ADDR, CPU_REGS, CTRL, DIST_REGS, NR_IRQS } = VGIC_GROUP
const DIST = 0x0800_0000n
const CPU = 0x0801_0000n

const bare = (ids: readonly number[] = [0, 1], base: KernelBase = '6.12'): TestVm => {
  const vm = new TestVm({ ruleSet: 'mainline', base, host: HOST_PRESETS.H2, ids, gic: 'none' })
  vm.must(vm.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V2 }))
  return vm
}
const set = (vm: TestVm, group: number, attr: bigint, value: bigint): string => outcome(vm.setAttr(group, attr, value))
const get = (vm: TestVm, group: number, attr: bigint): string => {
  const answer = vm.getAttr(group, attr)
  return answer.ok ? (answer.value ?? 0n).toString(16) : answer.errno
}
const has = (vm: TestVm, group: number, attr: bigint): string => outcome(vm.hasAttr(group, attr))
const run = (vm: TestVm): string => outcome(vm.kvm.execute({ call: 'KVM_RUN', vcpu: 0 }))
const addresses = (vm: TestVm, dist = DIST, cpu = CPU): TestVm => {
  vm.must(vm.setAttr(ADDR, VGIC_ADDR.V2_DIST, dist))
  vm.must(vm.setAttr(ADDR, VGIC_ADDR.V2_CPU, cpu))
  return vm
}

describe('a vGICv2', () => {
  it('has the groups and addresses of its model', () => {
    const vm = bare()
    const attrs = [
      [ADDR, VGIC_ADDR.V2_DIST],
      [ADDR, VGIC_ADDR.V2_CPU],
      [ADDR, VGIC_ADDR.V3_DIST],
      [NR_IRQS, 0n],
      [CTRL, VGIC_CTRL.INIT],
      [CTRL, VGIC_CTRL.SAVE_PENDING_TABLES],
      [DIST_REGS, v2RegisterAttr(1, 0xf20)],
      [DIST_REGS, v2RegisterAttr(1, 0xd00)],
      [CPU_REGS, v2RegisterAttr(1, 4)],
      [CPU_REGS, v2RegisterAttr(1, 0xc)],
      [CPU_REGS, v2RegisterAttr(2, 4)],
      [VGIC_GROUP.REDIST_REGS, 0n],
      [VGIC_GROUP.CPU_SYSREGS, BigInt(ICC.ICC_PMR_EL1)],
      [VGIC_GROUP.LEVEL_INFO, 0n],
    ] as const
    expect(attrs.map(([group, attr]) => has(vm, group, attr)).join(' ')).toBe(
      '0 0 ENXIO 0 0 ENXIO 0 ENXIO 0 ENXIO EINVAL ENXIO ENXIO ENXIO',
    )
  })

  it('takes frames of 4 and 8 KiB inside the address space', () => {
    const end = 1n << 40n
    const vm = bare()
    expect([
      set(vm, ADDR, VGIC_ADDR.V2_CPU, end - 0x1000n),
      set(vm, ADDR, VGIC_ADDR.V2_CPU, end - 0x2000n),
      set(vm, ADDR, VGIC_ADDR.V2_DIST, end - 0x1000n),
      set(vm, ADDR, VGIC_ADDR.V2_DIST, 0n),
      get(vm, ADDR, VGIC_ADDR.V2_CPU),
    ]).toEqual(['E2BIG', '0', '0', 'EEXIST', 'ffffffe000'])
  })

  it('is initialised by the first access to a register, with 256 interrupts', () => {
    const vm = bare()
    expect([get(vm, DIST_REGS, v2RegisterAttr(0, 4)), get(vm, NR_IRQS, 0n)]).toEqual(['27', '100'])
    expect([set(vm, NR_IRQS, 0n, 64n), set(vm, CTRL, VGIC_CTRL.INIT, 0n)]).toEqual(['EBUSY', '0'])
    expect(outcome(vm.kvm.execute({ call: 'KVM_CREATE_VCPU', id: 2 }))).toBe('EBUSY')
  })

  it('is initialised by the first interrupt', () => {
    const vm = bare()
    const line = vm.kvm.execute({ call: 'KVM_IRQ_LINE', irq: encodeIrqLine(1, 0, 40), level: true })
    expect([outcome(line), get(vm, DIST_REGS, v2RegisterAttr(0, 0x204))]).toEqual(['0', '100'])
  })

  it('is initialised by the first run', () => {
    const vm = addresses(bare())
    expect([run(vm), vm.machine.load(Number(DIST) + 4, 4), vm.machine.load(Number(CPU) + 0xfc, 4)]).toEqual([
      '0',
      0x27n,
      0x0202_143bn,
    ])
  })

  test.each([
    ['without addresses', (vm: TestVm) => vm, 'ENXIO'],
    ['with one address', (vm: TestVm) => (vm.must(vm.setAttr(ADDR, VGIC_ADDR.V2_DIST, DIST)), vm), 'ENXIO'],
    ['with the distributor in the CPU interface', (vm: TestVm) => addresses(vm, CPU + 0x1000n), 'EINVAL'],
    ['with one behind the other', (vm: TestVm) => addresses(vm, CPU + 0x2000n), '0'],
  ] as const)('%s answers the first run so', (_, prepare, expected) => {
    const vm = prepare(bare())
    expect(run(vm)).toBe(expected)
    // A VM whose first run failed is dead.
    expect(get(vm, NR_IRQS, 0n)).toBe(expected === '0' ? '100' : 'EIO')
  })

  it('hides the system registers of a GICv3, and that there could be any', () => {
    const vm = addresses(bare())
    run(vm)
    expect(Object.values(ICC).map((register) => vm.machine.mrs(0, register))).toEqual(
      Object.values(ICC).map(() => undefined),
    )
    expect(vm.machine.hidden.get(ID_AA64PFR0.encoding)).toBe(ID_AA64PFR0.GIC)
    const v3 = new TestVm({ ruleSet: 'mainline' }).run()
    expect([v3.machine.hidden.size, v3.machine.mrs(0, ICC.ICC_SRE_EL1)]).toEqual([0, 7n])
  })

  test.each([
    ['6.12', 5, 1],
    ['6.8', 5, 1],
    ['6.1', 1, 5],
  ] as const)('on the base %s calls the vCPU that was made second with id 5 number %i', (base, good, bad) => {
    const vm = bare([0, 5], base)
    const targets = (cpu: number): string => get(vm, DIST_REGS, v2RegisterAttr(cpu, 0x800))
    expect([targets(good), targets(bad)]).toEqual(['20202020', 'EINVAL'])
  })
})
