/** Hears a guest say when its parts begin and end (kernels/parts.c). */

/** Lines that are kept for whoever wants to know why a guest ended. */
const TAIL = 12

export interface HeardPart {
  /** How much work it is: for most, operations. */
  readonly work: number
  /** Of every repetition, the first of which is cold. */
  readonly seconds: readonly number[]
  /** What it computed, in hexadecimal digits. */
  readonly sum: string
}

export class Listener {
  private text = ''
  private begun: { readonly name: string; readonly work: number; readonly at: number } | undefined
  readonly parts = new Map<string, HeardPart>()
  /** The last lines. */
  private readonly lines: string[] = []

  get tail(): string {
    return this.lines.join('\n')
  }

  /** What was said until a clock showed `at` milliseconds. */
  feed(text: string, at: number): void {
    const lines = (this.text + text).split('\n')
    this.text = lines.pop() ?? ''
    for (const line of lines) this.line(line.trim(), at)
  }

  private line(line: string, at: number): void {
    this.lines.push(line)
    if (this.lines.length > TAIL) this.lines.shift()
    if (line.includes('Kernel panic')) throw new Error(`the guest has failed:\n${this.tail}`)
    const [word, value = '', work] = line.split(' ')
    if (word === 'begin') this.begun = { name: value, work: Number(work), at }
    if (word !== 'end' || this.begun === undefined) return
    const { name, work: done, at: from } = this.begun
    if (at < from) throw new Error(`the clock went back while ${name} ran`)
    const before = this.parts.get(name)
    if (before !== undefined && before.sum !== value) throw new Error(`${name} computes ${before.sum}, then ${value}`)
    this.parts.set(name, { work: done, sum: value, seconds: [...(before?.seconds ?? []), (at - from) / 1000] })
    this.begun = undefined
  }
}
