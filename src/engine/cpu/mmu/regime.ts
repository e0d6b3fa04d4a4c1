/** What the translation registers say, taken apart once for each combination of their values (Arm ARM D8.2, D24.2). */

/** One half of the address space. */
export interface Range {
  /** Walks are disabled: every access to this half faults (TCR_EL1.EPDn). */
  readonly disabled: boolean
  /** Bits of the input address. */
  readonly inputBits: number
  /** The top byte is ignored (TCR_EL1.TBIn). */
  readonly ignoreTopByte: boolean
  /** log2 of the granule: 12, 14 or 16; 0: a reserved value. */
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
  /** Bits of the output address, 32 to 48. */
  readonly outputBits: number
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

const SCTLR = { M: 0n, WXN: 19n } as const
const TCR = {
  low: { size: 0n, disabled: 7n, granule: 14n, topByte: 37n },
  high: { size: 16n, disabled: 23n, granule: 30n, topByte: 38n },
  IPS: 32n,
} as const
/** TG0 and TG1 spell the granules differently. */
const GRANULES = { low: [12, 16, 14, 0], high: [0, 14, 12, 16] } as const
/** IPS, and ID_AA64MMFR0_EL1.PARange: 44 bits are implemented. */
const OUTPUT_BITS = [32, 36, 40, 42, 44, 44, 44, 44] as const
/** The largest TnSZ; a larger one behaves as this (a smaller one than 16, as 16). */
const MAX_SIZE_FIELD = 39
const MIN_SIZE_FIELD = 16

const bit = (value: bigint, lsb: bigint): boolean => ((value >> lsb) & 1n) === 1n
const field = (value: bigint, lsb: bigint, width: number): number => Number((value >> lsb) & ((1n << BigInt(width)) - 1n))

function range(half: 'low' | 'high', tcr: bigint, ttbr: bigint): Range {
  const where = TCR[half]
  const inputBits = 64 - Math.min(MAX_SIZE_FIELD, Math.max(MIN_SIZE_FIELD, field(tcr, where.size, 6)))
  const granuleShift = GRANULES[half][field(tcr, where.granule, 2)] ?? 0
  const bitsPerLevel = granuleShift - 3
  const startLevel = granuleShift === 0 ? 0 : 4 - Math.ceil((inputBits - granuleShift) / bitsPerLevel)
  const firstBits = inputBits - granuleShift - bitsPerLevel * (3 - startLevel)
  // The table is aligned to its size, but at least to 64 bytes.
  const alignment = Math.max(6, firstBits + 3)
  return {
    disabled: bit(tcr, where.disabled),
    inputBits,
    ignoreTopByte: bit(tcr, where.topByte),
    granuleShift,
    startLevel,
    baseHigh: field(ttbr, 32n, 16),
    baseLow: (field(ttbr, 0n, 32) | 0) & (-1 << alignment),
  }
}

export const translationRegime = (r: TranslationRegisters): TranslationRegime => ({
  enabled: bit(r.sctlr, SCTLR.M),
  writeImpliesNoExecute: bit(r.sctlr, SCTLR.WXN),
  outputBits: OUTPUT_BITS[field(r.tcr, TCR.IPS, 3)] ?? 44,
  low: range('low', r.tcr, r.ttbr0),
  high: range('high', r.tcr, r.ttbr1),
  memoryAttributes: Array.from({ length: 8 }, (_, i) => field(r.mair, BigInt(8 * i), 8)),
})
