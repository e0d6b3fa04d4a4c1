/**
 * Floating-point instructions by the host's arithmetic where it gives Arm's result and raises Arm's exceptions, and by
 * their helpers where it would not. The host hands on other NaNs and keeps no exceptions, so what decides is the result:
 *
 * - Sums: finite. A denormal sum is exact, an overflow infinite.
 * - Products and quotients: above the smallest normal number, as those below may underflow; or zero because of an operand.
 * - Whatever rounds to an integer, chooses or compares raises nothing unless it meets a NaN.
 */
import type { Local, Ops, SmallOperand, VecOperand } from '../ops.ts'
import { estimate } from './host-estimate.ts'
import { multiplyAdd } from './host-fused.ts'
import {
  areShort,
  holds,
  hostShape,
  isFinite,
  isNormal,
  isNumber,
  isPower,
  isZero,
  rounded,
  settle,
  sumError,
} from './host-lanes.ts'
import type { Accept, Bytes, HostSize, RoundOp } from './host-lanes.ts'
import { duplicate, elementBytes, elements, indexLocal, lanes, zero } from './simd-lanes.ts'
import { pairs } from './simd-three-same.ts'

/** What is done to the accepted result. */
type Finish = 'negate' | 'absolute'
export const finishing =
  <V>(o: Ops<V>, size: HostSize, finish: Finish | undefined) =>
  (value: V): V => {
    const sign = 1n << BigInt((8 << size) - 1)
    if (finish === undefined) return value
    return finish === 'negate'
      ? o.vector('v128.xor', value, lanes(o, size, sign))
      : o.vector('v128.and', value, lanes(o, size, sign - 1n))
  }

type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max'
export const BINARY: Readonly<Record<string, readonly [BinaryOp, Accept, Finish?]>> = {
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
/** Comparisons that give a mask: the same of the host, if neither operand is a NaN. FACGE and FACGT compare magnitudes. */
type Comparison = 'eq' | 'ge' | 'gt' | 'le' | 'lt'
const COMPARE: Readonly<Record<string, readonly [Comparison, absolute?: true]>> = {
  FCMEQ: ['eq'],
  FCMGE: ['ge'],
  FCMGT: ['gt'],
  FACGE: ['ge', true],
  FACGT: ['gt', true],
}
const COMPARE_ZERO: Readonly<Record<string, Comparison>> = {
  'FCMEQ (zero)': 'eq',
  'FCMGE (zero)': 'ge',
  'FCMGT (zero)': 'gt',
  'FCMLE (zero)': 'le',
  'FCMLT (zero)': 'lt',
}

type Two = { d: VecOperand; n: VecOperand }
type Three = Two & { m: VecOperand }
export const keep = <V>(value: V): V => value

/** A mask, if the lanes of both are numbers. */
function comparison<V>(
  o: Ops<V>,
  op: Comparison,
  size: HostSize,
  bytes: Bytes,
  d: VecOperand,
  [n, m]: readonly [Local, Local],
  helper: () => void,
): void {
  const control = o.hostFloat('unflushed')
  const ordered = holds(o, size, bytes, o.vector('v128.and', isNumber(o, size, n), isNumber(o, size, m)))
  o.when(
    o.binary('and', 32, control, ordered),
    () => o.vsetLow(bytes, d, o.vector(`${hostShape(size)}.${op}`, o.use(n), o.use(m))),
    helper,
  )
}

/** A sum that leaves no trace because it is exact. */
export function exactSum<V>(
  o: Ops<V>,
  op: 'add' | 'sub',
  size: HostSize,
  bytes: Bytes,
  d: VecOperand,
  result: Local,
  push: { readonly n: () => V; readonly m: () => V },
  finish: (value: V) => V,
  helper: () => void,
): void {
  const control = o.hostFloat('exact')
  const n = o.let(128, push.n())
  const negated = op === 'sub' ? o.vector(`${hostShape(size)}.neg`, push.m()) : push.m()
  const lost = sumError(o, size, n, o.let(128, negated), result)
  const fits = holds(o, size, bytes, o.vector('v128.and', isZero(o, size, lost), isFinite(o, size, result)))
  o.when(o.binary('and', 32, control, fits), () => o.vsetLow(bytes, d, finish(o.use(result))), helper)
}

/**
 * A product or quotient that leaves no trace because it is exact: it is zero because an operand is (and not because it has
 * underflown), or normal and one of a power of two or of few digits.
 */
function exactProduct<V>(
  o: Ops<V>,
  op: 'mul' | 'div',
  size: HostSize,
  bytes: Bytes,
  result: Local,
  p: Three,
  finish: (value: V) => V,
  helper: () => void,
): void {
  const control = o.hostFloat('exact')
  const n = o.let(128, o.vget(p.n))
  const m = o.let(128, o.vget(p.m))
  const zeroOperand = op === 'div' ? isZero(o, size, n) : o.vector('v128.or', isZero(o, size, n), isZero(o, size, m))
  const zeroResult = o.let(128, o.vector('v128.and', zeroOperand, isZero(o, size, result)))
  const simple =
    op === 'div'
      ? o.vector('v128.or', isPower(o, size, m), isProductOf(o, size, n, result, m))
      : o.vector('v128.or', o.vector('v128.or', isPower(o, size, m), isPower(o, size, n)), areShort(o, size, n, m))
  const normal = o.vector('v128.and', simple, isNormal(o, size, result))
  const fits = holds(o, size, bytes, o.vector('v128.or', normal, o.use(zeroResult)))
  o.when(o.binary('and', 32, control, fits), () => o.vsetLow(bytes, p.d, finish(o.use(result))), helper)
}

/** Whether n is the product of two numbers of few digits: exactly, as such a product is. */
function isProductOf<V>(o: Ops<V>, size: HostSize, n: Local, a: Local, b: Local): V {
  const short = areShort(o, size, a, b)
  const product = o.vector(`${hostShape(size)}.mul`, o.use(a), o.use(b))
  return o.vector('v128.and', short, o.vector(`${hostShape(size)}.eq`, product, o.use(n)))
}

/** A root that leaves no trace: its square is the number. */
function exactRoot<V>(
  o: Ops<V>,
  size: HostSize,
  bytes: Bytes,
  d: VecOperand,
  [n, root]: readonly [Local, Local],
  helper: () => void,
): void {
  const control = o.hostFloat('exact')
  const exact = o.vector('v128.or', isProductOf(o, size, n, root, root), isZero(o, size, n))
  const fits = holds(o, size, bytes, o.vector('v128.and', exact, isFinite(o, size, root)))
  o.when(o.binary('and', 32, control, fits), () => o.vsetLow(bytes, d, o.use(root)), helper)
}

/** An instruction of two operands, named as its helper. */
export function binary<V>(o: Ops<V>, name: string, size: HostSize, bytes: Bytes, p: Three): void {
  const helper = (): void => o.call(name, 'pure', size, bytes, p.d, p.n, p.m)
  const row = BINARY[name]
  const [compared, absolute] = COMPARE[name] ?? []
  const pairOp = PAIRWISE[name]
  if (row !== undefined) {
    const [op, accept, finish] = row
    const result = o.let(128, o.vector(`${hostShape(size)}.${op}`, o.vget(p.n), o.vget(p.m)))
    const finished = finishing(o, size, finish)
    const push = { n: () => o.vget(p.n), m: () => o.vget(p.m) }
    settle(o, accept, size, bytes, p.d, result, finished, () => {
      if (op === 'mul' || op === 'div') exactProduct(o, op, size, bytes, result, p, finished, helper)
      else if (op === 'add' || op === 'sub') exactSum(o, op, size, bytes, p.d, result, push, finished, helper)
      else helper()
    })
  } else if (compared !== undefined) {
    const push = (v: VecOperand): V => (absolute ? o.vector(`${hostShape(size)}.abs`, o.vget(v)) : o.vget(v))
    const n = o.let(128, push(p.n))
    comparison(o, compared, size, bytes, p.d, [n, o.let(128, push(p.m))], helper)
  } else if (name === 'FMLA' || name === 'FMLS') {
    const push = { n: () => o.vget(p.n), m: () => o.vget(p.m), addend: () => o.vget(p.d) }
    multiplyAdd(o, size, bytes, p.d, push, { product: name === 'FMLS', addend: false }, helper)
  } else if (pairOp !== undefined) {
    const [op, accept] = pairOp
    const [even, odd] = pairs(o, size, p.n, p.m, bytes)
    const result = o.let(128, o.vector(`${hostShape(size)}.${op}`, o.use(even), o.use(odd)))
    const push = { n: () => o.use(even), m: () => o.use(odd) }
    settle(o, accept, size, bytes, p.d, result, keep, () =>
      op === 'add' ? exactSum(o, op, size, bytes, p.d, result, push, keep, helper) : helper(),
    )
  } else helper()
}

/** Of each pair of neighbours one result. */
const PAIRWISE: Readonly<Record<string, readonly ['add' | 'min' | 'max', Accept]>> = {
  FADDP: ['add', 'finite'],
  FMAXP: ['max', 'number'],
  FMINP: ['min', 'number'],
  FMAXNMP: ['max', 'number'],
  FMINNMP: ['min', 'number'],
}

/** The scalar form: of the two lowest elements. */
export function pairwise<V>(o: Ops<V>, name: string, size: HostSize, p: Two): void {
  const helper = (): void => o.call(`${name} (scalar)`, 'pure', size, p.d, p.n)
  const row = PAIRWISE[name]
  if (row === undefined) return helper()
  const [op, accept] = row
  const bytes = size === 3 ? 8 : 4
  const n = o.let(128, o.vget(p.n))
  const first = o.use(n)
  const second = o.shuffle(
    elements(size, () => 1),
    o.use(n),
    o.use(n),
  )
  settle(o, accept, size, bytes, p.d, o.let(128, o.vector(`${hostShape(size)}.${op}`, first, second)), keep, helper)
}

/** FMAXV and its relatives: of four singles, if all are numbers. */
export function across<V>(o: Ops<V>, name: string, p: Two): void {
  const op = name.startsWith('FMAX') ? 'max' : 'min'
  const n = o.let(128, o.vget(p.n))
  const half = o.let(128, o.vector(`f32x4.${op}`, o.use(n), turned(o, n, 2)))
  const result = o.let(128, o.vector(`f32x4.${op}`, o.use(half), turned(o, half, 1)))
  settle(o, 'number', 2, 4, p.d, result, keep, () => o.call(name, 'pure', 2, 16, p.d, p.n))
}

const turned = <V>(o: Ops<V>, n: Local, by: number): V =>
  o.shuffle(
    elements(2, (i) => (i + by) % 4),
    o.use(n),
    o.use(n),
  )

/** FRINTX and FRINTI round as FPCR says: where that is to nearest, and being inexact leaves no trace, as FRINTN. */
const UNARY: Readonly<Record<string, readonly ['sqrt' | RoundOp, Accept]>> = {
  FSQRT: ['sqrt', 'finite'],
  FRINTN: ['nearest', 'number'],
  FRINTP: ['ceil', 'number'],
  FRINTM: ['floor', 'number'],
  FRINTZ: ['trunc', 'number'],
  FRINTA: ['away', 'number'],
  FRINTX: ['nearest', 'finite'],
  FRINTI: ['nearest', 'finite'],
}

/** An instruction of one operand, named as its helper. */
export function unary<V>(o: Ops<V>, name: string, size: HostSize, bytes: Bytes, p: Two): void {
  const helper = (): void => o.call(name, 'pure', size, bytes, p.d, p.n)
  const row = UNARY[name]
  const compared = COMPARE_ZERO[name]
  if (compared !== undefined) {
    const n = o.let(128, o.vget(p.n))
    comparison(o, compared, size, bytes, p.d, [n, o.let(128, zero(o))], helper)
  } else if (row === undefined) {
    if (!estimate(o, name, size, bytes, p, helper)) helper()
  } else {
    const [op, accept] = row
    const n = o.let(128, o.vget(p.n))
    if (op === 'sqrt') {
      const root = o.let(128, o.vector(`${hostShape(size)}.sqrt`, o.use(n)))
      settle(o, accept, size, bytes, p.d, root, keep, () => exactRoot(o, size, bytes, p.d, [n, root], helper))
    } else settle(o, accept, size, bytes, p.d, o.let(128, rounded(o, op, size, n)), keep, helper)
  }
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
    settle(o, 'normal', size, bytes, p.d, result, keep, helper)
  }
}
