/**
 * The vocabulary that instruction bodies are written in. One body serves the interpreter, the
 * translator and whatever else wants to know what an instruction does; it never asks which.
 *
 * The order of evaluation is the order of effects: every value that an operation returns is consumed
 * once, by the operation it is an argument of, in the order in which the arguments were made. A value
 * needed twice goes through `let`. (This lets an emitter write stack code straight away.)
 *
 *     o.set(64, p.d, o.add(64, o.get(64, p.n), o.imm(64, p.imm)))   // arguments in order: fine
 *
 * An access to memory may fault, and then the instruction has had no effect: loads and stores come
 * before the first `set`.
 */
import type { LookupTable } from './lookup-tables.ts'

export interface Ops<V> {
  // Operands. `w` is the width in bits of the value; a 32-bit value and a 64-bit value are different things.
  imm(w: Width, operand: ImmOperand | SmallOperand): V
  konst(w: Width, value: number | bigint): V
  get(w: Width, reg: GprOperand): V
  /** Writes a general register; a 32-bit value clears the upper half. */
  set(w: Width, reg: GprOperand, value: V): void
  let(w: Width | 128 | 'f32' | 'f64', value: V): Local
  use(local: Local): V

  // Integer arithmetic. Division is Arm's: by zero gives 0, the most negative by -1 gives itself.
  binary(op: IntBinary, w: Width, a: V, b: V): V
  unary(op: IntUnary, w: Width, a: V): V
  /** 0 or 1, a 32-bit value. */
  compare(op: IntCompare, w: Width, a: V, b: V): V
  isZero(w: Width, a: V): V
  wrap(a: V): V
  widen(signed: boolean, a: V): V
  /** Sign-extends the low `from` bits of a value of width `w`. */
  signExtend(from: 8 | 16 | 32, w: Width, a: V): V
  select(w: Width, whenTrue: V, whenFalse: V, condition: V): V
  /** The entry of a table that is so far behind entry `first`: 32-bit values. */
  lookUp(table: LookupTable, first: number, index: V): V
  /** High 64 bits of a 64 by 64 bit product. */
  mulHigh(signed: boolean, a: Local, b: Local): V

  // Flags. The operands are locals, so that a compare can be fused with its user.
  flagsAdd(w: Width, a: Local, b: Local): void
  flagsSub(w: Width, a: Local, b: Local): void
  /** a + b + carry (carry is 0 or 1, a 32-bit local): returns nothing, sets NZCV. */
  flagsAdc(w: Width, a: Local, b: Local, carry: Local): void
  /** N and Z from the value, C = V = 0. */
  flagsLogic(w: Width, a: Local): void
  /** NZCV as a 32-bit number 0..15 (N is bit 3). */
  flagsSet(nzcv: V): void
  flagsGet(): V
  /** The carry flag, 0 or 1. */
  carry(): V
  /** Whether a condition code holds (0 or 1): a constant code, or one that is an operand. */
  condition(code: number | SmallOperand): V
  /** Runs `then` when the 32-bit condition is not zero, `otherwise` when it is. No values cross. */
  when(condition: V, then: () => void, otherwise?: () => void): void

  // Memory. Addresses are 64-bit values.
  /** The base register of an access: SP, where it is that, has to be aligned to 16 bytes (SCTLR_EL1.SA, SA0). */
  base(reg: GprOperand): V
  /** Faults unless the address is a multiple of `bytes`, a power of two, as exclusives and atomics want it (B2.9.1). */
  aligned(address: Local, bytes: number, write: boolean): void
  load(kind: LoadKind, w: Width, address: V, mode?: AccessMode): V
  store(bytes: AccessBytes, w: Width, address: V, value: V, mode?: AccessMode): void
  /** Two adjacent elements with one check; faults leave both undone. */
  loadPair(kind: LoadKind, w: Width, address: V): readonly [Local, Local]
  storePair(bytes: AccessBytes, w: Width, address: V, first: V, second: V): void
  /** `element`: what has to be aligned where alignment is checked; without it, the whole. */
  loadVector(bytes: AccessBytes, address: V, element?: AccessBytes): V
  storeVector(bytes: AccessBytes, address: V, value: V, element?: AccessBytes): void
  loadVectorPair(bytes: 4 | 8 | 16, address: V): readonly [Local, Local]
  storeVectorPair(bytes: 4 | 8 | 16, address: V, first: V, second: V): void
  /** DC ZVA: clears the 64-byte block that holds the address. */
  zeroBlock(address: V): void
  /** 1 where a byte at the address is known to be RAM that may be read, 0 where that has to be found out: a 32-bit value. */
  isReadable(address: V): V
  /** Opens the local exclusive monitor on an address, before the load itself. */
  monitorOpen(address: Local, bytes: number): void
  /** 1 when the monitor is open on this address. */
  monitorHolds(address: Local, bytes: number): V
  monitorClear(): void

  // Program flow. Offsets are relative to this instruction's address.
  pcRelative(offset: ImmOperand): V
  /** The address of the page of this instruction plus an offset. */
  pageRelative(offset: ImmOperand): V
  /** The address of the next instruction. */
  nextPc(): V
  jump(offset: ImmOperand, kind?: JumpKind): void
  jumpIf(condition: V, offset: ImmOperand): void
  jumpTo(address: V, kind: JumpKind): void

  // Whatever is done outside compiled code.
  /**
   * Calls a TypeScript function on the registers in memory. Arguments are plain numbers or operands; a
   * register operand arrives as its byte offset in CPU state. A `system` call may take an exception,
   * change the PC or end the slice; a `pure` one only reads and writes the registers named.
   */
  call(helper: string, kind: 'pure' | 'system', ...args: readonly (number | Operand)[]): void
  /** Hands a 64-bit value to the helper that is called next. */
  argument(value: V): void
  /** A `pure` call that answers with a 32-bit value. */
  ask(helper: string, ...args: readonly (number | Operand)[]): V
  /** A system register that is kept in a slot of CPU state, without any check. */
  sysregGet(slot: SysregOperand): V
  sysregSet(slot: SysregOperand, value: V): void
  /** The same by its number, which every instance of the row's variant has in common. */
  kept(slot: number): V
  /** Writes it, a 64-bit value, without any check. */
  keep(slot: number, value: V): void
  /** 1 at EL1 with its own stack pointer, 0 elsewhere: a 32-bit value. */
  atEl1h(): V

  // Vector registers: 128-bit values and the lanes of them. Names of operations are WebAssembly's.
  vget(reg: VecOperand): V
  vset(reg: VecOperand, value: V): void
  /** Writes 128 bits of which those above `bytes` are cleared. */
  vsetLow(bytes: 1 | 2 | 4 | 8 | 16, reg: VecOperand, value: V): void
  vector(op: VectorOp, ...args: readonly V[]): V
  vconst(low: bigint, high: bigint): V
  /** `i8x16.shuffle`: 16 byte indexes, 0..15 of the first, 16..31 of the second argument. */
  shuffle(indexes: readonly number[], a: V, b: V): V
  /** A shift of every lane by a 32-bit value (taken modulo the lane width). */
  laneShift(op: LaneShift, a: V, amount: V): V
  splat(lane: LaneShape, value: V): V
  extractLane(lane: LaneExtract, index: number, a: V): V
  replaceLane(lane: LaneShape, index: number, a: V, value: V): V
  /** 0 or 1: whether host arithmetic is Arm's, see `HostFloat`. */
  hostFloat(needs: HostFloat): V
  /** Not 0: that a lane has saturated is noted already (FPSR.QC). */
  saturationNoted(): V
  /** a * b + c in every lane, rounded once; `undefined`: the host has no such operation. */
  hostMultiplyAdd(shape: 'f32x4' | 'f64x2', a: Local, b: Local, c: Local): V | undefined
  /** A 64-bit integer as a double (rounded to nearest) in both lanes. */
  doubleFromInteger(signed: boolean, value: V): V
  /** The double in lane 0, in range, rounded towards zero to a 64-bit integer. */
  integerFromDouble(signed: boolean, value: V): V
  vectorBitSelect(whenSet: V, whenClear: V, mask: V): V
}

export type Width = 32 | 64
/**
 * What an instruction needs so that the host can do it. `unflushed`: denormals are numbers (FPCR.FZ = 0). `exact`: that,
 * and rounding to nearest, for a result that is known to be exact. `nearest`: FPSR.IXC is set already besides, so that an
 * inexact result leaves no trace.
 */
export type HostFloat = 'unflushed' | 'exact' | 'nearest'
export type AccessBytes = 1 | 2 | 4 | 8 | 16
export type LoadKind = 'u8' | 's8' | 'u16' | 's16' | 'u32' | 's32' | 'u64'
export type AccessMode = 'normal' | 'unprivileged'
export type JumpKind = 'jump' | 'call' | 'return'

export type IntBinary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'divS'
  | 'divU'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shrU'
  | 'shrS'
  | 'rotr'
export type IntUnary = 'clz' | 'ctz' | 'not' | 'neg' | 'rbit' | 'rev16' | 'rev32' | 'rev'
export type IntCompare = 'eq' | 'ne' | 'ltS' | 'ltU' | 'gtS' | 'gtU' | 'leS' | 'leU' | 'geS' | 'geU'

export type LaneShape = 'i8x16' | 'i16x8' | 'i32x4' | 'i64x2'
export type LaneExtract = 'i8x16_s' | 'i8x16_u' | 'i16x8_s' | 'i16x8_u' | 'i32x4' | 'i64x2'
export type LaneShift = `${LaneShape}.${'shl' | 'shr_s' | 'shr_u'}`

/** WebAssembly's 128-bit operations without immediates, by their own names. */
export type VectorOp =
  | 'i8x16.swizzle'
  | `v128.${'not' | 'and' | 'andnot' | 'or' | 'xor'}`
  | `${LaneShape}.${'abs' | 'neg' | 'add' | 'sub' | 'eq' | 'ne' | 'lt_s' | 'gt_s' | 'le_s' | 'ge_s'}`
  | `${'i8x16' | 'i16x8' | 'i32x4'}.${'lt_u' | 'gt_u' | 'le_u' | 'ge_u' | 'min_s' | 'min_u' | 'max_s' | 'max_u'}`
  | `${'i8x16' | 'i16x8'}.${'add_sat_s' | 'add_sat_u' | 'sub_sat_s' | 'sub_sat_u' | 'avgr_u'}`
  | `${'i16x8' | 'i32x4' | 'i64x2'}.mul`
  | 'i8x16.popcnt'
  | `i8x16.narrow_i16x8_${'s' | 'u'}`
  | `i16x8.narrow_i32x4_${'s' | 'u'}`
  | `i16x8.${'extend' | 'extmul'}_${'low' | 'high'}_i8x16_${'s' | 'u'}`
  | `i32x4.${'extend' | 'extmul'}_${'low' | 'high'}_i16x8_${'s' | 'u'}`
  | `i64x2.${'extend' | 'extmul'}_${'low' | 'high'}_i32x4_${'s' | 'u'}`
  | `i16x8.extadd_pairwise_i8x16_${'s' | 'u'}`
  | `i32x4.extadd_pairwise_i16x8_${'s' | 'u'}`
  | `${'f32x4' | 'f64x2'}.${'abs' | 'neg' | 'sqrt' | 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'eq' | 'lt' | 'gt' | 'le' | 'ge'}`
  | `${'f32x4' | 'f64x2'}.${'ceil' | 'floor' | 'trunc' | 'nearest'}`
  | 'f32x4.demote_f64x2_zero'
  | 'f64x2.promote_low_f32x4'
  | `f32x4.convert_i32x4_${'s' | 'u'}`
  | `i32x4.trunc_sat_f32x4_${'s' | 'u'}`
  | `f64x2.convert_low_i32x4_${'s' | 'u'}`
  // These give a 32-bit value.
  | `${'i32x4' | 'i64x2'}.all_true`
  | 'v128.any_true'

/** A name for a value that is used more than once. */
export interface Local {
  readonly local: number
  readonly type: Width | 128 | 'f32' | 'f64'
}

/**
 * One operand of a decoded instruction. `value` is what was decoded (a register number, an immediate);
 * `at` is its place in the interpreter's record, the same for every instance of a row's variant.
 */
export interface GprOperand {
  readonly kind: 'x'
  /** 0..30, or SP, ZERO or SINK of `gpr`. */
  readonly value: number
  at: number
}
export interface VecOperand {
  readonly kind: 'v'
  /** 0..31 */
  readonly value: number
  at: number
}
export interface ImmOperand {
  readonly kind: 'imm'
  /** A 64-bit immediate; a `number` where it is below 2^53 in magnitude. */
  readonly value: number | bigint
  at: number
}
export interface SmallOperand {
  readonly kind: 'small'
  /** 0..65535 */
  readonly value: number
  at: number
}
export interface SysregOperand {
  readonly kind: 'sysreg'
  /** Slot number, see `sysregs/table.ts`. */
  readonly value: number
  at: number
}
export type Operand = GprOperand | VecOperand | ImmOperand | SmallOperand | SysregOperand

/** Register 31 has three meanings: the stack pointer, a source of zero, and nowhere. */
export const gpr = { SP: 31, ZERO: 32, SINK: 33 } as const

/** A source register, 31 being ZR. */
export const x = (n: number): GprOperand => ({ kind: 'x', value: n === 31 ? gpr.ZERO : n, at: 0 })
/** A destination register, 31 being ZR: what is written there is lost. */
export const xd = (n: number): GprOperand => ({ kind: 'x', value: n === 31 ? gpr.SINK : n, at: 0 })
/** A register, 31 being SP. */
export const xsp = (n: number): GprOperand => ({ kind: 'x', value: n, at: 0 })
/** A vector register. */
export const vr = (n: number): VecOperand => ({ kind: 'v', value: n & 31, at: 0 })
/** A 64-bit immediate; at most one in an instruction. */
export const imm = (value: number | bigint): ImmOperand => ({ kind: 'imm', value, at: 0 })
/** A small unsigned immediate (16 bits). */
export const small = (value: number): SmallOperand => ({ kind: 'small', value, at: 0 })
/** A system register's slot. */
export const sysregSlot = (value: number): SysregOperand => ({ kind: 'sysreg', value, at: 0 })
