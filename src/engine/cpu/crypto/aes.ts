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

/** Row r of the state moves by r columns: where each byte comes from. */
const shiftedFrom = (direction: 1 | -1): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => (i + 4 * direction * (i & 3) + 16) & 15)
const shiftRows = shiftedFrom(1)
const inverseShiftRows = shiftedFrom(-1)

/** What a step makes of a state, in an array that the next call uses again. */
type Step = (state: Uint8Array) => Uint8Array
const result = new Uint8Array(16)

const round =
  (from: Uint8Array, box: Uint8Array): Step =>
  (state) => {
    for (let i = 0; i < 16; i++) result[i] = box[state[from[i] ?? 0] ?? 0] ?? 0
    return result
  }

/** AESE: SubBytes of ShiftRows. */
export const encryptRound = round(shiftRows, substitution)
/** AESD */
export const decryptRound = round(inverseShiftRows, inverseSubstitution)

/** Each column times a circulant matrix whose first row is a, b, c, d. */
const mix =
  (a: Uint8Array, b: Uint8Array, c: Uint8Array, d: Uint8Array): Step =>
  (state) => {
    for (let i = 0; i < 16; i++) {
      const column = i & ~3
      const x = a[state[i] ?? 0] ?? 0
      const y = b[state[column | ((i + 1) & 3)] ?? 0] ?? 0
      const z = c[state[column | ((i + 2) & 3)] ?? 0] ?? 0
      result[i] = x ^ y ^ z ^ (d[state[column | ((i + 3) & 3)] ?? 0] ?? 0)
    }
    return result
  }

/** AESMC */
export const mixColumns = mix(times(2), times(3), times(1), times(1))
/** AESIMC */
export const inverseMixColumns = mix(times(14), times(11), times(13), times(9))
