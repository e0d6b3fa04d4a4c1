/** Data processing, immediate (Arm ARM C4.1, "Data Processing -- Immediate"). */
import { bitfieldMask, decodeBitmask, signExtend } from '../bitmask.ts'
import { imm, small, x, xd, xsp } from '../ops.ts'
import type { IntBinary, Width } from '../ops.ts'
import { a64 } from '../row.ts'

const width = (z: number): Width => (z === 1 ? 64 : 32)
const LOGICAL: readonly IntBinary[] = ['and', 'or', 'xor', 'and']

export const dataImmediate = [
  a64('ADR', '0 jj 10000 iiiiiiiiiiiiiiiiiii ddddd', 'ADR <Xd>, <label>', {
    frequent: true,
    operands: (f) => ({ d: xd(f.d), offset: imm(signExtend((f.i << 2) | f.j, 21)) }),
    body: (o, _v, p) => o.set(64, p.d, o.pcRelative(p.offset)),
  }),
  a64('ADRP', '1 jj 10000 iiiiiiiiiiiiiiiiiii ddddd', 'ADRP <Xd>, <label>', {
    frequent: true,
    operands: (f) => ({ d: xd(f.d), offset: imm(signExtend((f.i << 2) | f.j, 21) * 4096) }),
    body: (o, _v, p) => o.set(64, p.d, o.pageRelative(p.offset)),
  }),
  a64('ADD/SUB (immediate)', 'z o 0 100010 h iiiiiiiiiiii nnnnn ddddd', '{ADD|SUB} <d|SP>, <n|SP>, #<imm>{, LSL #12}', {
    variants: 'zo',
    frequent: true,
    operands: (f) => ({ d: xsp(f.d), n: xsp(f.n), imm: imm(f.h === 1 ? f.i << 12 : f.i) }),
    body: (o, v, p) => {
      const w = width(v.z)
      o.set(w, p.d, o.binary(v.o === 1 ? 'sub' : 'add', w, o.get(w, p.n), o.imm(w, p.imm)))
    },
  }),
  a64('ADDS/SUBS (immediate)', 'z o 1 100010 h iiiiiiiiiiii nnnnn ddddd', '{ADDS|SUBS} <d>, <n|SP>, #<imm>{, LSL #12}', {
    variants: 'zo',
    frequent: true,
    operands: (f) => ({ d: xd(f.d), n: xsp(f.n), imm: imm(f.h === 1 ? f.i << 12 : f.i) }),
    body: (o, v, p) => {
      const w = width(v.z)
      const a = o.let(w, o.get(w, p.n))
      const b = o.let(w, o.imm(w, p.imm))
      o.set(w, p.d, o.binary(v.o === 1 ? 'sub' : 'add', w, o.use(a), o.use(b)))
      if (v.o === 1) o.flagsSub(w, a, b)
      else o.flagsAdd(w, a, b)
    },
  }),
  a64('AND/ORR/EOR/ANDS (immediate)', 'z oo 100100 N rrrrrr ssssss nnnnn ddddd', '{AND|ORR|EOR|ANDS} <d|SP>, <n>, #<imm>', {
    variants: 'zo',
    frequent: true,
    when: (f) => decodeBitmask(f.N, f.s, f.r, width(f.z)) !== undefined,
    operands: (f) => ({
      d: f.o === 3 ? xd(f.d) : xsp(f.d),
      n: x(f.n),
      mask: imm(decodeBitmask(f.N, f.s, f.r, width(f.z)) ?? 0n),
    }),
    body: (o, v, p) => {
      const w = width(v.z)
      const op = LOGICAL[v.o] ?? 'and'
      if (v.o !== 3) return o.set(w, p.d, o.binary(op, w, o.get(w, p.n), o.imm(w, p.mask)))
      const r = o.let(w, o.binary(op, w, o.get(w, p.n), o.imm(w, p.mask)))
      o.set(w, p.d, o.use(r))
      o.flagsLogic(w, r)
    },
  }),
  a64('MOVN/MOVZ', 'z o0 100101 hh iiiiiiiiiiiiiiii ddddd', '{MOVN|MOVZ} <d>, #<imm>{, LSL #<shift>}', {
    variants: 'z',
    frequent: true,
    when: (f) => f.z === 1 || f.h < 2,
    operands: (f) => {
      const value = BigInt(f.i) << BigInt(16 * f.h)
      return { d: xd(f.d), value: imm(f.o === 1 ? value : BigInt.asIntN(64, f.z === 1 ? ~value : ~value & 0xffffffffn)) }
    },
    body: (o, v, p) => o.set(width(v.z), p.d, o.imm(width(v.z), p.value)),
  }),
  a64('MOVK', 'z 11 100101 hh iiiiiiiiiiiiiiii ddddd', 'MOVK <d>, #<imm>{, LSL #<shift>}', {
    variants: 'zh',
    frequent: true,
    when: (f) => f.z === 1 || f.h < 2,
    operands: (f) => ({ d: xd(f.d), s: x(f.d), value: imm(BigInt(f.i) << BigInt(16 * f.h)) }),
    body: (o, v, p) => {
      const w = width(v.z)
      const keep = BigInt.asIntN(w, ~(0xffffn << BigInt(16 * v.h)))
      o.set(w, p.d, o.binary('or', w, o.binary('and', w, o.get(w, p.s), o.konst(w, keep)), o.imm(w, p.value)))
    },
  }),
  a64('UBFM', 'z 10 100110 N rrrrrr ssssss nnnnn ddddd', 'UBFM <d>, <n>, #<immr>, #<imms>', {
    variants: 'z',
    frequent: true,
    when: (f) => f.N === f.z && (f.z === 1 || (f.r < 32 && f.s < 32)),
    operands: (f) => ({ d: xd(f.d), n: x(f.n), rotate: small(f.r), mask: imm(bitfieldMask(f.r, f.s, width(f.z))) }),
    body: (o, v, p) => {
      const w = width(v.z)
      o.set(w, p.d, o.binary('and', w, o.binary('rotr', w, o.get(w, p.n), o.imm(w, p.rotate)), o.imm(w, p.mask)))
    },
  }),
  a64('SBFM', 'z 00 100110 N rrrrrr ssssss nnnnn ddddd', 'SBFM <d>, <n>, #<immr>, #<imms>', {
    variants: 'z',
    frequent: true,
    when: (f) => f.N === f.z && (f.z === 1 || (f.r < 32 && f.s < 32)),
    operands: (f) => {
      // The field goes to the top and comes back down arithmetically, to bit 0 or to where it starts.
      const w = width(f.z)
      const left = w - 1 - f.s
      return { d: xd(f.d), n: x(f.n), left: small(left), right: imm(f.s >= f.r ? left + f.r : left - (w - f.r)) }
    },
    body: (o, v, p) => {
      const w = width(v.z)
      o.set(w, p.d, o.binary('shrS', w, o.binary('shl', w, o.get(w, p.n), o.imm(w, p.left)), o.imm(w, p.right)))
    },
  }),
  a64('BFM', 'z 01 100110 N rrrrrr ssssss nnnnn ddddd', 'BFM <d>, <n>, #<immr>, #<imms>', {
    variants: 'z',
    when: (f) => f.N === f.z && (f.z === 1 || (f.r < 32 && f.s < 32)),
    operands: (f) => ({ d: xd(f.d), n: x(f.n), rs: small((f.r << 6) | f.s), mask: imm(bitfieldMask(f.r, f.s, width(f.z))) }),
    body: (o, v, p) => {
      // (old EOR field) AND mask, EOR old: only the bits of the mask change. The rotation is the upper half of `rs`.
      const w = width(v.z)
      const old = o.let(w, o.get(w, p.d))
      const rotate = o.binary('shrU', w, o.imm(w, p.rs), o.konst(w, 6))
      const amount = o.let(w, rotate)
      const field = o.binary('rotr', w, o.get(w, p.n), o.use(amount))
      const changed = o.binary('and', w, o.binary('xor', w, field, o.use(old)), o.imm(w, p.mask))
      o.set(w, p.d, o.binary('xor', w, changed, o.use(old)))
    },
  }),
  a64('EXTR', 'z 00 100111 N 0 mmmmm iiiiii nnnnn ddddd', 'EXTR <d>, <n>, <m>, #<lsb>', {
    variants: 'z',
    frequent: true,
    when: (f) => f.N === f.z && (f.z === 1 || f.i < 32),
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m), lsb: imm(f.i) }),
    body: (o, v, p) => {
      // n:m >> lsb. The left shift goes in two steps, since a shift by the whole width is a shift by 0.
      const w = width(v.z)
      const lsb = o.let(w, o.imm(w, p.lsb))
      const high = o.binary('shl', w, o.get(w, p.n), o.konst(w, 1))
      const placed = o.binary('shl', w, high, o.binary('xor', w, o.use(lsb), o.konst(w, w - 1)))
      o.set(w, p.d, o.binary('or', w, placed, o.binary('shrU', w, o.get(w, p.m), o.use(lsb))))
    },
  }),
]
