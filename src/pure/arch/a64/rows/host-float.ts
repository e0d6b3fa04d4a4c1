/**
 * Floating-point instructions by the host's arithmetic where it gives Arm's result and raises Arm's exceptions, and by
 * their helpers where it would not. The host hands on other NaNs and keeps no exceptions, so what decides is the result:
 *
 * - Sums: finite. A denormal sum is exact, an overflow infinite.
 * - Products and quotients: above the smallest normal number, as those below may underflow.
 * - Whatever rounds to an integer, chooses or compares raises nothing unless it meets a NaN.
 */
import type { GprOperand, Local, Ops, SmallOperand, VecOperand } from '../ops.ts'
import { duplicate, elementBytes, indexLocal, lanes, zero } from './simd-lanes.ts'

/** log2 of the bytes of a number that the host has. */
type HostSize = 2 | 3
type Bytes = 4 | 8 | 16

type HostShape = 'f32x4' | 'f64x2'
const hostShape = (size: HostSize): HostShape => (size === 3 ? 'f64x2' : 'f32x4')

const INFINITY: Readonly<Record<HostSize, bigint>> = { 2: 0x7f800000n, 3: 0x7ff0000000000000n }
const SMALLEST_NORMAL: Readonly<Record<HostSize, bigint>> = { 2: 0x00800000n, 3: 0x0010000000000000n }

/** 1 when the mask is all ones in the lanes that count. */
function holds<V>(o: Ops<V>, size: HostSize, bytes: Bytes, mask: V): V {
  // Lanes that do not count are made to hold.
  const low = bytes >= 8 ? 0n : 0xffffffffn << 32n
  const all = bytes === 16 ? mask : o.vector('v128.or', mask, o.vconst(low, 0xffffffffffffffffn))
  return o.vector(`${size === 3 ? 'i64x2' : 'i32x4'}.all_true`, all)
}

const magnitude = <V>(o: Ops<V>, size: HostSize, r: Local): V => o.vector(`${hostShape(size)}.abs`, o.use(r))

const isFinite = <V>(o: Ops<V>, size: HostSize, r: Local): V =>
  o.vector(`${hostShape(size)}.lt`, magnitude(o, size, r), lanes(o, size, INFINITY[size]))

const isNormal = <V>(o: Ops<V>, size: HostSize, r: Local): V => {
  const above = o.vector(`${hostShape(size)}.gt`, magnitude(o, size, r), lanes(o, size, SMALLEST_NORMAL[size]))
  return o.vector('v128.and', above, isFinite(o, size, r))
}

const isNumber = <V>(o: Ops<V>, size: HostSize, r: Local): V => o.vector(`${hostShape(size)}.eq`, o.use(r), o.use(r))

type Accept = 'finite' | 'normal' | 'number'
const ACCEPT = { finite: isFinite, normal: isNormal, number: isNumber } as const

/** The result, if the host's may be taken: `needs` says what of FPCR and FPSR. */
function settle<V>(
  o: Ops<V>,
  accept: Accept,
  size: HostSize,
  bytes: Bytes,
  d: VecOperand,
  result: Local,
  finish: (value: V) => V,
  otherwise: () => void,
): void {
  const control = o.hostFloat(accept === 'number' ? 'unflushed' : 'nearest')
  const fits = holds(o, size, bytes, ACCEPT[accept](o, size, result))
  o.when(o.binary('and', 32, control, fits), () => o.vsetLow(bytes, d, finish(o.use(result))), otherwise)
}

/** What is done to the accepted result. */
type Finish = 'negate' | 'absolute'
const finishing =
  <V>(o: Ops<V>, size: HostSize, finish: Finish | undefined) =>
  (value: V): V => {
    const sign = 1n << BigInt((8 << size) - 1)
    if (finish === undefined) return value
    return finish === 'negate'
      ? o.vector('v128.xor', value, lanes(o, size, sign))
      : o.vector('v128.and', value, lanes(o, size, sign - 1n))
  }

type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max'
const BINARY: Readonly<Record<string, readonly [BinaryOp, Accept, Finish?]>> = {
  FADD: ['add', 'finite'],
  FSUB: ['sub', 'finite'],
  FABD: ['sub', 'finite', 'absolute'],
  FMUL: ['mul', 'normal'],
  FMULX: ['mul', 'normal'],
  FNMUL: ['mul', 'normal', 'negate'],
  FDIV: ['div', 'normal'],
  FMAX: ['max', 'number'],
  FMIN: ['min', 'number'],
  FMAXNM: ['max', 'number'],
  FMINNM: ['min', 'number'],
}
/** Comparisons that give a mask: the same of the host, if neither operand is a NaN. */
const COMPARE: Readonly<Record<string, 'eq' | 'ge' | 'gt'>> = { FCMEQ: 'eq', FCMGE: 'ge', FCMGT: 'gt' }

/** An instruction of two operands, named as its helper. */
export function binary<V>(
  o: Ops<V>,
  name: string,
  size: HostSize,
  bytes: Bytes,
  p: { d: VecOperand; n: VecOperand; m: VecOperand },
): void {
  const helper = (): void => o.call(name, 'pure', size, bytes, p.d, p.n, p.m)
  const row = BINARY[name]
  const comparison = COMPARE[name]
  if (row !== undefined) {
    const [op, accept, finish] = row
    const result = o.let(128, o.vector(`${hostShape(size)}.${op}`, o.vget(p.n), o.vget(p.m)))
    settle(o, accept, size, bytes, p.d, result, finishing(o, size, finish), helper)
  } else if (comparison !== undefined) {
    const n = o.let(128, o.vget(p.n))
    const m = o.let(128, o.vget(p.m))
    const control = o.hostFloat('unflushed')
    const ordered = holds(o, size, bytes, o.vector('v128.and', isNumber(o, size, n), isNumber(o, size, m)))
    o.when(
      o.binary('and', 32, control, ordered),
      () => o.vsetLow(bytes, p.d, o.vector(`${hostShape(size)}.${comparison}`, o.use(n), o.use(m))),
      helper,
    )
  } else if (name === 'FMLA' || name === 'FMLS') {
    const push = { n: () => o.vget(p.n), m: () => o.vget(p.m), addend: () => o.vget(p.d) }
    multiplyAdd(o, size, bytes, p.d, push, { product: name === 'FMLS', addend: false }, helper)
  } else helper()
}

const UNARY: Readonly<Record<string, readonly ['sqrt' | 'nearest' | 'ceil' | 'floor' | 'trunc', Accept]>> = {
  FSQRT: ['sqrt', 'finite'],
  FRINTN: ['nearest', 'number'],
  FRINTP: ['ceil', 'number'],
  FRINTM: ['floor', 'number'],
  FRINTZ: ['trunc', 'number'],
}

/** An instruction of one operand, named as its helper. */
export function unary<V>(
  o: Ops<V>,
  name: string,
  size: HostSize,
  bytes: Bytes,
  p: { d: VecOperand; n: VecOperand },
): void {
  const helper = (): void => o.call(name, 'pure', size, bytes, p.d, p.n)
  const row = UNARY[name]
  if (row === undefined) return helper()
  const [op, accept] = row
  const result = o.let(128, o.vector(`${hostShape(size)}.${op}`, o.vget(p.n)))
  settle(o, accept, size, bytes, p.d, result, (value) => value, helper)
}

/** FCMP, FCMPE: NZCV of a comparison, with zero where m is not given. */
export function compare<V>(
  o: Ops<V>,
  size: HostSize,
  signalling: number,
  n: VecOperand,
  m: VecOperand | undefined,
): void {
  const a = o.let(128, o.vget(n))
  const b = o.let(128, m === undefined ? zero(o) : o.vget(m))
  const control = o.hostFloat('unflushed')
  const ordered = holds(o, size, elementBytes4(size), o.vector('v128.and', isNumber(o, size, a), isNumber(o, size, b)))
  const lane = (op: 'lt' | 'eq'): V =>
    o.extractLane('i32x4', 0, o.vector(`${hostShape(size)}.${op}`, o.use(a), o.use(b)))
  o.when(
    o.binary('and', 32, control, ordered),
    () => {
      // Greater is 0010, less 1000, equal 0110.
      const less = o.binary('and', 32, lane('lt'), o.konst(32, 6))
      const notGreater = o.binary('add', 32, less, o.binary('and', 32, lane('eq'), o.konst(32, 4)))
      o.flagsSet(o.binary('add', 32, notGreater, o.konst(32, 2)))
    },
    () =>
      o.flagsSet(m === undefined ? o.ask('FCMP (zero)', size, signalling, n) : o.ask('FCMP', size, signalling, n, m)),
  )
}

const elementBytes4 = (size: HostSize): 4 | 8 => (elementBytes(size) === 8 ? 8 : 4)

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
    o.vsetLow(8, d, o.vector(`f64x2.convert_low_i32x4_${signed ? 's' : 'u'}`, o.splat('i32x4', o.get(32, n))))
  } else if (width === 32) {
    o.when(
      o.hostFloat('nearest'),
      () => o.vsetLow(4, d, o.vector(`f32x4.convert_i32x4_${signed ? 's' : 'u'}`, o.splat('i32x4', o.get(32, n)))),
      helper,
    )
  } else if (size === 3)
    o.when(o.hostFloat('nearest'), () => o.vsetLow(8, d, o.doubleFromInteger(signed, o.get(64, n))), helper)
  else helper()
}

/** FCVTZS, FCVTZU to a general register. */
export function towardsZero<V>(
  o: Ops<V>,
  size: HostSize,
  width: 32 | 64,
  signed: boolean,
  d: GprOperand,
  n: VecOperand,
): void {
  const value = o.let(128, size === 3 ? o.vget(n) : o.vector('f64x2.promote_low_f32x4', o.vget(n)))
  // 2 to the power of how many bits the magnitude may have.
  const limit = power(BigInt(signed ? width - 1 : width))
  const control = o.hostFloat('nearest')
  const small = o.vector('f64x2.lt', signed ? magnitude(o, 3, value) : o.use(value), lanes(o, 3, limit))
  const fits = signed ? small : o.vector('v128.and', small, o.vector('f64x2.ge', o.use(value), zero(o)))
  const whole = (): V => o.integerFromDouble(signed, o.use(value))
  o.when(
    o.binary('and', 32, control, holds(o, 3, 8, fits)),
    () => (width === 64 ? o.set(64, d, whole()) : o.set(32, d, o.wrap(whole()))),
    () => o.call('FCVT to integer', 'pure', size, width, signed ? 1 : 0, TOWARDS_ZERO, 0, d, n),
  )
}

/** As FPCR.RMode has it. */
const TOWARDS_ZERO = 3

// ---- fused multiply and add: exact sums of two numbers each, rounded once

/** What is lost of a + b in their rounded sum s (Knuth's TwoSum). */
function sumError<V>(o: Ops<V>, a: Local, b: Local, s: Local): Local {
  const of = o.let(128, o.vector('f64x2.sub', o.use(s), o.use(a)))
  const first = o.vector('f64x2.sub', o.use(a), o.vector('f64x2.sub', o.use(s), o.use(of)))
  return o.let(128, o.vector('f64x2.add', first, o.vector('f64x2.sub', o.use(b), o.use(of))))
}

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
function fusedDouble<V>(o: Ops<V>, a: Local, b: Local, c: Local): Local {
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
    return [s, sumError(o, x, y, s)]
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
  return o.vector('f32x4.demote_f64x2_zero', toOdd(o, s, sumError(o, product, z, s)))
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
  if (size === 2) {
    const low = fusedSingles(o, a, b, c)
    if (bytes < 16) return settle(o, 'normal', 2, bytes, d, o.let(128, low), keep, helper)
    const lower = o.let(128, low)
    const upper = (x: Local): Local => o.let(128, o.shuffle(UPPER_PAIR, o.use(x), o.use(x)))
    const [p, q, r] = [upper(a), upper(b), upper(c)]
    const higher = o.let(128, fusedSingles(o, p, q, r))
    const both = o.let(128, o.shuffle(LOWER_HALVES, o.use(lower), o.use(higher)))
    return settle(o, 'normal', 2, bytes, d, both, keep, helper)
  }
  const result = fusedDouble(o, a, b, c)
  const control = o.hostFloat('nearest')
  const factors = o.vector('v128.and', moderate(o, a, 400n, 400n, false), moderate(o, b, 400n, 400n, false))
  const operands = o.vector('v128.and', factors, moderate(o, c, 900n, 900n, true))
  const fits = holds(o, 3, bytes, o.vector('v128.and', operands, isNormal(o, 3, result)))
  o.when(o.binary('and', 32, control, fits), () => o.vsetLow(bytes, d, o.use(result)), helper)
}

/** An element of m in every lane. */
const everywhere = <V>(o: Ops<V>, size: HostSize, m: VecOperand, index: SmallOperand): Local => {
  const lane = indexLocal(o, index)
  return o.let(128, duplicate(o, size, m, lane))
}

/** FMUL, FMULX, FMLA, FMLS by element. */
export function byElement<V>(
  o: Ops<V>,
  name: string,
  size: HostSize,
  bytes: Bytes,
  p: { d: VecOperand; n: VecOperand; m: VecOperand; index: SmallOperand },
): void {
  const helper = (): void => o.call(`${name} (by element)`, 'pure', size, bytes, p.d, p.n, p.m, p.index)
  const element = everywhere(o, size, p.m, p.index)
  if (name === 'FMLA' || name === 'FMLS') {
    const push = { n: () => o.vget(p.n), m: () => o.use(element), addend: () => o.vget(p.d) }
    multiplyAdd(o, size, bytes, p.d, push, { product: name === 'FMLS', addend: false }, helper)
  } else {
    const result = o.let(128, o.vector(`${hostShape(size)}.mul`, o.vget(p.n), o.use(element)))
    settle(o, 'normal', size, bytes, p.d, result, (value) => value, helper)
  }
}
