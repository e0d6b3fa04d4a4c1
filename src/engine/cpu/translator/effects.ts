/**
 * What an instruction reads and writes, learned from its body: it is emitted once for each word, into nothing, by an
 * emitter that takes notes.
 */
import type { GprOperand, Operand, VecOperand, Width } from '../../../pure/arch/a64/ops.ts'
import { gpr } from '../../../pure/arch/a64/ops.ts'
import type { Row } from '../../../pure/arch/a64/row.ts'
import { Code } from '../../wasm/code.ts'
import type { Pushed } from '../emit/arithmetic-ops.ts'
import { UNTOUCHED } from '../flag-kind.ts'
import type { FlagState } from '../flag-kind.ts'
import { Pages } from './pages.ts'
import { RegionOps } from './region-ops.ts'
import type { RegisterSets } from './region-registers.ts'

export interface Effects {
  /** Registers whose value before the instruction matters, those that are written on some ways only included. */
  readonly reads: RegisterSets
  readonly writes: RegisterSets
  /** What is known of the flags afterwards; `UNTOUCHED`: what was known before. */
  readonly flags: FlagState
  /** What it does is done by its handler of the interpreter, whose work may end in an exception. */
  readonly system: boolean
  /** Pure helpers that are called, by name, and with how many arguments. */
  readonly helpers: readonly (readonly [name: string, parameters: number])[]
}

const MAX_KNOWN = 1 << 17

class NoteTaker extends RegionOps {
  private readX = 0
  private readV = 0
  private writtenX = 0
  private writtenV = 0
  private called: (readonly [string, number])[]

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

  effectsOf(row: Row, word: number): Effects {
    this.readX = this.readV = this.writtenX = this.writtenV = 0
    this.called.length = 0
    this.code.length = 0
    this.startBlock({ x: 0, v: 0 }, UNTOUCHED)
    this.startInstruction(0, 1, { fp: false, flow: row.flow })
    row.emit(this, word, row.operandsOf(word))
    return {
      reads: { x: this.readX, v: this.readV },
      writes: { x: this.writtenX, v: this.writtenV },
      flags: this.flagState,
      system: this.terminator?.kind === 'system',
      helpers: [...this.called],
    }
  }

  override get(w: Width, reg: GprOperand): Pushed {
    if (reg.value <= gpr.SP) this.readX |= 1 << reg.value
    return super.get(w, reg)
  }

  override set(w: Width, reg: GprOperand, value: Pushed): void {
    if (reg.value <= gpr.SP) {
      this.writtenX |= 1 << reg.value
      if (this.nesting > 0) this.readX |= 1 << reg.value
    }
    super.set(w, reg, value)
  }

  override vget(reg: VecOperand): Pushed {
    this.readV |= 1 << reg.value
    return super.vget(reg)
  }

  override vset(reg: VecOperand, value: Pushed): void {
    this.writtenV |= 1 << reg.value
    if (this.nesting > 0) this.readV |= 1 << reg.value
    super.vset(reg, value)
  }

  override ask(helper: string, ...args: readonly (number | Operand)[]): Pushed {
    for (const arg of args) {
      if (typeof arg === 'number') continue
      const bit = 1 << Number(arg.value)
      if (arg.kind === 'v') {
        this.readV |= bit
        this.writtenV |= bit
      } else if (arg.kind === 'x' && arg.value <= gpr.SP) {
        this.readX |= bit
        this.writtenX |= bit
      }
    }
    return super.ask(helper, ...args)
  }
}

export class EffectsOf {
  private readonly known = new Map<number, Effects>()
  private readonly notes = new NoteTaker(new Code(0), [])

  of(row: Row, word: number): Effects {
    const known = this.known.get(word)
    if (known !== undefined) return known
    // A hostile guest could run every word there is.
    if (this.known.size >= MAX_KNOWN) this.known.clear()
    const effects = this.notes.effectsOf(row, word)
    this.known.set(word, effects)
    return effects
  }
}
