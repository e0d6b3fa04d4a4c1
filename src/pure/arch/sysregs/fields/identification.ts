/**
 * What a CPU says it is (Arm ARM D24.2). The names of the fields are here; what a value means follows from the features
 * that are told by it.
 */
import { FEATURES } from '../../cpu/features.ts'
import type { Field } from '../../register.ts'
import { physicalAddressBits } from './control.ts'
import { bit, count, part } from './parts.ts'

const FIELD_BITS = 4

/** Of ID_AA64*_EL1, from bit 0 up, four bits each; an empty name is reserved. */
const NAMES: Readonly<Record<string, string>> = {
  ID_AA64PFR0_EL1: 'EL0 EL1 EL2 EL3 FP AdvSIMD GIC RAS SVE SEL2 MPAM AMU DIT RME CSV2 CSV3',
  ID_AA64PFR1_EL1: 'BT SSBS MTE RAS_frac MPAM_frac - SME RNDR_trap CSV2_frac NMI',
  ID_AA64DFR0_EL1: 'DebugVer TraceVer PMUVer BRPs - WRPs - CTX_CMPs PMSVer DoubleLock TraceFilt TraceBuffer MTPMU BRBE',
  ID_AA64ISAR0_EL1: '- AES SHA1 SHA2 CRC32 Atomic TME RDM SHA3 SM3 SM4 DP FHM TS TLB RNDR',
  ID_AA64ISAR1_EL1: 'DPB APA API JSCVT FCMA LRCPC GPA GPI FRINTTS SB SPECRES BF16 DGH I8MM XS LS64',
  ID_AA64MMFR0_EL1:
    'PARange ASIDBits BigEnd SNSMem BigEndEL0 TGran16 TGran64 TGran4 TGran16_2 TGran64_2 TGran4_2 ExS - - FGT ECV',
  ID_AA64MMFR1_EL1: 'HAFDBS VMIDBits VH HPDS LO PAN SpecSEI XNX TWED ETS',
  ID_AA64MMFR2_EL1: 'CnP UAO LSM IESB VARange CCIDX NV ST AT IDS FWB - TTL BBM EVT E0PD',
}

/** 15 says that something is not there; what is there is counted from 0. */
const signed = (what: string) => (value: bigint) => (value === 15n ? `no ${what}` : what)
const level = (value: bigint): string => ['not there', 'AArch64', 'AArch64 and AArch32'][Number(value)] ?? 'reserved'

/** Fields that tell of no feature of ours. */
const MEANINGS: Readonly<Record<string, Field['text']>> = {
  ...Object.fromEntries(['EL0', 'EL1', 'EL2', 'EL3'].map((el) => [el, level])),
  FP: (value) => (value === 1n ? 'FEAT_FP16' : signed('floating point')(value)),
  AdvSIMD: (value) => (value === 1n ? 'FEAT_FP16' : signed('vectors')(value)),
  GIC: (value) => (value === 0n ? 'no system registers' : 'ICC_*_EL1'),
  BRPs: (value) => `${value + 1n} breakpoints`,
  WRPs: (value) => `${value + 1n} watchpoints`,
  CTX_CMPs: (value) => `${value + 1n} compare contexts`,
  PARange: physicalAddressBits,
  ASIDBits: (value) => (value === 2n ? '16 bits' : '8 bits'),
  TGran4: signed('4 KiB'),
  TGran64: signed('64 KiB'),
  TGran16: (value) => (value === 0n ? 'no 16 KiB' : '16 KiB'),
}

/** The features that a value tells of: a higher one tells of those below it too. */
const featuresOf = (register: string, lsb: number, value: bigint): readonly string[] =>
  Object.entries(FEATURES).flatMap(([feature, told]) =>
    told.some(([name, at, least]) => name === register && at === lsb && value >= BigInt(least)) ? [feature] : [],
  )

const featureField = (register: string, name: string, lsb: number): Field =>
  part(
    name,
    lsb,
    FIELD_BITS,
    MEANINGS[name] ??
      ((value) => {
        const features = featuresOf(register, lsb, value)
        if (features.length > 0) return features.join(', ')
        return value === 0n ? 'none' : `${value}`
      }),
  )

const features: Readonly<Record<string, readonly Field[]>> = Object.fromEntries(
  Object.entries(NAMES).map(([register, names]) => [
    register,
    names.split(' ').flatMap((name, i) => (name === '-' ? [] : [featureField(register, name, FIELD_BITS * i)])),
  ]),
)

/** A number of words, as a power of 2. */
const words = (value: bigint): string => `${4n << value} bytes`
const CACHES = ['none', 'instructions', 'data', 'instructions and data, apart', 'instructions and data'] as const

export const IDENTIFICATION_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  ...features,
  MIDR_EL1: [
    part('Implementer', 24, 8, (value) =>
      value === 0x41n ? 'Arm' : value === 0n ? 'software' : `0x${value.toString(16)}`,
    ),
    part('Variant', 20, 4, (value) => `r${value}`),
    part('Architecture', 16, 4, (value) => (value === 15n ? 'told by ID registers' : `${value}`)),
    part('PartNum', 4, 12),
    part('Revision', 0, 4, (value) => `p${value}`),
  ],
  MPIDR_EL1: [
    part('Aff3', 32, 8),
    bit('RES1', 31),
    bit('U', 30, 'one processor', 'several processors'),
    bit('MT', 24, 'Aff0 counts threads', 'Aff0 counts cores'),
    part('Aff2', 16, 8),
    part('Aff1', 8, 8),
    part('Aff0', 0, 8),
  ],
  CTR_EL0: [
    part('IminLine', 0, 4, words),
    part('L1Ip', 14, 2, (value) => ['VPIPT', 'AIVIVT', 'VIPT', 'PIPT'][Number(value)] ?? ''),
    part('DminLine', 16, 4, words),
    part('ERG', 20, 4, words),
    part('CWG', 24, 4, words),
    bit('IDC', 28, 'data need no clean for instructions', 'data are cleaned for instructions'),
    bit('DIC', 29, 'instructions need no invalidation', 'instructions are invalidated'),
    bit('RES1', 31),
  ],
  DCZID_EL0: [part('BS', 0, 4, words), bit('DZP', 4, 'DC ZVA is prohibited', 'DC ZVA is permitted')],
  CLIDR_EL1: [
    ...Array.from({ length: 7 }, (_, n) => part(`Ctype${n + 1}`, 3 * n, 3, (v) => CACHES[Number(v)] ?? 'reserved')),
    part('LoUIS', 21, 3),
    part('LoC', 24, 3),
    part('LoUU', 27, 3),
  ],
  CSSELR_EL1: [bit('InD', 0, 'instructions', 'data'), part('Level', 1, 3, (value) => `level ${value + 1n}`)],
  CCSIDR_EL1: [
    part('LineSize', 0, 3, (value) => `${16n << value} bytes`),
    count('Associativity', 3, 10, 'ways'),
    count('NumSets', 13, 15, 'sets'),
    // UNKNOWN since Armv8; what the Cortex-A57 has there (TRM 4.3.21).
    bit('WA', 28, 'allocates on writes', 'no allocation on writes'),
    bit('RA', 29, 'allocates on reads', 'no allocation on reads'),
    bit('WB', 30, 'write-back', 'no write-back'),
    bit('WT', 31, 'write-through', 'no write-through'),
  ],
}
