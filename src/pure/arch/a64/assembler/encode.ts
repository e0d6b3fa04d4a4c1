/** One instruction: its operands against the forms of its mnemonic. */
import { evaluate, isProblem } from './expression.ts'
import type { Expression, Problem, Scope, Value } from './expression.ts'
import type { Match } from './kinds.ts'
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

function tryForm(form: Form, instruction: Instruction, scope: Scope): number | Miss {
  const { operands, column } = instruction
  const unresolved: { problem?: Problem } = {}
  const value = (expression: Expression): Value | undefined => {
    const v = evaluate(expression, scope)
    if (!isProblem(v)) return v
    unresolved.problem = v
    return undefined
  }
  const m: Match = {
    fields: { ...form.fixed },
    address: instruction.address,
    mnemonic: instruction.mnemonic,
    value: (expression) => value(expression)?.value,
    isAddress: (expression) => (value(expression)?.labels ?? 1) === 1,
  }
  for (const [depth, pattern] of form.operands.entries()) {
    const found = operands[depth]
    if (found === undefined && pattern.optional) continue
    const verdict = pattern.kind(m, found, pattern.letters)
    if (verdict === undefined) continue
    // A reason counts for more than a mismatch of kinds, which another form may not have.
    if (unresolved.problem !== undefined) return { depth: depth + 0.75, problem: unresolved.problem }
    const problem = { what: '', column: found?.column ?? operands.at(-1)?.column ?? column }
    if ('why' in verdict) return { depth: depth + 0.5, problem: { ...problem, what: verdict.why } }
    return { depth, problem, expected: verdict.expected, found }
  }
  const extra = operands[form.operands.length]
  if (extra !== undefined) {
    const what = `'${instruction.mnemonic}' takes no ${operandText(extra)} here.`
    return { depth: form.operands.length, problem: { what, column: extra.column } }
  }
  const word = form.row.encode(m.fields)
  return word ?? { depth: 0, problem: { what: `'${instruction.mnemonic}' has no encoding with these operands.`, column } }
}

const listed = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`

/** The word of an instruction, or the best reason why there is none. */
export function encode(instruction: Instruction, scope: Scope): number | Problem {
  const { mnemonic, column } = instruction
  const misses: Miss[] = []
  const forms = formsOf(mnemonic)
  if (forms === undefined) return { what: `'${mnemonic}' is not a known instruction.`, column }
  for (const form of forms) {
    const word = tryForm(form, instruction, scope)
    if (typeof word === 'number') return word
    misses.push(word)
  }
  const deepest = Math.max(...misses.map((miss) => miss.depth))
  const best = misses.filter((miss) => miss.depth === deepest)
  const reason = best.find((miss) => miss.expected === undefined) ?? best[0]
  if (reason === undefined || reason.expected === undefined) return reason?.problem ?? { what: '', column }
  const alternatives = new Set(best.flatMap((miss) => miss.expected ?? []))
  return { ...reason.problem, what: `'${mnemonic}' wants ${listed([...alternatives])} here, not ${operandText(reason.found)}.` }
}
