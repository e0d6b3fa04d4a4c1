/** Directives ("Using as", section 7): data, alignment, symbols, and the blocks of macros, repetitions and conditions. */
import type { Assembler } from './assemble.ts'
import { accept, isProblem, parseExpression, peek, shown } from './expression.ts'
import type { Cursor, Expression, Problem } from './expression.ts'
import { blockAt, expandEach, parseMacro, splitArguments } from './source-lines.ts'
import type { SourceLine } from './source-lines.ts'

export interface Directives {
  /** A directive that is one statement; the cursor stands after its name. */
  single(name: string, c: Cursor, line: SourceLine, column: number): Problem | undefined
  /** A block that opens in this line: does all of it and gives the index of its last line. */
  block(lines: readonly SourceLine[], start: number): number | undefined
  /** `.org` */
  moveTo(expression: Expression): Problem | undefined
}

const DATA: ReadonlyMap<string, number> = new Map([
  ['.byte', 1],
  ['.hword', 2],
  ['.short', 2],
  ['.2byte', 2],
  ['.word', 4],
  ['.long', 4],
  ['.int', 4],
  ['.4byte', 4],
  ['.inst', 4],
  ['.quad', 8],
  ['.xword', 8],
  ['.dword', 8],
  ['.8byte', 8],
])

/** They say things about an object file, of which there is none; there is one section. */
const IGNORED = new Set([
  '.text',
  '.data',
  '.bss',
  '.section',
  '.global',
  '.globl',
  '.local',
  '.weak',
  '.type',
  '.size',
  '.file',
  '.arch',
  '.cpu',
  '.arch_extension',
  '.ident',
  '.hidden',
  '.extern',
  '.cfi_startproc',
  '.cfi_endproc',
  '.pushsection',
  '.popsection',
  '.previous',
])

const NOP = 0xd503201f
const REPEATS = ['.rept', '.irp']
const CONDITIONS = ['.if', '.ifdef', '.ifndef', '.ifeq', '.ifne', '.else', '.elseif', '.endif']
const OPENS_CONDITION = CONDITIONS.slice(0, 5)
const MAX_REPEATS = 1_000_000n
const ENDS: ReadonlyMap<string, string> = new Map([
  ['.endm', '.macro'],
  ['.endr', '.rept'],
  ['.endif', '.if'],
  ['.else', '.if'],
  ['.elseif', '.if'],
])
const utf8 = new TextEncoder()

const isPowerOfTwo = (n: bigint): boolean => n > 0n && (n & (n - 1n)) === 0n

const ended = (c: Cursor): Problem | undefined =>
  peek(c).kind === 'end' ? undefined : { what: `The line should end before ${shown(peek(c))}.`, column: peek(c).column }

export function createDirectives(a: Assembler): Directives {
  const number = (c: Cursor): bigint | Problem => {
    const { column } = peek(c)
    const expression = parseExpression(c)
    if (isProblem(expression)) return expression
    const value = a.valueNow(expression)
    if (!isProblem(value)) return value.value
    return value.unknown === true
      ? { what: value.what.replace('is not defined', 'must be defined before it is used here'), column }
      : value
  }

  const numbers = (c: Cursor, most: number): (bigint | undefined)[] | Problem => {
    const values: (bigint | undefined)[] = []
    do {
      const next = peek(c)
      if (next.kind === 'mark' && next.text === ',') values.push(undefined)
      else {
        const value = number(c)
        if (typeof value !== 'bigint') return value
        values.push(value)
      }
    } while (values.length < most && accept(c, ','))
    return ended(c) ?? values
  }

  const data = (size: number, c: Cursor, line: SourceLine): Problem | undefined => {
    if (peek(c).kind === 'end') return undefined
    do {
      const { column } = peek(c)
      const expression = parseExpression(c)
      if (isProblem(expression)) return expression
      a.data(expression, size, line, column)
    } while (accept(c, ','))
    return ended(c)
  }

  const text = (zero: boolean, c: Cursor): Problem | undefined => {
    do {
      const token = peek(c)
      if (token.kind !== 'string')
        return { what: `A string in double quotes was expected, not ${shown(token)}.`, column: token.column }
      c.at++
      const bytes = utf8.encode(token.text)
      const at = a.output.length
      const problem = a.reserve(BigInt(bytes.length + (zero ? 1 : 0)), 0)
      if (problem !== undefined) return problem
      a.output.bytes(at, bytes)
    } while (accept(c, ','))
    return ended(c)
  }

  const align = (power: boolean, c: Cursor, column: number): Problem | undefined => {
    const values = peek(c).kind === 'end' ? [2n] : numbers(c, 3)
    if (isProblem(values)) return values
    const [written = 1n, fill, most] = values
    if (power && (written < 0n || written > 31n))
      return { what: `The alignment 2^${written} is out of range: 2^0 to 2^31.`, column }
    const unit = power ? 1n << written : written === 0n ? 1n : written
    if (!isPowerOfTwo(unit)) return { what: `The alignment ${unit} is not a power of two.`, column }
    const gap = -a.here() & (unit - 1n)
    if (most !== undefined && gap > most) return undefined
    const at = a.output.length
    const problem = a.reserve(gap, Number((fill ?? 0n) & 0xffn))
    if (problem !== undefined || fill !== undefined) return problem
    // Code may run into the gap: where an instruction fits, one that does nothing.
    const first = at + Number(-(a.origin + BigInt(at)) & 3n)
    for (let i = first; i + 4 <= a.output.length; i += 4) a.output.word(i, NOP)
    return undefined
  }

  const moveTo = (expression: Expression): Problem | undefined => {
    const value = a.valueNow(expression)
    if (isProblem(value)) return value
    // A plain number counts from the beginning of the program.
    return a.reserve(value.value + (value.labels === 0 ? a.origin : 0n) - a.here(), 0)
  }

  const equate = (once: boolean, c: Cursor): Problem | undefined => {
    const name = peek(c)
    if (name.kind !== 'name') return { what: `A symbol was expected, not ${shown(name)}.`, column: name.column }
    c.at++
    if (!accept(c, ','))
      return { what: `A comma and a value were expected, not ${shown(peek(c))}.`, column: peek(c).column }
    const expression = parseExpression(c)
    if (isProblem(expression)) return expression
    return ended(c) ?? a.define(name.text, expression, name.column, once)
  }

  const space = (c: Cursor): Problem | undefined => {
    const values = numbers(c, 2)
    if (isProblem(values)) return values
    return a.reserve(values[0] ?? 0n, Number((values[1] ?? 0n) & 0xffn))
  }

  /** `.fill repeat, size, value` */
  const fill = (c: Cursor, column: number): Problem | undefined => {
    const values = numbers(c, 3)
    if (isProblem(values)) return values
    const [repeat = 0n, size = 1n, value = 0n] = values
    if (size < 0n || size > 8n) return { what: `The size ${size} is out of range: 0 to 8.`, column }
    const at = a.output.length
    const problem = a.reserve(repeat * size, 0)
    if (problem !== undefined) return problem
    // Only the lower four bytes of the value are used, as GNU as does it.
    for (let i = 0; i < Number(repeat); i++) a.output.write(at + i * Number(size), Math.min(Number(size), 4), value)
    return undefined
  }

  const single: Directives['single'] = (name, c, line, column) => {
    const size = DATA.get(name)
    const placed = (problem: Problem | undefined): Problem | undefined =>
      problem === undefined || problem.column > 1 ? problem : { ...problem, column }
    if (size !== undefined) return data(size, c, line)
    if (IGNORED.has(name)) return undefined
    switch (name) {
      case '.ascii':
        return text(false, c)
      case '.asciz':
      case '.string':
        return text(true, c)
      case '.align':
      case '.p2align':
        return placed(align(true, c, column))
      case '.balign':
        return placed(align(false, c, column))
      case '.space':
      case '.skip':
      case '.zero':
        return placed(space(c))
      case '.fill':
        return placed(fill(c, column))
      case '.org': {
        const expression = parseExpression(c)
        return isProblem(expression) ? expression : placed(moveTo(expression))
      }
      case '.equ':
      case '.set':
        return equate(false, c)
      case '.equiv':
        return equate(true, c)
      case '.ltorg':
      case '.pool':
        return (a.flushLiterals(), undefined)
      case '.error': {
        const token = peek(c)
        return { what: token.kind === 'string' ? token.text : 'The source says .error.', column }
      }
      default: {
        const opening = ENDS.get(name)
        return {
          what:
            opening === undefined ? `'${name}' is not a known directive.` : `There is no ${opening} to this ${name}.`,
          column,
        }
      }
    }
  }

  const OPENING = /^(\s*(?:[\w.$]+:\s*)*)(\.macro|\.rept|\.irp|\.if|\.ifdef|\.ifndef|\.ifeq|\.ifne)(?![\w.$])(.*)$/i

  const block: Directives['block'] = (lines, start) => {
    const line = lines[start]
    const m = line?.text.includes('.') === true ? OPENING.exec(line.text) : null
    if (line === undefined || m === null) return undefined
    const [, before = '', written = '', rest = ''] = m
    const name = written.toLowerCase()
    const column = line.column + before.length
    const fail = (what: string): number => {
      a.report(line, { what, column })
      return lines.length
    }
    if (before.trim() !== '') a.run([{ ...line, text: before }])
    const argument = column + written.length
    if (name === '.macro') {
      const end = blockAt(lines, start, ['.macro'], '.endm')
      if (end === undefined) return fail('There is no .endm to this .macro.')
      const macro = parseMacro(rest, column, lines.slice(start + 1, end))
      if (isProblem(macro)) a.report(line, macro)
      else a.macros.set(macro.name, macro)
      return end
    }
    if (REPEATS.includes(name)) {
      const end = blockAt(lines, start, REPEATS, '.endr')
      if (end === undefined) return fail(`There is no .endr to this ${name}.`)
      const body = lines.slice(start + 1, end)
      if (name === '.irp') {
        const [variable = '', ...values] = splitArguments(rest)
        a.run(expandEach(variable, values, body))
        return end
      }
      const count = number(a.cursor(rest, argument))
      if (typeof count !== 'bigint') a.report(line, count)
      else if (count < 0n || count > MAX_REPEATS)
        a.report(line, { what: `${count} repetitions are out of range: 0 to ${MAX_REPEATS}.`, column })
      else for (let i = 0n; i < count; i++) a.run(body)
      return end
    }
    const end = blockAt(lines, start, OPENS_CONDITION, '.endif')
    if (end === undefined) return fail(`There is no .endif to this ${name}.`)
    runCondition(lines.slice(start, end), { name, rest, argument })
    return end
  }

  const holds = (name: string, rest: string, column: number): boolean | Problem => {
    if (name === '.ifdef' || name === '.ifndef') return a.isDefined(rest.trim()) === (name === '.ifdef')
    const value = number(a.cursor(rest, column))
    return typeof value !== 'bigint' ? value : (value !== 0n) === (name !== '.ifeq')
  }

  /** The lines of a condition without its `.endif`: runs the part that holds, if any. */
  const runCondition = (
    lines: readonly SourceLine[],
    opening: { name: string; rest: string; argument: number },
  ): void => {
    let part: { holds: boolean; from: number } | undefined
    let depth = 0
    let { name, rest, argument } = opening
    const first = lines[0]
    if (first === undefined) return
    const judged = (line: SourceLine): boolean => {
      const answer = holds(name, rest, argument)
      if (typeof answer === 'boolean') return answer
      a.report(line, answer)
      return false
    }
    part = { holds: judged(first), from: 1 }
    for (let i = 1; i < lines.length; i++) {
      const line = lines[i]
      const m = /^(\s*)(\.\w+)(.*)$/.exec(line?.text ?? '')
      const word = m?.[2]?.toLowerCase() ?? ''
      if (OPENS_CONDITION.includes(word)) depth++
      else if (word === '.endif') depth--
      if (depth > 0 || line === undefined || (word !== '.else' && word !== '.elseif')) continue
      if (part.holds) return a.run(lines.slice(part.from, i))
      name = '.if'
      rest = m?.[3] ?? ''
      argument = line.column + (m?.[1] ?? '').length + word.length
      part = { holds: word === '.else' || judged(line), from: i + 1 }
    }
    if (part.holds) a.run(lines.slice(part.from))
  }

  return { single, block, moveTo }
}
