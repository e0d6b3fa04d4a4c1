/** AdvSIMD three same, vector and scalar, of integers (Arm ARM C4.1, "Advanced SIMD three same"). */
import { vr } from '../ops.ts'
import type { Local, Ops, VecOperand } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { threeSame as saturating } from './simd-saturate.ts'
import { bytesOf, elementBytes, elements, lanes, shape, shuffleLocals, smallShape, zero } from './simd-lanes.ts'

const fp = true

export interface Operands {
  readonly d: VecOperand
  readonly n: VecOperand
  readonly m: VecOperand
}

/** What an instruction makes of n and m (and d), for elements of 2^s bytes, of `bytes` bytes in all. */
type Compute = <V>(o: Ops<V>, s: number, p: Operands, bytes: number) => V

/** Unsigned comparison of 64-bit lanes: the signed one, both operands with their top bit changed. */
function flipped<V>(o: Ops<V>, n: VecOperand): V {
  return o.vector('v128.xor', o.vget(n), lanes(o, 3, 1n << 63n))
}

export const compute = {
  add: (o, s, p) => o.vector(`${shape(s)}.add`, o.vget(p.n), o.vget(p.m)),
  sub: (o, s, p) => o.vector(`${shape(s)}.sub`, o.vget(p.n), o.vget(p.m)),
  equal: (o, s, p) => o.vector(`${shape(s)}.eq`, o.vget(p.n), o.vget(p.m)),
  greaterSigned: (o, s, p) => o.vector(`${shape(s)}.gt_s`, o.vget(p.n), o.vget(p.m)),
  greaterEqualSigned: (o, s, p) => o.vector(`${shape(s)}.ge_s`, o.vget(p.n), o.vget(p.m)),
  greaterUnsigned: (o, s, p) =>
    s === 3
      ? o.vector('i64x2.gt_s', flipped(o, p.n), flipped(o, p.m))
      : o.vector(`${smallShape(s)}.gt_u`, o.vget(p.n), o.vget(p.m)),
  greaterEqualUnsigned: (o, s, p) =>
    s === 3
      ? o.vector('i64x2.ge_s', flipped(o, p.n), flipped(o, p.m))
      : o.vector(`${smallShape(s)}.ge_u`, o.vget(p.n), o.vget(p.m)),
  test: (o, s, p) =>
    o.vector('v128.not', o.vector(`${shape(s)}.eq`, o.vector('v128.and', o.vget(p.n), o.vget(p.m)), zero(o))),
} as const satisfies Record<string, Compute>

/** Lanes multiplied; WebAssembly multiplies no bytes, so they go by way of halfwords. */
export function product<V>(o: Ops<V>, s: number, n: Local, m: Local): V {
  if (s !== 0) return o.vector(`${s === 1 ? 'i16x8' : 'i32x4'}.mul`, o.use(n), o.use(m))
  const low = o.vector('i16x8.extmul_low_i8x16_u', o.use(n), o.use(m))
  const high = o.vector('i16x8.extmul_high_i8x16_u', o.use(n), o.use(m))
  return o.shuffle(
    elements(0, (i) => 2 * i),
    low,
    high,
  )
}

const multiply: Compute = (o, s, p) => {
  const n = o.let(128, o.vget(p.n))
  return product(o, s, n, o.let(128, o.vget(p.m)))
}

const accumulate =
  (op: 'add' | 'sub', addend: Compute): Compute =>
  (o, s, p, bytes) => {
    const old = o.vget(p.d)
    return o.vector(`${shape(s)}.${op}`, old, addend(o, s, p, bytes))
  }

const extreme =
  (op: 'min_s' | 'min_u' | 'max_s' | 'max_u'): Compute =>
  (o, s, p) =>
    o.vector(`${smallShape(s)}.${op}`, o.vget(p.n), o.vget(p.m))

const difference =
  (sign: 's' | 'u'): Compute =>
  (o, s, p, bytes) => {
    const most = extreme(`max_${sign}`)(o, s, p, bytes)
    return o.vector(`${shape(s)}.sub`, most, extreme(`min_${sign}`)(o, s, p, bytes))
  }

/** (n EOR m) >> 1: half of what the sum without carries is. */
function halfXor<V>(o: Ops<V>, s: number, p: Operands, sign: 's' | 'u'): V {
  const xor = o.vector('v128.xor', o.vget(p.n), o.vget(p.m))
  return o.laneShift(`${shape(s)}.shr_${sign}`, xor, o.konst(32, 1))
}

/** n + m = 2 (n AND m) + (n EOR m). */
const halvingAdd =
  (sign: 's' | 'u'): Compute =>
  (o, s, p) => {
    const common = o.vector('v128.and', o.vget(p.n), o.vget(p.m))
    return o.vector(`${shape(s)}.add`, common, halfXor(o, s, p, sign))
  }
/** n + m + 1 = 2 (n OR m) - (n EOR m) + 1. */
const roundingHalvingAdd =
  (sign: 's' | 'u'): Compute =>
  (o, s, p) => {
    const all = o.vector('v128.or', o.vget(p.n), o.vget(p.m))
    return o.vector(`${shape(s)}.sub`, all, halfXor(o, s, p, sign))
  }
/** n - m = (n EOR m) - 2 (m AND NOT n). */
const halvingSub =
  (sign: 's' | 'u'): Compute =>
  (o, s, p) => {
    const half = halfXor(o, s, p, sign)
    return o.vector(`${shape(s)}.sub`, half, o.vector('v128.andnot', o.vget(p.m), o.vget(p.n)))
  }

/** The even and the odd elements of n:m, of which `bytes` each count. */
export function pairs<V>(o: Ops<V>, s: number, n: VecOperand, m: VecOperand, bytes: number): readonly [Local, Local] {
  const a = o.let(128, o.vget(n))
  const b = o.let(128, o.vget(m))
  const perSource = bytes >> s
  const from =
    (odd: number) =>
    (i: number): number => {
      const at = (2 * i + odd) % (2 * perSource)
      return at < perSource ? at : at - perSource + (16 >> s)
    }
  const even = o.let(128, shuffleLocals(o, elements(s, from(0)), a, b))
  return [even, o.let(128, shuffleLocals(o, elements(s, from(1)), a, b))]
}

const pairwise =
  (op: 'add' | 'min_s' | 'min_u' | 'max_s' | 'max_u'): Compute =>
  (o, s, p, bytes) => {
    const [even, odd] = pairs(o, s, p.n, p.m, bytes)
    return op === 'add'
      ? o.vector(`${shape(s)}.add`, o.use(even), o.use(odd))
      : o.vector(`${smallShape(s)}.${op}`, o.use(even), o.use(odd))
  }

/** Products of bytes without carries, in lanes of bytes or (what they come to in full) of halfwords. */
export function carrylessProduct<V>(o: Ops<V>, s: 0 | 1, n: Local, m: Local): V {
  const bits = 8 << s
  let sum: Local | undefined
  for (let k = 0; k < 8; k++) {
    const moved = k === 0 ? o.use(n) : o.laneShift(`${shape(s)}.shl`, o.use(n), o.konst(32, k))
    const up = o.laneShift(`${shape(s)}.shl`, o.use(m), o.konst(32, bits - 1 - k))
    const part = o.vector('v128.and', moved, o.laneShift(`${shape(s)}.shr_s`, up, o.konst(32, bits - 1)))
    sum = o.let(128, sum === undefined ? part : o.vector('v128.xor', part, o.use(sum)))
  }
  return sum === undefined ? zero(o) : o.use(sum)
}
const carryless: Compute = (o, _s, p) => {
  const n = o.let(128, o.vget(p.n))
  return carrylessProduct(o, 0, n, o.let(128, o.vget(p.m)))
}

interface ThreeSame {
  readonly name: string
  readonly U: 0 | 1
  readonly o: number
  /** In line, or done by a helper of the instruction's name. */
  readonly compute?: Compute
  readonly long?: true
  /** Element sizes of the vector form; 64-bit elements only with Q. */
  readonly vector: readonly number[]
  readonly scalar?: readonly number[]
}

const ALL = [0, 1, 2, 3]
const NO_D = [0, 1, 2]
const H_S = [1, 2]
const ONLY_D = [3]

const TABLE: readonly ThreeSame[] = [
  { name: 'SHADD', U: 0, o: 0b00000, compute: halvingAdd('s'), vector: NO_D },
  { name: 'UHADD', U: 1, o: 0b00000, compute: halvingAdd('u'), vector: NO_D },
  { name: 'SQADD', U: 0, o: 0b00001, vector: ALL, scalar: ALL },
  { name: 'UQADD', U: 1, o: 0b00001, vector: ALL, scalar: ALL },
  { name: 'SRHADD', U: 0, o: 0b00010, compute: roundingHalvingAdd('s'), vector: NO_D },
  { name: 'URHADD', U: 1, o: 0b00010, compute: roundingHalvingAdd('u'), vector: NO_D },
  { name: 'SHSUB', U: 0, o: 0b00100, compute: halvingSub('s'), vector: NO_D },
  { name: 'UHSUB', U: 1, o: 0b00100, compute: halvingSub('u'), vector: NO_D },
  { name: 'SQSUB', U: 0, o: 0b00101, vector: ALL, scalar: ALL },
  { name: 'UQSUB', U: 1, o: 0b00101, vector: ALL, scalar: ALL },
  { name: 'CMGT', U: 0, o: 0b00110, compute: compute.greaterSigned, vector: ALL, scalar: ONLY_D },
  { name: 'CMHI', U: 1, o: 0b00110, compute: compute.greaterUnsigned, vector: ALL, scalar: ONLY_D },
  { name: 'CMGE', U: 0, o: 0b00111, compute: compute.greaterEqualSigned, vector: ALL, scalar: ONLY_D },
  { name: 'CMHS', U: 1, o: 0b00111, compute: compute.greaterEqualUnsigned, vector: ALL, scalar: ONLY_D },
  { name: 'SSHL', U: 0, o: 0b01000, vector: ALL, scalar: ONLY_D },
  { name: 'USHL', U: 1, o: 0b01000, vector: ALL, scalar: ONLY_D },
  { name: 'SQSHL', long: true, U: 0, o: 0b01001, vector: ALL, scalar: ALL },
  { name: 'UQSHL', long: true, U: 1, o: 0b01001, vector: ALL, scalar: ALL },
  { name: 'SRSHL', long: true, U: 0, o: 0b01010, vector: ALL, scalar: ONLY_D },
  { name: 'URSHL', long: true, U: 1, o: 0b01010, vector: ALL, scalar: ONLY_D },
  { name: 'SQRSHL', long: true, U: 0, o: 0b01011, vector: ALL, scalar: ALL },
  { name: 'UQRSHL', long: true, U: 1, o: 0b01011, vector: ALL, scalar: ALL },
  { name: 'SMAX', U: 0, o: 0b01100, compute: extreme('max_s'), vector: NO_D },
  { name: 'UMAX', U: 1, o: 0b01100, compute: extreme('max_u'), vector: NO_D },
  { name: 'SMIN', U: 0, o: 0b01101, compute: extreme('min_s'), vector: NO_D },
  { name: 'UMIN', U: 1, o: 0b01101, compute: extreme('min_u'), vector: NO_D },
  { name: 'SABD', U: 0, o: 0b01110, compute: difference('s'), vector: NO_D },
  { name: 'UABD', U: 1, o: 0b01110, compute: difference('u'), vector: NO_D },
  { name: 'SABA', U: 0, o: 0b01111, compute: accumulate('add', difference('s')), vector: NO_D },
  { name: 'UABA', U: 1, o: 0b01111, compute: accumulate('add', difference('u')), vector: NO_D },
  { name: 'ADD', U: 0, o: 0b10000, compute: compute.add, vector: ALL, scalar: ONLY_D },
  { name: 'SUB', U: 1, o: 0b10000, compute: compute.sub, vector: ALL, scalar: ONLY_D },
  { name: 'CMTST', U: 0, o: 0b10001, compute: compute.test, vector: ALL, scalar: ONLY_D },
  { name: 'CMEQ', U: 1, o: 0b10001, compute: compute.equal, vector: ALL, scalar: ONLY_D },
  { name: 'MLA', U: 0, o: 0b10010, compute: accumulate('add', multiply), vector: NO_D },
  { name: 'MLS', U: 1, o: 0b10010, compute: accumulate('sub', multiply), vector: NO_D },
  { name: 'MUL', U: 0, o: 0b10011, compute: multiply, vector: NO_D },
  { name: 'PMUL', U: 1, o: 0b10011, compute: carryless, vector: [0] },
  { name: 'SMAXP', U: 0, o: 0b10100, compute: pairwise('max_s'), vector: NO_D },
  { name: 'UMAXP', U: 1, o: 0b10100, compute: pairwise('max_u'), vector: NO_D },
  { name: 'SMINP', U: 0, o: 0b10101, compute: pairwise('min_s'), vector: NO_D },
  { name: 'UMINP', U: 1, o: 0b10101, compute: pairwise('min_u'), vector: NO_D },
  { name: 'SQDMULH', U: 0, o: 0b10110, vector: H_S, scalar: H_S },
  { name: 'SQRDMULH', U: 1, o: 0b10110, vector: H_S, scalar: H_S },
  { name: 'ADDP', U: 0, o: 0b10111, compute: pairwise('add'), vector: ALL },
]

function run<V>(o: Ops<V>, row: ThreeSame, s: number, p: Operands, bytes: 1 | 2 | 4 | 8 | 16): void {
  const helper = (): void => o.call(row.name, 'pure', s, bytes, p.d, p.n, p.m)
  if (row.compute === undefined) saturating(o, row.name, s, bytes, p, helper)
  else o.vsetLow(bytes, p.d, row.compute(o, s, p, bytes))
}

const threeOperands = (f: { d: number; n: number; m: number }) => ({ d: vr(f.d), n: vr(f.n), m: vr(f.m) })

const arithmetic: Row[] = TABLE.flatMap((row) => {
  const fixed = { U: row.U, o: row.o }
  const rows = [
    a64(
      `${row.name} (vector)`,
      '0 Q U 01110 ss 1 mmmmm ooooo 1 nnnnn ddddd',
      `${row.name} <Vd>.<T>, <Vn>.<T>, <Vm>.<T>`,
      {
        variants: 'Qs',
        fixed,
        fp,
        long: row.long === true,
        when: (f) => row.vector.includes(f.s) && (f.s < 3 || f.Q === 1),
        example: { Q: 1 },
        operands: threeOperands,
        body: (o, v, p) => run(o, row, v.s, p, bytesOf(v.Q)),
      },
    ),
  ]
  const { scalar } = row
  if (scalar !== undefined)
    rows.push(
      a64(`${row.name} (scalar)`, '01 U 11110 ss 1 mmmmm ooooo 1 nnnnn ddddd', `${row.name} <V><d>, <V><n>, <V><m>`, {
        variants: 's',
        fixed,
        fp,
        long: row.long === true,
        when: (f) => scalar.includes(f.s),
        operands: threeOperands,
        body: (o, v, p) => run(o, row, v.s, p, elementBytes(v.s)),
      }),
    )
  return rows
})

const LOGICAL: readonly (readonly [string, 0 | 1, number, Compute])[] = [
  ['AND', 0, 0, (o, _s, p) => o.vector('v128.and', o.vget(p.n), o.vget(p.m))],
  ['BIC', 0, 1, (o, _s, p) => o.vector('v128.andnot', o.vget(p.n), o.vget(p.m))],
  ['ORR', 0, 2, (o, _s, p) => o.vector('v128.or', o.vget(p.n), o.vget(p.m))],
  ['ORN', 0, 3, (o, _s, p) => o.vector('v128.or', o.vget(p.n), o.vector('v128.not', o.vget(p.m)))],
  ['EOR', 1, 0, (o, _s, p) => o.vector('v128.xor', o.vget(p.n), o.vget(p.m))],
  ['BSL', 1, 1, (o, _s, p) => o.vectorBitSelect(o.vget(p.n), o.vget(p.m), o.vget(p.d))],
  ['BIT', 1, 2, (o, _s, p) => o.vectorBitSelect(o.vget(p.n), o.vget(p.d), o.vget(p.m))],
  ['BIF', 1, 3, (o, _s, p) => o.vectorBitSelect(o.vget(p.d), o.vget(p.n), o.vget(p.m))],
]

const logical: Row[] = LOGICAL.map(([name, U, s, value]) =>
  a64(`${name} (vector)`, '0 Q U 01110 ss 1 mmmmm 00011 1 nnnnn ddddd', `${name} <Vd>.<T0>, <Vn>.<T0>, <Vm>.<T0>`, {
    variants: 'Q',
    fixed: { U, s },
    fp,
    operands: threeOperands,
    body: (o, v, p) => o.vsetLow(bytesOf(v.Q), p.d, value(o, 0, p, 16)),
  }),
)

/** Uzip, transpose, zip: element i of the result out of n (0 … count-1) and m (count …), for half `part`. */
const PERMUTE: readonly (readonly [string, number, (i: number, count: number) => number])[] = [
  ['UZP1', 0b001, (i) => 2 * i],
  ['UZP2', 0b101, (i) => 2 * i + 1],
  ['TRN1', 0b010, (i, count) => (i & 1) * count + (i & ~1)],
  ['TRN2', 0b110, (i, count) => (i & 1) * count + (i | 1)],
  ['ZIP1', 0b011, (i, count) => (i & 1) * count + (i >> 1)],
  ['ZIP2', 0b111, (i, count) => (i & 1) * count + (i >> 1) + count / 2],
]

const permute: Row[] = PERMUTE.map(([name, opcode, from]) =>
  a64(name, '0 Q 001110 ss 0 mmmmm 0 ooo 10 nnnnn ddddd', `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<T>`, {
    variants: 'Qs',
    fixed: { o: opcode },
    fp,
    when: (f) => f.s < 3 || f.Q === 1,
    operands: threeOperands,
    body: (o, v, p) => {
      const bytes = bytesOf(v.Q)
      const count = bytes >> v.s
      const source = (i: number): number => {
        const at = from(i % count, count)
        return at < count ? at : at - count + (16 >> v.s)
      }
      o.vsetLow(bytes, p.d, o.shuffle(elements(v.s, source), o.vget(p.n), o.vget(p.m)))
    },
  }),
)

export const simdThreeSame: readonly Row[] = [...arithmetic, ...logical, ...permute]
