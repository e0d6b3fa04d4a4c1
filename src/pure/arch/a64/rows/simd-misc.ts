/** AdvSIMD two-register miscellaneous, across lanes and pairwise, of integers (Arm ARM C4.1). */
import { vr } from '../ops.ts'
import type { Ops, VecOperand, VectorOp } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { narrowed, twoRegister } from './simd-saturate.ts'
import {
  byteVector,
  bytesOf,
  elementBytes,
  elements,
  gather,
  shape,
  smallShape,
  zero,
  lowHalves,
  setHalf,
} from './simd-lanes.ts'

const fp = true

interface Operands {
  readonly d: VecOperand
  readonly n: VecOperand
}
type Compute = <V>(o: Ops<V>, s: number, p: Operands) => V

/** Reverses the elements within containers of 2^container bytes. */
const reverse =
  (container: number): Compute =>
  (o, s, p) => {
    const last = (1 << (container - s)) - 1
    return o.shuffle(
      elements(s, (i) => i ^ last),
      o.vget(p.n),
      zero(o),
    )
  }

const againstZero =
  (op: 'gt_s' | 'ge_s' | 'eq' | 'le_s' | 'lt_s'): Compute =>
  (o, s, p) => {
    const n = o.vget(p.n)
    return o.vector(`${shape(s)}.${op}`, n, zero(o))
  }

const EXTEND_PAIRWISE: readonly (readonly [VectorOp, VectorOp])[] = [
  ['i16x8.extadd_pairwise_i8x16_s', 'i16x8.extadd_pairwise_i8x16_u'],
  ['i32x4.extadd_pairwise_i16x8_s', 'i32x4.extadd_pairwise_i16x8_u'],
]

/** Adjacent elements added at twice their width. */
function addPairs<V>(o: Ops<V>, s: number, unsigned: 0 | 1, n: VecOperand): V {
  const op = EXTEND_PAIRWISE[s]?.[unsigned]
  if (op !== undefined) return o.vector(op, o.vget(n))
  const sign = unsigned === 1 ? 'u' : 's'
  const wide = o.vget(n)
  const local = o.let(128, wide)
  const even = o.laneShift(
    `i64x2.shr_${sign}`,
    o.laneShift('i64x2.shl', o.use(local), o.konst(32, 32)),
    o.konst(32, 32),
  )
  return o.vector('i64x2.add', even, o.laneShift(`i64x2.shr_${sign}`, o.use(local), o.konst(32, 32)))
}

const pairwiseLong =
  (unsigned: 0 | 1): Compute =>
  (o, s, p) =>
    addPairs(o, s, unsigned, p.n)
const pairwiseLongAccumulate =
  (unsigned: 0 | 1): Compute =>
  (o, s, p) => {
    const old = o.vget(p.d)
    return o.vector(`${shape(s + 1)}.add`, old, addPairs(o, s, unsigned, p.n))
  }

const reversedHalf = (i: number): number => ((i & 1) << 3) | ((i & 2) << 1) | ((i & 4) >> 1) | ((i & 8) >> 3)
const reverseBits: Compute = (o, _s, p) => {
  // Each half of a byte is looked up in a table of reversed halves.
  const n = o.let(128, o.vget(p.n))
  const high = byteVector(o, (i) => reversedHalf(i) << 4)
  const low = o.vector(
    'i8x16.swizzle',
    high,
    o.vector(
      'v128.and',
      o.use(n),
      byteVector(o, () => 15),
    ),
  )
  const lowTable = byteVector(o, reversedHalf)
  const other = o.vector('i8x16.swizzle', lowTable, o.laneShift('i8x16.shr_u', o.use(n), o.konst(32, 4)))
  return o.vector('v128.or', low, other)
}

interface Misc {
  readonly name: string
  readonly U: 0 | 1
  readonly o: number
  /** In line, or by a helper of the instruction's name. */
  readonly compute?: Compute
  readonly vector: readonly number[]
  readonly scalar?: readonly number[]
}
const ALL = [0, 1, 2, 3]
const NO_D = [0, 1, 2]

const TABLE: readonly Misc[] = [
  { name: 'REV64', U: 0, o: 0b00000, compute: reverse(3), vector: NO_D },
  { name: 'REV32', U: 1, o: 0b00000, compute: reverse(2), vector: [0, 1] },
  { name: 'REV16', U: 0, o: 0b00001, compute: reverse(1), vector: [0] },
  { name: 'SADDLP', U: 0, o: 0b00010, compute: pairwiseLong(0), vector: NO_D },
  { name: 'UADDLP', U: 1, o: 0b00010, compute: pairwiseLong(1), vector: NO_D },
  { name: 'SUQADD', U: 0, o: 0b00011, vector: ALL, scalar: ALL },
  { name: 'USQADD', U: 1, o: 0b00011, vector: ALL, scalar: ALL },
  { name: 'CLS', U: 0, o: 0b00100, vector: NO_D },
  { name: 'CLZ', U: 1, o: 0b00100, vector: NO_D },
  { name: 'CNT', U: 0, o: 0b00101, compute: (o, _s, p) => o.vector('i8x16.popcnt', o.vget(p.n)), vector: [0] },
  { name: 'NOT', U: 1, o: 0b00101, compute: (o, _s, p) => o.vector('v128.not', o.vget(p.n)), vector: [0] },
  { name: 'RBIT', U: 1, o: 0b00101, compute: reverseBits, vector: [1] },
  { name: 'SADALP', U: 0, o: 0b00110, compute: pairwiseLongAccumulate(0), vector: NO_D },
  { name: 'UADALP', U: 1, o: 0b00110, compute: pairwiseLongAccumulate(1), vector: NO_D },
  { name: 'SQABS', U: 0, o: 0b00111, vector: ALL, scalar: ALL },
  { name: 'SQNEG', U: 1, o: 0b00111, vector: ALL, scalar: ALL },
  { name: 'CMGT (zero)', U: 0, o: 0b01000, compute: againstZero('gt_s'), vector: ALL, scalar: [3] },
  { name: 'CMGE (zero)', U: 1, o: 0b01000, compute: againstZero('ge_s'), vector: ALL, scalar: [3] },
  { name: 'CMEQ (zero)', U: 0, o: 0b01001, compute: againstZero('eq'), vector: ALL, scalar: [3] },
  { name: 'CMLE (zero)', U: 1, o: 0b01001, compute: againstZero('le_s'), vector: ALL, scalar: [3] },
  { name: 'CMLT (zero)', U: 0, o: 0b01010, compute: againstZero('lt_s'), vector: ALL, scalar: [3] },
  {
    name: 'ABS',
    U: 0,
    o: 0b01011,
    compute: (o, s, p) => o.vector(`${shape(s)}.abs`, o.vget(p.n)),
    vector: ALL,
    scalar: [3],
  },
  {
    name: 'NEG',
    U: 1,
    o: 0b01011,
    compute: (o, s, p) => o.vector(`${shape(s)}.neg`, o.vget(p.n)),
    vector: ALL,
    scalar: [3],
  },
]

const syntaxOf = (name: string): string => name.replace(' (zero)', '')

const twoOperands = (f: { d: number; n: number }) => ({ d: vr(f.d), n: vr(f.n) })

function run<V>(o: Ops<V>, row: Misc, s: number, p: Operands, bytes: 1 | 2 | 4 | 8 | 16): void {
  const helper = (): void => o.call(row.name, 'pure', s, bytes, p.d, p.n)
  if (row.compute === undefined) twoRegister(o, row.name, s, bytes, p, helper)
  else o.vsetLow(bytes, p.d, row.compute(o, s, p))
}

const misc: Row[] = TABLE.flatMap((row) => {
  const zeroOperand = row.name.includes('zero') ? ', #0' : ''
  const { scalar } = row
  const rows = [
    a64(
      `${row.name} (vector)`,
      '0 Q U 01110 ss 10000 ooooo 10 nnnnn ddddd',
      row.name === 'RBIT'
        ? 'RBIT <Vd>.<T0>, <Vn>.<T0>'
        : `${syntaxOf(row.name)} <Vd>.${/^[SU]AD[DA]LP/.test(row.name) ? '<Tp>' : '<T>'}, <Vn>.<T>${zeroOperand}`,
      {
        variants: 'Qs',
        fixed: { U: row.U, o: row.o },
        fp,
        when: (f) => row.vector.includes(f.s) && (f.s < 3 || f.Q === 1),
        operands: twoOperands,
        body: (o, v, p) => run(o, row, v.s, p, bytesOf(v.Q)),
      },
    ),
  ]
  if (scalar !== undefined)
    rows.push(
      a64(
        `${row.name} (scalar)`,
        '01 U 11110 ss 10000 ooooo 10 nnnnn ddddd',
        `${syntaxOf(row.name)} <V><d>, <V><n>${zeroOperand}`,
        {
          variants: 's',
          fixed: { U: row.U, o: row.o },
          fp,
          when: (f) => scalar.includes(f.s),
          operands: twoOperands,
          body: (o, v, p) => run(o, row, v.s, p, elementBytes(v.s)),
        },
      ),
    )
  return rows
})

/** Saturating narrowing: name, U, opcode; helpers do it. */
const NARROW = [
  { name: 'SQXTN', U: 0, o: 0b10100 },
  { name: 'SQXTUN', U: 1, o: 0b10010 },
  { name: 'UQXTN', U: 1, o: 0b10100 },
] as const

const narrowing: Row[] = NARROW.flatMap(({ name, U, o: opcode }) => [
  a64(`${name} (vector)`, '0 Q U 01110 ss 10000 ooooo 10 nnnnn ddddd', `${name}{2} <Vd>.<Tb>, <Vn>.<Ta>`, {
    variants: 'Qs',
    fixed: { U, o: opcode },
    fp,
    when: (f) => f.s < 3,
    operands: twoOperands,
    // The helper is told how many elements, and whether they go to the upper half.
    body: (o, v, p) =>
      narrowed(o, name, v.s, v.Q, p.d, o.vget(p.n), () => o.call(name, 'pure', v.s, 8 >> v.s, v.Q, p.d, p.n)),
  }),
  a64(`${name} (scalar)`, '01 U 11110 ss 10000 ooooo 10 nnnnn ddddd', `${name} <Vb><d>, <Va><n>`, {
    variants: 's',
    fixed: { U, o: opcode },
    fp,
    when: (f) => f.s < 3,
    operands: twoOperands,
    body: (o, v, p) =>
      narrowed(o, name, v.s, undefined, p.d, o.vget(p.n), () => o.call(name, 'pure', v.s, 1, 0, p.d, p.n)),
  }),
])

/** Elements 0 … of n folded into one by halves. */
function fold<V>(o: Ops<V>, s: number, bytes: number, start: V, combine: (a: V, b: V) => V): V {
  let value = start
  for (let half = bytes / 2; half >= 1 << s; half /= 2) {
    const local = o.let(128, value)
    const a = o.use(local)
    value = combine(
      a,
      gather(o, [local], (i) => (i + half) % 16),
    )
  }
  return value
}

const across = (name: string, U: 0 | 1, opcode: number, op: 'add' | 'max_s' | 'max_u' | 'min_s' | 'min_u'): Row =>
  a64(name, '0 Q U 01110 ss 11000 ooooo 10 nnnnn ddddd', `${name} <V><d>, <Vn>.<T>`, {
    variants: 'Qs',
    fixed: { U, o: opcode },
    fp,
    when: (f) => f.s < 2 || (f.s === 2 && f.Q === 1),
    operands: twoOperands,
    body: (o, v, p) =>
      o.vsetLow(
        elementBytes(v.s),
        p.d,
        fold(o, v.s, bytesOf(v.Q), o.vget(p.n), (a, b) => o.vector(`${smallShape(v.s)}.${op}`, a, b)),
      ),
  })

const acrossLong = (name: string, U: 0 | 1): Row =>
  a64(name, '0 Q U 01110 ss 11000 00011 10 nnnnn ddddd', `${name} <Va><d>, <Vn>.<T>`, {
    variants: 'Qs',
    fixed: { U },
    fp,
    when: (f) => f.s < 2 || (f.s === 2 && f.Q === 1),
    operands: twoOperands,
    body: (o, v, p) => {
      const s = v.s + 1
      o.vsetLow(
        elementBytes(s),
        p.d,
        fold(o, s, bytesOf(v.Q), addPairs(o, v.s, U, p.n), (a, b) => o.vector(`${shape(s)}.add`, a, b)),
      )
    },
  })

export const simdMisc: readonly Row[] = [
  ...misc,
  ...narrowing,
  a64('XTN', '0 Q 0 01110 ss 10000 10010 10 nnnnn ddddd', 'XTN{2} <Vd>.<Tb>, <Vn>.<Ta>', {
    variants: 'Qs',
    fp,
    when: (f) => f.s < 3,
    operands: twoOperands,
    body: (o, v, p) => setHalf(o, v.Q, p.d, lowHalves(o, v.s, o.let(128, o.vget(p.n)))),
  }),
  a64('SHLL', '0 Q 1 01110 ss 10000 10011 10 nnnnn ddddd', 'SHLL{2} <Vd>.<Ta>, <Vn>.<Tb>, #<size>', {
    variants: 'Qs',
    fp,
    when: (f) => f.s < 3,
    operands: twoOperands,
    body: (o, v, p) => {
      // Each element goes to the high half of one twice its size.
      const first = v.Q === 1 ? 8 >> v.s : 0
      const n = o.vget(p.n)
      o.vset(
        p.d,
        o.shuffle(
          elements(v.s, (i) => ((i & 1) === 1 ? first + (i >> 1) : 16 >> v.s)),
          n,
          zero(o),
        ),
      )
    },
  }),
  acrossLong('SADDLV', 0),
  acrossLong('UADDLV', 1),
  across('SMAXV', 0, 0b01010, 'max_s'),
  across('UMAXV', 1, 0b01010, 'max_u'),
  across('SMINV', 0, 0b11010, 'min_s'),
  across('UMINV', 1, 0b11010, 'min_u'),
  across('ADDV', 0, 0b11011, 'add'),
  a64('ADDP (scalar)', '01 0 11110 11 11000 11011 10 nnnnn ddddd', 'ADDP D<d>, <Vn>.2D', {
    fp,
    operands: twoOperands,
    body: (o, _v, p) => {
      const n = o.let(128, o.vget(p.n))
      const low = o.use(n)
      o.vsetLow(
        8,
        p.d,
        o.vector(
          'i64x2.add',
          low,
          gather(o, [n], (i) => (i + 8) % 16),
        ),
      )
    },
  }),
]
