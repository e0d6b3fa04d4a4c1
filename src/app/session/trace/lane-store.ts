/** Slices, marks and arrows in columns, lane by lane: what a timeline draws from. */
import { EVENT_NAMES } from '../../../pure/trace/events.ts'
import type { EventName, TraceEvent } from '../../../pure/trace/events.ts'
import { Lanes } from '../../../pure/trace/lanes.ts'
import type { LaneListener } from '../../../pure/trace/lanes.ts'
import { Column } from './column.ts'

/** The slices of one depth of a lane: none overlaps another. */
export class Slices {
  readonly starts = new Column()
  /** Infinity for the one that is open. */
  readonly ends = new Column()
  readonly codes = new Column()
  readonly events = new Column()

  dropBefore(time: number): void {
    const count = this.ends.from(time)
    for (const column of [this.starts, this.ends, this.codes, this.events]) column.dropFirst(count)
  }
}

export class Marks {
  readonly times = new Column()
  readonly events = new Column()
  readonly kinds = new Column()

  dropBefore(time: number): void {
    const count = this.times.from(time)
    for (const column of [this.times, this.events, this.kinds]) column.dropFirst(count)
  }

  kindAt(i: number): EventName | undefined {
    return EVENT_NAMES[this.kinds.at(i)]
  }
}

/** By the time of their arrival. */
export class Arrows {
  readonly arrived = new Column()
  readonly sent = new Column()
  readonly from = new Column()
  readonly to = new Column()
  readonly intids = new Column()

  dropBefore(time: number): void {
    const count = this.arrived.from(time)
    for (const column of [this.arrived, this.sent, this.from, this.to, this.intids]) column.dropFirst(count)
  }
}

interface Lane {
  readonly depths: Slices[]
  readonly marks: Marks
  open: number
}

export class LaneStore implements LaneListener {
  readonly arrows = new Arrows()
  private lanes = new Lanes(this)
  private readonly byNumber = new Map<number, Lane>()
  private readonly numberOfKind = new Map(EVENT_NAMES.map((name, i) => [name, i]))

  add(time: number, number: number, event: TraceEvent): void {
    this.lanes.add(time, number, event)
  }

  clear(): void {
    this.byNumber.clear()
    this.arrows.dropBefore(Infinity)
    this.lanes = new Lanes(this)
  }

  /** The lanes in which something is. */
  numbers(): readonly number[] {
    return [...this.byNumber.keys()]
  }

  slices(lane: number): readonly Slices[] {
    return this.byNumber.get(lane)?.depths ?? []
  }

  marks(lane: number): Marks | undefined {
    return this.byNumber.get(lane)?.marks
  }

  dropBefore(time: number): void {
    this.arrows.dropBefore(time)
    for (const { depths, marks } of this.byNumber.values()) {
      for (const slices of depths) slices.dropBefore(time)
      marks.dropBefore(time)
    }
  }

  private lane(number: number): Lane {
    let lane = this.byNumber.get(number)
    if (lane === undefined) this.byNumber.set(number, (lane = { depths: [], marks: new Marks(), open: 0 }))
    return lane
  }

  begin(number: number, time: number, code: number, event: number): void {
    const lane = this.lane(number)
    const slices = (lane.depths[lane.open++] ??= new Slices())
    slices.starts.push(time)
    slices.ends.push(Infinity)
    slices.codes.push(code)
    slices.events.push(event)
  }

  end(number: number, time: number): void {
    const lane = this.lane(number)
    const slices = lane.depths[--lane.open]
    slices?.ends.set(slices.ends.length - 1, time)
  }

  mark(number: number, time: number, event: number, kind: EventName): void {
    const { marks } = this.lane(number)
    marks.times.push(time)
    marks.events.push(event)
    marks.kinds.push(this.numberOfKind.get(kind) ?? 0)
  }

  arrow(from: number, sent: number, to: number, acknowledged: number, intid: number): void {
    const { arrows } = this
    arrows.arrived.push(acknowledged)
    arrows.sent.push(sent)
    arrows.from.push(from)
    arrows.to.push(to)
    arrows.intids.push(intid)
  }
}
