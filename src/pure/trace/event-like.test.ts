import { describe, expect, it } from 'vitest'
import { isLike, likeOf } from './event-like.ts'
import type { TraceEvent } from './events.ts'

const acknowledged = (cpu: number, intid: number, priority = 0xa0): TraceEvent => ({
  kind: 'acknowledged',
  cpu,
  intid,
  priority,
})
const write: TraceEvent = {
  kind: 'mmio',
  cpu: 0,
  frame: 'GICR',
  owner: 0,
  offset: 0x14,
  width: 4,
  write: true,
  value: 2n,
  pc: 0n,
}

describe('an event like another', () => {
  it('is about the same interrupt, whoever takes it', () => {
    const like = likeOf(acknowledged(0, 27))
    expect(isLike(acknowledged(3, 27, 0x80), like)).toBe(true)
    expect(isLike(acknowledged(0, 30), like)).toBe(false)
    expect(isLike({ kind: 'eoi', cpu: 0, intid: 27, deactivated: true }, like)).toBe(false)
  })

  it('is about the same register, whatever is in it', () => {
    const like = likeOf(write)
    expect(isLike({ ...write, cpu: 1, value: 0n }, like)).toBe(true)
    expect(isLike({ ...write, offset: 0x80 }, like)).toBe(false)
    expect(isLike({ ...write, write: false }, like)).toBe(false)
  })
})
