/** Text to tokens. Columns count from 1. */

export interface Token {
  /** `local` is a reference to a numeric label (`1b`, `2f`); `end` stands after the last token. */
  readonly kind: 'name' | 'number' | 'float' | 'local' | 'string' | 'mark' | 'bad' | 'end'
  /** As written; of a string, its value. */
  readonly text: string
  readonly column: number
  /** Of a number. */
  readonly value: bigint
}

const TOKEN =
  /(?:([A-Za-z_.$][\w.$]*)|([0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?)|(0[xX][0-9A-Fa-f]+|0[bB][01]+(?![0-9])|[0-9]+)([bf](?![\w.$]))?|"((?:[^"\\]|\\.)*)"|'(\\.|[^'\\])'?|(<<|>>|==|!=|<>|<=|>=|&&|\|\||[-+*/%&|^~!<>()[\]{}#,:=\\@])|(\S))/y

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

const unescaped = (text: string): string =>
  text.replace(/\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))/g, (_, hex?: string, octal?: string, other?: string) =>
    hex !== undefined
      ? String.fromCharCode(Number.parseInt(hex, 16))
      : octal !== undefined
        ? String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
        : (ESCAPES[other ?? ''] ?? other ?? ''),
  )

/** A leading 0 means octal, as everywhere in C and its assemblers. */
const numeric = (text: string): bigint | undefined =>
  /^0[0-9]+$/.test(text) ? (/^[0-7]+$/.test(text) ? BigInt(`0o${text}`) : undefined) : BigInt(text)

const isBlank = (code: number): boolean => code === 0x20 || (code >= 9 && code <= 13)

export function lex(text: string, firstColumn: number): Token[] {
  const tokens: Token[] = []
  let at = 0
  for (;;) {
    while (isBlank(text.charCodeAt(at))) at++
    TOKEN.lastIndex = at
    const m = TOKEN.exec(text)
    if (m === null) break
    tokens.push(tokenOf(m, firstColumn + at))
    at = TOKEN.lastIndex
  }
  tokens.push({ kind: 'end', text: '', column: firstColumn + text.trimEnd().length, value: 0n })
  return tokens
}

function tokenOf(m: RegExpExecArray, column: number): Token {
  const [all, name, float, number, suffix, string, character, mark] = m
  if (name !== undefined) return { kind: 'name', text: name, column, value: 0n }
  if (float !== undefined) return { kind: 'float', text: float, column, value: 0n }
  if (mark !== undefined) return { kind: 'mark', text: mark, column, value: 0n }
  if (number !== undefined) {
    if (suffix !== undefined) return { kind: 'local', text: number + suffix, column, value: 0n }
    const value = numeric(number)
    return value === undefined
      ? { kind: 'bad', text: number, column, value: 0n }
      : { kind: 'number', text: number, column, value }
  }
  if (string !== undefined) return { kind: 'string', text: unescaped(string), column, value: 0n }
  if (character === undefined) return { kind: 'bad', text: all, column, value: 0n }
  return { kind: 'number', text: all, column, value: BigInt(unescaped(character).codePointAt(0) ?? 0) }
}

const COMMENT = /"(?:[^"\\\n]|\\.)*"|'(?:\\.|[^'\\\n])'|\/\*[^]*?(?:\*\/|(?![^]))|\/\/[^\n]*|^[ \t]*#[^\n]*/gm

/** Blanks out comments; lines and columns stay where they are. */
export const withoutComments = (source: string): string =>
  source.replace(COMMENT, (text) => (/^["']/.test(text) ? text : text.replace(/[^\n]/g, ' ')))
