/**
 * Instruction bodies written as WebAssembly, the part that is integer arithmetic. A value is on
 * WebAssembly's stack, so that an operation only adds its opcode.
 */
import type { LookupTable } from '../../../pure/arch/a64/lookup-tables.ts'
import type { IntBinary, IntCompare, IntUnary, Local, Width } from '../../../pure/arch/a64/ops.ts'
import type { Code } from '../../wasm/code.ts'
import type { Opcode, ValType } from '../../wasm/opcodes.ts'
import { entryAddress } from '../lookup-tables.ts'

/** Says that a value has been pushed; there is nothing else to hold. */
export interface Pushed {
  readonly pushed: true
}
export const PUSHED: Pushed = { pushed: true }

const BINARY: Record<Exclude<IntBinary, 'divS' | 'divU'>, readonly [Opcode, Opcode]> = {
  add: ['i32.add', 'i64.add'],
  sub: ['i32.sub', 'i64.sub'],
  mul: ['i32.mul', 'i64.mul'],
  and: ['i32.and', 'i64.and'],
  or: ['i32.or', 'i64.or'],
  xor: ['i32.xor', 'i64.xor'],
  shl: ['i32.shl', 'i64.shl'],
  shrU: ['i32.shr_u', 'i64.shr_u'],
  shrS: ['i32.shr_s', 'i64.shr_s'],
  rotr: ['i32.rotr', 'i64.rotr'],
}
const COMPARE: Record<IntCompare, readonly [Opcode, Opcode]> = {
  eq: ['i32.eq', 'i64.eq'],
  ne: ['i32.ne', 'i64.ne'],
  ltS: ['i32.lt_s', 'i64.lt_s'],
  ltU: ['i32.lt_u', 'i64.lt_u'],
  gtS: ['i32.gt_s', 'i64.gt_s'],
  gtU: ['i32.gt_u', 'i64.gt_u'],
  leS: ['i32.le_s', 'i64.le_s'],
  leU: ['i32.le_u', 'i64.le_u'],
  geS: ['i32.ge_s', 'i64.ge_s'],
  geU: ['i32.ge_u', 'i64.ge_u'],
}
const SIGN_EXTEND: Record<8 | 16 | 32, readonly [Opcode | undefined, Opcode]> = {
  8: ['i32.extend8_s', 'i64.extend8_s'],
  16: ['i32.extend16_s', 'i64.extend16_s'],
  32: [undefined, 'i64.extend32_s'],
}
const LOCAL_TYPE: Record<string, ValType> = { 32: 'i32', 64: 'i64', 128: 'v128', f32: 'f32', f64: 'f64' }

export abstract class ArithmeticOps {
  code: Code
  /** Locals by type, reused from one instruction to the next. */
  private readonly pools = new Map<ValType, { readonly locals: number[]; used: number }>()

  constructor(code: Code) {
    this.code = code
  }

  /** Starts an instruction: temporaries are free again. */
  protected begin(code: Code): void {
    if (code !== this.code) this.pools.clear()
    this.code = code
    for (const pool of this.pools.values()) pool.used = 0
  }

  protected temporary(type: ValType): number {
    let pool = this.pools.get(type)
    if (pool === undefined) this.pools.set(type, (pool = { locals: [], used: 0 }))
    const local = pool.locals[pool.used++] ?? this.code.local(type)
    if (pool.used > pool.locals.length) pool.locals.push(local)
    return local
  }

  lookUp(table: LookupTable, first: number, _index: Pushed): Pushed {
    this.code.i32(2)
    this.code.op('i32.shl')
    this.code.memory('i32.load', entryAddress(table, first))
    return PUSHED
  }

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
      for (const [sign, other] of [
        [a, b],
        [b, a],
      ] as const) {
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
}
