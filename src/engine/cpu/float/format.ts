/** Binary floating-point formats: taking numbers apart and putting them together (Arm ARM, shared pseudocode FPUnpack, FPRound). */
import { exception, rounding } from './context.ts'
import type { FloatContext, Rounding } from './context.ts'

export interface Format {
  readonly width: 16 | 32 | 64
  readonly exponentBits: number
  readonly fractionBits: number
  /** Exponent of the smallest normal number. */
  readonly minExponent: number
  readonly signBit: bigint
  readonly fractionMask: bigint
  /** The exponent field, all ones. */
  readonly exponentMask: bigint
  /** Biased exponent of all ones. */
  readonly maxBiased: number
  /** The bit that makes a NaN quiet. */
  readonly quietBit: bigint
}

const format = (width: 16 | 32 | 64, exponentBits: number): Format => {
  const fractionBits = width - 1 - exponentBits
  const fractionMask = (1n << BigInt(fractionBits)) - 1n
  const signBit = 1n << BigInt(width - 1)
  return {
    width,
    exponentBits,
    fractionBits,
    minExponent: 2 - 2 ** (exponentBits - 1),
    signBit,
    fractionMask,
    exponentMask: (signBit - 1n) ^ fractionMask,
    maxBiased: 2 ** exponentBits - 1,
    quietBit: 1n << BigInt(fractionBits - 1),
  }
}

export const half = format(16, 5)
export const single = format(32, 8)
export const double = format(64, 11)

export type Sign = 0 | 1
export type Kind = 'zero' | 'number' | 'infinity' | 'quiet' | 'signalling'

/** The value of a `number` is (-1)^sign * mantissa * 2^exponent, exactly. */
export interface Unpacked {
  readonly kind: Kind
  readonly sign: Sign
  readonly mantissa: bigint
  readonly exponent: number
}

export const isNaN = (u: Unpacked): boolean => u.kind === 'quiet' || u.kind === 'signalling'
export const signOf = (f: Format, bits: bigint): Sign => ((bits & f.signBit) === 0n ? 0 : 1)
export const opposite = (sign: Sign): Sign => (sign === 0 ? 1 : 0)
export const differ = (a: Sign, b: Sign): Sign => (a === b ? 0 : 1)

export const zero = (f: Format, sign: Sign): bigint => (sign === 1 ? f.signBit : 0n)
export const infinity = (f: Format, sign: Sign): bigint => zero(f, sign) | f.exponentMask
export const maxNormal = (f: Format, sign: Sign): bigint => zero(f, sign) | (f.exponentMask - 1n)
export const defaultNaN = (f: Format): bigint => f.exponentMask | f.quietBit
export const negate = (f: Format, bits: bigint): bigint => bits ^ f.signBit
export const absolute = (f: Format, bits: bigint): bigint => bits & ~f.signBit

const flushes = (f: Format, c: FloatContext): boolean => (f.width === 16 ? c.flushHalf : c.flushToZero)

/** Takes an operand apart; a denormal that FPCR flushes becomes a zero. */
export function unpack(f: Format, bits: bigint, c: FloatContext): Unpacked {
  return unpackAs(f, bits, c, flushes(f, c), false)
}

/** For conversions between formats: FZ16 does not apply, AHP does (FPUnpackCV). */
export function unpackForConversion(f: Format, bits: bigint, c: FloatContext): Unpacked {
  return unpackAs(f, bits, c, f.width !== 16 && c.flushToZero, f.width === 16 && c.alternativeHalf)
}

function unpackAs(f: Format, bits: bigint, c: FloatContext, flush: boolean, alternative: boolean): Unpacked {
  const sign = signOf(f, bits)
  const biased = Number((bits & f.exponentMask) >> BigInt(f.fractionBits))
  const fraction = bits & f.fractionMask
  if (biased === 0) {
    if (fraction === 0n) return { kind: 'zero', sign, mantissa: 0n, exponent: 0 }
    if (flush) {
      // The half precision flush does not say so in FPSR.
      if (f.width !== 16) c.flags |= exception.inputDenormal
      return { kind: 'zero', sign, mantissa: 0n, exponent: 0 }
    }
    return { kind: 'number', sign, mantissa: fraction, exponent: f.minExponent - f.fractionBits }
  }
  if (biased === f.maxBiased && !alternative) {
    const kind = fraction === 0n ? 'infinity' : (fraction & f.quietBit) !== 0n ? 'quiet' : 'signalling'
    return { kind, sign, mantissa: fraction, exponent: 0 }
  }
  const mantissa = fraction | (f.fractionMask + 1n)
  return { kind: 'number', sign, mantissa, exponent: f.minExponent - f.fractionBits + biased - 1 }
}

/** The number or NaN of half precision in single precision, which has them all; FZ16 is obeyed (FPMulAddH). */
export function halfAsSingle(bits: bigint, c: FloatContext): bigint {
  const a = unpack(half, bits, c)
  const sign = zero(single, a.sign)
  const moved = BigInt(single.fractionBits - half.fractionBits)
  if (a.kind === 'zero') return sign
  if (a.kind !== 'number') return sign | single.exponentMask | ((bits & half.fractionMask) << moved)
  const up = half.fractionBits + 1 - bitLength(a.mantissa)
  const biased = BigInt(a.exponent - up + half.fractionBits - single.minExponent + 1)
  return sign | (biased << BigInt(single.fractionBits)) | (((a.mantissa << BigInt(up)) & half.fractionMask) << moved)
}

export function bitLength(n: bigint): number {
  const hex = n.toString(16)
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex.charAt(0), 16)) - 28)
}

/** An integer and what is left of it below: less than half, half, or more. */
export interface Split {
  whole: bigint
  /** 0: exact; 1: below half; 2: half; 3: above half. */
  rest: 0 | 1 | 2 | 3
}

/** mantissa * 2^-shift, split at the point. */
export function split(mantissa: bigint, shift: number): Split {
  if (shift <= 0) return { whole: mantissa << BigInt(-shift), rest: 0 }
  const s = BigInt(shift)
  const whole = mantissa >> s
  const left = mantissa - (whole << s)
  if (left === 0n) return { whole, rest: 0 }
  const middle = 1n << (s - 1n)
  return { whole, rest: left < middle ? 1 : left === middle ? 2 : 3 }
}

/** Whether the magnitude of a split number is rounded up. */
export function roundsUp(s: Split, sign: Sign, mode: Rounding): boolean {
  switch (mode) {
    case rounding.tiesToEven:
      return s.rest === 3 || (s.rest === 2 && (s.whole & 1n) === 1n)
    case rounding.tiesAway:
      return s.rest >= 2
    case rounding.towardsPlus:
      return s.rest !== 0 && sign === 0
    case rounding.towardsMinus:
      return s.rest !== 0 && sign === 1
    case rounding.towardsZero:
      return false
    case rounding.toOdd:
      return s.rest !== 0 && (s.whole & 1n) === 0n
    default:
      return mode satisfies never
  }
}

/** Whether a number too large for its format becomes infinity in this rounding, or the largest number. */
export const overflowsToInfinity = (sign: Sign, mode: Rounding): boolean =>
  mode === rounding.tiesToEven ||
  mode === rounding.tiesAway ||
  (mode === rounding.towardsPlus && sign === 0) ||
  (mode === rounding.towardsMinus && sign === 1)

export interface RoundOptions {
  readonly mode?: Rounding
  /** A conversion between formats: FZ16 does not apply, AHP does (FPRoundCV). */
  readonly conversion?: boolean
}

/**
 * (-1)^sign * mantissa * 2^exponent as the nearest number of the format. The mantissa is not zero. An inexact
 * mantissa has its last bit set, and at least two bits more than the format.
 */
export function round(
  f: Format,
  c: FloatContext,
  sign: Sign,
  mantissa: bigint,
  exponent: number,
  options: RoundOptions = {},
): bigint {
  const mode = options.mode ?? c.rounding
  const alternative = options.conversion === true && f.width === 16 && c.alternativeHalf
  const flush = f.width === 16 && options.conversion === true ? false : flushes(f, c)
  const top = exponent + bitLength(mantissa) - 1
  if (flush && top < f.minExponent) {
    c.flags |= exception.underflow
    return zero(f, sign)
  }
  const biased = Math.max(top - f.minExponent + 1, 0)
  const unit = (biased === 0 ? f.minExponent : top) - f.fractionBits
  const parts = split(mantissa, unit - exponent)
  const inexact = parts.rest !== 0
  if (biased === 0 && inexact) c.flags |= exception.underflow
  const whole = parts.whole + (roundsUp(parts, sign, mode) ? 1n : 0n)
  // The mantissa's leading one counts the exponent up by one, and so does a carry out of it.
  const packed = (biased === 0 ? 0n : BigInt(biased - 1) << BigInt(f.fractionBits)) + whole
  if (alternative) {
    if (packed >= f.signBit) {
      c.flags |= exception.invalidOperation
      return zero(f, sign) | (f.signBit - 1n)
    }
  } else if (packed >= f.exponentMask) {
    c.flags |= exception.overflow | exception.inexact
    return overflowsToInfinity(sign, mode) ? infinity(f, sign) : maxNormal(f, sign)
  }
  if (inexact) c.flags |= exception.inexact
  return zero(f, sign) | packed
}
