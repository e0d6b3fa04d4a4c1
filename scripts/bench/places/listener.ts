/** Who listens to a guest. */

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

/** Hears what a guest says, line by line, with the milliseconds that a clock showed then. */
export abstract class Hearer {
  private text = ''
  private readonly lines: string[] = []

  /** Whether enough was heard: the guest need not go on. */
  abstract get done(): boolean
  protected abstract line(line: string, at: number): void

  /** The last lines. */
  get tail(): string {
    return this.lines.join('\n')
  }

  /** What was said until a clock showed `at` milliseconds. */
  feed(text: string, at: number): void {
    const lines = (this.text + text).split('\n')
    this.text = lines.pop() ?? ''
    for (const line of lines) {
      this.lines.push(line.trim())
      if (this.lines.length > TAIL) this.lines.shift()
      if (line.includes('Kernel panic')) throw new Error(`the guest has failed:\n${this.tail}`)
      this.line(line.trim(), at)
    }
  }
}

/** Hears how long a guest takes from its first line to one that is waited for. */
export class BootListener extends Hearer {
  private readonly marker: string
  private first: number | undefined
  /** `undefined`: it has not come. */
  seconds: number | undefined

  constructor(marker: string) {
    super()
    this.marker = marker
  }

  get done(): boolean {
    return this.seconds !== undefined
  }

  protected line(line: string, at: number): void {
    this.first ??= at
    if (line.includes(this.marker)) this.seconds ??= (at - this.first) / 1000
  }
}

/** Hears a guest say when its parts begin and end (kernels/parts.c). */
export class Listener extends Hearer {
  private begun: { readonly name: string; readonly work: number; readonly at: number } | undefined
  readonly parts = new Map<string, HeardPart>()
  /** It ends by itself. */
  readonly done = false

  protected line(line: string, at: number): void {
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
