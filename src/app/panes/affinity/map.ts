/** Where everything in the picture of affinities stands. Depends on affinities alone, so a running machine keeps it. */
import { affinityLevels } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import { linkFrames } from '../../../pure/rules/links.ts'
import type { Links } from '../../../pure/rules/links.ts'
import type { CpuSpot, FrameSpot } from '../shared/spots.ts'
import { closedIn, groupKey, groupPrefix } from './groups.ts'
import type { GroupLevel } from './groups.ts'

/** A CPU on a row of its own; `y` is the middle of its box. */
export interface CpuRow extends CpuSpot {
  readonly kind: 'cpu'
  readonly y: number
  /** Places of the frames that match, in address order. */
  readonly frames: readonly number[]
}

/** CPUs that share a row because their group is closed. */
export interface GroupRow {
  readonly kind: 'group'
  readonly key: string
  readonly level: GroupLevel
  readonly prefix: Affinity
  readonly cpus: readonly number[]
  readonly misses: number
  readonly y: number
}

export type Row = CpuRow | GroupRow

export interface FrameRow extends FrameSpot {
  readonly kind: 'frame'
  readonly place: number
  readonly y: number
  /** How many CPUs match it. */
  readonly claims: number
}

/** Frames in a row whose CPUs stand together in a closed group. */
export interface FramesRow {
  readonly kind: 'frames'
  readonly key: string
  readonly from: number
  readonly to: number
  readonly base: number
  readonly last: boolean
  readonly y: number
}

export interface RegionHead {
  readonly region: number
  readonly base: number
  readonly frames: number
  readonly y: number
}

/** A node of the tree with lines to what hangs on it. */
export interface LevelNode {
  readonly level: 3 | 2 | 1 | 0
  readonly value: number
  /** Its group, where it can be closed. */
  readonly key: string | undefined
  readonly closed: boolean
  readonly y: number
  /** Heights of its children. */
  readonly children: readonly number[]
}

/** `shared`: more than one CPU or frame has the affinity. `miss`: to the CPU's own frame, which says something else. */
export type LinkKind = 'match' | 'shared' | 'miss'

export interface Link {
  readonly kind: LinkKind
  /** The CPU's index, or the group's key. */
  readonly of: number | string
  /** Place of the frame, or of the first of several. */
  readonly place: number
  readonly from: number
  /** Height of the frame; `undefined` where a CPU has no frame at all. */
  readonly to: number | undefined
}

export interface AffinityMap {
  readonly rows: readonly Row[]
  readonly frames: readonly (FrameRow | FramesRow)[]
  readonly regions: readonly RegionHead[]
  readonly nodes: readonly LevelNode[]
  readonly links: readonly Link[]
  readonly misses: number
  readonly height: number
}

/** A row, where there is no room to spare, and where there is. */
export const ROW = 48
const MOST_ROW = 72
/** So many rows may stand apart; more of them are read as a list. */
const FEW = 16
/** What a reason takes below a row: four lines, where the pane is narrow. */
export const REASON = 72
export const HEAD = 32
/** The line over the frames of a region. */
export const REGION = 22
/** Where a group is small, its node stands in the middle of its children; else at the first, where one begins to read. */
const CENTRED = 8

const byAffinity = (a: CpuSpot, b: CpuSpot): number => a.affinity - b.affinity || a.index - b.index

const layRows = (
  sorted: readonly CpuSpot[],
  ofCpu: Links['ofCpu'],
  closed: ReadonlySet<string>,
  high: number,
): [Row[], number] => {
  const rows: Row[] = []
  let top = HEAD
  for (const [place, cpu] of sorted.entries()) {
    const frames = ofCpu[place] ?? []
    const level = closedIn(cpu.affinity, closed)
    const before = rows.at(-1)
    const key = level === undefined ? undefined : groupKey(cpu.affinity, level)
    if (level === undefined || key === undefined) {
      rows.push({ ...cpu, kind: 'cpu', y: top + high / 2, frames })
      top += high + (frames.length === 0 ? REASON : 0)
    } else if (before?.kind === 'group' && before.key === key) {
      const misses = before.misses + Number(frames.length === 0)
      rows[rows.length - 1] = { ...before, cpus: [...before.cpus, cpu.index], misses }
    } else {
      const prefix = groupPrefix(cpu.affinity, level)
      const misses = Number(frames.length === 0)
      rows.push({ kind: 'group', key, level, prefix, cpus: [cpu.index], misses, y: top + high / 2 })
      top += high
    }
  }
  return [rows, top]
}

interface LaidFrames {
  readonly rows: readonly (FrameRow | FramesRow)[]
  readonly regions: readonly RegionHead[]
  /** Height of each place. */
  readonly heights: readonly number[]
  readonly end: number
}

const layFrames = (
  inOrder: readonly FrameSpot[],
  claims: Links['claims'],
  groupOf: (frame: FrameSpot) => string | undefined,
  high: number,
): LaidFrames => {
  const rows: (FrameRow | FramesRow)[] = []
  const regions: RegionHead[] = []
  const heights: number[] = []
  const several = new Set(inOrder.map(({ region }) => region)).size > 1
  let top = HEAD
  for (const [place, frame] of inOrder.entries()) {
    const head = regions.at(-1)
    const fresh = head?.region !== frame.region
    if (fresh) {
      const y = top + REGION / 2
      regions.push({ region: frame.region, base: frame.base, frames: 1, y })
      if (several) top += REGION
    } else if (head !== undefined) regions[regions.length - 1] = { ...head, frames: head.frames + 1 }
    const key = (claims[place] ?? 0) === 1 ? groupOf(frame) : undefined
    const before = rows.at(-1)
    if (key !== undefined && !fresh && before?.kind === 'frames' && before.key === key) {
      rows[rows.length - 1] = { ...before, to: place, last: frame.last }
      heights.push(before.y)
      continue
    }
    const y = top + high / 2
    rows.push(
      key === undefined
        ? { ...frame, kind: 'frame', place, y, claims: claims[place] ?? 0 }
        : { kind: 'frames', key, from: place, to: place, base: frame.base, last: frame.last, y },
    )
    heights.push(y)
    top += high
  }
  return { rows, regions: several ? regions : [], heights, end: top }
}

/** What a line needs to know of its ends. */
interface Ends {
  /** Places of the frames that match a CPU, by its index. */
  readonly matched: ReadonlyMap<number, readonly number[]>
  /** Place of the frame that was made for a CPU, by its index. */
  readonly own: ReadonlyMap<number, number>
  readonly claims: Links['claims']
  readonly heights: readonly number[]
}

const linksOf = (row: Row, { matched, own, claims, heights }: Ends): Link[] => {
  if (row.kind === 'group') {
    const seen = new Map<number, number>()
    for (const cpu of row.cpus) {
      for (const place of matched.get(cpu) ?? []) {
        const height = heights[place] ?? 0
        if (!seen.has(height)) seen.set(height, place)
      }
    }
    return [...seen].map(([to, place]) => ({ kind: 'match', of: row.key, place, from: row.y, to }))
  }
  if (row.frames.length === 0) {
    const place = own.get(row.index)
    const to = place === undefined ? undefined : heights[place]
    return [{ kind: 'miss', of: row.index, place: place ?? -1, from: row.y, to }]
  }
  return row.frames.map((place) => {
    const kind = row.frames.length > 1 || (claims[place] ?? 0) > 1 ? 'shared' : 'match'
    return { kind, of: row.index, place, from: row.y, to: heights[place] ?? row.y }
  })
}

const LEVEL_NAMES = { 3: 'aff3', 2: 'aff2', 1: 'aff1', 0: 'aff0' } as const
type Level = keyof typeof LEVEL_NAMES

const firstAffinity = (row: Row): Affinity => (row.kind === 'cpu' ? row.affinity : row.prefix)

const heightOf = (children: readonly number[], rows: number): number => {
  const [first, last] = [children[0] ?? 0, children.at(-1) ?? 0]
  return rows <= CENTRED ? (first + last) / 2 : first
}

const nextOf = { 3: 2, 2: 1, 1: 0 } as const

const addNodes = (rows: readonly Row[], level: Level, nodes: LevelNode[]): number[] => {
  const groups: { readonly value: number; readonly rows: Row[] }[] = []
  for (const row of rows) {
    const value = affinityLevels(firstAffinity(row))[LEVEL_NAMES[level]]
    const before = groups.at(-1)
    if (before !== undefined && before.value === value) before.rows.push(row)
    else groups.push({ value, rows: [row] })
  }
  return groups.map(({ value, rows: inside }) => {
    const [first] = inside
    const closed = first?.kind === 'group' && first.level === level
    const key = level === 0 || first === undefined ? undefined : groupKey(firstAffinity(first), level)
    const children = level === 0 || closed ? inside.map(({ y }) => y) : addNodes(inside, nextOf[level], nodes)
    const y = heightOf(children, inside.length)
    nodes.push({ level, value, key, closed, y, children })
    return y
  })
}

const layWith = (
  cpus: readonly CpuSpot[],
  frames: readonly FrameSpot[],
  closed: ReadonlySet<string>,
  high: number,
): AffinityMap => {
  const sorted = cpus.toSorted(byAffinity)
  const inOrder = frames.toSorted((a, b) => a.base - b.base)
  const { ofCpu, claims } = linkFrames(sorted, inOrder)
  const [rows, end] = layRows(sorted, ofCpu, closed, high)
  const laid = layFrames(
    inOrder,
    claims,
    (frame) => {
      const level = closedIn(frame.affinity, closed)
      return level === undefined ? undefined : groupKey(frame.affinity, level)
    },
    high,
  )
  const ends: Ends = {
    matched: new Map(sorted.map(({ index }, place) => [index, ofCpu[place] ?? []])),
    own: new Map(inOrder.map(({ cpu }, place) => [cpu, place])),
    claims,
    heights: laid.heights,
  }
  const nodes: LevelNode[] = []
  addNodes(rows, 3, nodes)
  return {
    rows,
    frames: laid.rows,
    regions: laid.regions,
    nodes,
    links: rows.flatMap((row) => linksOf(row, ends)),
    misses: ofCpu.filter((places) => places.length === 0).length,
    height: Math.max(end, laid.end) + 8,
  }
}

/** `closed`: keys of groups that are drawn as one row; `room`: how high the pane is, over which a few rows spread. */
export const layAffinities = (
  cpus: readonly CpuSpot[],
  frames: readonly FrameSpot[],
  closed: ReadonlySet<string> = new Set(),
  room = 0,
): AffinityMap => {
  const map = layWith(cpus, frames, closed, ROW)
  const count = Math.max(map.rows.length, map.frames.length)
  const high = Math.min(MOST_ROW, ROW + Math.floor((room - map.height) / Math.max(1, count)))
  return high > ROW && count <= FEW ? layWith(cpus, frames, closed, high) : map
}
