/** What a kind of operand is: see `kinds.ts`. */
import type { Expression } from './expression.ts'
import type { Operand } from './operand.ts'

/** What a kind works with: the fields so far, and the values of expressions. */
export interface Match {
  readonly fields: Record<string, number>
  /** The address of the instruction. */
  readonly address: bigint
  readonly mnemonic: string
  value(expression: Expression): bigint | undefined
}

/** `undefined`: the operand is of the kind. Otherwise what was expected, or the reason as a sentence. */
export type Verdict = undefined | { readonly expected: string } | { readonly why: string }
export type Kind = (m: Match, operand: Operand | undefined, letters: string) => Verdict

export const expected = (what: string): Verdict => ({ expected: what })
export const why = (what: string): Verdict => ({ why: what })

export const set = (m: Match, letter: string | undefined, value: number): undefined => {
  if (letter !== undefined && letter !== '' && letter !== '-') m.fields[letter] = value
  return undefined
}

export const hex = (value: bigint): string => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`)

function inRange(value: bigint, low: number, high: number, scale: number): Verdict {
  if (value < BigInt(low) || value > BigInt(high))
    return why(`The immediate ${value} is out of range: ${low} to ${high}.`)
  if (value % BigInt(scale) !== 0n) return why(`The immediate ${value} is not a multiple of ${scale}.`)
  return undefined
}

/** An immediate from `low` to `high`, stored divided by `scale`; negative ones in two's complement. */
export const range = (low: number, high: number, scale = 1): Kind => {
  const span = (high - low) / scale + 1
  return (m, operand, letter) => {
    if (operand?.kind !== 'value') return expected('an immediate')
    const value = m.value(operand.expression)
    if (value === undefined) return expected('an immediate')
    const bad = inRange(value, low, high, scale)
    if (bad !== undefined) return bad
    const field = Number(value) / scale
    return set(m, letter, field < 0 ? field + span : field)
  }
}

/** `lsl #12` after an immediate and the like. */
export function amountOf(m: Match, operand: Operand | undefined, name: string): bigint | undefined {
  if (operand === undefined) return 0n
  if (operand.kind !== 'modifier' || operand.name !== name || operand.amount === undefined) return undefined
  return m.value(operand.amount)
}
