import { describe, expect, it } from 'vitest'
import { affinityOf, resetAffinity, typerAffinity } from '../../../pure/arch/affinity.ts'
import { closedGroups, groupKey } from './groups.ts'
import { layAffinities, ROW } from './map.ts'
import type { AffinityMap } from './map.ts'
import type { CpuSpot, FrameSpot } from '../shared/spots.ts'

const cpus = (count: number): CpuSpot[] =>
  Array.from({ length: count }, (_, index) => ({ index, affinity: resetAffinity(index) }))

const frames = (of: readonly CpuSpot[], perRegion = 512): FrameSpot[] =>
  of.map(({ index, affinity }) => ({
    base: (Math.floor(index / perRegion) + 1) * 0x10000000 + (index % perRegion) * 0x20000,
    cpu: index,
    affinity,
    last: index === of.length - 1,
    region: Math.floor(index / perRegion),
    typer: typerAffinity.encode(affinity),
  }))

const moved = (of: readonly CpuSpot[], index: number, aff3: number): CpuSpot[] =>
  of.map((cpu) =>
    cpu.index === index ? { ...cpu, affinity: affinityOf({ aff3, aff2: 0, aff1: 0, aff0: index }) } : cpu,
  )

const indexes = ({ rows }: AffinityMap): (number | string)[] =>
  rows.map((row) => (row.kind === 'cpu' ? row.index : row.key))

describe('the picture of affinities', () => {
  it('puts CPUs in the order of their affinities and frames in the order of their addresses', () => {
    const map = layAffinities(moved(cpus(4), 2, 1), frames(cpus(4)).toReversed())
    expect(indexes(map)).toEqual([0, 1, 3, 2])
    expect(map.frames.map((row) => row.kind === 'frame' && row.cpu)).toEqual([0, 1, 2, 3])
    expect(map.links.map(({ of, place, kind }) => [of, place, kind])).toEqual([
      [0, 0, 'match'],
      [1, 1, 'match'],
      [3, 3, 'match'],
      [2, 2, 'miss'],
    ])
    expect(map.frames.map((row) => row.kind === 'frame' && row.claims)).toEqual([1, 1, 0, 1])
    expect(map.misses).toBe(1)
  })

  it('leaves room below a CPU without a frame, and draws its line to nowhere when it has none of its own', () => {
    const two = cpus(2)
    const whole = layAffinities(two, frames(two))
    const broken = layAffinities(two, frames(two).slice(1))
    const gap = (map: typeof whole): number => (map.rows[1]?.y ?? 0) - (map.rows[0]?.y ?? 0)
    expect(gap(whole)).toBe(ROW)
    expect(gap(broken)).toBeGreaterThan(ROW)
    expect(broken.links[0]).toMatchObject({ kind: 'miss', of: 0, to: undefined })
  })

  it('spreads a few rows over the room there is, and no more than the eye follows', () => {
    const gapIn = (count: number, room: number): number => {
      const [first, second] = layAffinities(cpus(count), frames(cpus(count)), new Set(), room).rows
      return (second?.y ?? 0) - (first?.y ?? 0)
    }
    const { height } = layAffinities(cpus(4), frames(cpus(4)))
    expect(gapIn(4, height)).toBe(ROW)
    expect(gapIn(4, height + 40)).toBe(ROW + 10)
    expect(layAffinities(cpus(4), frames(cpus(4)), new Set(), height + 40).height).toBe(height + 40)
    expect(gapIn(4, 5000)).toBeLessThan(2 * ROW)
    expect(gapIn(64, 5000)).toBe(ROW)
  })

  it('makes one node for each value of each level', () => {
    const map = layAffinities(cpus(512), frames(cpus(512)))
    const count = (level: number): number => map.nodes.filter((node) => node.level === level).length
    expect([3, 2, 1, 0].map(count)).toEqual([1, 1, 32, 512])
    expect(map.rows).toHaveLength(512)
  })

  it('links both of two CPUs with one affinity to all frames that have it', () => {
    const same: CpuSpot[] = [
      { index: 0, affinity: 0 },
      { index: 1, affinity: 0 },
    ]
    const map = layAffinities(same, frames(same))
    expect(map.links.map(({ of, place, kind }) => [of, place, kind])).toEqual([
      [0, 0, 'shared'],
      [0, 1, 'shared'],
      [1, 0, 'shared'],
      [1, 1, 'shared'],
    ])
  })

  it('heads the frames of several regions, and those of one not at all', () => {
    expect(layAffinities(cpus(4), frames(cpus(4))).regions).toEqual([])
    const { regions } = layAffinities(cpus(5), frames(cpus(5), 3))
    expect(regions.map(({ region, frames: count }) => [region, count])).toEqual([
      [0, 3],
      [1, 2],
    ])
  })
})

describe('closed groups', () => {
  const many = cpus(512)

  it('draw 512 CPUs as their 32 clusters, each with one line to one row of frames', () => {
    const map = layAffinities(many, frames(many), closedGroups(many, new Set(), {}))
    expect(map.rows).toHaveLength(32)
    expect(map.frames).toHaveLength(32)
    expect(map.links).toHaveLength(32)
    expect(map.nodes.filter(({ level }) => level === 0)).toEqual([])
    expect(map.rows[1]).toMatchObject({ kind: 'group', prefix: 0x100, misses: 0 })
  })

  it('stay open where a CPU is selected or wrong', () => {
    const closed = closedGroups(many, new Set([17]), {})
    expect(closed.has(groupKey(resetAffinity(17), 1))).toBe(false)
    expect(layAffinities(many, frames(many), closed).rows).toHaveLength(31 + 16)
  })

  it('are not there in a small machine, and are what a person says in any', () => {
    expect(closedGroups(cpus(4), new Set(), {}).size).toBe(0)
    const closed = closedGroups(cpus(4), new Set([0]), { [groupKey(0, 2)]: true })
    const map = layAffinities(cpus(4), frames(cpus(4)), closed)
    expect(indexes(map)).toEqual([groupKey(0, 2)])
    expect(map.nodes.map(({ level, closed: is }) => [level, is])).toEqual([
      [2, true],
      [3, false],
    ])
  })

  it('tell how many of their CPUs have no frame, and leave a frame that is nobody’s on a row of its own', () => {
    const odd = moved(cpus(4), 2, 1)
    const map = layAffinities(odd, frames(cpus(4)), new Set([groupKey(0, 1), groupKey(0x0100_0000, 1)]))
    expect(map.rows.map((row) => row.kind === 'group' && [row.cpus.length, row.misses])).toEqual([
      [3, 0],
      [1, 1],
    ])
    expect(map.frames.map((row) => (row.kind === 'frames' ? [row.from, row.to] : row.place))).toEqual([
      [0, 1],
      2,
      [3, 3],
    ])
  })
})
