/** Scalar half-precision arithmetic (FEAT_FP16): the four operations and roots by the host's single precision, the rest by helpers. */
import { imm, small, vr, x, xd } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { expandFloat } from '../simd-immediate.ts'
import { MOVES, MULTIPLY_ADD, ONE_SOURCE, TO_INTEGER, TWO_SOURCES, one, two } from './fp.ts'
import { halfPrecision } from './host-half.ts'
import { zero } from './simd-lanes.ts'

const fp = true
const feature = 'FEAT_FP16'
/** log2 of the bytes of an element. */
const SIZE = 1
const BYTES = 2

export const half: readonly Row[] = [
  ...MOVES.map(([name, opcode, value]) =>
    a64(`${name}, half`, '00011110 11 1 oooooo 10000 nnnnn ddddd', `${name.slice(0, 4)} H<d>, H<n>`, {
      fixed: { o: opcode },
      feature,
      fp,
      operands: one,
      body: (o, _v, p) => o.vsetLow(BYTES, p.d, value(o, SIZE, p.n)),
    }),
  ),
  ...ONE_SOURCE.map(([name, opcode]) =>
    a64(`${name} (scalar, half)`, '00011110 11 1 oooooo 10000 nnnnn ddddd', `${name} H<d>, H<n>`, {
      fixed: { o: opcode },
      feature,
      fp,
      operands: one,
      body: (o, _v, p) => halfPrecision(o, name, BYTES, p.d, [p.n]),
    }),
  ),
  ...TWO_SOURCES.map(([name, opcode]) =>
    a64(`${name} (scalar, half)`, '00011110 11 1 mmmmm oooo 10 nnnnn ddddd', `${name} H<d>, H<n>, H<m>`, {
      fixed: { o: opcode },
      feature,
      fp,
      operands: two,
      body: (o, _v, p) => halfPrecision(o, name, BYTES, p.d, [p.n, p.m]),
    }),
  ),
  ...MULTIPLY_ADD.map((name, i) =>
    a64(`${name} (half)`, '00011111 11 N mmmmm S aaaaa nnnnn ddddd', `${name} H<d>, H<n>, H<m>, H<a>`, {
      fixed: { N: i >> 1, S: i & 1 },
      feature,
      fp,
      operands: (f) => ({ ...two(f), a: vr(f.a) }),
      body: (o, _v, p) => o.call(name, 'pure', SIZE, p.d, p.n, p.m, p.a),
    }),
  ),
  a64('FCMP/FCMPE (half)', '00011110 11 1 mmmmm 00 1000 nnnnn e0000', '{e:FCMP|FCMPE} H<n>, H<m>', {
    variants: 'e',
    feature,
    fp,
    operands: (f) => ({ n: vr(f.n), m: vr(f.m) }),
    body: (o, v, p) => o.flagsSet(o.ask('FCMP', SIZE, v.e, p.n, p.m)),
  }),
  a64('FCMP/FCMPE (zero, half)', '00011110 11 1 mmmmm 00 1000 nnnnn e1000', '{e:FCMP|FCMPE} H<n>, #0.0', {
    variants: 'e',
    feature,
    fp,
    operands: (f) => ({ n: vr(f.n) }),
    body: (o, v, p) => o.flagsSet(o.ask('FCMP (zero)', SIZE, v.e, p.n)),
  }),
  a64(
    'FCCMP/FCCMPE (half)',
    '00011110 11 1 mmmmm cccc 01 nnnnn e ffff',
    '{e:FCCMP|FCCMPE} H<n>, H<m>, #<nzcv>, <cond>',
    {
      variants: 'e',
      feature,
      fp,
      operands: (f) => ({ n: vr(f.n), m: vr(f.m), c: small(f.c), nzcv: small(f.f) }),
      body: (o, v, p) =>
        o.when(
          o.condition(p.c),
          () => o.flagsSet(o.ask('FCMP', SIZE, v.e, p.n, p.m)),
          () => o.flagsSet(o.imm(32, p.nzcv)),
        ),
    },
  ),
  a64('FCSEL (half)', '00011110 11 1 mmmmm cccc 11 nnnnn ddddd', 'FCSEL H<d>, H<n>, H<m>, <cond>', {
    feature,
    fp,
    operands: (f) => ({ ...two(f), c: small(f.c) }),
    body: (o, _v, p) => {
      const yes = o.extractLane('i64x2', 0, o.vget(p.n))
      const no = o.extractLane('i64x2', 0, o.vget(p.m))
      o.vsetLow(BYTES, p.d, o.splat('i64x2', o.select(64, yes, no, o.condition(p.c))))
    },
  }),
  a64('FMOV (scalar, immediate, half)', '00011110 11 1 iiiiiiii 100 00000 ddddd', 'FMOV H<d>, #<imm>', {
    feature,
    fp,
    operands: (f) => ({ d: vr(f.d), imm: imm(expandFloat(f.i, 16)) }),
    body: (o, _v, p) => o.vset(p.d, o.replaceLane('i64x2', 0, zero(o), o.imm(64, p.imm))),
  }),
  ...TO_INTEGER.map(({ name, r, o: opcode, rounding }) =>
    a64(
      `${name}{S|U} (scalar, integer, half)`,
      'z 0011110 11 1 rr oou 000000 nnnnn ddddd',
      `${name}{u:S|U} <R><d>, H<n>`,
      {
        variants: 'zu',
        fixed: { r, o: opcode },
        feature,
        fp,
        operands: (f) => ({ d: xd(f.d), n: vr(f.n) }),
        body: (o, v, p) => o.call('FCVT to integer', 'pure', SIZE, v.z === 1 ? 64 : 32, 1 - v.u, rounding, 0, p.d, p.n),
      },
    ),
  ),
  a64(
    'SCVTF/UCVTF (scalar, integer, half)',
    'z 0011110 11 1 00 01u 000000 nnnnn ddddd',
    '{u:SCVTF|UCVTF} H<d>, <R><n>',
    {
      variants: 'zu',
      feature,
      fp,
      operands: (f) => ({ d: vr(f.d), n: x(f.n) }),
      body: (o, v, p) => o.call('CVTF from integer', 'pure', SIZE, v.z === 1 ? 64 : 32, 1 - v.u, 0, p.d, p.n),
    },
  ),
  a64(
    'SCVTF/UCVTF (scalar, fixed-point, half)',
    'z 0011110 11 0 00 01u ffffff nnnnn ddddd',
    '{u:SCVTF|UCVTF} H<d>, <R><n>, #<fbits>',
    {
      variants: 'zu',
      feature,
      fp,
      when: (f) => f.z === 1 || f.f >= 32,
      example: { f: 63 },
      operands: (f) => ({ d: vr(f.d), n: x(f.n), fraction: small(64 - f.f) }),
      body: (o, v, p) => o.call('CVTF from integer', 'pure', SIZE, v.z === 1 ? 64 : 32, 1 - v.u, p.fraction, p.d, p.n),
    },
  ),
  a64(
    'FCVTZS/FCVTZU (scalar, fixed-point, half)',
    'z 0011110 11 0 11 00u ffffff nnnnn ddddd',
    '{u:FCVTZS|FCVTZU} <R><d>, H<n>, #<fbits>',
    {
      variants: 'zu',
      feature,
      fp,
      when: (f) => f.z === 1 || f.f >= 32,
      example: { f: 63 },
      operands: (f) => ({ d: xd(f.d), n: vr(f.n), fraction: small(64 - f.f) }),
      body: (o, v, p) => o.call('FCVT to integer', 'pure', SIZE, v.z === 1 ? 64 : 32, 1 - v.u, 3, p.fraction, p.d, p.n),
    },
  ),
  a64('FMOV (half to general)', 'z 0011110 11 1 00 110 000000 nnnnn ddddd', 'FMOV <R><d>, H<n>', {
    variants: 'z',
    feature,
    fp,
    operands: (f) => ({ d: xd(f.d), n: vr(f.n) }),
    body: (o, _v, p) => o.set(32, p.d, o.extractLane('i16x8_u', 0, o.vget(p.n))),
  }),
  a64('FMOV (general to half)', 'z 0011110 11 1 00 111 000000 nnnnn ddddd', 'FMOV H<d>, <R><n>', {
    variants: 'z',
    feature,
    fp,
    operands: (f) => ({ d: vr(f.d), n: x(f.n) }),
    body: (o, _v, p) => o.vset(p.d, o.replaceLane('i16x8', 0, zero(o), o.get(32, p.n))),
  }),
]
