/** What KVM_CHECK_EXTENSION can be asked (include/uapi/linux/kvm.h, KVM_CAP_*), as far as a VMM for arm64 asks it. */
export const KVM_CAP = {
  IRQCHIP: 0,
  USER_MEMORY: 3,
  MP_STATE: 14,
  IRQ_ROUTING: 25,
  IRQFD: 32,
  MAX_VCPUS: 66,
  ONE_REG: 70,
  SIGNAL_MSI: 77,
  IRQFD_RESAMPLE: 82,
  ARM_PSCI: 87,
  DEVICE_CTRL: 89,
  ARM_EL1_32BIT: 93,
  ARM_PSCI_0_2: 102,
  ARM_PMU_V3: 126,
  MAX_VCPU_ID: 128,
  MSI_DEVID: 131,
  ARM_VM_IPA_SIZE: 165,
  ARM_SVE: 170,
  ARM_PTRAUTH_ADDRESS: 171,
  ARM_PTRAUTH_GENERIC: 172,
  ARM_IRQ_LINE_LAYOUT_2: 174,
} as const

export type CapabilityName = keyof typeof KVM_CAP

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(KVM_CAP).map(([name, number]) => [number, name]))

export const capabilityName = (capability: number): string | undefined => NAMES.get(capability)
