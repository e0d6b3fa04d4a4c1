import * as fc from '../../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { EVENT_NAMES, eventText } from '../../../pure/trace/events.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'
import { cpuLane } from '../../../pure/trace/lanes.ts'
import { TraceRing } from '../../../pure/trace/ring.ts'
import type { TraceBatch } from '../../../pure/trace/ring.ts'
import { Column } from './column.ts'
import { createTraceFeed } from './feed.ts'
import { TraceLog } from './log.ts'

const line = (n: number): TraceEvent => ({ kind: 'consoleLine', line: `line ${n}` })

/** Batches of events, `per` at a time, at times 0, 10, 20 and so on. */
const batches = (count: number, per: number, event: (n: number) => TraceEvent = line): TraceBatch[] => {
  const ring = new TraceRing()
  const all: TraceBatch[] = []
  for (let n = 0; n < count; n++) {
    ring.record(n * 10, event(n))
    const batch = (n + 1) % per === 0 || n === count - 1 ? ring.take() : undefined
    if (batch !== undefined) all.push(batch)
  }
  return all
}

describe('a column', () => {
  it('finds the first place from a value on, from wherever the search begins', () => {
    const column = new Column()
    for (let n = 0; n < 1000; n++) column.push(n * 2)
    for (const start of [0, 1, 300, 999])
      for (const value of [-1, 0, 1, 599, 600, 1998, 1999, 5000]) {
        const expected = Array.from({ length: 1001 }, (_, n) => n).find(
          (n) => n >= start && (n === 1000 || n * 2 >= value),
        )
        expect(column.from(value, start), `${value} from ${start}`).toBe(expected)
      }
  })

  it('holds what an array would, however it grows and is dropped', () => {
    const steps = fc.array(fc.record({ grow: fc.nat(400), drop: fc.nat(400) }), { maxLength: 20 })
    fc.assert(
      fc.property(steps, (all) => {
        const column = new Column()
        let model: number[] = []
        let next = 0
        for (const { grow, drop } of all) {
          for (let n = 0; n < grow; n++, next++) {
            column.push(next)
            model.push(next)
          }
          const gone = Math.min(drop, model.length)
          column.dropFirst(gone)
          model = model.slice(gone)
          expect(Array.from({ length: column.length }, (_, i) => column.at(i))).toEqual(model)
        }
      }),
    )
  })

  it('forgets its beginning', () => {
    const column = new Column()
    for (let n = 0; n < 700; n++) column.push(n)
    column.dropFirst(650)
    expect([column.length, column.at(0), column.at(49)]).toEqual([50, 650, 699])
    expect(column.at(50)).not.toBe(700)
  })
})

describe('the log of a trace', () => {
  it.each([1, 7, 5000])('keeps events by number and by time, in batches of %i', (per) => {
    const log = new TraceLog()
    for (const batch of batches(10_000, per)) log.add(batch)
    expect([log.count, log.first, log.end, log.begins, log.ends, log.lost]).toEqual([10_000, 0, 10_000, 0, 99_990, 0])
    for (const n of [0, 1, 4095, 4096, 4097, 9999]) {
      expect(log.at(n)).toEqual({ number: n, time: n * 10, event: line(n) })
      expect(log.numberAt(n * 10)).toBe(n)
      expect(log.numberAt(n * 10 - 5)).toBe(n)
    }
    expect(log.numberAt(99_991)).toBe(10_000)
    expect([...log.kinds(4090, 4100)].map(({ number }) => number)).toEqual([
      4090, 4091, 4092, 4093, 4094, 4095, 4096, 4097, 4098, 4099,
    ])
  })

  it.each([1, 7, 5000])('counts a part of its events by kind, in batches of %i', (per) => {
    const log = new TraceLog()
    const pending = (n: number): TraceEvent => ({ kind: 'irqPending', cpu: 0, intid: n % 16 })
    for (const batch of batches(3000, per, (n) => (n % 3 === 0 ? pending(n) : line(n)))) log.add(batch)
    const every = Array.from({ length: 3000 }, (_, n) => n)
    for (const [from, to] of [
      [0, 3000],
      [10, 11],
      [700, 2100],
      [2999, 9000],
      [5, 5],
    ] as const) {
      const within = every.filter((n) => n >= from && n < to)
      const third = within.filter((n) => n % 3 === 0).length
      const expected = { irqPending: third, consoleLine: within.length - third }
      expect(Object.fromEntries(log.counts(from, to))).toEqual(
        Object.fromEntries(Object.entries(expected).filter(([, count]) => count > 0)),
      )
    }
  })

  it('drops the oldest, says from when on it knows, and counts what is gone', () => {
    const log = new TraceLog(5000)
    let from: number | undefined
    for (const batch of batches(20_000, 500)) from = log.add(batch) ?? from
    expect(log.count).toBeLessThanOrEqual(5000)
    expect(log.lost + log.count).toBe(20_000)
    expect(log.begins).toBe(from)
    expect(log.first).toBe(log.lost)
    // What is gone reads as the first that is here.
    expect(log.at(0)?.number).toBe(log.first)
    expect(log.at(19_999)?.event).toEqual(line(19_999))
    expect(log.at(20_000)).toBeUndefined()
  })

  it('counts what the worker lost in between', () => {
    const log = new TraceLog()
    const [first, second, third] = batches(30, 10)
    if (first === undefined || second === undefined || third === undefined) throw new Error('three batches')
    log.add(first)
    log.add(third)
    expect(log.lost).toBe(10)
    expect(log.at(12)?.number).toBe(20)
    expect(log.at(25)?.event).toEqual(line(25))
  })
})

describe('the trace as the page has it', () => {
  it('is told everything but the frequent kinds, and those while somebody looks', () => {
    const told: number[] = []
    const feed = createTraceFeed((kinds) => told.push(kinds.length))
    feed.start()
    const first = feed.watchAll()
    const second = feed.watchAll()
    first()
    second()
    expect(told).toEqual([EVENT_NAMES.length - 2, EVENT_NAMES.length, EVENT_NAMES.length - 2])
  })

  it('begins anew with another machine', () => {
    const feed = createTraceFeed(() => {})
    const [batch] = batches(5, 5)
    if (batch === undefined) throw new Error('no batch')
    feed.push(1, batch)
    feed.push(2, batch)
    expect(feed.log.count).toBe(5)
    expect(feed.log.lost).toBe(0)
    expect(eventText(feed.log.at(4)?.event ?? line(0))).toBe('line 4')
  })

  it('draws from slices that end where the next begins', () => {
    const feed = createTraceFeed(() => {})
    const states = ['running', 'waiting'] as const
    for (const batch of batches(100, 9, (n) => ({ kind: 'cpuState', cpu: 1, state: states[n % 2] ?? 'off', pc: 0n })))
      feed.push(1, batch)
    const [slices, ...deeper] = feed.lanes.slices(cpuLane(1, 'state'))
    expect(deeper).toEqual([])
    expect(slices?.starts.length).toBe(100)
    for (let i = 1; i < 100; i++) expect(slices?.ends.at(i - 1)).toBe(slices?.starts.at(i))
    expect(slices?.ends.at(99)).toBe(Infinity)
    feed.lanes.dropBefore(505)
    expect(slices?.starts.at(0)).toBe(500)
  })
})
