/**
 * Tier 0: a WebAssembly loop over pre-decoded records, emitted from the instruction rows. Frequent rows
 * are inlined into the loop; the others are functions of their own, so that the loop stays small enough
 * for the host's optimiser.
 */
import { createDecoder } from '../../pure/arch/a64/decoder.ts'
import type { Decoder } from '../../pure/arch/a64/decoder.ts'
import type { Operand } from '../../pure/arch/a64/ops.ts'
import type { Row } from '../../pure/arch/a64/row.ts'
import type { Code } from '../wasm/code.ts'
import { ModuleBuilder } from '../wasm/module.ts'
import { REGION_RESULT } from './translator/region-ops.ts'
import { InterpreterOps } from './interpreter-ops.ts'
import type { CallPorts, Frame } from './interpreter-ops.ts'
import { REGION_TABLE, record, region, scratch, sysregAt, tlb, vAt, xAt } from './layout.ts'

/** What a record's opcode says when it is not an instruction's handler. */
export const special = {
  /** Not decoded yet. */
  DECODE: 0,
  /** Behind the last instruction of a page. */
  PAGE_END: 1,
  /** An unallocated encoding. */
  UNDEFINED: 2,
  COUNT: 3,
} as const

interface Variant {
  readonly row: Row
  readonly variant: number
  /** A word of this variant. */
  readonly word: number
  readonly near: boolean
  readonly operands: Record<string, Operand>
}

/** Gives each operand its place in the record. */
function place(name: string, operands: Record<string, Operand>): void {
  const list = Object.values(operands)
  const wide = list.filter((o) => o.kind === 'imm')
  if (wide.length > 1) throw new Error(`${name}: more than one 64-bit immediate`)
  for (const o of wide) o.at = record.IMMEDIATE
  let at: number = record.OPERANDS
  for (const o of list) {
    if (o.kind === 'imm') continue
    if (at === record.IMMEDIATE && wide.length > 0) throw new Error(`${name}: too many operands`)
    if (at === record.SIZE) throw new Error(`${name}: too many operands`)
    o.at = at
    at += 2
  }
}

/** The number that a register or small operand is in a record. */
export function fieldValue(o: Operand): number {
  if (o.kind === 'x') return xAt(o.value)
  if (o.kind === 'v') return vAt(o.value)
  if (o.kind === 'sysreg') return sysregAt(o.value)
  return Number(o.value)
}

export interface Interpreter {
  readonly decoder: Decoder
  readonly module: WebAssembly.Module
  readonly helperNames: readonly string[]
  /** Entries of the table that the interpreter's own functions take; those of regions follow. */
  readonly functions: number
  /** The opcode for a word of this row; `near`: its branch target lies in its own page. */
  opcodeOf(row: Row, word: number, near: boolean): number
  /** Operands with their places, in the order of `row.operandsOf`. */
  placeOperands(row: Row, word: number): Operand[]
}

export function buildInterpreter(rows: readonly Row[]): Interpreter {
  const inline: Variant[] = []
  const outOfLine: Variant[] = []
  const opcodes = new Map<Row, number[]>()
  for (const row of rows) {
    for (let variant = 0; variant < row.variantCount; variant++) {
      const word = row.sample(variant)
      if (word === undefined) continue
      for (const near of row.target === undefined ? [false] : [false, true]) {
        const operands = row.operandsOf(word)
        place(row.name, operands)
        ;(row.frequent ? inline : outOfLine).push({ row, variant, word, near, operands })
      }
    }
  }
  inline.forEach((v, i) => note(opcodes, v, special.COUNT + i))
  outOfLine.forEach((v, i) => note(opcodes, v, special.COUNT + inline.length + i))

  const m = new ModuleBuilder()
  const helperNames = collectHelpers([...inline, ...outOfLine])
  const decode = m.importFunction('decode', ['i32'], [])
  const fetch = m.importFunction('fetch', ['i32', 'i32'], ['i32'])
  const loadSlow = m.importFunction('loadSlow', ['i32', 'i32', 'i32'], ['i32'])
  const storeSlow = m.importFunction('storeSlow', ['i32', 'i32', 'i32'], ['i32'])
  const commitStore = m.importFunction('commitStore', [], [])
  const undefinedInstruction = m.importFunction('undefinedInstruction', [], ['i32'])
  const helperIndexes = new Map<string, number>()
  for (const [name, parameters] of helperNames)
    helperIndexes.set(name, m.importFunction(name, Array<'i32'>(parameters).fill('i32'), ['i32']))
  const calls: CallPorts = {
    loadSlow,
    storeSlow,
    commitStore,
    helper: (name) => {
      const index = helperIndexes.get(name)
      if (index === undefined) throw new Error(`no helper ${name}`)
      return index
    },
  }

  const handlerType = m.type(['i32'], ['i32'])
  const functions = outOfLine.map((v) => {
    const f = m.function(['i32'], ['i32'])
    const frame: Frame = {
      code: f.code,
      record: 0,
      budget: undefined,
      pcOffset: undefined,
      next: () => {
        f.code.i32(0)
        f.code.return()
      },
      jump: () => {
        throw new Error(`${v.row.name}: a branch must be frequent`)
      },
      leave: () => {
        f.code.i32(1)
        f.code.return()
      },
    }
    const ops = new InterpreterOps(frame, calls)
    const end = ops.start(frame, false, v.row.fp)
    v.row.emit(ops, v.word, v.operands)
    end()
    f.code.i32(1) // not reached: every path has returned
    return f.index
  })
  m.importTable()
  m.element(0, functions)

  const loop = m.function([], ['i32'])
  emitLoop(loop.code, inline, { decode, fetch, undefinedInstruction, functions: functions.length, calls, handlerType })
  m.export('run', loop.index)

  const decoder = createDecoder(rows)
  return {
    decoder,
    module: new WebAssembly.Module(m.build()),
    helperNames: helperNames.map(([name]) => name),
    functions: functions.length,
    opcodeOf: (row, word, near) => {
      const list = opcodes.get(row)
      const variants = row.target === undefined ? 1 : 2
      const opcode = list?.[row.variantOf(word) * variants + (near ? 1 : 0)]
      if (opcode === undefined) throw new Error(`${row.name}: no handler`)
      return opcode
    },
    placeOperands: (row, word) => {
      const operands = row.operandsOf(word)
      place(row.name, operands)
      return Object.values(operands)
    },
  }
}

function note(opcodes: Map<Row, number[]>, v: Variant, opcode: number): void {
  const list = opcodes.get(v.row) ?? []
  list[v.row.target === undefined ? v.variant : v.variant * 2 + (v.near ? 1 : 0)] = opcode
  opcodes.set(v.row, list)
}

/** Emits every body once into nothing, to learn which helpers they call. */
function collectHelpers(variants: readonly Variant[]): [string, number][] {
  const found = new Map<string, number>()
  const m = new ModuleBuilder()
  const f = m.function(['i32'], ['i32'])
  const nowhere = (): void => {}
  const frame: Frame = { code: f.code, record: 0, budget: undefined, pcOffset: undefined, next: nowhere, jump: nowhere, leave: nowhere }
  const ops = new InterpreterOps(frame, {
    loadSlow: 0,
    storeSlow: 0,
    commitStore: 0,
    helper: (name, parameters) => {
      const known = found.get(name)
      if (known !== undefined && known !== parameters) throw new Error(`helper ${name}: ${known} or ${parameters} arguments?`)
      found.set(name, parameters)
      return 0
    },
  })
  for (const v of variants) {
    ops.start(frame, false, v.row.fp)
    v.row.emit(ops, v.word, v.operands)
  }
  return [...found]
}

interface LoopPorts {
  readonly decode: number
  readonly fetch: number
  readonly undefinedInstruction: number
  /** Functions of the table before the regions. */
  readonly functions: number
  readonly calls: CallPorts
  readonly handlerType: number
}

/**
 *   exit: loop: jump: dispatch: [blocks, one a handler]  … handlers …  end jump: find the page  end
 * `run` returns 0 when the budget is used up and 1 when the driver has something to do.
 */
function emitLoop(c: ReturnType<ModuleBuilder['function']>['code'], inline: readonly Variant[], ports: LoopPorts): void {
  const rec = c.local('i32')
  const budget = c.local('i32')
  const pcOffset = c.local('i64')
  const target = c.local('i64')
  const entry = c.local('i32')
  const result = c.local('i32')
  const opcode = c.local('i32')
  const load32 = (address: number, local: number): void => {
    c.i32(0)
    c.memory('i32.load', address)
    c.set(local)
  }
  const save = (): void => {
    c.i32(0)
    c.get(rec)
    c.memory('i32.store', scratch.RECORD)
    c.i32(0)
    c.get(budget)
    c.memory('i32.store', scratch.BUDGET)
  }
  load32(scratch.RECORD, rec)
  load32(scratch.BUDGET, budget)
  c.i32(0)
  c.memory('i64.load', scratch.PC_OFFSET)
  c.set(pcOffset)

  const exit = c.depth
  c.block()
  const loop = c.depth
  c.loop()
  const jump = c.depth
  c.block()
  const frame: Frame = {
    code: c,
    record: rec,
    budget,
    pcOffset,
    next: () => c.br(loop),
    jump: () => {
      c.set(target)
      c.br(jump)
    },
    leave: () => {
      c.i32(1)
      c.return()
    },
  }
  // The blocks: the specials, the inlined handlers, and around them the one for functions.
  const count = special.COUNT + inline.length
  const loadOpcode = (): void => {
    c.get(rec)
    c.memory('i32.load16_u', record.OPCODE)
    c.set(opcode)
  }
  loadOpcode()
  const dispatch = c.depth
  c.loop()
  for (let i = 0; i <= count; i++) c.block()
  c.get(budget)
  c.op('i32.eqz')
  c.brIf(exit, false)
  c.get(budget)
  c.i32(1)
  c.op('i32.sub')
  c.set(budget)
  c.get(opcode)
  c.brTable(
    Array.from({ length: count }, (_, i) => i),
    count,
  )
  const refund = (): void => {
    c.get(budget)
    c.i32(1)
    c.op('i32.add')
    c.set(budget)
  }

  c.end() // DECODE
  refund()
  c.get(rec)
  c.call(ports.decode)
  c.br(loop)

  c.end() // PAGE_END
  refund()
  c.get(rec)
  c.i32(2)
  c.op('i32.shr_u')
  c.op('i64.extend_i32_u')
  c.get(pcOffset)
  c.op('i64.add')
  frame.jump()

  c.end() // UNDEFINED
  save()
  c.call(ports.undefinedInstruction)
  c.return()

  const ops = new InterpreterOps(frame, ports.calls)
  for (const v of inline) {
    c.end()
    const end = ops.start(frame, v.near, v.row.fp)
    v.row.emit(ops, v.word, v.operands)
    end()
  }

  c.end() // a function or a region
  c.get(opcode)
  c.i32(region.OPCODE)
  c.op('i32.and')
  c.if()
  emitRegionCall(c, { budget, opcode, rec, result, entry, target }, { refund, loadOpcode, loop, jump, dispatch }, ports)
  c.end()
  save()
  c.get(rec)
  c.get(opcode)
  c.i32(count)
  c.op('i32.sub')
  c.callIndirect(ports.handlerType)
  c.set(result)
  load32(scratch.BUDGET, budget)
  c.get(result)
  c.if(undefined, false)
  c.i32(1)
  c.return()
  c.end()
  c.get(rec)
  c.i32(record.SIZE)
  c.op('i32.add')
  c.set(rec)
  c.br(loop)
  c.end() // dispatch

  c.end() // jump: the page of the target, by the fetch side of the soft TLB
  c.get(target)
  c.i64(8)
  c.op('i64.shr_u')
  c.op('i32.wrap_i64')
  c.i32(0xff0)
  c.op('i32.and')
  c.i32(0)
  c.memory('i32.load', scratch.TLB)
  c.op('i32.add')
  c.tee(entry)
  c.memory('i64.load', tlb.FETCH)
  c.get(target)
  c.i64(-4093) // the page and the two bits that must be 0
  c.op('i64.and')
  c.op('i64.eq')
  c.if('i32', true)
  c.get(entry)
  c.memory('i32.load', tlb.FETCH + 8)
  c.get(target)
  c.op('i32.wrap_i64')
  c.i32(0xffc)
  c.op('i32.and')
  c.i32(2)
  c.op('i32.shl')
  c.op('i32.add')
  c.else()
  save()
  c.get(target)
  c.op('i32.wrap_i64')
  c.get(target)
  c.i64(32)
  c.op('i64.shr_u')
  c.op('i32.wrap_i64')
  c.call(ports.fetch)
  c.end()
  c.tee(rec)
  c.op('i32.eqz')
  c.if(undefined, false)
  c.i32(1)
  c.return()
  c.end()
  c.i32(0)
  c.get(target)
  c.get(rec)
  c.i32(2)
  c.op('i32.shr_u')
  c.op('i64.extend_i32_u')
  c.op('i64.sub')
  c.tee(pcOffset)
  c.memory('i64.store', scratch.PC_OFFSET)
  c.br(loop)
  c.end() // loop
  c.end() // exit
  save()
  c.i32(0)
}

/**
 * Runs a region when the budget covers any way through it; otherwise, and where it asks for that, the
 * root's own handler.
 */
function emitRegionCall(
  c: Code,
  local: Readonly<Record<'budget' | 'opcode' | 'rec' | 'result' | 'entry' | 'target', number>>,
  to: { refund(): void; loadOpcode(): void; loop: number; jump: number; dispatch: number },
  ports: LoopPorts,
): void {
  const number = (): void => {
    c.get(local.opcode)
    c.i32(region.OPCODE - 1)
    c.op('i32.and')
  }
  const entry = (): void => {
    number()
    c.i32(2)
    c.op('i32.shl')
    c.memory('i32.load', REGION_TABLE)
  }
  const originalOpcode = (): void => {
    c.get(local.entry)
    c.i32(0xffff)
    c.op('i32.and')
    c.set(local.opcode)
    c.br(to.dispatch)
  }
  to.refund()
  entry()
  c.set(local.entry)
  c.get(local.budget)
  c.get(local.entry)
  c.i32(16)
  c.op('i32.shr_u')
  c.op('i32.lt_u')
  c.if(undefined, false)
  originalOpcode()
  c.end()
  c.get(local.budget)
  number()
  c.i32(ports.functions)
  c.op('i32.add')
  c.callIndirect(ports.handlerType)
  c.set(local.result)
  c.i32(0)
  c.memory('i32.load', scratch.BUDGET)
  c.set(local.budget)
  c.get(local.result)
  c.i32(REGION_RESULT.TARGET)
  c.op('i32.eq')
  c.if()
  c.i32(0)
  c.memory('i64.load', scratch.TARGET)
  c.set(local.target)
  c.br(to.jump)
  c.end()
  c.get(local.result)
  c.i32(~REGION_RESULT.INTERPRET)
  c.op('i32.and')
  c.set(local.rec)
  c.get(local.result)
  c.i32(REGION_RESULT.INTERPRET)
  c.op('i32.and')
  c.op('i32.eqz')
  c.if()
  c.br(to.loop)
  c.end()
  to.loadOpcode()
  c.get(local.opcode)
  c.i32(region.OPCODE)
  c.op('i32.and')
  c.op('i32.eqz')
  c.if()
  c.br(to.dispatch)
  c.end()
  entry()
  c.set(local.entry)
  originalOpcode()
}
