/** What happened in a part of time, counted. */
import { irqName } from '../../../pure/arch/intid.ts'
import { eventText, rowOf } from '../../../pure/trace/events.ts'
import { cpuLane, sliceName } from '../../../pure/trace/lanes.ts'
import type { LaneStore } from '../../session/trace/lane-store.ts'
import type { TraceLog } from '../../session/trace/log.ts'

export interface Count {
  readonly title: string
  readonly count: number
  /** Nanoseconds, of what lasts. */
  readonly time?: number
}

/** Events by kind, and interrupts by INTID; then how long each CPU ran, waited, and was in which interrupt. */
export const countsOf = (log: TraceLog, lanes: LaneStore, from: number, to: number, cpus: number): readonly Count[] => {
  const kinds = log.counts(log.numberAt(from), log.numberAt(to))
  const byKind = [...kinds].map(([kind, count]) => ({ title: rowOf(kind).title, count }))
  return [...byKind.toSorted((a, b) => b.count - a.count), ...lasting(lanes, from, to, cpus)]
}

const lasting = (lanes: LaneStore, from: number, to: number, cpus: number): readonly Count[] => {
  const interrupts = new Map<number, { count: number; time: number }>()
  const states = new Map<string, { count: number; time: number }>()
  const add = <Key>(all: Map<Key, { count: number; time: number }>, key: Key, time: number): void => {
    const before = all.get(key)
    all.set(key, { count: (before?.count ?? 0) + 1, time: (before?.time ?? 0) + time })
  }
  for (let cpu = 0; cpu < cpus; cpu++) {
    for (const slices of lanes.slices(cpuLane(cpu, 'state')))
      for (let i = slices.ends.from(from); i < slices.starts.length && slices.starts.at(i) < to; i++) {
        const time = Math.min(slices.ends.at(i), to) - Math.max(slices.starts.at(i), from)
        add(states, sliceName('state', slices.codes.at(i)), time)
      }
    for (const slices of lanes.slices(cpuLane(cpu, 'interrupts')))
      for (let i = slices.ends.from(from); i < slices.starts.length && slices.starts.at(i) < to; i++)
        add(interrupts, slices.codes.at(i), Math.min(slices.ends.at(i), to) - Math.max(slices.starts.at(i), from))
  }
  return [
    ...[...states].map(([title, { count, time }]) => ({ title: `CPUs ${title}`, count, time })),
    ...[...interrupts]
      .toSorted(([a], [b]) => a - b)
      .map(([intid, { count, time }]) => ({ title: `${irqName(intid)}, INTID ${intid}`, count, time })),
  ]
}

/** Numbers of the events whose text has these words, within a range of numbers. */
export const findEvents = (log: TraceLog, words: string, from: number, to: number): number[] => {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  const found: number[] = []
  for (let number = from; number < to; number++) {
    const at = log.at(number)
    if (at === undefined || at.number !== number) continue
    const text = eventText(at.event).toLowerCase()
    if (wanted.every((word) => text.includes(word))) found.push(number)
  }
  return found
}
