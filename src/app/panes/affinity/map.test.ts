import { describe, expect, it } from 'vitest'
import { affinityOf, resetAffinity } from '../../../pure/arch/affinity.ts'
import { layAffinities, ROW } from './map.ts'
import type { CpuSpot, FrameSpot } from './map.ts'

const cpus = (count: number): CpuSpot[] =>
  Array.from({ length: count }, (_, index) => ({ index, affinity: resetAffinity(index) }))

const frames = (of: readonly CpuSpot[]): FrameSpot[] =>
  of.map(({ index, affinity }) => {
    return { base: 0x080a0000 + index * 0x20000, cpu: index, affinity, last: index === of.length - 1 }
  })

describe('the picture of affinities', () => {
  it('puts CPUs in the order of their affinities and frames in the order of their addresses', () => {
    const four = cpus(4).map((cpu) =>
      cpu.index === 2 ? { ...cpu, affinity: affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 2 }) } : cpu,
    )
    const map = layAffinities(four, frames(cpus(4)).toReversed())
    expect(map.cpus.map(({ index }) => index)).toEqual([0, 1, 3, 2])
    expect(map.frames.map(({ cpu }) => cpu)).toEqual([0, 1, 2, 3])
    expect(map.cpus.map((row) => row.frames)).toEqual([[0], [1], [3], []])
    expect(map.frames.map(({ claims }) => claims)).toEqual([1, 1, 0, 1])
  })

  it('leaves room below a CPU without a frame', () => {
    const two = cpus(2)
    const whole = layAffinities(two, frames(two))
    const broken = layAffinities(two, frames(two).slice(1))
    const gap = (map: typeof whole): number => (map.cpus[1]?.y ?? 0) - (map.cpus[0]?.y ?? 0)
    expect(gap(whole)).toBe(ROW)
    expect(gap(broken)).toBeGreaterThan(ROW)
  })

  it('makes one node for each value of each level', () => {
    const map = layAffinities(cpus(512), frames(cpus(512)))
    const count = (level: number): number => map.nodes.filter((node) => node.level === level).length
    expect([3, 2, 1, 0].map(count)).toEqual([1, 1, 32, 512])
    expect(map.cpus).toHaveLength(512)
  })

  it('links both of two CPUs with one affinity to all frames that have it', () => {
    const same: CpuSpot[] = [
      { index: 0, affinity: 0 },
      { index: 1, affinity: 0 },
    ]
    const map = layAffinities(same, frames(same))
    expect(map.cpus.map((row) => row.frames)).toEqual([
      [0, 1],
      [0, 1],
    ])
    expect(map.frames.map(({ claims }) => claims)).toEqual([2, 2])
  })
})
