/** The trace as the page has it: who watches which kinds, and what has come. */
import { EVENT_NAMES } from '../../../pure/trace/events.ts'
import type { EventName } from '../../../pure/trace/events.ts'
import { eventAt } from '../../../pure/trace/read.ts'
import type { TraceBatch } from '../../../pure/trace/ring.ts'
import { LogClock } from './log-clock.ts'
import { LaneStore } from './lane-store.ts'
import { TraceLog } from './log.ts'
import { Writers } from './writers.ts'

/** Every system call is two of these: they are only told while somebody looks at them. */
const FREQUENT: readonly EventName[] = ['exceptionTaken', 'exceptionReturned']
/** What is always told, so that whoever looks later finds what has been. */
const ALWAYS = EVENT_NAMES.filter((name) => !FREQUENT.includes(name))

export interface TraceFeed {
  readonly log: TraceLog
  readonly lanes: LaneStore
  readonly writers: Writers
  readonly clock: LogClock
  /** Adds what came. `machine`: which one, counted from the first build. */
  push(machine: number, batch: TraceBatch): void
  /** Has the frequent kinds told as well, until the answer is called. */
  watchAll(): () => void
  /** Calls after each batch. */
  listen(hear: () => void): () => void
  /** Tells the worker what to tell, at first and whenever that changes. */
  start(): void
}

export const createTraceFeed = (tell: (kinds: readonly EventName[]) => void): TraceFeed => {
  const log = new TraceLog()
  const lanes = new LaneStore()
  const writers = new Writers()
  const clock = new LogClock()
  const hearers = new Set<() => void>()
  let machine = 0
  let watchers = 0
  const say = (): void => tell(watchers > 0 ? EVENT_NAMES : ALWAYS)
  return {
    log,
    lanes,
    writers,
    clock,
    push: (of, batch) => {
      if (of !== machine) {
        machine = of
        log.clear()
        lanes.clear()
        writers.clear()
        clock.clear()
      }
      for (let i = 0; i < batch.times.length; i++) {
        const event = eventAt(batch, i)
        lanes.add(batch.times[i] ?? 0, batch.first + i, event)
        writers.add(batch.first + i, event)
        clock.add(batch.times[i] ?? 0, event)
      }
      const gone = log.add(batch)
      if (gone !== undefined) lanes.dropBefore(gone)
      for (const hear of hearers) hear()
    },
    watchAll: () => {
      watchers++
      if (watchers === 1) say()
      return () => {
        watchers--
        if (watchers === 0) say()
      }
    },
    listen: (hear) => {
      hearers.add(hear)
      return () => hearers.delete(hear)
    },
    start: say,
  }
}
