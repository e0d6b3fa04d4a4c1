/** Functions of the interpreter's module that translated regions call. */
import type { ModuleBuilder } from '../../wasm/module.ts'
import { flagKind } from '../flag-kind.ts'
import { callRegion, needBudget, pushFetchHit, pushRecord } from '../emit/region-entry.ts'
import { region, scratch } from '../layout.ts'
import { REGION_RESULT } from '../translator/region-result.ts'
import { InterpreterOps } from './interpreter-ops.ts'
import type { CallPorts, Frame } from './interpreter-ops.ts'

type Emitted = ReturnType<ModuleBuilder['function']>['code']

/** `flags() -> NZCV`: resolves what a region has noted of the flags into the bank's. */
export function emitFlags(c: Emitted, calls: CallPorts): void {
  const nowhere = (): void => {}
  const frame: Frame = {
    code: c,
    record: 0,
    limit: undefined,
    next: nowhere,
    jump: nowhere,
    leave: nowhere,
  }
  const ops = new InterpreterOps(frame, calls)
  ops.start(frame, false, false)
  const noted = (address: number, w: 32 | 64): ReturnType<InterpreterOps['let']> => {
    c.i32(0)
    c.memory(w === 64 ? 'i64.load' : 'i32.load', address)
    return ops.let(w, { pushed: true })
  }
  const resolutions: Record<number, () => void> = {
    [flagKind.BANK]: nowhere,
    [flagKind.NZCV]: () => ops.flagsSet(ops.use(noted(scratch.FLAG_A, 32))),
  }
  for (const w of [32, 64] as const) {
    const kind = (name: 'SUB' | 'ADD' | 'LOGIC'): number => flagKind[`${name}${w}`]
    resolutions[kind('SUB')] = () => ops.flagsSub(w, noted(scratch.FLAG_A, w), noted(scratch.FLAG_B, w))
    resolutions[kind('ADD')] = () => ops.flagsAdd(w, noted(scratch.FLAG_A, w), noted(scratch.FLAG_B, w))
    resolutions[kind('LOGIC')] = () => ops.flagsLogic(w, noted(scratch.FLAG_A, w))
  }
  const kinds = Object.keys(resolutions).length
  const done = c.depth
  c.block()
  for (let kind = 0; kind < kinds; kind++) c.block()
  c.i32(0)
  c.memory('i32.load', scratch.FLAG_KIND)
  c.brTable(
    Array.from({ length: kinds - 1 }, (_, kind) => kind),
    kinds - 1,
  )
  for (let kind = 0; kind < kinds; kind++) {
    c.end()
    resolutions[kind]?.()
    c.br(done)
  }
  c.end()
  c.i32(0)
  c.i32(flagKind.BANK)
  c.memory('i32.store', scratch.FLAG_KIND)
  ops.flagsGet()
}

export interface EnterPorts {
  /** Functions of the table before the regions. */
  readonly functions: number
  readonly regionType: number
  /** Told the record of a called function that no region begins at. */
  readonly wanted: number
}

/**
 * `enter(target, budget, depth, back)`: runs the region at an address, and then those that it leads to, as a function does that
 * ends by going to another, until the way comes to `back`, or to where no region is that the budget covers. Answers as the last
 * of them.
 */
export function emitEnter(c: Emitted, ports: EnterPorts): void {
  const target = 0
  const budget = 1
  const depth = 2
  const back = 3
  const result = c.local('i32')
  const entry = c.local('i32')
  const rec = c.local('i32')
  const opcode = c.local('i32')
  const miss = c.depth
  c.block()
  const again = c.depth
  c.loop()
  c.get(depth)
  c.i32(region.MAX_DEPTH)
  c.op('i32.ge_s')
  c.brIf(miss, false)
  pushFetchHit(c, target, entry)
  c.op('i32.eqz')
  c.brIf(miss, false)
  pushRecord(c, target, entry)
  c.set(rec)
  c.i32(0)
  c.get(target)
  c.get(rec)
  c.i32(2)
  c.op('i32.shr_u')
  c.op('i64.extend_i32_u')
  c.op('i64.sub')
  c.memory('i64.store', scratch.PC_OFFSET)
  c.get(rec)
  c.memory('i32.load16_u', 0)
  c.tee(opcode)
  c.i32(region.OPCODE)
  c.op('i32.lt_u')
  c.if(undefined, false)
  c.get(rec)
  c.call(ports.wanted)
  c.br(miss)
  c.end()
  const call = { budget, depth, opcode, ...ports }
  needBudget(c, call, miss)
  callRegion(c, call)
  c.tee(result)
  c.if(undefined, false)
  c.get(result)
  c.return()
  c.end()
  c.i32(0)
  c.memory('i32.load', scratch.BUDGET)
  c.set(budget)
  c.i32(0)
  c.memory('i64.load', scratch.TARGET)
  c.tee(target)
  c.get(back)
  c.op('i64.ne')
  c.brIf(again, false)
  c.i32(REGION_RESULT.TARGET)
  c.return()
  c.end()
  c.end()
  c.i32(0)
  c.get(target)
  c.memory('i64.store', scratch.TARGET)
  c.i32(0)
  c.get(budget)
  c.memory('i32.store', scratch.BUDGET)
  c.i32(REGION_RESULT.TARGET)
}
