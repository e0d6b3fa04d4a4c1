/** Random words, as a hostile guest has them: half of them instructions, the others anything. */
import type { Row } from '../../pure/arch/a64/row.ts'
import { rows } from '../../pure/arch/a64/rows/index.ts'
import type { Random } from '../oracle/operands.ts'

/** A word with the fixed bits of one of the rows, which are drawn alike: most are rare among all words. */
export function wordOfRow(random: Random, of: readonly Row[] = rows): number {
  const row = random.pick(of)
  return (row.match | (random.u32() & ~row.mask)) >>> 0
}

export const randomWord = (random: Random): number => (random.below(2) === 0 ? random.u32() : wordOfRow(random))
