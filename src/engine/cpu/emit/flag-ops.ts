/** The condition flags of instruction bodies: N and V as sign bits, Z as a value that is zero when set, C as 0 or 1. */
import type { Local, SmallOperand, Width } from '../../../pure/arch/a64/ops.ts'
import { PUSHED } from './arithmetic-ops.ts'
import type { Pushed } from './arithmetic-ops.ts'
import { MemoryOps } from './memory-ops.ts'

/** `c` is a 32-bit value, the others are 64 bits wide. */
export type Flag = 'n' | 'z' | 'c' | 'v'

export abstract class FlagOps extends MemoryOps {
  /** Sets a flag to the value that `push` pushes. */
  protected abstract setFlag(flag: Flag, push: () => void): void
  protected abstract pushFlag(flag: Flag): void
  /** Pushes 16 bits, one for each value of NZCV: whether the condition of an operand holds there. */
  protected abstract pushConditionMask(code: SmallOperand): void

  private widened(w: Width, local: number): void {
    this.code.get(local)
    if (w === 32) this.code.op('i64.extend_i32_s')
  }

  private flagsOf(w: Width, result: number, carry: () => void, overflow: (() => void) | undefined): void {
    const c = this.code
    this.setFlag('n', () => this.widened(w, result))
    this.setFlag('z', () => this.widened(w, result))
    this.setFlag('c', carry)
    this.setFlag('v', () => {
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
    this.setFlag('n', sign(3))
    this.setFlag('z', () => {
      bit(2)
      c.op('i32.eqz')
      c.op('i64.extend_i32_u')
    })
    this.setFlag('c', () => bit(1))
    this.setFlag('v', sign(0))
  }

  private negative(flag: Flag): void {
    this.pushFlag(flag)
    this.code.i64(0)
    this.code.op('i64.lt_s')
  }

  carry(): Pushed {
    this.pushFlag('c')
    return PUSHED
  }

  flagsGet(): Pushed {
    const c = this.code
    const place = (shift: number): void => {
      c.i32(shift)
      c.op('i32.shl')
    }
    this.negative('n')
    place(3)
    this.pushFlag('z')
    c.op('i64.eqz')
    place(2)
    c.op('i32.or')
    this.pushFlag('c')
    place(1)
    c.op('i32.or')
    this.negative('v')
    c.op('i32.or')
    return PUSHED
  }

  condition(code: number | SmallOperand): Pushed {
    const c = this.code
    if (typeof code !== 'number') {
      this.pushConditionMask(code)
      this.flagsGet()
      c.op('i32.shr_u')
      c.i32(1)
      c.op('i32.and')
      return PUSHED
    }
    const notZero = (): void => {
      this.pushFlag('z')
      c.i64(0)
      c.op('i64.ne')
    }
    const greaterOrEqual = (): void => {
      this.pushFlag('n')
      this.pushFlag('v')
      c.op('i64.xor')
      c.i64(0)
      c.op('i64.ge_s')
    }
    switch (code >> 1) {
      case 0:
        this.pushFlag('z')
        c.op('i64.eqz')
        break
      case 1:
        this.pushFlag('c')
        break
      case 2:
        this.negative('n')
        break
      case 3:
        this.negative('v')
        break
      case 4:
        this.pushFlag('c')
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
}
