/** Turns the control-flow graph of a region into one structured WebAssembly function, along its dominator tree. */
import type { Code } from '../../wasm/code.ts'
import { analyse, frameOf, inFrameOf, indexOf } from './control-flow.ts'
import type { Block, Graph } from './control-flow.ts'
import type { Row } from '../../../pure/arch/a64/row.ts'
import type { EffectsOf } from './effects.ts'
import { analyseRegion } from './liveness.ts'
import type { RegionFacts } from './liveness.ts'
import { distanceOf, inPage } from './pages.ts'
import type { Pages } from './pages.ts'
import { RegionOps } from './region-ops.ts'
import type { Edge } from './region-exits.ts'
import type { RegionPorts } from './region-ops.ts'
import type { RegionLocals } from './region-registers.ts'

export interface Region {
  /** Of each block the address of the first record of its page, the number in it of its first instruction, and how many it has. */
  readonly ranges: readonly { readonly page: number; readonly start: number; readonly length: number }[]
  /** Instructions that must be left in the budget to enter: as many as any way through without a loop can run. */
  readonly instructions: number
}

/** What a region has of the rest: the functions by which the interpreter runs rare instructions, and what is to be learned. */
export interface Surroundings {
  /** Their type in the module that is built. */
  readonly type: number
  /** The number in the table; `undefined`: the instruction has no function of its own. */
  of(row: Row, word: number): number | undefined
  /** Whether it is of interest where the indirect branch at this instruction leads, if not to where it is known to. */
  wantsTargets(index: number): boolean
}

class Emitter {
  private readonly ops: RegionOps
  private readonly graph: Graph
  private readonly facts: RegionFacts
  private readonly code: Code
  private readonly locals: RegionLocals
  private readonly handlers: Surroundings
  private readonly instructions: number
  private readonly labels = new Map<number, number>()
  private readonly children: number[][]
  /** How many times more the block that is emitted, a loop, will be. */
  private timesLeft = 0

  constructor(
    ops: RegionOps,
    graph: Graph,
    facts: RegionFacts,
    locals: RegionLocals,
    handlers: Surroundings,
    instructions: number,
  ) {
    this.ops = ops
    this.handlers = handlers
    this.facts = facts
    this.graph = graph
    this.code = ops.code
    this.locals = locals
    this.instructions = instructions
    this.children = graph.blocks.map(() => [])
    graph.dominator.forEach((parent, block) => {
      if (block > 0 && graph.merges.has(block)) this.children[parent]?.push(block)
    })
  }

  /** A block with everything it dominates. */
  tree(position: number): void {
    const block = this.graph.blocks[position]
    if (block === undefined) throw new Error('no such block')
    const isLoop = this.graph.loops.has(position)
    if (isLoop) {
      this.labels.set(position, this.code.depth)
      this.code.loop()
    }
    // Blocks that several edges lead to follow this one; the first to come is the innermost.
    const merges = this.children[position] ?? []
    const forward = new Map<number, number>()
    for (const child of merges.toReversed()) {
      forward.set(child, this.code.depth)
      this.code.block()
    }
    for (const [child, depth] of forward) this.labels.set(child, depth)
    this.timesLeft = (this.graph.times.get(position) ?? 1) - 1
    const facts = this.facts.blocks[position]
    if (facts === undefined) throw new Error('no such block')
    this.ops.startBlock(facts.dirty, facts.flags)
    this.block(block, position)
    for (const child of merges) {
      this.code.end()
      this.tree(child)
    }
    if (isLoop) this.code.end()
  }

  private block(block: Block, position: number): void {
    const { code: c, ops } = this
    const length = block.instructions.length
    c.get(this.locals.budget)
    c.i32(length)
    c.op('i32.sub')
    c.set(this.locals.budget)
    const facts = this.facts.blocks[position]
    if (facts?.leaves === true) ops.beginRareExits(facts.writes)
    for (const [i, { index, row, word }] of block.instructions.entries()) {
      ops.startInstruction(index, length - i, row)
      const operands = row.operandsOf(word)
      const handler = row.long ? this.handlers.of(row, word) : undefined
      if (handler === undefined) row.emit(ops, word, operands)
      else ops.callLong(handler, this.handlers.type, Object.values(operands))
    }
    ops.endRareExits(block.start + length)
    const next: Edge = { to: block.start + length }
    const end = ops.terminator ?? { kind: 'goto', edge: next }
    switch (end.kind) {
      case 'goto':
        return this.follow(end.edge, position)
      case 'branch':
        c.get(end.condition)
        c.if()
        ops.branching(() => this.follow(end.edge, position))
        c.else()
        ops.branching(() => this.follow(next, position))
        c.end()
        return
      case 'call':
        return this.call(block, end.to, next, position)
      case 'indirect':
        this.indirect(block, end.jump, position)
        return ops.leaveToTarget()
      case 'system':
        return this.system(block, next, position)
      default:
        end satisfies never
    }
  }

  private indirect({ successors }: Block, jump: boolean, position: number): void {
    const known = successors.filter((key) => this.graph.order.has(key)).toSorted((a, b) => a - b)
    const [only, ...others] = known
    if (only !== undefined && others.length === 0) this.ops.ifTarget(indexOf(only), () => this.followTo(only, position))
    else if (only !== undefined)
      this.ops.choose(known.map(indexOf), (to) => this.followTo(inFrameOf(only, to), position))
    if (jump && this.handlers.wantsTargets(this.ops.index)) this.ops.noteBranch()
  }

  private call(block: Block, callee: number | undefined, next: Edge, position: number): void {
    const { code: c, ops } = this
    const here = callee === undefined ? undefined : block.callees.get(callee)
    if (here !== undefined) return this.followTo(here, position)
    for (const [index, key] of block.callees) ops.ifTarget(index, () => this.followTo(key, position))
    const to = block.away === undefined ? undefined : this.graph.order.get(block.away)
    const live = to === undefined ? undefined : this.facts.blocks[to]?.live
    if (live === undefined) return ops.leaveToTarget()
    if (callee === undefined && this.handlers.wantsTargets(ops.index)) ops.noteBranch()
    ops.callOut(callee, live, this.facts.needs.flags)
    // What was called may have used up the budget that covered the rest.
    c.get(this.locals.budget)
    c.i32(this.instructions)
    c.op('i32.lt_s')
    c.if(undefined, false)
    ops.leaveAt(next)
    c.end()
    this.follow(next, position)
  }

  /** An instruction that only the driver can follow, like an exception's return, is the interpreter's. */
  private system({ instructions, away }: Block, next: Edge, position: number): void {
    const last = instructions.at(-1)
    if (last?.row.flow !== undefined) return
    const handler = last === undefined ? undefined : this.handlers.of(last.row, last.word)
    const to = away === undefined ? undefined : this.graph.order.get(away)
    const live = to === undefined ? { x: 0, v: 0 } : this.facts.blocks[to]?.live
    if (handler === undefined || live === undefined) return this.ops.leaveToInterpret()
    this.ops.callHandler(handler, this.handlers.type, live, this.facts.needs, this.instructions)
    this.follow(next, position)
  }

  private follow(edge: Edge, from: number): void {
    if ('far' in edge) return this.ops.leaveAt(edge)
    this.followTo(inFrameOf(this.graph.blocks[from]?.key ?? 0, edge.to), from)
  }

  private followTo(key: number, from: number): void {
    const edge = { to: indexOf(key) }
    const to = this.graph.order.get(key)
    if (to === undefined) return this.ops.leaveAt(edge)
    if (this.changesPage(from, key)) this.ops.needPage(edge.to)
    if (to <= from) {
      // A retreating edge to a block that does not dominate this one has no loop to go to.
      if (!this.graph.loops.has(to) || !this.encloses(to, from)) return this.ops.leaveAt(edge)
      const again = to === from && this.timesLeft > 0 ? this.graph.blocks[to] : undefined
      if (again !== undefined) {
        this.timesLeft--
        return this.block(again, to)
      }
      this.code.get(this.locals.budget)
      this.code.i32(this.instructions)
      this.code.op('i32.ge_s')
      this.code.if(undefined, true)
      this.code.br(this.labels.get(to) ?? 0)
      this.code.end()
      return this.ops.leaveAt(edge)
    }
    if (this.graph.merges.has(to)) return this.code.br(this.labels.get(to) ?? 0)
    this.tree(to)
  }

  /** Whether a way leads to another page that no way here has been in. The root's page and that of a caller have been. */
  private changesPage(from: number, to: number): boolean {
    const { key } = this.graph.blocks[from] ?? { key: 0 }
    const distance = distanceOf(indexOf(to))
    return distance !== 0 && distance !== distanceOf(indexOf(key)) && frameOf(to) >= frameOf(key)
  }

  private encloses(header: number, block: number): boolean {
    while (block > header) block = this.graph.dominator[block] ?? 0
    return block === header
  }
}

/** What a region needs of the module it is emitted into, before its function is: its graph, and what is known of it. */
export interface PlannedRegion {
  readonly pages: Pages
  readonly graph: Graph
  readonly facts: RegionFacts
}

export function planRegion(pages: Pages, found: readonly Block[], root: number, effects: EffectsOf): PlannedRegion {
  const graph = analyse(found, root)
  return { pages, graph, facts: analyseRegion(graph, effects) }
}

/**
 * Emits a region into `into`, a function of two parameters, the budget and how many regions have called it, that answers with the record to go
 * on with or one of REGION_RESULT.
 */
export function emitRegion(
  into: Code,
  { pages, graph, facts }: PlannedRegion,
  ports: RegionPorts,
  handlers: Surroundings,
): Region {
  const instructions = graph.blocks.reduce((n, b, i) => n + b.instructions.length * (graph.times.get(i) ?? 1), 0)
  const locals: RegionLocals = {
    budget: 0,
    depth: 1,
    tlb: into.local('i32'),
    pcOffset: into.local('i64'),
    target: into.local('i64'),
    result: into.local('i32'),
    fpTrapped: into.local('i32'),
    flags: { kind: into.local('i32'), a: into.local('i64'), b: into.local('i64') },
  }
  const ops = new RegionOps(into, ports, locals, pages)
  ops.prologue(facts.blocks[0]?.live ?? { x: 0, v: 0 }, facts.needs)
  ops.exit = into.depth
  into.block()
  new Emitter(ops, graph, facts, locals, handlers, instructions).tree(0)
  into.op('unreachable')
  into.end()
  ops.epilogue()

  const ranges = graph.blocks.map((b) => ({
    page: pages.pageOf(b.start),
    start: inPage(b.start),
    length: b.instructions.length,
  }))
  return { ranges, instructions }
}
