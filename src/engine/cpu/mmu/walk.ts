/**
 * The table walk of stage 1 at EL1 and EL0 (Arm ARM D8), in halves of 32 bits: it runs on every miss of
 * the soft TLB. No hardware management of the access flag or dirty state, as in Armv8.0.
 */
import { faultStatus } from '../../../pure/arch/syndrome.ts'
import { translationRegime } from './regime.ts'
import type { Range, TranslationRegime, TranslationRegisters } from './regime.ts'

/** Bits of descriptors (D8.3), in their upper and lower words. */
const LOW = { VALID: 1, TABLE: 2, ATTRIBUTES_LSB: 2, AP_EL0: 1 << 6, AP_READ_ONLY: 1 << 7, SH_LSB: 8, AF: 1 << 10 } as const
const HIGH = {
  ADDRESS: 0xffff,
  PXN: 1 << 21,
  UXN: 1 << 22,
  PXN_TABLE: 1 << 27,
  UXN_TABLE: 1 << 28,
  AP_TABLE_NO_EL0: 1 << 29,
  AP_TABLE_READ_ONLY: 1 << 30,
} as const

/** A cacheable translation no larger than this is only a page, whatever the granule says. */
const MMU_OFF_SIZE = 48

export class Walker {
  /** Written by the reader of descriptors. */
  descLo = 0
  descHi = 0
  /** Physical address of the 4 KiB page, its low 12 bits being zero. */
  paHi = 0
  paLo = 0
  /** log2 of the size of the block or page that maps the address. */
  log2Size = 12
  readEl0 = false
  writeEl0 = false
  execEl0 = false
  readEl1 = false
  writeEl1 = false
  execEl1 = false
  /** Fault status code, when the walk has failed. */
  fault = 0
  /** Fault status code for an access that the permissions do not allow. */
  permissionFault = 0
  /** The byte of MAIR_EL1, and the shareability, of the mapping. */
  attributes = 0
  shareability = 0
  private readonly readDescriptor: (high: number, low: number) => boolean
  private regime: TranslationRegime | undefined

  constructor(readDescriptor: (high: number, low: number) => boolean) {
    this.readDescriptor = readDescriptor
  }

  configure(registers: TranslationRegisters): void {
    this.regime = translationRegime(registers)
  }

  /** Translates a virtual address given in halves; false: `fault` says why not. */
  walk(vaHigh: number, vaLow: number): boolean {
    const { regime } = this
    if (regime === undefined) throw new Error('the walker has no regime')
    if (!regime.enabled) return this.flat(regime, vaHigh, vaLow)
    const upper = (vaHigh & (1 << 23)) !== 0
    const range = upper ? regime.high : regime.low
    // Bits above the input size are copies of bit 55, but for a top byte that is ignored.
    const significant = range.ignoreTopByte ? (vaHigh << 8) >> 8 : vaHigh
    const above = range.inputBits >= 32 ? significant >> (range.inputBits - 32) : significant
    if (range.disabled || range.granuleShift === 0 || above !== (upper ? -1 : 0)) return this.fails(faultStatus.TRANSLATION, 0)
    if (range.inputBits < 32 && vaLow >>> range.inputBits !== (upper ? 2 ** (32 - range.inputBits) - 1 : 0))
      return this.fails(faultStatus.TRANSLATION, 0)
    return this.descend(regime, range, vaHigh, vaLow)
  }

  private descend(regime: TranslationRegime, range: Range, vaHigh: number, vaLow: number): boolean {
    const { granuleShift, inputBits } = range
    const bitsPerLevel = granuleShift - 3
    let tableHigh = range.baseHigh
    let tableLow = range.baseLow
    let tableFlags = 0
    if (outside(tableHigh, regime.outputBits)) return this.fails(faultStatus.ADDRESS_SIZE, 0)
    for (let level = range.startLevel; level <= 3; level++) {
      const shift = granuleShift + bitsPerLevel * (3 - level)
      const width = level === range.startLevel ? inputBits - shift : bitsPerLevel
      const index = bitsOf(vaHigh, vaLow, shift, width)
      // Tables are aligned to their size: adding the index cannot carry.
      if (!this.readDescriptor(tableHigh, tableLow + index * 8)) return this.fails(faultStatus.EXTERNAL_ON_WALK, level)
      const { descLo, descHi } = this
      if ((descLo & LOW.VALID) === 0) return this.fails(faultStatus.TRANSLATION, level)
      const isTable = (descLo & LOW.TABLE) !== 0
      if (level < 3 && isTable) {
        tableFlags |= descHi
        tableHigh = descHi & HIGH.ADDRESS
        tableLow = descLo & (-1 << granuleShift)
        if (outside(tableHigh, regime.outputBits)) return this.fails(faultStatus.ADDRESS_SIZE, level)
        continue
      }
      // A block at a level that has none, or a page descriptor that says block.
      const blockAllowed = level === 2 || (level === 1 && granuleShift === 12)
      if (level === 3 ? !isTable : !blockAllowed) return this.fails(faultStatus.TRANSLATION, level)
      return this.map(regime, vaHigh, vaLow, level, shift, tableFlags)
    }
    throw new Error('a walk ends at level 3')
  }

  /** A block or page descriptor has been found. */
  private map(regime: TranslationRegime, vaHigh: number, vaLow: number, level: number, shift: number, tableFlags: number): boolean {
    const { descLo, descHi } = this
    const outHigh = descHi & HIGH.ADDRESS
    if (outside(outHigh, regime.outputBits)) return this.fails(faultStatus.ADDRESS_SIZE, level)
    if ((descLo & LOW.AF) === 0) return this.fails(faultStatus.ACCESS_FLAG, level)
    // Blocks of 1 GiB and less: the offset lies in the lower word.
    const mask = shift >= 32 ? -1 : (1 << shift) - 1
    this.paHi = outHigh
    this.paLo = ((descLo & ~mask) | (vaLow & mask)) & ~0xfff
    void vaHigh
    this.log2Size = shift
    const flags = tableFlags & (HIGH.AP_TABLE_NO_EL0 | HIGH.AP_TABLE_READ_ONLY | HIGH.PXN_TABLE | HIGH.UXN_TABLE)
    const el0 = (descLo & LOW.AP_EL0) !== 0 && (flags & HIGH.AP_TABLE_NO_EL0) === 0
    const writable = (descLo & LOW.AP_READ_ONLY) === 0 && (flags & HIGH.AP_TABLE_READ_ONLY) === 0
    const wxn = regime.writeImpliesNoExecute && writable
    this.readEl1 = true
    this.writeEl1 = writable
    this.readEl0 = el0
    this.writeEl0 = el0 && writable
    // What EL0 may write, EL1 never executes (D8.4.1.2.1).
    this.execEl1 = (descHi & HIGH.PXN) === 0 && (flags & HIGH.PXN_TABLE) === 0 && !this.writeEl0 && !wxn
    this.execEl0 = (descHi & HIGH.UXN) === 0 && (flags & HIGH.UXN_TABLE) === 0 && !(wxn && this.writeEl0)
    this.permissionFault = faultStatus.PERMISSION | level
    this.attributes = regime.memoryAttributes[(descLo >> LOW.ATTRIBUTES_LSB) & 7] ?? 0
    this.shareability = (descLo >> LOW.SH_LSB) & 3
    return true
  }

  /** Stage 1 is off: addresses are physical, everything is allowed. */
  private flat(regime: TranslationRegime, vaHigh: number, vaLow: number): boolean {
    void regime
    const OUTPUT_BITS = 44
    if (vaHigh >>> (OUTPUT_BITS - 32) !== 0) return this.fails(faultStatus.ADDRESS_SIZE, 0)
    this.paHi = vaHigh
    this.paLo = vaLow & ~0xfff
    this.log2Size = MMU_OFF_SIZE
    this.readEl0 = this.writeEl0 = this.execEl0 = true
    this.readEl1 = this.writeEl1 = this.execEl1 = true
    this.permissionFault = faultStatus.PERMISSION
    this.attributes = 0
    this.shareability = 2
    return true
  }

  private fails(status: number, level: number): boolean {
    this.fault = status | level
    return false
  }
}

/** Whether an address, by its upper word, has bits beyond the output size. */
const outside = (high: number, outputBits: number): boolean => (high & HIGH.ADDRESS) >>> (outputBits - 32) !== 0

/** `width` bits, at most 16, of a 64-bit value in halves, from bit `lsb` on. */
function bitsOf(high: number, low: number, lsb: number, width: number): number {
  const mask = (1 << width) - 1
  if (lsb >= 32) return (high >>> (lsb - 32)) & mask
  const value = lsb + width <= 32 ? low >>> lsb : (low >>> lsb) | (high << (32 - lsb))
  return value & mask
}

export const createWalker = (readDescriptor: (high: number, low: number) => boolean): Walker => new Walker(readDescriptor)
