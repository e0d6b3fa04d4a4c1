/** Finds the row of an instruction word. */
import type { Row } from './row.ts'

export interface Decoder {
  readonly rows: readonly Row[]
  /** `undefined`: the encoding is unallocated, UNDEFINED to the guest. */
  decode(word: number): Row | undefined
}

const bitCount = (n: number): number => {
  let count = 0
  for (; n !== 0; n &= n - 1) count++
  return count
}

/** Bits 31:21: those in which nearly all encodings differ. */
const INDEX_SHIFT = 21

export function createDecoder(rows: readonly Row[]): Decoder {
  const byFixedBits = rows.toSorted((a, b) => bitCount(b.mask) - bitCount(a.mask))
  const buckets: (readonly Row[])[] = []
  for (let index = 0; index < 1 << (32 - INDEX_SHIFT); index++) {
    const word = index << INDEX_SHIFT
    const fixed = -1 << INDEX_SHIFT
    buckets.push(byFixedBits.filter((row) => ((word ^ row.match) & row.mask & fixed) === 0))
  }
  return {
    rows,
    decode: (word) => {
      for (const row of buckets[word >>> INDEX_SHIFT] ?? []) if (row.matches(word)) return row
      return undefined
    },
  }
}
