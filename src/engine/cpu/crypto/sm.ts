/** Steps of SM3 and SM4 on vectors (Arm ARM C7.2, SM3 and SM4 instructions; GB/T 32905 and GB/T 32907). */
import { inverse, parity, rotateByte, rotateLeft } from '../../../pure/arch/a64/crypto/galois.ts'

/** Four words, the lowest first. */
export type Words = readonly [number, number, number, number]

const majority = (x: number, y: number, z: number): number => (x & y) | (x & z) | (y & z)
const choose = (x: number, y: number, z: number): number => (x & y) | (~x & z)
const odd = (x: number, y: number, z: number): number => x ^ y ^ z

export const sm3ss1 = (n: Words, m: Words, a: Words): Words => [
  0,
  0,
  0,
  rotateLeft((rotateLeft(n[3], 12) + m[3] + a[3]) | 0, 7),
]

/** SM3TT1A, SM3TT1B: `word` is the element of the message. */
const tt1 =
  (combine: typeof odd) =>
  (d: Words, n: Words, word: number): Words => {
    const ss2 = n[3] ^ rotateLeft(d[3], 12)
    return [d[1], rotateLeft(d[2], 9), d[3], (combine(d[1], d[3], d[2]) + d[0] + ss2 + word) | 0]
  }
export const sm3tt1a = tt1(odd)
export const sm3tt1b = tt1(majority)

/** SM3TT2A, SM3TT2B */
const tt2 =
  (combine: typeof odd) =>
  (d: Words, n: Words, word: number): Words => {
    const t = (combine(d[3], d[2], d[1]) + d[0] + n[3] + word) | 0
    return [d[1], rotateLeft(d[2], 19), d[3], t ^ rotateLeft(t, 9) ^ rotateLeft(t, 17)]
  }
export const sm3tt2a = tt2(odd)
export const sm3tt2b = tt2(choose)

const spread = (t: number): number => t ^ rotateLeft(t, 15) ^ rotateLeft(t, 23)

export const sm3partw1 = (d: Words, n: Words, m: Words): Words => {
  const low = spread(d[0] ^ n[0] ^ rotateLeft(m[1], 15))
  const second = spread(d[1] ^ n[1] ^ rotateLeft(m[2], 15))
  const third = spread(d[2] ^ n[2] ^ rotateLeft(m[3], 15))
  return [low, second, third, spread(d[3] ^ n[3] ^ rotateLeft(low, 15))]
}

export const sm3partw2 = (d: Words, n: Words, m: Words): Words => {
  const t = n.map((word, i) => word ^ rotateLeft(m[i] ?? 0, 7))
  const [t0 = 0, t1 = 0, t2 = 0, t3 = 0] = t
  return [d[0] ^ t0, d[1] ^ t1, d[2] ^ t2, d[3] ^ t3 ^ spread(rotateLeft(t0, 15))]
}

/** x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1 */
const MODULUS = 0x1f5
/** A circulant matrix by its first row, and the constant of the affine transformations around the inversion. */
const MATRIX = 0xa7
const CONSTANT = 0xd3

const affine = (a: number): number => {
  let result = 0
  for (let bit = 0; bit < 8; bit++) result |= parity(a & rotateByte(MATRIX, bit)) << bit
  return result ^ CONSTANT
}
const substitution = Uint8Array.from({ length: 256 }, (_, a) => affine(inverse(affine(a), MODULUS)))

const substitute = (word: number): number => {
  let result = 0
  for (let at = 0; at < 32; at += 8) result |= (substitution[(word >>> at) & 0xff] ?? 0) << at
  return result
}

/** Four rounds, each with a word of the key. */
const rounds =
  (linear: (t: number) => number) =>
  (state: Words, key: Words): Words => {
    let [x0, x1, x2, x3] = state
    for (const word of key) {
      const next = x0 ^ linear(substitute(x3 ^ x2 ^ x1 ^ word))
      ;[x0, x1, x2, x3] = [x1, x2, x3, next]
    }
    return [x0, x1, x2, x3]
  }

export const sm4e = rounds((t) => t ^ rotateLeft(t, 2) ^ rotateLeft(t, 10) ^ rotateLeft(t, 18) ^ rotateLeft(t, 24))
export const sm4ekey = rounds((t) => t ^ rotateLeft(t, 13) ^ rotateLeft(t, 23))
