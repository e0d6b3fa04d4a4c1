/**
 * What each property of a host does to a VM on it, through calls and guest accesses only. Values: ICH_VTR_EL2 and
 * ICC_CTLR_EL1 by the architecture (IHI 0069, 12.2.6 and 12.4); errors as recorded on Linux 6.12.
 */
import { describe, expect, it, test } from 'vitest'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { IccName } from '../../pure/arch/sysregs/gic-cpu.ts'
import {
  HOST_PRESETS,
  HOST_PRESET_IDS,
  HOSTS,
  decodeIchVtr,
  encodeIchVtr,
  presetOf,
} from '../../pure/blueprint/host.ts'
import type { HostPresetId, HostProfile } from '../../pure/blueprint/host.ts'
import { DEVICE_TYPE, VGIC_ADDR, VGIC_GROUP, registerAttr } from '../../pure/uapi/vgic-attr.ts'
import { GICD, TestVm, outcome } from '../../testing/test-vm.ts'

const { H1 } = HOST_PRESETS

const vmOn = (host: Partial<HostProfile>): TestVm => new TestVm({ ruleSet: 'mainline', host: { ...H1, ...host } })
const user = (vm: TestVm, name: IccName): string => {
  const answer = vm.getAttr(VGIC_GROUP.CPU_SYSREGS, registerAttr(0, ICC[name]))
  return answer.ok ? (answer.value ?? 0n).toString(16) : answer.errno
}
const guest = (vm: TestVm, name: IccName): string => vm.machine.mrs(0, ICC[name])?.toString(16) ?? 'UNDEF'

describe('ICH_VTR_EL2', () => {
  test.each([
    ['H1', 0x9020_0003],
    ['H0', 0x9000_0003],
    ['HC', 0x9020_0003],
    ['H2', 0],
    ['HL', 0x9020_0000],
    ['HX', 0xd8e0_000f],
    ['HS', 0x9020_0003],
  ] as const)('of %s', (id, vtr) => {
    const host = HOST_PRESETS[id]
    expect(encodeIchVtr(host).toString(16)).toBe(vtr.toString(16))
    expect({ ...host, ...(host.gic === '2' ? {} : decodeIchVtr(vtr)) }).toEqual(host)
    expect(presetOf({ ...host })).toBe(id)
  })

  it('is told of every preset, and of none that is not one', () => {
    expect(HOST_PRESET_IDS).toEqual(Object.keys(HOSTS))
    expect(presetOf({ ...H1, ipaBits: 41 })).toBeUndefined()
  })
})

describe("a host's GIC", () => {
  test.each([
    ['H1', 'ENODEV', '0'],
    ['HC', '0', '0'],
    ['HX', '0', '0'],
    ['H2', '0', 'ENODEV'],
  ] as const)('decides which model %s can emulate', (id, v2, v3) => {
    const { kvm } = new TestVm({ ruleSet: 'mainline', host: HOST_PRESETS[id satisfies HostPresetId], gic: 'none' })
    const create = (type: number): string => outcome(kvm.execute({ call: 'KVM_CREATE_DEVICE', type, test: true }))
    expect([create(DEVICE_TYPE.V2), create(DEVICE_TYPE.V3)]).toEqual([v2, v3])
  })

  test.each([
    ['2', 'EINVAL'],
    ['3', '0'],
    ['3+2', '0'],
  ] as const)('of version %s limits the vCPUs', (gic, ninth) => {
    const vm = new TestVm({ ruleSet: 'mainline', host: { ...H1, gic, a3v: false }, gic: 'none', ids: [] })
    expect(outcome(vm.kvm.execute({ call: 'KVM_CREATE_VCPU', id: 8 }))).toBe(ninth)
  })

  it('of version 2 has no A3V that a rule could go by', () => {
    const vm = new TestVm({ ruleSet: 'patch-v1', host: { ...H1, gic: '2', a3v: true }, gic: 2, init: false })
    expect([outcome(vm.setMpidr(1, 0x1_8000_0001n)), vm.getMpidr(1)]).toEqual(['0', '80000001'])
  })
})

describe("a host's CPU interface", () => {
  test.each([true, false])('with A3V %s shows it in ICC_CTLR_EL1', (a3v) => {
    const vm = vmOn({ a3v })
    const expected = a3v ? '8400' : '400'
    expect([user(vm, 'ICC_CTLR_EL1'), guest(vm.run(), 'ICC_CTLR_EL1')]).toEqual([expected, expected])
  })

  test.each([true, false])('with SEIS %s shows it in ICC_CTLR_EL1, and takes no other', (seis) => {
    const vm = vmOn({ seis })
    const [mine, other] = seis ? ['c400', '8400'] : ['8400', 'c400']
    const attr = registerAttr(0, ICC.ICC_CTLR_EL1)
    expect(user(vm, 'ICC_CTLR_EL1')).toBe(mine)
    expect(outcome(vm.setAttr(VGIC_GROUP.CPU_SYSREGS, attr, BigInt(`0x${other}`)))).toBe('EINVAL')
    expect(outcome(vm.setAttr(VGIC_GROUP.CPU_SYSREGS, attr, BigInt(`0x${mine}`)))).toBe('0')
    expect(guest(vm.run(), 'ICC_CTLR_EL1')).toBe(mine)
  })

  test.each([
    [16, '8400', 'EINVAL'],
    [24, '8c00', '0'],
  ] as const)('with INTIDs of %i bits says so, and lets userspace ask for no more', (idBits, control, more) => {
    const vm = vmOn({ idBits })
    expect(user(vm, 'ICC_CTLR_EL1')).toBe(control)
    const set = vm.setAttr(VGIC_GROUP.CPU_SYSREGS, registerAttr(0, ICC.ICC_CTLR_EL1), 0x8c00n)
    expect(outcome(set)).toBe(more)
  })

  // ICC_CTLR_EL1, ICC_PMR_EL1 of all ones, the least ICC_BPR0_EL1 and ICC_BPR1_EL1, and ICC_AP1R<n>_EL1.
  test.each([
    [5, '8400', 'f8', '2', '3', ['0', 'EINVAL', 'EINVAL', 'EINVAL'], ['0', 'UNDEF', 'UNDEF', 'UNDEF']],
    [6, '8500', 'fc', '1', '2', ['0', '0', 'EINVAL', 'EINVAL'], ['0', '0', 'UNDEF', 'UNDEF']],
    [7, '8600', 'fe', '0', '1', ['0', '0', '0', '0'], ['0', '0', '0', '0']],
  ] as const)(
    'with %i priority bits has as many registers as they need',
    (priBits, ctlr, pmr, bpr0, bpr1, ours, theirs) => {
      const vm = vmOn({ priBits })
      const apr = ['ICC_AP1R0_EL1', 'ICC_AP1R1_EL1', 'ICC_AP1R2_EL1', 'ICC_AP1R3_EL1'] as const
      expect([user(vm, 'ICC_CTLR_EL1'), apr.map((name) => user(vm, name))]).toEqual([ctlr, ours])
      vm.run()
      for (const name of ['ICC_BPR0_EL1', 'ICC_BPR1_EL1'] as const) vm.machine.msr(0, ICC[name], 0n)
      vm.machine.msr(0, ICC.ICC_PMR_EL1, 0xffn)
      expect((['ICC_PMR_EL1', 'ICC_BPR0_EL1', 'ICC_BPR1_EL1'] as const).map((name) => guest(vm, name))).toEqual([
        pmr,
        bpr0,
        bpr1,
      ])
      expect(apr.map((name) => guest(vm, name))).toEqual(theirs)
      // A priority of KVM's GIC has five bits on every host.
      vm.machine.store(GICD + 0x428, 1, 0xffn)
      expect(vm.machine.load(GICD + 0x428, 1)).toBe(0xf8n)
    },
  )

  test.each([1, 2, 4, 8, 16])('with %i list registers shows that many interrupts at a time', (listRegs) => {
    const vm = vmOn({ listRegs }).run()
    vm.listen(32)
    vm.machine.store(GICD + 0x104, 4, 0xffff_ffffn)
    vm.machine.store(GICD + 0x204, 4, 0xffff_ffffn)
    const cpu = vm.kvm.vgic?.inspect().cpus[0]
    expect(cpu?.apList).toHaveLength(32)
    expect(cpu?.listRegisters.filter((value) => value !== 0n)).toHaveLength(listRegs)
  })
})

describe("a host's guest physical address space", () => {
  test.each([36, 40, 48])('of %i bits ends there', (ipaBits) => {
    const { kvm } = new TestVm({ ruleSet: 'mainline', host: { ...H1, ipaBits }, type: ipaBits, gic: 'none', ids: [] })
    const create = (type: number): string => outcome(kvm.execute({ call: 'KVM_CREATE_VM', type }))
    expect([create(ipaBits + 1), create(31)]).toEqual(['EINVAL', 'EINVAL'])
    kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 })
    const end = 2n ** BigInt(ipaBits)
    const dist = (value: bigint): string =>
      outcome(kvm.execute({ call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.ADDR, attr: VGIC_ADDR.V3_DIST, value }))
    expect([dist(end), dist(end - 0x8000n), dist(end - 0x1_0000n)]).toEqual(['E2BIG', 'EINVAL', '0'])
  })
})
