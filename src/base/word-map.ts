/** A map from 32-bit words to small numbers, for a hundred thousand of them: a Map costs several times as much to ask. */

const LEAST = 1 << 12
/** 2^32 over the golden ratio: its multiples spread words that differ in a few bits (Knuth, "Sorting and Searching", 6.4). */
const SPREAD = 0x9e3779b1

export class WordMap {
  private words = new Int32Array(LEAST)
  /** A value plus 1; 0: the place is free. */
  private values = new Int32Array(LEAST)
  size = 0

  /** The place of a word, or the free one where it would be. */
  private find(word: number): number {
    const { words, values } = this
    const mask = words.length - 1
    let at = Math.imul(word, SPREAD) >>> Math.clz32(mask)
    while (values[at] !== 0 && words[at] !== (word | 0)) at = (at + 1) & mask
    return at
  }

  /** -1: there is no value. */
  get(word: number): number {
    return (this.values[this.find(word)] ?? 0) - 1
  }

  /** `value`: 0 to 2^31 - 2, for it is kept plus 1. */
  set(word: number, value: number): void {
    if (2 * this.size >= this.words.length) this.grow()
    const at = this.find(word)
    if (this.values[at] === 0) this.size++
    this.words[at] = word
    this.values[at] = value + 1
  }

  clear(): void {
    this.words = new Int32Array(LEAST)
    this.values = new Int32Array(LEAST)
    this.size = 0
  }

  private grow(): void {
    const { words, values } = this
    this.words = new Int32Array(2 * words.length)
    this.values = new Int32Array(2 * words.length)
    for (let i = 0; i < words.length; i++) {
      const value = values[i] ?? 0
      if (value === 0) continue
      const at = this.find(words[i] ?? 0)
      this.words[at] = words[i] ?? 0
      this.values[at] = value
    }
  }
}
