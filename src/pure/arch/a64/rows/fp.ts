/** Scalar floating point (Arm ARM C4.1, "Data Processing -- Scalar Floating-Point and Advanced SIMD"). Of half precision only the conversions; the rest is in `half.ts`. */
import { imm, small, vr, x, xd } from '../ops.ts'
import type { GprOperand, Ops, VecOperand } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { expandFloat } from '../simd-immediate.ts'
import { convert, fromInteger, toInteger as hostToInteger } from './host-convert.ts'
import { binary, compare, unary } from './host-float.ts'
import { multiplyAdd as fused } from './host-fused.ts'
import { elementBytes, zero } from './simd-lanes.ts'

const fp = true

/** `ptype`: 0 single, 1 double, 3 half. As log2 of bytes. */
const sizeOf = (ptype: number): 1 | 2 | 3 => (ptype === 0 ? 2 : ptype === 1 ? 3 : 1)
const hostSizeOf = (ptype: number): 2 | 3 => (ptype === 1 ? 3 : 2)
const bytesOf = (ptype: number): 4 | 8 => (ptype === 1 ? 8 : 4)
const singleOrDouble = (f: { p: number }): boolean => f.p < 2
const example = { p: 0 }

export const one = (f: { d: number; n: number }) => ({ d: vr(f.d), n: vr(f.n) })
export const two = (f: { d: number; n: number; m: number }) => ({ d: vr(f.d), n: vr(f.n), m: vr(f.m) })

const signBit = (size: number): bigint => 1n << BigInt((8 << size) - 1)

export const MOVES: readonly (readonly [string, number, <V>(o: Ops<V>, size: number, n: VecOperand) => V])[] = [
  ['FMOV (register)', 0b000000, (o, _size, n) => o.vget(n)],
  ['FABS (scalar)', 0b000001, (o, size, n) => o.vector('v128.and', o.vget(n), o.vconst(signBit(size) - 1n, 0n))],
  ['FNEG (scalar)', 0b000010, (o, size, n) => o.vector('v128.xor', o.vget(n), o.vconst(signBit(size), 0n))],
]
const moves: Row[] = MOVES.map(([name, opcode, value]) =>
  a64(name, '00011110 pp 1 oooooo 10000 nnnnn ddddd', `${name.slice(0, 4)} <F><d>, <F><n>`, {
    variants: 'p',
    fixed: { o: opcode },
    fp,
    when: singleOrDouble,
    operands: one,
    body: (o, v, p) => o.vsetLow(elementBytes(sizeOf(v.p)), p.d, value(o, sizeOf(v.p), p.n)),
  }),
)

export const ONE_SOURCE: readonly (readonly [string, number])[] = [
  ['FSQRT', 0b000011],
  ['FRINTN', 0b001000],
  ['FRINTP', 0b001001],
  ['FRINTM', 0b001010],
  ['FRINTZ', 0b001011],
  ['FRINTA', 0b001100],
  ['FRINTX', 0b001110],
  ['FRINTI', 0b001111],
]
const oneSource: Row[] = ONE_SOURCE.map(([name, opcode]) =>
  a64(`${name} (scalar)`, '00011110 pp 1 oooooo 10000 nnnnn ddddd', `${name} <F><d>, <F><n>`, {
    variants: 'p',
    fixed: { o: opcode },
    fp,
    when: singleOrDouble,
    operands: one,
    body: (o, v, p) => unary(o, name, hostSizeOf(v.p), bytesOf(v.p), p),
  }),
)

export const TWO_SOURCES: readonly (readonly [string, number])[] = [
  ['FMUL', 0b0000],
  ['FDIV', 0b0001],
  ['FADD', 0b0010],
  ['FSUB', 0b0011],
  ['FMAX', 0b0100],
  ['FMIN', 0b0101],
  ['FMAXNM', 0b0110],
  ['FMINNM', 0b0111],
  ['FNMUL', 0b1000],
]
const twoSources: Row[] = TWO_SOURCES.map(([name, opcode]) =>
  a64(`${name} (scalar)`, '00011110 pp 1 mmmmm oooo 10 nnnnn ddddd', `${name} <F><d>, <F><n>, <F><m>`, {
    variants: 'p',
    fixed: { o: opcode },
    fp,
    when: singleOrDouble,
    operands: two,
    body: (o, v, p) => binary(o, name, hostSizeOf(v.p), bytesOf(v.p), p),
  }),
)

export const MULTIPLY_ADD = ['FMADD', 'FMSUB', 'FNMADD', 'FNMSUB'] as const
const multiplyAdd: Row[] = MULTIPLY_ADD.map((name, i) =>
  a64(name, '00011111 pp N mmmmm S aaaaa nnnnn ddddd', `${name} <F><d>, <F><n>, <F><m>, <F><a>`, {
    variants: 'p',
    fixed: { N: i >> 1, S: i & 1 },
    fp,
    when: singleOrDouble,
    operands: (f) => ({ ...two(f), a: vr(f.a) }),
    body: (o, v, p) => {
      const push = { n: () => o.vget(p.n), m: () => o.vget(p.m), addend: () => o.vget(p.a) }
      const negate = { product: i === 1 || i === 2, addend: i >= 2 }
      const helper = (): void => o.call(name, 'pure', sizeOf(v.p), p.d, p.n, p.m, p.a)
      fused(o, hostSizeOf(v.p), bytesOf(v.p), p.d, push, negate, helper)
    },
  }),
)

/** Conversions to integers: name, rmode, opcode<2:1>, and the rounding as FPCR.RMode has it (4: ties away). */
export const TO_INTEGER = [
  { name: 'FCVTN', r: 0, o: 0, rounding: 0 },
  { name: 'FCVTP', r: 1, o: 0, rounding: 1 },
  { name: 'FCVTM', r: 2, o: 0, rounding: 2 },
  { name: 'FCVTZ', r: 3, o: 0, rounding: 3 },
  { name: 'FCVTA', r: 0, o: 2, rounding: 4 },
] as const

const toInteger: Row[] = TO_INTEGER.map(({ name, r, o: opcode, rounding }) =>
  a64(`${name}{S|U} (scalar, integer)`, 'z 0011110 pp 1 rr oou 000000 nnnnn ddddd', `${name}{u:S|U} <R><d>, <F><n>`, {
    variants: 'zpu',
    fixed: { r, o: opcode },
    fp,
    when: singleOrDouble,
    operands: (f) => ({ d: xd(f.d), n: vr(f.n) }),
    body: (o, v, p) => {
      const width = v.z === 1 ? 64 : 32
      hostToInteger(o, hostSizeOf(v.p), width, v.u === 0, rounding, p.d, p.n)
    },
  }),
)

/** FMOV between the register files: lanes as they are. */
const moveOut = <V>(o: Ops<V>, lane: 'i32x4' | 'i64x2', index: number, d: GprOperand, n: VecOperand): void =>
  lane === 'i32x4'
    ? o.set(32, d, o.extractLane(lane, index, o.vget(n)))
    : o.set(64, d, o.extractLane(lane, index, o.vget(n)))

export const floatingPoint: readonly Row[] = [
  ...moves,
  ...oneSource,
  a64('FCVT', '00011110 pp 1 0001 qq 10000 nnnnn ddddd', 'FCVT <G><d>, <F><n>', {
    variants: 'pq',
    fp,
    when: (f) => f.p !== f.q && f.p !== 2 && f.q !== 2,
    operands: one,
    body: (o, v, p) => convert(o, sizeOf(v.p), sizeOf(v.q), p),
  }),
  ...twoSources,
  ...multiplyAdd,
  a64('FCMP/FCMPE', '00011110 pp 1 mmmmm 00 1000 nnnnn e0000', '{e:FCMP|FCMPE} <F><n>, <F><m>', {
    variants: 'pe',
    fp,
    when: singleOrDouble,
    operands: (f) => ({ n: vr(f.n), m: vr(f.m) }),
    body: (o, v, p) => compare(o, hostSizeOf(v.p), v.e, p.n, p.m),
  }),
  a64('FCMP/FCMPE (zero)', '00011110 pp 1 mmmmm 00 1000 nnnnn e1000', '{e:FCMP|FCMPE} <F><n>, #0.0', {
    variants: 'pe',
    fp,
    when: singleOrDouble,
    operands: (f) => ({ n: vr(f.n) }),
    body: (o, v, p) => compare(o, hostSizeOf(v.p), v.e, p.n, undefined),
  }),
  a64('FCCMP/FCCMPE', '00011110 pp 1 mmmmm cccc 01 nnnnn e ffff', '{e:FCCMP|FCCMPE} <F><n>, <F><m>, #<nzcv>, <cond>', {
    variants: 'pe',
    fp,
    when: singleOrDouble,
    operands: (f) => ({ n: vr(f.n), m: vr(f.m), c: small(f.c), nzcv: small(f.f) }),
    body: (o, v, p) =>
      o.when(
        o.condition(p.c),
        () => compare(o, hostSizeOf(v.p), v.e, p.n, p.m),
        () => o.flagsSet(o.imm(32, p.nzcv)),
      ),
  }),
  a64('FCSEL', '00011110 pp 1 mmmmm cccc 11 nnnnn ddddd', 'FCSEL <F><d>, <F><n>, <F><m>, <cond>', {
    variants: 'p',
    fp,
    when: singleOrDouble,
    operands: (f) => ({ ...two(f), c: small(f.c) }),
    body: (o, v, p) => {
      const yes = o.extractLane('i64x2', 0, o.vget(p.n))
      const no = o.extractLane('i64x2', 0, o.vget(p.m))
      const chosen = o.splat('i64x2', o.select(64, yes, no, o.condition(p.c)))
      o.vsetLow(elementBytes(sizeOf(v.p)), p.d, chosen)
    },
  }),
  a64('FMOV (scalar, immediate)', '00011110 pp 1 iiiiiiii 100 00000 ddddd', 'FMOV <F><d>, #<imm>', {
    fp,
    when: singleOrDouble,
    example,
    operands: (f) => ({ d: vr(f.d), imm: imm(expandFloat(f.i, f.p === 1 ? 64 : 32)) }),
    body: (o, _v, p) => o.vset(p.d, o.replaceLane('i64x2', 0, zero(o), o.imm(64, p.imm))),
  }),
  ...toInteger,
  a64('SCVTF/UCVTF (scalar, integer)', 'z 0011110 pp 1 00 01u 000000 nnnnn ddddd', '{u:SCVTF|UCVTF} <F><d>, <R><n>', {
    variants: 'zpu',
    fp,
    when: singleOrDouble,
    operands: (f) => ({ d: vr(f.d), n: x(f.n) }),
    body: (o, v, p) => fromInteger(o, hostSizeOf(v.p), v.z === 1 ? 64 : 32, v.u === 0, p.d, p.n),
  }),
  a64(
    'SCVTF/UCVTF (scalar, fixed-point)',
    'z 0011110 pp 0 00 01u ffffff nnnnn ddddd',
    '{u:SCVTF|UCVTF} <F><d>, <R><n>, #<fbits>',
    {
      variants: 'zpu',
      fp,
      when: (f) => singleOrDouble(f) && (f.z === 1 || f.f >= 32),
      example: { f: 63 },
      operands: (f) => ({ d: vr(f.d), n: x(f.n), fraction: small(64 - f.f) }),
      body: (o, v, p) =>
        o.call('CVTF from integer', 'pure', sizeOf(v.p), v.z === 1 ? 64 : 32, 1 - v.u, p.fraction, p.d, p.n),
    },
  ),
  a64(
    'FCVTZS/FCVTZU (scalar, fixed-point)',
    'z 0011110 pp 0 11 00u ffffff nnnnn ddddd',
    '{u:FCVTZS|FCVTZU} <R><d>, <F><n>, #<fbits>',
    {
      variants: 'zpu',
      fp,
      when: (f) => singleOrDouble(f) && (f.z === 1 || f.f >= 32),
      example: { f: 63 },
      operands: (f) => ({ d: xd(f.d), n: vr(f.n), fraction: small(64 - f.f) }),
      body: (o, v, p) =>
        o.call('FCVT to integer', 'pure', sizeOf(v.p), v.z === 1 ? 64 : 32, 1 - v.u, 3, p.fraction, p.d, p.n),
    },
  ),
  a64('FMOV (single to general)', '0 0011110 00 1 00 110 000000 nnnnn ddddd', 'FMOV W<d>, S<n>', {
    fp,
    operands: (f) => ({ d: xd(f.d), n: vr(f.n) }),
    body: (o, _v, p) => moveOut(o, 'i32x4', 0, p.d, p.n),
  }),
  a64('FMOV (double to general)', '1 0011110 01 1 00 110 000000 nnnnn ddddd', 'FMOV X<d>, D<n>', {
    fp,
    operands: (f) => ({ d: xd(f.d), n: vr(f.n) }),
    body: (o, _v, p) => moveOut(o, 'i64x2', 0, p.d, p.n),
  }),
  a64('FMOV (upper half to general)', '1 0011110 10 1 01 110 000000 nnnnn ddddd', 'FMOV X<d>, <Vn>.D[1]', {
    fp,
    operands: (f) => ({ d: xd(f.d), n: vr(f.n) }),
    body: (o, _v, p) => moveOut(o, 'i64x2', 1, p.d, p.n),
  }),
  a64('FMOV (general to single)', '0 0011110 00 1 00 111 000000 nnnnn ddddd', 'FMOV S<d>, W<n>', {
    fp,
    operands: (f) => ({ d: vr(f.d), n: x(f.n) }),
    body: (o, _v, p) => o.vset(p.d, o.replaceLane('i32x4', 0, zero(o), o.get(32, p.n))),
  }),
  a64('FMOV (general to double)', '1 0011110 01 1 00 111 000000 nnnnn ddddd', 'FMOV D<d>, X<n>', {
    fp,
    operands: (f) => ({ d: vr(f.d), n: x(f.n) }),
    body: (o, _v, p) => o.vset(p.d, o.replaceLane('i64x2', 0, zero(o), o.get(64, p.n))),
  }),
  a64('FMOV (general to upper half)', '1 0011110 10 1 01 111 000000 nnnnn ddddd', 'FMOV <Vd>.D[1], X<n>', {
    fp,
    operands: (f) => ({ d: vr(f.d), n: x(f.n) }),
    body: (o, _v, p) => o.vset(p.d, o.replaceLane('i64x2', 1, o.vget(p.d), o.get(64, p.n))),
  }),
]
