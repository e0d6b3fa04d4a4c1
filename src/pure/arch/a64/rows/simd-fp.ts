/** AdvSIMD floating point of single and double precision, vector and scalar (Arm ARM C4.1). */
import { small, vr } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { lengthen, narrow, vectorFromInteger, vectorToInteger } from './host-convert.ts'
import { across as acrossHost, binary, byElement, pairwise as pairwiseHost, unary } from './host-float.ts'
import { bytesOf, elementBytes, lanes } from './simd-lanes.ts'

const fp = true

export const two = (f: { d: number; n: number }) => ({ d: vr(f.d), n: vr(f.n) })
export const three = (f: { d: number; n: number; m: number }) => ({ d: vr(f.d), n: vr(f.n), m: vr(f.m) })
/** `sz` as log2 of bytes. */
const sizeOf = (z: number): 2 | 3 => (z === 1 ? 3 : 2)
const scalarBytes = (z: number): 4 | 8 => (z === 1 ? 8 : 4)
/** Doubles come in pairs only. */
const whole = (f: { Q: number; z: number }): boolean => f.z === 0 || f.Q === 1

/** Name, U, bit 23, opcode; whether there is a scalar form beside. The helper has the instruction's name. */
export const THREE_SAME: readonly (readonly [string, 0 | 1, 0 | 1, number, boolean])[] = [
  ['FMAXNM', 0, 0, 0b11000, false],
  ['FMLA', 0, 0, 0b11001, false],
  ['FADD', 0, 0, 0b11010, false],
  ['FMULX', 0, 0, 0b11011, true],
  ['FCMEQ', 0, 0, 0b11100, true],
  ['FMAX', 0, 0, 0b11110, false],
  ['FRECPS', 0, 0, 0b11111, true],
  ['FMINNM', 0, 1, 0b11000, false],
  ['FMLS', 0, 1, 0b11001, false],
  ['FSUB', 0, 1, 0b11010, false],
  ['FMIN', 0, 1, 0b11110, false],
  ['FRSQRTS', 0, 1, 0b11111, true],
  ['FMAXNMP', 1, 0, 0b11000, false],
  ['FADDP', 1, 0, 0b11010, false],
  ['FMUL', 1, 0, 0b11011, false],
  ['FCMGE', 1, 0, 0b11100, true],
  ['FACGE', 1, 0, 0b11101, true],
  ['FMAXP', 1, 0, 0b11110, false],
  ['FDIV', 1, 0, 0b11111, false],
  ['FMINNMP', 1, 1, 0b11000, false],
  ['FABD', 1, 1, 0b11010, true],
  ['FCMGT', 1, 1, 0b11100, true],
  ['FACGT', 1, 1, 0b11101, true],
  ['FMINP', 1, 1, 0b11110, false],
]

const threeSame: Row[] = THREE_SAME.flatMap(([name, U, a, opcode, scalar]) => {
  const fixed = { U, a, o: opcode }
  const rows = [
    a64(`${name} (vector)`, '0 Q U 01110 a z 1 mmmmm ooooo 1 nnnnn ddddd', `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<T>`, {
      variants: 'Qz',
      fixed,
      fp,
      when: whole,
      operands: three,
      body: (o, v, p) => binary(o, name, sizeOf(v.z), bytesOf(v.Q), p),
    }),
  ]
  if (scalar)
    rows.push(
      a64(`${name} (scalar)`, '01 U 11110 a z 1 mmmmm ooooo 1 nnnnn ddddd', `${name} <V><d>, <V><n>, <V><m>`, {
        variants: 'z',
        fixed,
        fp,
        operands: three,
        body: (o, v, p) => binary(o, name, sizeOf(v.z), scalarBytes(v.z), p),
      }),
    )
  return rows
})

export const PAIRWISE: readonly (readonly [string, 0 | 1, number])[] = [
  ['FMAXNMP', 0, 0b01100],
  ['FADDP', 0, 0b01101],
  ['FMAXP', 0, 0b01111],
  ['FMINNMP', 1, 0b01100],
  ['FMINP', 1, 0b01111],
]
const pairwise: Row[] = PAIRWISE.map(([name, a, opcode]) =>
  a64(`${name} (scalar)`, '01 1 11110 a z 11000 ooooo 10 nnnnn ddddd', `${name} <V><d>, <Vn>.2<V>`, {
    variants: 'z',
    fixed: { a, o: opcode },
    fp,
    operands: two,
    body: (o, v, p) => pairwiseHost(o, name, sizeOf(v.z), p),
  }),
)

export const ACROSS: readonly (readonly [string, 0 | 1, number])[] = [
  ['FMAXNMV', 0, 0b01100],
  ['FMAXV', 0, 0b01111],
  ['FMINNMV', 1, 0b01100],
  ['FMINV', 1, 0b01111],
]
const across: Row[] = ACROSS.map(([name, a, opcode]) =>
  a64(name, '0 1 1 01110 a 0 11000 ooooo 10 nnnnn ddddd', `${name} S<d>, <Vn>.4S`, {
    fixed: { a, o: opcode },
    fp,
    operands: two,
    body: (o, _v, p) => acrossHost(o, name, p),
  }),
)

/** Operations of one operand by helpers: name, U, bit 23, opcode, scalar form. */
export const ONE: readonly (readonly [string, 0 | 1, 0 | 1, number, boolean])[] = [
  ['FRINTN', 0, 0, 0b11000, false],
  ['FRINTM', 0, 0, 0b11001, false],
  ['FRINTP', 0, 1, 0b11000, false],
  ['FRINTZ', 0, 1, 0b11001, false],
  ['FRINTA', 1, 0, 0b11000, false],
  ['FRINTX', 1, 0, 0b11001, false],
  ['FRINTI', 1, 1, 0b11001, false],
  ['FSQRT', 1, 1, 0b11111, false],
  ['FRECPE', 0, 1, 0b11101, true],
  ['FRSQRTE', 1, 1, 0b11101, true],
  ['FCMGT (zero)', 0, 1, 0b01100, true],
  ['FCMEQ (zero)', 0, 1, 0b01101, true],
  ['FCMLT (zero)', 0, 1, 0b01110, true],
  ['FCMGE (zero)', 1, 1, 0b01100, true],
  ['FCMLE (zero)', 1, 1, 0b01101, true],
]

const one: Row[] = ONE.flatMap(([name, U, a, opcode, scalar]) => {
  const fixed = { U, a, o: opcode }
  const mnemonic = name.replace(' (zero)', '')
  const last = name === mnemonic ? '' : ', #0.0'
  const rows = [
    a64(`${name} (vector)`, '0 Q U 01110 a z 10000 ooooo 10 nnnnn ddddd', `${mnemonic} <Vd>.<T>, <Vn>.<T>${last}`, {
      variants: 'Qz',
      fixed,
      fp,
      when: whole,
      operands: two,
      body: (o, v, p) => unary(o, name, sizeOf(v.z), bytesOf(v.Q), p),
    }),
  ]
  if (scalar)
    rows.push(
      a64(`${name} (scalar)`, '01 U 11110 a z 10000 ooooo 10 nnnnn ddddd', `${mnemonic} <V><d>, <V><n>${last}`, {
        variants: 'z',
        fixed,
        fp,
        operands: two,
        body: (o, v, p) => unary(o, name, sizeOf(v.z), scalarBytes(v.z), p),
      }),
    )
  return rows
})

/** FABS and FNEG: name, U, and what is done with the sign bits. */
export const SIGNS = [
  ['FABS', 0, 'and'],
  ['FNEG', 1, 'xor'],
] as const
const signs = (z: number): bigint => (z === 1 ? 1n << 63n : 1n << 31n)

/** Name, bit 23, opcode, rounding as FPCR.RMode has it (4: ties away). */
export const TO_INTEGER: readonly (readonly [string, 0 | 1, number, number])[] = [
  ['FCVTN', 0, 0b11010, 0],
  ['FCVTM', 0, 0b11011, 2],
  ['FCVTA', 0, 0b11100, 4],
  ['FCVTP', 1, 0b11010, 1],
  ['FCVTZ', 1, 0b11011, 3],
]
export const TO = 'FCVT to integer (vector)'
export const FROM = 'CVTF from integer (vector)'

const toInteger: Row[] = TO_INTEGER.flatMap(([name, a, opcode, rounding]) => [
  a64(`${name}{S|U} (vector)`, '0 Q U 01110 a z 10000 ooooo 10 nnnnn ddddd', `${name}{U:S|U} <Vd>.<T>, <Vn>.<T>`, {
    variants: 'QUz',
    fixed: { a, o: opcode },
    fp,
    when: whole,
    operands: two,
    body: (o, v, p) => vectorToInteger(o, sizeOf(v.z), bytesOf(v.Q), v.U === 0, rounding, p),
  }),
  a64(`${name}{S|U} (scalar)`, '01 U 11110 a z 10000 ooooo 10 nnnnn ddddd', `${name}{U:S|U} <V><d>, <V><n>`, {
    variants: 'Uz',
    fixed: { a, o: opcode },
    fp,
    operands: two,
    body: (o, v, p) => vectorToInteger(o, sizeOf(v.z), scalarBytes(v.z), v.U === 0, rounding, p),
  }),
])

/** immh:immb is 2 * esize - fbits. */
const FIXED = [
  {
    size: 2,
    T: 'S',
    vector: '0 Q U 011110 01 iiiii ooooo 1 nnnnn ddddd',
    scalar: '01 U 111110 01 iiiii ooooo 1 nnnnn ddddd',
  },
  {
    size: 3,
    T: 'D',
    vector: '0 Q U 011110 1 iiiiii ooooo 1 nnnnn ddddd',
    scalar: '01 U 111110 1 iiiiii ooooo 1 nnnnn ddddd',
  },
] as const

const fixedPoint: Row[] = FIXED.flatMap(({ size, T, vector, scalar }) => {
  const operands = (f: { d: number; n: number; i: number }) => ({ ...two(f), fraction: small((8 << size) - f.i) })
  const when = (f: { Q: number }): boolean => size === 2 || f.Q === 1
  return [
    a64(`SCVTF/UCVTF (vector, fixed-point, ${T})`, vector, '{U:S|U}CVTF <Vd>.<T>, <Vn>.<T>, #<right>', {
      variants: 'QU',
      fixed: { o: 0b11100 },
      fp,
      when,
      operands,
      body: (o, v, p) => o.call(FROM, 'pure', size, bytesOf(v.Q), 1 - v.U, p.fraction, p.d, p.n),
    }),
    a64(`SCVTF/UCVTF (scalar, vector fixed-point, ${T})`, scalar, '{U:S|U}CVTF <V><d>, <V><n>, #<right>', {
      variants: 'U',
      fixed: { o: 0b11100 },
      fp,
      operands,
      body: (o, v, p) => o.call(FROM, 'pure', size, elementBytes(size), 1 - v.U, p.fraction, p.d, p.n),
    }),
    a64(`FCVTZS/FCVTZU (vector, fixed-point, ${T})`, vector, 'FCVTZ{U:S|U} <Vd>.<T>, <Vn>.<T>, #<right>', {
      variants: 'QU',
      fixed: { o: 0b11111 },
      fp,
      when,
      operands,
      body: (o, v, p) => o.call(TO, 'pure', size, bytesOf(v.Q), 1 - v.U, 3, p.fraction, p.d, p.n),
    }),
    a64(`FCVTZS/FCVTZU (scalar, vector fixed-point, ${T})`, scalar, 'FCVTZ{U:S|U} <V><d>, <V><n>, #<right>', {
      variants: 'U',
      fixed: { o: 0b11111 },
      fp,
      operands,
      body: (o, v, p) => o.call(TO, 'pure', size, elementBytes(size), 1 - v.U, 3, p.fraction, p.d, p.n),
    }),
  ]
})

export const BY_ELEMENT: readonly (readonly [string, 0 | 1, number])[] = [
  ['FMLA', 0, 0b0001],
  ['FMLS', 0, 0b0101],
  ['FMUL', 0, 0b1001],
  ['FMULX', 1, 0b1001],
]
type ElementFields = { d: number; n: number; m: number; L: number; M: number; H: number; z: number }
const elementOperands = (f: ElementFields) => ({
  d: vr(f.d),
  n: vr(f.n),
  m: vr((f.M << 4) | f.m),
  index: small(f.z === 1 ? f.H : (f.H << 1) | f.L),
})
const elementRows: Row[] = BY_ELEMENT.flatMap(([name, U, opcode]) => [
  a64(
    `${name} (by element)`,
    '0 Q U 01111 1z L M mmmm oooo H 0 nnnnn ddddd',
    `${name} <Vd>.<T>, <Vn>.<T>, <Vm>.<Ts>[<index>]`,
    {
      variants: 'Qz',
      fixed: { U, o: opcode },
      fp,
      when: (f) => whole(f) && (f.z === 0 || f.L === 0),
      operands: elementOperands,
      body: (o, v, p) => byElement(o, name, sizeOf(v.z), bytesOf(v.Q), p),
    },
  ),
  a64(
    `${name} (by element, scalar)`,
    '01 U 11111 1z L M mmmm oooo H 0 nnnnn ddddd',
    `${name} <V><d>, <V><n>, <Vm>.<Ts>[<index>]`,
    {
      variants: 'z',
      fixed: { U, o: opcode },
      fp,
      when: (f) => f.z === 0 || f.L === 0,
      operands: elementOperands,
      body: (o, v, p) => byElement(o, name, sizeOf(v.z), scalarBytes(v.z), p),
    },
  ),
])

export const simdFloat: readonly Row[] = [
  ...threeSame,
  ...pairwise,
  ...across,
  ...one,
  ...SIGNS.map(([name, U, op]) =>
    a64(`${name} (vector)`, '0 Q U 01110 1 z 10000 01111 10 nnnnn ddddd', `${name} <Vd>.<T>, <Vn>.<T>`, {
      variants: 'Qz',
      fixed: { U },
      fp,
      when: whole,
      operands: two,
      body: (o, v, p) => {
        const mask = op === 'and' ? signs(v.z) - 1n : signs(v.z)
        o.vsetLow(bytesOf(v.Q), p.d, o.vector(`v128.${op}`, o.vget(p.n), lanes(o, sizeOf(v.z), mask)))
      },
    }),
  ),
  a64('FRECPX', '01 0 11110 1 z 10000 11111 10 nnnnn ddddd', 'FRECPX <V><d>, <V><n>', {
    variants: 'z',
    fp,
    operands: two,
    body: (o, v, p) => o.call('FRECPX', 'pure', sizeOf(v.z), elementBytes(sizeOf(v.z)), p.d, p.n),
  }),
  ...(
    [
      ['URECPE', 0],
      ['URSQRTE', 1],
    ] as const
  ).map(([name, U]) =>
    a64(name, '0 Q U 01110 1 0 10000 11100 10 nnnnn ddddd', `${name} <Vd>.<T2>, <Vn>.<T2>`, {
      variants: 'Q',
      fixed: { U },
      fp,
      operands: two,
      body: (o, v, p) => o.call(name, 'pure', 2, bytesOf(v.Q), p.d, p.n),
    }),
  ),
  ...toInteger,
  a64('SCVTF/UCVTF (vector)', '0 Q U 01110 0 z 10000 11101 10 nnnnn ddddd', '{U:S|U}CVTF <Vd>.<T>, <Vn>.<T>', {
    variants: 'QUz',
    fp,
    when: whole,
    operands: two,
    body: (o, v, p) => vectorFromInteger(o, sizeOf(v.z), bytesOf(v.Q), v.U === 0, p),
  }),
  a64('SCVTF/UCVTF (scalar)', '01 U 11110 0 z 10000 11101 10 nnnnn ddddd', '{U:S|U}CVTF <V><d>, <V><n>', {
    variants: 'Uz',
    fp,
    operands: two,
    body: (o, v, p) => vectorFromInteger(o, sizeOf(v.z), scalarBytes(v.z), v.U === 0, p),
  }),
  ...fixedPoint,
  a64('FCVTL', '0 Q 0 01110 0 z 10000 10111 10 nnnnn ddddd', 'FCVTL{2} <Vd>.<T+>, <Vn>.<T->', {
    variants: 'Qz',
    fp,
    operands: two,
    body: (o, v, p) => (v.z === 1 ? lengthen(o, v.Q, p) : o.call('FCVTL', 'pure', 1, v.Q, p.d, p.n)),
  }),
  a64('FCVTN', '0 Q 0 01110 0 z 10000 10110 10 nnnnn ddddd', 'FCVTN{2} <Vd>.<T->, <Vn>.<T+>', {
    variants: 'Qz',
    fp,
    operands: two,
    body: (o, v, p) => (v.z === 1 ? narrow(o, v.Q, p) : o.call('FCVTN', 'pure', 1, 4, v.Q, p.d, p.n)),
  }),
  a64('FCVTXN (vector)', '0 Q 1 01110 0 1 10000 10110 10 nnnnn ddddd', 'FCVTXN{2} <Vd>.<T2>, <Vn>.2D', {
    variants: 'Q',
    fp,
    operands: two,
    body: (o, v, p) => o.call('FCVTXN', 'pure', 2, 2, v.Q, p.d, p.n),
  }),
  a64('FCVTXN (scalar)', '01 1 11110 0 1 10000 10110 10 nnnnn ddddd', 'FCVTXN S<d>, D<n>', {
    fp,
    operands: two,
    body: (o, _v, p) => o.call('FCVTXN', 'pure', 2, 1, 0, p.d, p.n),
  }),
  ...elementRows,
]
