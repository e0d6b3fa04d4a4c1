/** Watches the console for the patterns of `--until`, and types what `--send` says. */
import type { ScriptStep } from './options.ts'

/** As many characters of the console a pattern may look back on; all of them are searched at each that comes. */
const WINDOW = 4 * 1024

export class Script {
  private readonly steps: readonly ScriptStep[]
  private next = 0
  private seen = ''
  private readonly decoder = new TextDecoder()
  /** The last pattern has matched, and nothing was to be typed at it. */
  done = false

  constructor(steps: readonly ScriptStep[]) {
    this.steps = steps
  }

  /** What to type, now that the console shows these bytes more. */
  feed(bytes: Uint8Array): string {
    if (this.next >= this.steps.length) return ''
    // A terminal's lines end with a carriage return and a newline; `$` shall match there.
    this.seen = (this.seen + this.decoder.decode(bytes, { stream: true }).replaceAll('\r', '')).slice(-WINDOW)
    let typed = ''
    for (let step = this.steps[this.next]; step !== undefined; step = this.steps[this.next]) {
      const match = step.until.exec(this.seen)
      if (match === null) return typed
      this.next += 1
      this.seen = this.seen.slice(match.index + match[0].length)
      if (step.send === undefined) this.done = true
      typed += step.send ?? ''
    }
    return typed
  }
}
