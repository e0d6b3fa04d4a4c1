/**
 * The simulated hardware under KVM, as far as the vGIC can tell: which GIC the host has and what its
 * ICH_VTR_EL2 says (GIC architecture IHI 0069, 12.4). Also which KVM runs on it.
 */

/** Which account of Aff3 the simulated KVM follows. */
export const RULE_SETS = ['mainline', 'patch-v1', 'full-aff3'] as const
export type RuleSetId = (typeof RULE_SETS)[number]

/** The age of the KVM under the rule set: before v6.7, v6.7 to v6.9, v6.10 and later. */
export const KERNEL_BASES = ['6.1', '6.8', '6.12'] as const
export type KernelBase = (typeof KERNEL_BASES)[number]

/** GICv2 only; GICv3 only; GICv3 that can also run a GICv2 guest. */
export const HOST_GICS = ['2', '3', '3+2'] as const
export type HostGic = (typeof HOST_GICS)[number]

export interface HostProfile {
  readonly gic: HostGic
  /** ICH_VTR_EL2.A3V: the CPU interface supports non-zero Aff3 in SGI generation. */
  readonly a3v: boolean
  /** Implemented virtual priority bits, 5 to 7 (and 8). */
  readonly priBits: number
  /** Virtual interrupt identifier bits: 16 or 24. */
  readonly idBits: 16 | 24
  /** Locally generated virtual SErrors. */
  readonly seis: boolean
  /** Implemented list registers, 1 to 16. */
  readonly listRegs: number
  /** The guest physical address space, in bits. */
  readonly ipaBits: number
}

const H1: HostProfile = { gic: '3', a3v: true, priBits: 5, idBits: 16, seis: false, listRegs: 4, ipaBits: 40 }

export const HOST_PRESETS = {
  /** GICv3 with A3V: the usual server. */
  H1,
  /** The same without A3V: the other end of a migration. */
  H0: { ...H1, a3v: false },
  /** GICv3 that can run GICv2 guests. */
  HC: { ...H1, gic: '3+2' },
  /** GICv2: KVM's copy of ICH_VTR_EL2 stays 0 there. */
  H2: { ...H1, gic: '2', a3v: false },
} as const satisfies Record<string, HostProfile>

export type HostPresetId = keyof typeof HOST_PRESETS

export const hasGicV3 = (host: HostProfile): boolean => host.gic !== '2'
export const canRunGicV2 = (host: HostProfile): boolean => host.gic !== '3'

/** ICH_VTR_EL2's fields as the host tells them; the rest reads as zero. */
const VTR = {
  ListRegs: { lsb: 0, mask: 0x1f },
  A3V: { lsb: 21, mask: 1 },
  SEIS: { lsb: 22, mask: 1 },
  IDbits: { lsb: 23, mask: 7 },
  PREbits: { lsb: 26, mask: 7 },
  PRIbits: { lsb: 29, mask: 7 },
} as const

/** The codes of ICH_VTR_EL2.IDbits and ICC_CTLR_EL1.IDbits. */
const ID_BITS = [16, 24] as const
export const idBitsCode = (idBits: 16 | 24): number => ID_BITS.indexOf(idBits)

/** ICH_VTR_EL2 as KVM's cached copy holds it. */
export const encodeIchVtr = (host: HostProfile): number => {
  if (!hasGicV3(host)) return 0
  const fields: Record<keyof typeof VTR, number> = {
    ListRegs: host.listRegs - 1,
    A3V: host.a3v ? 1 : 0,
    SEIS: host.seis ? 1 : 0,
    IDbits: idBitsCode(host.idBits),
    PREbits: host.priBits - 1,
    PRIbits: host.priBits - 1,
  }
  let value = 0
  for (const [name, { lsb, mask }] of Object.entries(VTR)) {
    value |= ((Object.entries(fields).find(([field]) => field === name)?.[1] ?? 0) & mask) << lsb
  }
  return value >>> 0
}

/** What ICH_VTR_EL2 says, for a profile that keeps its GIC and address size. */
export const decodeIchVtr = (vtr: number): Pick<HostProfile, 'a3v' | 'priBits' | 'idBits' | 'seis' | 'listRegs'> => {
  const field = (name: keyof typeof VTR): number => (vtr >>> VTR[name].lsb) & VTR[name].mask
  return {
    a3v: field('A3V') === 1,
    seis: field('SEIS') === 1,
    idBits: ID_BITS[field('IDbits')] ?? 16,
    priBits: field('PRIbits') + 1,
    listRegs: field('ListRegs') + 1,
  }
}
