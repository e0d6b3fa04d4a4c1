/** Lanes of floating-point numbers that the host computes with: what they are, and when its result may be taken. */
import type { Local, Ops, VecOperand } from '../ops.ts'
import { lanes, zero } from './simd-lanes.ts'

/** log2 of the bytes of a number that the host has. */
export type HostSize = 2 | 3
export type Bytes = 4 | 8 | 16

export type HostShape = 'f32x4' | 'f64x2'
export const hostShape = (size: HostSize): HostShape => (size === 3 ? 'f64x2' : 'f32x4')

const INFINITY: Readonly<Record<HostSize, bigint>> = { 2: 0x7f800000n, 3: 0x7ff0000000000000n }
const SMALLEST_NORMAL: Readonly<Record<HostSize, bigint>> = { 2: 0x00800000n, 3: 0x0010000000000000n }

/** 1 when the mask is all ones in the lanes that count. */
export function holds<V>(o: Ops<V>, size: HostSize, bytes: Bytes, mask: V): V {
  // Lanes that do not count are made to hold.
  const low = bytes >= 8 ? 0n : 0xffffffffn << 32n
  const all = bytes === 16 ? mask : o.vector('v128.or', mask, o.vconst(low, 0xffffffffffffffffn))
  return o.vector(`${size === 3 ? 'i64x2' : 'i32x4'}.all_true`, all)
}

export const magnitude = <V>(o: Ops<V>, size: HostSize, r: Local): V => o.vector(`${hostShape(size)}.abs`, o.use(r))

export const isFinite = <V>(o: Ops<V>, size: HostSize, r: Local): V =>
  o.vector(`${hostShape(size)}.lt`, magnitude(o, size, r), lanes(o, size, INFINITY[size]))

export const isNormal = <V>(o: Ops<V>, size: HostSize, r: Local): V => {
  const above = o.vector(`${hostShape(size)}.gt`, magnitude(o, size, r), lanes(o, size, SMALLEST_NORMAL[size]))
  return o.vector('v128.and', above, isFinite(o, size, r))
}

export const isNumber = <V>(o: Ops<V>, size: HostSize, r: Local): V =>
  o.vector(`${hostShape(size)}.eq`, o.use(r), o.use(r))

export const isZero = <V>(o: Ops<V>, size: HostSize, r: Local): V =>
  o.vector(`${hostShape(size)}.eq`, o.use(r), lanes(o, size, 0n))

/** Roundings to integers in the same format: to nearest with ties to even or away from zero, up, down, towards zero. */
export type RoundOp = 'nearest' | 'away' | 'ceil' | 'floor' | 'trunc'

const ONE: Readonly<Record<HostSize, bigint>> = { 2: 0x3f800000n, 3: 0x3ff0000000000000n }
const HALF: Readonly<Record<HostSize, bigint>> = { 2: 0x3f000000n, 3: 0x3fe0000000000000n }

export function rounded<V>(o: Ops<V>, op: RoundOp, size: HostSize, n: Local): V {
  const shape = hostShape(size)
  if (op !== 'away') return o.vector(`${shape}.${op}`, o.use(n))
  const sign = 1n << BigInt((8 << size) - 1)
  const whole = o.let(128, o.vector(`${shape}.trunc`, o.use(n)))
  const rest = o.vector(`${shape}.abs`, o.vector(`${shape}.sub`, o.use(n), o.use(whole)))
  const up = o.let(128, o.vector(`${shape}.ge`, rest, lanes(o, size, HALF[size])))
  const unit = o.vector('v128.or', o.vector('v128.and', o.use(n), lanes(o, size, sign)), lanes(o, size, ONE[size]))
  const next = o.vector(`${shape}.add`, unit, o.use(whole))
  return o.vectorBitSelect(next, o.use(whole), o.use(up))
}

/** What is lost of a + b in their rounded sum s (Knuth's TwoSum). */
export function sumError<V>(o: Ops<V>, size: HostSize, a: Local, b: Local, s: Local): Local {
  const [add, sub] = [`${hostShape(size)}.add`, `${hostShape(size)}.sub`] as const
  const of = o.let(128, o.vector(sub, o.use(s), o.use(a)))
  const first = o.vector(sub, o.use(a), o.vector(sub, o.use(s), o.use(of)))
  return o.let(128, o.vector(add, first, o.vector(sub, o.use(b), o.use(of))))
}

const FRACTION: Readonly<Record<HostSize, bigint>> = { 2: (1n << 23n) - 1n, 3: (1n << 52n) - 1n }
/** Two numbers without these bits have an exact product. */
const LONG_FRACTION: Readonly<Record<HostSize, bigint>> = { 2: (1n << 12n) - 1n, 3: (1n << 27n) - 1n }

const without = <V>(o: Ops<V>, size: HostSize, value: V, bits: bigint): V =>
  o.vector(`${size === 3 ? 'i64x2' : 'i32x4'}.eq`, o.vector('v128.and', value, lanes(o, size, bits)), zero(o))

/** Whether numbers are powers of two, which make no product or quotient inexact that is normal. */
export const isPower = <V>(o: Ops<V>, size: HostSize, n: Local): V => without(o, size, o.use(n), FRACTION[size])

/** Whether a product of these is exact for certain: small integers, and whatever has few digits. */
export const areShort = <V>(o: Ops<V>, size: HostSize, n: Local, m: Local): V =>
  without(o, size, o.vector('v128.or', o.use(n), o.use(m)), LONG_FRACTION[size])

export type Accept = 'finite' | 'normal' | 'number'
const ACCEPT = { finite: isFinite, normal: isNormal, number: isNumber } as const

/** The result, if the host's may be taken: `needs` says what of FPCR and FPSR. */
export function settle<V>(
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
