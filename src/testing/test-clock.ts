/** Virtual time that a test moves by hand. */
import type { Clock } from '../engine/bus/clock.ts'

export class TestClock implements Clock {
  private time = 0
  private due: { readonly at: number; readonly fire: () => void }[] = []

  now(): number {
    return this.time
  }

  schedule(at: number, fire: () => void): () => void {
    const entry = { at, fire }
    this.due.push(entry)
    return () => {
      this.due = this.due.filter((other) => other !== entry)
    }
  }

  spend(nanoseconds: number): void {
    this.time += nanoseconds
  }

  /** How many deadlines are waiting. */
  get waiting(): number {
    return this.due.length
  }

  /** Moves to `time`, firing on the way what falls due. */
  to(time: number): void {
    for (;;) {
      const next = this.due.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > time) break
      this.due = this.due.filter((other) => other !== next)
      this.time = Math.max(this.time, next.at)
      next.fire()
    }
    this.time = time
  }
}
