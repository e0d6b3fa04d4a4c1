/** AdvSIMD three different and vector x indexed element, of integers (Arm ARM C4.1). */
import { small, vr } from '../ops.ts'
import type { Local, Ops, SmallOperand, VecOperand, VectorOp } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { bytesOf, duplicate, elementBytes, indexLocal, lanes, shape, highHalves, setHalf } from './simd-lanes.ts'
import { doublingHigh, doublingLong } from './simd-saturate.ts'
import { extend } from './simd-shift.ts'
import { carrylessProduct, product } from './simd-three-same.ts'

const fp = true

interface Operands {
  readonly d: VecOperand
  readonly n: VecOperand
  readonly m: VecOperand
}

const MULTIPLY: readonly (readonly [signed: readonly [VectorOp, VectorOp], unsigned: readonly [VectorOp, VectorOp]])[] =
  [
    [
      ['i16x8.extmul_low_i8x16_s', 'i16x8.extmul_high_i8x16_s'],
      ['i16x8.extmul_low_i8x16_u', 'i16x8.extmul_high_i8x16_u'],
    ],
    [
      ['i32x4.extmul_low_i16x8_s', 'i32x4.extmul_high_i16x8_s'],
      ['i32x4.extmul_low_i16x8_u', 'i32x4.extmul_high_i16x8_u'],
    ],
    [
      ['i64x2.extmul_low_i32x4_s', 'i64x2.extmul_high_i32x4_s'],
      ['i64x2.extmul_low_i32x4_u', 'i64x2.extmul_high_i32x4_u'],
    ],
  ]
/** Elements of the lower or upper halves multiplied, at twice their width. */
function longProduct<V>(o: Ops<V>, s: number, U: number, q: number, n: V, m: V): V {
  const op = MULTIPLY[s]?.[U === 1 ? 1 : 0][q === 1 ? 1 : 0]
  if (op === undefined) throw new Error(`no elements of ${8 << s} bits are multiplied`)
  return o.vector(op, n, m)
}

type Compute = <V>(o: Ops<V>, v: { Q: number; s: number }, p: Operands, U: 0 | 1) => V

const longOp =
  (op: 'add' | 'sub', wide: boolean): Compute =>
  (o, v, p, U) => {
    const n = wide ? o.vget(p.n) : extend(o, v.s, U, v.Q, o.vget(p.n))
    return o.vector(`${shape(v.s + 1)}.${op}`, n, extend(o, v.s, U, v.Q, o.vget(p.m)))
  }
const longDifference: Compute = (o, v, p, U) => o.vector(`${shape(v.s + 1)}.abs`, longOp('sub', false)(o, v, p, U))
const longMultiply: Compute = (o, v, p, U) => longProduct(o, v.s, U, v.Q, o.vget(p.n), o.vget(p.m))
const onto =
  (op: 'add' | 'sub', value: Compute): Compute =>
  (o, v, p, U) => {
    const old = o.vget(p.d)
    return o.vector(`${shape(v.s + 1)}.${op}`, old, value(o, v, p, U))
  }

const LONG: readonly (readonly [string, number, Compute])[] = [
  ['ADDL', 0b0000, longOp('add', false)],
  ['ADDW', 0b0001, longOp('add', true)],
  ['SUBL', 0b0010, longOp('sub', false)],
  ['SUBW', 0b0011, longOp('sub', true)],
  ['ABAL', 0b0101, onto('add', longDifference)],
  ['ABDL', 0b0111, longDifference],
  ['MLAL', 0b1000, onto('add', longMultiply)],
  ['MLSL', 0b1010, onto('sub', longMultiply)],
  ['MULL', 0b1100, longMultiply],
]

const three = (f: { d: number; n: number; m: number }) => ({ d: vr(f.d), n: vr(f.n), m: vr(f.m) })

const long: Row[] = LONG.flatMap(([name, opcode, value]) =>
  ([0, 1] as const).map((U) =>
    a64(
      `${U === 1 ? 'U' : 'S'}${name}`,
      '0 Q U 01110 ss 1 mmmmm oooo 00 nnnnn ddddd',
      `${U === 1 ? 'U' : 'S'}${name}{2} <Vd>.<Ta>, <Vn>.${name.endsWith('W') ? '<Ta>' : '<Tb>'}, <Vm>.<Tb>`,
      {
        variants: 'Qs',
        fixed: { U, o: opcode },
        fp,
        when: (f) => f.s < 3,
        operands: three,
        body: (o, v, p) => o.vset(p.d, value(o, v, p, U)),
      },
    ),
  ),
)

const HIGH = [
  { name: 'ADDHN', U: 0, o: 0b0100, op: 'add' },
  { name: 'RADDHN', U: 1, o: 0b0100, op: 'add' },
  { name: 'SUBHN', U: 0, o: 0b0110, op: 'sub' },
  { name: 'RSUBHN', U: 1, o: 0b0110, op: 'sub' },
] as const

const high: Row[] = HIGH.map(({ name, U, o: opcode, op }) =>
  a64(name, '0 Q U 01110 ss 1 mmmmm oooo 00 nnnnn ddddd', `${name}{2} <Vd>.<Tb>, <Vn>.<Ta>, <Vm>.<Ta>`, {
    variants: 'Qs',
    fixed: { U, o: opcode },
    fp,
    when: (f) => f.s < 3,
    operands: three,
    body: (o, v, p) => {
      const wide = shape(v.s + 1)
      const sum = o.vector(`${wide}.${op}`, o.vget(p.n), o.vget(p.m))
      const rounded = U === 1 ? o.vector(`${wide}.add`, sum, lanes(o, v.s + 1, 1n << BigInt((8 << v.s) - 1))) : sum
      setHalf(o, v.Q, p.d, highHalves(o, v.s, o.let(128, rounded)))
    },
  }),
)

const DOUBLING = [
  { name: 'SQDMLAL', o: 0b1001, element: 0b0011, accumulates: 'add' },
  { name: 'SQDMLSL', o: 0b1011, element: 0b0111, accumulates: 'sub' },
  { name: 'SQDMULL', o: 0b1101, element: 0b1011, accumulates: undefined },
] as const

const operandsOf = <V>(o: Ops<V>, p: Operands): readonly [Local, Local] => {
  const n = o.let(128, o.vget(p.n))
  return [n, o.let(128, o.vget(p.m))]
}

const doubling: Row[] = DOUBLING.flatMap(({ name, o: opcode, accumulates }) => [
  a64(`${name} (vector)`, '0 Q 0 01110 ss 1 mmmmm oooo 00 nnnnn ddddd', `${name}{2} <Vd>.<Ta>, <Vn>.<Tb>, <Vm>.<Tb>`, {
    variants: 'Qs',
    fixed: { o: opcode },
    fp,
    when: (f) => f.s === 1 || f.s === 2,
    operands: three,
    body: (o, v, p) => {
      const helper = (): void => o.call(name, 'pure', v.s, 8 >> v.s, v.Q, p.d, p.n, p.m)
      doublingLong(o, accumulates, v.s, v.Q, false, p.d, operandsOf(o, p), helper)
    },
  }),
  a64(`${name} (scalar)`, '01 0 11110 ss 1 mmmmm oooo 00 nnnnn ddddd', `${name} <Va><d>, <Vb><n>, <Vb><m>`, {
    variants: 's',
    fixed: { o: opcode },
    fp,
    when: (f) => f.s === 1 || f.s === 2,
    operands: three,
    body: (o, v, p) => {
      const helper = (): void => o.call(name, 'pure', v.s, 1, 0, p.d, p.n, p.m)
      doublingLong(o, accumulates, v.s, 0, true, p.d, operandsOf(o, p), helper)
    },
  }),
])

/** Halfwords are indexed by H:L:M and only in V0 to V15, words by H:L in any register. */
const BY_ELEMENT = [
  {
    s: 1,
    T: 'H',
    vector: '0 Q U 01111 01 L M mmmm oooo H 0 nnnnn ddddd',
    scalar: '01 U 11111 01 L M mmmm oooo H 0 nnnnn ddddd',
  },
  {
    s: 2,
    T: 'S',
    vector: '0 Q U 01111 10 L M mmmm oooo H 0 nnnnn ddddd',
    scalar: '01 U 11111 10 L M mmmm oooo H 0 nnnnn ddddd',
  },
] as const

type ElementFields = { d: number; n: number; m: number; L: number; M: number; H: number }
const elementOperands = (s: number) => (f: ElementFields) => ({
  d: vr(f.d),
  n: vr(f.n),
  m: vr(s === 1 ? f.m : (f.M << 4) | f.m),
  index: small(s === 1 ? (f.H << 2) | (f.L << 1) | f.M : (f.H << 1) | f.L),
})
type ByElement = Operands & { readonly index: SmallOperand }

/** n and the element in every lane. */
function factors<V>(o: Ops<V>, s: number, p: ByElement): readonly [Local, Local] {
  const index = indexLocal(o, p.index)
  const m = o.let(128, duplicate(o, s, p.m, index))
  return [o.let(128, o.vget(p.n)), m]
}

type ComputeByElement = <V>(o: Ops<V>, Q: number, s: number, p: ByElement, U: 0 | 1) => V
const sameWidth =
  (op?: 'add' | 'sub'): ComputeByElement =>
  (o, _Q, s, p) => {
    const [n, m] = factors(o, s, p)
    if (op === undefined) return product(o, s, n, m)
    const old = o.vget(p.d)
    return o.vector(`${shape(s)}.${op}`, old, product(o, s, n, m))
  }
const doubleWidth =
  (op?: 'add' | 'sub'): ComputeByElement =>
  (o, Q, s, p, U) => {
    const [n, m] = factors(o, s, p)
    if (op === undefined) return longProduct(o, s, U, Q, o.use(n), o.use(m))
    const old = o.vget(p.d)
    return o.vector(`${shape(s + 1)}.${op}`, old, longProduct(o, s, U, Q, o.use(n), o.use(m)))
  }

const ELEMENT_SYNTAX = {
  same: (name: string) => `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<Ts>[<index>]`,
  double: (name: string) => `${name}{2} <Vd>.<Ta>, <Vn>.<Tb>, <Vm>.<Ts>[<index>]`,
}

const ELEMENT: readonly (readonly [string, 0 | 1, number, 'same' | 'double', ComputeByElement])[] = [
  ['MUL', 0, 0b1000, 'same', sameWidth()],
  ['MLA', 1, 0b0000, 'same', sameWidth('add')],
  ['MLS', 1, 0b0100, 'same', sameWidth('sub')],
  ['SMULL', 0, 0b1010, 'double', doubleWidth()],
  ['UMULL', 1, 0b1010, 'double', doubleWidth()],
  ['SMLAL', 0, 0b0010, 'double', doubleWidth('add')],
  ['UMLAL', 1, 0b0010, 'double', doubleWidth('add')],
  ['SMLSL', 0, 0b0110, 'double', doubleWidth('sub')],
  ['UMLSL', 1, 0b0110, 'double', doubleWidth('sub')],
]

const byElement: Row[] = BY_ELEMENT.flatMap(({ s, T, vector, scalar }) => [
  ...ELEMENT.map(([name, U, opcode, width, value]) =>
    a64(`${name} (by element, ${T})`, vector, ELEMENT_SYNTAX[width](name), {
      variants: 'Q',
      fixed: { U, o: opcode },
      fp,
      operands: elementOperands(s),
      body: (o, v, p) => o.vsetLow(width === 'double' ? 16 : bytesOf(v.Q), p.d, value(o, v.Q, s, p, U)),
    }),
  ),
  ...DOUBLING.flatMap(({ name, element, accumulates }) => [
    a64(`${name} (by element, ${T})`, vector, `${name}{2} <Vd>.<Ta>, <Vn>.<Tb>, <Vm>.<Ts>[<index>]`, {
      variants: 'Q',
      fixed: { U: 0, o: element },
      fp,
      operands: elementOperands(s),
      body: (o, v, p) => {
        const helper = (): void => o.call(`${name} (by element)`, 'pure', s, 8 >> s, v.Q, p.d, p.n, p.m, p.index)
        doublingLong(o, accumulates, s, v.Q, false, p.d, factors(o, s, p), helper)
      },
    }),
    a64(`${name} (by element, scalar, ${T})`, scalar, `${name} <Va><d>, <Vb><n>, <Vm>.<Ts>[<index>]`, {
      fixed: { U: 0, o: element },
      fp,
      operands: elementOperands(s),
      body: (o, _v, p) => {
        const helper = (): void => o.call(`${name} (by element)`, 'pure', s, 1, 0, p.d, p.n, p.m, p.index)
        doublingLong(o, accumulates, s, 0, true, p.d, factors(o, s, p), helper)
      },
    }),
  ]),
  ...(
    [
      ['SQDMULH', 0b1100],
      ['SQRDMULH', 0b1101],
    ] as const
  ).flatMap(([name, opcode]) => [
    a64(`${name} (by element, ${T})`, vector, `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<Ts>[<index>]`, {
      variants: 'Q',
      fixed: { U: 0, o: opcode },
      fp,
      operands: elementOperands(s),
      body: (o, v, p) => {
        const bytes = bytesOf(v.Q)
        const helper = (): void => o.call(`${name} (by element)`, 'pure', s, bytes, p.d, p.n, p.m, p.index)
        doublingHigh(o, name === 'SQRDMULH', s, bytes, p.d, factors(o, s, p), helper)
      },
    }),
    a64(`${name} (by element, scalar, ${T})`, scalar, `${name} <V><d>, <V><n>, <Vm>.<Ts>[<index>]`, {
      fixed: { U: 0, o: opcode },
      fp,
      operands: elementOperands(s),
      body: (o, _v, p) => {
        const bytes = elementBytes(s)
        const helper = (): void => o.call(`${name} (by element)`, 'pure', s, bytes, p.d, p.n, p.m, p.index)
        doublingHigh(o, name === 'SQRDMULH', s, bytes, p.d, factors(o, s, p), helper)
      },
    }),
  ]),
])

export const simdMultiply: readonly Row[] = [
  ...long,
  ...high,
  ...doubling,
  a64('PMULL', '0 Q 0 01110 00 1 mmmmm 1110 00 nnnnn ddddd', 'PMULL{2} <Vd>.8H, <Vn>.<Tb>, <Vm>.<Tb>', {
    variants: 'Q',
    fp,
    operands: three,
    body: (o, v, p) => {
      const n = o.let(128, extend(o, 0, 1, v.Q, o.vget(p.n)))
      o.vset(p.d, carrylessProduct(o, 1, n, o.let(128, extend(o, 0, 1, v.Q, o.vget(p.m)))))
    },
  }),
  ...byElement,
]
