/** What KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT look at before they do anything. */
import { MAX_VCPUS } from '../../pure/blueprint/blueprint.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { VcpuFeature } from '../../pure/uapi/calls.ts'
import type { Vcpu } from './vcpu.ts'

const CREATE = 'virt/kvm/kvm_main.c: kvm_vm_ioctl_create_vcpu()'
const PRECREATE = 'arch/arm64/kvm/arm.c: kvm_arch_vcpu_precreate()'
const SET_TARGET = 'arch/arm64/kvm/arm.c: kvm_vcpu_set_target()'
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

/** Why a vCPU cannot have these features. `el1`: what the vCPUs that are initialised have. */
export const checkFeatures = (
  vcpu: Vcpu,
  features: readonly VcpuFeature[],
  { vcpus, el1 }: { readonly vcpus: readonly Vcpu[]; readonly el1: 32 | 64 },
): Refusal | undefined => {
  const lasting = lastingFeatures(features)
  const { features: before } = vcpu
  if (before !== undefined && !(before.length === lasting.length && lasting.every((one) => before.includes(one)))) {
    return refuse('EINVAL', `vCPU ${vcpu.index} was initialised with other features.`, SET_TARGET)
  }
  return el1Of(lasting) !== el1 && vcpus.some(({ initialised }) => initialised)
    ? refuse('EINVAL', `The VM's other vCPUs have AArch${el1} at EL1.`, WIDTH)
    : undefined
}
