/** Half-precision arithmetic of vectors (FEAT_FP16): the encodings beside those of single and double precision. */
import { imm, small, vr } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { expandFloat } from '../simd-immediate.ts'
import { halfPrecision } from './host-half.ts'
import { ACROSS, BY_ELEMENT, FROM, ONE, PAIRWISE, SIGNS, THREE_SAME, TO, TO_INTEGER, three, two } from './simd-fp.ts'
import { bytesOf, lanes } from './simd-lanes.ts'

const fp = true
const feature = 'FEAT_FP16'
/** log2 of the bytes of an element. */
const SIZE = 1
const BYTES = 2
/** The encodings have the lower three bits of the opcode. */
const OPCODE = 7

const threeSame: Row[] = THREE_SAME.flatMap(([name, U, a, opcode, scalar]) => {
  const fixed = { U, a, o: opcode & OPCODE }
  const rows = [
    a64(
      `${name} (vector, half)`,
      '0 Q U 01110 a 10 mmmmm 00 ooo 1 nnnnn ddddd',
      `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<T>`,
      {
        variants: 'Q',
        fixed,
        feature,
        fp,
        operands: three,
        body: (o, v, p) => halfPrecision(o, name, bytesOf(v.Q), p.d, [p.n, p.m]),
      },
    ),
  ]
  if (scalar)
    rows.push(
      a64(`${name} (scalar, half)`, '01 U 11110 a 10 mmmmm 00 ooo 1 nnnnn ddddd', `${name} H<d>, H<n>, H<m>`, {
        fixed,
        feature,
        fp,
        operands: three,
        body: (o, _v, p) => halfPrecision(o, name, BYTES, p.d, [p.n, p.m]),
      }),
    )
  return rows
})

const pairwise: Row[] = PAIRWISE.map(([name, a, opcode]) =>
  a64(`${name} (scalar, half)`, '01 0 11110 a 0 11000 ooooo 10 nnnnn ddddd', `${name} H<d>, <Vn>.2H`, {
    fixed: { a, o: opcode },
    feature,
    fp,
    operands: two,
    body: (o, _v, p) => o.call(`${name} (scalar)`, 'pure', SIZE, p.d, p.n),
  }),
)

const across: Row[] = ACROSS.map(([name, a, opcode]) =>
  a64(`${name} (half)`, '0 Q 0 01110 a 0 11000 ooooo 10 nnnnn ddddd', `${name} H<d>, <Vn>.<T>`, {
    variants: 'Q',
    fixed: { a, o: opcode },
    feature,
    fp,
    operands: two,
    body: (o, v, p) => o.call(name, 'pure', SIZE, bytesOf(v.Q), p.d, p.n),
  }),
)

const one: Row[] = ONE.flatMap(([name, U, a, opcode, scalar]) => {
  const fixed = { U, a, o: opcode }
  const mnemonic = name.replace(' (zero)', '')
  const last = name === mnemonic ? '' : ', #0.0'
  const rows = [
    a64(
      `${name} (vector, half)`,
      '0 Q U 01110 a 111100 ooooo 10 nnnnn ddddd',
      `${mnemonic} <Vd>.<T>, <Vn>.<T>${last}`,
      {
        variants: 'Q',
        fixed,
        feature,
        fp,
        operands: two,
        body: (o, v, p) => halfPrecision(o, name, bytesOf(v.Q), p.d, [p.n]),
      },
    ),
  ]
  if (scalar)
    rows.push(
      a64(`${name} (scalar, half)`, '01 U 11110 a 111100 ooooo 10 nnnnn ddddd', `${mnemonic} H<d>, H<n>${last}`, {
        fixed,
        feature,
        fp,
        operands: two,
        body: (o, _v, p) => halfPrecision(o, name, BYTES, p.d, [p.n]),
      }),
    )
  return rows
})

const toInteger: Row[] = TO_INTEGER.flatMap(([name, a, opcode, rounding]) => [
  a64(`${name}{S|U} (vector, half)`, '0 Q U 01110 a 111100 ooooo 10 nnnnn ddddd', `${name}{U:S|U} <Vd>.<T>, <Vn>.<T>`, {
    variants: 'QU',
    fixed: { a, o: opcode },
    feature,
    fp,
    operands: two,
    body: (o, v, p) => o.call(TO, 'pure', SIZE, bytesOf(v.Q), 1 - v.U, rounding, 0, p.d, p.n),
  }),
  a64(`${name}{S|U} (scalar, half)`, '01 U 11110 a 111100 ooooo 10 nnnnn ddddd', `${name}{U:S|U} H<d>, H<n>`, {
    variants: 'U',
    fixed: { a, o: opcode },
    feature,
    fp,
    operands: two,
    body: (o, v, p) => o.call(TO, 'pure', SIZE, BYTES, 1 - v.U, rounding, 0, p.d, p.n),
  }),
])

const VECTOR_FIXED = '0 Q U 011110 001 iiii ooooo 1 nnnnn ddddd'
const SCALAR_FIXED = '01 U 111110 001 iiii ooooo 1 nnnnn ddddd'
const fraction = (f: { d: number; n: number; i: number }) => ({ ...two(f), fraction: small(16 - f.i) })
const TOWARDS_ZERO = 3

const fixedPoint: Row[] = [
  a64('SCVTF/UCVTF (vector, fixed-point, half)', VECTOR_FIXED, '{U:S|U}CVTF <Vd>.<T>, <Vn>.<T>, #<right>', {
    variants: 'QU',
    fixed: { o: 0b11100 },
    feature,
    fp,
    operands: fraction,
    body: (o, v, p) => o.call(FROM, 'pure', SIZE, bytesOf(v.Q), 1 - v.U, p.fraction, p.d, p.n),
  }),
  a64('SCVTF/UCVTF (scalar, vector fixed-point, half)', SCALAR_FIXED, '{U:S|U}CVTF <V><d>, <V><n>, #<right>', {
    variants: 'U',
    fixed: { o: 0b11100 },
    feature,
    fp,
    operands: fraction,
    body: (o, v, p) => o.call(FROM, 'pure', SIZE, BYTES, 1 - v.U, p.fraction, p.d, p.n),
  }),
  a64('FCVTZS/FCVTZU (vector, fixed-point, half)', VECTOR_FIXED, 'FCVTZ{U:S|U} <Vd>.<T>, <Vn>.<T>, #<right>', {
    variants: 'QU',
    fixed: { o: 0b11111 },
    feature,
    fp,
    operands: fraction,
    body: (o, v, p) => o.call(TO, 'pure', SIZE, bytesOf(v.Q), 1 - v.U, TOWARDS_ZERO, p.fraction, p.d, p.n),
  }),
  a64('FCVTZS/FCVTZU (scalar, vector fixed-point, half)', SCALAR_FIXED, 'FCVTZ{U:S|U} <V><d>, <V><n>, #<right>', {
    variants: 'U',
    fixed: { o: 0b11111 },
    feature,
    fp,
    operands: fraction,
    body: (o, v, p) => o.call(TO, 'pure', SIZE, BYTES, 1 - v.U, TOWARDS_ZERO, p.fraction, p.d, p.n),
  }),
]

type ElementFields = { d: number; n: number; m: number; L: number; M: number; H: number }
const elementOperands = (f: ElementFields) => ({
  d: vr(f.d),
  n: vr(f.n),
  m: vr(f.m),
  index: small((f.H << 2) | (f.L << 1) | f.M),
})
const byElement: Row[] = BY_ELEMENT.flatMap(([name, U, opcode]) => [
  a64(
    `${name} (by element, half)`,
    '0 Q U 01111 00 L M mmmm oooo H 0 nnnnn ddddd',
    `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<Ts>[<index>]`,
    {
      variants: 'Q',
      fixed: { U, o: opcode },
      feature,
      fp,
      operands: elementOperands,
      body: (o, v, p) => o.call(`${name} (by element)`, 'pure', SIZE, bytesOf(v.Q), p.d, p.n, p.m, p.index),
    },
  ),
  a64(
    `${name} (by element, scalar, half)`,
    '01 U 11111 00 L M mmmm oooo H 0 nnnnn ddddd',
    `${name} H<d>, H<n>, <Vm>.<Ts>[<index>]`,
    {
      fixed: { U, o: opcode },
      feature,
      fp,
      operands: elementOperands,
      body: (o, _v, p) => o.call(`${name} (by element)`, 'pure', SIZE, BYTES, p.d, p.n, p.m, p.index),
    },
  ),
])

export const halfVector: readonly Row[] = [
  ...threeSame,
  ...pairwise,
  ...across,
  ...one,
  ...SIGNS.map(([name, U, op]) =>
    a64(`${name} (vector, half)`, '0 Q U 01110 1 111100 01111 10 nnnnn ddddd', `${name} <Vd>.<T>, <Vn>.<T>`, {
      variants: 'Q',
      fixed: { U },
      feature,
      fp,
      operands: two,
      body: (o, v, p) =>
        o.vsetLow(
          bytesOf(v.Q),
          p.d,
          o.vector(`v128.${op}`, o.vget(p.n), lanes(o, SIZE, op === 'and' ? 0x7fffn : 0x8000n)),
        ),
    }),
  ),
  a64('FRECPX (half)', '01 0 11110 1 111100 11111 10 nnnnn ddddd', 'FRECPX H<d>, H<n>', {
    feature,
    fp,
    operands: two,
    body: (o, _v, p) => o.call('FRECPX', 'pure', SIZE, BYTES, p.d, p.n),
  }),
  ...toInteger,
  a64('SCVTF/UCVTF (vector, half)', '0 Q U 01110 0 111100 11101 10 nnnnn ddddd', '{U:S|U}CVTF <Vd>.<T>, <Vn>.<T>', {
    variants: 'QU',
    feature,
    fp,
    operands: two,
    body: (o, v, p) => o.call(FROM, 'pure', SIZE, bytesOf(v.Q), 1 - v.U, 0, p.d, p.n),
  }),
  a64('SCVTF/UCVTF (scalar, half)', '01 U 11110 0 111100 11101 10 nnnnn ddddd', '{U:S|U}CVTF H<d>, H<n>', {
    variants: 'U',
    feature,
    fp,
    operands: two,
    body: (o, v, p) => o.call(FROM, 'pure', SIZE, BYTES, 1 - v.U, 0, p.d, p.n),
  }),
  ...fixedPoint,
  ...byElement,
  a64('FMOV (vector, immediate, half)', '0 Q 0 0111100000 hhh 1111 11 ggggg ddddd', 'FMOV <Vd>.<T>, #<imm8>', {
    variants: 'Q',
    feature,
    fp,
    operands: (f) => ({ d: vr(f.d), imm: imm(expandFloat((f.h << 5) | f.g, 16) * 0x0001_0001_0001_0001n) }),
    body: (o, v, p) => o.vsetLow(bytesOf(v.Q), p.d, o.splat('i64x2', o.imm(64, p.imm))),
  }),
]
