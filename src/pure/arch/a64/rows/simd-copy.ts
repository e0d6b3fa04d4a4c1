/** AdvSIMD copy, extract, table lookup and modified immediate (Arm ARM C4.1). */
import { imm, small, vr, x, xd } from '../ops.ts'
import type { Ops, SmallOperand, VecOperand } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { expandImmediate } from '../simd-immediate.ts'
import {
  byteVector,
  bytesOf,
  duplicate,
  elementBytes,
  elementWidth,
  indexLocal,
  insert,
  laneOf,
  splatElement,
} from './simd-lanes.ts'

const fp = true

/** imm5 by element size: the lowest bit that is set says the size, those above it the lane. */
const LANES = [
  {
    s: 0,
    T: 'B',
    dup: '0 Q 0 01110000 iiii1 0 0000 1 nnnnn ddddd',
    scalar: '01 0 11110000 iiii1 0 0000 1 nnnnn ddddd',
    general: '0 Q 0 01110000 iiii1 0 0001 1 nnnnn ddddd',
    ins: '0 1 0 01110000 iiii1 0 0011 1 nnnnn ddddd',
    smov: '0 Q 0 01110000 iiii1 0 0101 1 nnnnn ddddd',
    umov: '0 Q 0 01110000 iiii1 0 0111 1 nnnnn ddddd',
    element: '0 1 1 01110000 iiii1 0 jjjj 1 nnnnn ddddd',
  },
  {
    s: 1,
    T: 'H',
    dup: '0 Q 0 01110000 iii10 0 0000 1 nnnnn ddddd',
    scalar: '01 0 11110000 iii10 0 0000 1 nnnnn ddddd',
    general: '0 Q 0 01110000 iii10 0 0001 1 nnnnn ddddd',
    ins: '0 1 0 01110000 iii10 0 0011 1 nnnnn ddddd',
    smov: '0 Q 0 01110000 iii10 0 0101 1 nnnnn ddddd',
    umov: '0 Q 0 01110000 iii10 0 0111 1 nnnnn ddddd',
    element: '0 1 1 01110000 iii10 0 jjjj 1 nnnnn ddddd',
  },
  {
    s: 2,
    T: 'S',
    dup: '0 Q 0 01110000 ii100 0 0000 1 nnnnn ddddd',
    scalar: '01 0 11110000 ii100 0 0000 1 nnnnn ddddd',
    general: '0 Q 0 01110000 ii100 0 0001 1 nnnnn ddddd',
    ins: '0 1 0 01110000 ii100 0 0011 1 nnnnn ddddd',
    smov: '0 Q 0 01110000 ii100 0 0101 1 nnnnn ddddd',
    umov: '0 Q 0 01110000 ii100 0 0111 1 nnnnn ddddd',
    element: '0 1 1 01110000 ii100 0 jjjj 1 nnnnn ddddd',
  },
  {
    s: 3,
    T: 'D',
    dup: '0 Q 0 01110000 i1000 0 0000 1 nnnnn ddddd',
    scalar: '01 0 11110000 i1000 0 0000 1 nnnnn ddddd',
    general: '0 Q 0 01110000 i1000 0 0001 1 nnnnn ddddd',
    ins: '0 1 0 01110000 i1000 0 0011 1 nnnnn ddddd',
    smov: '0 Q 0 01110000 i1000 0 0101 1 nnnnn ddddd',
    umov: '0 Q 0 01110000 i1000 0 0111 1 nnnnn ddddd',
    element: '0 1 1 01110000 i1000 0 jjjj 1 nnnnn ddddd',
  },
] as const

const fromLane = (f: { i: number; n: number; d: number }) => ({ d: vr(f.d), n: vr(f.n), index: small(f.i) })

const copies: Row[] = LANES.flatMap(({ s, T, dup, scalar, general, ins, smov, umov, element }) => {
  const rows = [
    a64(`DUP (element, ${T})`, dup, 'DUP <Vd>.<T>, <Vn>.<Ts>[<index>]', {
      variants: 'Q',
      fp,
      when: (f) => s < 3 || f.Q === 1,
      operands: fromLane,
      body: (o, v, p) => o.vsetLow(bytesOf(v.Q), p.d, duplicate(o, s, p.n, indexLocal(o, p.index))),
    }),
    a64(`DUP (element, scalar, ${T})`, scalar, 'DUP <V><d>, <Vn>.<T>[<index>]', {
      fp,
      operands: fromLane,
      body: (o, _v, p) => o.vsetLow(elementBytes(s), p.d, duplicate(o, s, p.n, indexLocal(o, p.index))),
    }),
    a64(`DUP (general, ${T})`, general, 'DUP <Vd>.<T>, <R><n>', {
      variants: 'Q',
      fp,
      when: (f) => s < 3 || f.Q === 1,
      operands: (f) => ({ d: vr(f.d), n: x(f.n) }),
      body: (o, v, p) => o.vsetLow(bytesOf(v.Q), p.d, splatElement(o, s, o.get(elementWidth(s), p.n))),
    }),
    a64(`INS (general, ${T})`, ins, 'INS <Vd>.<Ts>[<index>], <R><n>', {
      fp,
      operands: (f) => ({ d: vr(f.d), n: x(f.n), index: small(f.i) }),
      body: (o, _v, p) => {
        const index = indexLocal(o, p.index)
        o.vset(
          p.d,
          insert(o, s, p.d, index, () => splatElement(o, s, o.get(elementWidth(s), p.n))),
        )
      },
    }),
    a64(`INS (element, ${T})`, element, 'INS <Vd>.<Ts>[<index1>], <Vn>.<Ts>[<index2>]', {
      fp,
      operands: (f) => ({ d: vr(f.d), n: vr(f.n), to: small(f.i), from: small(f.j >> s) }),
      body: (o, _v, p) => {
        const to = indexLocal(o, p.to)
        const from = indexLocal(o, p.from)
        o.vset(
          p.d,
          insert(o, s, p.d, to, () => duplicate(o, s, p.n, from)),
        )
      },
    }),
    // A 64-bit lane goes to a 64-bit register, all others to a 32-bit one.
    a64(`UMOV (${T})`, umov, 'UMOV <R>d, <Vn>.<Ts>[<index>]', {
      fp,
      when: (f) => f.Q === (s === 3 ? 1 : 0),
      example: { Q: s === 3 ? 1 : 0 },
      operands: (f) => ({ d: xd(f.d), n: vr(f.n), index: small(f.i) }),
      body: (o, _v, p) => o.set(elementWidth(s), p.d, laneOf(o, s, p.n, indexLocal(o, p.index))),
    }),
  ]
  if (s < 3)
    rows.push(
      a64(`SMOV (${T})`, smov, 'SMOV <R>d, <Vn>.<Ts>[<index>]', {
        variants: 'Q',
        fp,
        when: (f) => s < 2 || f.Q === 1,
        operands: (f) => ({ d: xd(f.d), n: vr(f.n), index: small(f.i) }),
        body: (o, v, p) => {
          const lane = laneOf(o, s, p.n, indexLocal(o, p.index))
          const from = s === 0 ? 8 : s === 1 ? 16 : 32
          if (v.Q === 1) o.set(64, p.d, o.signExtend(from, 64, o.widen(false, lane)))
          else o.set(32, p.d, o.signExtend(from, 32, lane))
        },
      }),
    )
  return rows
})

/** The bytes of a vector at `offset` and up, an offset of 16 or more (or below zero) giving zeros. */
function bytesFrom<V>(o: Ops<V>, source: V, offset: SmallOperand): V {
  const indexes = byteVector(o, (i) => i)
  return o.vector('i8x16.swizzle', source, o.vector('i8x16.add', indexes, o.splat('i8x16', o.imm(32, offset))))
}

/** Registers n to n + 3, of which a table uses as many as it has. */
const table = (f: { n: number; m: number; d: number }) => ({
  d: vr(f.d),
  m: vr(f.m),
  n0: vr(f.n),
  n1: vr(f.n + 1),
  n2: vr(f.n + 2),
  n3: vr(f.n + 3),
})

function lookup<V>(o: Ops<V>, tables: readonly VecOperand[], m: VecOperand): V {
  const found = tables.map((n, k) => {
    const source = o.vget(n)
    // Below zero is far above 15: out of range too.
    return o.let(
      128,
      o.vector(
        'i8x16.swizzle',
        source,
        o.vector(
          'i8x16.sub',
          o.vget(m),
          byteVector(o, () => 16 * k),
        ),
      ),
    )
  })
  return found
    .slice(1)
    .reduce((all, local) => o.vector('v128.or', all, o.use(local)), o.use(found[0] ?? { local: 0, type: 128 }))
}

const TABLES = [0, 1, 2, 3] as const

const immediate = (f: { Q: number; p: number; c: number; h: number; g: number }): bigint =>
  expandImmediate(f.p, f.c, (f.h << 5) | f.g)

export const simdCopy: readonly Row[] = [
  ...copies,
  a64('EXT', '0 Q 101110 000 mmmmm 0 iiii 0 nnnnn ddddd', 'EXT <Vd>.<T0>, <Vn>.<T0>, <Vm>.<T0>, #<index>', {
    variants: 'Q',
    fp,
    when: (f) => f.Q === 1 || f.i < 8,
    operands: (f) => ({ d: vr(f.d), n: vr(f.n), m: vr(f.m), index: small(f.i) }),
    body: (o, v, p) => {
      if (v.Q === 0) {
        const both = o.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23], o.vget(p.n), o.vget(p.m))
        o.vsetLow(8, p.d, bytesFrom(o, both, p.index))
        return
      }
      const low = bytesFrom(o, o.vget(p.n), p.index)
      const source = o.vget(p.m)
      const indexes = o.vector(
        'i8x16.add',
        byteVector(o, (i) => i - 16),
        o.splat('i8x16', o.imm(32, p.index)),
      )
      o.vset(p.d, o.vector('v128.or', low, o.vector('i8x16.swizzle', source, indexes)))
    },
  }),
  ...TABLES.map((l) =>
    a64(
      `TBL/TBX (${l + 1})`,
      '0 Q 001110 000 mmmmm 0 ll x 00 nnnnn ddddd',
      '{x:TBL|TBX} <Vd>.<T0>, { <Vn>.16B, … }, <Vm>.<T0>',
      {
        variants: 'Qx',
        fixed: { l },
        fp,
        operands: table,
        body: (o, v, p) => {
          const found = lookup(o, [p.n0, p.n1, p.n2, p.n3].slice(0, l + 1), p.m)
          if (v.x === 0) return o.vsetLow(bytesOf(v.Q), p.d, found)
          const old = o.vget(p.d)
          const inRange = o.vector(
            'i8x16.lt_u',
            o.vget(p.m),
            byteVector(o, () => 16 * (l + 1)),
          )
          o.vsetLow(bytesOf(v.Q), p.d, o.vectorBitSelect(found, old, inRange))
        },
      },
    ),
  ),
  a64(
    'MOVI/MVNI/FMOV (vector, immediate)',
    '0 Q p 0111100000 hhh cccc 01 ggggg ddddd',
    '{MOVI|MVNI|FMOV} <Vd>.<T>, #<imm>{, <shift> #<amount>}',
    {
      variants: 'Q',
      fp,
      // The odd ones below 12 are ORR and BIC; FMOV of a double needs both lanes.
      when: (f) => ((f.c & 1) === 0 || f.c >= 12) && !(f.c === 15 && f.p === 1 && f.Q === 0),
      operands: (f) => ({ d: vr(f.d), imm: imm(immediate(f)) }),
      body: (o, v, p) => o.vsetLow(bytesOf(v.Q), p.d, o.splat('i64x2', o.imm(64, p.imm))),
    },
  ),
  a64(
    'ORR/BIC (vector, immediate)',
    '0 Q p 0111100000 hhh cccc 01 ggggg ddddd',
    '{ORR|BIC} <Vd>.<T>, #<imm8>{, LSL #<amount>}',
    {
      variants: 'Qp',
      fp,
      when: (f) => (f.c & 1) === 1 && f.c < 12,
      example: { c: 1 },
      // The immediate of BIC comes inverted already.
      operands: (f) => ({ d: vr(f.d), imm: imm(immediate(f)) }),
      body: (o, v, p) => {
        const old = o.vget(p.d)
        o.vsetLow(
          bytesOf(v.Q),
          p.d,
          o.vector(v.p === 1 ? 'v128.and' : 'v128.or', old, o.splat('i64x2', o.imm(64, p.imm))),
        )
      },
    },
  ),
]
