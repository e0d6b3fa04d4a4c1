/** GICD_IIDR and GICR_IIDR: who made it (GIC architecture IHI 0069, 12.9 and 12.11). */
import type { Field } from '../register.ts'

const IMPLEMENTER_ARM = 0x43bn
/** 'K': PRODUCT_ID_KVM (arch/arm64/kvm/vgic/vgic.h). */
const PRODUCT_KVM = 0x4bn

/** Both have one layout. */
export const IIDR_FIELDS = [
  { name: 'Implementer', lsb: 0, width: 12, text: (value) => (value === IMPLEMENTER_ARM ? 'Arm' : 'other') },
  { name: 'Revision', lsb: 12, width: 4 },
  { name: 'Variant', lsb: 16, width: 4 },
  { name: 'ProductID', lsb: 24, width: 8, text: (value) => (value === PRODUCT_KVM ? 'KVM' : 'other') },
] as const satisfies readonly Field[]

export const IIDR_VALUES = { Implementer: IMPLEMENTER_ARM, ProductID: PRODUCT_KVM } as const
