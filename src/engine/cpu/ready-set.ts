/** Which CPUs can run: a bit each, so that one that waits costs the run loop nothing. */
import { MAX_CPUS } from './layout.ts'

const WORDS = MAX_CPUS / 32

export class ReadySet {
  private readonly words = new Uint32Array(WORDS)
  /** How many CPUs can run. */
  count = 0

  set(index: number, ready: boolean): void {
    const word = this.words[index >>> 5] ?? 0
    const bit = (1 << (index & 31)) >>> 0
    if (((word & bit) !== 0) === ready) return
    this.words[index >>> 5] = word ^ bit
    this.count += ready ? 1 : -1
  }

  has(index: number): boolean {
    return (((this.words[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1
  }

  /** The first CPU that can run, looking from `index` upwards and around; `undefined`: none can. */
  from(index: number): number | undefined {
    if (this.count === 0) return undefined
    const start = (index % MAX_CPUS) >>> 5
    const above = (this.words[start] ?? 0) & (-1 << (index & 31))
    if (above !== 0) return start * 32 + lowestBit(above)
    for (let i = 1; i <= WORDS; i++) {
      const at = (start + i) % WORDS
      const word = this.words[at] ?? 0
      if (word !== 0) return at * 32 + lowestBit(word)
    }
    return undefined
  }
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word)
