/** What KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT look at before they do anything. */
import type { Feature } from '../../pure/arch/cpu/features.ts'
import { MAX_VCPUS } from '../../pure/blueprint/blueprint.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VgicRules } from '../../pure/rules/points.ts'
import type { VcpuFeature } from '../../pure/uapi/calls.ts'
import { canHave, isKnownFeature, withheldFrom } from '../../pure/uapi/vcpu-features.ts'
import type { Vcpu } from './vcpu.ts'

const CREATE = 'virt/kvm/kvm_main.c: kvm_vm_ioctl_create_vcpu()'
const PRECREATE = 'arch/arm64/kvm/arm.c: kvm_arch_vcpu_precreate()'
const SET_TARGET = 'arch/arm64/kvm/arm.c: kvm_vcpu_set_target()'
const SET_VM = 'arch/arm64/kvm/arm.c: __kvm_vcpu_set_target()'
const CHECK = 'arch/arm64/kvm/arm.c: kvm_vcpu_init_check_features()'
const ALIKE = 'ARCHITECTURE.md#vcpu-features'
const WIDTH = 'arch/arm64/kvm/reset.c: kvm_set_vm_width()'

export interface VmOfVcpus {
  readonly vcpus: readonly Vcpu[]
  /** kvm->max_vcpus. */
  readonly max: number
  /** Whether its GIC is initialised. */
  readonly initialised: boolean
}

/** Why there cannot be a vCPU with this id. */
export const checkNewVcpu = (id: number, { vcpus, max, initialised }: VmOfVcpus): Refusal | undefined => {
  if (!Number.isInteger(id) || id < 0 || id >= MAX_VCPUS) {
    return refuse('EINVAL', `A vCPU's id is 0 to ${MAX_VCPUS - 1}, not ${id}.`, CREATE)
  }
  if (initialised) return refuse('EBUSY', 'The vGIC is initialised: no vCPU can join it.', PRECREATE)
  if (id >= max) return refuse('EINVAL', `This VM's vCPUs have ids 0 to ${max - 1}.`, PRECREATE)
  return vcpus.some((vcpu) => vcpu.id === id) ? refuse('EEXIST', `There is a vCPU with id ${id}.`, CREATE) : undefined
}

/** A request, and no feature of the vCPU. */
export const lastingFeatures = (features: readonly VcpuFeature[]): readonly VcpuFeature[] =>
  features.filter((feature) => feature !== 'POWER_OFF')

export const el1Of = (features: readonly VcpuFeature[]): 32 | 64 => (features.includes('EL1_32BIT') ? 32 : 64)

export interface VmOfFeatures {
  readonly vcpus: readonly Vcpu[]
  /** What the vCPUs that are initialised have. */
  readonly el1: 32 | 64
  /** Of the host. */
  readonly cpu: ReadonlySet<Feature>
  readonly rules: Pick<VgicRules, 'vcpuFeatures'>
}

const sameSet = (a: readonly VcpuFeature[], b: readonly VcpuFeature[]): boolean =>
  a.every((one) => b.includes(one)) && b.every((one) => a.includes(one))

/** What no vCPU of this host can have, whatever was before: kvm_vcpu_init_check_features(). */
const checkHost = (features: readonly VcpuFeature[], cpu: ReadonlySet<Feature>): Refusal | undefined => {
  const unknown = features.find((feature) => !isKnownFeature(feature))
  if (unknown !== undefined) return refuse('ENOENT', `This KVM knows no feature ${unknown}.`, CHECK)
  const missing = features.find((feature) => !canHave(cpu, feature))
  if (missing !== undefined) return refuse('EINVAL', `The CPUs of this host have nothing for ${missing}.`, CHECK)
  return features.includes('PTRAUTH_ADDRESS') === features.includes('PTRAUTH_GENERIC')
    ? undefined
    : refuse('EINVAL', 'PTRAUTH_ADDRESS and PTRAUTH_GENERIC are asked for together or not at all.', CHECK)
}

/** What the features of a vCPU's first KVM_ARM_VCPU_INIT bind it to. */
export const bindingFeatures = (
  features: readonly VcpuFeature[],
  { vcpuFeatures }: Pick<VgicRules, 'vcpuFeatures'>,
): readonly VcpuFeature[] => (vcpuFeatures.decide() === 'vm' ? lastingFeatures(features) : features)

/** Why a vCPU cannot have these features. */
export const checkFeatures = (
  vcpu: Vcpu,
  features: readonly VcpuFeature[],
  { vcpus, el1, cpu, rules }: VmOfFeatures,
): Refusal | undefined => {
  const lasting = lastingFeatures(features)
  const wrong = checkHost(lasting, cpu)
  if (wrong !== undefined) return wrong
  if (vcpu.asked !== undefined && !sameSet(vcpu.asked, bindingFeatures(features, rules))) {
    return refuse('EINVAL', `vCPU ${vcpu.index} was initialised with other features.`, SET_TARGET)
  }
  const other = vcpus.find(({ initialised }) => initialised)?.features
  if (other === undefined) return undefined
  if (el1Of(lasting) !== el1) return refuse('EINVAL', `The VM's other vCPUs have AArch${el1} at EL1.`, WIDTH)
  if (rules.vcpuFeatures.decide() === 'vm' && !sameSet(other, lasting)) {
    return refuse('EINVAL', `The VM's other vCPUs have the features { ${other.join(', ')} }.`, SET_VM)
  }
  // What a machine's CPUs are is one thing for all of them here; v6.1 would let them differ.
  return withheldFrom(lasting).join() === withheldFrom(other).join()
    ? undefined
    : refuse('EINVAL', 'The CPUs of a machine are alike: with PMU and pointer authentication, or without.', ALIKE)
}
