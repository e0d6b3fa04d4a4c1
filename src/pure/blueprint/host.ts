/**
 * The simulated hardware under KVM, as far as the vGIC can tell: which GIC the host has and what its
 * ICH_VTR_EL2 says (GIC architecture IHI 0069, 12.4). Also which KVM runs on it.
 */

import { ICH_VTR } from '../arch/gic/ich.ts'
import { decodeField, encodeRegister } from '../arch/register.ts'

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

interface Preset {
  /** What tells it from the others. */
  readonly title: string
  readonly host: HostProfile
}

export const HOSTS = {
  H1: { title: 'GICv3, A3V = 1', host: H1 },
  /** The other end of a migration. */
  H0: { title: 'GICv3, A3V = 0', host: { ...H1, a3v: false } },
  HC: { title: 'GICv3 + v2, A3V = 1', host: { ...H1, gic: '3+2' } },
  /** KVM's copy of ICH_VTR_EL2 stays 0 there. */
  H2: { title: 'GICv2', host: { ...H1, gic: '2', a3v: false } },
  HL: { title: 'GICv3, one list register', host: { ...H1, listRegs: 1 } },
  HX: {
    title: 'GICv3, all of everything',
    host: { gic: '3+2', a3v: true, priBits: 7, idBits: 24, seis: true, listRegs: 16, ipaBits: 48 },
  },
  /** The second region of redistributors lies beyond its guests' memory. */
  HS: { title: 'GICv3, 36 address bits', host: { ...H1, ipaBits: 36 } },
} as const satisfies Record<string, Preset>

export type HostPresetId = keyof typeof HOSTS

export const HOST_PRESETS = {
  H1: HOSTS.H1.host,
  H0: HOSTS.H0.host,
  HC: HOSTS.HC.host,
  H2: HOSTS.H2.host,
  HL: HOSTS.HL.host,
  HX: HOSTS.HX.host,
  HS: HOSTS.HS.host,
} as const satisfies Record<HostPresetId, HostProfile>

export const HOST_PRESET_IDS: readonly HostPresetId[] = ['H1', 'H0', 'HC', 'H2', 'HL', 'HX', 'HS']

export const HOST_FIELDS = [
  'gic',
  'a3v',
  'priBits',
  'idBits',
  'seis',
  'listRegs',
  'ipaBits',
] as const satisfies readonly (keyof HostProfile)[]

/** The preset that a host is; `undefined`: none of them. */
export const presetOf = (host: HostProfile): HostPresetId | undefined =>
  HOST_PRESET_IDS.find((id) => HOST_FIELDS.every((field) => HOST_PRESETS[id][field] === host[field]))

export const hasGicV3 = (host: HostProfile): boolean => host.gic !== '2'
export const canRunGicV2 = (host: HostProfile): boolean => host.gic !== '3'

/** ICH_VTR_EL2 as KVM's cached copy holds it; 0 on a GICv2. */
export const encodeIchVtr = (host: HostProfile): number =>
  hasGicV3(host)
    ? Number(
        encodeRegister(ICH_VTR, {
          ListRegs: host.listRegs - 1,
          A3V: host.a3v,
          SEIS: host.seis,
          IDbits: ID_BITS.indexOf(host.idBits),
          PREbits: host.priBits - 1,
          PRIbits: host.priBits - 1,
        }),
      )
    : 0

/** What ICH_VTR_EL2 says, for a profile that keeps its GIC and address size. */
export const decodeIchVtr = (vtr: number): Pick<HostProfile, 'a3v' | 'priBits' | 'idBits' | 'seis' | 'listRegs'> => {
  const field = (name: string): number => Number(decodeField(ICH_VTR, name, BigInt(vtr)))
  return {
    a3v: field('A3V') === 1,
    seis: field('SEIS') === 1,
    idBits: ID_BITS[field('IDbits')] ?? 16,
    priBits: field('PRIbits') + 1,
    // KVM looks at four bits of the five.
    listRegs: (field('ListRegs') & 0xf) + 1,
  }
}

/** The codes of ICH_VTR_EL2.IDbits and ICC_CTLR_EL1.IDbits. */
const ID_BITS = [16, 24] as const
