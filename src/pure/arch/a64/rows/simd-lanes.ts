/** What the rows of the vector instructions are built from: shapes, permutations, lanes chosen by an operand. */
import type { LaneShape, Local, Ops, SmallOperand, VecOperand, Width } from '../ops.ts'

/** `size` of the encodings: log2 of the bytes of an element. */
export type Size = 0 | 1 | 2 | 3

const SIZES: readonly Size[] = [0, 1, 2, 3]
export const sizeOf = (s: number): Size => SIZES[s] ?? 3

export const shape = (s: number): LaneShape => (['i8x16', 'i16x8', 'i32x4', 'i64x2'] as const)[s] ?? 'i64x2'
/** Shapes of the operations that WebAssembly does not have for 64-bit lanes. */
export const smallShape = (s: number): 'i8x16' | 'i16x8' | 'i32x4' =>
  (['i8x16', 'i16x8', 'i32x4'] as const)[s] ?? 'i32x4'

/** Bytes that an instruction writes: all of the register or its lower half. */
export const bytesOf = (q: number): 8 | 16 => (q === 1 ? 16 : 8)
/** Bytes of an element. */
export const elementBytes = (s: number): 1 | 2 | 4 | 8 => ([1, 2, 4, 8] as const)[s] ?? 8
/** Width of the general register value that an element travels in. */
export const elementWidth = (s: number): Width => (s === 3 ? 64 : 32)

const bytesToHalves = (bytes: readonly number[]): readonly [bigint, bigint] => {
  let value = 0n
  bytes.forEach((b, i) => (value |= BigInt(b) << BigInt(8 * i)))
  return [value & 0xffffffffffffffffn, value >> 64n]
}

/** A constant of 16 bytes. */
export function byteVector<V>(o: Ops<V>, byte: (i: number) => number): V {
  const [low, high] = bytesToHalves(Array.from({ length: 16 }, (_, i) => byte(i) & 0xff))
  return o.vconst(low, high)
}

/** A constant with the same value in each lane. */
export function lanes<V>(o: Ops<V>, s: number, value: bigint): V {
  const bits = 8n << BigInt(s)
  let half = 0n
  for (let i = 0n; i < 64n; i += bits) half |= BigInt.asUintN(Number(bits), value) << i
  return o.vconst(half, half)
}

export const zero = <V>(o: Ops<V>): V => o.vconst(0n, 0n)

/** Source bytes, by element: element i of the result is element `from(i)` of the concatenation a:b (16 bytes each). */
export const elements = (s: number, from: (i: number) => number): number[] =>
  Array.from({ length: 16 }, (_, i) => (from(i >> s) << s) | (i & ((1 << s) - 1)))

export const shuffleLocals = <V>(o: Ops<V>, indexes: readonly number[], a: Local, b: Local): V =>
  o.shuffle(indexes, o.use(a), o.use(b))

/**
 * 16 bytes picked out of several vectors: `from(i)` is 16 * vector + byte, or undefined for a byte that does not matter.
 */
export function gather<V>(o: Ops<V>, sources: readonly Local[], from: (i: number) => number | undefined): V {
  const [first, ...others] = sources
  if (first === undefined) throw new Error('nothing to gather from')
  let value = o.use(first)
  let done = Array.from({ length: 16 }, (_, i) => {
    const at = from(i)
    return at !== undefined && at < 16 ? at : 0
  })
  if (others.length === 0) {
    const local = o.let(128, value)
    return shuffleLocals(o, done, local, local)
  }
  others.forEach((other, k) => {
    const indexes = done.map((at, i) => {
      const wanted = from(i)
      return wanted !== undefined && wanted >> 4 === k + 1 ? 16 + (wanted & 15) : at
    })
    value = o.shuffle(indexes, value, o.use(other))
    done = Array.from({ length: 16 }, (_, i) => i)
  })
  return value
}

/** A lane of each byte: the number of the element that it is in. */
const elementNumbers = <V>(o: Ops<V>, s: number): V => byteVector(o, (i) => i >> s)

/** Every lane is lane `index` (a 32-bit local) of a vector. */
export function duplicate<V>(o: Ops<V>, s: number, n: VecOperand, index: Local): V {
  const source = o.vget(n)
  const first = o.splat('i8x16', o.binary('shl', 32, o.use(index), o.konst(32, s)))
  const within = byteVector(o, (i) => i & ((1 << s) - 1))
  return o.vector('i8x16.swizzle', source, o.vector('i8x16.add', first, within))
}

/** A vector with lane `index` replaced. Both are pushed by the functions. */
export function insert<V>(o: Ops<V>, s: number, d: VecOperand, index: Local, everywhere: () => V): V {
  const inserted = everywhere()
  const old = o.vget(d)
  const numbers = elementNumbers(o, s)
  const mask = o.vector('i8x16.eq', numbers, o.splat('i8x16', o.use(index)))
  return o.vectorBitSelect(inserted, old, mask)
}

/** A lane as a general register value. */
export function laneOf<V>(o: Ops<V>, s: number, n: VecOperand, index: Local): V {
  const everywhere = duplicate(o, s, n, index)
  return s === 3
    ? o.extractLane('i64x2', 0, everywhere)
    : o.extractLane((['i8x16_u', 'i16x8_u', 'i32x4'] as const)[s] ?? 'i32x4', 0, everywhere)
}

export const indexLocal = <V>(o: Ops<V>, index: SmallOperand): Local => o.let(32, o.imm(32, index))

/** A general register value of the element's width in every lane. */
export const splatElement = <V>(o: Ops<V>, s: number, value: V): V => o.splat(shape(s), value)

/** Narrowing results go to the lower half, the rest cleared, or (Q = 1) to the upper half, the lower kept. */
export function setHalf<V>(o: Ops<V>, q: number, d: VecOperand, value: V): void {
  if (q === 0) return o.vsetLow(8, d, value)
  const narrow = o.let(128, value)
  o.vset(
    d,
    o.shuffle(
      elements(3, (i) => (i === 0 ? 0 : 2)),
      o.vget(d),
      o.use(narrow),
    ),
  )
}

/** The low halves of elements of twice 2^s bytes, in the lower eight bytes. */
export const lowHalves = <V>(o: Ops<V>, s: number, wide: Local): V =>
  gather(o, [wide], (i) => elements(s, (k) => (2 * k) % (16 >> s))[i])
/** The high halves. */
export const highHalves = <V>(o: Ops<V>, s: number, wide: Local): V =>
  gather(o, [wide], (i) => elements(s, (k) => (2 * k + 1) % (16 >> s))[i])
