import { describe, expect, it } from 'vitest'
import { TestClock } from '../../testing/test-clock.ts'
import { Pl031 } from './pl031.ts'

const SECOND = 1_000_000_000

const make = (seconds: number) => {
  const clock = new TestClock()
  const edges: boolean[] = []
  const rtc = new Pl031({ base: 0, irq: { set: (level) => edges.push(level) }, clock, seconds })
  return {
    clock,
    edges,
    read: (offset: number) => Number(rtc.read(offset, 4)),
    write: (offset: number, value: number) => rtc.write(offset, 4, BigInt(value)),
  }
}

describe('the PL031', () => {
  it('tells the time it was given, and goes on from there', () => {
    const t = make(1_700_000_000)
    expect(t.read(0)).toBe(1_700_000_000)
    t.clock.to(5 * SECOND)
    expect(t.read(0)).toBe(1_700_000_005)
    expect(Array.from({ length: 4 }, (_, i) => t.read(0xfe0 + 4 * i))).toEqual([0x31, 0x10, 0x14, 0])
  })

  it('can be set', () => {
    const t = make(1_700_000_000)
    t.clock.to(5 * SECOND)
    t.write(8, 100)
    t.clock.to(7 * SECOND)
    expect([t.read(0), t.read(8)]).toEqual([102, 100])
  })

  it('rings when the match register is reached', () => {
    const t = make(1000)
    t.write(0x10, 1)
    t.write(4, 1003)
    t.clock.to(3 * SECOND - 1)
    expect(t.edges).toEqual([])
    t.clock.to(3 * SECOND)
    expect([t.edges, t.read(0x14), t.read(0x18)]).toEqual([[true], 1, 1])
    t.write(0x1c, 1)
    expect([t.edges, t.read(0x14)]).toEqual([[true, false], 0])
  })

  it('wraps at 32 bits', () => {
    const t = make(0xffff_ffff)
    t.clock.to(2 * SECOND)
    expect(t.read(0)).toBe(1)
  })
})
