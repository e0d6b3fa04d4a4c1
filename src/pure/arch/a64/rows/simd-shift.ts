/** AdvSIMD shift by immediate, vector and scalar (Arm ARM C4.1). The fixed-point conversions are with floating point. */
import { small, vr } from '../ops.ts'
import type { Ops, SmallOperand, VecOperand, VectorOp } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { narrowed, shiftLeft as saturatingLeft } from './simd-saturate.ts'
import { bytesOf, elementBytes, lanes, shape, lowHalves, setHalf } from './simd-lanes.ts'

const fp = true

/** immh:immb by element size: the highest bit that is set says the size, the bits below it are `i`. */
const VECTOR = [
  '0 Q U 011110 0001 iii ooooo 1 nnnnn ddddd',
  '0 Q U 011110 001 iiii ooooo 1 nnnnn ddddd',
  '0 Q U 011110 01 iiiii ooooo 1 nnnnn ddddd',
  '0 Q U 011110 1 iiiiii ooooo 1 nnnnn ddddd',
] as const
const SCALAR = [
  '01 U 111110 0001 iii ooooo 1 nnnnn ddddd',
  '01 U 111110 001 iiii ooooo 1 nnnnn ddddd',
  '01 U 111110 01 iiiii ooooo 1 nnnnn ddddd',
  '01 U 111110 1 iiiiii ooooo 1 nnnnn ddddd',
] as const

interface Operands {
  readonly d: VecOperand
  readonly n: VecOperand
  /** Left shifts: the amount. Right shifts: the amount less one, since an element may be shifted out altogether. */
  readonly shift: SmallOperand
}
type Compute = <V>(o: Ops<V>, s: number, p: Operands) => V
type Sign = 's' | 'u'

/** Shifted right by the amount less one: the last bit to go is still there. */
function almost<V>(o: Ops<V>, s: number, p: Operands, sign: Sign): V {
  return o.laneShift(`${shape(s)}.shr_${sign}`, o.vget(p.n), o.imm(32, p.shift))
}
const one = <V>(o: Ops<V>): V => o.konst(32, 1)

function right<V>(o: Ops<V>, s: number, p: Operands, sign: Sign, rounding: boolean): V {
  if (!rounding) return o.laneShift(`${shape(s)}.shr_${sign}`, almost(o, s, p, sign), one(o))
  const t = o.let(128, almost(o, s, p, sign))
  const shifted = o.laneShift(`${shape(s)}.shr_${sign}`, o.use(t), one(o))
  return o.vector(`${shape(s)}.add`, shifted, o.vector('v128.and', o.use(t), lanes(o, s, 1n)))
}

const shiftRight =
  (sign: Sign, rounding: boolean): Compute =>
  (o, s, p) =>
    right(o, s, p, sign, rounding)
const shiftRightAdd =
  (sign: Sign, rounding: boolean): Compute =>
  (o, s, p) => {
    const old = o.vget(p.d)
    return o.vector(`${shape(s)}.add`, old, right(o, s, p, sign, rounding))
  }
const shiftLeft: Compute = (o, s, p) => o.laneShift(`${shape(s)}.shl`, o.vget(p.n), o.imm(32, p.shift))
const ones = <V>(o: Ops<V>): V => o.vconst(0xffffffffffffffffn, 0xffffffffffffffffn)
const shiftLeftInsert: Compute = (o, s, p) => {
  const shifted = o.laneShift(`${shape(s)}.shl`, o.vget(p.n), o.imm(32, p.shift))
  const old = o.vget(p.d)
  return o.vectorBitSelect(shifted, old, o.laneShift(`${shape(s)}.shl`, ones(o), o.imm(32, p.shift)))
}
const shiftRightInsert: Compute = (o, s, p) => {
  const shifted = right(o, s, p, 'u', false)
  const old = o.vget(p.d)
  const mask = o.laneShift(`${shape(s)}.shr_u`, ones(o), o.imm(32, p.shift))
  return o.vectorBitSelect(shifted, old, o.laneShift(`${shape(s)}.shr_u`, mask, one(o)))
}

interface Shift {
  readonly name: string
  readonly U: 0 | 1
  readonly o: number
  readonly left?: true
  /** In line, or by a helper of the instruction's name with " (immediate)" behind. */
  readonly compute?: Compute
  readonly scalar: readonly number[]
}

const TABLE: readonly Shift[] = [
  { name: 'SSHR', U: 0, o: 0b00000, compute: shiftRight('s', false), scalar: [3] },
  { name: 'USHR', U: 1, o: 0b00000, compute: shiftRight('u', false), scalar: [3] },
  { name: 'SSRA', U: 0, o: 0b00010, compute: shiftRightAdd('s', false), scalar: [3] },
  { name: 'USRA', U: 1, o: 0b00010, compute: shiftRightAdd('u', false), scalar: [3] },
  { name: 'SRSHR', U: 0, o: 0b00100, compute: shiftRight('s', true), scalar: [3] },
  { name: 'URSHR', U: 1, o: 0b00100, compute: shiftRight('u', true), scalar: [3] },
  { name: 'SRSRA', U: 0, o: 0b00110, compute: shiftRightAdd('s', true), scalar: [3] },
  { name: 'URSRA', U: 1, o: 0b00110, compute: shiftRightAdd('u', true), scalar: [3] },
  { name: 'SRI', U: 1, o: 0b01000, compute: shiftRightInsert, scalar: [3] },
  { name: 'SHL', U: 0, o: 0b01010, left: true, compute: shiftLeft, scalar: [3] },
  { name: 'SLI', U: 1, o: 0b01010, left: true, compute: shiftLeftInsert, scalar: [3] },
  { name: 'SQSHLU', U: 1, o: 0b01100, left: true, scalar: [0, 1, 2, 3] },
  { name: 'SQSHL', U: 0, o: 0b01110, left: true, scalar: [0, 1, 2, 3] },
  { name: 'UQSHL', U: 1, o: 0b01110, left: true, scalar: [0, 1, 2, 3] },
]

const operandsFor = (left: boolean, s: number) => (f: { d: number; n: number; i: number }) => ({
  d: vr(f.d),
  n: vr(f.n),
  shift: small(left ? f.i : (8 << s) - f.i - 1),
})

function run<V>(o: Ops<V>, row: Shift, s: number, p: Operands, bytes: 1 | 2 | 4 | 8 | 16): void {
  const helper = (): void => o.call(`${row.name} (immediate)`, 'pure', s, bytes, p.d, p.n, p.shift)
  if (row.compute === undefined) saturatingLeft(o, row.name, s, bytes, p, helper)
  else o.vsetLow(bytes, p.d, row.compute(o, s, p))
}

const shifts: Row[] = TABLE.flatMap((row) => {
  const fixed = { U: row.U, o: row.o }
  const rows = VECTOR.map((bits, s) =>
    a64(
      `${row.name} (immediate, ${'BHSD'.charAt(s)})`,
      bits,
      `${row.name} <Vd>.<T>, <Vn>.<T>, ${row.left === true ? '#<left>' : '#<right>'}`,
      {
        variants: 'Q',
        fixed,
        fp,
        when: (f) => s < 3 || f.Q === 1,
        operands: operandsFor(row.left === true, s),
        body: (o, v, p) => run(o, row, s, p, bytesOf(v.Q)),
      },
    ),
  )
  SCALAR.forEach((bits, s) => {
    if (row.scalar.includes(s))
      rows.push(
        a64(
          `${row.name} (immediate, scalar, ${'BHSD'.charAt(s)})`,
          bits,
          `${row.name} <V><d>, <V><n>, ${row.left === true ? '#<left>' : '#<right>'}`,
          {
            fixed,
            fp,
            operands: operandsFor(row.left === true, s),
            body: (o, _v, p) => run(o, row, s, p, elementBytes(s)),
          },
        ),
      )
  })
  return rows
})

/** Saturating shifts right and narrow. */
const NARROW = [
  { name: 'SQSHRUN', U: 1, o: 0b10000 },
  { name: 'SQRSHRUN', U: 1, o: 0b10001 },
  { name: 'SQSHRN', U: 0, o: 0b10010 },
  { name: 'UQSHRN', U: 1, o: 0b10010 },
  { name: 'SQRSHRN', U: 0, o: 0b10011 },
  { name: 'UQRSHRN', U: 1, o: 0b10011 },
] as const
const HALF_SIZES = [0, 1, 2] as const

/** The lanes at their full width, shifted. */
const shifted = <V>(o: Ops<V>, name: string, s: number, p: Operands): V =>
  right(o, s + 1, p, name.startsWith('U') ? 'u' : 's', /^[SU]QR/.test(name))

const narrowing: Row[] = NARROW.flatMap(({ name, U, o: opcode }) =>
  HALF_SIZES.flatMap((s) => [
    a64(`${name} (${'BHS'.charAt(s)})`, VECTOR[s], `${name}{2} <Vd>.<Tb>, <Vn>.<Ta>, #<right>`, {
      variants: 'Q',
      fixed: { U, o: opcode },
      fp,
      operands: operandsFor(false, s),
      body: (o, v, p) =>
        narrowed(o, name, s, v.Q, p.d, shifted(o, name, s, p), () =>
          o.call(name, 'pure', s, 8 >> s, v.Q, p.d, p.n, p.shift),
        ),
    }),
    a64(`${name} (scalar, ${'BHS'.charAt(s)})`, SCALAR[s], `${name} <Vb><d>, <Va><n>, #<right>`, {
      fixed: { U, o: opcode },
      fp,
      operands: operandsFor(false, s),
      body: (o, _v, p) =>
        narrowed(o, name, s, undefined, p.d, shifted(o, name, s, p), () =>
          o.call(name, 'pure', s, 1, 0, p.d, p.n, p.shift),
        ),
    }),
  ]),
)

const shiftNarrow: Row[] = [false, true].flatMap((rounding) =>
  HALF_SIZES.map((s) =>
    a64(
      `${rounding ? 'RSHRN' : 'SHRN'} (${'BHS'.charAt(s)})`,
      VECTOR[s],
      `${rounding ? 'RSHRN' : 'SHRN'}{2} <Vd>.<Tb>, <Vn>.<Ta>, #<right>`,
      {
        variants: 'Q',
        fixed: { U: 0, o: rounding ? 0b10001 : 0b10000 },
        fp,
        operands: operandsFor(false, s),
        body: (o, v, p) => setHalf(o, v.Q, p.d, lowHalves(o, s, o.let(128, right(o, s + 1, p, 'u', rounding)))),
      },
    ),
  ),
)

const EXTEND: readonly (readonly [signed: readonly [VectorOp, VectorOp], unsigned: readonly [VectorOp, VectorOp]])[] = [
  [
    ['i16x8.extend_low_i8x16_s', 'i16x8.extend_high_i8x16_s'],
    ['i16x8.extend_low_i8x16_u', 'i16x8.extend_high_i8x16_u'],
  ],
  [
    ['i32x4.extend_low_i16x8_s', 'i32x4.extend_high_i16x8_s'],
    ['i32x4.extend_low_i16x8_u', 'i32x4.extend_high_i16x8_u'],
  ],
  [
    ['i64x2.extend_low_i32x4_s', 'i64x2.extend_high_i32x4_s'],
    ['i64x2.extend_low_i32x4_u', 'i64x2.extend_high_i32x4_u'],
  ],
]
/** The elements of the lower (Q = 0) or the upper half, at twice their width. */
export function extend<V>(o: Ops<V>, s: number, U: number, q: number, n: V): V {
  const op = EXTEND[s]?.[U === 1 ? 1 : 0][q === 1 ? 1 : 0]
  if (op === undefined) throw new Error(`no elements of ${8 << s} bits are extended`)
  return o.vector(op, n)
}

const long: Row[] = ([0, 1] as const).flatMap((U) =>
  HALF_SIZES.map((s) =>
    a64(
      `${U === 1 ? 'USHLL' : 'SSHLL'} (${'BHS'.charAt(s)})`,
      VECTOR[s],
      `${U === 1 ? 'USHLL' : 'SSHLL'}{2} <Vd>.<Ta>, <Vn>.<Tb>, #<left>`,
      {
        variants: 'Q',
        fixed: { U, o: 0b10100 },
        fp,
        operands: operandsFor(true, s),
        body: (o, v, p) =>
          o.vset(p.d, o.laneShift(`${shape(s + 1)}.shl`, extend(o, s, U, v.Q, o.vget(p.n)), o.imm(32, p.shift))),
      },
    ),
  ),
)

export const simdShift: readonly Row[] = [...shifts, ...narrowing, ...shiftNarrow, ...long]
