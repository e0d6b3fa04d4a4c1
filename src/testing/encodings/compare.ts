/** Our decoder, disassembler and assembler beside GNU binutils, word by word. */
import { createDecoder } from '../../pure/arch/a64/decoder.ts'
import { disassemble } from '../../pure/arch/a64/disassembler.ts'
import type { Row } from '../../pure/arch/a64/row.ts'
import { rows } from '../../pure/arch/a64/rows/index.ts'
import type { Random } from '../oracle/operands.ts'
import { gnuAssemble, objdump, undefinedText } from './binutils.ts'
import { NO_TEXT, ONLY_OURS, ONLY_THEIRS, PREFERENCES, UNNAMED } from './differences.ts'

const ADDRESS = 0x4008_0000

export interface Comparison {
  readonly samples: number
  /** Rows of which there was a sample. */
  readonly rows: ReadonlySet<Row>
  /** Words that one knows and the other does not, or that are written differently: as sentences. */
  readonly wrong: readonly string[]
}

const decoder = createDecoder(rows)
const hex = (n: number): string => `0x${n.toString(16).padStart(8, '0')}`

/** Numbers are compared, not how they are written. */
export const normal = (text: string): string =>
  text
    .toLowerCase()
    .replace(/#(-?[0-9]+\.[0-9]+(?:e[-+]\d+)?)/g, (_, digits: string) => `#<${Number(digits)}>`)
    .replace(/#?(-?)(\b0x[0-9a-f]+\b|(?<=#-?)\d+)/g, (_, sign: string, digits: string) => `#${sign}${BigInt(digits)}`)

const preferred = (text: string): string => PREFERENCES.reduce((all, { from, to }) => all.replace(from, to), text)

const isNotTaken = (text: string): boolean =>
  PREFERENCES.some(({ from, reassembles }) => reassembles === false && from.test(text))

const isOnlyTheirs = (word: number, text: string): boolean =>
  ONLY_THEIRS.some(
    ({ bits, text: pattern }) =>
      (bits !== undefined && (word & bits[0]) >>> 0 === bits[1]) || pattern?.test(text) === true,
  )

/** Words of every row, in turn, with all other bits at random. */
export function wordsOfRows(random: Random, count: number): number[] {
  const words: number[] = []
  for (let i = 0; words.length < count; i++) {
    const row = rows[i % rows.length]
    if (row === undefined) break
    for (let attempt = 0; attempt < 50; attempt++) {
      const word = (row.match | (random.u32() & ~row.mask)) >>> 0
      if (decoder.decode(word) !== row) continue
      words.push(word)
      break
    }
  }
  return words
}

export const anyWords = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.u32())

export function compare(words: readonly number[]): Comparison {
  const theirs = objdump(words, ADDRESS)
  const ours = words.map((word, i) => disassemble(word, ADDRESS + 4 * i))
  const found = new Set<Row>()
  const wrong: string[] = []
  const known: number[] = []
  words.forEach((word, i) => {
    const row = decoder.decode(word)
    const [mine, their] = [ours[i] ?? '', theirs[i] ?? '']
    const isUndefined = their.startsWith(undefinedText)
    if (row === undefined) {
      if (!isUndefined && !isOnlyTheirs(word, their)) wrong.push(`${hex(word)} is ${their}, and here undefined`)
      return
    }
    found.add(row)
    if (isUndefined) {
      if (!ONLY_OURS.some(({ row: name }) => name.test(row.name)))
        wrong.push(`${hex(word)} is ${mine} here (${row.name}), and undefined to objdump`)
    } else if (mine.startsWith(undefinedText)) {
      if (!NO_TEXT.some(({ row: name }) => name.test(row.name)))
        wrong.push(`${hex(word)} (${row.name}) is ${their}, and has no text here`)
    } else {
      known.push(i)
      if (!UNNAMED.test(mine) && normal(preferred(mine)) !== normal(preferred(their)))
        wrong.push(`${hex(word)} (${row.name}) is ${their}, and here ${mine}`)
    }
  })
  const assembled = gnuAssemble(textOf(words, ours, new Set(known)), ADDRESS)
  for (const i of known) {
    const word = words[i] ?? 0
    const back = assembled[i]
    if (back === word || isNotTaken(ours[i] ?? '')) continue
    wrong.push(`${hex(word)}: as makes ${typeof back === 'number' ? hex(back) : `an error (${back})`} of ${ours[i]}`)
  }
  return { samples: words.length, rows: found, wrong }
}

/** Our text where there is one, the bare word elsewhere, so that every line has its place. */
const textOf = (words: readonly number[], ours: readonly string[], known: ReadonlySet<number>): string[] =>
  words.map((word, i) => (known.has(i) ? relative(ours[i] ?? '', ADDRESS + 4 * i) : `.inst ${hex(word)}`))

/** The target of a branch relative to itself: of an address alone GNU's linker makes nothing. */
const relative = (text: string, address: number): string =>
  text.replace(
    /^((?:b|bl|b\.\w+|cbn?z|tbn?z|adrp?|ldr|ldrsw|prfm)\b.*?)\b(0x[0-9a-f]+)$/,
    (all, before: string, target: string) =>
      /[[#]$/.test(before) || before.endsWith('-')
        ? all
        : `${before}. + ${BigInt.asIntN(64, BigInt(target) - BigInt(address))}`,
  )
