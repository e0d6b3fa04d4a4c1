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

export const LOOKUP_TABLES = {
  /** Polynomials reflected: bit 31 is the coefficient of 1. */
  crc32: remainders(0xedb8_8320),
  crc32c: remainders(0x82f6_3b78),
} as const

export type LookupTable = keyof typeof LOOKUP_TABLES
