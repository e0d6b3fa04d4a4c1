/**
 * What an instruction reads and writes, learned from its body: it is emitted once for each variant of a row, into nothing, by
 * an emitter that takes notes of which operands are read and written; a word then says which registers these are.
 */
import type { GprOperand, Operand, VecOperand, Width } from '../../../pure/arch/a64/ops.ts'
import type { Row } from '../../../pure/arch/a64/row.ts'
import { Code } from '../../wasm/code.ts'
import type { Pushed } from '../emit/arithmetic-ops.ts'
import { UNTOUCHED } from '../flag-kind.ts'
import type { FlagState } from '../flag-kind.ts'
import { Pages } from './pages.ts'
import { RegionOps } from './region-ops.ts'
import { registersOf } from './region-registers.ts'
import type { RegisterSets } from './region-registers.ts'

export interface Effects {
  /** Registers whose value before the instruction matters, those that are written on some ways only included. */
  readonly reads: RegisterSets
  readonly writes: RegisterSets
  /** What is known of the flags afterwards; `UNTOUCHED`: what was known before. */
  readonly flags: FlagState
  /** What it does is done by its handler of the interpreter, whose work may end in an exception. */
  readonly system: boolean
  /** It may be left to the interpreter. */
  readonly leaves: boolean
  /** Pure helpers that are called, by name, and with how many arguments. */
  readonly helpers: readonly (readonly [name: string, parameters: number])[]
}

const MAX_KNOWN = 1 << 17

/** The same of all words of a variant: operands by their numbers, in the order of `Row.operandsOf`. */
interface Pattern extends Pick<Effects, 'flags' | 'system' | 'leaves' | 'helpers'> {
  readonly reads: readonly number[]
  readonly writes: readonly number[]
}

class NoteTaker extends RegionOps {
  private readonly read = new Set<Operand>()
  private readonly written = new Set<Operand>()
  private called: (readonly [string, number])[]
  private leaves = false

  constructor(code: Code, called: (readonly [string, number])[]) {
    const helper = (name: string, parameters: number): number => called.push([name, parameters])
    const flags = { kind: 0, a: 0, b: 0 }
    const locals = { budget: 0, depth: 0, tlb: 0, pcOffset: 0, target: 0, result: 0, fpTrapped: 0, flags }
    super(
      code,
      { loadSlow: 0, storeSlow: 0, flags: 0, enter: 0, regionType: 0, functions: 0, branched: 0, helper },
      locals,
      new Pages(0),
    )
    this.called = called
    this.exit = code.depth
    code.block()
  }

  patternOf(row: Row, word: number): Pattern {
    this.read.clear()
    this.written.clear()
    this.called.length = 0
    this.code.length = 0
    this.leaves = row.fp
    this.startBlock({ x: 0, v: 0 }, UNTOUCHED)
    this.startInstruction(0, 1, { fp: false, flow: row.flow })
    const operands = row.operandsOf(word)
    row.emit(this, word, operands)
    const list = Object.values(operands)
    const numbers = (of: ReadonlySet<Operand>): readonly number[] =>
      [...of].map((operand) => {
        const number = list.indexOf(operand)
        if (number < 0) throw new Error(`${row.name}: its body has an operand of its own`)
        return number
      })
    return {
      reads: numbers(this.read),
      writes: numbers(this.written),
      flags: this.flagState,
      system: this.terminator?.kind === 'system',
      leaves: this.leaves,
      helpers: [...this.called],
    }
  }

  override get(w: Width, reg: GprOperand): Pushed {
    this.read.add(reg)
    return super.get(w, reg)
  }

  override set(w: Width, reg: GprOperand, value: Pushed): void {
    this.written.add(reg)
    if (this.nesting > 0) this.read.add(reg)
    super.set(w, reg, value)
  }

  override vget(reg: VecOperand): Pushed {
    this.read.add(reg)
    return super.vget(reg)
  }

  override vset(reg: VecOperand, value: Pushed): void {
    this.written.add(reg)
    if (this.nesting > 0) this.read.add(reg)
    super.vset(reg, value)
  }

  override leaveToInterpret(): void {
    this.leaves = true
    super.leaveToInterpret()
  }

  override ask(helper: string, ...args: readonly (number | Operand)[]): Pushed {
    for (const arg of args) {
      if (typeof arg === 'number') continue
      this.read.add(arg)
      this.written.add(arg)
    }
    return super.ask(helper, ...args)
  }
}

export class EffectsOf {
  private readonly known = new Map<number, Effects>()
  /** By row, and by the number of the variant. */
  private readonly patterns = new Map<Row, (Pattern | undefined)[]>()
  private readonly notes = new NoteTaker(new Code(0), [])

  of(row: Row, word: number): Effects {
    const known = this.known.get(word)
    if (known !== undefined) return known
    // A hostile guest could run every word there is.
    if (this.known.size >= MAX_KNOWN) this.known.clear()
    const { reads, writes, flags, system, leaves, helpers } = this.patternOf(row, word)
    const operands = Object.values(row.operandsOf(word))
    const effects = {
      reads: registersOf(pick(operands, reads)),
      writes: registersOf(pick(operands, writes)),
      flags,
      system,
      leaves,
      helpers,
    }
    this.known.set(word, effects)
    return effects
  }

  private patternOf(row: Row, word: number): Pattern {
    let ofRow = this.patterns.get(row)
    if (ofRow === undefined) this.patterns.set(row, (ofRow = []))
    return (ofRow[row.variantOf(word)] ??= this.notes.patternOf(row, word))
  }
}

const pick = (operands: readonly Operand[], numbers: readonly number[]): readonly Operand[] =>
  numbers.flatMap((number) => operands[number] ?? [])
