import { describe, expect, it } from 'vitest'
import { ReadySet } from './ready-set.ts'

describe('the set of CPUs that can run', () => {
  it('gives each its turn, in order and around', () => {
    const ready = new ReadySet()
    for (const index of [0, 31, 32, 200, 511]) ready.set(index, true)
    const turns: (number | undefined)[] = []
    for (let next: number | undefined = 0, i = 0; i < 7; i++) {
      const turn: number | undefined = ready.from(next ?? 0)
      turns.push(turn)
      next = (turn ?? 0) + 1
    }
    expect(turns).toEqual([0, 31, 32, 200, 511, 0, 31])
  })

  it('finds a CPU below the place it starts from, in the same word', () => {
    const ready = new ReadySet()
    ready.set(3, true)
    expect(ready.from(4)).toBe(3)
  })

  it('counts each CPU once and has nobody when all wait', () => {
    const ready = new ReadySet()
    ready.set(7, true)
    ready.set(7, true)
    expect(ready.count).toBe(1)
    ready.set(7, false)
    expect([ready.count, ready.from(0)]).toEqual([0, undefined])
  })
})
