/** Reciprocal and reciprocal square root estimates (Arm ARM, FPRecipEstimate, FPRSqrtEstimate). */
import { LOOKUP_TABLES } from '../../../pure/arch/a64/lookup-tables.ts'
import { exception } from './context.ts'
import type { FloatContext } from './context.ts'
import { infinity, isNaN, maxNormal, overflowsToInfinity, unpack, zero } from './format.ts'
import type { Format } from './format.ts'
import { handOn, invalid } from './nan.ts'

/** Estimates of 256 to 511, for 1 to 2, of 256 <= a < 512, which stands for 0.5 to 1. */
const reciprocalTable = (a: number): number => 256 + (LOOKUP_TABLES.reciprocal[a - 256] ?? 0)
/** The same of 128 <= a < 512, which stands for 0.25 to 1. */
const reciprocalRootTable = (a: number): number =>
  256 + (LOOKUP_TABLES.reciprocalRoot[a < 256 ? 256 + 2 * (a - 128) : a - 256] ?? 0)

const EIGHT_BITS = 8n

/** Exponent and fraction of a number, the fraction brought to 52 bits; a denormal is normalised down to `lowest`. */
function normalised(f: Format, op: bigint, lowest: number): { exponent: number; fraction: bigint } {
  let fraction = (op & f.fractionMask) << BigInt(52 - f.fractionBits)
  let exponent = Number((op & f.exponentMask) >> BigInt(f.fractionBits))
  if (exponent !== 0) return { exponent, fraction }
  const one = 1n << 52n
  exponent = 1
  while ((fraction & one) === 0n && exponent > lowest) {
    fraction <<= 1n
    exponent--
  }
  return { exponent, fraction: fraction & (one - 1n) }
}

const assemble = (f: Format, bits: bigint, exponent: number, fraction52: bigint): bigint =>
  (bits & f.signBit) | (BigInt(exponent) << BigInt(f.fractionBits)) | (fraction52 >> BigInt(52 - f.fractionBits))

/** FRECPE */
export function reciprocalEstimate(f: Format, c: FloatContext, op: bigint): bigint {
  const a = unpack(f, op, c)
  if (isNaN(a)) return handOn(f, c, { bits: op, value: a })
  if (a.kind === 'infinity') return zero(f, a.sign)
  if (a.kind === 'zero') {
    c.flags |= exception.divideByZero
    return infinity(f, a.sign)
  }
  const magnitude = op & ~f.signBit
  // Below 2^(min - 2) the reciprocal overflows; above 2^(-min) it is denormal.
  if (magnitude < 1n << BigInt(f.fractionBits - 2)) {
    c.flags |= exception.overflow | exception.inexact
    return overflowsToInfinity(a.sign, c.rounding) ? infinity(f, a.sign) : maxNormal(f, a.sign)
  }
  const flush = f.width === 16 ? c.flushHalf : c.flushToZero
  const biased = Number(magnitude >> BigInt(f.fractionBits))
  if (flush && biased >= f.maxBiased - 2) {
    c.flags |= exception.underflow
    return zero(f, a.sign)
  }
  const { exponent, fraction } = normalised(f, op, -1)
  const estimate = reciprocalTable(256 + Number(fraction >> 44n))
  // 253 - exp for single precision, and likewise.
  let resultExponent = f.maxBiased - 2 - exponent
  let result = BigInt(estimate & 0xff) << (52n - EIGHT_BITS)
  const implicit = 1n << 52n
  if (resultExponent === 0) result = (implicit | result) >> 1n
  else if (resultExponent === -1) {
    result = (implicit | result) >> 2n
    resultExponent = 0
  }
  return assemble(f, op, resultExponent, result)
}

/** FRSQRTE */
export function reciprocalRootEstimate(f: Format, c: FloatContext, op: bigint): bigint {
  const a = unpack(f, op, c)
  if (isNaN(a)) return handOn(f, c, { bits: op, value: a })
  if (a.kind === 'zero') {
    c.flags |= exception.divideByZero
    return infinity(f, a.sign)
  }
  if (a.sign === 1) return invalid(f, c)
  if (a.kind === 'infinity') return zero(f, 0)
  const { exponent, fraction } = normalised(f, op, Number.NEGATIVE_INFINITY)
  const even = exponent % 2 === 0
  const scaled = even ? 256 + Number(fraction >> 44n) : 128 + Number(fraction >> 45n)
  // (380 - exp) DIV 2 for single precision, and likewise.
  const resultExponent = Math.floor((3 * ((f.maxBiased - 1) / 2) - 1 - exponent) / 2)
  return assemble(f, 0n, resultExponent, BigInt(reciprocalRootTable(scaled) & 0xff) << (52n - EIGHT_BITS))
}

/** FRECPX: an exponent of about the opposite size, for square roots and divisions out of range. */
export function reciprocalExponent(f: Format, c: FloatContext, op: bigint): bigint {
  const a = unpack(f, op, c)
  if (isNaN(a)) return handOn(f, c, { bits: op, value: a })
  const sign = op & f.signBit
  const exponent = op & f.exponentMask
  if (exponent === 0n) return sign | (BigInt(f.maxBiased - 1) << BigInt(f.fractionBits))
  return sign | (exponent ^ f.exponentMask)
}

/** URECPE: the operand is 0.5 to 1 in 32 fraction bits, the result 1 to 2 in 31. */
export const unsignedReciprocalEstimate = (op: bigint): bigint =>
  op >> 31n === 0n ? 0xffffffffn : BigInt(reciprocalTable(Number(op >> 23n))) << 23n

/** URSQRTE */
export const unsignedReciprocalRootEstimate = (op: bigint): bigint =>
  op >> 30n === 0n ? 0xffffffffn : BigInt(reciprocalRootTable(Number(op >> 23n))) << 23n
