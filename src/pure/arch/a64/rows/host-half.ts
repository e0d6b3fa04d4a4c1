/**
 * Half precision by the host's single precision: 24 bits are twice 11 and two more, so that a sum, product, quotient or root that is
 * rounded to them first comes to the same half (Figueroa, "When is double rounding innocuous?"). Taken are zeros and normal numbers
 * that come of finite ones; the rest is the helpers'.
 */
import type { Local, Ops, VecOperand } from '../ops.ts'
import { BINARY, finishing } from './host-float.ts'
import { holds, magnitude } from './host-lanes.ts'
import { lanes, zero } from './simd-lanes.ts'

/** Bytes of an instruction's operands: a scalar, or a vector. */
type HalfBytes = 2 | 8 | 16

const SINGLE = 2
/** Bits of a single's fraction that a half has not. */
const SHORTER = 13
const SIGN = 0x8000n
/** What the exponents of the same number differ by as they are biased. */
const BIAS = 112n
/** Of singles: 2^112; the smallest normal half; what is rounded to infinity; and what an exponent of all ones would be. */
const POWER_112 = 0x7780_0000n
const SMALLEST_NORMAL = 0x3880_0000n
const OVERFLOW = 0x477f_f000n
const NOT_FINITE = 0x4780_0000n

type Part = 'low' | 'high'

/** Four halves as singles; infinity and NaNs become numbers from 65536 on. */
function widened<V>(o: Ops<V>, part: Part, n: Local): Local {
  const half = o.let(128, o.vector(`i32x4.extend_${part}_i16x8_u`, o.use(n)))
  const rest = o.vector('v128.and', o.use(half), lanes(o, SINGLE, SIGN - 1n))
  const scaled = o.laneShift('i32x4.shl', rest, o.konst(32, SHORTER))
  const size = o.vector('f32x4.mul', scaled, lanes(o, SINGLE, POWER_112))
  const sign = o.vector('v128.and', o.use(half), lanes(o, SINGLE, SIGN))
  return o.let(128, o.vector('v128.or', size, o.laneShift('i32x4.shl', sign, o.konst(32, 16))))
}

/** Singles that are zero or normal halves, rounded to nearest: 16 bits in each lane of 32. */
function narrowed<V>(o: Ops<V>, r: Local): V {
  const size = o.let(128, magnitude(o, SINGLE, r))
  const last = o.laneShift('i32x4.shr_u', o.use(size), o.konst(32, SHORTER))
  const tie = o.vector('v128.and', last, lanes(o, SINGLE, 1n))
  const up = o.vector('i32x4.add', tie, lanes(o, SINGLE, (1n << BigInt(SHORTER - 1)) - 1n))
  const rounded = o.laneShift('i32x4.shr_u', o.vector('i32x4.add', up, o.use(size)), o.konst(32, SHORTER))
  const number = o.vector('i32x4.sub', rounded, lanes(o, SINGLE, BIAS << 10n))
  const kept = o.vector('v128.and', number, o.vector('i32x4.ne', o.use(size), zero(o)))
  const sign = o.laneShift('i32x4.shr_u', o.use(r), o.konst(32, 16))
  return o.vector('v128.or', kept, o.vector('v128.and', sign, lanes(o, SINGLE, SIGN)))
}

/** Whether operands are finite, and the result a zero or a normal half. */
function fits<V>(o: Ops<V>, operands: readonly Local[], r: Local): V {
  const size = o.let(128, magnitude(o, SINGLE, r))
  const large = o.vector('f32x4.ge', o.use(size), lanes(o, SINGLE, SMALLEST_NORMAL))
  const above = o.vector('v128.or', large, o.vector('f32x4.eq', o.use(size), zero(o)))
  let all = o.vector('v128.and', above, o.vector('f32x4.lt', o.use(size), lanes(o, SINGLE, OVERFLOW)))
  for (const n of operands)
    all = o.vector('v128.and', all, o.vector('f32x4.lt', magnitude(o, SINGLE, n), lanes(o, SINGLE, NOT_FINITE)))
  return all
}

/** An instruction of one or two operands, named as its helper. */
export function halfPrecision<V>(
  o: Ops<V>,
  name: string,
  bytes: HalfBytes,
  d: VecOperand,
  operands: readonly VecOperand[],
): void {
  const helper = (): void => o.call(name, 'pure', 1, bytes, d, ...operands)
  const [operation, , finish] = name === 'FSQRT' ? (['sqrt'] as const) : (BINARY[name] ?? [])
  if (operation === undefined) return helper()
  const finished = finishing(o, SINGLE, finish)
  const given = operands.map((operand) => o.let(128, o.vget(operand)))
  const parts = (bytes === 16 ? (['low', 'high'] as const) : (['low'] as const)).map((part) => {
    const from = given.map((operand) => widened(o, part, operand))
    const result = o.let(128, finished(o.vector(`f32x4.${operation}`, ...from.map((operand) => o.use(operand)))))
    return { from, result }
  })
  let all = o.hostFloat('nearest')
  for (const { from, result } of parts)
    all = o.binary('and', 32, all, holds(o, SINGLE, bytes === 2 ? 4 : 16, fits(o, from, result)))
  o.when(
    all,
    () => {
      const [low, high] = parts.map(({ result }) => narrowed(o, result))
      if (low !== undefined) o.vsetLow(bytes, d, o.vector('i16x8.narrow_i32x4_u', low, high ?? zero(o)))
    },
    helper,
  )
}
