/** Where everything in the picture of affinities stands. Depends on affinities alone, so a running machine keeps it. */
import { affinityLevels } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import { linkFrames } from '../../../pure/rules/links.ts'

export interface CpuSpot {
  readonly index: number
  readonly affinity: Affinity
}

export interface FrameSpot {
  readonly base: number
  readonly cpu: number
  readonly affinity: Affinity
  readonly last: boolean
}

export interface CpuRow extends CpuSpot {
  /** The middle of its box. */
  readonly y: number
  /** Places of the frames that match, in address order. */
  readonly frames: readonly number[]
}

export interface FrameRow extends FrameSpot {
  readonly y: number
  readonly claims: number
}

/** A node of the tree with lines to what hangs on it. */
export interface LevelNode {
  readonly level: 3 | 2 | 1 | 0
  readonly value: number
  readonly y: number
  /** Heights of its children. */
  readonly children: readonly number[]
}

export interface AffinityMap {
  readonly cpus: readonly CpuRow[]
  readonly frames: readonly FrameRow[]
  readonly nodes: readonly LevelNode[]
  readonly height: number
}

export const ROW = 44
/** What a reason takes below a row. */
export const REASON = 66
export const HEAD = 30
/** Where a group is small, its node stands in the middle of its children; else at the first, where one begins to read. */
const CENTRED = 8

const byAffinity = (a: CpuSpot, b: CpuSpot): number => a.affinity - b.affinity || a.index - b.index

interface Group {
  readonly value: number
  readonly rows: CpuRow[]
}

const groupsOf = (rows: readonly CpuRow[], level: 'aff3' | 'aff2' | 'aff1' | 'aff0'): Group[] => {
  const groups: Group[] = []
  for (const row of rows) {
    const value = affinityLevels(row.affinity)[level]
    const group = groups.at(-1)
    if (group !== undefined && group.value === value) group.rows.push(row)
    else groups.push({ value, rows: [row] })
  }
  return groups
}

const heightOf = (children: readonly number[], rows: number): number => {
  const [first, last] = [children[0] ?? 0, children.at(-1) ?? 0]
  return rows <= CENTRED ? (first + last) / 2 : first
}

const addNodes = (rows: readonly CpuRow[], level: 3 | 2 | 1 | 0, nodes: LevelNode[]): number[] =>
  groupsOf(rows, `aff${level}`).map(({ value, rows: inside }) => {
    const children =
      level === 0 ? inside.map(({ y }) => y) : addNodes(inside, level === 3 ? 2 : level === 2 ? 1 : 0, nodes)
    const y = heightOf(children, inside.length)
    nodes.push({ level, value, y, children })
    return y
  })

export const layAffinities = (cpus: readonly CpuSpot[], frames: readonly FrameSpot[]): AffinityMap => {
  const sorted = cpus.toSorted(byAffinity)
  const inOrder = frames.toSorted((a, b) => a.base - b.base)
  const { ofCpu, claims } = linkFrames(sorted, inOrder)
  let top = HEAD
  const cpuRows = sorted.map((cpu, place): CpuRow => {
    const y = top + ROW / 2
    const matched = ofCpu[place] ?? []
    top += ROW + (matched.length === 0 ? REASON : 0)
    return { ...cpu, y, frames: matched }
  })
  const frameRows = inOrder.map((frame, place): FrameRow => {
    return { ...frame, y: HEAD + place * ROW + ROW / 2, claims: claims[place] ?? 0 }
  })
  const nodes: LevelNode[] = []
  addNodes(cpuRows, 3, nodes)
  return { cpus: cpuRows, frames: frameRows, nodes, height: Math.max(top, HEAD + frameRows.length * ROW) + 8 }
}
