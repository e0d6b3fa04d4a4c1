/** AES rounds on a state of 16 bytes, column by column (Arm ARM, AESSubBytes and its relatives; FIPS 197). */
import { inverse, multiply, rotateByte } from './galois.ts'

/** x^8 + x^4 + x^3 + x + 1 */
const MODULUS = 0x11b

const substitution = Uint8Array.from({ length: 256 }, (_, a) => {
  const b = inverse(a, MODULUS)
  return b ^ rotateByte(b, 1) ^ rotateByte(b, 2) ^ rotateByte(b, 3) ^ rotateByte(b, 4) ^ 0x63
})
const inverseSubstitution = new Uint8Array(256)
substitution.forEach((to, from) => (inverseSubstitution[to] = from))

/** Products with a constant. */
const times = (factor: number): Uint8Array => Uint8Array.from({ length: 256 }, (_, a) => multiply(a, factor, MODULUS))
const [by1, by2, by3, by9, by11, by13, by14] = [1, 2, 3, 9, 11, 13, 14].map(times)

/** Row r of the state moves by r columns. */
const shiftedFrom = (i: number, direction: 1 | -1): number => (i + 4 * direction * (i & 3) + 16) & 15

type Bytes = (number: number) => number

/** AESE: SubBytes of ShiftRows. */
export const encryptRound = (state: Bytes): number[] =>
  Array.from({ length: 16 }, (_, i) => substitution[state(shiftedFrom(i, 1))] ?? 0)

/** AESD */
export const decryptRound = (state: Bytes): number[] =>
  Array.from({ length: 16 }, (_, i) => inverseSubstitution[state(shiftedFrom(i, -1))] ?? 0)

/** Each column times a circulant matrix with this first row. */
const mix =
  (row: readonly (Uint8Array | undefined)[]) =>
  (state: Bytes): number[] =>
    Array.from({ length: 16 }, (_, i) => {
      const column = i & ~3
      let sum = 0
      for (let k = 0; k < 4; k++) sum ^= row[k]?.[state(column + ((i + k) & 3))] ?? 0
      return sum
    })

/** AESMC */
export const mixColumns = mix([by2, by3, by1, by1])
/** AESIMC */
export const inverseMixColumns = mix([by14, by11, by13, by9])
