/**
 * FCADD and FCMLA: pairs of elements are complex numbers, of which the second operand is turned by a multiple of 90 degrees. That is to
 * exchange its parts and to negate some of them; the rest is a sum, or one fused product and sum.
 */
import type { Local, Ops, VecOperand } from '../ops.ts'
import { exactSum, keep } from './host-float.ts'
import { multiplyAdd } from './host-fused.ts'
import { hostShape, settle } from './host-lanes.ts'
import type { Bytes, HostSize } from './host-lanes.ts'
import { byteVector, elements } from './simd-lanes.ts'

const isImaginary = (element: number): boolean => element % 2 === 1

/** Each pair with its parts exchanged, or twice one of them: `part` tells which for an element. */
const parts = <V>(o: Ops<V>, size: HostSize, value: Local, part: (element: number) => number): V =>
  o.shuffle(
    elements(size, (i) => (i & ~1) | part(i)),
    o.use(value),
    o.use(value),
  )

/** The value with the parts negated that are to be. */
function negated<V>(o: Ops<V>, size: HostSize, value: V, real: boolean, imaginary: boolean): V {
  if (!real && !imaginary) return value
  const last = (1 << size) - 1
  const signs = byteVector(o, (i) => ((i & last) === last && (isImaginary(i >> size) ? imaginary : real) ? 0x80 : 0))
  return o.vector('v128.xor', value, signs)
}

interface Operands {
  readonly d: VecOperand
  readonly n: VecOperand
}

/** FCADD: `rotation` is 0 for 90 degrees, 1 for 270. */
export function complexAdd<V>(
  o: Ops<V>,
  size: HostSize,
  bytes: Bytes,
  rotation: number,
  { d, n, m }: Operands & { readonly m: VecOperand },
  helper: () => void,
): void {
  const second = o.let(128, o.vget(m))
  const exchanged = parts(o, size, second, (i) => (isImaginary(i) ? 0 : 1))
  const turned = o.let(128, negated(o, size, exchanged, rotation === 0, rotation === 1))
  const result = o.let(128, o.vector(`${hostShape(size)}.add`, o.vget(n), o.use(turned)))
  settle(o, 'finite', size, bytes, d, result, keep, () =>
    exactSum(o, 'add', size, bytes, d, result, { n: () => o.vget(n), m: () => o.use(turned) }, keep, helper),
  )
}

/** FCMLA: `rotation` in quarters of a circle; one part of the first operand is multiplied with both of the second. */
export function complexMultiplyAdd<V>(
  o: Ops<V>,
  size: HostSize,
  bytes: Bytes,
  rotation: number,
  { d, n }: Operands,
  second: () => V,
  helper: () => void,
): void {
  const quarter = rotation % 2
  const first = o.let(128, o.vget(n))
  const other = o.let(128, second())
  const push = {
    n: () => parts(o, size, first, () => quarter),
    m: () => {
      const turned = parts(o, size, other, (i) => (isImaginary(i) ? 1 - quarter : quarter))
      return negated(o, size, turned, rotation === 1 || rotation === 2, rotation >= 2)
    },
    addend: () => o.vget(d),
  }
  multiplyAdd(o, size, bytes, d, push, { product: false, addend: false }, helper)
}
