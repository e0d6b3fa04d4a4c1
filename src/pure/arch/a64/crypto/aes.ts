/** AES rounds on a state of 16 bytes, column by column (Arm ARM, AESSubBytes and its relatives; FIPS 197). */
import type { Local, Ops } from '../ops.ts'
import { byteVector, lanes, shuffleLocals, zero } from '../rows/simd-lanes.ts'
import { inverse, rotateByte } from './galois.ts'
import type { Two } from './sha.ts'

/** x^8 + x^4 + x^3 + x + 1 */
const MODULUS = 0x11b

const substitution = Uint8Array.from({ length: 256 }, (_, a) => {
  const b = inverse(a, MODULUS)
  return b ^ rotateByte(b, 1) ^ rotateByte(b, 2) ^ rotateByte(b, 3) ^ rotateByte(b, 4) ^ 0x63
})
const inverseSubstitution = new Uint8Array(256)
substitution.forEach((to, from) => (inverseSubstitution[to] = from))

/** Row r of the state moves by r columns: where each byte comes from. */
const shiftedFrom = (direction: 1 | -1): number[] =>
  Array.from({ length: 16 }, (_, i) => (i + 4 * direction * (i & 3) + 16) & 15)

/** Where each byte comes from when the columns turn upwards. */
const turned = (rows: number): number[] => Array.from({ length: 16 }, (_, i) => (i & ~3) | ((i + rows) & 3))

/** Each byte replaced. 16 entries are looked up at a time, which gives 0 for an index beyond them. */
function substituted<V>(o: Ops<V>, box: Uint8Array, state: Local): V {
  const part = (first: number): V => {
    const entries = byteVector(o, (i) => box[first + i] ?? 0)
    return o.vector('i8x16.swizzle', entries, o.vector('i8x16.sub', o.use(state), lanes(o, 0, BigInt(first))))
  }
  let all = part(0)
  for (let first = 16; first < 256; first += 16) all = o.vector('v128.or', all, part(first))
  return all
}

/** The round key is added, rows shift, bytes are replaced. */
const round =
  (from: readonly number[], box: Uint8Array) =>
  <V>(o: Ops<V>, { d, n }: Two): void => {
    const keyed = o.let(128, o.vector('v128.xor', o.vget(d), o.vget(n)))
    const shifted = o.let(128, shuffleLocals(o, from, keyed, keyed))
    o.vset(d, substituted(o, box, shifted))
  }
export const aese = round(shiftedFrom(1), substitution)
export const aesd = round(shiftedFrom(-1), inverseSubstitution)

/** Bytes times x. */
function doubled<V>(o: Ops<V>, state: Local): V {
  const moved = o.vector('i8x16.add', o.use(state), o.use(state))
  const overflow = o.vector(
    'v128.and',
    o.vector('i8x16.lt_s', o.use(state), zero(o)),
    lanes(o, 0, BigInt(MODULUS & 0xff)),
  )
  return o.vector('v128.xor', moved, overflow)
}

/** Each column times the circulant matrix of 2, 3, 1, 1: of a byte and the next, twice both, the next, and the sum of the others. */
function mixed<V>(o: Ops<V>, state: Local): V {
  const next = o.let(128, shuffleLocals(o, turned(1), state, state))
  const both = o.let(128, o.vector('v128.xor', o.use(state), o.use(next)))
  const own = o.vector('v128.xor', doubled(o, both), o.use(next))
  return o.vector('v128.xor', own, shuffleLocals(o, turned(2), both, both))
}

export const aesmc = <V>(o: Ops<V>, { d, n }: Two): void => o.vset(d, mixed(o, o.let(128, o.vget(n))))

/** The inverse matrix, of 14, 11, 13, 9, is that of AESMC times that of 5, 0, 4, 0. */
export function aesimc<V>(o: Ops<V>, { d, n }: Two): void {
  const state = o.let(128, o.vget(n))
  const opposite = o.let(128, o.vector('v128.xor', o.use(state), shuffleLocals(o, turned(2), state, state)))
  const twice = o.let(128, doubled(o, opposite))
  o.vset(d, mixed(o, o.let(128, o.vector('v128.xor', o.use(state), doubled(o, twice)))))
}
