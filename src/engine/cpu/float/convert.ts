/** Conversions between formats and integers (Arm ARM, FPConvert, FPToFixed, FixedToFP, FPRoundInt). */
import { exception, rounding } from './context.ts'
import type { FloatContext, Rounding } from './context.ts'
import {
  defaultNaN,
  double,
  infinity,
  isNaN,
  round,
  roundsUp,
  split,
  unpack,
  unpackForConversion,
  zero,
} from './format.ts'
import type { Format } from './format.ts'
import { handOn } from './nan.ts'

/** FCVT between half, single and double precision; FCVTXN rounds to odd. */
export function convert(from: Format, to: Format, c: FloatContext, op: bigint, mode?: Rounding): bigint {
  const a = unpackForConversion(from, op, c)
  const alternative = to.width === 16 && c.alternativeHalf
  switch (a.kind) {
    case 'quiet':
    case 'signalling':
      if (a.kind === 'signalling' || alternative) c.flags |= exception.invalidOperation
      if (alternative) return zero(to, a.sign)
      if (c.defaultNaN) return defaultNaN(to)
      // The fraction keeps its most significant bits.
      return infinity(to, a.sign) | to.quietBit | shift(a.mantissa, to.fractionBits - from.fractionBits)
    case 'infinity':
      if (!alternative) return infinity(to, a.sign)
      c.flags |= exception.invalidOperation
      return zero(to, a.sign) | (to.signBit - 1n)
    case 'zero':
      return zero(to, a.sign)
    case 'number':
      return round(to, c, a.sign, a.mantissa, a.exponent, { conversion: true, ...(mode === undefined ? {} : { mode }) })
    default:
      return a.kind satisfies never
  }
}

const shift = (n: bigint, left: number): bigint => (left >= 0 ? n << BigInt(left) : n >> BigInt(-left))

export interface FixedPoint {
  readonly width: 16 | 32 | 64
  readonly signed: boolean
  readonly fractionBits: number
}

/** To a fixed-point number or integer, saturating; the bits of the result. */
export function toFixed(f: Format, c: FloatContext, op: bigint, to: FixedPoint, mode: Rounding): bigint {
  const a = unpack(f, op, c)
  const low = to.signed ? -(1n << BigInt(to.width - 1)) : 0n
  const high = to.signed ? (1n << BigInt(to.width - 1)) - 1n : (1n << BigInt(to.width)) - 1n
  const invalid = (value: bigint): bigint => {
    c.flags |= exception.invalidOperation
    return BigInt.asUintN(to.width, value)
  }
  if (isNaN(a)) return invalid(0n)
  if (a.kind === 'zero') return 0n
  if (a.kind === 'infinity') return invalid(a.sign === 1 ? low : high)
  const parts = split(a.mantissa, -(a.exponent + to.fractionBits))
  const magnitude = parts.whole + (roundsUp(parts, a.sign, mode) ? 1n : 0n)
  const value = a.sign === 1 ? -magnitude : magnitude
  if (value < low) return invalid(low)
  if (value > high) return invalid(high)
  if (parts.rest !== 0) c.flags |= exception.inexact
  return BigInt.asUintN(to.width, value)
}

/** From a fixed-point number or integer, of which `op` has the bits. */
export function fromFixed(f: Format, c: FloatContext, op: bigint, from: FixedPoint): bigint {
  const value = from.signed ? BigInt.asIntN(from.width, op) : BigInt.asUintN(from.width, op)
  if (value === 0n) return 0n
  return value < 0n ? round(f, c, 1, -value, -from.fractionBits) : round(f, c, 0, value, -from.fractionBits)
}

/** FJCVTZS: to 32 bits modulo 2^32, as ECMAScript does it; and whether that changed nothing, not even the sign of zero. */
export function toFixedJs(c: FloatContext, op: bigint): { readonly value: number; readonly exact: boolean } {
  const a = unpack(double, op, c)
  if (isNaN(a) || a.kind === 'infinity') {
    c.flags |= exception.invalidOperation
    return { value: 0, exact: false }
  }
  if (a.kind === 'zero') return { value: 0, exact: op === 0n }
  const parts = split(a.mantissa, -a.exponent)
  const whole = a.sign === 1 ? -parts.whole : parts.whole
  const value = Number(BigInt.asIntN(32, whole))
  if (BigInt(value) !== whole) c.flags |= exception.invalidOperation
  else if (parts.rest !== 0) c.flags |= exception.inexact
  return { value, exact: BigInt(value) === whole && parts.rest === 0 }
}

/** FRINT32*, FRINT64*: the nearest integer of so many bits, in the same format; the most negative one where there is none. */
export function roundToInteger(f: Format, c: FloatContext, op: bigint, mode: Rounding, bits: 32 | 64): bigint {
  const a = unpack(f, op, c)
  const limit = 1n << BigInt(bits - 1)
  const invalid = (): bigint => {
    c.flags |= exception.invalidOperation
    return round(f, c, 1, limit, 0, { mode: rounding.towardsZero })
  }
  if (isNaN(a) || a.kind === 'infinity') return invalid()
  if (a.kind === 'zero') return zero(f, a.sign)
  const parts = split(a.mantissa, -a.exponent)
  const whole = parts.whole + (roundsUp(parts, a.sign, mode) ? 1n : 0n)
  if (whole > limit || (whole === limit && a.sign === 0)) return invalid()
  if (parts.rest !== 0) c.flags |= exception.inexact
  return whole === 0n ? zero(f, a.sign) : round(f, c, a.sign, whole, 0, { mode: rounding.towardsZero })
}

/** FRINT*: the nearest integer, in the same format; `exact` reports a change as inexact (FRINTX). */
export function roundToIntegral(f: Format, c: FloatContext, op: bigint, mode: Rounding, exact: boolean): bigint {
  const a = unpack(f, op, c)
  if (isNaN(a)) return handOn(f, c, { bits: op, value: a })
  if (a.kind === 'infinity') return infinity(f, a.sign)
  if (a.kind === 'zero') return zero(f, a.sign)
  const parts = split(a.mantissa, -a.exponent)
  const whole = parts.whole + (roundsUp(parts, a.sign, mode) ? 1n : 0n)
  if (exact && parts.rest !== 0) c.flags |= exception.inexact
  return whole === 0n ? zero(f, a.sign) : round(f, c, a.sign, whole, 0, { mode: rounding.towardsZero })
}
