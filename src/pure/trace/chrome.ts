/**
 * A trace in the JSON that Chrome's tracing and Perfetto read ("Trace Event Format"): slices as B and E, marks as i,
 * arrows as s and f, a thread for each lane. Times are microseconds with the nanoseconds behind the point.
 */
import { eventText } from './events.ts'
import type { TraceEvent } from './events.ts'
import { Lanes, cpuLane, laneName, sliceName } from './lanes.ts'
import type { LaneListener } from './lanes.ts'
import { eventAt } from './read.ts'
import type { TraceBatch } from './ring.ts'

const micro = (ns: number): string => (ns / 1000).toFixed(3)

export class ChromeTrace implements LaneListener {
  private readonly write: (text: string) => void
  private lanes = new Lanes(this)
  private machine = 1
  private readonly named = new Set<number>()
  private batch: TraceBatch | undefined
  private arrows = 0
  private empty = true

  /** `write` gets the document piece by piece. */
  constructor(write: (text: string) => void) {
    this.write = write
    write('{"displayTimeUnit":"ns","traceEvents":[')
  }

  add(batch: TraceBatch): void {
    this.batch = batch
    this.lanes.feed(batch)
  }

  /** Events of another machine follow. */
  nextMachine(): void {
    this.lanes.finish()
    this.lanes = new Lanes(this)
    this.named.clear()
    this.machine++
  }

  finish(): void {
    this.lanes.finish()
    this.write(']}\n')
  }

  begin(lane: number, time: number, code: number, event: number): void {
    const { lane: kind } = laneName(lane)
    this.put(
      'B',
      lane,
      time,
      `,"name":${JSON.stringify(kind === undefined ? '' : sliceName(kind, code))}${this.args(event)}`,
    )
  }

  end(lane: number, time: number): void {
    this.put('E', lane, time, '')
  }

  mark(lane: number, time: number, event: number, kind: TraceEvent['kind']): void {
    this.put('i', lane, time, `,"s":"t","name":${JSON.stringify(kind)}${this.args(event)}`)
  }

  arrow(from: number, sent: number, to: number, acknowledged: number, intid: number): void {
    const tail = `,"cat":"sgi","id":${++this.arrows},"name":"SGI ${intid}"`
    this.put('s', cpuLane(from, 'accesses'), sent, tail)
    this.put('f', cpuLane(to, 'interrupts'), acknowledged, `${tail},"bp":"e"`)
  }

  private args(event: number): string {
    const { batch } = this
    if (batch === undefined) return ''
    return `,"args":{"event":${JSON.stringify(eventText(eventAt(batch, event - batch.first)))}}`
  }

  private put(phase: string, lane: number, time: number, rest: string): void {
    const thread = `"pid":${this.machine},"tid":${lane}`
    if (!this.named.has(lane)) {
      this.named.add(lane)
      const { owner, lane: kind } = laneName(lane)
      const name = JSON.stringify(kind === undefined ? owner : `${owner} ${kind}`)
      this.element(`{"ph":"M",${thread},"name":"thread_name","args":{"name":${name}}}`)
      this.element(`{"ph":"M",${thread},"name":"thread_sort_index","args":{"sort_index":${lane}}}`)
    }
    this.element(`{"ph":"${phase}",${thread},"ts":${micro(time)}${rest}}`)
  }

  private element(text: string): void {
    this.write(this.empty ? text : `,\n${text}`)
    this.empty = false
  }
}
