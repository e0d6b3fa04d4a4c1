/**
 * The table walk of stage 1 at EL1 and EL0 (Arm ARM D8), in halves of 32 bits: it runs on every miss of
 * the soft TLB.
 */
import { faultStatus } from '../../../pure/arch/syndrome.ts'
import { translationRegime } from './regime.ts'
import type { Range, TranslationFeatures, TranslationRegime, TranslationRegisters } from './regime.ts'

/** Bits of descriptors (D8.3), in their upper and lower words. */
const LOW = {
  VALID: 1,
  TABLE: 2,
  ATTRIBUTES_LSB: 2,
  AP_EL0: 1 << 6,
  AP_READ_ONLY: 1 << 7,
  SH_LSB: 8,
  AF: 1 << 10,
} as const
const HIGH = {
  ADDRESS: 0xffff,
  GP: 1 << 18,
  DBM: 1 << 19,
  PXN: 1 << 21,
  UXN: 1 << 22,
  PXN_TABLE: 1 << 27,
  UXN_TABLE: 1 << 28,
  AP_TABLE_NO_EL0: 1 << 29,
  AP_TABLE_READ_ONLY: 1 << 30,
} as const

/** A cacheable translation no larger than this is only a page, whatever the granule says. */
const MMU_OFF_SIZE = 48

/** Physical memory as a walk sees it. */
export interface TableMemory {
  /** Reads a descriptor into `descLo` and `descHi`; false: nobody answers. */
  read(high: number, low: number): boolean
  /** Changes the lower word of the descriptor that was read: hardware manages its access flag and dirty state. */
  update(high: number, low: number, descLo: number): void
}

/** On whose behalf a walk is: what EL0 may not do is told by the permissions, but for FEAT_E0PD. */
export interface WalkPurpose {
  readonly el: 0 | 1
  /** A store: the mapping becomes dirty, if it may be written. */
  readonly write: boolean
  /** AT looks, and leaves the access flag and dirty state alone. */
  readonly looksOnly?: boolean
}

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
  /** A store need not ask again to make the mapping dirty. */
  dirty = true
  /** The byte of MAIR_EL1, and the shareability, of the mapping. */
  attributes = 0
  shareability = 0
  /** A type of Device memory, to which accesses have to be aligned. */
  isDevice = false
  /** EL0 may read it: with PSTATE.PAN, EL1 may not. */
  isUnprivileged = false
  /** Indirect branches have to lead to a landing pad (FEAT_BTI). */
  guarded = false
  private readonly memory: TableMemory
  private readonly features: TranslationFeatures
  private regime: TranslationRegime | undefined
  private readonly known = new WeakMap<TranslationRegisters, TranslationRegime>()
  /** Where the descriptor of the block or page was read. */
  private entryHigh = 0
  private entryLow = 0

  constructor(features: TranslationFeatures, memory: TableMemory) {
    this.features = features
    this.memory = memory
  }

  /** The registers do not change: a kernel that isolates its tables changes between two sets of them at each entry. */
  configure(registers: TranslationRegisters): void {
    let known = this.known.get(registers)
    if (known === undefined) this.known.set(registers, (known = translationRegime(registers, this.features)))
    this.regime = known
  }

  /** The upper half of an address without its tag, where the top byte of addresses like it is ignored. */
  untagged(vaHigh: number): number {
    const upper = (vaHigh & (1 << 23)) !== 0
    const range = upper ? this.regime?.high : this.regime?.low
    return range?.ignoresTagOfPc === true ? (vaHigh << 8) >> 8 : vaHigh
  }

  /** Translates a virtual address given in halves; false: `fault` says why not. */
  walk(vaHigh: number, vaLow: number, purpose: WalkPurpose): boolean {
    const { regime } = this
    if (regime === undefined) throw new Error('the walker has no regime')
    if (!regime.enabled) return this.flat(regime, vaHigh, vaLow)
    const upper = (vaHigh & (1 << 23)) !== 0
    const range = upper ? regime.high : regime.low
    // Bits above the input size are copies of bit 55, but for a top byte that is ignored.
    const significant = range.ignoreTopByte ? (vaHigh << 8) >> 8 : vaHigh
    const above = range.inputBits >= 32 ? significant >> (range.inputBits - 32) : significant
    if (range.disabled || (range.noEl0 && purpose.el === 0) || above !== (upper ? -1 : 0))
      return this.fails(faultStatus.TRANSLATION, 0)
    if (range.inputBits < 32 && vaLow >>> range.inputBits !== (upper ? 2 ** (32 - range.inputBits) - 1 : 0))
      return this.fails(faultStatus.TRANSLATION, 0)
    return this.descend(regime, range, vaHigh, vaLow, purpose)
  }

  private descend(
    regime: TranslationRegime,
    range: Range,
    vaHigh: number,
    vaLow: number,
    purpose: WalkPurpose,
  ): boolean {
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
      const at = tableLow + index * 8
      if (!this.memory.read(tableHigh, at)) return this.fails(faultStatus.EXTERNAL_ON_WALK, level)
      const { descLo, descHi } = this
      if ((descLo & LOW.VALID) === 0) return this.fails(faultStatus.TRANSLATION, level)
      const isTable = (descLo & LOW.TABLE) !== 0
      if (level < 3 && isTable) {
        if (!range.flatPermissions) tableFlags |= descHi
        tableHigh = descHi & HIGH.ADDRESS
        tableLow = descLo & (-1 << granuleShift)
        if (outside(tableHigh, regime.outputBits)) return this.fails(faultStatus.ADDRESS_SIZE, level)
        continue
      }
      // A block at a level that has none, or a page descriptor that says block.
      const blockAllowed = level === 2 || (level === 1 && granuleShift === 12)
      if (level === 3 ? !isTable : !blockAllowed) return this.fails(faultStatus.TRANSLATION, level)
      this.entryHigh = tableHigh
      this.entryLow = at
      return this.map(regime, vaLow, level, shift, tableFlags, purpose)
    }
    throw new Error('a walk ends at level 3')
  }

  /** A block or page descriptor has been found. */
  private map(
    regime: TranslationRegime,
    vaLow: number,
    level: number,
    shift: number,
    tableFlags: number,
    purpose: WalkPurpose,
  ): boolean {
    const { descHi } = this
    let { descLo } = this
    const outHigh = descHi & HIGH.ADDRESS
    if (outside(outHigh, regime.outputBits)) return this.fails(faultStatus.ADDRESS_SIZE, level)
    if ((descLo & LOW.AF) === 0 && !regime.setsAccessFlag) return this.fails(faultStatus.ACCESS_FLAG, level)
    // Blocks of 1 GiB and less: the offset lies in the lower word.
    const mask = shift >= 32 ? -1 : (1 << shift) - 1
    this.paHi = outHigh
    this.paLo = ((descLo & ~mask) | (vaLow & mask)) & ~0xfff
    this.log2Size = shift
    const flags = tableFlags & (HIGH.AP_TABLE_NO_EL0 | HIGH.AP_TABLE_READ_ONLY | HIGH.PXN_TABLE | HIGH.UXN_TABLE)
    const el0 = (descLo & LOW.AP_EL0) !== 0 && (flags & HIGH.AP_TABLE_NO_EL0) === 0
    // Read-only with DBM set: writable, and clean until the first store.
    const clean = regime.setsDirty && (descHi & HIGH.DBM) !== 0 && (descLo & LOW.AP_READ_ONLY) !== 0
    const writable = ((descLo & LOW.AP_READ_ONLY) === 0 || clean) && (flags & HIGH.AP_TABLE_READ_ONLY) === 0
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
    this.isDevice = (this.attributes & 0xf0) === 0
    this.isUnprivileged = this.readEl0
    this.guarded = (descHi & HIGH.GP) !== 0
    this.dirty = !clean
    if (purpose.looksOnly === true) return true
    descLo |= LOW.AF
    if (clean && purpose.write && (purpose.el === 0 ? this.writeEl0 : this.writeEl1)) {
      descLo &= ~LOW.AP_READ_ONLY
      this.dirty = true
    }
    if (descLo !== this.descLo) this.memory.update(this.entryHigh, this.entryLow, descLo)
    return true
  }

  /** Stage 1 is off: addresses are physical, everything is allowed. */
  private flat({ physicalBits }: TranslationRegime, vaHigh: number, vaLow: number): boolean {
    if (vaHigh >>> (physicalBits - 32) !== 0) return this.fails(faultStatus.ADDRESS_SIZE, 0)
    this.paHi = vaHigh
    this.paLo = vaLow & ~0xfff
    this.log2Size = MMU_OFF_SIZE
    this.readEl0 = this.writeEl0 = this.execEl0 = true
    this.readEl1 = this.writeEl1 = this.execEl1 = true
    this.permissionFault = faultStatus.PERMISSION
    this.attributes = 0
    this.shareability = 2
    this.isDevice = true
    this.isUnprivileged = false
    this.guarded = false
    this.dirty = true
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

export const createWalker = (features: TranslationFeatures, memory: TableMemory): Walker => new Walker(features, memory)
