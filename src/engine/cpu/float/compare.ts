/** Comparisons, minimum and maximum (Arm ARM, FPCompare, FPMax, FPMaxNum and their relatives). */
import { exception } from './context.ts'
import type { FloatContext } from './context.ts'
import { infinity, isNaN, round, unpack, zero } from './format.ts'
import type { Format, Unpacked } from './format.ts'
import { firstNaN } from './nan.ts'

export type Order = 'less' | 'equal' | 'greater' | 'unordered'

/** NZCV after a comparison. */
export const NZCV: Readonly<Record<Order, number>> = { less: 0b1000, equal: 0b0110, greater: 0b0010, unordered: 0b0011 }

const rank = (u: Unpacked): number => (u.kind === 'zero' ? 0 : u.kind === 'number' ? 1 : 2)

function magnitudeOrder(a: Unpacked, b: Unpacked): number {
  if (rank(a) !== rank(b) || rank(a) !== 1) return Math.sign(rank(a) - rank(b))
  const exponent = Math.min(a.exponent, b.exponent)
  const x = a.mantissa << BigInt(a.exponent - exponent)
  const y = b.mantissa << BigInt(b.exponent - exponent)
  return x < y ? -1 : x > y ? 1 : 0
}

/** -1, 0 or 1 of two values that are not NaNs; zeros are equal. */
function valueOrder(a: Unpacked, b: Unpacked): number {
  if (a.kind === 'zero' && b.kind === 'zero') return 0
  if (a.sign !== b.sign) return a.sign === 1 ? -1 : 1
  return a.sign === 1 ? magnitudeOrder(b, a) : magnitudeOrder(a, b)
}

/** `signalling`: a quiet NaN is an invalid operation too. */
export function compare(f: Format, c: FloatContext, op1: bigint, op2: bigint, signalling: boolean): Order {
  const a = unpack(f, op1, c)
  const b = unpack(f, op2, c)
  if (isNaN(a) || isNaN(b)) {
    if (signalling || a.kind === 'signalling' || b.kind === 'signalling') c.flags |= exception.invalidOperation
    return 'unordered'
  }
  const order = valueOrder(a, b)
  return order < 0 ? 'less' : order > 0 ? 'greater' : 'equal'
}

function extreme(f: Format, c: FloatContext, op1: bigint, op2: bigint, largest: boolean): bigint {
  const a = unpack(f, op1, c)
  const b = unpack(f, op2, c)
  const nan = firstNaN(f, c, [
    { bits: op1, value: a },
    { bits: op2, value: b },
  ])
  if (nan !== undefined) return nan
  const order = valueOrder(a, b)
  const chosen = (largest ? order > 0 : order < 0) ? a : b
  if (chosen.kind === 'infinity') return infinity(f, chosen.sign)
  if (chosen.kind === 'number') return round(f, c, chosen.sign, chosen.mantissa, chosen.exponent)
  // Of two zeros the maximum is +0 unless both are -0, the minimum -0 unless both are +0.
  if (a.kind !== 'zero' || b.kind !== 'zero') return zero(f, chosen.sign)
  const both = a.sign === b.sign
  return zero(f, both ? a.sign : largest ? 0 : 1)
}

export const maximum = (f: Format, c: FloatContext, a: bigint, b: bigint): bigint => extreme(f, c, a, b, true)
export const minimum = (f: Format, c: FloatContext, a: bigint, b: bigint): bigint => extreme(f, c, a, b, false)

/** IEEE 754-2008 maxNum, minNum: a quiet NaN gives way to a number. */
function extremeNumber(f: Format, c: FloatContext, op1: bigint, op2: bigint, largest: boolean): bigint {
  // Only the kinds are of interest: a denormal input is reported by `extreme`.
  const probe: FloatContext = { ...c, flags: 0 }
  const quiet1 = unpack(f, op1, probe).kind === 'quiet'
  const quiet2 = unpack(f, op2, probe).kind === 'quiet'
  const neutral = infinity(f, largest ? 1 : 0)
  if (quiet1 && !quiet2) return extreme(f, c, neutral, op2, largest)
  if (quiet2 && !quiet1) return extreme(f, c, op1, neutral, largest)
  return extreme(f, c, op1, op2, largest)
}

export const maximumNumber = (f: Format, c: FloatContext, a: bigint, b: bigint): bigint =>
  extremeNumber(f, c, a, b, true)
export const minimumNumber = (f: Format, c: FloatContext, a: bigint, b: bigint): bigint =>
  extremeNumber(f, c, a, b, false)
