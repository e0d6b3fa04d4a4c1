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

const SHIFTS = ['lsl', 'lsr', 'asr', 'ror']
const EXTENDS = ['uxtb', 'uxth', 'uxtw', 'uxtx', 'sxtb', 'sxth', 'sxtw', 'sxtx']
/** Their positions are their encodings. */
export const modifiers = { shifts: SHIFTS, extends: EXTENDS } as const
const MODIFIERS = new Set([...SHIFTS, ...EXTENDS])

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
  if (token.kind === 'name') {
    const lower = token.text.toLowerCase()
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
      return `'${operand.name}'`
    case 'memory':
      return 'an address in brackets'
    case 'literal':
      return 'a literal (=)'
    case 'value':
      return operand.name === undefined ? 'a number' : `'${operand.name}'`
  }
}
