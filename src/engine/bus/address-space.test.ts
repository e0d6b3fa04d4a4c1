import { describe, expect, it } from 'vitest'
import { createAddressSpace } from './address-space.ts'
import type { MmioRegion } from './device.ts'

const region = (base: number, size: number): MmioRegion => ({
  name: `at ${base.toString(16)}`,
  base,
  size,
  read: () => 0n,
  write: () => {},
})

describe('an address space', () => {
  const low = region(0x1000, 0x1000)
  const middle = region(0x2000, 0x10)
  const high = region(0x40_0000_0000, 0x2_0000)

  it('finds the region that holds an address, in whatever order they came', () => {
    const space = createAddressSpace()
    for (const r of [high, low, middle]) space.attach(r)
    const at = [0xfff, 0x1000, 0x1fff, 0x2000, 0x200f, 0x2010, 0x40_0000_0000, 0x40_0001_ffff, 0x40_0002_0000]
    const expected = [undefined, low, low, middle, middle, undefined, high, high, undefined]
    expect(at.map((physical) => space.find(physical))).toEqual(expected)
    expect(at.toReversed().map((physical) => space.find(physical))).toEqual(expected.toReversed())
  })

  it('refuses an overlap from either side', () => {
    const space = createAddressSpace()
    space.attach(low)
    for (const [base, size] of [
      [0x0, 0x1001],
      [0x1fff, 1],
      [0x1800, 0x10],
      [0x0, 0x10000],
      [0x1000, 0x1000],
    ] as const) {
      expect(() => space.attach(region(base, size))).toThrow(/overlaps at 1000 at 0x1000/)
    }
  })

  it('forgets what is detached, even what was found last', () => {
    const space = createAddressSpace()
    space.attach(low)
    expect(space.find(0x1000)).toBe(low)
    space.detach(low)
    expect(space.find(0x1000)).toBeUndefined()
    expect(() => space.detach(low)).toThrow('not attached')
    const other = region(0x1800, 0x10)
    space.attach(other)
    expect(space.find(0x1808)).toBe(other)
  })
})
