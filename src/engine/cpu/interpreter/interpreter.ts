/**
 * Tier 0: a WebAssembly loop over pre-decoded records, emitted from the instruction rows. Frequent rows
 * are inlined into the loop; the others are functions of their own, so that the loop stays small enough
 * for the host's optimiser.
 */
import { createDecoder } from '../../../pure/arch/a64/decoder.ts'
import type { Decoder } from '../../../pure/arch/a64/decoder.ts'
import type { Operand } from '../../../pure/arch/a64/ops.ts'
import type { Row } from '../../../pure/arch/a64/row.ts'
import { ModuleBuilder } from '../../wasm/module.ts'
import { HANDLER_RESULT, special } from './handler.ts'
import type { Handler } from './handler.ts'
import { emitLoop } from './loop.ts'
import { InterpreterOps } from './interpreter-ops.ts'
import type { CallPorts, Frame } from './interpreter-ops.ts'
import { emitEnter, emitFlags } from './services.ts'
import { record, scratch, sysregAt, vAt, xAt } from '../layout.ts'

/** Gives each operand its place in the record, and answers with them in their order. */
function place(name: string, operands: Record<string, Operand>): Operand[] {
  const list = Object.values(operands)
  let wide = 0
  for (const o of list)
    if (o.kind === 'imm') {
      o.at = record.IMMEDIATE
      wide++
    }
  if (wide > 1) throw new Error(`${name}: more than one 64-bit immediate`)
  let at: number = record.OPERANDS
  for (const o of list) {
    if (o.kind === 'imm') continue
    if (at === (wide > 0 ? record.IMMEDIATE : record.SIZE)) throw new Error(`${name}: too many operands`)
    o.at = at
    at += 2
  }
  return list
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
  /** The entry of the table for a word of this row; `undefined`: it is inlined into the loop. */
  functionOf(row: Row, word: number): number | undefined
  /** Operands with their places, in the order of `row.operandsOf`. */
  placeOperands(row: Row, word: number): Operand[]
}

/** `metered`: regions are counted, for a `Meter`. */
export function buildInterpreter(rows: readonly Row[], metered: boolean): Interpreter {
  const inline: Handler[] = []
  const outOfLine: Handler[] = []
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

  // Without hints, its loop is optimised sooner: a boot of Debian is a tenth shorter.
  const m = new ModuleBuilder('interpreter', { hinted: false })
  const helperNames = collectHelpers([...inline, ...outOfLine])
  const decode = m.importFunction('decode', ['i32'], [])
  const fetch = m.importFunction('fetch', ['i32', 'i32'], ['i32'])
  const loadSlow = m.importFunction('loadSlow', ['i32', 'i32', 'i32'], ['i32'])
  const storeSlow = m.importFunction('storeSlow', ['i32', 'i32', 'i32'], ['i32'])
  const commitStore = m.importFunction('commitStore', [], [])
  const undefinedInstruction = m.importFunction('undefinedInstruction', [], ['i32'])
  const wanted = m.importFunction('wanted', ['i32'], [])
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
  const regionType = m.type(['i32', 'i32'], ['i32'])
  const functions = outOfLine.map((v) => {
    const f = m.function(['i32'], ['i32'])
    const frame: Frame = {
      code: f.code,
      record: 0,
      limit: undefined,
      next: () => {
        f.code.i32(HANDLER_RESULT.NEXT)
        f.code.return()
      },
      jump: () => {
        const target = f.code.local('i64')
        f.code.set(target)
        f.code.i32(0)
        f.code.get(target)
        f.code.memory('i64.store', scratch.TARGET)
        f.code.i32(HANDLER_RESULT.TARGET)
        f.code.return()
      },
      leave: () => {
        f.code.i32(HANDLER_RESULT.LEAVE)
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

  const flags = m.function([], ['i32'])
  emitFlags(flags.code, calls)
  m.export('flags', flags.index)
  const enter = m.function(['i64', 'i32', 'i32', 'i64'], ['i32'])
  emitEnter(enter.code, { functions: functions.length, regionType, wanted })
  m.export('enter', enter.index)
  const loop = m.function([], ['i32'])
  const ports = {
    decode,
    fetch,
    undefinedInstruction,
    flags: flags.index,
    functions: functions.length,
    calls,
    handlerType,
    regionType,
    metered,
  }
  emitLoop(loop.code, inline, ports)
  m.export('run', loop.index)

  const opcodeOf: Interpreter['opcodeOf'] = (row, word, near) => {
    const list = opcodes.get(row)
    const variants = row.target === undefined ? 1 : 2
    const opcode = list?.[row.variantOf(word) * variants + (near ? 1 : 0)]
    if (opcode === undefined) throw new Error(`${row.name}: no handler`)
    return opcode
  }

  const decoder = createDecoder(rows)
  return {
    decoder,
    module: new WebAssembly.Module(m.build()),
    helperNames: helperNames.map(([name]) => name),
    functions: functions.length,
    opcodeOf,
    functionOf: (row, word) => (row.frequent ? undefined : opcodeOf(row, word, false) - special.COUNT - inline.length),
    placeOperands: (row, word) => place(row.name, row.operandsOf(word)),
  }
}

function note(opcodes: Map<Row, number[]>, v: Handler, opcode: number): void {
  const list = opcodes.get(v.row) ?? []
  list[v.row.target === undefined ? v.variant : v.variant * 2 + (v.near ? 1 : 0)] = opcode
  opcodes.set(v.row, list)
}

/** Emits every body once into nothing, to learn which helpers they call. */
function collectHelpers(variants: readonly Handler[]): [string, number][] {
  const found = new Map<string, number>()
  const m = new ModuleBuilder('nothing')
  const f = m.function(['i32'], ['i32'])
  const nowhere = (): void => {}
  const frame: Frame = {
    code: f.code,
    record: 0,
    limit: undefined,
    next: nowhere,
    jump: nowhere,
    leave: nowhere,
  }
  const ops = new InterpreterOps(frame, {
    loadSlow: 0,
    storeSlow: 0,
    commitStore: 0,
    helper: (name, parameters) => {
      const known = found.get(name)
      if (known !== undefined && known !== parameters)
        throw new Error(`helper ${name}: ${known} or ${parameters} arguments?`)
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
