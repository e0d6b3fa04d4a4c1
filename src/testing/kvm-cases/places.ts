/** Where the oracle's program has everything, and what attributes and registers are called here. */
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import { registerAttr, VGIC_ADDR, VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'

export const RAM = 0x4000_0000n
export const GICD = 0x0800_0000
export const GICC = 0x0801_0000
export const GICR = 0x080a_0000
export const ITS = 0x0808_0000

export const RD = (vcpu: number): number => GICR + 0x20000 * vcpu
export const SGI = (vcpu: number): number => RD(vcpu) + 0x10000
export const IROUTER = (intid: number): number => 0x6000 + 8 * intid
export const IR = (intid: number): number => GICD + IROUTER(intid)
/** CPU_SYSREGS' encodings of ICC_AP0R<n>_EL1. */
export const AP0R = [ICC.ICC_AP0R0_EL1, ICC.ICC_AP0R1_EL1, ICC.ICC_AP0R2_EL1, ICC.ICC_AP0R3_EL1] as const

export const G = VGIC_GROUP
export const A = VGIC_ADDR
export const AT = registerAttr
