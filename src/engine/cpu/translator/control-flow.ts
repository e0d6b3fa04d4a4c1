/** The control-flow graph of a region: blocks of code, found from a root by following direct branches. */
import type { Decoder } from '../../../pure/arch/a64/decoder.ts'
import type { Flow, Row } from '../../../pure/arch/a64/row.ts'
import { distanceOf } from './pages.ts'

/** What a region may hold, so that compiling it takes a bounded time and a budget check covers few instructions. */
const LIMIT = { blocks: 64, instructions: 320 } as const
/** A function without calls of its own, and no larger, is emitted in the place of a call. */
const LEAF = { instructions: 24 } as const
/** Functions that a call through a register may lead to and that stand in its place; each costs a comparison. */
const MAX_CALLEES = 4

export interface Instruction {
  /** Number of the instruction, from the first of the root's page on. */
  readonly index: number
  readonly word: number
  readonly row: Row
}

/** Where a block's control may go, by the keys of blocks. */
interface Exits {
  /** What may run next and is in a known page, in the region or not: taken target first. */
  readonly successors: readonly number[]
  /** The one of them that is reached with all registers in memory: behind a call that is made, or what a handler does. */
  readonly away: number | undefined
  /** Functions that stand in the place of the call that ends the block, by the number of their first instruction. */
  readonly callees: ReadonlyMap<number, number>
}

const NOWHERE: Exits = { successors: [], away: undefined, callees: new Map() }

export interface Block extends Exits {
  /** Tells it from blocks of the same instructions: a function may stand in the place of several calls. */
  readonly key: number
  /** Number of its first instruction. */
  readonly start: number
  readonly instructions: readonly Instruction[]
}

export interface PageCode {
  readonly decoder: Decoder
  /** Whether the page of an instruction is known. */
  has(index: number): boolean
  wordAt(index: number): number
  /** Whether an instruction is done by its handler: it ends its block. */
  isSystem(row: Row, word: number): boolean
  /** Numbers of the instructions that an indirect branch or call was seen to lead to. */
  targetsOf(index: number): readonly number[]
}

/** How far from the root's page a region may reach, in instructions: 16 MiB, so that keys stay small integers. */
const SPAN = 1 << 22
const mayHold = (code: PageCode, index: number): boolean => index >= -SPAN && index < SPAN && code.has(index)

/**
 * The key of the block that starts at an instruction, in a frame: 0 is the region's own function, others are the calls in whose
 * place a function stands.
 */
const keyOf = (frame: number, index: number): number => frame * 2 * SPAN + SPAN + index
export const frameOf = (key: number): number => Math.floor(key / (2 * SPAN))
export const indexOf = (key: number): number => (key % (2 * SPAN)) - SPAN
/** The key of another instruction in the frame of a block. */
export const inFrameOf = (key: number, index: number): number => keyOf(frameOf(key), index)

const endsPage = (index: number): boolean => distanceOf(index) !== distanceOf(index + 1)

/** The number of a direct branch's target. */
export function targetOf({ index, row, word }: Instruction): number {
  const operand = row.target === undefined ? undefined : row.operandsOf(word)[row.target]
  if (operand === undefined) throw new Error(`${row.name} has no target`)
  return index + Number(operand.value) / 4
}

function instructionAt(code: PageCode, index: number): Instruction | undefined {
  const word = code.wordAt(index)
  const row = code.decoder.decode(word)
  return row === undefined ? undefined : { index, word, row }
}

/** How many instructions and blocks the function has that starts here; `undefined`: it is not small, or not a leaf. */
function leafSize(
  code: PageCode,
  start: number,
): { readonly blocks: number; readonly instructions: number } | undefined {
  const seen = new Set<number>()
  const waiting = [start]
  let blocks = 0
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    blocks++
    for (let at: number | undefined = index; at !== undefined && !seen.has(at);) {
      const instruction: Instruction | undefined =
        mayHold(code, at) && seen.size < LEAF.instructions ? instructionAt(code, at) : undefined
      if (instruction === undefined) return undefined
      seen.add(at)
      const flow: Flow | undefined = instruction.row.flow
      if (
        flow === 'call' ||
        flow === 'leave' ||
        (flow === undefined && code.isSystem(instruction.row, instruction.word))
      )
        return undefined
      if (flow === 'branch') waiting.push(targetOf(instruction))
      if (flow === 'jump') at = targetOf(instruction)
      else at = flow === 'indirect' ? undefined : at + 1
    }
  }
  return { blocks, instructions: seen.size }
}

/** Whether a function that starts here may stand in the place of a call. */
export const isLeaf = (code: PageCode, start: number): boolean => leafSize(code, start) !== undefined

class BlockFinder {
  private readonly code: PageCode
  private readonly instructions = new Map<number, Instruction>()
  private readonly leaders = new Set<number>()
  /** By the key of the last instruction of a block. */
  private readonly exits = new Map<number, Exits>()
  /** Keys of what is behind the calls whose places functions have taken, by frame. */
  private readonly returns: (number | undefined)[] = [undefined]
  private readonly waiting: number[] = []

  constructor(code: PageCode) {
    this.code = code
  }

  find(root: number): Block[] {
    this.lead(keyOf(0, root))
    for (let key = this.waiting.shift(); key !== undefined; key = this.waiting.shift()) this.walk(key)
    return [...this.leaders].flatMap((key) => this.blockAt(key) ?? [])
  }

  private lead(key: number): void {
    if (this.leaders.has(key) || this.leaders.size >= LIMIT.blocks) return
    this.leaders.add(key)
    this.waiting.push(key)
  }

  private walk(key: number): void {
    for (; ; key++) {
      if (this.instructions.has(key) || this.instructions.size >= LIMIT.instructions) return
      const instruction = instructionAt(this.code, indexOf(key))
      if (instruction === undefined) return
      this.instructions.set(key, instruction)
      if (this.endsBlock(instruction)) {
        const exits = this.exitsOf(key, instruction)
        this.exits.set(key, exits)
        for (const next of exits.successors) this.lead(next)
        return
      }
      if (!endsPage(instruction.index)) continue
      for (const next of this.known(key, instruction.index + 1)) this.lead(next)
      return
    }
  }

  private endsBlock({ row, word }: Instruction): boolean {
    return row.flow !== undefined || this.code.isSystem(row, word)
  }

  /** Those of these instructions whose pages are known, as keys in the frame of `key`. */
  private known(key: number, ...indexes: readonly number[]): number[] {
    return indexes.filter((index) => mayHold(this.code, index)).map((index) => inFrameOf(key, index))
  }

  private exitsOf(key: number, instruction: Instruction): Exits {
    const { index, row } = instruction
    switch (row.flow) {
      case undefined: {
        const behind = this.known(key, index + 1)
        return { ...NOWHERE, successors: behind, away: behind[0] }
      }
      case 'jump':
        return { ...NOWHERE, successors: this.known(key, targetOf(instruction)) }
      case 'branch':
        return { ...NOWHERE, successors: this.known(key, targetOf(instruction), index + 1) }
      case 'call':
        return this.callFrom(key, instruction)
      case 'indirect': {
        const back = this.returns[frameOf(key)]
        return { ...NOWHERE, successors: back === undefined ? this.known(key, ...this.code.targetsOf(index)) : [back] }
      }
      case 'leave':
        return NOWHERE
      default:
        return row.flow satisfies never
    }
  }

  /** Of small functions, those that the call is known to lead to stand in its place. */
  private callFrom(key: number, instruction: Instruction): Exits {
    const { index, row } = instruction
    const behind = this.known(key, index + 1)
    const [next] = behind
    const direct = row.target === undefined ? undefined : targetOf(instruction)
    const callees = new Map<number, number>()
    if (frameOf(key) === 0 && next !== undefined)
      for (const callee of direct === undefined ? this.code.targetsOf(index) : [direct]) {
        const size =
          callees.size < MAX_CALLEES && this.leaders.size < LIMIT.blocks ? leafSize(this.code, callee) : undefined
        if (size === undefined || this.leaders.size + size.blocks > LIMIT.blocks) continue
        if (this.instructions.size + size.instructions > LIMIT.instructions) continue
        callees.set(callee, keyOf(this.returns.length, callee))
        this.returns.push(next)
      }
    if (direct !== undefined && callees.size > 0) return { successors: [...callees.values()], away: undefined, callees }
    return { successors: [...callees.values(), ...behind], away: next, callees }
  }

  private blockAt(key: number): Block | undefined {
    const list: Instruction[] = []
    let last = key
    for (let at = key; frameOf(at) === frameOf(key); at++) {
      const instruction = this.instructions.get(at)
      if (instruction === undefined || (at !== key && this.leaders.has(at))) break
      list.push(instruction)
      last = at
      if (this.exits.has(at) || endsPage(instruction.index)) break
    }
    if (list.length === 0) return undefined
    const exits = this.exits.get(last) ?? { ...NOWHERE, successors: this.known(key, indexOf(last) + 1) }
    return { key, start: indexOf(key), instructions: list, ...exits }
  }
}

/** Blocks reachable from instruction `root` of the root's page, which comes first; none when the root is no instruction. */
export const findBlocks = (code: PageCode, root: number): Block[] => new BlockFinder(code).find(root)

/**
 * A loop of one block is emitted as often as its instructions fit into so many: what it carries from one time around to the
 * next, the host moves about only where it really jumps back, and the budget is asked once for all of them.
 */
const UNROLLED = { instructions: 32, times: 4 } as const

export interface Graph {
  /** In reverse postorder: a block comes after its dominator and, back edges aside, after its predecessors. */
  readonly blocks: readonly Block[]
  /** Position in `blocks` by key. */
  readonly order: ReadonlyMap<number, number>
  /** Blocks that a back edge from a block they dominate leads to. */
  readonly loops: ReadonlySet<number>
  /** Blocks that more than one forward edge leads to: children of their dominator that need a label. */
  readonly merges: ReadonlySet<number>
  /** How many times a loop of one block is emitted, by position; others once. */
  readonly times: ReadonlyMap<number, number>
  /** Immediate dominator, by position; the root is its own. */
  readonly dominator: readonly number[]
}

/** Orders the blocks and finds dominators (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"). */
export function analyse(found: readonly Block[], root: number): Graph {
  const byKey = new Map(found.map((b) => [b.key, b]))
  const blocks: Block[] = []
  const seen = new Set<number>()
  const visit = (key: number): void => {
    const block = byKey.get(key)
    if (block === undefined || seen.has(key)) return
    seen.add(key)
    for (const next of block.successors) visit(next)
    blocks.push(block)
  }
  visit(keyOf(0, root))
  blocks.reverse()
  const order = new Map(blocks.map((b, position) => [b.key, position]))
  const predecessors: number[][] = blocks.map(() => [])
  blocks.forEach((b, position) => {
    for (const next of new Set(b.successors)) {
      const to = order.get(next)
      if (to !== undefined) predecessors[to]?.push(position)
    }
  })
  const dominator = blocks.map((_, i): number => (i === 0 ? 0 : -1))
  const common = (a: number, b: number): number => {
    while (a !== b)
      if (a > b) a = dominator[a] ?? 0
      else b = dominator[b] ?? 0
    return a
  }
  for (let changed = true; changed;) {
    changed = false
    for (let i = 1; i < blocks.length; i++) {
      let best = -1
      for (const p of predecessors[i] ?? []) if (dominator[p] !== -1) best = best === -1 ? p : common(p, best)
      if (best !== dominator[i]) {
        dominator[i] = best
        changed = true
      }
    }
  }
  const dominates = (a: number, b: number): boolean => {
    while (b > a) b = dominator[b] ?? 0
    return a === b
  }
  const loops = new Set<number>()
  const merges = new Set<number>()
  blocks.forEach((_, i) => {
    const list = predecessors[i] ?? []
    if (list.some((p) => p >= i && dominates(i, p))) loops.add(i)
    if (list.filter((p) => p < i).length > 1) merges.add(i)
  })
  const times = new Map<number, number>()
  for (const i of loops) {
    const block = blocks[i]
    if (block === undefined || !block.successors.includes(block.key)) continue
    const count = Math.min(UNROLLED.times, Math.floor(UNROLLED.instructions / block.instructions.length))
    if (count < 2) continue
    times.set(i, count)
    // Each time around may end there.
    for (const next of block.successors) {
      const to = order.get(next)
      if (to !== undefined && to > i) merges.add(to)
    }
  }
  return { blocks, order, loops, merges, times, dominator }
}
