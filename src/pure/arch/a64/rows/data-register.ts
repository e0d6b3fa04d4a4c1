/** Data processing, register (Arm ARM C4.1, "Data Processing -- Register"). */
import type { LookupTable } from '../lookup-tables.ts'
import { imm, small, x, xd, xsp } from '../ops.ts'
import type { IntBinary, IntUnary, Local, Ops, SmallOperand, GprOperand, Width } from '../ops.ts'
import { a64 } from '../row.ts'

const width = (z: number): Width => (z === 1 ? 64 : 32)
const LOGICAL: readonly IntBinary[] = ['and', 'or', 'xor', 'and']
const SHIFT: readonly IntBinary[] = ['shl', 'shrU', 'shrS', 'rotr']

/** Register m extended as UXTB, UXTH, UXTW, UXTX, SXTB, SXTH, SXTW, SXTX (`option`), at width w. */
export function extended<V>(o: Ops<V>, option: number, w: Width, m: GprOperand): V {
  const size = option & 3
  const signed = option >= 4
  if (size === 3 || (size === 2 && w === 32)) return o.get(w, m)
  if (size === 2) return o.widen(signed, o.get(32, m))
  const from = size === 0 ? 8 : 16
  return signed
    ? o.signExtend(from, w, o.get(w, m))
    : o.binary('and', w, o.get(w, m), o.konst(w, size === 0 ? 0xff : 0xffff))
}

function logical<V>(
  o: Ops<V>,
  v: { z: number; o: number; N: number },
  d: GprOperand,
  n: GprOperand,
  second: () => V,
): void {
  const w = width(v.z)
  const a = o.get(w, n)
  const b = v.N === 1 ? o.unary('not', w, second()) : second()
  const r = o.binary(LOGICAL[v.o] ?? 'and', w, a, b)
  if (v.o !== 3) return o.set(w, d, r)
  const result = o.let(w, r)
  o.set(w, d, o.use(result))
  o.flagsLogic(w, result)
}

/**
 * CRC32 of 1 << `size` bytes, looked up byte by byte: each as if it had zero bytes in the place of those after it, whose remainders
 * are added.
 */
function checksum<V>(o: Ops<V>, table: LookupTable, size: number, { n, m }: { n: GprOperand; m: GprOperand }): V {
  const bytes = 1 << size
  const low = o.let(32, o.binary('xor', 32, o.get(32, n), size === 3 ? o.wrap(o.get(64, m)) : o.get(32, m)))
  const high = size === 3 ? o.let(32, o.wrap(o.binary('shrU', 64, o.get(64, m), o.konst(64, 32)))) : low
  const remainder = (i: number): V => {
    const word = o.binary('shrU', 32, o.use(i < 4 ? low : high), o.konst(32, 8 * (i & 3)))
    return o.lookUp(table, 256 * (bytes - 1 - i), o.binary('and', 32, word, o.konst(32, 0xff)))
  }
  let sum = remainder(0)
  for (let i = 1; i < bytes; i++) sum = o.binary('xor', 32, sum, remainder(i))
  // Fewer bytes than the accumulator has leave the rest of it.
  return size < 2 ? o.binary('xor', 32, sum, o.binary('shrU', 32, o.get(32, n), o.konst(32, 8 * bytes))) : sum
}

function addSub<V>(
  o: Ops<V>,
  v: { z: number; o: number; s: number },
  d: GprOperand,
  n: GprOperand,
  second: () => V,
): void {
  const w = width(v.z)
  const op = v.o === 1 ? 'sub' : 'add'
  if (v.s === 0) return o.set(w, d, o.binary(op, w, o.get(w, n), second()))
  const a: Local = o.let(w, o.get(w, n))
  const b: Local = o.let(w, second())
  o.set(w, d, o.binary(op, w, o.use(a), o.use(b)))
  if (v.o === 1) o.flagsSub(w, a, b)
  else o.flagsAdd(w, a, b)
}

const ONE_SOURCE: Readonly<Record<number, readonly [IntUnary, IntUnary]>> = {
  0: ['rbit', 'rbit'],
  1: ['rev16', 'rev16'],
  2: ['rev', 'rev32'],
  3: ['rev', 'rev'],
  4: ['clz', 'clz'],
}

function conditionalCompare<V>(
  o: Ops<V>,
  v: { z: number; o: number },
  n: GprOperand,
  second: (w: Width) => V,
  c: SmallOperand,
  nzcv: SmallOperand,
): void {
  const w = width(v.z)
  const a = o.let(w, o.get(w, n))
  const b = o.let(w, second(w))
  o.when(
    o.condition(c),
    () => (v.o === 1 ? o.flagsSub(w, a, b) : o.flagsAdd(w, a, b)),
    () => o.flagsSet(o.imm(32, nzcv)),
  )
}

export const dataRegister = [
  a64('AND/ORR/EOR/ANDS (register)', 'z oo 01010 00 N mmmmm 000000 nnnnn ddddd', '{AND|ORR|EOR|ANDS} <d>, <n>, <m>', {
    variants: 'zoN',
    frequent: true,
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m) }),
    body: (o, v, p) => logical(o, v, p.d, p.n, () => o.get(width(v.z), p.m)),
  }),
  a64(
    'AND/ORR/EOR/ANDS (shifted register)',
    'z oo 01010 tt N mmmmm iiiiii nnnnn ddddd',
    '{AND|ORR|EOR|ANDS} <d>, <n>, <m>{, <shift> #<amount>}',
    {
      variants: 'zotN',
      frequent: true,
      when: (f) => f.z === 1 || f.i < 32,
      operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m), amount: imm(f.i) }),
      body: (o, v, p) => {
        const w = width(v.z)
        logical(o, v, p.d, p.n, () => o.binary(SHIFT[v.t] ?? 'shl', w, o.get(w, p.m), o.imm(w, p.amount)))
      },
    },
  ),
  a64('ADD/SUB (register)', 'z o s 01011 00 0 mmmmm 000000 nnnnn ddddd', '{ADD|ADDS|SUB|SUBS} <d>, <n>, <m>', {
    variants: 'zos',
    frequent: true,
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m) }),
    body: (o, v, p) => addSub(o, v, p.d, p.n, () => o.get(width(v.z), p.m)),
  }),
  a64(
    'ADD/SUB (shifted register)',
    'z o s 01011 tt 0 mmmmm iiiiii nnnnn ddddd',
    '{ADD|ADDS|SUB|SUBS} <d>, <n>, <m>{, <shift> #<amount>}',
    {
      variants: 'zost',
      frequent: true,
      when: (f) => f.t !== 3 && (f.z === 1 || f.i < 32),
      operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m), amount: imm(f.i) }),
      body: (o, v, p) => {
        const w = width(v.z)
        addSub(o, v, p.d, p.n, () => o.binary(SHIFT[v.t] ?? 'shl', w, o.get(w, p.m), o.imm(w, p.amount)))
      },
    },
  ),
  a64(
    'ADD/SUB (extended register)',
    'z o s 01011 00 1 mmmmm eee iii nnnnn ddddd',
    '{ADD|ADDS|SUB|SUBS} <d|SP>, <n|SP>, <m>{, <extend> {#<amount>}}',
    {
      variants: 'zose',
      when: (f) => f.i <= 4,
      operands: (f) => ({ d: f.s === 1 ? xd(f.d) : xsp(f.d), n: xsp(f.n), m: x(f.m), amount: imm(f.i) }),
      body: (o, v, p) => {
        const w = width(v.z)
        addSub(o, v, p.d, p.n, () => o.binary('shl', w, extended(o, v.e, w, p.m), o.imm(w, p.amount)))
      },
    },
  ),
  a64('ADC/SBC', 'z o s 11010000 mmmmm 000000 nnnnn ddddd', '{ADC|ADCS|SBC|SBCS} <d>, <n>, <m>', {
    variants: 'zos',
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m) }),
    body: (o, v, p) => {
      const w = width(v.z)
      const carry = o.let(32, o.carry())
      const a = o.let(w, o.get(w, p.n))
      const b = o.let(w, v.o === 1 ? o.unary('not', w, o.get(w, p.m)) : o.get(w, p.m))
      const sum = o.binary('add', w, o.use(a), o.use(b))
      o.set(w, p.d, o.binary('add', w, sum, w === 64 ? o.widen(false, o.use(carry)) : o.use(carry)))
      if (v.s === 1) o.flagsAdc(w, a, b, carry)
    },
  }),
  a64('CCMN/CCMP (register)', 'z o 1 11010010 mmmmm cccc 00 nnnnn 0 ffff', '{CCMN|CCMP} <n>, <m>, #<nzcv>, <cond>', {
    variants: 'zo',
    frequent: true,
    operands: (f) => ({ n: x(f.n), m: x(f.m), c: small(f.c), nzcv: small(f.f) }),
    body: (o, v, p) => conditionalCompare(o, v, p.n, (w) => o.get(w, p.m), p.c, p.nzcv),
  }),
  a64(
    'CCMN/CCMP (immediate)',
    'z o 1 11010010 iiiii cccc 10 nnnnn 0 ffff',
    '{CCMN|CCMP} <n>, #<imm>, #<nzcv>, <cond>',
    {
      variants: 'zo',
      frequent: true,
      operands: (f) => ({ n: x(f.n), c: small(f.c), nzcv: small(f.f), imm: imm(f.i) }),
      body: (o, v, p) => conditionalCompare(o, v, p.n, (w) => o.imm(w, p.imm), p.c, p.nzcv),
    },
  ),
  a64(
    'CSEL/CSINC/CSINV/CSNEG',
    'z o 0 11010100 mmmmm cccc 0 p nnnnn ddddd',
    '{CSEL|CSINC|CSINV|CSNEG} <d>, <n>, <m>, <cond>',
    {
      variants: 'zop',
      frequent: true,
      operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m), c: small(f.c) }),
      body: (o, v, p) => {
        const w = width(v.z)
        const yes = o.get(w, p.n)
        const other = o.get(w, p.m)
        const changed = v.o === 1 ? (v.p === 1 ? o.unary('neg', w, other) : o.unary('not', w, other)) : other
        const no = v.o === 0 && v.p === 1 ? o.binary('add', w, changed, o.konst(w, 1)) : changed
        o.set(w, p.d, o.select(w, yes, no, o.condition(p.c)))
      },
    },
  ),
  a64('RBIT/REV16/REV32/REV/CLZ', 'z 10 11010110 00000 000ooo nnnnn ddddd', '{RBIT|REV16|REV|REV32|CLZ} <d>, <n>', {
    variants: 'zo',
    frequent: true,
    when: (f) => f.o <= 4 && !(f.o === 3 && f.z === 0),
    operands: (f) => ({ d: xd(f.d), n: x(f.n) }),
    body: (o, v, p) => {
      const w = width(v.z)
      const op = ONE_SOURCE[v.o]?.[v.z === 1 ? 1 : 0] ?? 'clz'
      o.set(w, p.d, o.unary(op, w, o.get(w, p.n)))
    },
  }),
  a64('CLS', 'z 10 11010110 00000 000101 nnnnn ddddd', 'CLS <d>, <n>', {
    variants: 'z',
    operands: (f) => ({ d: xd(f.d), n: x(f.n) }),
    body: (o, v, p) => {
      // Leading bits equal to the sign: those of (n EOR n >> 1 arithmetic), less the sign's own.
      const w = width(v.z)
      const n = o.let(w, o.get(w, p.n))
      const changes = o.binary('xor', w, o.use(n), o.binary('shrS', w, o.use(n), o.konst(w, 1)))
      o.set(w, p.d, o.binary('sub', w, o.unary('clz', w, changes), o.konst(w, 1)))
    },
  }),
  a64('UDIV/SDIV', 'z 00 11010110 mmmmm 00001o nnnnn ddddd', '{UDIV|SDIV} <d>, <n>, <m>', {
    variants: 'zo',
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m) }),
    body: (o, v, p) => {
      const w = width(v.z)
      o.set(w, p.d, o.binary(v.o === 1 ? 'divS' : 'divU', w, o.get(w, p.n), o.get(w, p.m)))
    },
  }),
  a64('LSLV/LSRV/ASRV/RORV', 'z 00 11010110 mmmmm 0010oo nnnnn ddddd', '{LSL|LSR|ASR|ROR} <d>, <n>, <m>', {
    variants: 'zo',
    frequent: true,
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m) }),
    body: (o, v, p) => {
      const w = width(v.z)
      o.set(w, p.d, o.binary(SHIFT[v.o] ?? 'shl', w, o.get(w, p.n), o.get(w, p.m)))
    },
  }),
  a64('CRC32', 'z 00 11010110 mmmmm 010 c ss nnnnn ddddd', 'CRC32{C}{B|H|W|X} <Wd>, <Wn>, <m>', {
    variants: 'cs',
    feature: 'FEAT_CRC32',
    when: (f) => (f.s === 3) === (f.z === 1),
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m) }),
    body: (o, v, p) => o.set(32, p.d, checksum(o, v.c === 1 ? 'crc32c' : 'crc32', v.s, p)),
  }),
  a64('MADD/MSUB', 'z 00 11011 000 mmmmm o aaaaa nnnnn ddddd', '{MADD|MSUB} <d>, <n>, <m>, <a>', {
    variants: 'zo',
    frequent: true,
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m), a: x(f.a) }),
    body: (o, v, p) => {
      const w = width(v.z)
      const a = o.get(w, p.a)
      o.set(w, p.d, o.binary(v.o === 1 ? 'sub' : 'add', w, a, o.binary('mul', w, o.get(w, p.n), o.get(w, p.m))))
    },
  }),
  a64(
    'SMADDL/SMSUBL/UMADDL/UMSUBL',
    '1 00 11011 u01 mmmmm o aaaaa nnnnn ddddd',
    '{S|U}{MADDL|MSUBL} <Xd>, <Wn>, <Wm>, <Xa>',
    {
      variants: 'uo',
      frequent: true,
      operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m), a: x(f.a) }),
      body: (o, v, p) => {
        const a = o.get(64, p.a)
        const signed = v.u === 0
        const product = o.binary('mul', 64, o.widen(signed, o.get(32, p.n)), o.widen(signed, o.get(32, p.m)))
        o.set(64, p.d, o.binary(v.o === 1 ? 'sub' : 'add', 64, a, product))
      },
    },
  ),
  a64('SMULH/UMULH', '1 00 11011 u10 mmmmm 0 11111 nnnnn ddddd', '{S|U}MULH <Xd>, <Xn>, <Xm>', {
    variants: 'u',
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: x(f.m) }),
    body: (o, v, p) => {
      const a = o.let(64, o.get(64, p.n))
      const b = o.let(64, o.get(64, p.m))
      o.set(64, p.d, o.mulHigh(v.u === 0, a, b))
    },
  }),
]
