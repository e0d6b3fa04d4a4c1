/** The loop of the interpreter: fetches records, dispatches them, finds pages, enters translated regions. */
import type { Code } from '../../wasm/code.ts'
import type { ModuleBuilder } from '../../wasm/module.ts'
import { HANDLER_RESULT, special } from './handler.ts'
import type { Handler } from './handler.ts'
import { InterpreterOps, loadLimit, pushBudget, saveProgress, setLimit, skipRecord } from './interpreter-ops.ts'
import type { CallPorts, Frame } from './interpreter-ops.ts'
import { pushFetchHit, pushRecord } from '../emit/region-entry.ts'
import { REGION_TABLE, record, region, scratch } from '../layout.ts'
import { emitRegionEntered, emitRegionLeft } from '../meter.ts'
import { REGION_RESULT } from '../translator/region-result.ts'

export interface LoopPorts {
  readonly decode: number
  readonly fetch: number
  readonly undefinedInstruction: number
  /** Resolves noted flags. */
  readonly flags: number
  /** Functions of the table before the regions. */
  readonly functions: number
  readonly calls: CallPorts
  readonly handlerType: number
  /** Of regions: budget and depth in, result out. */
  readonly regionType: number
  /** Whether it is counted how regions end. */
  readonly metered: boolean
}

/**
 *   exit: loop: [jump: blocks, one a handler]  … handlers …  end jump: find the page  end
 * `run` returns 0 when the budget is used up and 1 when the driver has something to do.
 *
 * There is one loop, and as few locals as can be live at its head: the host's compiler keeps them on its stack, as most handlers
 * may call out, and moves each once for every instruction.
 */
export function emitLoop(
  c: ReturnType<ModuleBuilder['function']>['code'],
  inline: readonly Handler[],
  ports: LoopPorts,
): void {
  const rec = c.local('i32')
  const limit = c.local('i32')
  const opcode = c.local('i32')
  const target = c.local('i64')
  const entry = c.local('i32')
  const result = c.local('i32')
  const budget = c.local('i32')
  const left = c.local('i32')
  const loadOpcode = (): void => {
    c.get(rec)
    c.memory('i32.load16_u', record.OPCODE)
    c.set(opcode)
  }
  const save = (executed: 0 | 1): void => saveProgress(c, rec, limit, executed)
  c.i32(0)
  c.memory('i32.load', scratch.RECORD)
  c.set(rec)
  loadLimit(c, rec, limit, 0)
  loadOpcode()

  const exit = c.depth
  c.block()
  const loop = c.depth
  c.loop()
  const jump = c.depth
  c.block()
  const next = (): void => {
    loadOpcode()
    c.br(loop)
  }
  const frame: Frame = {
    code: c,
    record: rec,
    limit,
    next,
    jump: () => {
      c.set(target)
      skipRecord(c, rec)
      c.br(jump)
    },
    leave: () => {
      c.i32(1)
      c.return()
    },
  }
  // The blocks: the specials, the inlined handlers, and around them the one for functions.
  const count = special.COUNT + inline.length
  for (let i = 0; i <= count; i++) c.block()
  c.get(rec)
  c.get(limit)
  c.op('i32.eq')
  c.brIf(exit, false)
  c.get(opcode)
  c.brTable(
    Array.from({ length: count }, (_, i) => i),
    count,
  )

  c.end() // DECODE
  c.get(rec)
  c.call(ports.decode)
  next()

  c.end() // PAGE_END
  c.get(rec)
  c.i32(2)
  c.op('i32.shr_u')
  c.op('i64.extend_i32_u')
  c.i32(0)
  c.memory('i64.load', scratch.PC_OFFSET)
  c.op('i64.add')
  c.set(target)
  c.br(jump)

  c.end() // UNDEFINED
  save(1)
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
  emitRegionCall(c, { budget, left, opcode, rec, limit, result, entry, target }, { loadOpcode, loop, jump }, ports)
  c.end()
  save(1)
  c.get(rec)
  c.get(opcode)
  c.i32(count)
  c.op('i32.sub')
  c.callIndirect(ports.handlerType)
  c.set(result)
  loadLimit(c, rec, limit, 1)
  skipRecord(c, rec)
  c.get(result)
  c.if(undefined, false)
  c.i32(0)
  c.memory('i64.load', scratch.TARGET)
  c.set(target)
  c.get(result)
  c.i32(HANDLER_RESULT.TARGET)
  c.op('i32.eq')
  c.brIf(jump)
  c.i32(1)
  c.return()
  c.end()
  next()

  // jump: the page of the target, by the fetch side of the soft TLB. The record is the one that would be next.
  c.end()
  pushBudget(c, rec, limit)
  c.set(budget)
  pushFetchHit(c, target, entry)
  c.if('i32', true)
  pushRecord(c, target, entry)
  c.else()
  save(0)
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
  setLimit(c, rec, limit, () => c.get(budget))
  c.i32(0)
  c.get(target)
  c.get(rec)
  c.i32(2)
  c.op('i32.shr_u')
  c.op('i64.extend_i32_u')
  c.op('i64.sub')
  c.memory('i64.store', scratch.PC_OFFSET)
  next()
  c.end() // loop
  c.end() // exit
  save(0)
  c.i32(0)
}

/**
 * Runs a region when the rest of the slice covers any way through it; otherwise, and where it asks for that, the root's own
 * handler. The region has all of that rest, and what the interpreter may run is left as it is.
 */
function emitRegionCall(
  c: Code,
  local: Readonly<Record<'budget' | 'left' | 'opcode' | 'rec' | 'limit' | 'result' | 'entry' | 'target', number>>,
  to: { loadOpcode(): void; loop: number; jump: number },
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
    c.br(to.loop)
  }
  entry()
  c.set(local.entry)
  pushBudget(c, local.rec, local.limit)
  c.tee(local.left)
  c.i32(0)
  c.memory('i32.load', scratch.REGION_BUDGET)
  c.op('i32.add')
  c.tee(local.budget)
  c.get(local.entry)
  c.i32(16)
  c.op('i32.shr_u')
  c.op('i32.lt_u')
  c.if(undefined, false)
  originalOpcode()
  c.end()
  c.i32(0)
  c.i32(0)
  c.memory('i32.store', scratch.REGION_BUDGET)
  if (ports.metered) emitRegionEntered(c, local.budget)
  c.get(local.budget)
  c.i32(0)
  number()
  c.i32(ports.functions)
  c.op('i32.add')
  c.callIndirect(ports.regionType)
  c.set(local.result)
  c.i32(0)
  c.memory('i32.load', scratch.BUDGET)
  c.set(local.budget)
  if (ports.metered) emitRegionLeft(c, local.budget, local.result)
  // The interpreter goes on with what it had, if so much is left, and regions with the rest.
  c.get(local.left)
  c.get(local.budget)
  c.get(local.left)
  c.get(local.budget)
  c.op('i32.lt_u')
  c.op('select')
  c.set(local.left)
  c.i32(0)
  c.get(local.budget)
  c.get(local.left)
  c.op('i32.sub')
  c.memory('i32.store', scratch.REGION_BUDGET)
  c.i32(0)
  c.memory('i32.load', scratch.FLAG_KIND)
  c.if()
  c.call(ports.flags)
  c.op('drop')
  c.end()
  c.get(local.result)
  c.i32(~REGION_RESULT.INTERPRET)
  c.op('i32.and')
  c.set(local.rec)
  setLimit(c, local.rec, local.limit, () => c.get(local.left))
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
  c.i32(REGION_RESULT.LEAVE)
  c.op('i32.eq')
  c.if(undefined, false)
  c.i32(0)
  c.get(local.left)
  c.memory('i32.store', scratch.BUDGET)
  c.i32(1)
  c.return()
  c.end()
  to.loadOpcode()
  // Another region may begin at the instruction that is to be interpreted.
  c.get(local.result)
  c.i32(REGION_RESULT.INTERPRET)
  c.op('i32.and')
  c.get(local.opcode)
  c.i32(region.OPCODE)
  c.op('i32.and')
  c.i32(0)
  c.op('i32.ne')
  c.op('i32.and')
  c.if()
  entry()
  c.set(local.entry)
  originalOpcode()
  c.end()
  c.br(to.loop)
}
