/** Lines as they are assembled: macros and repetitions unrolled. */
import type { Problem } from './expression.ts'

export interface SourceLine {
  readonly text: string
  /** From 1: where it is written, also inside a macro. */
  readonly number: number
  /** Column of the first character of `text`. */
  readonly column: number
  /** Said after an error in this line: the macro and where it is used. */
  readonly context: string
}

export interface Macro {
  readonly name: string
  readonly parameters: readonly { readonly name: string; readonly fallback: string | undefined }[]
  readonly body: readonly SourceLine[]
}

export const splitLines = (source: string): SourceLine[] =>
  source.split('\n').map((text, i) => ({ text: text.replace(/\r$/, ''), number: i + 1, column: 1, context: '' }))

/** Statements of a line, which `;` separates. */
export function splitStatements(line: SourceLine): SourceLine[] {
  if (!line.text.includes(';')) return [line]
  const statements: SourceLine[] = []
  for (const m of line.text.matchAll(/(?:"(?:[^"\\]|\\.)*"|'(?:\\.|[^'])|[^;"'])+/g)) {
    statements.push({ ...line, text: m[0], column: line.column + m.index })
  }
  return statements
}

const word = (text: string): string => /^\s*(?:[\w.$]+:\s*)*([.\w]+)/.exec(text)?.[1]?.toLowerCase() ?? ''

/** The lines of a block up to its end, inner blocks of the same kind included; `undefined` where the end is missing. */
export function blockAt(
  lines: readonly SourceLine[],
  start: number,
  opens: readonly string[],
  close: string,
): number | undefined {
  let depth = 0
  for (let i = start; i < lines.length; i++) {
    const first = word(lines[i]?.text ?? '')
    if (opens.includes(first)) depth++
    else if (first === close && --depth === 0) return i
  }
  return undefined
}

export function parseMacro(header: string, column: number, body: readonly SourceLine[]): Macro | Problem {
  const m = /^\s*([A-Za-z_.$][\w.$]*)\s*,?\s*(.*)$/.exec(header)
  if (m === null) return { what: 'A macro needs a name.', column }
  const parameters: { name: string; fallback: string | undefined }[] = []
  for (const part of splitArguments(m[2] ?? '', /[\s,]/)) {
    const p = /^([A-Za-z_][\w$]*)(?::req)?(?:=(.*))?$/.exec(part)
    if (p === null) return { what: `'${part}' is not a macro parameter.`, column }
    parameters.push({ name: p[1] ?? '', fallback: p[2] })
  }
  return { name: (m[1] ?? '').toLowerCase(), parameters, body }
}

/** Arguments between separators outside of quotes, parentheses and brackets. */
export function splitArguments(text: string, separator = /,/): string[] {
  const parts: string[] = []
  let depth = 0
  let quoted = false
  let current = ''
  for (const [i, c] of [...text].entries()) {
    if (c === '"' && text[i - 1] !== '\\') quoted = !quoted
    if (!quoted && '([{'.includes(c)) depth++
    if (!quoted && ')]}'.includes(c)) depth--
    if (!quoted && depth === 0 && separator.test(c)) {
      parts.push(current.trim())
      current = ''
    } else current += c
  }
  parts.push(current.trim())
  return separator.source === ',' ? (text.trim() === '' ? [] : parts) : parts.filter((part) => part !== '')
}

const substituted = (
  lines: readonly SourceLine[],
  values: ReadonlyMap<string, string>,
  nth: number,
  context: string,
): SourceLine[] =>
  lines.map((line) => ({
    ...line,
    text: line.text.includes('\\')
      ? line.text.replace(/\\(?:(\(\))|(@)|([A-Za-z_][\w$]*))/g, (all, empty?: string, at?: string, name?: string) =>
          empty !== undefined ? '' : at !== undefined ? String(nth) : (values.get(name ?? '') ?? all),
        )
      : line.text,
    context,
  }))

/** The body with the arguments in place; `\@` is the number of this use. */
export function expandMacro(macro: Macro, text: string, use: SourceLine, nth: number): SourceLine[] | Problem {
  const values = new Map<string, string>()
  let position = 0
  for (const written of splitArguments(text)) {
    // Quotes only hold an argument together; `"\a"` in the body makes a string of it again.
    const argument = /^"(.*)"$/.exec(written)?.[1] ?? written
    const keyed = /^([A-Za-z_][\w$]*)=(.*)$/.exec(written)
    if (keyed !== null && macro.parameters.some((p) => p.name === keyed[1]))
      values.set(keyed[1] ?? '', (keyed[2] ?? '').trim())
    else {
      const parameter = macro.parameters[position++]
      if (parameter === undefined) {
        return {
          what: `The macro '${macro.name}' takes ${macro.parameters.length} arguments, not more.`,
          column: use.column,
        }
      }
      if (argument !== '') values.set(parameter.name, argument)
    }
  }
  for (const { name, fallback } of macro.parameters) if (!values.has(name)) values.set(name, fallback ?? '')
  return substituted(macro.body, values, nth, ` (In macro '${macro.name}', used in line ${use.number}.)`)
}

/** `.irp`: the body once for every value. */
export const expandEach = (name: string, values: readonly string[], body: readonly SourceLine[]): SourceLine[] =>
  values.flatMap((value) =>
    body.map((line) => ({ ...line, text: line.text.replaceAll(`\\${name}`, value).replaceAll('\\()', '') })),
  )
