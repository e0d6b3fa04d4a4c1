/**
 * Which registers the locals of a region have to hold, block by block. A way out writes what the region has changed back to
 * memory, so a register that some way to a block has changed counts as used there.
 */
import { MIXED, UNTOUCHED, meet } from '../flag-kind.ts'
import type { FlagState } from '../flag-kind.ts'
import type { Graph } from './control-flow.ts'
import type { EffectsOf } from './effects.ts'
import type { RegionNeeds, RegisterSets } from './region-registers.ts'

export interface BlockFacts {
  /** Registers that some way here has changed since they were last in memory. */
  readonly dirty: RegisterSets
  /** Registers whose locals must hold their value. */
  readonly live: RegisterSets
  readonly flags: FlagState
  /** Registers that it changes itself. */
  readonly writes: RegisterSets
  /** Some of its instructions may be left to the interpreter. */
  readonly leaves: boolean
}

export interface RegionFacts {
  /** By position in the graph. */
  readonly blocks: readonly BlockFacts[]
  /** What must be filled from memory at entry and after calls. */
  readonly needs: RegionNeeds
  readonly helpers: ReadonlyMap<string, number>
}

interface Summary {
  /** Read before they are written. */
  useX: number
  useV: number
  writesX: number
  writesV: number
  flags: FlagState
  leaves: boolean
}

const summarise = (graph: Graph, effects: EffectsOf, helpers: Map<string, number>): Summary[] =>
  graph.blocks.map(({ instructions }) => {
    const s: Summary = { useX: 0, useV: 0, writesX: 0, writesV: 0, flags: UNTOUCHED, leaves: false }
    for (const { row, word } of instructions) {
      const e = effects.of(row, word)
      s.useX |= e.reads.x & ~s.writesX
      s.useV |= e.reads.v & ~s.writesV
      s.writesX |= e.writes.x
      s.writesV |= e.writes.v
      s.leaves ||= e.leaves
      // After a mixed outcome the locals say what holds, which they do whatever was before.
      if (e.flags !== UNTOUCHED) s.flags = e.flags
      for (const [name, parameters] of e.helpers) helpers.set(name, parameters)
    }
    return s
  })

export function analyseRegion(graph: Graph, effects: EffectsOf): RegionFacts {
  const helpers = new Map<string, number>()
  const summaries = summarise(graph, effects, helpers)
  const count = graph.blocks.length
  const edges = graph.blocks.map(({ successors, away }) =>
    successors.flatMap((key) => {
      const to = graph.order.get(key)
      return to === undefined ? [] : [{ to, away: key === away }]
    }),
  )
  const dirtyX = new Int32Array(count)
  const dirtyV = new Int32Array(count)
  const flags: (FlagState | undefined)[] = Array.from({ length: count })
  flags[0] = UNTOUCHED
  for (let changed = true; changed;) {
    changed = false
    for (let b = 0; b < count; b++) {
      const s = summaries[b]
      const before = flags[b]
      if (s === undefined || before === undefined) continue
      for (const { to: next, away } of edges[b] ?? []) {
        const x = (dirtyX[next] ?? 0) | (away ? 0 : (dirtyX[b] ?? 0) | s.writesX)
        const v = (dirtyV[next] ?? 0) | (away ? 0 : (dirtyV[b] ?? 0) | s.writesV)
        const outFlags = away ? UNTOUCHED : s.flags === UNTOUCHED ? before : s.flags
        const known = flags[next]
        const f = known === undefined ? outFlags : meet(known, outFlags)
        if (x === dirtyX[next] && v === dirtyV[next] && f === known) continue
        dirtyX[next] = x
        dirtyV[next] = v
        flags[next] = f
        changed = true
      }
    }
  }
  const liveX = new Int32Array(count)
  const liveV = new Int32Array(count)
  for (let changed = true; changed;) {
    changed = false
    for (let b = count - 1; b >= 0; b--) {
      const s = summaries[b]
      if (s === undefined) continue
      let outX = 0
      let outV = 0
      for (const { to, away } of edges[b] ?? []) {
        // What is live behind a call is loaded there.
        if (away) continue
        outX |= liveX[to] ?? 0
        outV |= liveV[to] ?? 0
      }
      const x = s.useX | (dirtyX[b] ?? 0) | (outX & ~s.writesX)
      const v = s.useV | (dirtyV[b] ?? 0) | (outV & ~s.writesV)
      if (x === liveX[b] && v === liveV[b]) continue
      liveX[b] = x
      liveV[b] = v
      changed = true
    }
  }
  const blocks = graph.blocks.map((_, b) => ({
    dirty: { x: dirtyX[b] ?? 0, v: dirtyV[b] ?? 0 },
    live: { x: liveX[b] ?? 0, v: liveV[b] ?? 0 },
    flags: flags[b] ?? UNTOUCHED,
    writes: { x: summaries[b]?.writesX ?? 0, v: summaries[b]?.writesV ?? 0 },
    leaves: summaries[b]?.leaves ?? false,
  }))
  const needs = {
    flags: blocks.some((block) => block.flags === MIXED),
    fp: graph.blocks.some(({ instructions }) => instructions.some(({ row }) => row.fp)),
  }
  return { blocks, needs, helpers }
}
