/** The events the page keeps, by number and by time. The oldest go when there are too many. */
import { EVENT_NAMES } from '../../../pure/trace/events.ts'
import type { EventName, TraceEvent } from '../../../pure/trace/events.ts'
import { eventAt, kindAt } from '../../../pure/trace/read.ts'
import type { TraceBatch } from '../../../pure/trace/ring.ts'

/** Some 40 bytes an event. */
const KEPT = 1 << 21
/** The share of them that goes at once: much would hold up a frame, little would often. */
const DROPPED = 1 / 32
/** Small batches become one: a search goes through few. */
const MERGED = 4096

const joined = (a: TraceBatch, b: TraceBatch): TraceBatch => {
  const length = a.times.length + b.times.length
  const both = <Kind extends { set(from: ArrayLike<number>, at?: number): void }>(
    to: Kind,
    first: ArrayLike<number>,
    second: ArrayLike<number>,
  ): Kind => {
    to.set(first)
    to.set(second, first.length)
    return to
  }
  const starts = both(new Uint32Array(length), a.starts, b.starts)
  for (let i = a.times.length; i < length; i++) starts[i] = (starts[i] ?? 0) + a.words.length
  return {
    first: a.first,
    times: both(new Float64Array(length), a.times, b.times),
    kinds: both(new Uint8Array(length), a.kinds, b.kinds),
    cpus: both(new Int16Array(length), a.cpus, b.cpus),
    starts,
    words: both(new Uint32Array(a.words.length + b.words.length), a.words, b.words),
  }
}

export interface LogEvent {
  readonly number: number
  readonly time: number
  readonly event: TraceEvent
}

export class TraceLog {
  private readonly kept: number
  private batches: TraceBatch[] = []
  /** Events here. */
  count = 0
  /** Events of the run that are not here: they came too fast, or were the oldest. */
  lost = 0
  private next = 0

  constructor(kept: number = KEPT) {
    this.kept = kept
  }

  /** Adds a batch; answers with the time before which everything has been dropped, if that changed. */
  add(batch: TraceBatch): number | undefined {
    this.lost += Math.max(0, batch.first - this.next)
    const last = this.batches.at(-1)
    const follows = last !== undefined && batch.first === this.next && last.times.length < MERGED
    if (follows) this.batches[this.batches.length - 1] = joined(last, batch)
    else this.batches.push(batch)
    this.next = batch.first + batch.times.length
    this.count += batch.times.length
    if (this.count <= this.kept) return undefined
    while (this.count > this.kept * (1 - DROPPED) && this.batches.length > 1) {
      const dropped = this.batches.shift()?.times.length ?? 0
      this.count -= dropped
      this.lost += dropped
    }
    return this.batches[0]?.times[0]
  }

  clear(): void {
    this.batches = []
    this.count = 0
    this.lost = 0
    this.next = 0
  }

  all(): readonly TraceBatch[] {
    return this.batches
  }

  /** Number of the first event here, and of the one that comes next. */
  get first(): number {
    return this.batches[0]?.first ?? this.next
  }

  get end(): number {
    return this.next
  }

  get begins(): number {
    return this.batches[0]?.times[0] ?? 0
  }

  get ends(): number {
    return this.batches.at(-1)?.times.at(-1) ?? 0
  }

  /** The event with this number, or the next one that is here. */
  at(number: number): LogEvent | undefined {
    const batch = this.batches[this.batchOf(({ first, times }) => first + times.length > number)]
    if (batch === undefined) return undefined
    const i = Math.max(0, number - batch.first)
    return { number: batch.first + i, time: batch.times[i] ?? 0, event: eventAt(batch, i) }
  }

  /** Number of the first event at this time or later. */
  numberAt(time: number): number {
    const batch = this.batches[this.batchOf(({ times }) => (times.at(-1) ?? 0) >= time)]
    if (batch === undefined) return this.next
    let low = 0
    let high = batch.times.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((batch.times[middle] ?? 0) < time) low = middle + 1
      else high = middle
    }
    return batch.first + low
  }

  /** The events with numbers from `from` to `to`, that one not included. The kinds alone cost next to nothing. */
  *kinds(
    from: number,
    to: number,
  ): Generator<{ readonly number: number; readonly kind: EventName; readonly cpu: number }> {
    for (let b = this.batchOf(({ first, times }) => first + times.length > from); b < this.batches.length; b++) {
      const batch = this.batches[b]
      if (batch === undefined || batch.first >= to) return
      const end = Math.min(batch.times.length, to - batch.first)
      for (let i = Math.max(0, from - batch.first); i < end; i++)
        yield { number: batch.first + i, kind: kindAt(batch, i), cpu: batch.cpus[i] ?? -1 }
    }
  }

  /** How many events of each kind have numbers from `from` to `to`, that one not included. */
  counts(from: number, to: number): ReadonlyMap<EventName, number> {
    const counts = new Uint32Array(EVENT_NAMES.length)
    for (let b = this.batchOf(({ first, times }) => first + times.length > from); b < this.batches.length; b++) {
      const batch = this.batches[b]
      if (batch === undefined || batch.first >= to) break
      const { first, kinds } = batch
      for (const kind of kinds.subarray(Math.max(0, from - first), Math.max(0, to - first)))
        counts[kind] = (counts[kind] ?? 0) + 1
    }
    return new Map(
      EVENT_NAMES.map((name, kind): [EventName, number] => [name, counts[kind] ?? 0]).filter(([, n]) => n > 0),
    )
  }

  /** The first batch of which something holds that holds of all behind it. */
  private batchOf(holds: (batch: TraceBatch) => boolean): number {
    let low = 0
    let high = this.batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const batch = this.batches[middle]
      if (batch !== undefined && !holds(batch)) low = middle + 1
      else high = middle
    }
    return low
  }
}
