/** Products without carries of doublewords: polynomials over GF(2) (Arm ARM, PolynomialMult). */
import type { Local, Ops } from '../ops.ts'
import { elements, lanes, shuffleLocals, zero } from '../rows/simd-lanes.ts'

/** Every fourth bit of a factor is taken at a time: no more than eight ones meet in a digit, whose lowest bit is their parity. */
const DIGITS = 4
const EVERY_FOURTH = 0x1111_1111_1111_1111n

const masked = <V>(o: Ops<V>, value: V, k: number): V =>
  o.vector('v128.and', value, lanes(o, 3, EVERY_FOURTH << BigInt(k)))

/** The four digit's places of a vector, one each. */
const places = <V>(o: Ops<V>, vector: Local): Local[] =>
  Array.from({ length: DIGITS }, (_, k) => o.let(128, masked(o, o.use(vector), k)))

/** Products of the words in two lanes each, `part` saying which, by those of all places. */
function products<V>(o: Ops<V>, part: 'low' | 'high', a: readonly Local[], b: readonly Local[]): V {
  /** What of the products lies in place k: the digits of which the places sum up to it. */
  const place = (k: number): V => {
    const pair = (i: number): V => {
      const [x, y] = [a[i], b[(k - i + DIGITS) % DIGITS]]
      if (x === undefined || y === undefined) throw new Error('a digit has no such place')
      return o.vector(`i64x2.extmul_${part}_i32x4_u`, o.use(x), o.use(y))
    }
    let sum = pair(0)
    for (let i = 1; i < DIGITS; i++) sum = o.vector('v128.xor', sum, pair(i))
    return masked(o, sum, k)
  }
  let all = place(0)
  for (let k = 1; k < DIGITS; k++) all = o.vector('v128.or', all, place(k))
  return all
}

/** The 128-bit product of doubleword `half` of each factor. */
export function doublewordProduct<V>(o: Ops<V>, half: number, n: Local, m: Local): V {
  const words = (vector: Local, ...from: readonly number[]): Local =>
    o.let(
      128,
      shuffleLocals(
        o,
        elements(2, (i) => 2 * half + (from[i] ?? 0)),
        vector,
        vector,
      ),
    )
  const a = places(o, words(n, 0, 1, 0, 1))
  const b = places(o, words(m, 0, 1, 1, 0))
  // Low by low and high by high; then what is across, which counts from bit 32 on.
  const straight = o.let(128, products(o, 'low', a, b))
  const across = o.let(128, products(o, 'high', a, b))
  const swapped = shuffleLocals(
    o,
    elements(3, (i) => 1 - i),
    across,
    across,
  )
  const middle = o.let(128, o.vector('v128.xor', swapped, o.use(across)))
  const moved = o.shuffle(
    elements(2, (i) => [4, 0, 1, 4][i] ?? 0),
    o.use(middle),
    zero(o),
  )
  return o.vector('v128.xor', moved, o.use(straight))
}
