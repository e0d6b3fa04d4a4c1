/** Steps of SHA-1, SHA-256 and SHA-512 on vectors (Arm ARM C7.2, SHA instructions, and the SHAhash functions; FIPS 180-4). */
import type { Local, Ops, VecOperand, Width } from '../ops.ts'
import { elements, shape, zero } from '../rows/simd-lanes.ts'

export interface Two {
  readonly d: VecOperand
  readonly n: VecOperand
}
export interface Three extends Two {
  readonly m: VecOperand
}

type Words = readonly [Local, Local, Local, Local]

/** A function of three words, of 32 or 64 bits. */
type Combine = <V>(o: Ops<V>, w: Width, x: Local, y: Local, z: Local) => V
const choose: Combine = (o, w, x, y, z) => {
  const differ = o.binary('xor', w, o.use(y), o.use(z))
  return o.binary('xor', w, o.binary('and', w, differ, o.use(x)), o.use(z))
}
const majority: Combine = (o, w, x, y, z) => {
  const both = o.binary('and', w, o.use(x), o.use(y))
  const either = o.binary('or', w, o.use(x), o.use(y))
  return o.binary('or', w, both, o.binary('and', w, either, o.use(z)))
}
const odd: Combine = (o, w, x, y, z) => o.binary('xor', w, o.binary('xor', w, o.use(x), o.use(y)), o.use(z))

const rotated = <V>(o: Ops<V>, w: Width, value: Local, right: number): V =>
  o.binary('rotr', w, o.use(value), o.konst(w, right))

/** The sum of three rotations to the right. */
function sigma<V>(o: Ops<V>, w: Width, value: Local, [a, b, c]: readonly [number, number, number]): V {
  const two = o.binary('xor', w, rotated(o, w, value, a), rotated(o, w, value, b))
  return o.binary('xor', w, two, rotated(o, w, value, c))
}

const plus = <V>(o: Ops<V>, w: Width, a: V, b: V): V => o.binary('add', w, a, b)

function wordsOf<V>(o: Ops<V>, register: VecOperand): Words {
  const vector = o.let(128, o.vget(register))
  const word = (i: number): Local => o.let(32, o.extractLane('i32x4', i, o.use(vector)))
  return [word(0), word(1), word(2), word(3)]
}
const vectorOf = <V>(o: Ops<V>, words: Words): V =>
  words
    .slice(1)
    .reduce((all, word, i) => o.replaceLane('i32x4', i + 1, all, o.use(word)), o.splat('i32x4', o.use(words[0])))

/** Four rounds: Q<d> is a to d, S<n> is e. */
const sha1Hash =
  (combine: Combine) =>
  <V>(o: Ops<V>, { d, n, m }: Three): void => {
    let [a, b, c, last] = wordsOf(o, d)
    let e = o.let(32, o.extractLane('i32x4', 0, o.vget(n)))
    for (const word of wordsOf(o, m)) {
      const start = plus(o, 32, o.use(e), rotated(o, 32, a, 32 - 5))
      const next = o.let(32, plus(o, 32, plus(o, 32, start, combine(o, 32, b, c, last)), o.use(word)))
      ;[a, b, c, last, e] = [next, a, o.let(32, rotated(o, 32, b, 32 - 30)), c, last]
    }
    o.vset(d, vectorOf(o, [a, b, c, last]))
  }
export const sha1c = sha1Hash(choose)
export const sha1p = sha1Hash(odd)
export const sha1m = sha1Hash(majority)

export const sha1h = <V>(o: Ops<V>, { d, n }: Two): void => {
  const word = o.let(32, o.extractLane('i32x4', 0, o.vget(n)))
  o.vset(d, o.replaceLane('i32x4', 0, zero(o), rotated(o, 32, word, 32 - 30)))
}

/** Lanes of 2^s bytes rotated to the right. */
function lanesRotated<V>(o: Ops<V>, s: number, value: Local, right: number): V {
  const left = o.laneShift(`${shape(s)}.shl`, o.use(value), o.konst(32, (8 << s) - right))
  return o.vector('v128.or', left, o.laneShift(`${shape(s)}.shr_u`, o.use(value), o.konst(32, right)))
}

/** The sum of two rotations and a shift to the right, in each lane. */
function lanesSigma<V>(o: Ops<V>, s: number, value: Local, [a, b, shift]: readonly [number, number, number]): V {
  const two = o.vector('v128.xor', lanesRotated(o, s, value, a), lanesRotated(o, s, value, b))
  return o.vector('v128.xor', two, o.laneShift(`${shape(s)}.shr_u`, o.use(value), o.konst(32, shift)))
}

const wordsFrom = (...from: readonly number[]): number[] => elements(2, (i) => from[i] ?? 0)
const halvesFrom = (...from: readonly number[]): number[] => elements(3, (i) => from[i] ?? 0)

export const sha1su0 = <V>(o: Ops<V>, { d, n, m }: Three): void => {
  const old = o.let(128, o.vget(d))
  const moved = o.shuffle(wordsFrom(2, 3, 4, 5), o.use(old), o.vget(n))
  o.vset(d, o.vector('v128.xor', o.vector('v128.xor', moved, o.use(old)), o.vget(m)))
}

export const sha1su1 = <V>(o: Ops<V>, { d, n }: Two): void => {
  const old = o.vget(d)
  const sum = o.let(128, o.vector('v128.xor', old, o.shuffle(wordsFrom(1, 2, 3, 4), o.vget(n), zero(o))))
  const turned = o.let(128, lanesRotated(o, 2, sum, 32 - 1))
  // The last word depends on the first of the result.
  const first = o.let(128, o.shuffle(wordsFrom(4, 4, 4, 0), o.use(turned), zero(o)))
  const kept = o.use(turned)
  o.vset(d, o.vector('v128.xor', kept, lanesRotated(o, 2, first, 32 - 1)))
}

/** Four rounds on a to d and e to h: both halves afterwards. */
function sha256Hash<V>(
  o: Ops<V>,
  upper: VecOperand,
  lower: VecOperand,
  message: VecOperand,
): { abcd: Words; efgh: Words } {
  let [a, b, c, d] = wordsOf(o, upper)
  let [e, f, g, h] = wordsOf(o, lower)
  for (const word of wordsOf(o, message)) {
    const start = plus(o, 32, o.use(h), sigma(o, 32, e, [6, 11, 25]))
    const t = o.let(32, plus(o, 32, plus(o, 32, start, choose(o, 32, e, f, g)), o.use(word)))
    const own = plus(o, 32, o.use(t), sigma(o, 32, a, [2, 13, 22]))
    const first = o.let(32, plus(o, 32, own, majority(o, 32, a, b, c)))
    const fifth = o.let(32, plus(o, 32, o.use(d), o.use(t)))
    ;[a, b, c, d, e, f, g, h] = [first, a, b, c, fifth, e, f, g]
  }
  return { abcd: [a, b, c, d], efgh: [e, f, g, h] }
}
export const sha256h = <V>(o: Ops<V>, { d, n, m }: Three): void => o.vset(d, vectorOf(o, sha256Hash(o, d, n, m).abcd))
export const sha256h2 = <V>(o: Ops<V>, { d, n, m }: Three): void => o.vset(d, vectorOf(o, sha256Hash(o, n, d, m).efgh))

export const sha256su0 = <V>(o: Ops<V>, { d, n }: Two): void => {
  const old = o.let(128, o.vget(d))
  const next = o.let(128, o.shuffle(wordsFrom(1, 2, 3, 4), o.use(old), o.vget(n)))
  const kept = o.use(old)
  o.vset(d, o.vector('i32x4.add', kept, lanesSigma(o, 2, next, [7, 18, 3])))
}

export const sha256su1 = <V>(o: Ops<V>, { d, n, m }: Three): void => {
  const SIGMA = [17, 19, 10] as const
  const message = o.let(128, o.vget(m))
  const old = o.vget(d)
  const partly = o.let(128, o.vector('i32x4.add', old, o.shuffle(wordsFrom(1, 2, 3, 4), o.vget(n), o.use(message))))
  const lower = o.let(128, o.shuffle(wordsFrom(2, 3, 4, 4), o.use(message), zero(o)))
  const begun = o.use(partly)
  const half = o.let(128, o.vector('i32x4.add', begun, lanesSigma(o, 2, lower, SIGMA)))
  // The upper words depend on the lower ones of the result.
  const upper = o.let(128, o.shuffle(wordsFrom(4, 4, 0, 1), o.use(half), zero(o)))
  const kept = o.use(half)
  o.vset(d, o.vector('i32x4.add', kept, lanesSigma(o, 2, upper, SIGMA)))
}

function halvesOf<V>(o: Ops<V>, register: VecOperand): readonly [Local, Local] {
  const vector = o.let(128, o.vget(register))
  const half = (i: number): Local => o.let(64, o.extractLane('i64x2', i, o.use(vector)))
  return [half(0), half(1)]
}
const vectorOfHalves = <V>(o: Ops<V>, low: Local, high: Local): V =>
  o.replaceLane('i64x2', 1, o.splat('i64x2', o.use(low)), o.use(high))

export function sha512h<V>(o: Ops<V>, { d, n, m }: Three): void {
  const SIGMA = [14, 18, 41] as const
  const [d0, d1] = halvesOf(o, d)
  const [n0, n1] = halvesOf(o, n)
  const [m0, m1] = halvesOf(o, m)
  const first = plus(o, 64, choose(o, 64, m1, n0, n1), sigma(o, 64, m1, SIGMA))
  const high = o.let(64, plus(o, 64, first, o.use(d1)))
  const t = o.let(64, plus(o, 64, o.use(high), o.use(m0)))
  const second = plus(o, 64, choose(o, 64, t, m1, n0), sigma(o, 64, t, SIGMA))
  const low = o.let(64, plus(o, 64, second, o.use(d0)))
  o.vset(d, vectorOfHalves(o, low, high))
}

export function sha512h2<V>(o: Ops<V>, { d, n, m }: Three): void {
  const SIGMA = [28, 34, 39] as const
  const [d0, d1] = halvesOf(o, d)
  const [n0] = halvesOf(o, n)
  const [m0, m1] = halvesOf(o, m)
  const first = plus(o, 64, majority(o, 64, n0, m1, m0), sigma(o, 64, m0, SIGMA))
  const high = o.let(64, plus(o, 64, first, o.use(d1)))
  const second = plus(o, 64, majority(o, 64, high, m0, m1), sigma(o, 64, high, SIGMA))
  const low = o.let(64, plus(o, 64, second, o.use(d0)))
  o.vset(d, vectorOfHalves(o, low, high))
}

export const sha512su0 = <V>(o: Ops<V>, { d, n }: Two): void => {
  const old = o.let(128, o.vget(d))
  const next = o.let(128, o.shuffle(halvesFrom(1, 2), o.use(old), o.vget(n)))
  const kept = o.use(old)
  o.vset(d, o.vector('i64x2.add', kept, lanesSigma(o, 3, next, [1, 8, 7])))
}

export const sha512su1 = <V>(o: Ops<V>, { d, n, m }: Three): void => {
  const from = o.let(128, o.vget(n))
  const sum = o.vector('i64x2.add', o.vget(d), o.vget(m))
  o.vset(d, o.vector('i64x2.add', sum, lanesSigma(o, 3, from, [19, 61, 6])))
}
