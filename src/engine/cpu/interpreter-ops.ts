/** Instruction bodies for the interpreter: operands come from the record of the instruction, flags live in memory. */
import type {
  AccessMode, GprOperand, ImmOperand, JumpKind, Local, Operand, SmallOperand, SysregOperand, VecOperand, Width,
} from '../../pure/arch/a64/ops.ts'
import type { Code } from '../wasm/code.ts'
import { bank, mode, record, scratch } from './layout.ts'
import { PUSHED, WasmOps } from './wasm-ops.ts'
import type { Pushed } from './wasm-ops.ts'

/** Where a handler's code goes on, and which locals hold what. */
export interface Frame {
  readonly code: Code
  /** Local: address of this instruction's record. */
  readonly record: number
  /** Local: instructions left; `undefined` in a function of its own, where it stays in memory. */
  readonly budget: number | undefined
  /** Local: address of an instruction is this plus record >> 2; `undefined`: read from memory. */
  readonly pcOffset: number | undefined
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

  /** Starts a handler; answers with what ends it. */
  start(frame: Frame, near: boolean): () => void {
    this.frame = frame
    this.near = near
    this.ended = false
    this.begin(frame.code)
    return () => {
      if (!this.ended) this.goOn()
    }
  }

  private goOn(): void {
    const c = this.code
    c.get(this.frame.record)
    c.i32(record.SIZE)
    c.op('i32.add')
    c.set(this.frame.record)
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

  atEl1h(): Pushed {
    this.code.i32(0)
    this.code.memory('i32.load', bank.MODE)
    this.code.i32(mode.EL1H)
    this.code.op('i32.eq')
    return PUSHED
  }

  // ---- flags: N and V as sign bits, Z as a value that is zero when set, C as 0 or 1

  private storeFlag(address: number, push: () => void): void {
    this.code.i32(0)
    push()
    this.code.memory(address === bank.FLAG_C ? 'i32.store' : 'i64.store', address)
  }

  private widened(w: Width, local: number): void {
    this.code.get(local)
    if (w === 32) this.code.op('i64.extend_i32_s')
  }

  private flagsOf(w: Width, result: number, carry: () => void, overflow: (() => void) | undefined): void {
    const c = this.code
    this.storeFlag(bank.FLAG_N, () => this.widened(w, result))
    this.storeFlag(bank.FLAG_Z, () => this.widened(w, result))
    this.storeFlag(bank.FLAG_C, carry)
    this.storeFlag(bank.FLAG_V, () => {
      if (overflow === undefined) return c.i64(0)
      overflow()
      if (w === 32) c.op('i64.extend_i32_s')
    })
  }

  /** (p EOR r) AND (q EOR r): its sign bit is the overflow of p + q = r. */
  private overflow(w: Width, p: number, q: number, r: number): void {
    const c = this.code
    c.get(p)
    c.get(r)
    c.op(w === 64 ? 'i64.xor' : 'i32.xor')
    c.get(q)
    c.get(r)
    c.op(w === 64 ? 'i64.xor' : 'i32.xor')
    c.op(w === 64 ? 'i64.and' : 'i32.and')
  }

  flagsAdd(w: Width, a: Local, b: Local): void {
    const c = this.code
    const r = this.temporary(w === 64 ? 'i64' : 'i32')
    c.get(a.local)
    c.get(b.local)
    c.op(w === 64 ? 'i64.add' : 'i32.add')
    c.set(r)
    const carry = (): void => {
      c.get(r)
      c.get(a.local)
      c.op(w === 64 ? 'i64.lt_u' : 'i32.lt_u')
    }
    this.flagsOf(w, r, carry, () => this.overflow(w, a.local, b.local, r))
  }

  flagsSub(w: Width, a: Local, b: Local): void {
    const c = this.code
    const r = this.temporary(w === 64 ? 'i64' : 'i32')
    c.get(a.local)
    c.get(b.local)
    c.op(w === 64 ? 'i64.sub' : 'i32.sub')
    c.set(r)
    const carry = (): void => {
      c.get(a.local)
      c.get(b.local)
      c.op(w === 64 ? 'i64.ge_u' : 'i32.ge_u')
    }
    // a - b = r overflows when a and b differ in sign, and a and r do: as r + b = a.
    this.flagsOf(w, r, carry, () => this.overflow(w, r, b.local, a.local))
  }

  flagsAdc(w: Width, a: Local, b: Local, carryIn: Local): void {
    const c = this.code
    const r = this.temporary(w === 64 ? 'i64' : 'i32')
    const add = w === 64 ? 'i64.add' : 'i32.add'
    c.get(a.local)
    c.get(b.local)
    c.op(add)
    c.get(carryIn.local)
    if (w === 64) c.op('i64.extend_i32_u')
    c.op(add)
    c.set(r)
    const carry = (): void => {
      // Carried when the sum is below a, or equal to it with a carry coming in.
      c.get(r)
      c.get(a.local)
      c.op(w === 64 ? 'i64.lt_u' : 'i32.lt_u')
      c.get(r)
      c.get(a.local)
      c.op(w === 64 ? 'i64.eq' : 'i32.eq')
      c.get(carryIn.local)
      c.op('i32.and')
      c.op('i32.or')
    }
    this.flagsOf(w, r, carry, () => this.overflow(w, a.local, b.local, r))
  }

  flagsLogic(w: Width, a: Local): void {
    this.flagsOf(w, a.local, () => this.code.i32(0), undefined)
  }

  flagsSet(_nzcv: Pushed): void {
    const c = this.code
    const nzcv = this.temporary('i32')
    c.set(nzcv)
    const bit = (n: number): void => {
      c.get(nzcv)
      c.i32(n)
      c.op('i32.shr_u')
      c.i32(1)
      c.op('i32.and')
    }
    const sign = (n: number) => (): void => {
      c.i64(0)
      bit(n)
      c.op('i64.extend_i32_u')
      c.op('i64.sub')
    }
    this.storeFlag(bank.FLAG_N, sign(3))
    this.storeFlag(bank.FLAG_Z, () => {
      bit(2)
      c.op('i32.eqz')
      c.op('i64.extend_i32_u')
    })
    this.storeFlag(bank.FLAG_C, () => bit(1))
    this.storeFlag(bank.FLAG_V, sign(0))
  }

  private loadFlag(address: number): void {
    this.code.i32(0)
    this.code.memory(address === bank.FLAG_C ? 'i32.load' : 'i64.load', address)
  }

  private negative(address: number): void {
    this.loadFlag(address)
    this.code.i64(0)
    this.code.op('i64.lt_s')
  }

  carry(): Pushed {
    this.loadFlag(bank.FLAG_C)
    return PUSHED
  }

  flagsGet(): Pushed {
    const c = this.code
    const place = (shift: number): void => {
      c.i32(shift)
      c.op('i32.shl')
    }
    this.negative(bank.FLAG_N)
    place(3)
    this.loadFlag(bank.FLAG_Z)
    c.op('i64.eqz')
    place(2)
    c.op('i32.or')
    this.loadFlag(bank.FLAG_C)
    place(1)
    c.op('i32.or')
    this.negative(bank.FLAG_V)
    c.op('i32.or')
    return PUSHED
  }

  condition(code: number | SmallOperand): Pushed {
    const c = this.code
    if (typeof code !== 'number') {
      this.field(code.at)
      c.i32(1)
      c.op('i32.shl')
      c.memory('i32.load16_u', scratch.CONDITIONS)
      this.flagsGet()
      c.op('i32.shr_u')
      c.i32(1)
      c.op('i32.and')
      return PUSHED
    }
    const notZero = (): void => {
      this.loadFlag(bank.FLAG_Z)
      c.i64(0)
      c.op('i64.ne')
    }
    const greaterOrEqual = (): void => {
      this.loadFlag(bank.FLAG_N)
      this.loadFlag(bank.FLAG_V)
      c.op('i64.xor')
      c.i64(0)
      c.op('i64.ge_s')
    }
    switch (code >> 1) {
      case 0:
        this.loadFlag(bank.FLAG_Z)
        c.op('i64.eqz')
        break
      case 1:
        this.loadFlag(bank.FLAG_C)
        break
      case 2:
        this.negative(bank.FLAG_N)
        break
      case 3:
        this.negative(bank.FLAG_V)
        break
      case 4:
        this.loadFlag(bank.FLAG_C)
        notZero()
        c.op('i32.and')
        break
      case 5:
        greaterOrEqual()
        break
      case 6:
        greaterOrEqual()
        notZero()
        c.op('i32.and')
        break
      default:
        c.i32(1)
        return PUSHED // AL, and NV which means the same
    }
    if ((code & 1) === 1) c.op('i32.eqz')
    return PUSHED
  }

  // ---- program flow

  private pushPc(): void {
    const c = this.code
    c.get(this.frame.record)
    c.i32(2)
    c.op('i32.shr_u')
    c.op('i64.extend_i32_u')
    if (this.frame.pcOffset === undefined) {
      c.i32(0)
      c.memory('i64.load', scratch.PC_OFFSET)
    } else c.get(this.frame.pcOffset)
    c.op('i64.add')
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
    const c = this.code
    this.ended = true
    if (!this.near) {
      this.pcRelative(offset)
      this.frame.jump()
      return
    }
    c.get(this.frame.record)
    this.imm(32, offset)
    c.op('i32.add')
    c.set(this.frame.record)
    this.frame.next()
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
    this.ended = true
    const taken = this.temporary('i32')
    c.set(taken)
    this.imm(32, offset)
    c.i32(record.SIZE)
    c.get(taken)
    c.op('select')
    c.get(this.frame.record)
    c.op('i32.add')
    c.set(this.frame.record)
    this.frame.next()
  }

  jumpTo(_address: Pushed, _kind: JumpKind): void {
    this.ended = true
    this.frame.jump()
  }

  // ---- calling out

  protected beforeCallOut(): void {
    const c = this.code
    c.i32(0)
    c.get(this.frame.record)
    c.memory('i32.store', scratch.RECORD)
    if (this.frame.budget === undefined) return
    c.i32(0)
    c.get(this.frame.budget)
    c.memory('i32.store', scratch.BUDGET)
  }

  protected afterCallOut(): void {
    if (this.frame.budget === undefined) return
    this.code.i32(0)
    this.code.memory('i32.load', scratch.BUDGET)
    this.code.set(this.frame.budget)
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

  protected tlbBase(mode: AccessMode): void {
    this.code.i32(0)
    this.code.memory('i32.load', mode === 'normal' ? scratch.TLB : scratch.TLB_UNPRIVILEGED)
  }

  call(helper: string, kind: 'pure' | 'system', ...args: readonly (number | Operand)[]): void {
    const c = this.code
    if (kind === 'system') this.beforeCallOut()
    for (const arg of args) {
      if (typeof arg === 'number') c.i32(arg)
      else if (arg.kind === 'imm') this.imm(32, arg)
      else this.field(arg.at)
    }
    c.call(this.calls.helper(helper, args.length))
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
