/**
 * The vocabulary of instruction bodies, written as WebAssembly. What the interpreter and the translator
 * have in common: arithmetic, vectors and the inline soft TLB. A value is on WebAssembly's stack.
 */
import type {
  AccessBytes, AccessMode, GprOperand, HostFloat, ImmOperand, IntBinary, IntCompare, IntUnary, JumpKind, LaneExtract, LaneShape,
  LaneShift, LoadKind, Local, Operand, Ops, SmallOperand, SysregOperand, VecOperand, VectorOp, Width,
} from '../../pure/arch/a64/ops.ts'
import type { Code } from '../wasm/code.ts'
import type { Opcode, ValType, VectorOpcode } from '../wasm/opcodes.ts'
import { bank, tlb } from './layout.ts'

/** Says that a value has been pushed; there is nothing else to hold. */
export interface Pushed {
  readonly pushed: true
}
export const PUSHED: Pushed = { pushed: true }

const BINARY: Record<Exclude<IntBinary, 'divS' | 'divU'>, readonly [Opcode, Opcode]> = {
  add: ['i32.add', 'i64.add'], sub: ['i32.sub', 'i64.sub'], mul: ['i32.mul', 'i64.mul'],
  and: ['i32.and', 'i64.and'], or: ['i32.or', 'i64.or'], xor: ['i32.xor', 'i64.xor'],
  shl: ['i32.shl', 'i64.shl'], shrU: ['i32.shr_u', 'i64.shr_u'], shrS: ['i32.shr_s', 'i64.shr_s'], rotr: ['i32.rotr', 'i64.rotr'],
}
const COMPARE: Record<IntCompare, readonly [Opcode, Opcode]> = {
  eq: ['i32.eq', 'i64.eq'], ne: ['i32.ne', 'i64.ne'], ltS: ['i32.lt_s', 'i64.lt_s'], ltU: ['i32.lt_u', 'i64.lt_u'],
  gtS: ['i32.gt_s', 'i64.gt_s'], gtU: ['i32.gt_u', 'i64.gt_u'], leS: ['i32.le_s', 'i64.le_s'], leU: ['i32.le_u', 'i64.le_u'],
  geS: ['i32.ge_s', 'i64.ge_s'], geU: ['i32.ge_u', 'i64.ge_u'],
}
const LOAD: Record<LoadKind, readonly [Opcode, Opcode]> = {
  u8: ['i32.load8_u', 'i64.load8_u'], s8: ['i32.load8_s', 'i64.load8_s'],
  u16: ['i32.load16_u', 'i64.load16_u'], s16: ['i32.load16_s', 'i64.load16_s'],
  u32: ['i32.load', 'i64.load32_u'], s32: ['i32.load', 'i64.load32_s'], u64: ['i64.load', 'i64.load'],
}
const LOAD_BYTES: Record<LoadKind, AccessBytes> = { u8: 1, s8: 1, u16: 2, s16: 2, u32: 4, s32: 4, u64: 8 }
const STORE: Record<1 | 2 | 4 | 8, readonly [Opcode, Opcode]> = {
  1: ['i32.store8', 'i64.store8'], 2: ['i32.store16', 'i64.store16'], 4: ['i32.store', 'i64.store32'], 8: ['i64.store', 'i64.store'],
}
const SIGN_EXTEND: Record<8 | 16 | 32, readonly [Opcode | undefined, Opcode]> = {
  8: ['i32.extend8_s', 'i64.extend8_s'], 16: ['i32.extend16_s', 'i64.extend16_s'], 32: [undefined, 'i64.extend32_s'],
}
const LOCAL_TYPE: Record<string, ValType> = { 32: 'i32', 64: 'i64', 128: 'v128', f32: 'f32', f64: 'f64' }

const PAGE = 4096

const FPCR_FZ = 1 << 24
const FPCR_RMODE = 3 << 22
const FPSR_IXC = 1 << 4

/** What a memory access needs to know on its slow path: size, and whether it is unprivileged. */
export const UNPRIVILEGED = 0x100

export abstract class WasmOps implements Ops<Pushed> {
  code: Code
  /** Locals by type, reused from one instruction to the next. */
  private readonly pools = new Map<ValType, { readonly locals: number[]; used: number }>()
  private readonly ports: { readonly loadSlow: number; readonly storeSlow: number }
  protected va = 0
  protected ha = 0

  constructor(code: Code, ports: { readonly loadSlow: number; readonly storeSlow: number }) {
    this.code = code
    this.ports = ports
  }

  /** Starts an instruction: temporaries are free again. */
  protected begin(code: Code): void {
    if (code !== this.code) this.pools.clear()
    this.code = code
    for (const pool of this.pools.values()) pool.used = 0
    this.va = this.temporary('i64')
    this.ha = this.temporary('i32')
  }

  protected temporary(type: ValType): number {
    let pool = this.pools.get(type)
    if (pool === undefined) this.pools.set(type, (pool = { locals: [], used: 0 }))
    const local = pool.locals[pool.used++] ?? this.code.local(type)
    if (pool.used > pool.locals.length) pool.locals.push(local)
    return local
  }

  abstract get(w: Width, reg: GprOperand): Pushed
  abstract set(w: Width, reg: GprOperand, value: Pushed): void
  abstract imm(w: Width, operand: ImmOperand | SmallOperand): Pushed
  abstract flagsAdd(w: Width, a: Local, b: Local): void
  abstract flagsSub(w: Width, a: Local, b: Local): void
  abstract flagsAdc(w: Width, a: Local, b: Local, carry: Local): void
  abstract flagsLogic(w: Width, a: Local): void
  abstract flagsSet(nzcv: Pushed): void
  abstract flagsGet(): Pushed
  abstract carry(): Pushed
  abstract condition(code: number | SmallOperand): Pushed
  abstract pcRelative(offset: ImmOperand): Pushed
  abstract pageRelative(offset: ImmOperand): Pushed
  abstract nextPc(): Pushed
  abstract jump(offset: ImmOperand, kind?: JumpKind): void
  abstract jumpIf(condition: Pushed, offset: ImmOperand): void
  abstract jumpTo(address: Pushed, kind: JumpKind): void
  abstract call(helper: string, kind: 'pure' | 'system', ...args: readonly (number | Operand)[]): void
  abstract ask(helper: string, ...args: readonly (number | Operand)[]): Pushed
  abstract sysregGet(slot: SysregOperand): Pushed
  abstract atEl1h(): Pushed
  abstract vget(reg: VecOperand): Pushed
  abstract vset(reg: VecOperand, value: Pushed): void
  /** Emitted where an access calls out: leaves the machine as it was before the instruction. */
  protected abstract beforeCallOut(): void
  /** Emitted after a call-out that succeeded. */
  protected abstract afterCallOut(): void
  /** Emitted where an access has failed: leaves the compiled code. */
  protected abstract leaveOnFault(): void
  protected abstract commitStore(): void
  protected abstract tlbBase(mode: AccessMode): void

  konst(w: Width, value: number | bigint): Pushed {
    if (w === 64) this.code.i64(value)
    else this.code.i32(Number(BigInt.asIntN(32, BigInt(value))))
    return PUSHED
  }

  let(w: Width | 128 | 'f32' | 'f64', _value: Pushed): Local {
    const local = this.temporary(LOCAL_TYPE[w] ?? 'i64')
    this.code.set(local)
    return { local, type: w }
  }

  use(local: Local): Pushed {
    this.code.get(local.local)
    return PUSHED
  }

  binary(op: IntBinary, w: Width, _a: Pushed, _b: Pushed): Pushed {
    if (op === 'divS' || op === 'divU') return this.divide(op === 'divS', w)
    this.code.op(BINARY[op][w === 64 ? 1 : 0])
    return PUSHED
  }

  /** Arm's division does not trap: by zero gives 0, the most negative by -1 gives itself. */
  private divide(signed: boolean, w: Width): Pushed {
    const c = this.code
    const type: ValType = w === 64 ? 'i64' : 'i32'
    const b = this.temporary(type)
    const a = this.temporary(type)
    c.set(b)
    c.set(a)
    const special = (): void => {
      c.get(b)
      this.konst(w, 1)
      c.op(w === 64 ? 'i64.add' : 'i32.add')
      this.konst(w, 2)
      c.op(w === 64 ? 'i64.lt_u' : 'i32.lt_u')
    }
    if (signed) special()
    else {
      c.get(b)
      c.op(w === 64 ? 'i64.eqz' : 'i32.eqz')
    }
    c.if(type, false)
    // The divisor is 0 or -1: the quotient is 0 or -a, that is a * b either way.
    c.get(a)
    c.get(b)
    c.op(w === 64 ? 'i64.mul' : 'i32.mul')
    c.else()
    c.get(a)
    c.get(b)
    c.op(w === 64 ? (signed ? 'i64.div_s' : 'i64.div_u') : signed ? 'i32.div_s' : 'i32.div_u')
    c.end()
    return PUSHED
  }

  unary(op: IntUnary, w: Width, _a: Pushed): Pushed {
    const c = this.code
    const wide = w === 64
    switch (op) {
      case 'clz':
        c.op(wide ? 'i64.clz' : 'i32.clz')
        break
      case 'ctz':
        c.op(wide ? 'i64.ctz' : 'i32.ctz')
        break
      case 'not':
        this.konst(w, -1)
        c.op(wide ? 'i64.xor' : 'i32.xor')
        break
      case 'neg': {
        const t = this.temporary(wide ? 'i64' : 'i32')
        c.set(t)
        this.konst(w, 0)
        c.get(t)
        c.op(wide ? 'i64.sub' : 'i32.sub')
        break
      }
      case 'rbit':
        this.swapBits(w, 1)
        this.swapBits(w, 2)
        this.swapBits(w, 4)
        this.reverseBytes(w, w)
        break
      case 'rev16':
        this.reverseBytes(w, 16)
        break
      case 'rev32':
        this.reverseBytes(w, 32)
        break
      case 'rev':
        this.reverseBytes(w, w)
        break
      default:
        op satisfies never
    }
    return PUSHED
  }

  private reverseBytes(w: Width, container: 16 | 32 | 64): void {
    this.swapBits(w, 8)
    if (container >= 32) this.swapBits(w, 16)
    if (container === 64) this.swapBits(w, 32)
  }

  /** Swaps each group of `n` bits with its neighbour. */
  private swapBits(w: Width, n: number): void {
    const c = this.code
    let mask = 0n
    for (let i = 0; i < w; i += 2 * n) mask |= ((1n << BigInt(n)) - 1n) << BigInt(i)
    const t = this.temporary(w === 64 ? 'i64' : 'i32')
    c.tee(t)
    this.konst(w, n)
    this.binary('shrU', w, PUSHED, PUSHED)
    this.konst(w, mask)
    this.binary('and', w, PUSHED, PUSHED)
    c.get(t)
    this.konst(w, mask)
    this.binary('and', w, PUSHED, PUSHED)
    this.konst(w, n)
    this.binary('shl', w, PUSHED, PUSHED)
    this.binary('or', w, PUSHED, PUSHED)
  }

  compare(op: IntCompare, w: Width, _a: Pushed, _b: Pushed): Pushed {
    this.code.op(COMPARE[op][w === 64 ? 1 : 0])
    return PUSHED
  }

  isZero(w: Width, _a: Pushed): Pushed {
    this.code.op(w === 64 ? 'i64.eqz' : 'i32.eqz')
    return PUSHED
  }

  wrap(_a: Pushed): Pushed {
    this.code.op('i32.wrap_i64')
    return PUSHED
  }

  widen(signed: boolean, _a: Pushed): Pushed {
    this.code.op(signed ? 'i64.extend_i32_s' : 'i64.extend_i32_u')
    return PUSHED
  }

  signExtend(from: 8 | 16 | 32, w: Width, _a: Pushed): Pushed {
    const op = SIGN_EXTEND[from][w === 64 ? 1 : 0]
    if (op !== undefined) this.code.op(op)
    return PUSHED
  }

  select(_w: Width, _yes: Pushed, _no: Pushed, _condition: Pushed): Pushed {
    this.code.op('select')
    return PUSHED
  }

  mulHigh(signed: boolean, a: Local, b: Local): Pushed {
    // Four 32-bit products; the signed product differs by the other operand wherever one is negative.
    const c = this.code
    const t = this.temporary('i64')
    const half = (l: Local, high: boolean): void => {
      c.get(l.local)
      c.i64(high ? 32 : 0xffffffff)
      c.op(high ? 'i64.shr_u' : 'i64.and')
    }
    const product = (aHigh: boolean, bHigh: boolean): void => {
      half(a, aHigh)
      half(b, bHigh)
      c.op('i64.mul')
    }
    product(false, false)
    c.i64(32)
    c.op('i64.shr_u')
    product(true, false)
    c.op('i64.add')
    c.set(t) // a.hi * b.lo + (a.lo * b.lo >> 32): cannot overflow
    product(true, true)
    c.get(t)
    c.i64(32)
    c.op('i64.shr_u')
    c.op('i64.add')
    product(false, true)
    c.get(t)
    c.i64(0xffffffff)
    c.op('i64.and')
    c.op('i64.add')
    c.i64(32)
    c.op('i64.shr_u')
    c.op('i64.add')
    if (signed)
      for (const [sign, other] of [[a, b], [b, a]] as const) {
        c.get(sign.local)
        c.i64(63)
        c.op('i64.shr_s')
        c.get(other.local)
        c.op('i64.and')
        c.op('i64.sub')
      }
    return PUSHED
  }

  when(_condition: Pushed, then: () => void, otherwise?: () => void): void {
    this.code.if()
    then()
    if (otherwise !== undefined) {
      this.code.else()
      otherwise()
    }
    this.code.end()
  }

  // ---- memory

  /**
   * The address is on the stack; afterwards `ha` is where the bytes lie. An access hits when
   * 0 <= address - tag <= page - size, so that one compare also catches accesses across a page's end.
   */
  private translate(write: boolean, bytes: number, mode: AccessMode): void {
    const c = this.code
    c.tee(this.va)
    c.i64(8)
    c.op('i64.shr_u')
    c.op('i32.wrap_i64')
    c.i32(0xff0)
    c.op('i32.and')
    this.tlbBase(mode)
    c.op('i32.add')
    c.set(this.ha)
    c.get(this.va)
    c.get(this.ha)
    c.memory('i64.load', write ? tlb.WRITE : tlb.READ)
    c.op('i64.sub')
    c.i64(PAGE - bytes)
    c.op('i64.gt_u')
    c.if('i32', false)
    this.beforeCallOut()
    c.get(this.va)
    c.op('i32.wrap_i64')
    c.get(this.va)
    c.i64(32)
    c.op('i64.shr_u')
    c.op('i32.wrap_i64')
    c.i32(bytes | (mode === 'unprivileged' ? UNPRIVILEGED : 0))
    c.call(write ? this.ports.storeSlow : this.ports.loadSlow)
    c.tee(this.ha)
    c.op('i32.eqz')
    c.if(undefined, false)
    this.leaveOnFault()
    c.end()
    this.afterCallOut()
    c.get(this.ha)
    c.else()
    c.get(this.va)
    c.op('i32.wrap_i64')
    c.get(this.ha)
    c.memory('i32.load', (write ? tlb.WRITE : tlb.READ) + 8)
    c.op('i32.add')
    c.end()
    c.set(this.ha)
  }

  load(kind: LoadKind, w: Width, _address: Pushed, mode: AccessMode = 'normal'): Pushed {
    this.translate(false, LOAD_BYTES[kind], mode)
    this.code.get(this.ha)
    this.code.memory(LOAD[kind][w === 64 ? 1 : 0], 0)
    return PUSHED
  }

  store(bytes: AccessBytes, w: Width, _address: Pushed, value: Pushed, mode: AccessMode = 'normal'): void {
    const v = this.let(w, value)
    this.translate(true, bytes, mode)
    this.put(bytes, w, v, 0)
    this.commitStore()
  }

  private put(bytes: AccessBytes, w: Width, value: Local, offset: number): void {
    if (bytes === 16) throw new Error('a general register has no 16 bytes')
    this.code.get(this.ha)
    this.code.get(value.local)
    this.code.memory(STORE[bytes][w === 64 ? 1 : 0], offset)
  }

  loadPair(kind: LoadKind, w: Width, _address: Pushed): readonly [Local, Local] {
    const bytes = LOAD_BYTES[kind]
    this.translate(false, 2 * bytes, 'normal')
    const element = (offset: number): Local => {
      this.code.get(this.ha)
      this.code.memory(LOAD[kind][w === 64 ? 1 : 0], offset)
      return this.let(w, PUSHED)
    }
    return [element(0), element(bytes)]
  }

  storePair(bytes: AccessBytes, w: Width, _address: Pushed, _first: Pushed, second: Pushed): void {
    const b = this.let(w, second)
    const a = this.let(w, PUSHED)
    this.translate(true, 2 * bytes, 'normal')
    this.put(bytes, w, a, 0)
    this.put(bytes, w, b, bytes)
    this.commitStore()
  }

  private vectorFrom(bytes: AccessBytes, offset: number): void {
    const c = this.code
    if (bytes === 16) {
      c.get(this.ha)
      c.vectorMemory('v128.load', offset)
      return
    }
    this.vconst(0n, 0n)
    c.get(this.ha)
    c.memory(bytes === 8 ? 'i64.load' : (LOAD[`u${8 * bytes}` as 'u8' | 'u16' | 'u32'][0]), offset)
    c.vectorLane(bytes === 8 ? 'i64x2.replace_lane' : 'i32x4.replace_lane', 0)
  }

  private vectorTo(bytes: AccessBytes, value: Local, offset: number): void {
    const c = this.code
    c.get(this.ha)
    c.get(value.local)
    if (bytes === 16) c.vectorMemory('v128.store', offset)
    else {
      c.vectorLane(bytes === 8 ? 'i64x2.extract_lane' : 'i32x4.extract_lane', 0)
      c.memory(bytes === 8 ? 'i64.store' : STORE[bytes][0], offset)
    }
  }

  loadVector(bytes: AccessBytes, _address: Pushed): Pushed {
    this.translate(false, bytes, 'normal')
    this.vectorFrom(bytes, 0)
    return PUSHED
  }

  storeVector(bytes: AccessBytes, _address: Pushed, value: Pushed): void {
    const v = this.let(128, value)
    this.translate(true, bytes, 'normal')
    this.vectorTo(bytes, v, 0)
    this.commitStore()
  }

  loadVectorPair(bytes: 4 | 8 | 16, _address: Pushed): readonly [Local, Local] {
    this.translate(false, 2 * bytes, 'normal')
    this.vectorFrom(bytes, 0)
    const first = this.let(128, PUSHED)
    this.vectorFrom(bytes, bytes)
    return [first, this.let(128, PUSHED)]
  }

  storeVectorPair(bytes: 4 | 8 | 16, _address: Pushed, _first: Pushed, second: Pushed): void {
    const b = this.let(128, second)
    const a = this.let(128, PUSHED)
    this.translate(true, 2 * bytes, 'normal')
    this.vectorTo(bytes, a, 0)
    this.vectorTo(bytes, b, bytes)
    this.commitStore()
  }

  zeroBlock(_address: Pushed): void {
    const block = 64
    this.code.i64(-block)
    this.code.op('i64.and')
    this.translate(true, block, 'normal')
    for (let offset = 0; offset < block; offset += 16) {
      this.code.get(this.ha)
      this.vconst(0n, 0n)
      this.code.vectorMemory('v128.store', offset)
    }
    this.commitStore()
  }

  monitorOpen(address: Local, bytes: number): void {
    const c = this.code
    c.i32(0)
    c.get(address.local)
    c.memory('i64.store', bank.MONITOR_ADDRESS)
    c.i32(0)
    c.i32(bytes)
    c.memory('i32.store', bank.MONITOR_SIZE)
  }

  monitorHolds(address: Local, bytes: number): Pushed {
    const c = this.code
    c.i32(0)
    c.memory('i64.load', bank.MONITOR_ADDRESS)
    c.get(address.local)
    c.op('i64.eq')
    c.i32(0)
    c.memory('i32.load', bank.MONITOR_SIZE)
    c.i32(bytes)
    c.op('i32.eq')
    c.op('i32.and')
    return PUSHED
  }

  monitorClear(): void {
    this.code.i32(0)
    this.code.i32(0)
    this.code.memory('i32.store', bank.MONITOR_SIZE)
  }

  // ---- vectors

  vsetLow(bytes: 1 | 2 | 4 | 8 | 16, reg: VecOperand, value: Pushed): void {
    if (bytes < 16) {
      this.vconst((1n << BigInt(8 * bytes)) - 1n, 0n)
      this.code.vector('v128.and')
    }
    this.vset(reg, value)
  }

  vector(op: VectorOp, ..._args: readonly Pushed[]): Pushed {
    this.code.vector(op)
    return PUSHED
  }

  vconst(low: bigint, high: bigint): Pushed {
    this.code.vector('v128.const')
    for (const half of [low, high]) for (let i = 0n; i < 64n; i += 8n) this.code.byte(Number((half >> i) & 0xffn))
    return PUSHED
  }

  shuffle(indexes: readonly number[], _a: Pushed, _b: Pushed): Pushed {
    this.code.vector('i8x16.shuffle')
    for (const index of indexes) this.code.byte(index)
    return PUSHED
  }

  laneShift(op: LaneShift, _a: Pushed, _amount: Pushed): Pushed {
    this.code.vector(op)
    return PUSHED
  }

  splat(lane: LaneShape, _value: Pushed): Pushed {
    this.code.vector(`${lane}.splat`)
    return PUSHED
  }

  extractLane(lane: LaneExtract, index: number, _a: Pushed): Pushed {
    this.code.vectorLane(EXTRACT[lane], index)
    return PUSHED
  }

  replaceLane(lane: LaneShape, index: number, _a: Pushed, _value: Pushed): Pushed {
    this.code.vectorLane(`${lane}.replace_lane`, index)
    return PUSHED
  }

  hostFloat(needs: HostFloat): Pushed {
    const c = this.code
    c.i32(0)
    c.memory('i32.load', bank.FPCR)
    if (needs === 'unflushed') {
      c.i32(FPCR_FZ)
      c.op('i32.and')
      c.op('i32.eqz')
      return PUSHED
    }
    c.i32(FPCR_FZ | FPCR_RMODE)
    c.op('i32.and')
    c.i32(0)
    c.memory('i32.load', bank.FPSR)
    c.i32(FPSR_IXC)
    c.op('i32.and')
    c.op('i32.or')
    c.i32(FPSR_IXC)
    c.op('i32.eq')
    return PUSHED
  }

  doubleFromInteger(signed: boolean, _value: Pushed): Pushed {
    this.code.op(signed ? 'f64.convert_i64_s' : 'f64.convert_i64_u')
    this.code.vector('f64x2.splat')
    return PUSHED
  }

  integerFromDouble(signed: boolean, _value: Pushed): Pushed {
    this.code.vectorLane('f64x2.extract_lane', 0)
    // i64.trunc_sat_f64: 0xfc 6 and 7.
    this.code.byte(0xfc)
    this.code.unsigned(signed ? 6 : 7)
    return PUSHED
  }

  vectorBitSelect(_set: Pushed, _clear: Pushed, _mask: Pushed): Pushed {
    this.code.vector('v128.bitselect')
    return PUSHED
  }
}

const EXTRACT: Record<LaneExtract, VectorOpcode> = {
  'i8x16_s': 'i8x16.extract_lane_s', 'i8x16_u': 'i8x16.extract_lane_u', 'i16x8_s': 'i16x8.extract_lane_s',
  'i16x8_u': 'i16x8.extract_lane_u', i32x4: 'i32x4.extract_lane', i64x2: 'i64x2.extract_lane',
}

