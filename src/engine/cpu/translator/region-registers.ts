/**
 * Instruction bodies for a translated region, the part that reads and writes registers: they live in locals, which are filled
 * from memory where they are needed and written back where they are dirty.
 */
import type {
  GprOperand,
  ImmOperand,
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
import { bank, scratch, vAt, xAt } from '../layout.ts'
import { LazyFlagOps } from './lazy-flag-ops.ts'
import type { FlagLocals, FlagPorts } from './lazy-flag-ops.ts'

/** Locals that all of a region shares. */
export interface RegionLocals {
  readonly budget: number
  readonly depth: number
  readonly tlb: number
  readonly pcOffset: number
  readonly target: number
  readonly result: number
  readonly fpTrapped: number
  readonly flags: FlagLocals
}

/** Which locals a region fills besides those of registers. */
export interface RegionNeeds {
  readonly flags: boolean
  readonly fp: boolean
}

/** Sets of registers: bit n is Xn (31 is SP) or Vn. */
export interface RegisterSets {
  readonly x: number
  readonly v: number
}

/** The registers among operands. */
export function registersOf(operands: readonly (number | Operand)[]): RegisterSets {
  let [x, v] = [0, 0]
  for (const operand of operands) {
    if (typeof operand === 'number') continue
    if (operand.kind === 'x' && operand.value <= gpr.SP) x |= 1 << operand.value
    if (operand.kind === 'v') v |= 1 << operand.value
  }
  return { x, v }
}

export const forEachRegister = (set: number, visit: (register: number) => void): void => {
  for (let left = set; left !== 0; left &= left - 1) visit(31 - Math.clz32(left & -left))
}

const FIRST_VECTOR = 32

export abstract class RegionRegisters extends LazyFlagOps {
  protected readonly locals: RegionLocals
  private readonly registers = new Map<number, number>()
  private readonly vectors = new Map<number, number>()
  /** Registers whose locals may differ from memory. */
  protected dirtyX = 0
  protected dirtyV = 0
  /** Those that have become dirty since the list was emptied, in that order: Xn as n, Vn as 32 + n. */
  protected readonly dirtied: number[] = []

  constructor(code: Code, ports: FlagPorts, locals: RegionLocals) {
    super(code, ports, locals.flags)
    this.locals = locals
  }

  private registerLocal(register: number): number {
    let local = this.registers.get(register)
    if (local === undefined) this.registers.set(register, (local = this.code.local('i64')))
    return local
  }

  private vectorLocal(register: number): number {
    let local = this.vectors.get(register)
    if (local === undefined) this.vectors.set(register, (local = this.code.local('v128')))
    return local
  }

  /** Fills the locals of registers from memory. */
  loadRegisters({ x, v }: RegisterSets): void {
    forEachRegister(x, (register) => {
      this.code.i32(0)
      this.code.memory('i64.load', xAt(register))
      this.code.set(this.registerLocal(register))
    })
    forEachRegister(v, (register) => {
      this.code.i32(0)
      this.code.vectorMemory('v128.load', vAt(register))
      this.code.set(this.vectorLocal(register))
    })
  }

  protected storeRegisters(x: number, v: number): void {
    forEachRegister(x, (register) => {
      this.code.i32(0)
      this.code.get(this.registerLocal(register))
      this.code.memory('i64.store', xAt(register))
    })
    forEachRegister(v, (register) => {
      this.code.i32(0)
      this.code.get(this.vectorLocal(register))
      this.code.vectorMemory('v128.store', vAt(register))
    })
  }

  /** Writes a register back, as `dirtied` numbers it. */
  protected storeDirtied(register: number): void {
    const isVector = register >= FIRST_VECTOR
    this.storeRegisters(isVector ? 0 : 1 << register, isVector ? 1 << (register - FIRST_VECTOR) : 0)
  }

  /** Fills the locals that a region starts with. */
  prologue(live: RegisterSets, needs: RegionNeeds): void {
    const c = this.code
    c.i32(0)
    c.memory('i64.load', scratch.PC_OFFSET)
    c.set(this.locals.pcOffset)
    this.loadContext(needs)
    this.loadRegisters(live)
  }

  /** What system instructions change. */
  protected loadContext(needs: RegionNeeds): void {
    const c = this.code
    c.i32(0)
    c.memory('i32.load', scratch.TLB)
    c.set(this.locals.tlb)
    if (needs.fp) {
      c.i32(0)
      c.memory('i32.load', bank.FP_TRAPPED)
      c.set(this.locals.fpTrapped)
    }
    if (needs.flags) this.loadFlags()
  }

  /** What every way out ends with. */
  epilogue(): void {
    const c = this.code
    c.i32(0)
    c.get(this.locals.budget)
    c.memory('i32.store', scratch.BUDGET)
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
    const bit = 1 << reg.value
    if ((this.dirtyX & bit) === 0) this.dirtied.push(reg.value)
    this.dirtyX |= bit
    this.code.set(this.registerLocal(reg.value))
  }

  imm(w: Width, operand: ImmOperand | SmallOperand): Pushed {
    return this.konst(w, operand.value)
  }

  vget(reg: VecOperand): Pushed {
    this.code.get(this.vectorLocal(reg.value))
    return PUSHED
  }

  vset(reg: VecOperand, _value: Pushed): void {
    const bit = 1 << reg.value
    if ((this.dirtyV & bit) === 0) this.dirtied.push(FIRST_VECTOR + reg.value)
    this.dirtyV |= bit
    this.code.set(this.vectorLocal(reg.value))
  }

  sysregGet(slot: SysregOperand): Pushed {
    return this.kept(slot.value)
  }

  sysregSet(slot: SysregOperand, value: Pushed): void {
    this.keep(slot.value, value)
  }
}
