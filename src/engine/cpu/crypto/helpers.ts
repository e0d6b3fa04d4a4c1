/** Cryptographic instructions that compiled code calls out for. */
import type { Registers } from '../state.ts'
import { decryptRound, encryptRound, inverseMixColumns, mixColumns } from './aes.ts'
import { carrylessProduct, rotateLeft } from './galois.ts'
import {
  sha1c,
  sha1m,
  sha1p,
  sha1su0,
  sha1su1,
  sha256Hash,
  sha256su0,
  sha256su1,
  sha512h,
  sha512h2,
  sha512su0,
  sha512su1,
} from './sha.ts'
import type { Halves, Words } from './sha.ts'
import { sm3partw1, sm3partw2, sm3ss1, sm3tt1a, sm3tt1b, sm3tt2a, sm3tt2b, sm4e, sm4ekey } from './sm.ts'

type Helper = (...args: number[]) => number

/** Of two vectors: the destination, which is read too, and a source. */
const OF_TWO: Readonly<Record<string, (d: Words, n: Words) => Words>> = {
  SHA1SU1: sha1su1,
  SHA256SU0: sha256su0,
  SM4E: sm4e,
}
const OF_THREE: Readonly<Record<string, (d: Words, n: Words, m: Words) => Words>> = {
  SHA1C: (d, n, m) => sha1c(d, n[0], m),
  SHA1P: (d, n, m) => sha1p(d, n[0], m),
  SHA1M: (d, n, m) => sha1m(d, n[0], m),
  SHA1SU0: sha1su0,
  SHA256H: (d, n, m) => sha256Hash(d, n, m).x,
  SHA256H2: (d, n, m) => sha256Hash(n, d, m).y,
  SHA256SU1: sha256su1,
  SM3PARTW1: sm3partw1,
  SM3PARTW2: sm3partw2,
  SM4EKEY: (_d, n, m) => sm4ekey(n, m),
}
const OF_ELEMENT: Readonly<Record<string, (d: Words, n: Words, word: number) => Words>> = {
  SM3TT1A: sm3tt1a,
  SM3TT1B: sm3tt1b,
  SM3TT2A: sm3tt2a,
  SM3TT2B: sm3tt2b,
}
const OF_HALVES: Readonly<Record<string, (d: Halves, n: Halves, m: Halves) => Halves>> = {
  SHA512H: sha512h,
  SHA512H2: sha512h2,
  SHA512SU1: sha512su1,
}

export function cryptoHelpers(registers: Registers): Record<string, Helper> {
  const { buffer } = registers.u64
  const bytes = new Uint8Array(buffer)
  const words = new Int32Array(buffer)
  const halves = new BigUint64Array(buffer)
  const word = (at: number, i: number): number => words[(at >>> 2) + i] ?? 0
  const wordsAt = (at: number): Words => [word(at, 0), word(at, 1), word(at, 2), word(at, 3)]
  const halvesAt = (at: number): Halves => [halves[at >>> 3] ?? 0n, halves[(at >>> 3) + 1] ?? 0n]
  const done = <T extends number | bigint>(
    to: { set(values: ArrayLike<T>, at: number): void },
    at: number,
    values: ArrayLike<T>,
  ): 0 => {
    to.set(values, at)
    return 0
  }

  const state = new Uint8Array(16)
  /** The state with the round key added. */
  const keyed = (d: number, n: number): Uint8Array => {
    for (let i = 0; i < 16; i++) state[i] = (bytes[d + i] ?? 0) ^ (bytes[n + i] ?? 0)
    return state
  }

  const plain = (n: number): Uint8Array => {
    for (let i = 0; i < 16; i++) state[i] = bytes[n + i] ?? 0
    return state
  }

  const helpers: Record<string, Helper> = {
    AESE: (d = 0, n = 0) => done(bytes, d, encryptRound(keyed(d, n))),
    AESD: (d = 0, n = 0) => done(bytes, d, decryptRound(keyed(d, n))),
    AESMC: (d = 0, n = 0) => done(bytes, d, mixColumns(plain(n))),
    AESIMC: (d = 0, n = 0) => done(bytes, d, inverseMixColumns(plain(n))),
    'PMULL (doublewords)': (upper = 0, d = 0, n = 0, m = 0) => {
      const first = 2 * upper
      const [a, b] = [word(n, first), word(n, first + 1)]
      return done(words, d >>> 2, carrylessProduct(a, b, word(m, first), word(m, first + 1)))
    },
    SHA1H: (d = 0, n = 0) => done(words, d >>> 2, [rotateLeft(word(n, 0), 30), 0, 0, 0]),
    SHA512SU0: (d = 0, n = 0) => done(halves, d >>> 3, sha512su0(halvesAt(d), halvesAt(n))),
    SM3SS1: (d = 0, n = 0, m = 0, a = 0) => done(words, d >>> 2, sm3ss1(wordsAt(n), wordsAt(m), wordsAt(a))),
  }
  for (const [name, step] of Object.entries(OF_TWO))
    helpers[name] = (d = 0, n = 0) => done(words, d >>> 2, step(wordsAt(d), wordsAt(n)))
  for (const [name, step] of Object.entries(OF_THREE))
    helpers[name] = (d = 0, n = 0, m = 0) => done(words, d >>> 2, step(wordsAt(d), wordsAt(n), wordsAt(m)))
  for (const [name, step] of Object.entries(OF_ELEMENT))
    helpers[name] = (d = 0, n = 0, m = 0, index = 0) =>
      done(words, d >>> 2, step(wordsAt(d), wordsAt(n), word(m, index)))
  for (const [name, step] of Object.entries(OF_HALVES))
    helpers[name] = (d = 0, n = 0, m = 0) => done(halves, d >>> 3, step(halvesAt(d), halvesAt(n), halvesAt(m)))
  return helpers
}
