/** What we decode, write and assemble is what GNU binutils decode, write and assemble. `npm run encodings` goes on longer. */
import { describe, expect, it } from 'vitest'
import type { Row } from '../../pure/arch/a64/row.ts'
import { rows } from '../../pure/arch/a64/rows/index.ts'
import { Random } from '../oracle/operands.ts'
import { missingBinutils } from '../oracle/run-instruction.ts'
import { anyWords, compare, normal, wordsOfRows } from './compare.ts'

const SAMPLES = 20_000

describe.skipIf(missingBinutils().length > 0)('encodings, beside GNU binutils', () => {
  it('of every row are written and assembled alike', { timeout: 120_000 }, () => {
    const { wrong, rows: met } = compare(wordsOfRows(new Random(2026), SAMPLES))
    expect(wrong).toEqual([])
    // Where a feature gives an encoding another row, all features together show only that.
    const hidden = (row: Row): boolean =>
      rows.some((o) => o !== row && o.feature !== undefined && o.mask === row.mask && o.match === row.match)
    expect(rows.filter((row) => !met.has(row) && !hidden(row)).map(({ name }) => name)).toEqual([])
  })

  it('that we reject are undefined there, and the other way round', { timeout: 120_000 }, () => {
    expect(compare(anyWords(new Random(2027), SAMPLES)).wrong).toEqual([])
  })

  it('differ when they differ', () => {
    expect(normal('FMOV D0, #1.5')).toBe(normal('fmov d0, #1.500000000000000000e+00'))
    expect(normal('add x0, x1, #0x10')).not.toBe(normal('add x0, x1, #17'))
    // LD1 {v0.8b}, [x0] and ADD X0, X0, #1: two words and what they are.
    expect(compare([0x0c407000, 0x91000400]).wrong).toEqual([])
  })
})
