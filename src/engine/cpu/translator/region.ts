/** Turns the control-flow graph of a region into one structured WebAssembly function, along its dominator tree. */
import { Code } from '../../wasm/code.ts'
import { analyse } from './control-flow.ts'
import type { Block, Graph } from './control-flow.ts'
import { RegionOps } from './region-ops.ts'
import type { Edge, RegionLocals, RegionPorts } from './region-ops.ts'

export interface Region {
  /** Numbers in the page of the first instruction of each block, and how many it has. */
  readonly ranges: readonly { readonly start: number; readonly length: number }[]
  /** Instructions that must be left in the budget to enter: as many as any way through without a loop can run. */
  readonly instructions: number
}

class Emitter {
  private readonly ops: RegionOps
  private readonly graph: Graph
  private readonly code: Code
  private readonly locals: RegionLocals
  private readonly instructions: number
  private readonly labels = new Map<number, number>()
  private readonly children: number[][]

  constructor(ops: RegionOps, graph: Graph, locals: RegionLocals, instructions: number) {
    this.ops = ops
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
    ops.startBlock()
    for (const [i, { index, row, word }] of block.instructions.entries()) {
      ops.startInstruction(index, length - i, row.fp)
      row.emit(ops, word, row.operandsOf(word))
      if (ops.terminator?.kind === 'interpret') return
    }
    const next: Edge = { to: block.start + length }
    const end = ops.terminator ?? { kind: 'goto', edge: next }
    switch (end.kind) {
      case 'goto':
        return this.follow(end.edge, position)
      case 'branch':
        c.get(end.condition)
        c.if()
        this.follow(end.edge, position)
        c.else()
        this.follow(next, position)
        c.end()
        return
      case 'indirect':
        return ops.leaveWith(0)
      case 'interpret':
        return
      default:
        end satisfies never
    }
  }

  private follow(edge: Edge, from: number): void {
    const to = 'to' in edge ? this.graph.order.get(edge.to) : undefined
    if (to === undefined) return this.ops.leaveAt(edge)
    if (to <= from) {
      // A retreating edge to a block that does not dominate this one has no loop to go to.
      if (!this.graph.loops.has(to) || !this.encloses(to, from)) return this.ops.leaveAt(edge)
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

  private encloses(header: number, block: number): boolean {
    while (block > header) block = this.graph.dominator[block] ?? 0
    return block === header
  }
}

/**
 * Emits a region into `into`, a function of one parameter, the budget, that answers with the record to go
 * on with or one of REGION_RESULT. `page`: address of the first record of its page.
 */
export function emitRegion(
  into: Code,
  found: readonly Block[],
  root: number,
  page: number,
  ports: RegionPorts,
): Region {
  const graph = analyse(found, root)
  const instructions = graph.blocks.reduce((n, b) => n + b.instructions.length, 0)
  const body = new Code(into.parameters)
  const locals: RegionLocals = {
    budget: 0,
    tlb: body.local('i32'),
    pcOffset: body.local('i64'),
    target: body.local('i64'),
    result: body.local('i32'),
  }
  const ops = new RegionOps(body, ports, locals, page)
  ops.exit = body.depth
  body.block()
  new Emitter(ops, graph, locals, instructions).tree(0)
  body.op('unreachable')
  body.end()
  ops.epilogue()

  into.locals.push(...body.locals)
  ops.prologue(into)
  const before = into.length
  for (const hint of body.hints) into.hints.push({ offset: hint.offset + before, likely: hint.likely })
  into.append(body.written())
  return { ranges: graph.blocks.map((b) => ({ start: b.start, length: b.instructions.length })), instructions }
}
