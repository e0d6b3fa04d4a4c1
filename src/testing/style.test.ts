/** The page's style: one language, and an order in which it wins. ARCHITECTURE.md, "How it looks". */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const STYLE = join(import.meta.dirname, '../app/style')
const read = (name: string): string => readFileSync(join(STYLE, name), 'utf8')
const FILES = readdirSync(STYLE).filter((name) => name.endsWith('.css'))
/** These say which colours and sizes there are. */
const WORDS: ReadonlySet<string> = new Set(['tokens.css', 'print.css'])

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '')

/** What stands outside of all layers and is no import. */
const unlayered = (text: string): string => {
  let depth = 0
  let outside = ''
  for (const sign of withoutComments(text).replace(/@import [^;]*;/g, '')) {
    if (sign === '{') depth += 1
    if (depth === 0) outside += sign
    if (sign === '}') depth -= 1
  }
  return outside
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ')
}

const COLOUR = /#[0-9a-f]{3,8}\b|\b(rgb|hsl)a?\(/
const OWN_SIZE = /^font(-size)?: (?!(\d+ )?var\(--t[1-5]\)).*\dpx/

/** Colours, and sizes of type, that are no token. In a mask, black is no colour but what is seen through. */
const ownWords = (text: string): readonly string[] =>
  withoutComments(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => (COLOUR.test(line) && !line.startsWith('#000 ')) || OWN_SIZE.test(line))

describe('style', () => {
  it('stands in the layers whose order is said once, so that a pane that comes late does not win over phone and paper', () => {
    const [, order = ''] = /@layer ([\w, ]+);/.exec(withoutComments(read('layers.css'))) ?? []
    const layers = order.split(', ')
    expect(layers).toEqual(['base', 'panes', 'phone', 'print'])
    for (const name of FILES.filter((file) => file !== 'layers.css')) {
      const special = /^(phone|print)\.css$/.exec(name)?.[1]
      const wanted = expect.stringMatching(special === undefined ? /^@layer (base|panes)$/ : `^@layer ${special}$`)
      expect({ name, outside: unlayered(read(name)) }).toEqual({ name, outside: wanted })
    }
  })

  it('is written in the words of the tokens: no pane has a colour or a size of type of its own', () => {
    const own = FILES.filter((name) => !WORDS.has(name)).flatMap((name) =>
      ownWords(read(name)).map((line) => `${name}: ${line}`),
    )
    expect(own).toEqual([])
    expect(
      ownWords('a {\n color: #123;\n font: 600 10px/15px var(--mono);\n font: var(--t1)/15px var(--mono);\n}'),
    ).toEqual(['color: #123;', 'font: 600 10px/15px var(--mono);'])
  })
})
