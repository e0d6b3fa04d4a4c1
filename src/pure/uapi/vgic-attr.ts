/**
 * KVM's vGIC devices: their types, attribute groups, and how an attribute is put together
 * (arch/arm64/include/uapi/asm/kvm.h; Documentation/virt/kvm/devices/arm-vgic-v3.rst).
 */
import { attributeAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'

/** KVM_DEV_TYPE_ARM_VGIC_*. */
export const DEVICE_TYPE = { V2: 5, V3: 7, ITS: 8 } as const

/** KVM_DEV_ARM_VGIC_GRP_*. */
export const VGIC_GROUP = {
  ADDR: 0,
  DIST_REGS: 1,
  CPU_REGS: 2,
  NR_IRQS: 3,
  CTRL: 4,
  REDIST_REGS: 5,
  CPU_SYSREGS: 6,
  LEVEL_INFO: 7,
  ITS_REGS: 8,
} as const

export type VgicGroup = keyof typeof VGIC_GROUP

const GROUPS: readonly VgicGroup[] = [
  'ADDR',
  'DIST_REGS',
  'CPU_REGS',
  'NR_IRQS',
  'CTRL',
  'REDIST_REGS',
  'CPU_SYSREGS',
  'LEVEL_INFO',
  'ITS_REGS',
]

export const vgicGroupName = (group: number): VgicGroup | undefined => GROUPS.find((name) => VGIC_GROUP[name] === group)

/** Attributes of KVM_DEV_ARM_VGIC_GRP_ADDR. */
export const VGIC_ADDR = { V2_DIST: 0n, V2_CPU: 1n, V3_DIST: 2n, V3_REDIST: 3n, ITS: 4n, V3_REDIST_REGION: 5n } as const

/** Attributes of KVM_DEV_ARM_VGIC_GRP_CTRL. */
export const VGIC_CTRL = {
  INIT: 0n,
  ITS_SAVE_TABLES: 1n,
  ITS_RESTORE_TABLES: 2n,
  SAVE_PENDING_TABLES: 3n,
  ITS_RESET: 4n,
} as const

/** The attribute of a register: which CPU's, and the offset (or, for CPU_SYSREGS, the encoding). */
export const registerAttr = (affinity: Affinity, offset: number): bigint =>
  attributeAffinity.encode(affinity) | BigInt(offset >>> 0)

export const registerAttrFields = (attr: bigint): { readonly affinity: Affinity; readonly offset: number } => ({
  affinity: attributeAffinity.decode(attr),
  offset: Number(attr & 0xffff_ffffn),
})

/** The attribute of a vGICv2's register (Documentation/virt/kvm/devices/arm-vgic.rst): vCPU id in 39:32. */
export const v2RegisterAttr = (vcpuId: number, offset: number): bigint => (BigInt(vcpuId) << 32n) | BigInt(offset >>> 0)

export const v2RegisterAttrFields = (attr: bigint): { readonly vcpuId: number; readonly offset: number } => ({
  vcpuId: Number((attr >> 32n) & 0xffn),
  offset: Number(attr & 0xffff_ffffn),
})

/** CPU_SYSREGS keeps the encoding in bits 15:0. */
export const SYSREG_INSTR_MASK = 0xffff

const REGION = {
  count: { lsb: 52n, mask: 0xfffn },
  base: { lsb: 16n, mask: 0xf_ffff_ffffn },
  flags: { lsb: 12n, mask: 0xfn },
  // Twelve bits by the documentation; KVM's u8 keeps eight (as recorded on v6.1 and v6.12).
  index: { lsb: 0n, mask: 0xffn },
} as const

/** The value of KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION. */
export interface RedistRegionValue {
  readonly index: number
  /** A multiple of 64 KiB. */
  readonly base: number
  /** How many redistributors it holds. */
  readonly count: number
  readonly flags: number
}

export const encodeRedistRegion = ({ index, base, count, flags }: RedistRegionValue): bigint =>
  (BigInt(count) << REGION.count.lsb) |
  BigInt(base) |
  (BigInt(flags) << REGION.flags.lsb) |
  (BigInt(index) << REGION.index.lsb)

export const decodeRedistRegion = (value: bigint): RedistRegionValue => {
  const field = (name: keyof typeof REGION): bigint => (value >> REGION[name].lsb) & REGION[name].mask
  return {
    index: Number(field('index')),
    base: Number(field('base') << REGION.base.lsb),
    count: Number(field('count')),
    flags: Number(field('flags')),
  }
}

/** LEVEL_INFO: INTID in 9:0, what is asked for in 31:10 (0: the line level). */
export const levelInfoFields = (
  attr: bigint,
): { readonly affinity: Affinity; readonly intid: number; readonly info: number } => ({
  affinity: attributeAffinity.decode(attr),
  intid: Number(attr & 0x3ffn),
  info: Number((attr >> 10n) & 0x3f_ffffn),
})
