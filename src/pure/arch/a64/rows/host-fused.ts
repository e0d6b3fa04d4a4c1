/**
 * Fused multiply and add, rounded once: by the host's own where it has one, otherwise out of its sums and products
 * (Boldo and Melquiond, "Emulation of FMA").
 */
import type { Local, Ops, VecOperand } from '../ops.ts'
import { holds, isFinite, isZero, magnitude, settle, sumError } from './host-lanes.ts'
import type { Bytes, HostSize } from './host-lanes.ts'
import { lanes, zero } from './simd-lanes.ts'

/** Of a rounded sum and what it has lost, the neighbour whose last bit is set, so that a second rounding does no harm. */
function toOdd<V>(o: Ops<V>, s: Local, error: Local): V {
  const signs = o.vector('v128.xor', o.use(s), o.use(error))
  // One up in magnitude where the signs agree, else one down.
  const step = o.vector('v128.or', o.laneShift('i64x2.shr_s', signs, o.konst(32, 63)), lanes(o, 3, 1n))
  const even = o.vector('i64x2.eq', o.vector('v128.and', o.use(s), lanes(o, 3, 1n)), zero(o))
  const inexact = o.vector('v128.not', o.vector('f64x2.eq', o.use(error), zero(o)))
  const moved = o.let(128, o.vector('v128.and', o.vector('v128.and', step, even), inexact))
  return o.vector('i64x2.add', o.use(s), o.use(moved))
}

/** a * b + c of doubles, where all sizes are moderate. */
function fusedDoubles<V>(o: Ops<V>, a: Local, b: Local, c: Local): Local {
  const SPLITTER = 0x41a0000002000000n // 2^27 + 1
  const product = o.let(128, o.vector('f64x2.mul', o.use(a), o.use(b)))
  const split = (x: Local): readonly [Local, Local] => {
    const scaled = o.let(128, o.vector('f64x2.mul', o.use(x), lanes(o, 3, SPLITTER)))
    const high = o.let(128, o.vector('f64x2.sub', o.use(scaled), o.vector('f64x2.sub', o.use(scaled), o.use(x))))
    return [high, o.let(128, o.vector('f64x2.sub', o.use(x), o.use(high)))]
  }
  const [ah, al] = split(a)
  const [bh, bl] = split(b)
  const times = (x: Local, y: Local): V => o.vector('f64x2.mul', o.use(x), o.use(y))
  const low = times(al, bl)
  const r1 = o.vector('f64x2.sub', o.use(product), times(ah, bh))
  const r2 = o.vector('f64x2.sub', r1, times(al, bh))
  const productError = o.let(128, o.vector('f64x2.sub', low, o.vector('f64x2.sub', r2, times(ah, bl))))
  const add = (x: Local, y: Local): readonly [Local, Local] => {
    const s = o.let(128, o.vector('f64x2.add', o.use(x), o.use(y)))
    return [s, sumError(o, 3, x, y, s)]
  }
  const [t, tError] = add(c, productError)
  const [v, vError] = add(product, t)
  const [rest, restError] = add(tError, vError)
  const whole = o.use(v)
  return o.let(128, o.vector('f64x2.add', whole, toOdd(o, rest, restError)))
}

/** a * b + c of singles: the products are exact as doubles. Two lanes at a time, the lower ones of each. */
function fusedSingles<V>(o: Ops<V>, a: Local, b: Local, c: Local): V {
  const wide = (x: Local): Local => o.let(128, o.vector('f64x2.promote_low_f32x4', o.use(x)))
  const [x, y, z] = [wide(a), wide(b), wide(c)]
  const product = o.let(128, o.vector('f64x2.mul', o.use(x), o.use(y)))
  const s = o.let(128, o.vector('f64x2.add', o.use(product), o.use(z)))
  return o.vector('f32x4.demote_f64x2_zero', toOdd(o, s, sumError(o, 3, product, z, s)))
}

/** The bits of a double that is a power of two. */
const power = (n: bigint): bigint => (1023n + n) << 52n

/** Magnitudes from 2^-low to 2^high, or (with `orZero`) zero. */
function moderate<V>(o: Ops<V>, x: Local, low: bigint, high: bigint, orZero: boolean): V {
  const above = o.vector('f64x2.ge', magnitude(o, 3, x), lanes(o, 3, power(-low)))
  const within = o.vector('v128.and', above, o.vector('f64x2.le', magnitude(o, 3, x), lanes(o, 3, power(high))))
  return orZero ? o.vector('v128.or', within, o.vector('f64x2.eq', o.use(x), zero(o))) : within
}

const UPPER_PAIR = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]
const LOWER_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]

/** d = addend + n * m, with either negated; `push` makes the values. */
export function multiplyAdd<V>(
  o: Ops<V>,
  size: HostSize,
  bytes: Bytes,
  d: VecOperand,
  push: { readonly n: () => V; readonly m: () => V; readonly addend: () => V },
  negate: { readonly product: boolean; readonly addend: boolean },
  helper: () => void,
): void {
  const sign = 1n << BigInt((8 << size) - 1)
  const signed = (value: V, negated: boolean): Local =>
    o.let(128, negated ? o.vector('v128.xor', value, lanes(o, size, sign)) : value)
  const a = signed(push.n(), negate.product)
  const b = signed(push.m(), false)
  const c = signed(push.addend(), negate.addend)
  const keep = (value: V): V => value
  // A product that is zero because a factor is needs no more than the sum.
  const otherwise = (): void => {
    const [mul, add] = size === 3 ? (['f64x2.mul', 'f64x2.add'] as const) : (['f32x4.mul', 'f32x4.add'] as const)
    const plain = o.let(128, o.vector(add, o.vector(mul, o.use(a), o.use(b)), o.use(c)))
    const control = o.hostFloat('nearest')
    const zeroFactor = o.vector('v128.or', isZero(o, size, a), isZero(o, size, b))
    const fits = holds(o, size, bytes, o.vector('v128.and', zeroFactor, isFinite(o, size, plain)))
    o.when(o.binary('and', 32, control, fits), () => o.vsetLow(bytes, d, o.use(plain)), helper)
  }
  const own = o.hostMultiplyAdd(size === 3 ? 'f64x2' : 'f32x4', a, b, c)
  if (own !== undefined) {
    const result = o.let(128, own)
    return settle(o, 'normal', size, bytes, d, result, keep, () => {
      if (size === 3) moderateDoubles(o, bytes, d, [a, b, c], result, otherwise)
      else otherwise()
    })
  }
  if (size === 2) {
    const low = fusedSingles(o, a, b, c)
    if (bytes < 16) return settle(o, 'normal', 2, bytes, d, o.let(128, low), keep, otherwise)
    const lower = o.let(128, low)
    const upper = (x: Local): Local => o.let(128, o.shuffle(UPPER_PAIR, o.use(x), o.use(x)))
    const [p, q, r] = [upper(a), upper(b), upper(c)]
    const higher = o.let(128, fusedSingles(o, p, q, r))
    const both = o.let(128, o.shuffle(LOWER_HALVES, o.use(lower), o.use(higher)))
    return settle(o, 'normal', 2, bytes, d, both, keep, otherwise)
  }
  moderateDoubles(o, bytes, d, [a, b, c], fusedDoubles(o, a, b, c), otherwise)
}

/** The result, where the operands' sizes are such that it neither overflows nor underflows. */
function moderateDoubles<V>(
  o: Ops<V>,
  bytes: Bytes,
  d: VecOperand,
  [a, b, c]: readonly [Local, Local, Local],
  result: Local,
  otherwise: () => void,
): void {
  const control = o.hostFloat('nearest')
  const factors = o.vector('v128.and', moderate(o, a, 400n, 400n, false), moderate(o, b, 400n, 400n, false))
  // What is not zero is 2^-953 at least.
  const fits = holds(o, 3, bytes, o.vector('v128.and', factors, moderate(o, c, 900n, 900n, true)))
  o.when(o.binary('and', 32, control, fits), () => o.vsetLow(bytes, d, o.use(result)), otherwise)
}
