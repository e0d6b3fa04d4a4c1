/** Steps of SHA-1, SHA-256 and SHA-512 on vectors (Arm ARM, SHA1 and SHA256 instructions and SHAhash functions). Words of 32 bits are signed. */
import { rotateLeft, rotateRight } from './galois.ts'

/** Four words, the lowest first. */
export type Words = readonly [number, number, number, number]
/** Two halves of 64 bits, the lower first. */
export type Halves = readonly [bigint, bigint]

const choose = (x: number, y: number, z: number): number => ((y ^ z) & x) ^ z
const majority = (x: number, y: number, z: number): number => (x & y) | ((x | y) & z)
const odd = (x: number, y: number, z: number): number => x ^ y ^ z

type Combine = (x: number, y: number, z: number) => number

const sha1Hash =
  (combine: Combine) =>
  (x: Words, e: number, w: Words): Words => {
    let [x0, x1, x2, x3] = x
    for (const word of w) {
      const sum = (e + rotateLeft(x0, 5) + combine(x1, x2, x3) + word) | 0
      e = x3
      ;[x3, x2, x1, x0] = [x2, rotateLeft(x1, 30), x0, sum]
    }
    return [x0, x1, x2, x3]
  }
export const sha1c = sha1Hash(choose)
export const sha1p = sha1Hash(odd)
export const sha1m = sha1Hash(majority)

export const sha1su0 = (d: Words, n: Words, m: Words): Words => [
  d[2] ^ d[0] ^ m[0],
  d[3] ^ d[1] ^ m[1],
  n[0] ^ d[2] ^ m[2],
  n[1] ^ d[3] ^ m[3],
]

export const sha1su1 = (d: Words, n: Words): Words => {
  const t0 = d[0] ^ n[1]
  return [
    rotateLeft(t0, 1),
    rotateLeft(d[1] ^ n[2], 1),
    rotateLeft(d[2] ^ n[3], 1),
    rotateLeft(d[3], 1) ^ rotateLeft(t0, 2),
  ]
}

/** Both halves of the state after four rounds. */
export function sha256Hash(x: Words, y: Words, w: Words): { readonly x: Words; readonly y: Words } {
  let [x0, x1, x2, x3] = x
  let [y0, y1, y2, y3] = y
  for (const word of w) {
    const sigma1 = rotateRight(y0, 6) ^ rotateRight(y0, 11) ^ rotateRight(y0, 25)
    const t = (y3 + sigma1 + choose(y0, y1, y2) + word) | 0
    const sigma0 = rotateRight(x0, 2) ^ rotateRight(x0, 13) ^ rotateRight(x0, 22)
    const top = (t + sigma0 + majority(x0, x1, x2)) | 0
    const into = (x3 + t) | 0
    ;[y3, y2, y1, y0, x3, x2, x1, x0] = [y2, y1, y0, into, x2, x1, x0, top]
  }
  return { x: [x0, x1, x2, x3], y: [y0, y1, y2, y3] }
}

export const sha256su0 = (d: Words, n: Words): Words => {
  const next = (own: number, from: number): number =>
    (own + (rotateRight(from, 7) ^ rotateRight(from, 18) ^ (from >>> 3))) | 0
  return [next(d[0], d[1]), next(d[1], d[2]), next(d[2], d[3]), next(d[3], n[0])]
}

export const sha256su1 = (d: Words, n: Words, m: Words): Words => {
  const next = (own: number, other: number, from: number): number =>
    (own + other + (rotateRight(from, 17) ^ rotateRight(from, 19) ^ (from >>> 10))) | 0
  const low = next(d[0], n[1], m[2])
  const second = next(d[1], n[2], m[3])
  return [low, second, next(d[2], n[3], low), next(d[3], m[0], second)]
}

const mod64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const rotate64 = (value: bigint, right: bigint): bigint => (value >> right) | mod64(value << (64n - right))
const sigma = (value: bigint, a: bigint, b: bigint, c: bigint): bigint =>
  rotate64(value, a) ^ rotate64(value, b) ^ rotate64(value, c)
const choose64 = (x: bigint, y: bigint, z: bigint): bigint => ((y ^ z) & x) ^ z
const majority64 = (x: bigint, y: bigint, z: bigint): bigint => (x & y) ^ (x & z) ^ (y & z)

export const sha512h = (d: Halves, n: Halves, m: Halves): Halves => {
  const high = mod64(choose64(m[1], n[0], n[1]) + sigma(m[1], 14n, 18n, 41n) + d[1])
  const t = mod64(high + m[0])
  return [mod64(choose64(t, m[1], n[0]) + sigma(t, 14n, 18n, 41n) + d[0]), high]
}

export const sha512h2 = (d: Halves, n: Halves, m: Halves): Halves => {
  const high = mod64(majority64(n[0], m[1], m[0]) + sigma(m[0], 28n, 34n, 39n) + d[1])
  return [mod64(majority64(high, m[0], m[1]) + sigma(high, 28n, 34n, 39n) + d[0]), high]
}

export const sha512su0 = (d: Halves, n: Halves): Halves => {
  const next = (own: bigint, from: bigint): bigint =>
    mod64(own + (rotate64(from, 1n) ^ rotate64(from, 8n) ^ (from >> 7n)))
  return [next(d[0], d[1]), next(d[1], n[0])]
}

export const sha512su1 = (d: Halves, n: Halves, m: Halves): Halves => {
  const next = (own: bigint, other: bigint, from: bigint): bigint =>
    mod64(own + other + (rotate64(from, 19n) ^ rotate64(from, 61n) ^ (from >> 6n)))
  return [next(d[0], m[0], n[0]), next(d[1], m[1], n[1])]
}
