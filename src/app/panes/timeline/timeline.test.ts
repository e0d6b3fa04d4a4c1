import { describe, expect, it } from 'vitest'
import type { TraceEvent } from '../../../pure/trace/events.ts'
import { CONSOLE_LANE, cpuLane, deviceLane } from '../../../pure/trace/lanes.ts'
import { TraceRing } from '../../../pure/trace/ring.ts'
import { createTraceFeed } from '../../session/trace/feed.ts'
import type { TraceFeed } from '../../session/trace/feed.ts'
import { countsOf, findEvents } from './counts.ts'
import { fieldsOf } from './event-details.tsx'
import { CHART_KEYS, chartKey } from './keys.ts'
import { arrange, MANY, rowAt } from './rows.ts'
import {
  centred,
  durationText,
  everything,
  fitted,
  followed,
  live,
  panned,
  tickText,
  ticks,
  zoomed,
} from './viewport.ts'
import type { Extent, Viewport } from './viewport.ts'

const SECOND: Extent = { begins: 0, ends: 1e9 }
const at = (from: number, to: number, follows = false): Viewport => ({ from, to, follows })

describe('the part of time that is shown', () => {
  it('keeps the moment under the pointer when a person looks nearer', () => {
    const near = zoomed(at(0, 1e9), 0.5, 2e8, SECOND)
    expect(near).toEqual(at(1e8, 6e8))
    expect((2e8 - near.from) / (near.to - near.from)).toBeCloseTo(0.2)
  })

  it('never shows less than 100 ns nor much more than there is', () => {
    expect(zoomed(at(0, 150), 0.01, 75, SECOND)).toEqual(at(25, 125))
    const far = zoomed(at(0, 1e9), 100, 5e8, SECOND)
    expect(far.to - far.from).toBeCloseTo(1.2e9)
  })

  it('cannot be dragged off the end of time', () => {
    let view = at(4e8, 6e8)
    for (let i = 0; i < 50; i++) view = panned(view, 0.3, SECOND)
    expect(view.to).toBeLessThanOrEqual(1e9 + 0.1 * 2e8)
    for (let i = 0; i < 50; i++) view = panned(view, -0.3, SECOND)
    expect(view.from).toBeGreaterThanOrEqual(-0.1 * 2e8)
    expect(view.to - view.from).toBe(2e8)
  })

  it('grows with time until a person looks nearer, then moves with it', () => {
    const all = everything(SECOND)
    expect(followed(all, { begins: 0, ends: 2e9 })).toEqual(at(0, 2e9, true))
    expect(followed(at(9e8, 1e9, true), { begins: 0, ends: 2e9 })).toEqual(at(1.9e9, 2e9, true))
    expect(followed(at(0, 1e9), { begins: 0, ends: 2e9 })).toEqual(at(0, 1e9))
    expect(live(at(1e8, 2e8), { begins: 0, ends: 2e9 })).toEqual(at(1.9e9, 2e9, true))
  })

  it('leaves room around what it is fitted to, and puts a moment in the middle', () => {
    expect(fitted(4e8, 5e8, SECOND)).toEqual(at(3.9e8, 5.1e8))
    expect(centred(at(0, 1e8), 5e8, SECOND)).toEqual(at(4.5e8, 5.5e8))
  })

  it('is measured in round steps', () => {
    expect(ticks(at(0, 1e9), 10)).toEqual({ step: 1e8, at: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => n * 1e8) })
    expect(ticks(at(33, 67), 4)).toEqual({ step: 10, at: [40, 50, 60] })
    expect([tickText(5e8, 1e8), tickText(1.5e9, 1e8), tickText(250, 50), tickText(0, 50), tickText(2e9, 1e9)]).toEqual([
      '500 ms',
      '1 s 500 ms',
      '250 ns',
      '0 s',
      '2 s',
    ])
    expect([durationText(1234), durationText(5), durationText(2.5e9), durationText(123_456_789)]).toEqual([
      '1.234 µs',
      '5 ns',
      '2.5 s',
      '123.5 ms',
    ])
  })
})

describe('the keys of the timeline', () => {
  it('stand for one thing each, whatever the case of a letter', () => {
    const all = CHART_KEYS.flatMap(({ keys }) => keys)
    expect(new Set(all).size).toBe(all.length)
    for (const key of CHART_KEYS) {
      for (const name of key.keys) expect(chartKey(name)).toBe(key)
    }
    expect(chartKey('w')).toBe(chartKey('W'))
    expect([chartKey('q'), chartKey('home'), chartKey('Tab')]).toEqual([undefined, undefined, undefined])
  })
})

describe('the rows of the timeline', () => {
  it.each([1, 4, MANY, 512])('do not overlap and are all found by their place, for %i CPUs', (cpus) => {
    const arrangement = arrange(cpus, [deviceLane('GICD'), CONSOLE_LANE])
    const { rows } = arrangement
    for (const [i, row] of rows.entries()) {
      const next = rows[i + 1]
      expect(row.top + row.height).toBeLessThanOrEqual(next?.top ?? Infinity)
      expect(rowAt(arrangement, row.top)).toBe(row)
      expect(rowAt(arrangement, row.top + row.height - 1)).toBe(row)
    }
    expect(rows.filter(({ title }) => title?.startsWith('CPU '))).toHaveLength(cpus)
    expect(rows.at(-1)?.title).toBe('Console')
    expect(rows.find(({ lane }) => lane === cpuLane(cpus - 1, 'interrupts'))).toBeDefined()
  })
})

const feedOf = (events: readonly (readonly [number, TraceEvent])[]): TraceFeed => {
  const feed = createTraceFeed(() => {})
  const ring = new TraceRing()
  for (const [time, event] of events) ring.record(time, event)
  const batch = ring.take()
  if (batch !== undefined) feed.push(1, batch)
  return feed
}

describe('a part of time that is selected', () => {
  const feed = feedOf([
    [0, { kind: 'cpuState', cpu: 0, state: 'running', pc: 0n }],
    [100, { kind: 'cpuState', cpu: 0, state: 'waiting', pc: 0n }],
    [200, { kind: 'acknowledged', cpu: 0, intid: 27, priority: 0xa0 }],
    [260, { kind: 'eoi', cpu: 0, intid: 27, deactivated: true }],
    [300, { kind: 'acknowledged', cpu: 0, intid: 1, priority: 0xa0 }],
    [310, { kind: 'eoi', cpu: 0, intid: 1, deactivated: true }],
    [400, { kind: 'cpuState', cpu: 0, state: 'off', pc: 0n }],
  ])

  it('is counted by kind, with how long CPUs ran and interrupts took inside it', () => {
    expect(countsOf(feed.log, feed.lanes, 50, 305, 1)).toEqual([
      { title: 'acknowledged', count: 2 },
      { title: 'CPUs going on, waiting, off', count: 1 },
      { title: 'ended', count: 1 },
      { title: 'CPUs running', count: 1, time: 50 },
      { title: 'CPUs waiting', count: 1, time: 205 },
      { title: 'SGI 1, INTID 1', count: 1, time: 5 },
      { title: 'EL1 virtual timer, INTID 27', count: 1, time: 60 },
    ])
    expect(countsOf(feed.log, feed.lanes, 401, 500, 1)).toEqual([])
  })

  it('is searched by words in any order and case', () => {
    expect(findEvents(feed.log, 'timer CPU', 0, 7)).toEqual([2, 3])
    expect(findEvents(feed.log, 'acknowledges sgi', 0, 7)).toEqual([4])
    expect(findEvents(feed.log, 'nothing like it', 0, 7)).toEqual([])
  })
})

describe('the fields of an event', () => {
  it('are written as a person reads them', () => {
    expect(
      fieldsOf({
        kind: 'mmio',
        cpu: 1,
        frame: 'GICD',
        owner: 1,
        offset: 0x104,
        width: 4,
        write: true,
        value: 255n,
        pc: 0x80n,
      }),
    ).toEqual([
      ['cpu', '1'],
      ['frame', 'GICD'],
      ['owner', '1'],
      ['offset', '0x104'],
      ['width', '4'],
      ['write', 'yes'],
      ['value', '0xff'],
      ['pc', '0x80'],
    ])
  })
})
