/**
 * Floating point and AdvSIMD of later versions: FEAT_RDM, FEAT_DotProd, FEAT_FHM, FEAT_FCMA, FEAT_JSCVT, FEAT_FRINTTS
 * (Arm ARM C4.1, "Advanced SIMD three same extra" and beside).
 */
import { small, vr, xd } from '../ops.ts'
import type { Local, Ops, VecOperand } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { complexAdd, complexMultiplyAdd } from './host-complex.ts'
import type { HostSize } from './host-lanes.ts'
import { bytesOf, duplicate, elementBytes, elements, indexLocal } from './simd-lanes.ts'

const fp = true

const two = (f: { d: number; n: number }) => ({ d: vr(f.d), n: vr(f.n) })
const three = (f: { d: number; n: number; m: number }) => ({ ...two(f), m: vr(f.m) })

/** Index bits H:L:M and registers V0 to V15 for halfwords, H:L and all registers for words. */
type ElementFields = { d: number; n: number; m: number; L: number; M: number; H: number }
const byHalf = (f: ElementFields) => ({ ...three(f), index: small((f.H << 2) | (f.L << 1) | f.M) })
const byWord = (f: ElementFields) => ({ ...two(f), m: vr((f.M << 4) | f.m), index: small((f.H << 1) | f.L) })

// ---- FEAT_RDM: rounding doubling multiply and accumulate, high halves

const RDM = [
  { name: 'SQRDMLAH', o: 0, element: 0b1101 },
  { name: 'SQRDMLSH', o: 1, element: 0b1111 },
] as const
const RDM_ELEMENT = [
  {
    s: 1,
    T: 'H',
    vector: '0 Q 1 01111 01 L M mmmm oooo H 0 nnnnn ddddd',
    scalar: '01 1 11111 01 L M mmmm oooo H 0 nnnnn ddddd',
    operands: byHalf,
  },
  {
    s: 2,
    T: 'S',
    vector: '0 Q 1 01111 10 L M mmmm oooo H 0 nnnnn ddddd',
    scalar: '01 1 11111 10 L M mmmm oooo H 0 nnnnn ddddd',
    operands: byWord,
  },
] as const
const halfOrWord = (f: { s: number }): boolean => f.s === 1 || f.s === 2

const doubling: Row[] = RDM.flatMap(({ name, o: opcode, element }) => [
  a64(`${name} (vector)`, '0 Q 1 01110 ss 0 mmmmm 1000 o 1 nnnnn ddddd', `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<T>`, {
    variants: 'Qs',
    fixed: { o: opcode },
    feature: 'FEAT_RDM',
    fp,
    when: halfOrWord,
    operands: three,
    body: (o, v, p) => o.call(name, 'pure', v.s, bytesOf(v.Q), p.d, p.n, p.m),
  }),
  a64(`${name} (scalar)`, '01 1 11110 ss 0 mmmmm 1000 o 1 nnnnn ddddd', `${name} <V><d>, <V><n>, <V><m>`, {
    variants: 's',
    fixed: { o: opcode },
    feature: 'FEAT_RDM',
    fp,
    when: halfOrWord,
    operands: three,
    body: (o, v, p) => o.call(name, 'pure', v.s, elementBytes(v.s), p.d, p.n, p.m),
  }),
  ...RDM_ELEMENT.flatMap(({ s, T, vector, scalar, operands }) => [
    a64(`${name} (by element, ${T})`, vector, `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<Ts>[<index>]`, {
      variants: 'Q',
      fixed: { o: element },
      feature: 'FEAT_RDM',
      fp,
      operands,
      body: (o, v, p) => o.call(`${name} (by element)`, 'pure', s, bytesOf(v.Q), p.d, p.n, p.m, p.index),
    }),
    a64(`${name} (by element, scalar, ${T})`, scalar, `${name} <V><d>, <V><n>, <Vm>.<Ts>[<index>]`, {
      fixed: { o: element },
      feature: 'FEAT_RDM',
      fp,
      operands,
      body: (o, _v, p) => o.call(`${name} (by element)`, 'pure', s, elementBytes(s), p.d, p.n, p.m, p.index),
    }),
  ]),
])

// ---- FEAT_DotProd: four products of bytes added to each word

function dotProduct<V>(o: Ops<V>, sign: 's' | 'u', bytes: 8 | 16, d: VecOperand, n: VecOperand, m: Local): void {
  const source = o.let(128, o.vget(n))
  const pairs = (part: 'low' | 'high'): V => {
    const products = o.let(128, o.vector(`i16x8.extmul_${part}_i8x16_${sign}`, o.use(source), o.use(m)))
    return o.vector(`i32x4.extadd_pairwise_i16x8_${sign}`, o.use(products))
  }
  const low = o.let(128, pairs('low'))
  const high = o.let(128, pairs('high'))
  const every = (odd: 0 | 1): V =>
    o.shuffle(
      elements(2, (i) => 2 * i + odd),
      o.use(low),
      o.use(high),
    )
  const sums = o.vector('i32x4.add', every(0), every(1))
  o.vsetLow(bytes, d, o.vector('i32x4.add', sums, o.vget(d)))
}

const DOT = [
  ['SDOT', 0, 's'],
  ['UDOT', 1, 'u'],
] as const
const dot: Row[] = DOT.flatMap(([name, U, sign]) => [
  a64(`${name} (vector)`, '0 Q U 01110 10 0 mmmmm 1001 01 nnnnn ddddd', `${name} <Vd>.<T2>, <Vn>.<T0>, <Vm>.<T0>`, {
    variants: 'Q',
    fixed: { U },
    feature: 'FEAT_DotProd',
    fp,
    operands: three,
    body: (o, v, p) => dotProduct(o, sign, bytesOf(v.Q), p.d, p.n, o.let(128, o.vget(p.m))),
  }),
  a64(
    `${name} (by element)`,
    '0 Q U 01111 10 L M mmmm 1110 H 0 nnnnn ddddd',
    `${name} <Vd>.<T2>, <Vn>.<T0>, <Vm>.4B[<index>]`,
    {
      variants: 'Q',
      fixed: { U },
      feature: 'FEAT_DotProd',
      fp,
      operands: byWord,
      body: (o, v, p) => {
        const index = indexLocal(o, p.index)
        dotProduct(o, sign, bytesOf(v.Q), p.d, p.n, o.let(128, duplicate(o, 2, p.m, index)))
      },
    },
  ),
])

// ---- FEAT_FHM: half-precision factors, single-precision sums; the helper's arguments are negation and upper half

const LONG = [
  { name: 'FMLAL', U: 0, s: 0, three: 0b11101, element: 0b0000 },
  { name: 'FMLSL', U: 0, s: 1, three: 0b11101, element: 0b0100 },
  { name: 'FMLAL2', U: 1, s: 0, three: 0b11001, element: 0b1000 },
  { name: 'FMLSL2', U: 1, s: 1, three: 0b11001, element: 0b1100 },
] as const
const long: Row[] = LONG.flatMap(({ name, U, s: subtract, three: opcode, element }) => [
  a64(`${name} (vector)`, '0 Q U 01110 N 0 1 mmmmm ooooo 1 nnnnn ddddd', `${name} <Vd>.<T2>, <Vn>.<Th>, <Vm>.<Th>`, {
    variants: 'Q',
    fixed: { U, N: subtract, o: opcode },
    feature: 'FEAT_FHM',
    fp,
    operands: three,
    body: (o, v, p) => o.call('FMLAL', 'pure', subtract, U, bytesOf(v.Q), p.d, p.n, p.m),
  }),
  a64(
    `${name} (by element, H)`,
    '0 Q U 01111 10 L M mmmm oooo H 0 nnnnn ddddd',
    `${name} <Vd>.<T2>, <Vn>.<Th>, <Vm>.<Ts>[<index>]`,
    {
      variants: 'Q',
      fixed: { U, o: element },
      feature: 'FEAT_FHM',
      fp,
      operands: byHalf,
      body: (o, v, p) => o.call('FMLAL (by element)', 'pure', subtract, U, bytesOf(v.Q), p.d, p.n, p.m, p.index),
    },
  ),
])

// ---- FEAT_FCMA: complex numbers in pairs of elements

const sizes = (f: { s: number; Q: number }): boolean => f.s === 1 || f.s === 2 || (f.s === 3 && f.Q === 1)
const feature = 'FEAT_FCMA'

/** Half precision is its helpers'. */
const hostSize = (size: number): HostSize | undefined => (size === 2 || size === 3 ? size : undefined)

const complex: Row[] = [
  a64(
    'FCMLA (vector)',
    '0 Q 1 01110 ss 0 mmmmm 110 rr 1 nnnnn ddddd',
    'FCMLA <Vd>.<T>, <Vn>.<T>, <Vm>.<T>, #<rotate>',
    {
      variants: 'Qsr',
      feature,
      fp,
      when: sizes,
      operands: three,
      body: (o, v, p) => {
        const size = hostSize(v.s)
        const helper = (): void => o.call('FCMLA', 'pure', v.s, bytesOf(v.Q), v.r, p.d, p.n, p.m)
        if (size === undefined) helper()
        else complexMultiplyAdd(o, size, bytesOf(v.Q), v.r, p, () => o.vget(p.m), helper)
      },
    },
  ),
  a64('FCADD', '0 Q 1 01110 ss 0 mmmmm 111 R 01 nnnnn ddddd', 'FCADD <Vd>.<T>, <Vn>.<T>, <Vm>.<T>, #<rotate>', {
    variants: 'QsR',
    feature,
    fp,
    when: sizes,
    operands: three,
    body: (o, v, p) => {
      const size = hostSize(v.s)
      const helper = (): void => o.call('FCADD', 'pure', v.s, bytesOf(v.Q), v.R, p.d, p.n, p.m)
      if (size === undefined) helper()
      else complexAdd(o, size, bytesOf(v.Q), v.R, p, helper)
    },
  }),
  // The element is a pair: for halfwords the index is H:L, for words H.
  a64(
    'FCMLA (by element, H)',
    '0 Q 1 01111 01 L M mmmm 0rr1 H 0 nnnnn ddddd',
    'FCMLA <Vd>.<T>, <Vn>.<T>, <Vm>.<Tc>[<index>], #<rotate>',
    {
      variants: 'Q',
      feature,
      fp,
      when: (f) => f.Q === 1 || f.H === 0,
      operands: (f) => ({ ...two(f), m: vr((f.M << 4) | f.m), index: small((f.H << 1) | f.L), rotation: small(f.r) }),
      body: (o, v, p) => o.call('FCMLA (by element)', 'pure', 1, bytesOf(v.Q), p.rotation, p.d, p.n, p.m, p.index),
    },
  ),
  a64(
    'FCMLA (by element, S)',
    '0 1 1 01111 10 0 M mmmm 0rr1 H 0 nnnnn ddddd',
    'FCMLA <Vd>.4S, <Vn>.4S, <Vm>.<Tc>[<index>], #<rotate>',
    {
      variants: 'r',
      feature,
      fp,
      operands: (f) => ({ ...two(f), m: vr((f.M << 4) | f.m), index: small(f.H) }),
      body: (o, v, p) => {
        const index = indexLocal(o, p.index)
        const helper = (): void => o.call('FCMLA (by element)', 'pure', 2, 16, v.r, p.d, p.n, p.m, p.index)
        complexMultiplyAdd(o, 2, 16, v.r, p, () => duplicate(o, 3, p.m, index), helper)
      },
    },
  ),
]

// ---- FEAT_JSCVT and FEAT_FRINTTS

const ROUND = [
  { name: 'FRINT32Z', scalar: 0, U: 0, vector: 0 },
  { name: 'FRINT32X', scalar: 1, U: 1, vector: 0 },
  { name: 'FRINT64Z', scalar: 2, U: 0, vector: 1 },
  { name: 'FRINT64X', scalar: 3, U: 1, vector: 1 },
] as const
const round: Row[] = ROUND.flatMap(({ name, scalar, U, vector }) => [
  a64(`${name} (scalar)`, '00011110 pp 1 0100 oo 10000 nnnnn ddddd', `${name} <F><d>, <F><n>`, {
    variants: 'p',
    fixed: { o: scalar },
    feature: 'FEAT_FRINTTS',
    fp,
    when: (f) => f.p < 2,
    operands: two,
    body: (o, v, p) => o.call(name, 'pure', 2 + v.p, 4 << v.p, p.d, p.n),
  }),
  a64(`${name} (vector)`, '0 Q U 01110 0 z 10000 1111 o 10 nnnnn ddddd', `${name} <Vd>.<T>, <Vn>.<T>`, {
    variants: 'Qz',
    fixed: { U, o: vector },
    feature: 'FEAT_FRINTTS',
    fp,
    when: (f) => f.z === 0 || f.Q === 1,
    operands: two,
    body: (o, v, p) => o.call(name, 'pure', 2 + v.z, bytesOf(v.Q), p.d, p.n),
  }),
])

export const simdLater: readonly Row[] = [
  ...doubling,
  ...dot,
  ...long,
  ...complex,
  ...round,
  a64('FJCVTZS', '0 0011110 01 1 11 110 000000 nnnnn ddddd', 'FJCVTZS W<d>, D<n>', {
    feature: 'FEAT_JSCVT',
    fp,
    operands: (f) => ({ d: xd(f.d), n: vr(f.n) }),
    body: (o, _v, p) => o.flagsSet(o.ask('FJCVTZS', p.d, p.n)),
  }),
]
