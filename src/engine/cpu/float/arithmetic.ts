/** Floating-point arithmetic, exactly and then rounded once (Arm ARM, shared/functions/float). */
import { exception, rounding } from './context.ts'
import type { FloatContext } from './context.ts'
import { bitLength, differ, infinity, isNaN, negate, opposite, round, unpack, zero } from './format.ts'
import type { Format, Sign, Unpacked } from './format.ts'
import { firstNaN, handOn, invalid } from './nan.ts'

/** A sum that is exactly zero: positive, but when rounding towards minus infinity. */
const exactZero = (f: Format, c: FloatContext): bigint => zero(f, c.rounding === rounding.towardsMinus ? 1 : 0)

const signed = (u: Unpacked): bigint => (u.sign === 1 ? -u.mantissa : u.mantissa)

/** a + b, both finite, halved `halvings` times, rounded once. */
function roundSum(f: Format, c: FloatContext, a: Unpacked, b: Unpacked, halvings = 0): bigint {
  const exponent = a.mantissa === 0n ? b.exponent : b.mantissa === 0n ? a.exponent : Math.min(a.exponent, b.exponent)
  const aligned = (u: Unpacked): bigint => (u.mantissa === 0n ? 0n : signed(u) << BigInt(u.exponent - exponent))
  const exact = aligned(a) + aligned(b)
  if (exact === 0n) return exactZero(f, c)
  return exact < 0n ? round(f, c, 1, -exact, exponent - halvings) : round(f, c, 0, exact, exponent - halvings)
}

const product = (a: Unpacked, b: Unpacked): Unpacked => {
  const mantissa = a.mantissa * b.mantissa
  return {
    kind: mantissa === 0n ? 'zero' : 'number',
    sign: differ(a.sign, b.sign),
    mantissa,
    exponent: a.exponent + b.exponent,
  }
}

function sum(f: Format, c: FloatContext, op1: bigint, op2: bigint, subtract: boolean): bigint {
  const a = unpack(f, op1, c)
  const b = unpack(f, op2, c)
  const nan = firstNaN(f, c, [
    { bits: op1, value: a },
    { bits: op2, value: b },
  ])
  if (nan !== undefined) return nan
  const second: Unpacked = subtract ? { ...b, sign: opposite(b.sign) } : b
  if (a.kind === 'infinity' || b.kind === 'infinity') {
    if (a.kind === b.kind && a.sign !== second.sign) return invalid(f, c)
    return infinity(f, a.kind === 'infinity' ? a.sign : second.sign)
  }
  if (a.kind === 'zero' && b.kind === 'zero' && a.sign === second.sign) return zero(f, a.sign)
  return roundSum(f, c, a, second)
}

export const add = (f: Format, c: FloatContext, op1: bigint, op2: bigint): bigint => sum(f, c, op1, op2, false)
export const subtract = (f: Format, c: FloatContext, op1: bigint, op2: bigint): bigint => sum(f, c, op1, op2, true)

function multiplied(
  f: Format,
  c: FloatContext,
  op1: bigint,
  op2: bigint,
  zeroByInfinity: (sign: Sign) => bigint,
): bigint {
  const a = unpack(f, op1, c)
  const b = unpack(f, op2, c)
  const nan = firstNaN(f, c, [
    { bits: op1, value: a },
    { bits: op2, value: b },
  ])
  if (nan !== undefined) return nan
  const sign = differ(a.sign, b.sign)
  if (a.kind === 'infinity' || b.kind === 'infinity')
    return a.kind === 'zero' || b.kind === 'zero' ? zeroByInfinity(sign) : infinity(f, sign)
  if (a.kind === 'zero' || b.kind === 'zero') return zero(f, sign)
  return round(f, c, sign, a.mantissa * b.mantissa, a.exponent + b.exponent)
}

export const multiply = (f: Format, c: FloatContext, op1: bigint, op2: bigint): bigint =>
  multiplied(f, c, op1, op2, () => invalid(f, c))

/** A power of two times 1 or 1.5, which every format has. */
const constant = (f: Format, sign: Sign, exponent: number, half: boolean): bigint =>
  zero(f, sign) | (BigInt(exponent - f.minExponent + 1) << BigInt(f.fractionBits)) | (half ? f.quietBit : 0n)

/** FMULX: zero times infinity is two. */
export const multiplyExtended = (f: Format, c: FloatContext, op1: bigint, op2: bigint): bigint =>
  multiplied(f, c, op1, op2, (sign) => constant(f, sign, 1, false))

export function divide(f: Format, c: FloatContext, op1: bigint, op2: bigint): bigint {
  const a = unpack(f, op1, c)
  const b = unpack(f, op2, c)
  const nan = firstNaN(f, c, [
    { bits: op1, value: a },
    { bits: op2, value: b },
  ])
  if (nan !== undefined) return nan
  const sign = differ(a.sign, b.sign)
  if (a.kind === b.kind && (a.kind === 'infinity' || a.kind === 'zero')) return invalid(f, c)
  if (a.kind === 'infinity') return infinity(f, sign)
  if (b.kind === 'zero') {
    c.flags |= exception.divideByZero
    return infinity(f, sign)
  }
  if (a.kind === 'zero' || b.kind === 'infinity') return zero(f, sign)
  const extra = f.fractionBits + 4 + bitLength(b.mantissa)
  const dividend = a.mantissa << BigInt(extra)
  const quotient = dividend / b.mantissa
  const sticky = quotient * b.mantissa === dividend ? 0n : 1n
  return round(f, c, sign, (quotient << 1n) | sticky, a.exponent - b.exponent - extra - 1)
}

function integerRoot(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(n) / 2))
  for (;;) {
    const next = (root + n / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

export function squareRoot(f: Format, c: FloatContext, op: bigint): bigint {
  const a = unpack(f, op, c)
  if (isNaN(a)) return handOn(f, c, { bits: op, value: a })
  if (a.kind === 'zero') return zero(f, a.sign)
  if (a.sign === 1) return invalid(f, c)
  if (a.kind === 'infinity') return infinity(f, 0)
  // An even exponent, and enough bits that the root has two more than the format.
  let extra = Math.max(0, 2 * (f.fractionBits + 4) - bitLength(a.mantissa))
  if ((a.exponent - extra) % 2 !== 0) extra++
  const n = a.mantissa << BigInt(extra)
  const root = integerRoot(n)
  const sticky = root * root === n ? 0n : 1n
  return round(f, c, 0, (root << 1n) | sticky, (a.exponent - extra) / 2 - 1)
}

/** addend + op1 * op2, rounded once (FPMulAdd). */
export function multiplyAdd(f: Format, c: FloatContext, addend: bigint, op1: bigint, op2: bigint): bigint {
  const z = unpack(f, addend, c)
  const a = unpack(f, op1, c)
  const b = unpack(f, op2, c)
  const zeroByInfinity = (a.kind === 'infinity' && b.kind === 'zero') || (a.kind === 'zero' && b.kind === 'infinity')
  const nan = firstNaN(f, c, [
    { bits: addend, value: z },
    { bits: op1, value: a },
    { bits: op2, value: b },
  ])
  if (z.kind === 'quiet' && zeroByInfinity) return invalid(f, c)
  if (nan !== undefined) return nan
  const sign = differ(a.sign, b.sign)
  const infiniteProduct = a.kind === 'infinity' || b.kind === 'infinity'
  if (zeroByInfinity || (z.kind === 'infinity' && infiniteProduct && z.sign !== sign)) return invalid(f, c)
  if (z.kind === 'infinity') return infinity(f, z.sign)
  if (infiniteProduct) return infinity(f, sign)
  const p = product(a, b)
  if (z.kind === 'zero' && p.kind === 'zero' && z.sign === sign) return zero(f, sign)
  return roundSum(f, c, z, p)
}

/** FRECPS: 2 - op1 * op2, rounded once. */
export const reciprocalStep = (f: Format, c: FloatContext, op1: bigint, op2: bigint): bigint =>
  step(f, c, op1, op2, { kind: 'number', sign: 0, mantissa: 2n, exponent: 0 }, 0, constant(f, 0, 1, false))

/** FRSQRTS: (3 - op1 * op2) / 2, rounded once. */
export const reciprocalRootStep = (f: Format, c: FloatContext, op1: bigint, op2: bigint): bigint =>
  step(f, c, op1, op2, { kind: 'number', sign: 0, mantissa: 3n, exponent: 0 }, 1, constant(f, 0, 0, true))

function step(
  f: Format,
  c: FloatContext,
  op1: bigint,
  op2: bigint,
  from: Unpacked,
  halvings: number,
  ofZeroByInfinity: bigint,
): bigint {
  // The first operand is negated before anything else, so that a NaN is handed on with its sign changed.
  const negated = negate(f, op1)
  const a = unpack(f, negated, c)
  const b = unpack(f, op2, c)
  const nan = firstNaN(f, c, [
    { bits: negated, value: a },
    { bits: op2, value: b },
  ])
  if (nan !== undefined) return nan
  if (a.kind === 'infinity' || b.kind === 'infinity')
    return a.kind === 'zero' || b.kind === 'zero' ? ofZeroByInfinity : infinity(f, differ(a.sign, b.sign))
  return roundSum(f, c, from, product(a, b), halvings)
}
