/**
 * Saturating instructions as plain arithmetic, in which the lanes that saturate are then replaced. That they did is noted
 * in FPSR.QC, which is cumulative: only while it is not set yet, the instruction's helper does it all. Also counts of
 * leading bits and shifts by register.
 */
import type { LaneShape, Local, Ops, SmallOperand, VecOperand, VectorOp } from '../ops.ts'
import { elements, lanes, lowHalves, setHalf, shape, smallShape, zero } from './simd-lanes.ts'

type Two = { readonly d: VecOperand; readonly n: VecOperand }
type Three = Two & { readonly m: VecOperand }
type Bytes = 1 | 2 | 4 | 8 | 16

const signs = <V>(o: Ops<V>, s: number): V => lanes(o, s, 1n << BigInt((8 << s) - 1))

const largest = (s: number): bigint => (1n << BigInt((8 << s) - 1)) - 1n
const ones = <V>(o: Ops<V>): V => lanes(o, 3, -1n)

/**
 * The result, by `fast`; but by the helper where a bit of the lanes that count is set in `saturated` and has not been noted
 * before.
 */
function noting<V>(o: Ops<V>, bytes: Bytes, saturated: Local, fast: () => void, helper: () => void): void {
  const fresh = o.isZero(32, o.saturationNoted())
  const mask = o.use(saturated)
  const counting = bytes === 16 ? mask : o.vector('v128.and', mask, o.vconst((1n << BigInt(8 * bytes)) - 1n, 0n))
  o.when(o.binary('and', 32, fresh, o.vector('v128.any_true', counting)), helper, fast)
}

/** All ones or zeros: the sign of each lane. */
const signMask = <V>(o: Ops<V>, s: number, n: Local): V =>
  o.laneShift(`${shape(s)}.shr_s`, o.use(n), o.konst(32, (8 << s) - 1))

/** The largest number for lanes that are not negative, the smallest for those that are. */
const signedLimit = <V>(o: Ops<V>, s: number, n: Local): V =>
  o.vector('v128.xor', signMask(o, s, n), lanes(o, s, largest(s)))

/** The largest unsigned number, or zero for lanes that are negative. */
const unsignedLimit = <V>(o: Ops<V>, s: number, n: Local): V => o.vector('v128.not', signMask(o, s, n))

type Overflow = <V>(o: Ops<V>, n: Local, m: Local, r: Local) => V
/** Masks whose sign bits say that a sum or difference is out of range. */
const OVERFLOW: Readonly<Record<string, readonly ['add' | 'sub', Overflow]>> = {
  SQADD: [
    'add',
    (o, n, m, r) =>
      o.vector('v128.andnot', o.vector('v128.xor', o.use(n), o.use(r)), o.vector('v128.xor', o.use(n), o.use(m))),
  ],
  SQSUB: [
    'sub',
    (o, n, m, r) =>
      o.vector('v128.and', o.vector('v128.xor', o.use(n), o.use(m)), o.vector('v128.xor', o.use(n), o.use(r))),
  ],
  UQADD: [
    'add',
    (o, n, m, r) => {
      const both = o.vector('v128.and', o.use(n), o.use(m))
      const either = o.vector('v128.or', o.use(n), o.use(m))
      return o.vector('v128.or', both, o.vector('v128.andnot', either, o.use(r)))
    },
  ],
  UQSUB: [
    'sub',
    (o, n, m, r) => {
      const less = o.vector('v128.andnot', o.use(m), o.use(n))
      const borrowed = o.vector('v128.andnot', o.use(r), o.vector('v128.xor', o.use(n), o.use(m)))
      return o.vector('v128.or', less, borrowed)
    },
  ],
}

/** Which lanes are the smallest number, whose negative and whose square do not fit. */
const minimum = <V>(o: Ops<V>, s: number, n: Local): V => o.vector(`${shape(s)}.eq`, o.use(n), signs(o, s))

/** n + m or n - m, saturated: the result and the lanes that are. */
function saturatedSum<V>(o: Ops<V>, name: string, s: number, n: Local, m: Local): readonly [Local, Local] | undefined {
  const [op, overflow] = OVERFLOW[name] ?? []
  if (op === undefined || overflow === undefined) return undefined
  const r = o.let(128, o.vector(`${shape(s)}.${op}`, o.use(n), o.use(m)))
  const out = o.let(128, overflow(o, n, m, r))
  const mask = o.let(128, signMask(o, s, out))
  const limit = name.startsWith('S') ? signedLimit(o, s, n) : op === 'add' ? ones(o) : zero(o)
  return [o.let(128, o.vectorBitSelect(limit, o.use(r), o.use(mask))), mask]
}

/** Signed products of the lower and upper halves, at twice their width and twice their value. */
function doubled<V>(o: Ops<V>, s: number, part: 'low' | 'high', n: Local, m: Local): V {
  const op: VectorOp = s === 1 ? `i32x4.extmul_${part}_i16x8_s` : `i64x2.extmul_${part}_i32x4_s`
  return o.laneShift(`${wideShape(s)}.shl`, o.vector(op, o.use(n), o.use(m)), o.konst(32, 1))
}
const wideShape = (s: number): LaneShape => shape(s + 1)

/** SQDMULH, SQRDMULH: only the product of two minima is out of range. */
export function doublingHigh<V>(
  o: Ops<V>,
  rounding: boolean,
  s: number,
  bytes: Bytes,
  d: VecOperand,
  [n, m]: readonly [Local, Local],
  helper: () => void,
): void {
  const half = (part: 'low' | 'high'): Local => {
    const product = doubled(o, s, part, n, m)
    const unit = 1n << BigInt((8 << s) - 1)
    return o.let(128, rounding ? o.vector(`${wideShape(s)}.add`, product, lanes(o, s + 1, unit)) : product)
  }
  const high = (): V => {
    const [low, upper] = [half('low'), half('high')]
    return o.shuffle(
      elements(s, (i) => 2 * i + 1),
      o.use(low),
      o.use(upper),
    )
  }
  const both = o.let(128, o.vector('v128.and', minimum(o, s, n), minimum(o, s, m)))
  // What comes out then is the smallest number, and the largest is wanted.
  const result = (): V => o.vector('v128.xor', high(), o.use(both))
  noting(o, bytes, both, () => o.vsetLow(bytes, d, result()), helper)
}

/** SQDMULL, SQDMLAL, SQDMLSL of the lower or upper halves; or of one element. */
export function doublingLong<V>(
  o: Ops<V>,
  op: 'add' | 'sub' | undefined,
  s: number,
  upper: number,
  scalar: boolean,
  d: VecOperand,
  [n, m]: readonly [Local, Local],
  helper: () => void,
): void {
  const bytes = scalar ? (s === 1 ? 4 : 8) : 16
  const wrapped = o.let(128, doubled(o, s, upper === 1 ? 'high' : 'low', n, m))
  const tooLarge = o.let(128, minimum(o, s + 1, wrapped))
  const product = o.let(128, o.vector('v128.xor', o.use(wrapped), o.use(tooLarge)))
  if (op === undefined) return noting(o, bytes, tooLarge, () => o.vsetLow(bytes, d, o.use(product)), helper)
  const [sum, out] = saturatedSum(o, op === 'add' ? 'SQADD' : 'SQSUB', s + 1, o.let(128, o.vget(d)), product) ?? []
  if (sum === undefined || out === undefined) return helper()
  const saturated = o.let(128, o.vector('v128.or', o.use(out), o.use(tooLarge)))
  noting(o, bytes, saturated, () => o.vsetLow(bytes, d, o.use(sum)), helper)
}

// ---- shifts by the signed low bytes of another vector

const bitsOf = (s: number): number => 8 << s

/** Lanes shifted by as many bits as the lower bits of `amount` say, one power of two at a time. */
function shiftedBy<V>(o: Ops<V>, op: 'shl' | 'shr_s' | 'shr_u', s: number, n: Local, amount: Local): Local {
  let value = n
  for (let k = 0; 1 << k < bitsOf(s); k++) {
    const moved = o.laneShift(`${shape(s)}.${op}`, o.use(value), o.konst(32, 1 << k))
    const before = o.use(value)
    // The bit of the amount in every bit of the lane.
    const up = o.laneShift(`${shape(s)}.shl`, o.use(amount), o.konst(32, bitsOf(s) - 1 - k))
    const mask = o.laneShift(`${shape(s)}.shr_s`, up, o.konst(32, bitsOf(s) - 1))
    value = o.let(128, o.vectorBitSelect(moved, before, mask))
  }
  return value
}

/** The shifts by register, SSHL to UQRSHL, by what their names say. */
const SHIFT = /^([SU])(Q?)(R?)SHL$/

/** Shifted to the right by `-amount`, rounded or down; farther than the lane is wide: nothing is left, or the sign. */
function shiftedRight<V>(o: Ops<V>, sign: 's' | 'u', rounding: boolean, s: number, n: Local, amount: Local): Local {
  // To round, one bit less for a start, which tells whether the rest is half or more: -amount - 1, that is its complement.
  const by = rounding ? o.vector('v128.not', o.use(amount)) : o.vector(`${shape(s)}.neg`, o.use(amount))
  const near = shiftedBy(o, `shr_${sign}`, s, n, o.let(128, by))
  const farthest = lanes(o, s, BigInt(rounding ? -bitsOf(s) : 1 - bitsOf(s)))
  const far = o.let(128, o.vector(`${shape(s)}.gt_s`, farthest, o.use(amount)))
  const nothing = sign === 's' ? signMask(o, s, n) : zero(o)
  const right = o.let(128, o.vectorBitSelect(nothing, o.use(near), o.use(far)))
  if (!rounding) return right
  const half = o.vector('v128.and', o.use(right), lanes(o, s, 1n))
  return o.let(
    128,
    o.vector(`${shape(s)}.add`, half, o.laneShift(`${shape(s)}.shr_${sign}`, o.use(right), o.konst(32, 1))),
  )
}

function shiftedLeft<V>(o: Ops<V>, s: number, n: Local, amount: Local): Local {
  const near = shiftedBy(o, 'shl', s, n, amount)
  const far = o.vector(`${shape(s)}.gt_s`, o.use(amount), lanes(o, s, BigInt(bitsOf(s) - 1)))
  const nothing = o.let(128, o.vector('v128.not', far))
  return o.let(128, o.vector('v128.and', o.use(near), o.use(nothing)))
}

function shiftByRegister<V>(
  o: Ops<V>,
  sign: 's' | 'u',
  options: { readonly saturating: boolean; readonly rounding: boolean },
  s: number,
  bytes: Bytes,
  p: Three,
  helper: () => void,
): void {
  const n = o.let(128, o.vget(p.n))
  const up = o.laneShift(`${shape(s)}.shl`, o.vget(p.m), o.konst(32, bitsOf(s) - 8))
  const amount = o.let(128, o.laneShift(`${shape(s)}.shr_s`, up, o.konst(32, bitsOf(s) - 8)))
  const right = shiftedRight(o, sign, options.rounding, s, n, amount)
  const left = shiftedLeft(o, s, n, amount)
  const negative = o.let(128, o.vector(`${shape(s)}.lt_s`, o.use(amount), zero(o)))
  const result = (): V => o.vectorBitSelect(o.use(right), o.use(left), o.use(negative))
  if (!options.saturating) return o.vsetLow(bytes, p.d, result())
  // Out of range is what does not come back.
  const back = shiftedBy(o, `shr_${sign}`, s, left, amount)
  const lost = someBit(o, s, o.vector('v128.xor', o.use(n), o.use(back)))
  const saturated = o.let(128, o.vector('v128.andnot', lost, o.use(negative)))
  const limit = (): V => (sign === 's' ? signedLimit(o, s, n) : ones(o))
  const fast = (): void => {
    const most = limit()
    o.vsetLow(bytes, p.d, o.vectorBitSelect(most, result(), o.use(saturated)))
  }
  noting(o, bytes, saturated, fast, helper)
}

/** A three-same instruction of this name. */
export function threeSame<V>(o: Ops<V>, name: string, s: number, bytes: Bytes, p: Three, helper: () => void): void {
  const [, sign, saturating, rounding] = SHIFT.exec(name) ?? []
  if (sign !== undefined) {
    const options = { saturating: saturating === 'Q', rounding: rounding === 'R' }
    return shiftByRegister(o, sign === 'S' ? 's' : 'u', options, s, bytes, p, helper)
  }
  const doubling = name === 'SQDMULH' || name === 'SQRDMULH'
  if (!doubling && OVERFLOW[name] === undefined) return helper()
  const n = o.let(128, o.vget(p.n))
  const m = o.let(128, o.vget(p.m))
  if (doubling) return doublingHigh(o, name === 'SQRDMULH', s, bytes, p.d, [n, m], helper)
  const [sum, out] = saturatedSum(o, name, s, n, m) ?? []
  if (sum === undefined || out === undefined) return helper()
  noting(o, bytes, out, () => o.vsetLow(bytes, p.d, o.use(sum)), helper)
}

/** Ones in each lane below the highest bit that is set, and that bit. */
function smeared<V>(o: Ops<V>, s: number, start: V): V {
  let value = start
  for (let by = 1; by < bitsOf(s); by *= 2) {
    const n = o.let(128, value)
    const plain = o.use(n)
    value = o.vector('v128.or', plain, o.laneShift(`${smallShape(s)}.shr_u`, o.use(n), o.konst(32, by)))
  }
  return value
}

/** Zeros above the highest bit that is set. */
function leadingZeros<V>(o: Ops<V>, s: number, start: V): V {
  const bytes = o.vector('i8x16.popcnt', o.vector('v128.not', smeared(o, s, start)))
  if (s === 0) return bytes
  const halves = o.vector('i16x8.extadd_pairwise_i8x16_u', bytes)
  return s === 1 ? halves : o.vector('i32x4.extadd_pairwise_i16x8_u', halves)
}

/** An instruction of one operand and this name. */
export function twoRegister<V>(o: Ops<V>, name: string, s: number, bytes: Bytes, p: Two, helper: () => void): void {
  if (name === 'CLZ') o.vsetLow(bytes, p.d, leadingZeros(o, s, o.vget(p.n)))
  else if (name === 'CLS') {
    const n = o.let(128, o.vget(p.n))
    const plain = o.use(n)
    const changes = o.vector('v128.xor', plain, o.laneShift(`${shape(s)}.shr_s`, o.use(n), o.konst(32, 1)))
    o.vsetLow(bytes, p.d, o.vector(`${shape(s)}.sub`, leadingZeros(o, s, changes), lanes(o, s, 1n)))
  } else if (name === 'SQABS' || name === 'SQNEG') {
    const n = o.let(128, o.vget(p.n))
    const smallest = o.let(128, minimum(o, s, n))
    const result = (): V =>
      o.vector('v128.xor', o.vector(`${shape(s)}.${name === 'SQABS' ? 'abs' : 'neg'}`, o.use(n)), o.use(smallest))
    noting(o, bytes, smallest, () => o.vsetLow(bytes, p.d, result()), helper)
  } else if (name === 'SUQADD' || name === 'USQADD') {
    // Half of the range apart, a number with a sign and one without change places.
    const n = o.let(128, o.vget(p.n))
    const moved = o.let(128, o.vector('v128.xor', o.vget(p.d), signs(o, s)))
    const [sum, out] = saturatedSum(o, name === 'SUQADD' ? 'UQADD' : 'SQADD', s, moved, n) ?? []
    if (sum === undefined || out === undefined) return helper()
    noting(o, bytes, out, () => o.vsetLow(bytes, p.d, o.vector('v128.xor', o.use(sum), signs(o, s))), helper)
  } else helper()
}

/** SQSHL, UQSHL, SQSHLU by an immediate: out of range is what does not come back. */
export function shiftLeft<V>(
  o: Ops<V>,
  name: string,
  s: number,
  bytes: Bytes,
  p: Two & { readonly shift: SmallOperand },
  helper: () => void,
): void {
  const n = o.let(128, o.vget(p.n))
  const moved = o.let(128, o.laneShift(`${shape(s)}.shl`, o.use(n), o.imm(32, p.shift)))
  const back = o.laneShift(`${shape(s)}.shr_${name === 'SQSHL' ? 's' : 'u'}`, o.use(moved), o.imm(32, p.shift))
  const lost = o.vector('v128.xor', back, o.use(n))
  const out = name === 'SQSHLU' ? o.vector('v128.or', lost, o.vector('v128.and', o.use(n), signs(o, s))) : lost
  const saturated = o.let(128, someBit(o, s, out))
  const limit = (): V => (name === 'SQSHL' ? signedLimit(o, s, n) : name === 'UQSHL' ? ones(o) : unsignedLimit(o, s, n))
  const result = (): V => o.vectorBitSelect(limit(), o.use(moved), o.use(saturated))
  noting(o, bytes, saturated, () => o.vsetLow(bytes, p.d, result()), helper)
}

/** All ones where any bit of a lane is set. */
const someBit = <V>(o: Ops<V>, s: number, value: V): V =>
  o.vector('v128.not', o.vector(`${shape(s)}.eq`, value, zero(o)))

/**
 * Lanes of twice 2^s bytes narrowed, by the name of the instruction: signed to signed must be the extension of their lower
 * halves, all others have upper halves of zeros. `upper`: of the destination; undefined for a scalar.
 */
export function narrowed<V>(
  o: Ops<V>,
  name: string,
  s: number,
  upper: number | undefined,
  d: VecOperand,
  value: V,
  helper: () => void,
): void {
  const wide = o.let(128, value)
  const bits = bitsOf(s)
  const extended = (): V => {
    const up = o.laneShift(`${wideShape(s)}.shl`, o.use(wide), o.konst(32, bits))
    return o.vector('v128.xor', o.laneShift(`${wideShape(s)}.shr_s`, up, o.konst(32, bits)), o.use(wide))
  }
  const toUnsigned = name.includes('UN')
  const isSigned = name.startsWith('S') && !toUnsigned
  const out = isSigned ? extended() : o.laneShift(`${wideShape(s)}.shr_u`, o.use(wide), o.konst(32, bits))
  const saturated = o.let(128, someBit(o, s + 1, out))
  // The limits in the lower halves, which is all that is taken.
  const limit = (): V =>
    isSigned
      ? o.vector('v128.xor', signMask(o, s + 1, wide), lanes(o, s + 1, largest(s)))
      : toUnsigned
        ? unsignedLimit(o, s + 1, wide)
        : ones(o)
  const result = (): Local => o.let(128, o.vectorBitSelect(limit(), o.use(wide), o.use(saturated)))
  const bytes = upper === undefined ? NARROW_BYTES[s] : undefined
  noting(
    o,
    upper === undefined ? (WIDE_BYTES[s] ?? 8) : 16,
    saturated,
    () => {
      const kept = result()
      if (bytes === undefined) setHalf(o, upper ?? 0, d, lowHalves(o, s, kept))
      else o.vsetLow(bytes, d, o.use(kept))
    },
    helper,
  )
}
const NARROW_BYTES = [1, 2, 4] as const
const WIDE_BYTES = [2, 4, 8] as const
