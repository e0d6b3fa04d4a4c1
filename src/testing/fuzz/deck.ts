/** Draws from a list in random order, each of it once before one comes again. */
import type { Random } from '../oracle/operands.ts'

export class Deck<T> {
  private readonly all: readonly T[]
  private readonly random: Random
  private left: T[] = []

  constructor(all: readonly T[], random: Random) {
    this.all = all
    this.random = random
  }

  next(): T {
    if (this.left.length === 0) this.left = [...this.all]
    const [drawn] = this.left.splice(this.random.below(this.left.length), 1)
    if (drawn === undefined) throw new Error('there is nothing to draw from')
    return drawn
  }
}
