/** Conversions by the host's: between the two sizes of floating point, and from and to integers. */
import type { GprOperand, Local, Ops, VecOperand } from '../ops.ts'
import { holds, hostShape, isNormal, magnitude, rounded, settle } from './host-lanes.ts'
import type { Bytes, HostSize, RoundOp } from './host-lanes.ts'
import { elements, lanes, zero, setHalf } from './simd-lanes.ts'

/** FCVT between single and double precision; others by the helper. */
export function convert<V>(o: Ops<V>, from: number, to: number, p: { d: VecOperand; n: VecOperand }): void {
  const helper = (): void => o.call('FCVT', 'pure', from, to, p.d, p.n)
  if (from === 2 && to === 3) {
    const result = o.let(128, o.vector('f64x2.promote_low_f32x4', o.vget(p.n)))
    settle(o, 'number', 3, 8, p.d, result, (value) => value, helper)
  } else if (from === 3 && to === 2) {
    const result = o.let(128, o.vector('f32x4.demote_f64x2_zero', o.vget(p.n)))
    settle(o, 'normal', 2, 4, p.d, result, (value) => value, helper)
  } else helper()
}

/** SCVTF, UCVTF of a general register. */
export function fromInteger<V>(
  o: Ops<V>,
  size: HostSize,
  width: 32 | 64,
  signed: boolean,
  d: VecOperand,
  n: GprOperand,
): void {
  const helper = (): void => o.call('CVTF from integer', 'pure', size, width, signed ? 1 : 0, 0, d, n)
  if (width === 32 && size === 3) {
    // Exact, always.
    return o.vsetLow(8, d, o.vector(`f64x2.convert_low_i32x4_${signed ? 's' : 'u'}`, o.splat('i32x4', o.get(32, n))))
  }
  // A 64-bit integer would be rounded twice on its way to single precision.
  if (width === 64 && size === 2) return helper()
  const noted = o.hostFloat('nearest')
  const exact = o.hostFloat('exact')
  // What is left above the digits of the format is nothing, or a sign.
  const above = o.binary(signed ? 'shrS' : 'shrU', width, o.get(width, n), o.konst(width, DIGITS[size]))
  const short = o.compare(
    'leU',
    width,
    o.binary('add', width, above, o.konst(width, signed ? 1 : 0)),
    o.konst(width, signed ? 1 : 0),
  )
  o.when(
    o.binary('or', 32, noted, o.binary('and', 32, exact, short)),
    () => {
      if (width === 64) o.vsetLow(8, d, o.doubleFromInteger(signed, o.get(64, n)))
      else o.vsetLow(4, d, o.vector(`f32x4.convert_i32x4_${signed ? 's' : 'u'}`, o.splat('i32x4', o.get(32, n))))
    },
    helper,
  )
}

/** Binary digits of a number, with the one that is not written. */
const DIGITS: Readonly<Record<HostSize, number>> = { 2: 24, 3: 53 }

/** As FPCR.RMode has them, and ties away. */
const ROUNDING: readonly RoundOp[] = ['nearest', 'ceil', 'floor', 'trunc', 'away']

/** 2 to the power of so many bits as the magnitude of an integer may have. */
const limitOf = (width: 32 | 64, signed: boolean): bigint => (1023n + BigInt(signed ? width - 1 : width)) << 52n

/** Whether whole doubles lie in the range of an integer; unsigned ones above -1, so that towards zero they are zero. */
function inRange<V>(o: Ops<V>, width: 32 | 64, signed: boolean, value: Local): V {
  const limit = limitOf(width, signed)
  const small = o.vector('f64x2.lt', signed ? magnitude(o, 3, value) : o.use(value), lanes(o, 3, limit))
  return signed ? small : o.vector('v128.and', small, o.vector('f64x2.ge', o.use(value), zero(o)))
}

/** Whether rounding leaves no trace: the numbers are integers already, or being inexact was noted before. */
function untraced<V>(o: Ops<V>, size: HostSize, bytes: Bytes, source: Local, whole: Local): V {
  const noted = o.hostFloat('nearest')
  const unflushed = o.hostFloat('unflushed')
  const same = holds(o, size, bytes, o.vector(`${hostShape(size)}.eq`, o.use(source), o.use(whole)))
  return o.binary('or', 32, noted, o.binary('and', 32, unflushed, same))
}

/** FCVTNS, FCVTZU and all between, to a general register. */
export function toInteger<V>(
  o: Ops<V>,
  size: HostSize,
  width: 32 | 64,
  signed: boolean,
  rounding: number,
  d: GprOperand,
  n: VecOperand,
): void {
  const source = o.let(128, size === 3 ? o.vget(n) : o.vector('f64x2.promote_low_f32x4', o.vget(n)))
  const value = o.let(128, rounded(o, ROUNDING[rounding] ?? 'trunc', 3, source))
  const control = untraced(o, 3, 8, source, value)
  const fits = holds(o, 3, 8, inRange(o, width, signed, value))
  const whole = (): V => o.integerFromDouble(signed, o.use(value))
  o.when(
    o.binary('and', 32, control, fits),
    () => (width === 64 ? o.set(64, d, whole()) : o.set(32, d, o.wrap(whole()))),
    () => o.call('FCVT to integer', 'pure', size, width, signed ? 1 : 0, rounding, 0, d, n),
  )
}

// ---- vectors: integers and numbers of the same size

type Two = { d: VecOperand; n: VecOperand }
const SECOND = elements(3, () => 1)
const LOWER_HALVES = elements(3, (i) => 2 * i)

/** The lower halves of two vectors. */
const joined = <V>(o: Ops<V>, low: Local, high: Local): V => o.shuffle(LOWER_HALVES, o.use(low), o.use(high))
const second = <V>(o: Ops<V>, n: Local): V => o.shuffle(SECOND, o.use(n), o.use(n))

/** SCVTF, UCVTF. */
export function vectorFromInteger<V>(o: Ops<V>, size: HostSize, bytes: Bytes, signed: boolean, p: Two): void {
  const helper = (): void => o.call('CVTF from integer (vector)', 'pure', size, bytes, signed ? 1 : 0, 0, p.d, p.n)
  const convertLanes = (): void => {
    if (size === 2) return o.vsetLow(bytes, p.d, o.vector(`f32x4.convert_i32x4_${signed ? 's' : 'u'}`, o.vget(p.n)))
    const n = o.let(128, o.vget(p.n))
    const low = o.let(128, o.doubleFromInteger(signed, o.extractLane('i64x2', 0, o.use(n))))
    if (bytes < 16) return o.vsetLow(8, p.d, o.use(low))
    const high = o.let(128, o.doubleFromInteger(signed, o.extractLane('i64x2', 1, o.use(n))))
    o.vset(p.d, joined(o, low, high))
  }
  const noted = o.hostFloat('nearest')
  const exact = o.hostFloat('exact')
  const lane = size === 3 ? 'i64x2' : 'i32x4'
  const above = o.laneShift(`${lane}.shr_${signed ? 's' : 'u'}`, o.vget(p.n), o.konst(32, DIGITS[size]))
  const rest = o.let(128, above)
  const none = o.vector(`${lane}.eq`, o.use(rest), zero(o))
  const short = signed ? o.vector('v128.or', none, o.vector(`${lane}.eq`, o.use(rest), lanes(o, size, -1n))) : none
  const fits = holds(o, size, bytes, short)
  o.when(o.binary('or', 32, noted, o.binary('and', 32, exact, fits)), convertLanes, helper)
}

/** FCVTNS, FCVTZU and all between. */
export function vectorToInteger<V>(
  o: Ops<V>,
  size: HostSize,
  bytes: Bytes,
  signed: boolean,
  rounding: number,
  p: Two,
): void {
  const helper = (): void =>
    o.call('FCVT to integer (vector)', 'pure', size, bytes, signed ? 1 : 0, rounding, 0, p.d, p.n)
  const n = o.let(128, o.vget(p.n))
  const value = o.let(128, rounded(o, ROUNDING[rounding] ?? 'trunc', size, n))
  const control = untraced(o, size, bytes, n, value)
  if (size === 3) {
    const fits = holds(o, 3, bytes, inRange(o, 64, signed, value))
    o.when(
      o.binary('and', 32, control, fits),
      () => {
        const low = o.let(128, o.splat('i64x2', o.integerFromDouble(signed, o.use(value))))
        if (bytes < 16) return o.vsetLow(8, p.d, o.use(low))
        const high = o.let(128, o.splat('i64x2', o.integerFromDouble(signed, second(o, value))))
        o.vset(p.d, joined(o, low, high))
      },
      helper,
    )
    return
  }
  const limit = (127n + (signed ? 31n : 32n)) << 23n
  const small = o.vector('f32x4.lt', signed ? magnitude(o, 2, value) : o.use(value), lanes(o, 2, limit))
  const within = signed ? small : o.vector('v128.and', small, o.vector('f32x4.ge', o.use(value), zero(o)))
  o.when(
    o.binary('and', 32, control, holds(o, 2, bytes, within)),
    () => o.vsetLow(bytes, p.d, o.vector(`i32x4.trunc_sat_f32x4_${signed ? 's' : 'u'}`, o.use(value))),
    helper,
  )
}

/** FCVTL of singles: the lower or upper two. */
export function lengthen<V>(o: Ops<V>, upper: number, p: Two): void {
  const n = o.let(128, o.vget(p.n))
  const source = upper === 1 ? second(o, n) : o.use(n)
  const result = o.let(128, o.vector('f64x2.promote_low_f32x4', source))
  settle(
    o,
    'number',
    3,
    16,
    p.d,
    result,
    (value) => value,
    () => o.call('FCVTL', 'pure', 2, upper, p.d, p.n),
  )
}

/** FCVTN of doubles, to the lower or upper half. */
export function narrow<V>(o: Ops<V>, upper: number, p: Two): void {
  const result = o.let(128, o.vector('f32x4.demote_f64x2_zero', o.vget(p.n)))
  const control = o.hostFloat('nearest')
  const fits = holds(o, 2, 8, isNormal(o, 2, result))
  o.when(
    o.binary('and', 32, control, fits),
    () => setHalf(o, upper, p.d, o.use(result)),
    () => o.call('FCVTN', 'pure', 2, 2, upper, p.d, p.n),
  )
}
