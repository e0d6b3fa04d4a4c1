/** What a guest sees of features that KVM_ARM_VCPU_INIT gives, on the machine with processors; errors: kvm-oracle's scripts. */
import { describe, expect, it } from 'vitest'
import { CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import type { CpuModelId } from '../../pure/arch/cpu/models.ts'
import { sysregNamed } from '../../pure/arch/sysregs/table.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { KernelBase } from '../../pure/blueprint/host.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { KVM_CAP } from '../../pure/uapi/capabilities.ts'
import type { VcpuFeature } from '../../pure/uapi/calls.ts'
import { oneRegIdOf, oneRegOf } from '../../pure/uapi/one-reg.ts'
import { PMU_V3, VCPU_GROUP } from '../../pure/uapi/vcpu-attr.ts'
import { DEVICE_TYPE, VGIC_CTRL, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import { outcome } from '../../testing/test-vm.ts'
import { Machine } from '../machine/machine.ts'
import { Kvm } from './kvm.ts'

const PTRAUTH = ['PTRAUTH_ADDRESS', 'PTRAUTH_GENERIC'] as const

const vmOf = (cpu: CpuModelId, features: readonly VcpuFeature[], base: KernelBase = '6.12') => {
  const machine = new Machine({ ramBase: 0x4000_0000, ramSize: 2 ** 20, translate: false, cpu })
  const kvm = new Kvm({ hardware: machine, rules: rulesFor('mainline', base), host: HOST_PRESETS.H1 })
  const init = (vcpu: number, asked: readonly VcpuFeature[]): string =>
    outcome(kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu, features: ['PSCI_0_2', ...asked] }))
  const cap = (capability: number): bigint | undefined => {
    const answer = kvm.execute({ call: 'KVM_CHECK_EXTENSION', capability })
    return answer.ok ? answer.value : undefined
  }
  kvm.execute({ call: 'KVM_CREATE_VM' })
  kvm.execute({ call: 'KVM_CREATE_VCPU', id: 0 })
  kvm.execute({ call: 'KVM_CREATE_VCPU', id: 1 })
  const first = init(0, features)
  /** As MRS reads it at EL1; `undefined`: UNDEFINED. */
  const mrs = (name: string): bigint | undefined => machine.peekSystem(0, sysregNamed(name).encoding)
  const list = (): readonly bigint[] => {
    const answer = kvm.execute({ call: 'KVM_GET_REG_LIST', vcpu: 0 })
    return answer.ok ? (answer.list ?? []) : []
  }
  const get = (name: string): string =>
    outcome(kvm.execute({ call: 'KVM_GET_ONE_REG', vcpu: 0, reg: oneRegIdOf(name) ?? 0n }))
  return { machine, kvm, init, first, cap, mrs, list, get }
}

/** ID_AA64DFR0_EL1.PMUVer; ID_AA64ISAR1_EL1.GPI, GPA, API and APA (Arm ARM D24.2). */
const PMU_VER = 0xfn << 8n
const AUTHENTICATION = 0xff00_0ff0n

describe('a vCPU without PMU_V3', () => {
  it.each(['cortex-a57', 'max'] as const)('of a %s has no performance monitors, and tells of none', (cpu) => {
    const { mrs, list, get } = vmOf(cpu, [])
    const given = vmOf(cpu, ['PMU_V3'])
    expect(given.mrs('ID_AA64DFR0_EL1')).toBe((mrs('ID_AA64DFR0_EL1') ?? 0n) | (given.mrs('ID_AA64DFR0_EL1') ?? 0n))
    expect((given.mrs('ID_AA64DFR0_EL1') ?? 0n) & PMU_VER).toBe(cpu === 'max' ? 4n << 8n : 1n << 8n)
    expect((mrs('ID_AA64DFR0_EL1') ?? 0n) & PMU_VER).toBe(0n)
    expect([mrs('PMCR_EL0'), given.mrs('PMCR_EL0')]).toEqual([undefined, expect.any(BigInt)])
    expect([get('PMCCNTR_EL0'), given.get('PMCCNTR_EL0')]).toEqual(['ENOENT', '0'])
    const of = oneRegOf(sysregNamed('PMCR_EL0').encoding)
    expect([list().includes(of), given.list().includes(of)]).toEqual([false, true])
  })
})

describe('the overflow interrupt of a PMU', () => {
  it.each([24, 40])('is the one that PMU_V3_IRQ names: INTID %d', (irq) => {
    const { kvm } = vmOf('cortex-a57', ['PMU_V3'])
    const set = (group: number, attr: bigint, value: bigint, vcpu?: number): string =>
      outcome(kvm.execute({ call: 'KVM_SET_DEVICE_ATTR', group, attr, value, ...(vcpu === undefined ? {} : { vcpu }) }))
    expect(kvm.pmuLine(0)).toBeUndefined()
    kvm.execute({ call: 'KVM_CREATE_DEVICE', type: DEVICE_TYPE.V3 })
    expect(set(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n)).toBe('0')
    expect(set(VCPU_GROUP.PMU_V3_CTRL, PMU_V3.PMU_V3_IRQ, BigInt(irq), 0)).toBe('0')
    kvm.pmuLine(0)?.set(true)
    const raised = (intid: number): boolean => {
      const found = kvm.vgic?.irq(0, intid)
      return found?.line === true || found?.latch === true
    }
    expect([23, irq].map(raised)).toEqual([false, true])
  })
})

describe('a vCPU without pointer authentication', () => {
  it('has no keys, cannot switch it on, and tells of none', () => {
    const { mrs, get, kvm } = vmOf('max', ['PMU_V3'])
    const given = vmOf('max', ['PMU_V3', ...PTRAUTH])
    expect((given.mrs('ID_AA64ISAR1_EL1') ?? 0n) & AUTHENTICATION).toBe(0x1000_0100n)
    expect((mrs('ID_AA64ISAR1_EL1') ?? 0n) & AUTHENTICATION).toBe(0n)
    expect([mrs('APIAKeyLo_EL1'), given.mrs('APIAKeyLo_EL1')]).toEqual([undefined, 0n])
    expect([get('APGAKeyHi_EL1'), given.get('APGAKeyHi_EL1')]).toEqual(['ENOENT', '0'])
    const reg = oneRegIdOf('SCTLR_EL1') ?? 0n
    const enabled = [kvm, given.kvm].map((of) => {
      of.execute({ call: 'KVM_SET_ONE_REG', vcpu: 0, reg, value: 0xffff_ffff_ffff_ffffn })
      const answer = of.execute({ call: 'KVM_GET_ONE_REG', vcpu: 0, reg })
      return answer.ok && ((answer.value ?? 0n) >> 31n) & 1n
    })
    expect(enabled).toEqual([0n, 1n])
  })

  it('is what a CPU without it has anyway', () => {
    expect(vmOf('cortex-a76', PTRAUTH).first).toBe('EINVAL')
    expect(vmOf('cortex-a76', []).cap(KVM_CAP.ARM_PTRAUTH_ADDRESS)).toBe(0n)
    expect(vmOf('max', []).cap(KVM_CAP.ARM_PTRAUTH_GENERIC)).toBe(1n)
  })
})

describe('the features of other vCPUs', () => {
  it('are the same', () => {
    const { init } = vmOf('max', ['PMU_V3'])
    expect([init(1, []), init(1, ['PMU_V3', ...PTRAUTH]), init(1, ['PMU_V3'])]).toEqual(['EINVAL', 'EINVAL', '0'])
  })

  it('are their own on v6.1, as far as the CPUs of a machine can differ', () => {
    const psci = (base: KernelBase): string => {
      const { kvm } = vmOf('max', [], base)
      return outcome(kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu: 1, features: [] }))
    }
    expect([psci('6.1'), psci('6.8'), psci('6.12')]).toEqual(['0', 'EINVAL', 'EINVAL'])
    expect(vmOf('max', [], '6.1').init(1, ['PMU_V3'])).toBe('EINVAL')
  })
})

describe('what the host hides of an identification register', () => {
  it('stays hidden when features are withheld after it', () => {
    const machine = new Machine({ ramBase: 0x4000_0000, ramSize: 2 ** 20, translate: false, cpu: 'max' })
    machine.addCpu()
    const { encoding } = sysregNamed('ID_AA64DFR0_EL1')
    const before = machine.peekSystem(0, encoding) ?? 0n
    machine.hide(encoding, 0xfn)
    machine.withhold(['FEAT_PMUv3', 'FEAT_PMUv3p1'])
    expect(machine.peekSystem(0, encoding)).toBe(before & ~0xfn & ~PMU_VER)
    expect(machine.features).toBe(CPU_MODELS.max.features)
  })
})
