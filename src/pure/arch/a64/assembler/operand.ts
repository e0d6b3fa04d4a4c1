/** The operands of an instruction, as they are written. */
import { accept, isProblem, parseExpression, peek, shown } from './expression.ts'
import type { Cursor, Expression, Problem } from './expression.ts'

export interface Register {
  readonly kind: 'register'
  readonly name: string
  readonly width: 32 | 64
  /** 31 is ZR, or SP where `sp` is set. */
  readonly number: number
  readonly sp: boolean
  readonly column: number
}

export type Operand =
  | Register
  /** `#expr`, `expr`; `name` where it is nothing but a word (a label, a condition, a system register…). */
  | { readonly kind: 'value'; readonly expression: Expression; readonly name?: string; readonly column: number }
  | { readonly kind: 'modifier'; readonly name: string; readonly amount?: Expression; readonly column: number }
  | {
      readonly kind: 'memory'
      readonly base: Register
      readonly rest: readonly Operand[]
      readonly writeback: boolean
      readonly column: number
    }
  | { readonly kind: 'literal'; readonly expression: Expression; readonly column: number }
  /** B0 to Q31. */
  | {
      readonly kind: 'scalar'
      readonly name: string
      readonly letter: string
      readonly number: number
      readonly column: number
    }
  /** `v0.4s`, `v0.s[1]`, `{v0.4s, v1.4s}`, `{v0.s, v1.s}[1]`; of several registers the arrangement is the same. */
  | {
      readonly kind: 'vector'
      readonly registers: readonly number[]
      readonly arrangement: string
      readonly list: boolean
      readonly index?: Expression
      readonly column: number
    }
  | { readonly kind: 'float'; readonly value: number; readonly column: number }

const SHIFTS = ['lsl', 'lsr', 'asr', 'ror']
const EXTENDS = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx']
/** Their positions are their encodings. */
export const modifiers = { shifts: SHIFTS, extends: EXTENDS } as const
const MODIFIERS = new Set([...SHIFTS, ...EXTENDS, 'msl'])

const SPECIAL: Readonly<Record<string, readonly [32 | 64, number, boolean]>> = {
  xzr: [64, 31, false],
  wzr: [32, 31, false],
  sp: [64, 31, true],
  wsp: [32, 31, true],
  lr: [64, 30, false],
  fp: [64, 29, false],
  ip0: [64, 16, false],
  ip1: [64, 17, false],
}

const registers = new Map<string, Omit<Register, 'column'>>()
for (let n = 0; n <= 30; n++) {
  registers.set(`x${n}`, { kind: 'register', name: `x${n}`, width: 64, number: n, sp: false })
  registers.set(`w${n}`, { kind: 'register', name: `w${n}`, width: 32, number: n, sp: false })
}
for (const [name, [width, number, sp]] of Object.entries(SPECIAL))
  registers.set(name, { kind: 'register', name, width, number, sp })

export const isRegisterName = (name: string): boolean => registers.has(name.toLowerCase())

const SCALAR = /^([bhsdq])([0-9]|[12][0-9]|3[01])$/
const VECTOR = /^v([0-9]|[12][0-9]|3[01])\.([0-9]*[bhsdq])$/

const scalarOf = (name: string, column: number): Operand | undefined => {
  const [, letter, number] = SCALAR.exec(name) ?? []
  return letter === undefined ? undefined : { kind: 'scalar', name, letter, number: Number(number), column }
}

function vectorOf(c: Cursor): { number: number; arrangement: string } | Problem {
  const token = peek(c)
  const [, number, arrangement] = VECTOR.exec(token.text.toLowerCase()) ?? []
  if (arrangement === undefined)
    return { what: `A vector register was expected before ${shown(token)}.`, column: token.column }
  c.at++
  return { number: Number(number), arrangement }
}

/** The index of an element, where one is written. */
function elementIndex(c: Cursor): { index?: Expression } | Problem {
  if (!accept(c, '[')) return {}
  const index = parseExpression(c)
  if (isProblem(index)) return index
  return accept(c, ']') ? { index } : { what: `A ']' is missing before ${shown(peek(c))}.`, column: peek(c).column }
}

/** `{v0.4s, v1.4s}` or `{v0.4s-v3.4s}`, with the index of an element behind it or not. */
function vectorList(c: Cursor, column: number): Operand | Problem {
  const first = vectorOf(c)
  if (isProblem(first)) return first
  const numbers = [first.number]
  const isRange = accept(c, '-')
  while (isRange ? numbers.length === 1 : accept(c, ',')) {
    const next = vectorOf(c)
    if (isProblem(next)) return next
    if (next.arrangement !== first.arrangement)
      return { what: 'The vectors of a list have one arrangement.', column: peek(c).column }
    const count = isRange ? (next.number - first.number + 32) % 32 : 1
    for (let i = 1; i < count; i++) numbers.push((first.number + i) % 32)
    numbers.push(next.number)
  }
  if (!accept(c, '}')) return { what: `A '}' is missing before ${shown(peek(c))}.`, column: peek(c).column }
  const index = elementIndex(c)
  if (isProblem(index)) return index
  return { kind: 'vector', registers: numbers, arrangement: first.arrangement, list: true, ...index, column }
}

function floatOf(c: Cursor, column: number): Operand | undefined {
  let at = c.at
  const text = (): string | undefined => c.tokens[at]?.text
  if (text() === '#') at++
  const negative = text() === '-'
  if (negative) at++
  const token = c.tokens[at]
  if (token?.kind !== 'float') return undefined
  c.at = at + 1
  return { kind: 'float', value: negative ? -Number(token.text) : Number(token.text), column }
}

function memory(c: Cursor, column: number): Operand | Problem {
  const parts: Operand[] = []
  do {
    const part = parseOperand(c)
    if (isProblem(part)) return part
    parts.push(part)
  } while (accept(c, ','))
  if (!accept(c, ']')) return { what: `A ']' is missing before ${shown(peek(c))}.`, column: peek(c).column }
  const [base, ...rest] = parts
  if (base?.kind !== 'register')
    return { what: 'An address begins with its base register, as in [x0].', column: base?.column ?? column }
  return { kind: 'memory', base, rest, writeback: accept(c, '!'), column }
}

function parseOperand(c: Cursor): Operand | Problem {
  const token = peek(c)
  const { column } = token
  if (accept(c, '[')) return memory(c, column)
  if (accept(c, '=')) {
    const expression = parseExpression(c)
    return isProblem(expression) ? expression : { kind: 'literal', expression, column }
  }
  if (accept(c, '{')) return vectorList(c, column)
  const float = floatOf(c, column)
  if (float !== undefined) return float
  if (token.kind === 'name') {
    const lower = token.text.toLowerCase()
    const scalar = scalarOf(lower, column)
    if (scalar !== undefined) return (c.at++, scalar)
    if (VECTOR.test(lower)) {
      const vector = vectorOf(c)
      if (isProblem(vector)) return vector
      const index = elementIndex(c)
      if (isProblem(index)) return index
      return {
        kind: 'vector',
        registers: [vector.number],
        arrangement: vector.arrangement,
        list: false,
        ...index,
        column,
      }
    }
    const register = registers.get(lower)
    if (register !== undefined) return (c.at++, { ...register, column })
    if (MODIFIERS.has(lower)) {
      c.at++
      const next = peek(c)
      if (next.kind === 'end' || (next.kind === 'mark' && (next.text === ',' || next.text === ']')))
        return { kind: 'modifier', name: lower, column }
      accept(c, '#')
      const amount = parseExpression(c)
      return isProblem(amount) ? amount : { kind: 'modifier', name: lower, amount, column }
    }
  }
  const hash = accept(c, '#')
  const expression = parseExpression(c)
  if (isProblem(expression)) return expression
  if (expression.op === 'symbol' && !hash) return { kind: 'value', expression, name: expression.name, column }
  return { kind: 'value', expression, column }
}

/** All operands up to the end of the statement. */
export function parseOperands(c: Cursor): Operand[] | Problem {
  const operands: Operand[] = []
  if (peek(c).kind === 'end') return operands
  do {
    const next = parseOperand(c)
    if (isProblem(next)) return next
    operands.push(next)
  } while (accept(c, ','))
  const rest = peek(c)
  return rest.kind === 'end' ? operands : { what: `A comma was expected before ${shown(rest)}.`, column: rest.column }
}

export function operandText(operand: Operand | undefined): string {
  if (operand === undefined) return 'nothing'
  switch (operand.kind) {
    case 'register':
    case 'modifier':
    case 'scalar':
      return `'${operand.name}'`
    case 'memory':
      return 'an address in brackets'
    case 'literal':
      return 'a literal (=)'
    case 'vector':
      return operand.list ? 'a list of vectors' : 'a vector'
    case 'float':
      return 'a floating-point number'
    case 'value':
      return operand.name === undefined ? 'a number' : `'${operand.name}'`
  }
}
