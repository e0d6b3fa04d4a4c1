/** What floating-point instructions read and write besides their operands (Arm ARM C5.2: FPCR, FPSR). */

/** FPCR.RMode in its encoding, and the two roundings that only instructions ask for. */
export const rounding = {
  tiesToEven: 0,
  towardsPlus: 1,
  towardsMinus: 2,
  towardsZero: 3,
  tiesAway: 4,
  toOdd: 5,
} as const
export type Rounding = (typeof rounding)[keyof typeof rounding]

const RMODE: readonly Rounding[] = [0, 1, 2, 3]

/** The cumulative exception bits of FPSR. */
export const exception = {
  invalidOperation: 1 << 0,
  divideByZero: 1 << 1,
  overflow: 1 << 2,
  underflow: 1 << 3,
  inexact: 1 << 4,
  inputDenormal: 1 << 7,
  /** Not floating point, but it lives there: cumulative saturation. */
  saturation: 1 << 27,
} as const

/** FPCR taken apart, and the exceptions that operations have raised. */
export interface FloatContext {
  rounding: Rounding
  /** FPCR.FZ: single and double precision denormals are zeros. */
  flushToZero: boolean
  /** FPCR.FZ16: the same for half precision arithmetic. */
  flushHalf: boolean
  /** FPCR.DN: a NaN result is the default NaN. */
  defaultNaN: boolean
  /** FPCR.AHP: half precision has no infinities and NaNs. */
  alternativeHalf: boolean
  /** Bits of `exception`. */
  flags: number
}

const field = { RMode: 22, FZ16: 19, FZ: 24, DN: 25, AHP: 26 } as const

export function contextOf(fpcr: number): FloatContext {
  return {
    rounding: RMODE[(fpcr >>> field.RMode) & 3] ?? rounding.tiesToEven,
    flushToZero: ((fpcr >>> field.FZ) & 1) === 1,
    flushHalf: ((fpcr >>> field.FZ16) & 1) === 1,
    defaultNaN: ((fpcr >>> field.DN) & 1) === 1,
    alternativeHalf: ((fpcr >>> field.AHP) & 1) === 1,
    flags: 0,
  }
}

/** The "standard" value of FPCR is not used in AArch64; integer-only code may use the reset value. */
export const defaultContext = (): FloatContext => contextOf(0)
