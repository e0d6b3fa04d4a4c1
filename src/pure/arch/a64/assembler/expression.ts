/** Expressions, with the operators and precedences of GNU as ("Using as", section 6, Expressions). */
import type { Token } from './lexer.ts'

export type Expression =
  | { readonly op: 'number'; readonly value: bigint }
  | { readonly op: 'symbol'; readonly name: string; readonly column: number }
  | { readonly op: 'unary'; readonly sign: string; readonly a: Expression }
  | {
      readonly op: 'binary'
      readonly sign: string
      readonly a: Expression
      readonly b: Expression
      readonly column: number
    }

/** `labels` says how many labels are in the sum: 1 is an address, 0 is a plain number (or a distance). */
export interface Value {
  readonly value: bigint
  readonly labels: number
}

/** A mistake in the source, found at a column of the line at hand. */
export interface Problem {
  readonly what: string
  readonly column: number
  /** A symbol that may still come. */
  readonly unknown?: true
}

export interface Scope {
  lookup(name: string): Value | undefined
}

/** Reads tokens one by one; `local` gives the name that a numeric label's reference stands for. */
export interface Cursor {
  readonly tokens: readonly Token[]
  at: number
  readonly local: (reference: string) => string
}

const END: Token = { kind: 'end', text: '', column: 1, value: 0n }

export const peek = (c: Cursor): Token => c.tokens[c.at] ?? c.tokens.at(-1) ?? END

export const accept = (c: Cursor, mark: string): boolean => {
  const token = peek(c)
  if (token.kind !== 'mark' || token.text !== mark) return false
  c.at++
  return true
}

export const shown = (token: Token): string =>
  token.kind === 'end' ? 'the end of the line' : token.kind === 'string' ? `"${token.text}"` : `'${token.text}'`

export const isProblem = (x: object): x is Problem => 'what' in x

const PRECEDENCE: Readonly<Record<string, number>> = {
  '*': 5,
  '/': 5,
  '%': 5,
  '<<': 5,
  '>>': 5,
  '|': 4,
  '&': 4,
  '^': 4,
  '+': 3,
  '-': 3,
  '==': 3,
  '!=': 3,
  '<>': 3,
  '<': 3,
  '>': 3,
  '<=': 3,
  '>=': 3,
  '&&': 2,
  '||': 1,
}

function primary(c: Cursor): Expression | Problem {
  const token = peek(c)
  if (token.kind === 'number') return (c.at++, { op: 'number', value: token.value })
  if (token.kind === 'name') return (c.at++, { op: 'symbol', name: token.text, column: token.column })
  if (token.kind === 'local') return (c.at++, { op: 'symbol', name: c.local(token.text), column: token.column })
  if (token.kind === 'mark' && ['-', '+', '~', '!'].includes(token.text)) {
    c.at++
    const a = primary(c)
    return isProblem(a) ? a : { op: 'unary', sign: token.text, a }
  }
  if (accept(c, '(')) {
    const inner = parseExpression(c)
    if (isProblem(inner)) return inner
    return accept(c, ')') ? inner : { what: `A ')' is missing before ${shown(peek(c))}.`, column: peek(c).column }
  }
  if (accept(c, ':')) {
    const name = peek(c)
    if (name.text !== 'lo12')
      return { what: `Of the relocations only :lo12: is known, not ${shown(name)}.`, column: name.column }
    c.at++
    if (!accept(c, ':')) return { what: `A ':' is missing after :lo12.`, column: peek(c).column }
    const a = parseExpression(c)
    return isProblem(a) ? a : { op: 'unary', sign: 'lo12', a }
  }
  return { what: `A number, a symbol or '(' was expected, not ${shown(token)}.`, column: token.column }
}

export function parseExpression(c: Cursor, floor = 1): Expression | Problem {
  let a = primary(c)
  for (;;) {
    if (isProblem(a)) return a
    const token = peek(c)
    const level = token.kind === 'mark' ? (PRECEDENCE[token.text] ?? 0) : 0
    if (level < floor) return a
    c.at++
    const b = parseExpression(c, level + 1)
    if (isProblem(b)) return b
    a = { op: 'binary', sign: token.text, a, b, column: token.column }
  }
}

const truth = (holds: boolean): bigint => (holds ? -1n : 0n)

/** What does not keep a sum of labels and numbers a sum. `undefined`: a division by zero. */
function combined(sign: string, a: bigint, b: bigint): bigint | undefined {
  switch (sign) {
    case '*':
      return a * b
    case '/':
      return b === 0n ? undefined : a / b
    case '%':
      return b === 0n ? undefined : a % b
    // Beyond 64 bits there is nothing left to shift out or in.
    case '<<':
      return b < 0n || b > 64n ? 0n : a << b
    case '>>':
      return b < 0n || b > 64n ? 0n : BigInt.asUintN(64, a) >> b
    case '|':
      return a | b
    case '&':
      return a & b
    case '^':
      return a ^ b
    case '==':
      return truth(a === b)
    case '!=':
    case '<>':
      return truth(a !== b)
    case '<':
      return truth(a < b)
    case '>':
      return truth(a > b)
    case '<=':
      return truth(a <= b)
    case '>=':
      return truth(a >= b)
    case '&&':
      return a !== 0n && b !== 0n ? 1n : 0n
    default:
      return a !== 0n || b !== 0n ? 1n : 0n
  }
}

const PAGE_OFFSET = 0xfffn

export function evaluate(e: Expression, scope: Scope): Value | Problem {
  switch (e.op) {
    case 'number':
      return { value: e.value, labels: 0 }
    case 'symbol':
      return (
        scope.lookup(e.name) ?? {
          what: `The symbol '${written(e.name)}' is not defined.`,
          column: e.column,
          unknown: true,
        }
      )
    case 'unary': {
      const a = evaluate(e.a, scope)
      if (isProblem(a)) return a
      if (e.sign === '-') return { value: -a.value, labels: -a.labels }
      if (e.sign === '+') return a
      if (e.sign === 'lo12') return { value: a.value & PAGE_OFFSET, labels: 0 }
      return { value: e.sign === '~' ? ~a.value : a.value === 0n ? 1n : 0n, labels: 0 }
    }
    case 'binary': {
      const a = evaluate(e.a, scope)
      if (isProblem(a)) return a
      const b = evaluate(e.b, scope)
      if (isProblem(b)) return b
      if (e.sign === '+') return { value: a.value + b.value, labels: a.labels + b.labels }
      if (e.sign === '-') return { value: a.value - b.value, labels: a.labels - b.labels }
      const value = combined(e.sign, a.value, b.value)
      return value === undefined ? { what: 'This divides by zero.', column: e.column } : { value, labels: 0 }
    }
  }
}

/** Numeric labels are kept under a name that cannot be written: `1` and which of them it is. */
const HIDDEN = '\u0000'
export const localName = (digits: string, nth: number): string => `${digits}${HIDDEN}${nth}`
export const isHidden = (name: string): boolean => name.includes(HIDDEN)
const written = (name: string): string => name.split(HIDDEN)[0] ?? name

/** The same text for the same expression, so that literals can be shared. */
export const keyOf = (e: Expression): string =>
  e.op === 'number'
    ? e.value.toString()
    : e.op === 'symbol'
      ? e.name
      : e.op === 'unary'
        ? `${e.sign}(${keyOf(e.a)})`
        : `(${keyOf(e.a)}${e.sign}${keyOf(e.b)})`
