/** Blocks of random valid instructions, drawn from the rows so that every class, and in it every row, has its turn. */
import { gpr } from '../../pure/arch/a64/ops.ts'
import type { Decoder } from '../../pure/arch/a64/decoder.ts'
import type { Row } from '../../pure/arch/a64/row.ts'
import { classNames, classes } from '../../pure/arch/a64/rows/index.ts'
import type { ClassName } from '../../pure/arch/a64/rows/index.ts'
import type { Random } from '../oracle/operands.ts'
import { addressOfBlock } from './batch.ts'
import { Deck } from './deck.ts'
import { KNOWN } from './known.ts'
import { DATA, purpose } from './layout.ts'
import { isExcluded } from './exclusions.ts'

const isMemory = (row: Row): boolean => /^(LD|ST|CAS|SWP|DC ZVA)/.test(row.name) && !isLiteral(row)
const isLiteral = (row: Row): boolean => row.name.startsWith('LDR (literal')
const isExclusiveStore = (row: Row): boolean => /^STL?X/.test(row.name)
/** Whose address has to be aligned, or is left in place. */
const wantsAligned = (row: Row): boolean =>
  /^(LDA?X|STL?X|LDAR|STLR|LDLAR|STLLR|LDAPR|LDAPUR|CAS|SWP|LDADD|LDCLR|LDEOR|LDSET|LD.?MAX|LD.?MIN|DC ZVA)/.test(
    row.name,
  )
const isBranch = (row: Row): boolean => row.flow === 'branch' || row.flow === 'jump'

/**
 * NZCV and TPIDR_EL0, and to read FPCR and FPSR: op0 to op2 as in the instruction. Of the latter QEMU keeps bits that
 * only AArch32 has, which our CPU has not.
 */
const WRITABLE = [0x1b4200, 0x1bd040]
const READABLE = [...WRITABLE, 0x1b4400, 0x1b4420]
const SYSREG_BITS = 0x1fffe0
const isSysregMove = (row: Row): boolean => /^(MSR \((register|kept)\)|MRS)/.test(row.name)

const RARELY = 256

/** Branches lead so many instructions on at most: what is jumped over is not compared. */
const FARTHEST = 3

/** Farther than this from a base nothing is accessed. */
const REACH = 4096

/** How an operand's register may be chosen. */
const isFree = (value: number): boolean => value < purpose.FIRST || value > 30

/** What a maker of programs has drawn of a class. */
export interface ClassTally {
  readonly name: ClassName
  readonly drawn: number
  /** Rows that a straight-line block can hold, and the names of those that have not been drawn. */
  readonly rows: number
  readonly without: readonly string[]
}

export class ProgramMaker {
  private readonly decoder: Decoder
  private readonly random: Random
  private readonly rows: ReadonlyMap<ClassName, readonly Row[]>
  private readonly decks: Deck<Deck<Row>>
  /** Instructions made, by row. */
  private readonly drawn = new Map<Row, number>()

  constructor(rows: readonly Row[], decoder: Decoder, random: Random) {
    this.decoder = decoder
    this.random = random
    const wanted = new Set(rows.filter((row) => !isExcluded(row)))
    this.rows = new Map(
      classNames
        .map((name) => [name, classes[name].filter((row) => wanted.has(row))] as const)
        .filter(([, list]) => list.length > 0),
    )
    this.decks = new Deck(
      [...this.rows.values()].map((list) => new Deck(list, random)),
      random,
    )
  }

  get tallies(): readonly ClassTally[] {
    return [...this.rows].map(([name, rows]) => ({
      name,
      drawn: rows.reduce((sum, row) => sum + (this.drawn.get(row) ?? 0), 0),
      rows: rows.length,
      without: rows.filter((row) => !this.drawn.has(row)).map((row) => row.name),
    }))
  }

  block(number: number, length: number): number[] {
    const words: number[] = []
    /** Where branches lead. */
    const landings = new Set<number>()
    while (words.length < length) {
      const row = this.decks.next().next()
      const address = addressOfBlock(number) + 4 * words.length
      const word = this.wordOf(row, address, length - words.length)
      if (word === undefined) continue
      // Where QEMU is known to be wrong, every other difference costs time.
      const rare = this.drawn.has(row) && KNOWN.some((known) => known.row === row.name)
      if (rare && this.random.below(RARELY) > 0) continue
      if (isExclusiveStore(row)) {
        // Alone, the store would tell of a load of another case.
        if (length - words.length < 2 || landings.has(words.length + 1)) continue
        words.push(loadBefore(word))
      }
      if (isBranch(row)) landings.add(words.length + (row.fieldsOf(word)['i'] ?? 0))
      words.push(word)
      this.drawn.set(row, (this.drawn.get(row) ?? 0) + 1)
    }
    return words
  }

  /** A word of the row that does nothing outside of what the test compares; `undefined`: none was found. */
  private wordOf(row: Row, address: number, left: number): number | undefined {
    for (let attempt = 0; attempt < 400; attempt++) {
      let word = (row.match | (this.random.u32() & ~row.mask)) >>> 0
      if (isBranch(row)) word = withField(row, word, 'i', 1 + this.random.below(Math.min(left, FARTHEST)))
      if (isLiteral(row)) {
        const target = DATA.middle + 4 * this.random.below(256)
        word = withField(row, word, 'i', (target - address) / 4)
      }
      if (isSysregMove(row))
        word = ((word & ~SYSREG_BITS) | this.random.pick(row.name.startsWith('MSR') ? WRITABLE : READABLE)) >>> 0
      if (isMemory(row)) word = this.atBase(row, word)
      if (this.decoder.decode(word) === row && this.isTame(row, word)) return word
    }
    return undefined
  }

  private atBase(row: Row, word: number): number {
    const base = wantsAligned(row) ? purpose.ALIGNED : purpose.BASE
    word = withField(row, word, row.name === 'DC ZVA' ? 't' : 'n', base)
    if (row.bits.includes('mmmmm') && this.random.below(4) > 0) word = withField(row, word, 'm', purpose.INDEX)
    if (row.name.startsWith('LDAPUR')) word = withField(row, word, 'i', 16 * this.random.below(16))
    // Small offsets, or one out of several would do.
    if (row.bits.includes('iiiiiiiiiiii')) word = withField(row, word, 'i', this.random.below(256))
    return word
  }

  private isTame(row: Row, word: number): boolean {
    const memory = isMemory(row)
    const operands = row.operandsOf(word)
    for (const [name, operand] of Object.entries(operands)) {
      if (operand.kind === 'imm' && memory && Math.abs(Number(operand.value)) > REACH) return false
      if (operand.kind !== 'x' || isFree(operand.value)) continue
      if (memory && name === (row.name === 'DC ZVA' ? 't' : 'n')) continue
      if (memory && name === 'm' && operand.value === purpose.INDEX) continue
      return false
    }
    if (!memory) return true
    const m = operands['m']
    if (m?.kind === 'x' && m.value !== purpose.INDEX && m.value !== gpr.ZERO && /register|indexed/.test(row.name))
      return false
    return isPredictable(operands)
  }
}

/** Not what the manual calls CONSTRAINED UNPREDICTABLE: one register loaded twice, or a status that is an operand too. */
function isPredictable(operands: ReturnType<Row['operandsOf']>): boolean {
  const number = (name: string): number | undefined => {
    const operand = operands[name]
    return operand?.kind === 'x' || operand?.kind === 'v' ? operand.value : undefined
  }
  const [t, u, status] = [number('t'), number('u'), number('status')]
  if (t !== undefined && u !== undefined && (t === u || (t > 31 && u > 31))) return false
  return status === undefined || (status !== t && status !== u)
}

/** LDXR, LDAXR, LDXP or LDAXP of the same size and address as a store exclusive; the store's register is loaded. */
const LOAD_BIT = 1 << 22
const STATUS = 31 << 16
function loadBefore(store: number): number {
  const word = (store | LOAD_BIT | STATUS) >>> 0
  const PAIR = 1 << 21
  // Loaded into registers that differ.
  return (word & PAIR) !== 0 ? ((word & ~0x7c1f) | (3 << 10) | 5) >>> 0 : word
}

/** The word with a field of adjacent bits replaced. */
function withField(row: Row, word: number, letter: string, value: number): number {
  const text = row.bits.replaceAll(' ', '')
  const first = text.indexOf(letter)
  const width = text.lastIndexOf(letter) - first + 1
  if (first < 0) return word
  const shift = 31 - text.lastIndexOf(letter)
  const mask = 2 ** width - 1
  return ((word & ~(mask << shift)) | ((value & mask) << shift)) >>> 0
}
