/** What KVM looks at before a vCPU runs for the first time: kvm_arch_vcpu_run_pid_change() (arch/arm64/kvm/arm.c). */
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { Limits, RedistributorRegions } from './redistributor-regions.ts'
import type { Vcpu } from './vcpu.ts'

const ARM = 'arch/arm64/kvm/arm.c: kvm_arch_vcpu_run_pid_change()'
const MAP = 'arch/arm64/kvm/vgic/vgic-v3.c: vgic_v3_map_resources()'

export const checkVcpu = ({ initialised, index, el1 }: Vcpu, aarch32: boolean): Refusal | undefined => {
  if (!initialised) return refuse('ENOEXEC', `vCPU ${index} has not seen KVM_ARM_VCPU_INIT.`, ARM)
  if (el1 === 64 || aarch32) return undefined
  return refuse('EINVAL', 'This machine executes AArch64 only.', 'ARCHITECTURE.md#aarch32')
}

export interface VgicLayout {
  readonly regions: RedistributorRegions
  readonly limits: Limits
  /** Whether KVM_DEV_ARM_VGIC_CTRL_INIT was called. */
  readonly initialised: boolean
}

/** The checks run in this order. */
export const checkVgicV3 = ({ regions, limits, initialised }: VgicLayout): Refusal | undefined => {
  for (let vcpu = 0; vcpu < limits.vcpus; vcpu += 1) {
    if (!regions.has(vcpu)) return refuse('ENXIO', `vCPU ${vcpu} has no redistributor: no region has room for it.`, MAP)
  }
  if (limits.distributor === undefined) return refuse('ENXIO', 'The distributor has no address.', MAP)
  const wrong = regions.checkBases(limits)
  if (wrong !== undefined) return wrong
  return initialised ? undefined : refuse('EBUSY', 'The vGIC has not seen KVM_DEV_ARM_VGIC_CTRL_INIT.', MAP)
}
