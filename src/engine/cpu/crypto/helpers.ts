/** Cryptographic instructions that compiled code calls out for: those of SM3 and SM4. */
import type { Registers } from '../state.ts'
import { sm3partw1, sm3partw2, sm3ss1, sm3tt1a, sm3tt1b, sm3tt2a, sm3tt2b, sm4e, sm4ekey } from './sm.ts'
import type { Words } from './sm.ts'

type Helper = (...args: number[]) => number

const OF_THREE: Readonly<Record<string, (d: Words, n: Words, m: Words) => Words>> = {
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

export function cryptoHelpers(registers: Registers): Record<string, Helper> {
  const words = new Int32Array(registers.u64.buffer)
  const word = (at: number, i: number): number => words[(at >>> 2) + i] ?? 0
  const wordsAt = (at: number): Words => [word(at, 0), word(at, 1), word(at, 2), word(at, 3)]
  const done = (at: number, values: Words): 0 => {
    words.set(values, at >>> 2)
    return 0
  }
  const helpers: Record<string, Helper> = {
    SM4E: (d = 0, n = 0) => done(d, sm4e(wordsAt(d), wordsAt(n))),
    SM3SS1: (d = 0, n = 0, m = 0, a = 0) => done(d, sm3ss1(wordsAt(n), wordsAt(m), wordsAt(a))),
  }
  for (const [name, step] of Object.entries(OF_THREE))
    helpers[name] = (d = 0, n = 0, m = 0) => done(d, step(wordsAt(d), wordsAt(n), wordsAt(m)))
  for (const [name, step] of Object.entries(OF_ELEMENT))
    helpers[name] = (d = 0, n = 0, m = 0, index = 0) => done(d, step(wordsAt(d), wordsAt(n), word(m, index)))
  return helpers
}
