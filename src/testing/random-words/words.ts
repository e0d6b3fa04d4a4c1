/** Random words, as a hostile guest has them: half of them instructions, the others anything. */
import { rows } from '../../pure/arch/a64/rows/index.ts'
import type { Random } from '../oracle/operands.ts'

export function randomWord(random: Random): number {
  const word = random.u32()
  if (random.below(2) === 0) return word
  const row = random.pick(rows)
  return (row.match | (word & ~row.mask)) >>> 0
}
