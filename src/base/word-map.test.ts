import * as fc from '../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { WordMap } from './word-map.ts'

describe('a map of words', () => {
  it('holds what a Map holds, of words that collide too', () => {
    // Multiples of 2^20 share all the bits that most hashes look at.
    const word = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }),
      fc.nat(4095).map((n) => n * 2 ** 20),
    )
    const kept = fc.nat(2 ** 31 - 2)
    fc.assert(
      fc.property(fc.array(fc.tuple(word, kept), { maxLength: 10_000 }), (entries) => {
        const ours = new WordMap()
        const plain = new Map<number, number>()
        for (const [key, value] of entries) {
          ours.set(key, value)
          plain.set(key >>> 0, value)
        }
        expect(ours.size).toBe(plain.size)
        for (const [key, value] of plain) expect([ours.get(key), ours.get(key | 0)]).toEqual([value, value])
      }),
    )
  })

  it('knows nothing of other words, and of none once it is cleared', () => {
    const map = new WordMap()
    for (let n = 0; n < 10_000; n++) map.set(n * 3, n)
    expect([1, 2, 30_000, -3].map((key) => map.get(key))).toEqual([-1, -1, -1, -1])
    map.clear()
    expect([map.size, map.get(0), map.get(3)]).toEqual([0, -1, -1])
  })
})
