/** Virtual time: a number of nanoseconds that only the run loop moves, and a heap of what is due when. */
import type { Cancel, Clock } from '../bus/clock.ts'

interface Entry {
  readonly at: number
  /** Order of scheduling: what is due at the same time fires in the order it was asked for. */
  readonly order: number
  fire: (() => void) | undefined
}

/** Fewer are not worth a sweep. */
const MAX_CANCELLED = 256

export class VirtualClock implements Clock {
  private readonly heap: Entry[] = []
  private scheduled = 0
  /** Entries of the heap that will not fire. */
  private cancelled = 0
  private base = 0
  private readonly running: () => number

  /** `running`: nanoseconds since the last `advance`, while a CPU runs. */
  constructor(running: () => number) {
    this.running = running
  }

  now(): number {
    return this.base + this.running()
  }

  advance(nanoseconds: number): void {
    this.base += nanoseconds
  }

  schedule(at: number, fire: () => void): Cancel {
    const entry: Entry = { at, order: this.scheduled++, fire }
    this.heap.push(entry)
    this.siftUp(this.heap.length - 1)
    this.onSchedule(at)
    return () => {
      if (entry.fire === undefined) return
      entry.fire = undefined
      this.cancelled++
      if (this.cancelled > MAX_CANCELLED && this.cancelled > this.heap.length / 2) this.sweep()
    }
  }

  /** A guest may set a timer for a far day, and another one instead, and so on. */
  private sweep(): void {
    const live = this.heap.filter(({ fire }) => fire !== undefined)
    this.heap.length = 0
    this.cancelled = 0
    for (const entry of live) {
      this.heap.push(entry)
      this.siftUp(this.heap.length - 1)
    }
  }

  spend(nanoseconds: number): void {
    if (nanoseconds <= 0) return
    this.base += nanoseconds
    // What fell due meanwhile is not to wait for the end of the slice.
    this.onSchedule(this.base)
  }

  /** How many deadlines are kept, those included that were cancelled and not yet forgotten. */
  get size(): number {
    return this.heap.length
  }

  /** Told of each new deadline, so that a running CPU does not run past it. */
  onSchedule: (at: number) => void = () => {}

  /** The earliest deadline, or Infinity. */
  next(): number {
    for (;;) {
      const top = this.heap[0]
      if (top === undefined) return Infinity
      if (top.fire !== undefined) return top.at
      this.cancelled--
      this.pop()
    }
  }

  /** Fires what is due by now. */
  fireDue(): void {
    while (this.next() <= this.base) {
      const due = this.pop()
      const fire = due?.fire
      // What has fired is nothing that could be cancelled.
      if (due !== undefined) due.fire = undefined
      fire?.()
    }
  }

  private before(a: Entry, b: Entry): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order)
  }

  private siftUp(i: number): void {
    const entry = this.heap[i]
    if (entry === undefined) return
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = this.heap[parent]
      if (above === undefined || !this.before(entry, above)) break
      this.heap[i] = above
      i = parent
    }
    this.heap[i] = entry
  }

  private pop(): Entry | undefined {
    const top = this.heap[0]
    const last = this.heap.pop()
    if (top === undefined || last === undefined || this.heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      const left = this.heap[child]
      if (left === undefined) break
      const right = this.heap[child + 1]
      let smaller = left
      if (right !== undefined && this.before(right, left)) {
        smaller = right
        child++
      }
      if (!this.before(smaller, last)) break
      this.heap[i] = smaller
      i = child
    }
    this.heap[i] = last
    return top
  }
}
