/** Events out of a batch, and whether a batch that came from elsewhere can be one. */
import { EVENT_NAMES, rowOf } from './events.ts'
import type { EventName, TraceEvent } from './events.ts'
import type { WordSource } from './fields.ts'
import type { TraceBatch } from './ring.ts'

export const kindAt = (batch: TraceBatch, i: number): EventName => EVENT_NAMES[batch.kinds[i] ?? 0] ?? 'cpuState'

class Words implements WordSource {
  private readonly batch: TraceBatch
  private readonly event: number
  private at: number
  private cpu: boolean

  constructor(batch: TraceBatch, event: number, hasCpu: boolean) {
    this.batch = batch
    this.event = event
    this.at = batch.starts[event] ?? 0
    this.cpu = hasCpu
  }

  /** The CPU, which has a column of its own, reads as the first word of those that have it. */
  word(): number {
    if (this.cpu) {
      this.cpu = false
      return (this.batch.cpus[this.event] ?? -1) >>> 0
    }
    return this.batch.words[this.at++] ?? 0
  }
}

interface Reader {
  readonly kind: EventName
  /** Whether its CPU is in the column. */
  readonly hasCpu: boolean
  read(from: WordSource, into: Record<string, unknown>): Readonly<Record<string, unknown>>
}

const readerOf = (kind: EventName): Reader => {
  const row = rowOf(kind)
  return { kind, hasCpu: Object.keys(row.fields)[0] === 'cpu', read: row.read }
}

/** By the number of the kind. */
const READERS: readonly Reader[] = EVENT_NAMES.map(readerOf)
const FIRST = readerOf('cpuState')

/** The fields are those of the row: it has read them itself. */
const isEvent = (value: Readonly<Record<string, unknown>>, { kind }: Reader): value is TraceEvent =>
  value['kind'] === kind

export const eventAt = (batch: TraceBatch, i: number): TraceEvent => {
  const reader = READERS[batch.kinds[i] ?? 0] ?? FIRST
  const event = reader.read(new Words(batch, i, reader.hasCpu), { kind: reader.kind })
  if (!isEvent(event, reader)) throw new Error(`${reader.kind} lacks a field`)
  return event
}

/** `undefined`: it is a batch. Otherwise what is wrong with it. */
export const batchFault = ({ first, times, kinds, cpus, starts, words }: TraceBatch): string | undefined => {
  const { length } = times
  if (!Number.isSafeInteger(first) || first < 0) return 'the number of the first event is none'
  if (kinds.length !== length || cpus.length !== length || starts.length !== length) return 'columns differ in length'
  for (let i = 0; i < length; i++) {
    if ((kinds[i] ?? 0) >= EVENT_NAMES.length) return `event ${i} is of no known kind`
    if ((starts[i] ?? 0) > (starts[i + 1] ?? words.length)) return `event ${i} has its fields in disorder`
    if (!((times[i] ?? Number.NaN) >= (times[i - 1] ?? 0))) return `event ${i} is earlier than the one before`
  }
  return undefined
}
