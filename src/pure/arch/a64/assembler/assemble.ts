/**
 * An assembler for A64 in the syntax of GNU as, with one section. Encodings come from the instruction rows.
 * What can be encoded at once is; what waits for a symbol of later is a fix-up, done at the end.
 */
import { createDirectives } from './directives.ts'
import { encode } from './encode.ts'
import type { Instruction } from './encode.ts'
import { evaluate, isHidden, isProblem, keyOf, localName, parseExpression, peek, shown } from './expression.ts'
import type { Cursor, Expression, Problem, Scope, Value } from './expression.ts'
import { lex, withoutComments } from './lexer.ts'
import { isRegisterName, parseOperands } from './operand.ts'
import type { Operand } from './operand.ts'
import { createOutput } from './output.ts'
import type { Output } from './output.ts'
import { expandMacro, splitLines, splitStatements } from './source-lines.ts'
import type { Macro, SourceLine } from './source-lines.ts'

export interface AssemblyError {
  /** From 1. */
  readonly line: number
  readonly column: number
  /** One sentence. */
  readonly what: string
}

export type Assembly =
  | {
      readonly ok: true
      readonly bytes: Uint8Array
      /** Labels by their addresses, and the symbols of `.equ` by their values, where a number can hold them. */
      readonly symbols: ReadonlyMap<string, number>
      /** The source line of every instruction, by its address. */
      readonly lines: ReadonlyMap<number, number>
    }
  | { readonly ok: false; readonly errors: readonly AssemblyError[] }

/** What directives work on. */
export interface Assembler {
  readonly output: Output
  readonly origin: bigint
  here(): bigint
  /** The value now, and a problem where a symbol is not known yet. */
  valueNow(expression: Expression): Value | Problem
  /** Adds data whose value may come later. */
  data(expression: Expression, size: number, line: SourceLine, column: number): void
  define(name: string, expression: Expression, column: number, once: boolean): Problem | undefined
  isDefined(name: string): boolean
  flushLiterals(): void
  reserve(bytes: bigint, fill: number): Problem | undefined
  readonly macros: Map<string, Macro>
  cursor(text: string, column: number): Cursor
  /** Assembles lines that a directive made. */
  run(lines: readonly SourceLine[]): void
  report(line: SourceLine, problem: Problem): void
}

const MAX_ERRORS = 100
const MAX_DEPTH = 100
const MAX_LINES = 1_000_000
const DATA_ALIGN = { 4: 4n, 8: 8n } as const

interface Fixup {
  readonly line: SourceLine
  apply(): Problem | undefined
}

interface Literal {
  readonly name: string
  readonly size: 4 | 8
  readonly expression: Expression
  readonly line: SourceLine
  readonly column: number
}

export function assemble(source: string, origin: number | bigint): Assembly {
  const base = BigInt(origin)
  const output = createOutput()
  const errors: AssemblyError[] = []
  const symbols = new Map<string, Value | Expression>()
  const labels = new Set<string>()
  const locals = new Map<string, number>()
  const lines = new Map<number, number>()
  const fixups: Fixup[] = []
  const macros = new Map<string, Macro>()
  let literals = new Map<string, Literal>()
  let literalCount = 0
  let macroCount = 0
  let depth = 0
  let linesLeft = MAX_LINES

  const here = (): bigint => base + BigInt(output.length)
  const report = (line: SourceLine, { what, column }: Problem): void => {
    if (errors.length < MAX_ERRORS) errors.push({ line: line.number, column, what: what + line.context })
  }

  const resolving = new Set<string>()
  const scopeAt = (address: bigint): Scope => {
    const scope: Scope = {
      lookup: (name) => {
        if (name === '.') return { value: address, labels: 1 }
        const known = symbols.get(name)
        if (known === undefined || 'labels' in known) return known
        // A symbol that was defined by one of later: by way of itself, it has no value.
        if (resolving.has(name)) return undefined
        resolving.add(name)
        const value = evaluate(known, scope)
        resolving.delete(name)
        return isProblem(value) ? undefined : value
      },
    }
    return scope
  }
  const now = scopeAt(0n)
  const scopeHere = (): Scope => scopeAt(here())

  const cursor = (text: string, column: number): Cursor => ({
    tokens: lex(text, column),
    at: 0,
    local: (reference) => {
      const digits = reference.slice(0, -1)
      return localName(digits, (locals.get(digits) ?? 0) + (reference.endsWith('f') ? 1 : 0))
    },
  })

  const label = (name: string, column: number): Problem | undefined => {
    if (isRegisterName(name)) return { what: `'${name}' is a register and cannot be a label.`, column }
    if (symbols.has(name)) return { what: `The symbol '${name}' is defined already.`, column }
    symbols.set(name, { value: here(), labels: 1 })
    labels.add(name)
    return undefined
  }

  const instruction = (mnemonic: string, operands: readonly Operand[], line: SourceLine, column: number): void => {
    const address = here()
    const at = output.length
    if (address % 4n !== 0n)
      return report(line, { what: `An instruction lies at a multiple of 4; use .balign 4 before it.`, column })
    if (!output.append(4)) return report(line, { what: 'The program is larger than 64 MiB.', column })
    lines.set(Number(address), line.number)
    const what: Instruction = { mnemonic, operands, address, column }
    const scope = scopeAt(address)
    const apply = (): Problem | undefined => {
      const word = encode(what, scope)
      if (typeof word !== 'number') return word
      output.word(at, word)
      return undefined
    }
    const problem = apply()
    if (problem?.unknown === true) fixups.push({ line, apply })
    else if (problem !== undefined) report(line, problem)
  }

  /** `ldr x0, =expr`: the value goes to the pool, and the load is one from a label there. */
  const literal = (operands: readonly Operand[], line: SourceLine): Operand[] => {
    const [register, what] = operands
    if (register?.kind !== 'register' || what?.kind !== 'literal') return [...operands]
    const size = register.width === 64 ? 8 : 4
    const value = evaluate(what.expression, scopeHere())
    const constant =
      !isProblem(value) && value.labels === 0
        ? BigInt.asUintN(8 * size, value.value).toString()
        : keyOf(what.expression)
    const key = `${size}:${constant}`
    let entry = literals.get(key)
    if (entry === undefined) {
      entry = { name: localName('=', literalCount++), size, expression: what.expression, line, column: what.column }
      literals.set(key, entry)
    }
    const expression = { op: 'symbol', name: entry.name, column: what.column } as const
    return [register, { kind: 'value', expression, name: entry.name, column: what.column }]
  }

  const assembler: Assembler = {
    output,
    origin: base,
    here,
    macros,
    cursor,
    report,
    valueNow: (expression) => evaluate(expression, scopeHere()),
    data: (expression, size, line, column) => {
      const at = output.length
      const scope = scopeHere()
      if (!output.append(size)) return report(line, { what: 'The program is larger than 64 MiB.', column })
      const bits = BigInt(8 * size)
      const apply = (): Problem | undefined => {
        const value = evaluate(expression, scope)
        if (isProblem(value)) return value
        if (value.value >= 1n << bits || value.value < -(1n << (bits - 1n)))
          return { what: `The value ${value.value} does not fit ${size} byte${size === 1 ? '' : 's'}.`, column }
        output.write(at, size, value.value)
        return undefined
      }
      const problem = apply()
      if (problem?.unknown === true) fixups.push({ line, apply })
      else if (problem !== undefined) report(line, problem)
    },
    define: (name, expression, column, once) => {
      if (isRegisterName(name)) return { what: `'${name}' is a register and cannot be a symbol.`, column }
      if (labels.has(name) || (once && symbols.has(name)))
        return { what: `The symbol '${name}' is defined already.`, column }
      const value = evaluate(expression, scopeHere())
      if (isProblem(value) && value.unknown !== true) return value
      symbols.set(name, isProblem(value) ? expression : value)
      return undefined
    },
    isDefined: (name) => symbols.has(name),
    flushLiterals: () => {
      const pending = [...literals.values()]
      literals = new Map()
      for (const size of [4, 8] as const) {
        const entries = pending.filter((entry) => entry.size === size)
        if (entries.length === 0) continue
        output.append(Number(-here() & (DATA_ALIGN[size] - 1n)))
        for (const { name, expression, line, column } of entries) {
          symbols.set(name, { value: here(), labels: 1 })
          assembler.data(expression, size, line, column)
        }
      }
    },
    reserve: (bytes, fill) => {
      if (bytes < 0n) return { what: `The location would move back by ${-bytes} bytes.`, column: 1 }
      const room = bytes <= BigInt(Number.MAX_SAFE_INTEGER) && output.append(Number(bytes), fill)
      return room ? undefined : { what: `The program would grow by ${bytes} bytes, beyond 64 MiB.`, column: 1 }
    },
    run: (more) => run(more),
  }
  const directives = createDirectives(assembler)

  /** One statement; `more` gives the lines after it to directives that open a block. */
  const statement = (line: SourceLine): void => {
    const c = cursor(line.text, line.column)
    for (;;) {
      const [token, next] = [peek(c), c.tokens[c.at + 1]]
      if (next?.text !== ':' || next.kind !== 'mark' || (token.kind !== 'name' && token.kind !== 'number')) break
      c.at += 2
      if (token.kind === 'number') {
        const nth = (locals.get(token.text) ?? 0) + 1
        locals.set(token.text, nth)
        symbols.set(localName(token.text, nth), { value: here(), labels: 1 })
      } else {
        const problem = label(token.text, token.column)
        if (problem !== undefined) return report(line, problem)
      }
    }
    const first = peek(c)
    if (first.kind === 'end') return
    if (first.kind !== 'name')
      return report(line, {
        what: `A label, an instruction or a directive was expected, not ${shown(first)}.`,
        column: first.column,
      })
    c.at++
    const assigned = peek(c)
    if (assigned.kind === 'mark' && assigned.text === '=') {
      c.at++
      return assign(first.text, c, line, first.column)
    }
    const lower = first.text.toLowerCase()
    const macro = macros.get(lower)
    if (macro !== undefined) {
      const text = line.text.slice(first.column - line.column + first.text.length)
      const expanded = expandMacro(macro, text, { ...line, column: first.column }, macroCount++)
      return isProblem(expanded) ? report(line, expanded) : run(expanded)
    }
    if (lower.startsWith('.')) {
      const problem = directives.single(lower, c, line, first.column)
      return problem === undefined ? undefined : report(line, problem)
    }
    const operands = parseOperands(c)
    if (isProblem(operands)) return report(line, operands)
    instruction(lower, lower === 'ldr' ? literal(operands, line) : operands, line, first.column)
  }

  const assign = (name: string, c: Cursor, line: SourceLine, column: number): void => {
    const expression = parseExpression(c)
    if (isProblem(expression)) return report(line, expression)
    if (peek(c).kind !== 'end')
      return report(line, { what: `The line ends before ${shown(peek(c))}.`, column: peek(c).column })
    if (name === '.') {
      const problem = directives.moveTo(expression)
      return problem === undefined ? undefined : report(line, { ...problem, column })
    }
    const problem = assembler.define(name, expression, column, false)
    if (problem !== undefined) report(line, problem)
  }

  const run = (all: readonly SourceLine[]): void => {
    const [first] = all
    if (first === undefined) return
    if (depth >= MAX_DEPTH) return report(first, { what: 'Macros are nested too deeply.', column: first.column })
    depth++
    for (let i = 0; i < all.length && errors.length < MAX_ERRORS; i++) {
      const line = all[i]
      if (line === undefined || line.text.trim() === '') continue
      if (--linesLeft === 0) {
        const what = 'The macros and repetitions come to more than a million lines.'
        report(line, { what, column: line.column })
      }
      if (linesLeft <= 0) break
      const end = directives.block(all, i)
      if (end !== undefined) i = end
      else for (const one of splitStatements(line)) statement(one)
    }
    depth--
  }

  run(splitLines(withoutComments(source)))
  assembler.flushLiterals()
  for (const { line, apply } of fixups) {
    const problem = apply()
    if (problem !== undefined) report(line, problem)
  }
  if (errors.length > 0) return { ok: false, errors: errors.toSorted((a, b) => a.line - b.line || a.column - b.column) }

  const numbers = new Map<string, number>()
  for (const name of symbols.keys()) {
    // Names with .L are for the source alone, as with GNU as.
    const value = isHidden(name) || name.startsWith('.L') ? undefined : now.lookup(name)?.value
    if (value !== undefined && BigInt(Number(value)) === value) numbers.set(name, Number(value))
  }
  return { ok: true, bytes: output.finish(), symbols: numbers, lines }
}
