/** One instruction: its operands against the forms of its mnemonic. */
import { evaluate, isProblem } from './expression.ts'
import type { Expression, Problem, Scope } from './expression.ts'
import type { Match } from './kind.ts'
import { formsOf } from './mnemonics.ts'
import type { Form } from './mnemonics.ts'
import { operandText } from './operand.ts'
import type { Operand } from './operand.ts'

export interface Instruction {
  /** In lower case. */
  readonly mnemonic: string
  readonly operands: readonly Operand[]
  readonly address: bigint
  readonly column: number
}

interface Miss {
  /** How many operands were right: the form that came furthest knows best what is wrong. */
  readonly depth: number
  readonly problem: Problem
  /** What would have been right instead, where that is all there is to say. */
  readonly expected?: string
  readonly found?: Operand | undefined
}

/** The values of one instruction's expressions; what could not be evaluated is kept. */
class Operands implements Match {
  fields: Record<string, number> = {}
  unresolved: Problem | undefined
  readonly address: bigint
  readonly mnemonic: string
  readonly #scope: Scope

  constructor(instruction: Instruction, scope: Scope) {
    this.address = instruction.address
    this.mnemonic = instruction.mnemonic
    this.#scope = scope
  }
  value(expression: Expression): bigint | undefined {
    const value = evaluate(expression, this.#scope)
    if (!isProblem(value)) return value.value
    this.unresolved = value
    return undefined
  }
}

function tryForm(form: Form, { operands, mnemonic, column }: Instruction, m: Operands): number | Miss {
  m.fields = { ...form.fixed }
  m.unresolved = undefined
  for (let depth = 0; depth < form.operands.length; depth++) {
    const pattern = form.operands[depth]
    const found = operands[depth]
    if (pattern === undefined || (found === undefined && pattern.optional)) continue
    const verdict = pattern.kind(m, found, pattern.letters)
    if (verdict === undefined) continue
    // A reason counts for more than a mismatch of kinds, which another form may not have.
    if (m.unresolved !== undefined) return { depth: depth + 0.75, problem: m.unresolved }
    const problem = { what: '', column: found?.column ?? operands.at(-1)?.column ?? column }
    if ('why' in verdict) return { depth: depth + 0.5, problem: { ...problem, what: verdict.why } }
    return { depth, problem, expected: verdict.expected, found }
  }
  const extra = operands[form.operands.length]
  if (extra !== undefined) {
    const what = `'${mnemonic}' takes no ${operandText(extra)} here.`
    return { depth: form.operands.length - 0.25, problem: { what, column: extra.column } }
  }
  const word = form.row.encode(m.fields)
  return word ?? { depth: 0, problem: { what: `'${mnemonic}' has no encoding with these operands.`, column } }
}

const listed = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`

/** The word of an instruction, or the best reason why there is none. */
export function encode(instruction: Instruction, scope: Scope): number | Problem {
  const { mnemonic, column } = instruction
  const misses: Miss[] = []
  const forms = formsOf(mnemonic)
  if (forms === undefined) return { what: `'${mnemonic}' is not a known instruction.`, column }
  const operands = new Operands(instruction, scope)
  for (const form of forms) {
    const word = tryForm(form, instruction, operands)
    if (typeof word === 'number') return word
    misses.push(word)
  }
  const deepest = Math.max(...misses.map((miss) => miss.depth))
  const best = misses.filter((miss) => miss.depth === deepest)
  const reason = best.find((miss) => miss.expected === undefined) ?? best[0]
  if (reason === undefined || reason.expected === undefined) return reason?.problem ?? { what: '', column }
  const alternatives = new Set(best.flatMap((miss) => miss.expected ?? []))
  return {
    ...reason.problem,
    what: `'${mnemonic}' wants ${listed([...alternatives])} here, not ${operandText(reason.found)}.`,
  }
}
