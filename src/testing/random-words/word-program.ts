/**
 * A page of words to run, drawn at random. Seven of ten random words are no instruction of a CPU, and do the same whatever they
 * are: some of them stand in the page, the others are only told.
 */
import { record } from '../../engine/cpu/layout.ts'
import type { Decoder } from '../../pure/arch/a64/decoder.ts'
import { integerBits, Random } from '../oracle/operands.ts'
import { wordOfRow } from './words.ts'

/** One of so many words in the page is drawn by its row. */
const BY_ROW = 8
/** One of so many words that are no instruction stands in the page. */
const REJECTED = 64

export interface WordProgram {
  readonly words: Uint32Array
  /** Random words that are no instruction, and do not stand in the page. */
  readonly rejected: readonly number[]
  /** Random words that were drawn, those of rows not counted. */
  readonly drawn: number
  /** With translation most accesses reach RAM; without, they have to be aligned, as to a device. */
  readonly mapped: boolean
  readonly x: readonly bigint[]
  /** Halves of V0 to V31. */
  readonly v: readonly bigint[]
}

/** The program of a seed. Most registers point to one of 64 KiB from `data` on. */
export function makeWordProgram(seed: number, decoder: Decoder, data: number): WordProgram {
  const random = new Random(seed)
  const words = new Uint32Array(record.PER_PAGE)
  const rejected: number[] = []
  let drawn = 0
  for (let i = 0; i < words.length;) {
    const byRow = random.below(BY_ROW) === 0
    const word = byRow ? wordOfRow(random, decoder.rows) : random.u32()
    if (!byRow) drawn++
    if (!byRow && decoder.decode(word) === undefined && random.below(REJECTED) > 0) rejected.push(word)
    else words[i++] = word
  }
  const address = (): bigint => BigInt(data + 16 * random.below(4096))
  return {
    words,
    rejected,
    drawn,
    mapped: random.below(2) === 0,
    x: Array.from({ length: 31 }, () => (random.below(3) > 0 ? address() : integerBits(random, 64))),
    v: Array.from({ length: 64 }, () => random.u64()),
  }
}
