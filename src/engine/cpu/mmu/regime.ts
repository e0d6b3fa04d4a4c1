import type { Feature } from '../../../pure/arch/cpu/features.ts'

/** What the translation registers say, taken apart once for each combination of their values (Arm ARM D8.2, D24.2). */

/** One half of the address space. */
export interface Range {
  /** Walks are disabled: every access to this half faults (TCR_EL1.EPDn). */
  readonly disabled: boolean
  /** Bits of the input address. */
  readonly inputBits: number
  /** The top byte is ignored (TCR_EL1.TBIn). */
  readonly ignoreTopByte: boolean
  /** That goes for the addresses of instructions too (not TCR_EL1.TBIDn). */
  readonly ignoresTagOfPc: boolean
  /** EL0 has no access to this half: its accesses fault at level 0 (TCR_EL1.E0PDn). */
  readonly noEl0: boolean
  /** The permissions in table descriptors are ignored (TCR_EL1.HPDn). */
  readonly flatPermissions: boolean
  /** log2 of the granule: 12, 14 or 16. */
  readonly granuleShift: number
  /** Level of the first table, 0 to 3. */
  readonly startLevel: number
  /** Physical address of the first table. */
  readonly baseHigh: number
  readonly baseLow: number
}

export interface TranslationRegime {
  readonly enabled: boolean
  /** Writable pages are not executable (SCTLR_EL1.WXN). */
  readonly writeImpliesNoExecute: boolean
  /** Hardware sets the access flag (TCR_EL1.HA), and the dirty state too (TCR_EL1.HD). */
  readonly setsAccessFlag: boolean
  readonly setsDirty: boolean
  /** Bits of the output address, 32 to 48. */
  readonly outputBits: number
  /** Bits of a physical address, which is what an address is when translation is off. */
  readonly physicalBits: number
  readonly low: Range
  readonly high: Range
  /** MAIR_EL1's bytes. */
  readonly memoryAttributes: readonly number[]
}

export interface TranslationRegisters {
  readonly sctlr: bigint
  readonly tcr: bigint
  readonly ttbr0: bigint
  readonly ttbr1: bigint
  readonly mair: bigint
}

/** The features of a CPU that walks depend on beside the registers, in which absent ones have no bits. */
export interface TranslationFeatures {
  /** 32 to 48. */
  readonly physicalBits: number
  /** FEAT_TTST: the largest TnSZ is 48, or 47 with a granule of 64 KiB. */
  readonly smallTables: boolean
  /** A granule of 16 KiB; without it, 4 KiB are meant. */
  readonly granule16: boolean
}

export const translationFeatures = (features: ReadonlySet<Feature>): TranslationFeatures => ({
  physicalBits: features.has('PA48') ? 48 : features.has('PA44') ? 44 : features.has('PA40') ? 40 : 32,
  smallTables: features.has('FEAT_TTST'),
  granule16: features.has('TGran16'),
})

const SCTLR = { M: 0n, WXN: 19n } as const
const TCR = {
  low: { size: 0n, disabled: 7n, granule: 14n, topByte: 37n, dataOnly: 51n, hierarchical: 41n, e0pd: 55n },
  high: { size: 16n, disabled: 23n, granule: 30n, topByte: 38n, dataOnly: 52n, hierarchical: 42n, e0pd: 56n },
  HA: 39n,
  HD: 40n,
  IPS: 32n,
} as const
/** TG0 and TG1 spell the granules differently; their reserved values behave as 4 KiB here. */
const GRANULES = { low: [12, 16, 14, 12], high: [12, 14, 12, 16] } as const
/** IPS; beyond what ID_AA64MMFR0_EL1.PARange says, it behaves as that. */
const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 48, 48] as const
/** The largest TnSZ; a larger one behaves as this (a smaller one than 16, as 16). */
const MAX_SIZE_FIELD = 39
const MAX_SMALL_SIZE_FIELD = { 12: 48, 14: 48, 16: 47 } as const
const MIN_SIZE_FIELD = 16

const bit = (value: bigint, lsb: bigint): boolean => ((value >> lsb) & 1n) === 1n
const field = (value: bigint, lsb: bigint, width: number): number =>
  Number((value >> lsb) & ((1n << BigInt(width)) - 1n))

function range(
  half: 'low' | 'high',
  { smallTables, granule16 }: TranslationFeatures,
  tcr: bigint,
  ttbr: bigint,
): Range {
  const where = TCR[half]
  const wanted = GRANULES[half][field(tcr, where.granule, 2)] ?? 12
  const granuleShift = wanted === 14 && !granule16 ? 12 : wanted
  const largest = smallTables ? MAX_SMALL_SIZE_FIELD[granuleShift] : MAX_SIZE_FIELD
  const inputBits = 64 - Math.min(largest, Math.max(MIN_SIZE_FIELD, field(tcr, where.size, 6)))
  const bitsPerLevel = granuleShift - 3
  const startLevel = 4 - Math.ceil((inputBits - granuleShift) / bitsPerLevel)
  const firstBits = inputBits - granuleShift - bitsPerLevel * (3 - startLevel)
  // The table is aligned to its size, but at least to 64 bytes.
  const alignment = Math.max(6, firstBits + 3)
  return {
    disabled: bit(tcr, where.disabled),
    inputBits,
    ignoreTopByte: bit(tcr, where.topByte),
    ignoresTagOfPc: bit(tcr, where.topByte) && !bit(tcr, where.dataOnly),
    noEl0: bit(tcr, where.e0pd),
    flatPermissions: bit(tcr, where.hierarchical),
    granuleShift,
    startLevel,
    baseHigh: field(ttbr, 32n, 16),
    baseLow: (field(ttbr, 0n, 32) | 0) & (-1 << alignment),
  }
}

export const translationRegime = (r: TranslationRegisters, features: TranslationFeatures): TranslationRegime => ({
  enabled: bit(r.sctlr, SCTLR.M),
  writeImpliesNoExecute: bit(r.sctlr, SCTLR.WXN),
  setsAccessFlag: bit(r.tcr, TCR.HA),
  setsDirty: bit(r.tcr, TCR.HA) && bit(r.tcr, TCR.HD),
  outputBits: Math.min(features.physicalBits, OUTPUT_BITS[field(r.tcr, TCR.IPS, 3)] ?? 32),
  physicalBits: features.physicalBits,
  low: range('low', features, r.tcr, r.ttbr0),
  high: range('high', features, r.tcr, r.ttbr1),
  memoryAttributes: Array.from({ length: 8 }, (_, i) => field(r.mair, BigInt(8 * i), 8)),
})
