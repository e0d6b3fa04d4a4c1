/** Text to tokens. Columns count from 1. */

export interface Token {
  /** `local` is a reference to a numeric label (`1b`, `2f`); `end` stands after the last token. */
  readonly kind: 'name' | 'number' | 'local' | 'string' | 'mark' | 'bad' | 'end'
  /** As written; of a string, its value. */
  readonly text: string
  readonly column: number
  /** Of a number. */
  readonly value: bigint
}

const TOKEN =
  /\s*(?:([A-Za-z_.$][\w.$]*)|(0[xX][0-9A-Fa-f]+|0[bB][01]+(?![0-9])|[0-9]+)([bf](?![\w.$]))?|"((?:[^"\\]|\\.)*)"|'(\\.|[^'\\])'?|(<<|>>|==|!=|<>|<=|>=|&&|\|\||[-+*/%&|^~!<>()[\]{}#,:=\\@])|(\S))/y

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

export function lex(text: string, firstColumn: number): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (;;) {
    const start = TOKEN.lastIndex
    const m = TOKEN.exec(text)
    if (m === null) break
    const column = firstColumn + start + m[0].length - m[0].trimStart().length
    const add = (kind: Token['kind'], what: string, value = 0n): void => void tokens.push({ kind, text: what, column, value })
    const [, name, number, suffix, string, character, mark, bad] = m
    if (name !== undefined) add('name', name)
    else if (number !== undefined) {
      const value = numeric(number)
      if (suffix !== undefined) add('local', number + suffix)
      else if (value === undefined) add('bad', number)
      else add('number', number, value)
    } else if (string !== undefined) add('string', unescaped(string))
    else if (character !== undefined) add('number', m[0].trim(), BigInt(unescaped(character).codePointAt(0) ?? 0))
    else if (mark !== undefined) add('mark', mark)
    else add('bad', bad ?? '')
  }
  tokens.push({ kind: 'end', text: '', column: firstColumn + text.trimEnd().length, value: 0n })
  return tokens
}

const COMMENT = /"(?:[^"\\\n]|\\.)*"|'(?:\\.|[^'\\\n])'|\/\*[^]*?(?:\*\/|(?![^]))|\/\/[^\n]*|^[ \t]*#[^\n]*/gm

/** Blanks out comments; lines and columns stay where they are. */
export const withoutComments = (source: string): string =>
  source.replace(COMMENT, (text) => (/^["']/.test(text) ? text : text.replace(/[^\n]/g, ' ')))
