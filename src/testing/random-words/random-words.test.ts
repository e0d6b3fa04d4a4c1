/** Random words, as a hostile guest has them: nothing throws, hangs or leaves RAM, and both tiers do the same. */
import { describe, expect, it } from 'vitest'
import { createDecoder } from '../../pure/arch/a64/decoder.ts'
import { disassemble } from '../../pure/arch/a64/disassembler.ts'
import { rows } from '../../pure/arch/a64/rows/index.ts'
import { Random } from '../oracle/operands.ts'
import { WordFuzzer } from './word-fuzzer.ts'
import { randomWord } from './words.ts'

const PAGES = 24

describe('random words', () => {
  it('are decoded and written without a mistake', () => {
    const decoder = createDecoder(rows)
    const random = new Random(31)
    let decoded = 0
    let empty = 0
    for (let i = 0; i < 100_000; i++) {
      const word = randomWord(random)
      const row = decoder.decode(word)
      if (row !== undefined) {
        row.operandsOf(word)
        decoded++
      }
      if (i % 20 === 0) empty += disassemble(word, 0x1000) === '' ? 1 : 0
    }
    expect(decoded).toBeGreaterThan(30_000)
    expect(empty).toBe(0)
  })

  it.each(['cortex-a57', 'cortex-a76', 'max'] as const)(
    'do the same in both tiers of a %s',
    { timeout: 120_000 },
    (model) => {
      const fuzzer = new WordFuzzer(model)
      for (let seed = 1; seed <= PAGES; seed++) expect(fuzzer.step(seed)).toBeUndefined()
      expect(fuzzer.count.compared).toBe(PAGES * 1024)
      expect(fuzzer.count.lookedUp).toBeGreaterThan(PAGES * 1024)
      expect(fuzzer.exceptions).toBeGreaterThan(PAGES * 200)
      expect(fuzzer.translated).toBeGreaterThan(PAGES * 1024)
    },
  )
})
