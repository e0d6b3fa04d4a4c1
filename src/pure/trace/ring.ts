/**
 * The events of a machine until somebody takes them: a bounded ring of columns. When it is full, the oldest make
 * room, and how many is told.
 */
import { EVENT_NAMES, rowOf } from './events.ts'
import type { EventName, TraceEvent } from './events.ts'
import type { FieldKind, WordSink } from './fields.ts'

/** Some events in a row, as columns. Every column but `words` has one entry an event. */
export interface TraceBatch {
  /** Number of the first event, counted from 0 over the whole run, those that were lost included. */
  readonly first: number
  /** Virtual nanoseconds, never decreasing. */
  readonly times: Float64Array<ArrayBuffer>
  /** Position in `EVENT_NAMES`. */
  readonly kinds: Uint8Array<ArrayBuffer>
  /** The CPU; -1 where there is none. */
  readonly cpus: Int16Array<ArrayBuffer>
  /** Where the fields of the event begin in `words`; they end where the next one's begin. */
  readonly starts: Uint32Array<ArrayBuffer>
  readonly words: Uint32Array<ArrayBuffer>
}

/** The memory of its columns, which nobody else has. */
export const buffersOf = ({ times, kinds, cpus, starts, words }: TraceBatch): readonly ArrayBuffer[] => [
  times.buffer,
  kinds.buffer,
  cpus.buffer,
  starts.buffer,
  words.buffer,
]

interface Encoding {
  readonly number: number
  /** Its CPU is in the column, and not among the words. */
  readonly hasCpu: boolean
  readonly fields: readonly (readonly [string, FieldKind<unknown>])[]
}

export interface RingSize {
  /** Powers of two. */
  readonly events: number
  readonly words: number
}

export const RING_SIZE: RingSize = { events: 1 << 17, words: 1 << 20 }

export class TraceRing implements WordSink {
  private readonly times: Float64Array<ArrayBuffer>
  private readonly kinds: Uint8Array<ArrayBuffer>
  private readonly cpus: Int16Array<ArrayBuffer>
  /** Counted over the whole run, modulo 2^53. */
  private readonly starts: Float64Array<ArrayBuffer>
  private readonly words: Uint32Array<ArrayBuffer>
  private readonly encodings: Readonly<Record<string, Encoding>>
  private readonly wanted: Uint8Array
  /** Numbers of the oldest event here and of the next one. */
  private oldest = 0
  private next = 0
  private nextWord = 0
  /** Events of the run that made room before anybody took them. */
  lost = 0

  constructor(size: RingSize = RING_SIZE) {
    this.times = new Float64Array(size.events)
    this.kinds = new Uint8Array(size.events)
    this.cpus = new Int16Array(size.events)
    this.starts = new Float64Array(size.events)
    this.words = new Uint32Array(size.words)
    this.wanted = new Uint8Array(EVENT_NAMES.length).fill(1)
    this.encodings = Object.fromEntries(
      EVENT_NAMES.map((name, number): [string, Encoding] => {
        const fields = Object.entries(rowOf(name).fields)
        const hasCpu = fields[0]?.[0] === 'cpu'
        return [name, { number, hasCpu, fields: hasCpu ? fields.slice(1) : fields }]
      }),
    )
  }

  /** Which kinds are kept from now on. */
  keep(wanted: (name: EventName) => boolean): void {
    EVENT_NAMES.forEach((name, number) => (this.wanted[number] = wanted(name) ? 1 : 0))
  }

  record(time: number, event: TraceEvent): void {
    const encoding = this.encodings[event.kind]
    if (encoding === undefined || this.wanted[encoding.number] === 0) return
    const { times, kinds, cpus, starts } = this
    if (this.next - this.oldest === times.length) this.drop()
    const at = this.next & (times.length - 1)
    times[at] = time
    kinds[at] = encoding.number
    cpus[at] = encoding.hasCpu && 'cpu' in event && event.cpu !== undefined ? event.cpu : -1
    starts[at] = this.nextWord
    this.next++
    const values: Readonly<Record<string, unknown>> = event
    const { fields } = encoding
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]
      if (field !== undefined) field[1].write(this, values[field[0]])
    }
    while (this.nextWord - this.startOf(this.oldest) > this.words.length) this.drop()
  }

  /** A word of the event that is being recorded. */
  word(value: number): void {
    this.words[this.nextWord++ & (this.words.length - 1)] = value
  }

  private startOf(event: number): number {
    return event === this.next ? this.nextWord : (this.starts[event & (this.starts.length - 1)] ?? 0)
  }

  private drop(): void {
    this.oldest++
    this.lost++
  }

  /** What came since the last time; nothing, where nothing came. */
  take(): TraceBatch | undefined {
    const count = this.next - this.oldest
    if (count === 0) return undefined
    const first = this.oldest
    const firstWord = this.startOf(first)
    const starts = new Uint32Array(count)
    for (let i = 0; i < count; i++) starts[i] = this.startOf(first + i) - firstWord
    const batch: TraceBatch = {
      first,
      times: unroll(this.times, first, new Float64Array(count)),
      kinds: unroll(this.kinds, first, new Uint8Array(count)),
      cpus: unroll(this.cpus, first, new Int16Array(count)),
      starts,
      words: unroll(this.words, firstWord, new Uint32Array(this.nextWord - firstWord)),
    }
    this.oldest = this.next
    return batch
  }
}

type Column = Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Int16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>

/** Copies the entries of a ring from a number on, as many as `to` has room for. */
function unroll<Kind extends Column>(ring: Kind, from: number, to: Kind): Kind {
  const start = from & (ring.length - 1)
  const straight = Math.min(to.length, ring.length - start)
  to.set(ring.subarray(start, start + straight))
  to.set(ring.subarray(0, to.length - straight), straight)
  return to
}
