/**
 * Architectural features that a CPU may have, by the manual's names, and how the identification registers
 * tell of each (Arm ARM A2 for the features, D24.2 for the registers): the field's lowest bit and its value.
 * Fields are four bits wide; of several features that share one, the highest value counts.
 */
type Told = readonly [register: string, lsb: number, value: number]

const PFR0 = 'ID_AA64PFR0_EL1'
const PFR1 = 'ID_AA64PFR1_EL1'
const DFR0 = 'ID_AA64DFR0_EL1'
const ISAR0 = 'ID_AA64ISAR0_EL1'
const ISAR1 = 'ID_AA64ISAR1_EL1'
const MMFR0 = 'ID_AA64MMFR0_EL1'
const MMFR1 = 'ID_AA64MMFR1_EL1'
const MMFR2 = 'ID_AA64MMFR2_EL1'

export const FEATURES = {
  // Instructions on general registers and memory.
  FEAT_CRC32: [[ISAR0, 16, 1]],
  FEAT_LSE: [[ISAR0, 20, 2]],
  FEAT_FlagM: [[ISAR0, 52, 1]],
  FEAT_FlagM2: [[ISAR0, 52, 2]],
  FEAT_RNG: [[ISAR0, 60, 1]],
  FEAT_DPB: [[ISAR1, 0, 1]],
  FEAT_DPB2: [[ISAR1, 0, 2]],
  /** With an algorithm of this implementation (PACIMP), for addresses and for PACGA. */
  FEAT_PAuth: [
    [ISAR1, 8, 1],
    [ISAR1, 28, 1],
  ],
  FEAT_LRCPC: [[ISAR1, 20, 1]],
  FEAT_LRCPC2: [[ISAR1, 20, 2]],
  FEAT_SB: [[ISAR1, 36, 1]],
  FEAT_SPECRES: [[ISAR1, 40, 1]],
  // Floating point, AdvSIMD, cryptography.
  FEAT_AES: [[ISAR0, 4, 1]],
  FEAT_PMULL: [[ISAR0, 4, 2]],
  FEAT_SHA1: [[ISAR0, 8, 1]],
  FEAT_SHA256: [[ISAR0, 12, 1]],
  FEAT_SHA512: [[ISAR0, 12, 2]],
  FEAT_SHA3: [[ISAR0, 32, 1]],
  FEAT_SM3: [[ISAR0, 36, 1]],
  FEAT_SM4: [[ISAR0, 40, 1]],
  FEAT_RDM: [[ISAR0, 28, 1]],
  FEAT_DotProd: [[ISAR0, 44, 1]],
  FEAT_FHM: [[ISAR0, 48, 1]],
  FEAT_FP16: [
    [PFR0, 16, 1],
    [PFR0, 20, 1],
  ],
  FEAT_JSCVT: [[ISAR1, 12, 1]],
  FEAT_FCMA: [[ISAR1, 16, 1]],
  FEAT_FRINTTS: [[ISAR1, 32, 1]],
  // State of the processor.
  FEAT_DIT: [[PFR0, 48, 1]],
  /** Branch prediction is no way from one context into another: nothing here predicts. */
  FEAT_CSV2: [[PFR0, 56, 1]],
  FEAT_CSV3: [[PFR0, 60, 1]],
  FEAT_BTI: [[PFR1, 0, 1]],
  FEAT_SSBS: [[PFR1, 4, 1]],
  /** SSBS with MRS and MSR. */
  FEAT_SSBS2: [[PFR1, 4, 2]],
  FEAT_PAN: [[MMFR1, 20, 1]],
  FEAT_PAN2: [[MMFR1, 20, 2]],
  FEAT_UAO: [[MMFR2, 4, 1]],
  FEAT_IDST: [[MMFR2, 36, 1]],
  // Translation.
  FEAT_HAFDBS_AF: [[MMFR1, 0, 1]],
  FEAT_HAFDBS: [[MMFR1, 0, 2]],
  FEAT_HPDS: [[MMFR1, 12, 1]],
  FEAT_LOR: [[MMFR1, 16, 1]],
  FEAT_TTCNP: [[MMFR2, 0, 1]],
  FEAT_TTST: [[MMFR2, 28, 1]],
  FEAT_E0PD: [[MMFR2, 60, 1]],
  FEAT_TLBIOS: [[ISAR0, 56, 1]],
  FEAT_TLBIRANGE: [[ISAR0, 56, 2]],
  // Debug and performance monitors.
  FEAT_Debugv8p1: [[DFR0, 0, 7]],
  FEAT_Debugv8p2: [[DFR0, 0, 8]],
  FEAT_PMUv3: [[DFR0, 8, 1]],
  FEAT_PMUv3p1: [[DFR0, 8, 4]],
  /** A translation granule of 16 KiB beside those of 4 and 64. */
  TGran16: [[MMFR0, 20, 1]],
  // Physical addresses: 40, 44 and 48 bits instead of 32.
  PA40: [[MMFR0, 0, 2]],
  PA44: [[MMFR0, 0, 4]],
  PA48: [[MMFR0, 0, 5]],
} as const satisfies Readonly<Record<string, readonly Told[]>>

export type Feature = keyof typeof FEATURES

const told: Readonly<Record<Feature, readonly Told[]>> = FEATURES

/** The value of an identification register: what every CPU here has, and what these features add. */
export function identificationValue(register: string, base: bigint, features: ReadonlySet<Feature>): bigint {
  let value = base
  for (const feature of features)
    for (const [name, lsb, number] of told[feature]) {
      if (name !== register) continue
      const shift = BigInt(lsb)
      if (((value >> shift) & 15n) < BigInt(number)) value = (value & ~(15n << shift)) | (BigInt(number) << shift)
    }
  return value
}
