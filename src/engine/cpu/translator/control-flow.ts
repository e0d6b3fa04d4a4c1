/** The control-flow graph of a region: blocks of one page of code, found from a root by following direct branches. */
import type { Decoder } from '../../../pure/arch/a64/decoder.ts'
import type { Row } from '../../../pure/arch/a64/row.ts'
import { record } from '../layout.ts'

/** What a region may hold, so that compiling it takes a bounded time and a budget check covers few instructions. */
const LIMIT = { blocks: 64, instructions: 320 } as const

export interface Instruction {
  /** Number of the instruction in its page, 0 to 1023. */
  readonly index: number
  readonly word: number
  readonly row: Row
}

export interface Block {
  /** Number of its first instruction in the page. */
  readonly start: number
  readonly instructions: readonly Instruction[]
  /** Numbers in the page of what may run next, inside the region or not: taken target first. */
  readonly successors: readonly number[]
}

export interface PageCode {
  readonly decoder: Decoder
  wordAt(index: number): number
  /** Whether an instruction is done by its handler: it ends its block. */
  isSystem(row: Row, word: number): boolean
  /** Numbers of the instructions that an indirect branch was seen to lead to. */
  targetsOf(index: number): readonly number[]
}

const inPage = (index: number): boolean => index >= 0 && index < record.PER_PAGE

/** The number in the page of a direct branch's target; it may lie outside. */
export function targetOf({ index, row, word }: Instruction): number {
  const operand = row.target === undefined ? undefined : row.operandsOf(word)[row.target]
  if (operand === undefined) throw new Error(`${row.name} has no target`)
  return index + Number(operand.value) / 4
}

/** Where control may go after this instruction, in the page; after a call, when it has come back. */
function successorsOf(code: PageCode, instruction: Instruction): readonly number[] {
  const { index, row } = instruction
  switch (row.flow) {
    case undefined:
      return [index + 1]
    case 'jump':
      return [targetOf(instruction)]
    case 'branch':
      return [targetOf(instruction), index + 1]
    case 'call':
      return [index + 1]
    case 'indirect':
      return code.targetsOf(index)
    case 'leave':
      return []
    default:
      return row.flow satisfies never
  }
}

function instructionAt(code: PageCode, index: number): Instruction | undefined {
  const word = code.wordAt(index)
  const row = code.decoder.decode(word)
  return row === undefined ? undefined : { index, word, row }
}

/** Blocks reachable from `root`, which comes first; none when the root is no instruction. */
export function findBlocks(code: PageCode, root: number): Block[] {
  const instructions = new Map<number, Instruction>()
  const leaders = new Set<number>([root])
  const waiting = [root]
  while (waiting.length > 0) {
    let index = waiting.shift() ?? root
    while (inPage(index) && !instructions.has(index) && instructions.size < LIMIT.instructions) {
      const instruction = instructionAt(code, index)
      if (instruction === undefined) break
      instructions.set(index, instruction)
      if (instruction.row.flow === undefined && !code.isSystem(instruction.row, instruction.word)) {
        index++
        continue
      }
      for (const next of successorsOf(code, instruction)) {
        if (!inPage(next) || leaders.has(next) || leaders.size >= LIMIT.blocks) continue
        leaders.add(next)
        waiting.push(next)
      }
      break
    }
  }
  const blocks: Block[] = []
  for (const start of leaders) {
    const list: Instruction[] = []
    for (let index = start; ; index++) {
      const instruction = instructions.get(index)
      if (instruction === undefined || (index !== start && leaders.has(index))) break
      list.push(instruction)
      if (instruction.row.flow !== undefined || code.isSystem(instruction.row, instruction.word)) break
    }
    const last = list.at(-1)
    if (last !== undefined) blocks.push({ start, instructions: list, successors: successorsOf(code, last) })
  }
  return blocks
}

/**
 * A loop of one block is emitted as often as its instructions fit into so many: what it carries from one time around to the
 * next, the host moves about only where it really jumps back, and the budget is asked once for all of them.
 */
const UNROLLED = { instructions: 32, times: 4 } as const

export interface Graph {
  /** In reverse postorder: a block comes after its dominator and, back edges aside, after its predecessors. */
  readonly blocks: readonly Block[]
  /** Position in `blocks` by number in the page. */
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
  const byStart = new Map(found.map((b) => [b.start, b]))
  const blocks: Block[] = []
  const seen = new Set<number>()
  const visit = (start: number): void => {
    const block = byStart.get(start)
    if (block === undefined || seen.has(start)) return
    seen.add(start)
    for (const next of block.successors) visit(next)
    blocks.push(block)
  }
  visit(root)
  blocks.reverse()
  const order = new Map(blocks.map((b, position) => [b.start, position]))
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
    const { start, instructions, successors } = blocks[i] ?? { start: 0, instructions: [], successors: [] }
    const count = Math.min(UNROLLED.times, Math.floor(UNROLLED.instructions / instructions.length))
    if (count < 2 || !successors.includes(start)) continue
    times.set(i, count)
    // Each time around may end there.
    for (const next of successors) {
      const to = order.get(next)
      if (to !== undefined && to > i) merges.add(to)
    }
  }
  return { blocks, order, loops, merges, times, dominator }
}
