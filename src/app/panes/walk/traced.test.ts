import { describe, expect, it } from 'vitest'
import { typerAffinity } from '../../../pure/arch/affinity.ts'
import { walkFrames } from '../../../pure/rules/walk.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'
import { confirm, lastSearch, readOf } from './traced.ts'
import type { FrameRead } from './traced.ts'

const frames = [0, 1, 2].map((cpu) => ({
  cpu,
  base: 0x080a0000 + cpu * 0x20000,
  region: 0,
  typer: typerAffinity.encode(cpu) | (cpu === 2 ? 0x10n : 0n),
  pidr2: 0x3bn,
}))
const pidr2 = (time: number): FrameRead => ({ register: 'pidr2', owner: 0, value: 0x3bn, time })
const typer = (owner: number, time: number, value = frames[owner]?.typer ?? 0n): FrameRead => ({
  register: 'typer',
  owner,
  value,
  time,
})

describe('a walk in the trace', () => {
  it('is told from other accesses', () => {
    const access = {
      kind: 'mmio',
      cpu: 1,
      frame: 'GICR',
      owner: 2,
      offset: 8,
      width: 8,
      write: false,
      value: 5n,
      pc: 0n,
    } as const satisfies TraceEvent
    expect(readOf(access, 7)).toEqual({ register: 'typer', cpu: 1, owner: 2, value: 5n, time: 7 })
    expect(readOf({ ...access, write: true }, 7)).toBeUndefined()
    expect(readOf({ ...access, offset: 0x14 }, 7)).toBeUndefined()
    expect(readOf({ ...access, frame: 'GICD' }, 7)).toBeUndefined()
  })

  it('is the last that began at the first frame: the boot CPU reads all frames once before', () => {
    const reads = [pidr2(1), typer(0, 2), typer(1, 3), typer(2, 4), pidr2(5), typer(0, 6)]
    expect(lastSearch(reads, frames).map(({ time }) => time)).toEqual([5, 6])
    expect(lastSearch([typer(1, 3)], frames)).toEqual([])
  })

  it('counts what Linux reads twice once', () => {
    const reads = [pidr2(1), typer(0, 2), typer(0, 3), typer(1, 4), typer(1, 5)]
    expect(lastSearch(reads, frames).map(({ time }) => time)).toEqual([1, 2, 4])
  })

  it('confirms what was computed, with the time of each read, and passes over what is read later', () => {
    const walk = walkFrames(1, frames)
    const read = [pidr2(10), typer(0, 20), typer(1, 30), typer(1, 99)]
    expect(confirm(walk, frames, read)).toEqual({ same: true, times: [10, 20, undefined, 30] })
  })

  it('says so where the guest read something else, or was not there yet', () => {
    const walk = walkFrames(1, frames)
    expect(confirm(walk, frames, [pidr2(10), typer(0, 20), typer(1, 30, 0n)])?.same).toBe(false)
    expect(confirm(walk, frames, [pidr2(10), typer(0, 20)])?.same).toBe(false)
    expect(confirm(walk, frames, [])).toBeUndefined()
  })
})
