/** KVM_CHECK_EXTENSION: kvm_vm_ioctl_check_extension() (arch/arm64/kvm/arm.c). */
import { KVM_CAP, capabilityName } from '../../pure/uapi/capabilities.ts'
import type { CapabilityName } from '../../pure/uapi/capabilities.ts'
import type { KvmAnswer, VcpuFeature } from '../../pure/uapi/calls.ts'
import { MAX_ROUTES } from '../../pure/uapi/irqfd.ts'
import { withValue } from './kvm-answer.ts'

export interface CapabilityFacts {
  /** How many vCPUs this VM may have; also the bound of their ids. */
  readonly maxVcpus: number
  /** The host's guest physical address space, in bits. */
  readonly ipaBits: number
  readonly aarch32: boolean
  /** Whether a vCPU can have a feature. */
  readonly has: (feature: VcpuFeature) => boolean
  /** Whether an MSI needs a device id: there is an ITS. */
  readonly its: boolean
}

/** What is not named here answers 0, as KVM does for a number it does not know. */
const rows: Readonly<Record<CapabilityName, (facts: CapabilityFacts) => number>> = {
  IRQCHIP: () => 1,
  USER_MEMORY: () => 1,
  MP_STATE: () => 1,
  IRQ_ROUTING: () => MAX_ROUTES,
  IRQFD: () => 1,
  MAX_VCPUS: ({ maxVcpus }) => maxVcpus,
  ONE_REG: () => 1,
  SIGNAL_MSI: () => 1,
  IRQFD_RESAMPLE: () => 1,
  ARM_PSCI: () => 1,
  DEVICE_CTRL: () => 1,
  ARM_EL1_32BIT: ({ aarch32 }) => Number(aarch32),
  ARM_PSCI_0_2: () => 1,
  ARM_PMU_V3: ({ has }) => Number(has('PMU_V3')),
  MAX_VCPU_ID: ({ maxVcpus }) => maxVcpus,
  MSI_DEVID: ({ its }) => Number(its),
  ARM_VM_IPA_SIZE: ({ ipaBits }) => ipaBits,
  ARM_SVE: ({ has }) => Number(has('SVE')),
  ARM_PTRAUTH_ADDRESS: ({ has }) => Number(has('PTRAUTH_ADDRESS')),
  ARM_PTRAUTH_GENERIC: ({ has }) => Number(has('PTRAUTH_GENERIC')),
  ARM_IRQ_LINE_LAYOUT_2: () => 1,
}

const isCapability = (name: string | undefined): name is CapabilityName => name !== undefined && name in KVM_CAP

export const checkExtension = (capability: number, facts: CapabilityFacts): KvmAnswer => {
  const name = capabilityName(capability)
  return withValue(BigInt(isCapability(name) ? rows[name](facts) : 0))
}
