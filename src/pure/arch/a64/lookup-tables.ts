/** Tables that instructions look something up in: 32-bit entries, computed once from what the manual says they are. */

/** The remainders of the bytes, and behind them those of the bytes with one to seven zero bytes after them (CRC32, C6.2). */
function remainders(polynomial: number): Uint32Array {
  const table = new Uint32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? polynomial : 0)
    table[byte] = crc
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256] ?? 0
    table[i] = (before >>> 8) ^ (table[before & 0xff] ?? 0)
  }
  return table
}

/** RecipEstimate(): 256 <= a < 512 stands for 0.5 <= a/512 < 1; so does the result, for 1 to 2 in steps of 1/256. */
function reciprocal(a: number): number {
  const b = Math.floor(2 ** 19 / (a * 2 + 1))
  return Math.floor((b + 1) / 2)
}

/** RecipSqrtEstimate(): 128 <= a < 512 stands for 0.25 <= a/512 < 1. */
function reciprocalRoot(a: number): number {
  const middle = a < 256 ? a * 2 + 1 : ((a >> 1) * 2 + 1) * 2
  let b = 512
  while (middle * (b + 1) * (b + 1) < 2 ** 28) b++
  return Math.floor((b + 1) / 2)
}

export const LOOKUP_TABLES = {
  /** Polynomials reflected: bit 31 is the coefficient of 1. */
  crc32: remainders(0xedb8_8320),
  crc32c: remainders(0x82f6_3b78),
  /** Eight bits behind the point of an estimate, by eight bits of an operand's fraction. */
  reciprocal: Uint32Array.from({ length: 256 }, (_, fraction) => reciprocal(256 + fraction) & 0xff),
  /** The same, by the last bit of an operand's exponent, as it is biased, and eight bits of its fraction. */
  reciprocalRoot: Uint32Array.from(
    { length: 512 },
    (_, i) => reciprocalRoot(i < 256 ? 256 + i : 128 + ((i - 256) >> 1)) & 0xff,
  ),
} as const

export type LookupTable = keyof typeof LOOKUP_TABLES
