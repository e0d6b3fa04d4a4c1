/** Instructions that work on the flags themselves: FEAT_FlagM and FEAT_FlagM2 (Arm ARM C4.1, "Data Processing -- Register", "PSTATE"). */
import { small, x } from '../ops.ts'
import { a64 } from '../row.ts'

const bit = { n: 8, z: 4, c: 2, v: 1 } as const

export const flags = [
  a64('CFINV', '11010101 00000 000 0100 0000 000 11111', 'CFINV', {
    feature: 'FEAT_FlagM',
    operands: () => ({}),
    body: (o) => o.flagsSet(o.binary('xor', 32, o.flagsGet(), o.konst(32, bit.c))),
  }),
  a64('XAFLAG', '11010101 00000 000 0100 0000 001 11111', 'XAFLAG', {
    feature: 'FEAT_FlagM2',
    operands: () => ({}),
    body: (o) => {
      // N = !C & !Z, Z = Z & C, C = C | Z, V = !C & Z.
      const c = o.let(32, o.carry())
      const z = o.let(32, o.condition(0))
      const not = (a: typeof c) => o.binary('xor', 32, o.use(a), o.konst(32, 1))
      const n = o.binary('shl', 32, o.binary('and', 32, not(c), not(z)), o.konst(32, 3))
      const nz = o.binary('or', 32, n, o.binary('shl', 32, o.binary('and', 32, o.use(z), o.use(c)), o.konst(32, 2)))
      const nzc = o.binary('or', 32, nz, o.binary('shl', 32, o.binary('or', 32, o.use(c), o.use(z)), o.konst(32, 1)))
      o.flagsSet(o.binary('or', 32, nzc, o.binary('and', 32, not(c), o.use(z))))
    },
  }),
  a64('AXFLAG', '11010101 00000 000 0100 0000 010 11111', 'AXFLAG', {
    feature: 'FEAT_FlagM2',
    operands: () => ({}),
    body: (o) => {
      // Z = Z | V, C = C & !V, N = V = 0.
      const v = o.let(32, o.condition(6))
      const z = o.binary('shl', 32, o.binary('or', 32, o.condition(0), o.use(v)), o.konst(32, 2))
      const c = o.binary('and', 32, o.carry(), o.binary('xor', 32, o.use(v), o.konst(32, 1)))
      o.flagsSet(o.binary('or', 32, z, o.binary('shl', 32, c, o.konst(32, 1))))
    },
  }),
  a64('RMIF', '1 01 11010000 iiiiii 00001 nnnnn 0 mmmm', 'RMIF <Xn>, #<shift>, #<mask>', {
    feature: 'FEAT_FlagM',
    operands: (f) => ({ n: x(f.n), shift: small(f.i), mask: small(f.m) }),
    body: (o, _v, p) => {
      const rotated = o.let(32, o.wrap(o.binary('rotr', 64, o.get(64, p.n), o.imm(64, p.shift))))
      const kept = o.binary('and', 32, o.flagsGet(), o.binary('xor', 32, o.imm(32, p.mask), o.konst(32, 15)))
      o.flagsSet(o.binary('or', 32, kept, o.binary('and', 32, o.use(rotated), o.imm(32, p.mask))))
    },
  }),
  a64('SETF8/SETF16', '0 01 11010000 00000 0 s 0010 nnnnn 0 1101', '{SETF8|SETF16} <Wn>', {
    variants: 's',
    feature: 'FEAT_FlagM',
    operands: (f) => ({ n: x(f.n) }),
    body: (o, v, p) => {
      // The byte or halfword at the top of a word gives N and Z; V says whether its sign differs from the bit above it.
      const shift = v.s === 1 ? 16 : 24
      const n = o.let(32, o.get(32, p.n))
      const carry = o.let(32, o.carry())
      const value = o.let(32, o.binary('shl', 32, o.use(n), o.konst(32, shift)))
      const sign = o.binary('shl', 32, o.binary('shrU', 32, o.use(value), o.konst(32, 31)), o.konst(32, 3))
      const zero = o.binary('shl', 32, o.isZero(32, o.use(value)), o.konst(32, 2))
      const nzc = o.binary('or', 32, o.binary('or', 32, sign, zero), o.binary('shl', 32, o.use(carry), o.konst(32, 1)))
      const differs = o.binary('xor', 32, o.use(n), o.binary('shrU', 32, o.use(n), o.konst(32, 1)))
      const v32 = o.binary('and', 32, o.binary('shrU', 32, differs, o.konst(32, 31 - shift)), o.konst(32, 1))
      o.flagsSet(o.binary('or', 32, nzc, v32))
    },
  }),
]
