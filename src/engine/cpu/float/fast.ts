/**
 * The short way for floating-point instructions: host arithmetic, where it gives Arm's result and Arm's flags.
 * That is so when rounding is to nearest, operands and result are normal numbers or zeros, and the result is
 * exact or FPSR.IXC is set already, so that being inexact leaves no trace. Everything else is declined.
 */
import { bank } from '../layout.ts'
import type { Registers } from '../state.ts'
import { exception } from './context.ts'

/** Does an instruction and answers true, or changes nothing and answers false. */
export type FastPath = (...args: number[]) => boolean

const RMODE = 3 << 22
const FZ = 1 << 24

/** FPCR.FZ16 */
const FZ16 = 1 << 19

/** A format whose numbers the host's doubles hold. */
interface Narrow {
  /** The nearest number of the format, were its exponents without end. */
  readonly round: (a: number) => number
  /** The smallest normal number. */
  readonly least: number
  /** Numbers below this in magnitude are finite. */
  readonly limit: number
}

const view = new DataView(new ArrayBuffer(8))

/** To the eleven digits of half precision: a sum whose last digit is the one wanted is rounded by the host. */
function roundedToHalf(a: number): number {
  view.setFloat64(0, a)
  const exponent = ((view.getUint16(0) >> 4) & 0x7ff) - 1023
  const shifter = 1.5 * 2 ** (exponent - 10 + 52)
  return a + shifter - shifter
}

const double: Narrow = { round: (a) => a, least: 2 ** -1022, limit: Infinity }
/** By log2 of the bytes. */
const FORMATS: Readonly<Record<number, Narrow>> = {
  1: { round: roundedToHalf, least: 2 ** -14, limit: 2 ** 16 },
  2: { round: Math.fround, least: 2 ** -126, limit: Infinity },
  3: double,
}
const formatOf = (size: number): Narrow => FORMATS[size] ?? double

function halfValue(bits: number): number {
  const magnitude = bits & 0x7fff
  if (magnitude > 0x7c00) return Number.NaN
  const sign = bits < 0x8000 ? 1 : -1
  if (magnitude === 0x7c00) return sign * Infinity
  const [fraction, exponent] = [magnitude & 0x3ff, magnitude >> 10]
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (fraction | 0x400) * 2 ** (exponent - 25))
}

/** The bits of a normal half, or of a zero. */
function halfBits(value: number): number {
  view.setFloat32(0, value)
  const single = view.getUint32(0)
  const sign = (single >>> 16) & 0x8000
  return value === 0 ? sign : sign | (((single >>> 13) - (112 << 10)) & 0x7fff)
}

/** What an operation gives that only the exact arithmetic can do: a NaN, which no fast result is. */
const DECLINED = Number.NaN

/** The double beside s whose last bit is set, when s is the rounded value of something that differs by `error`. */
function toOdd(s: number, error: number): number {
  if (error === 0) return s
  view.setFloat64(0, s)
  const low = view.getUint32(4)
  if ((low & 1) === 1) return s
  // Rounded down in magnitude: the odd neighbour is above; rounded up: below.
  if (error > 0 === s > 0) view.setUint32(4, low | 1)
  else if (low === 0) {
    view.setUint32(4, 0xffffffff)
    view.setUint32(0, view.getUint32(0) - 1)
  } else view.setUint32(4, low - 1)
  return view.getFloat64(0)
}

/** a + b - s exactly, s being their rounded sum (Knuth's TwoSum). */
function sumError(a: number, b: number, s: number): number {
  const bb = s - a
  return a - (s - bb) + (b - bb)
}

const SPLITTER = 2 ** 27 + 1
/** a * b - p exactly (Dekker), where nothing overflows or becomes denormal. */
function productError(a: number, b: number, p: number): number {
  const ca = SPLITTER * a
  const ah = ca - (ca - a)
  const al = a - ah
  const cb = SPLITTER * b
  const bh = cb - (cb - b)
  const bl = b - bh
  return al * bl - (p - ah * bh - al * bh - ah * bl)
}

const whole = (a: number): boolean => Number.isInteger(a) && Math.abs(a) <= 2 ** 53

/** What the host's operations need to know. */
interface Mode {
  /** Inexact results need not be noted. */
  inexact: boolean
}

type Unary = (a: number, f: Narrow, mode: Mode) => number
type Binary = (a: number, b: number, f: Narrow, mode: Mode) => number

function rounded(exactly: number, f: Narrow, mode: Mode, exact: () => boolean, zeroAllowed: boolean): number {
  const r = exactly === 0 ? exactly : f.round(exactly)
  const magnitude = Math.abs(r)
  if (r === 0) {
    if (!zeroAllowed) return DECLINED
  } else if (!(magnitude > f.least && magnitude < f.limit)) return DECLINED
  if (!mode.inexact && !(r === exactly && exact())) return DECLINED
  return r
}

const add: Binary = (a, b, f, mode) => {
  const s = a + b
  return rounded(s, f, mode, () => sumError(a, b, s) === 0, true)
}
const subtract: Binary = (a, b, f, mode) => add(a, -b, f, mode)
const multiply: Binary = (a, b, f, mode) => {
  const p = a * b
  return rounded(p, f, mode, () => f !== double || (whole(a) && whole(b) && whole(p)), a === 0 || b === 0)
}
const divide: Binary = (a, b, f, mode) => {
  const q = a / b
  return rounded(q, f, mode, () => whole(a) && whole(b) && whole(q) && q * b === a, a === 0)
}
const squareRoot: Unary = (a, f, mode) => {
  if (a < 0) return DECLINED
  const r = Math.sqrt(a)
  return rounded(r, f, mode, () => Number.isInteger(r) && r < 2 ** 26 && r * r === a, a === 0)
}

/** c + a * b, rounded once: exact sums of halves, rounded to odd before the last rounding (Boldo and Melquiond). */
function multiplyAdd(c: number, a: number, b: number, f: Narrow, mode: Mode): number {
  const p = a * b
  if (p === 0 && (a === 0 || b === 0)) return rounded(p + c, f, mode, () => true, true)
  if (f !== double) {
    // The product of two singles is exact.
    const s = p + c
    const error = sumError(p, c, s)
    return rounded(toOdd(s, error), f, mode, () => error === 0, s === 0)
  }
  const [x, y, z] = [Math.abs(a), Math.abs(b), Math.abs(c)]
  if (x < 2 ** -400 || x > 2 ** 400 || y < 2 ** -400 || y > 2 ** 400 || z > 2 ** 900 || (z !== 0 && z < 2 ** -900))
    return DECLINED
  const low = productError(a, b, p)
  const t = c + low
  const tError = sumError(c, low, t)
  const v = p + t
  const vError = sumError(p, t, v)
  const rest = tError + vError
  const odd = toOdd(rest, sumError(tError, vError, rest))
  return rounded(v + odd, f, mode, () => odd === 0, v === 0 && odd === 0)
}

const BINARY: Readonly<Record<string, Binary>> = {
  FADD: add,
  FSUB: subtract,
  FMUL: multiply,
  FMULX: multiply,
  FDIV: divide,
  FNMUL: (a, b, f, mode) => -multiply(a, b, f, mode),
  FABD: (a, b, f, mode) => Math.abs(subtract(a, b, f, mode)),
  FMAX: (a, b) => Math.max(a, b),
  FMIN: (a, b) => Math.min(a, b),
  FMAXNM: (a, b) => Math.max(a, b),
  FMINNM: (a, b) => Math.min(a, b),
}

/** 2 - a b, and (3 - a b) / 2, whose halving is exact for all that is not near the smallest numbers. */
const STEP: Readonly<Record<string, Binary>> = {
  FRECPS: (a, b, f, mode) => multiplyAdd(2, -a, b, f, mode),
  FRSQRTS: (a, b, f, mode) => {
    const half = multiplyAdd(3, -a, b, f, mode) / 2
    return half !== 0 && Math.abs(half) <= f.least ? DECLINED : half
  },
}

/** To the nearest integer, ties to even. The sign of a zero is that of the operand. */
function nearest(a: number): number {
  if (Math.abs(a) >= 2 ** 52) return a
  const r = a < 0 ? a - 2 ** 52 + 2 ** 52 : a + 2 ** 52 - 2 ** 52
  return r === 0 && (a < 0 || Object.is(a, -0)) ? -0 : r
}

const UNARY: Readonly<Record<string, Unary>> = {
  FSQRT: squareRoot,
  FRINTN: nearest,
  FRINTP: Math.ceil,
  FRINTM: Math.floor,
  FRINTZ: Math.trunc,
  FRINTI: nearest,
}
const MULTIPLY_ADD: Readonly<Record<string, readonly [negateProduct: boolean, negateAddend: boolean]>> = {
  FMADD: [false, false],
  FMSUB: [true, false],
  FNMADD: [true, true],
  FNMSUB: [false, true],
}

/** By FPCR.RMode's encoding; ties away are left to the exact arithmetic. */
const TO_INTEGER: readonly ((a: number) => number)[] = [nearest, Math.ceil, Math.floor, Math.trunc]

export interface FastPaths {
  readonly paths: Readonly<Record<string, FastPath>>
  /** NZCV of a comparison, or -1. */
  compare(size: number, n: number, m: number | undefined): number
}

/** Not a NaN, an infinity or a denormal. */
const normal = (a: number, f: Narrow): boolean => {
  const magnitude = Math.abs(a)
  return a === 0 || (magnitude >= f.least && magnitude < f.limit)
}

export function fastPaths(registers: Registers): FastPaths {
  const buffer = registers.u64.buffer
  const u16 = new Uint16Array(buffer)
  const f32 = new Float32Array(buffer)
  const f64 = new Float64Array(buffer)
  const words = registers.i32
  const mode: Mode = { inexact: false }
  const results = Array<number>(8).fill(0)

  /** Whether the host rounds as FPCR says; sets `mode`. */
  const ready = (): boolean => {
    mode.inexact = ((words[bank.FPSR >>> 2] ?? 0) & exception.inexact) !== 0
    return ((words[bank.FPCR >>> 2] ?? 0) & RMODE) === 0
  }
  const flushes = (size: number): boolean => ((words[bank.FPCR >>> 2] ?? 0) & (size === 1 ? FZ16 : FZ)) !== 0
  const read = (size: number, at: number, lane: number): number => {
    if (size === 1) return halfValue(u16[(at >>> 1) + lane] ?? 0)
    return size === 2 ? (f32[(at >>> 2) + lane] ?? 0) : (f64[(at >>> 3) + lane] ?? 0)
  }
  /** The first `count` results, the rest of the register cleared. */
  const write = (size: number, at: number, count: number): void => {
    const lanes = 16 >> size
    for (let i = 0; i < lanes; i++) {
      const value = i < count ? (results[i] ?? 0) : 0
      if (size === 1) u16[(at >>> 1) + i] = halfBits(value)
      else if (size === 2) f32[(at >>> 2) + i] = value
      else f64[(at >>> 3) + i] = value
    }
  }

  const paths: Record<string, FastPath> = {}
  const elementwise = (op: (a: number, b: number, old: number, f: Narrow) => number, indexed: boolean): FastPath => {
    return (size = 0, bytes = 0, d = 0, n = 0, m = 0, index = 0) => {
      if (!ready()) return false
      const f = formatOf(size)
      const count = bytes >> size
      for (let i = 0; i < count; i++) {
        const a = read(size, n, i)
        const b = read(size, m, indexed ? index : i)
        if (!normal(a, f) || !normal(b, f)) return false
        const r = op(a, b, read(size, d, i), f)
        if (r !== r) return false
        results[i] = r
      }
      write(size, d, count)
      return true
    }
  }
  const both = (name: string, op: (a: number, b: number, old: number, f: Narrow) => number): void => {
    paths[name] = elementwise(op, false)
    paths[`${name} (by element)`] = elementwise(op, true)
  }
  for (const [name, op] of Object.entries({ ...BINARY, ...STEP })) both(name, (a, b, _old, f) => op(a, b, f, mode))
  both('FMLA', (a, b, old, f) => (normal(old, f) ? multiplyAdd(old, a, b, f, mode) : DECLINED))
  both('FMLS', (a, b, old, f) => (normal(old, f) ? multiplyAdd(old, -a, b, f, mode) : DECLINED))

  for (const [name, op] of Object.entries(UNARY))
    paths[name] = (size = 0, bytes = 0, d = 0, n = 0) => {
      if (!ready()) return false
      const f = formatOf(size)
      const count = bytes >> size
      for (let i = 0; i < count; i++) {
        const a = read(size, n, i)
        if (!normal(a, f)) return false
        const r = op(a, f, mode)
        if (r !== r) return false
        results[i] = r
      }
      write(size, d, count)
      return true
    }
  for (const [name, [negateProduct, negateAddend]] of Object.entries(MULTIPLY_ADD))
    paths[name] = (size = 0, d = 0, n = 0, m = 0, a = 0) => {
      if (!ready()) return false
      const f = formatOf(size)
      const [x, y, z] = [read(size, n, 0), read(size, m, 0), read(size, a, 0)]
      if (!normal(x, f) || !normal(y, f) || !normal(z, f)) return false
      const r = multiplyAdd(negateAddend ? -z : z, negateProduct ? -x : x, y, f, mode)
      if (r !== r) return false
      results[0] = r
      write(size, d, 1)
      return true
    }
  paths['FCVT'] = (from = 0, to = 0, d = 0, n = 0) => {
    if (!ready()) return false
    const a = read(from, n, 0)
    if (!normal(a, formatOf(from))) return false
    const r = rounded(a, formatOf(to), mode, () => true, a === 0)
    if (r !== r) return false
    results[0] = r
    write(to, d, 1)
    return true
  }
  paths['CVTF from integer'] = (size = 0, width = 0, signed = 0, fractionBits = 0, d = 0, n = 0) => {
    if (!ready()) return false
    let value: number
    if (width === 32) value = signed === 1 ? (words[n >>> 2] ?? 0) : (words[n >>> 2] ?? 0) >>> 0
    else {
      const wide = (signed === 1 ? registers.i64[n >>> 3] : registers.u64[n >>> 3]) ?? 0n
      value = Number(wide)
      // Beyond 53 bits a shorter number would be rounded twice, and being inexact would have to be found out.
      if (!whole(value) && (size !== 3 || !mode.inexact)) return false
      if (Math.abs(value) === 2 ** 53) return false
    }
    const r = rounded(value * 2 ** -fractionBits, formatOf(size), mode, () => true, value === 0)
    if (r !== r) return false
    results[0] = r
    write(size, d, 1)
    return true
  }
  paths['FCVT to integer'] = (size = 0, width = 0, signed = 0, by = 0, fractionBits = 0, d = 0, n = 0) => {
    const round = TO_INTEGER[by]
    if (round === undefined) return false
    mode.inexact = ((words[bank.FPSR >>> 2] ?? 0) & exception.inexact) !== 0
    const a = read(size, n, 0)
    if (!normal(a, formatOf(size))) return false
    const scaled = a * 2 ** fractionBits
    const r = round(scaled)
    if (r !== scaled && !mode.inexact) return false
    const limit = 2 ** (signed === 1 ? width - 1 : width)
    if (r >= limit || r < (signed === 1 ? -limit : 0)) return false
    // A negative 32-bit result has the upper half clear.
    registers.u64[d >>> 3] = width === 32 ? BigInt(r >>> 0) : BigInt.asUintN(64, BigInt(r))
    return true
  }

  return {
    paths,
    compare: (size, n, m) => {
      if (flushes(size)) return -1
      const a = read(size, n, 0)
      const b = m === undefined ? 0 : read(size, m, 0)
      return a < b ? 0b1000 : a === b ? 0b0110 : a > b ? 0b0010 : -1
    },
  }
}
