/** Where whatever has something to tell tells it. Nothing is put together while nobody watches. */
import type { TraceEvent } from '../../pure/trace/events.ts'

export type { SgiMiss, TraceEvent } from '../../pure/trace/events.ts'

export type TraceSink = (event: TraceEvent) => void

/** One for a machine: whoever emits asks for the sink each time, as it comes and goes. */
export interface TraceTap {
  sink: TraceSink | undefined
}
