/** What KVM_CREATE_VM and KVM_CREATE_DEVICE look at before they do anything, and what a host sets as limits. */
import { maxVcpus } from '../../pure/blueprint/blueprint.ts'
import { canRunGicV2, hasGicV3 } from '../../pure/blueprint/host.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal, VmFacts } from '../../pure/rules/points.ts'
import { DEVICE_TYPE } from '../../pure/uapi/vgic-attr.ts'
import type { Vcpu } from './vcpu.ts'

/** ARM64_MIN_PARANGE_BITS, and KVM_PHYS_SHIFT: what type 0 stands for. */
const MIN_IPA_BITS = 32
const DEFAULT_IPA_BITS = 40

/** kvm_init_ipa_range(): how many bits of physical address a VM of this type has. */
export const ipaBitsOf = (type: number, { ipaBits }: HostProfile): number | Refusal => {
  const bits = type === 0 ? DEFAULT_IPA_BITS : type
  if (!Number.isInteger(bits) || bits < MIN_IPA_BITS || (type !== 0 && bits > ipaBits)) {
    return refuse(
      'EINVAL',
      `A VM of this host has ${MIN_IPA_BITS} to ${ipaBits} bits of physical address, not ${bits}.`,
      'arch/arm64/kvm/mmu.c: kvm_init_ipa_range()',
    )
  }
  return Math.min(bits, ipaBits)
}

/** kvm->max_vcpus. `gic`: what the VM has by now. */
export const maxVcpusOf = (host: HostProfile, gic: VmFacts['gic']): number =>
  maxVcpus(gic === 2 || !hasGicV3(host) ? 2 : 3)

/** The GIC that a device of this type is, if this host has it. */
const modelOf = (type: number, host: HostProfile): 2 | 3 | undefined => {
  if (type === DEVICE_TYPE.V3 && hasGicV3(host)) return 3
  return type === DEVICE_TYPE.V2 && canRunGicV2(host) ? 2 : undefined
}

/** Which kind of device a type is on this host. */
export const deviceOf = (type: number, host: HostProfile): 2 | 3 | 'its' | Refusal => {
  if (type === DEVICE_TYPE.ITS && hasGicV3(host)) return 'its'
  return (
    modelOf(type, host) ??
    refuse('ENODEV', `This host cannot emulate device type ${type}.`, 'virt/kvm/kvm_main.c: kvm_ioctl_create_device()')
  )
}

export interface VmBeforeGic {
  readonly vcpus: readonly Vcpu[]
  readonly hasGic: boolean
  /** Whether some vCPU has run. */
  readonly ran: boolean
}

/** kvm_vgic_create(): why the VM cannot have a GIC of this version. */
export const checkNewGic = (version: 2 | 3, { vcpus, hasGic, ran }: VmBeforeGic): Refusal | undefined => {
  const source = 'arch/arm64/kvm/vgic/vgic-init.c: kvm_vgic_create()'
  if (hasGic) return refuse('EEXIST', 'The VM has a GIC.', source)
  const inside = vcpus.find((vcpu) => vcpu.inside)
  if (inside !== undefined) return refuse('EBUSY', `vCPU ${inside.index} is inside KVM_RUN.`, source)
  if (ran) return refuse('EBUSY', 'A vCPU has run; it is too late for a GIC.', source)
  const max = maxVcpus(version)
  return vcpus.length > max
    ? refuse('E2BIG', `A GICv${version} serves ${max} CPUs; the VM has ${vcpus.length}.`, source)
    : undefined
}
