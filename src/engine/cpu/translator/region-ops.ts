/**
 * Instruction bodies for a translated region: registers and flags live in locals, operands are constants.
 * Whatever a region does not do itself it leaves to the interpreter, by returning at that instruction.
 */
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
import { PUSHED } from '../emit/arithmetic-ops.ts'
import type { Pushed } from '../emit/arithmetic-ops.ts'
import type { Flag } from '../emit/flag-ops.ts'
import { WasmOps } from '../emit/wasm-ops.ts'
import { bank, mode, record, scratch, sysregAt, vAt, xAt } from '../layout.ts'
import { conditionMasks } from '../state.ts'

/** Where a block's control goes: an instruction of the page by its number, or an offset from the block's last one. */
export type Edge = { readonly to: number } | { readonly far: number }

export type Terminator =
  | { readonly kind: 'goto'; readonly edge: Edge }
  | { readonly kind: 'branch'; readonly condition: number; readonly edge: Edge }
  /** The address is in the target local. */
  | { readonly kind: 'indirect' }
  /** The interpreter has to run this instruction. */
  | { readonly kind: 'interpret' }

/** Locals that all of a region shares. */
export interface RegionLocals {
  readonly budget: number
  readonly tlb: number
  readonly pcOffset: number
  readonly target: number
  readonly result: number
}

export interface RegionPorts {
  readonly loadSlow: number
  readonly storeSlow: number
}

const masks = conditionMasks()
const FLAGS = ['n', 'z', 'c', 'v'] as const
const flagAddress: Record<Flag, number> = { n: bank.FLAG_N, z: bank.FLAG_Z, c: bank.FLAG_C, v: bank.FLAG_V }

export class RegionOps extends WasmOps {
  private readonly locals: RegionLocals
  private readonly page: number
  private readonly registers = new Map<number, number>()
  private readonly written = new Set<number>()
  private readonly flags = new Map<Flag, number>()
  private flagsWritten = false
  /** Depth of the block whose end spills the registers and returns. */
  exit = 0
  private index = 0
  /** Instructions of the block that have been counted but, at this one, not run. */
  private uncounted = 0
  private nesting = 0
  terminator: Terminator | undefined
  /** The operands of the last compare, while nothing has changed the flags since. */
  private compared: { readonly w: Width; readonly a: number; readonly b: number } | undefined
  private readonly compareLocals = new Map<Width, readonly [number, number]>()

  constructor(code: Code, ports: RegionPorts, locals: RegionLocals, page: number) {
    super(code, ports)
    this.locals = locals
    this.page = page
  }

  recordOf(index: number): number {
    return this.page + index * record.SIZE
  }

  startBlock(): void {
    this.compared = undefined
  }

  /** `uncounted`: instructions from this one to the end of its block; `fp`: floating point or AdvSIMD. */
  startInstruction(index: number, uncounted: number, fp: boolean): void {
    this.index = index
    this.uncounted = uncounted
    this.terminator = undefined
    this.nesting = 0
    this.begin(this.code)
    if (!fp) return
    this.code.i32(0)
    this.code.memory('i32.load', bank.FP_TRAPPED)
    this.code.if(undefined, false)
    this.leaveToInterpret()
    this.code.end()
  }

  // ---- registers

  private registerLocal(register: number): number {
    let local = this.registers.get(register)
    if (local === undefined) this.registers.set(register, (local = this.code.local('i64')))
    return local
  }

  private flagLocal(flag: Flag): number {
    let local = this.flags.get(flag)
    if (local === undefined) this.flags.set(flag, (local = this.code.local(flag === 'c' ? 'i32' : 'i64')))
    return local
  }

  /** What fills the locals, to come before the code. */
  prologue(c: Code): void {
    const fill = (address: number, local: number, wide: boolean): void => {
      c.i32(0)
      c.memory(wide ? 'i64.load' : 'i32.load', address)
      c.set(local)
    }
    fill(scratch.TLB, this.locals.tlb, false)
    fill(scratch.PC_OFFSET, this.locals.pcOffset, true)
    for (const [register, local] of this.registers) fill(xAt(register), local, true)
    for (const [flag, local] of this.flags) fill(flagAddress[flag], local, flag !== 'c')
  }

  /** Brings the locals back to memory. */
  epilogue(): void {
    const c = this.code
    const spill = (address: number, local: number, wide: boolean): void => {
      c.i32(0)
      c.get(local)
      c.memory(wide ? 'i64.store' : 'i32.store', address)
    }
    for (const register of this.written) spill(xAt(register), this.registerLocal(register), true)
    if (this.flagsWritten) for (const flag of FLAGS) spill(flagAddress[flag], this.flagLocal(flag), flag !== 'c')
    spill(scratch.TARGET, this.locals.target, true)
    spill(scratch.BUDGET, this.locals.budget, false)
    c.get(this.locals.result)
  }

  get(w: Width, reg: GprOperand): Pushed {
    if (reg.value === gpr.ZERO) return this.konst(w, 0)
    this.code.get(this.registerLocal(reg.value))
    if (w === 32) this.code.op('i32.wrap_i64')
    return PUSHED
  }

  set(w: Width, reg: GprOperand, _value: Pushed): void {
    if (reg.value === gpr.SINK) return this.code.op('drop')
    if (w === 32) this.code.op('i64.extend_i32_u')
    this.written.add(reg.value)
    this.code.set(this.registerLocal(reg.value))
  }

  imm(w: Width, operand: ImmOperand | SmallOperand): Pushed {
    return this.konst(w, operand.value)
  }

  vget(reg: VecOperand): Pushed {
    this.code.i32(0)
    this.code.vectorMemory('v128.load', vAt(reg.value))
    return PUSHED
  }

  vset(reg: VecOperand, value: Pushed): void {
    const v = this.let(128, value)
    this.code.i32(0)
    this.code.get(v.local)
    this.code.vectorMemory('v128.store', vAt(reg.value))
  }

  sysregGet(slot: SysregOperand): Pushed {
    this.code.i32(0)
    this.code.memory('i64.load', sysregAt(slot.value))
    return PUSHED
  }

  atEl1h(): Pushed {
    this.code.i32(0)
    this.code.memory('i32.load', bank.MODE)
    this.code.i32(mode.EL1H)
    this.code.op('i32.eq')
    return PUSHED
  }

  // ---- flags

  protected setFlag(flag: Flag, push: () => void): void {
    this.compared = undefined
    this.flagsWritten = true
    push()
    this.code.set(this.flagLocal(flag))
  }

  protected pushFlag(flag: Flag): void {
    this.code.get(this.flagLocal(flag))
  }

  protected pushConditionMask(code: SmallOperand): void {
    this.code.i32(masks[code.value] ?? 0)
  }

  override flagsSub(w: Width, a: Local, b: Local): void {
    super.flagsSub(w, a, b)
    let pair = this.compareLocals.get(w)
    if (pair === undefined) {
      const type = w === 64 ? 'i64' : 'i32'
      this.compareLocals.set(w, (pair = [this.code.local(type), this.code.local(type)]))
    }
    ;[a, b].forEach((local, i) => {
      this.code.get(local.local)
      this.code.set(pair[i] ?? 0)
    })
    this.compared = { w, a: pair[0], b: pair[1] }
  }

  override condition(code: number | SmallOperand): Pushed {
    const value = typeof code === 'number' ? code : code.value
    const comparison = COMPARISONS[value]
    if (this.compared === undefined || comparison === undefined) return super.condition(value)
    this.code.get(this.compared.a)
    this.code.get(this.compared.b)
    return this.compare(comparison, this.compared.w, PUSHED, PUSHED)
  }

  override when(condition: Pushed, then: () => void, otherwise?: () => void): void {
    this.nesting++
    const before = this.compared
    super.when(condition, then, otherwise)
    // Flags that only one way has set are in their locals, but no compare is.
    if (this.compared !== before) this.compared = undefined
    this.nesting--
  }

  // ---- program flow

  private pushPc(): void {
    this.code.get(this.locals.pcOffset)
    this.code.i64(this.recordOf(this.index) >>> 2)
    this.code.op('i64.add')
  }

  private pushPcPlus(offset: number | bigint): Pushed {
    this.code.get(this.locals.pcOffset)
    this.code.i64(BigInt(this.recordOf(this.index) >>> 2) + BigInt(offset))
    this.code.op('i64.add')
    return PUSHED
  }

  pcRelative(offset: ImmOperand): Pushed {
    return this.pushPcPlus(offset.value)
  }

  pageRelative(offset: ImmOperand): Pushed {
    this.pushPc()
    this.code.i64(-4096)
    this.code.op('i64.and')
    this.code.i64(offset.value)
    this.code.op('i64.add')
    return PUSHED
  }

  nextPc(): Pushed {
    return this.pushPcPlus(4)
  }

  private edge(offset: ImmOperand): Edge {
    const to = this.index + Number(offset.value) / 4
    return to >= 0 && to < record.PER_PAGE ? { to } : { far: Number(offset.value) }
  }

  jump(offset: ImmOperand): void {
    this.terminator = { kind: 'goto', edge: this.edge(offset) }
  }

  jumpIf(_condition: Pushed, offset: ImmOperand): void {
    const condition = this.temporary('i32')
    this.code.set(condition)
    this.terminator = { kind: 'branch', condition, edge: this.edge(offset) }
  }

  jumpTo(_address: Pushed, _kind: JumpKind): void {
    this.code.set(this.locals.target)
    this.terminator = { kind: 'indirect' }
  }

  /** Leaves the region for an instruction that is not in it, or not a direct successor. */
  leaveAt(edge: Edge): void {
    const c = this.code
    if ('far' in edge) {
      this.pushPcPlus(edge.far)
      c.set(this.locals.target)
      this.leaveWith(REGION_RESULT.TARGET)
    } else this.leaveWith(this.recordOf(edge.to))
  }

  leaveWith(result: number): void {
    this.code.i32(result)
    this.code.set(this.locals.result)
    this.code.br(this.exit)
  }

  /** Leaves before this instruction has had any effect; the interpreter runs it once. */
  leaveToInterpret(): void {
    const c = this.code
    c.get(this.locals.budget)
    c.i32(this.uncounted)
    c.op('i32.add')
    c.set(this.locals.budget)
    this.leaveWith(this.recordOf(this.index) | REGION_RESULT.INTERPRET)
  }

  // ---- calling out: only translations are looked up; they have no effect on the guest

  base(reg: GprOperand): Pushed {
    if (reg.value !== gpr.SP) return this.get(64, reg)
    const c = this.code
    this.get(32, reg)
    c.i32(15)
    c.op('i32.and')
    c.if(undefined, false)
    this.leaveToInterpret()
    c.end()
    return this.get(64, reg)
  }

  protected misaligned(): void {
    this.leaveToInterpret()
  }

  protected beforeCallOut(): void {}
  protected afterCallOut(): void {}
  protected commitStore(): void {}

  protected leaveOnFault(): void {
    this.leaveToInterpret()
  }

  protected tlbBase(access: AccessMode): void {
    if (access === 'normal') return this.code.get(this.locals.tlb)
    this.code.i32(0)
    this.code.memory('i32.load', scratch.TLB_UNPRIVILEGED)
  }

  call(_helper: string, _kind: 'pure' | 'system', ..._args: readonly (number | Operand)[]): void {
    this.leaveToInterpret()
    if (this.nesting === 0) this.terminator = { kind: 'interpret' }
  }

  argument(): void {
    this.code.op('drop')
  }

  ask(helper: string, ...args: readonly (number | Operand)[]): Pushed {
    this.call(helper, 'pure', ...args)
    return this.konst(32, 0) // not reached
  }
}

/** What a region answers when it is not simply the record to go on with. */
export const REGION_RESULT = {
  /** Go on at the address in scratch.TARGET. */
  TARGET: 0,
  /** Set in a record's address: run that instruction by its own handler, then go on. */
  INTERPRET: 1,
} as const

/** Conditions after a compare of a with b, as a relation of the two (Arm ARM C1.2.4). */
const COMPARISONS = [
  'eq',
  'ne',
  'geU',
  'ltU',
  undefined,
  undefined,
  undefined,
  undefined,
  'gtU',
  'leU',
  'geS',
  'ltS',
  'gtS',
  'leS',
] as const
