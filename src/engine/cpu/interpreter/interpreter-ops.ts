/** Instruction bodies for the interpreter: operands come from the record of the instruction, flags live in memory. */
import type {
  AccessMode,
  GprOperand,
  ImmOperand,
  JumpKind,
  Local,
  Operand,
  SmallOperand,
  SysregOperand,
  VecOperand,
  Width,
} from '../../../pure/arch/a64/ops.ts'
import { gpr } from '../../../pure/arch/a64/ops.ts'
import type { Code } from '../../wasm/code.ts'
import { bank, record, scratch, xAt } from '../layout.ts'
import { PUSHED } from '../emit/arithmetic-ops.ts'
import type { Pushed } from '../emit/arithmetic-ops.ts'
import type { Flag } from '../emit/flag-ops.ts'
import { WasmOps } from '../emit/wasm-ops.ts'

/** Where a handler's code goes on, and which locals hold what. */
export interface Frame {
  readonly code: Code
  /** Local: address of this instruction's record. */
  readonly record: number
  /**
   * Local: the record at which the budget is used up, if no branch is taken before it. So nothing has to be counted: only a
   * branch moves it. `undefined` in a function of its own, where the budget stays in memory.
   */
  readonly limit: number | undefined
  /** Goes on with the record in `record`. */
  next(): void
  /** Goes on at the address on the stack. */
  jump(): void
  /** Leaves compiled code, state being in memory. */
  leave(): void
}

export interface CallPorts {
  readonly loadSlow: number
  readonly storeSlow: number
  readonly commitStore: number
  helper(name: string, parameters: number): number
}

/** Pushes how many instructions may run, that of the record included. */
export function pushBudget(c: Code, here: number, limit: number): void {
  c.get(limit)
  c.get(here)
  c.op('i32.sub')
  c.i32(record.LOG2_SIZE)
  c.op('i32.shr_u')
}

/** Says in memory where the interpreter is. `executed`: 1 when the instruction at the record counts as done. */
export function saveProgress(c: Code, here: number, limit: number, executed: 0 | 1): void {
  c.i32(0)
  c.get(here)
  c.memory('i32.store', scratch.RECORD)
  c.i32(0)
  pushBudget(c, here, limit)
  if (executed === 1) {
    c.i32(1)
    c.op('i32.sub')
  }
  c.memory('i32.store', scratch.BUDGET)
}

/** The limit that a budget comes to, from the record on. */
export function setLimit(c: Code, here: number, limit: number, pushInstructions: () => void): void {
  c.get(here)
  pushInstructions()
  c.i32(record.LOG2_SIZE)
  c.op('i32.shl')
  c.op('i32.add')
  c.set(limit)
}

/** The limit, from the budget in memory. `executed`: 1 when it does not count the instruction at the record. */
export function loadLimit(c: Code, here: number, limit: number, executed: 0 | 1): void {
  setLimit(c, here, limit, () => {
    c.i32(0)
    c.memory('i32.load', scratch.BUDGET)
    if (executed === 0) return
    c.i32(1)
    c.op('i32.add')
  })
}

/** On to the next record. */
export function skipRecord(c: Code, here: number): void {
  c.get(here)
  c.i32(record.SIZE)
  c.op('i32.add')
  c.set(here)
}

const FLAG_ADDRESS: Record<Flag, number> = { n: bank.FLAG_N, z: bank.FLAG_Z, v: bank.FLAG_V, c: bank.FLAG_C }

export class InterpreterOps extends WasmOps {
  private frame: Frame
  private readonly calls: CallPorts
  /** Whether the branch target lies in the page of the branch, so that the record can hold its distance. */
  private near = false
  private ended = false

  constructor(frame: Frame, calls: CallPorts) {
    super(frame.code, calls)
    this.frame = frame
    this.calls = calls
  }

  /** Starts a handler; answers with what ends it. `fp`: the row is floating point or AdvSIMD, which may be trapped. */
  start(frame: Frame, near: boolean, fp: boolean): () => void {
    this.frame = frame
    this.near = near
    this.ended = false
    this.begin(frame.code)
    if (fp) {
      this.code.i32(0)
      this.code.memory('i32.load', bank.FP_TRAPPED)
      this.code.if(undefined, false)
      this.call('fpTrapped', 'system')
      this.code.end()
    }
    return () => {
      if (!this.ended) this.goOn()
    }
  }

  private goOn(): void {
    skipRecord(this.code, this.frame.record)
    this.frame.next()
  }

  /** Pushes the 16-bit operand field of the record. */
  private field(at: number): void {
    this.code.get(this.frame.record)
    this.code.memory('i32.load16_u', at)
  }

  get(w: Width, reg: GprOperand): Pushed {
    this.field(reg.at)
    this.code.memory(w === 64 ? 'i64.load' : 'i32.load', 0)
    return PUSHED
  }

  set(w: Width, reg: GprOperand, _value: Pushed): void {
    if (w === 32) this.code.op('i64.extend_i32_u')
    const value = this.temporary('i64')
    this.code.set(value)
    this.field(reg.at)
    this.code.get(value)
    this.code.memory('i64.store', 0)
  }

  imm(w: Width, operand: ImmOperand | SmallOperand): Pushed {
    this.code.get(this.frame.record)
    if (operand.kind === 'small') this.code.memory(w === 64 ? 'i64.load16_u' : 'i32.load16_u', operand.at)
    else this.code.memory(w === 64 ? 'i64.load' : 'i32.load', operand.at)
    return PUSHED
  }

  vget(reg: VecOperand): Pushed {
    this.field(reg.at)
    this.code.vectorMemory('v128.load', 0)
    return PUSHED
  }

  vset(reg: VecOperand, value: Pushed): void {
    const v = this.let(128, value)
    this.field(reg.at)
    this.code.get(v.local)
    this.code.vectorMemory('v128.store', 0)
  }

  sysregGet(slot: SysregOperand): Pushed {
    this.field(slot.at)
    this.code.memory('i64.load', 0)
    return PUSHED
  }

  sysregSet(slot: SysregOperand, value: Pushed): void {
    const kept = this.let(64, value)
    this.field(slot.at)
    this.code.get(kept.local)
    this.code.memory('i64.store', 0)
  }

  protected setFlag(flag: Flag, push: () => void): void {
    this.code.i32(0)
    push()
    this.code.memory(flag === 'c' ? 'i32.store' : 'i64.store', FLAG_ADDRESS[flag])
  }

  protected pushFlag(flag: Flag): void {
    this.code.i32(0)
    this.code.memory(flag === 'c' ? 'i32.load' : 'i64.load', FLAG_ADDRESS[flag])
  }

  protected pushConditionMask(code: SmallOperand): void {
    this.field(code.at)
    this.code.i32(1)
    this.code.op('i32.shl')
    this.code.memory('i32.load16_u', scratch.CONDITIONS)
  }

  // ---- program flow

  private pushPc(): void {
    const c = this.code
    c.get(this.frame.record)
    c.i32(2)
    c.op('i32.shr_u')
    c.op('i64.extend_i32_u')
    c.i32(0)
    c.memory('i64.load', scratch.PC_OFFSET)
    c.op('i64.add')
  }

  /** Goes on at the record this far away (a local, in bytes). */
  private goBy(distance: number): void {
    const c = this.code
    const { record: here, limit } = this.frame
    this.ended = true
    c.get(here)
    c.get(distance)
    c.op('i32.add')
    c.set(here)
    if (limit !== undefined) {
      c.get(limit)
      c.get(distance)
      c.op('i32.add')
      c.i32(record.SIZE)
      c.op('i32.sub')
      c.set(limit)
    }
    this.frame.next()
  }

  pcRelative(offset: ImmOperand): Pushed {
    this.pushPc()
    this.imm(64, offset)
    this.code.op('i64.add')
    return PUSHED
  }

  pageRelative(offset: ImmOperand): Pushed {
    this.pushPc()
    this.code.i64(-4096)
    this.code.op('i64.and')
    this.imm(64, offset)
    this.code.op('i64.add')
    return PUSHED
  }

  nextPc(): Pushed {
    this.pushPc()
    this.code.i64(4)
    this.code.op('i64.add')
    return PUSHED
  }

  /** Near: the record's immediate is the distance to the target's record. */
  jump(offset: ImmOperand, _kind: JumpKind = 'jump'): void {
    if (!this.near) return this.jumpTo(this.pcRelative(offset), 'jump')
    const distance = this.temporary('i32')
    this.imm(32, offset)
    this.code.set(distance)
    this.goBy(distance)
  }

  jumpIf(_condition: Pushed, offset: ImmOperand): void {
    const c = this.code
    if (!this.near) {
      c.if()
      this.pcRelative(offset)
      this.frame.jump()
      c.end()
      return
    }
    const taken = this.temporary('i32')
    const distance = this.temporary('i32')
    c.set(taken)
    this.imm(32, offset)
    c.i32(record.SIZE)
    c.get(taken)
    c.op('select')
    c.set(distance)
    this.goBy(distance)
  }

  jumpTo(_address: Pushed, _kind: JumpKind): void {
    this.ended = true
    this.frame.jump()
  }

  base(reg: GprOperand): Pushed {
    const c = this.code
    const field = this.temporary('i32')
    this.field(reg.at)
    c.tee(field)
    c.memory('i64.load', 0)
    const base = this.let(64, PUSHED)
    c.get(field)
    c.i32(xAt(gpr.SP))
    c.op('i32.eq')
    c.if()
    c.get(base.local)
    c.op('i32.wrap_i64')
    c.i32(15)
    c.op('i32.and')
    c.if(undefined, false)
    this.beforeCallOut()
    this.ask('spMisaligned')
    c.if(undefined, false)
    this.frame.leave()
    c.end()
    c.end()
    c.end()
    return this.use(base)
  }

  // ---- calling out

  protected misaligned(address: Local, write: boolean): void {
    this.argument(this.use(address))
    this.call('misaligned', 'system', write ? 1 : 0)
  }

  protected beforeCallOut(): void {
    const { code: c, record: here, limit } = this.frame
    if (limit !== undefined) return saveProgress(c, here, limit, 1)
    c.i32(0)
    c.get(here)
    c.memory('i32.store', scratch.RECORD)
  }

  protected afterCallOut(): void {
    if (this.frame.limit !== undefined) loadLimit(this.code, this.frame.record, this.frame.limit, 1)
  }

  protected leaveOnFault(): void {
    this.frame.leave()
  }

  protected commitStore(): void {
    const c = this.code
    c.get(this.ha)
    c.i32(scratch.BOUNCE)
    c.op('i32.eq')
    c.if(undefined, false)
    c.call(this.calls.commitStore)
    this.afterCallOut()
    c.end()
  }

  protected tlbBase(access: AccessMode): void {
    this.code.i32(0)
    this.code.memory('i32.load', access === 'normal' ? scratch.TLB : scratch.TLB_UNPRIVILEGED)
  }

  argument(value: Pushed): void {
    const argument = this.let(64, value)
    this.code.i32(0)
    this.code.get(argument.local)
    this.code.memory('i64.store', scratch.ARGUMENT)
  }

  ask(helper: string, ...args: readonly (number | Operand)[]): Pushed {
    const c = this.code
    for (const arg of args) {
      if (typeof arg === 'number') c.i32(arg)
      else if (arg.kind === 'imm') this.imm(32, arg)
      else this.field(arg.at)
    }
    c.call(this.calls.helper(helper, args.length))
    return PUSHED
  }

  call(helper: string, kind: 'pure' | 'system', ...args: readonly (number | Operand)[]): void {
    const c = this.code
    if (kind === 'system') this.beforeCallOut()
    this.ask(helper, ...args)
    if (kind === 'pure') {
      c.op('drop')
      return
    }
    c.if(undefined, false)
    this.frame.leave()
    c.end()
    this.afterCallOut()
  }
}
