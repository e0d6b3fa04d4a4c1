/**
 * Exclusive, ordered and atomic accesses (Arm ARM C4.1, "Loads and Stores"). One CPU runs at a time and every access is
 * done when its instruction is, so that acquire and release order nothing more; that they be aligned is checked.
 */
import { signExtend } from '../bitmask.ts'
import { imm, x, xd, xsp } from '../ops.ts'
import type { GprOperand, IntCompare, Local, Ops, Width } from '../ops.ts'
import { a64 } from '../row.ts'
import { BYTES, SIGNED, UNSIGNED } from './load-store.ts'

/** The width of a register that holds 2^size bytes. */
const widthOf = (size: number): Width => (size === 3 ? 64 : 32)

/** The address in the base register, which has to be a multiple of `bytes`. */
function alignedBase<V>(o: Ops<V>, n: GprOperand, bytes: number, write: boolean): Local {
  const address = o.let(64, o.base(n))
  o.aligned(address, bytes, write)
  return address
}

function storeExclusive<V>(o: Ops<V>, address: Local, bytes: number, status: GprOperand, store: () => void): void {
  const failed = o.let(32, o.isZero(32, o.monitorHolds(address, bytes)))
  o.when(o.isZero(32, o.use(failed)), store)
  o.monitorClear()
  o.set(32, status, o.use(failed))
}

const exclusive = [
  a64('LDXR/LDAXR', 'ss 001000 010 rrrrr a uuuuu nnnnn ttttt', 'LD{A}XR{B|H} <t>, [<n|SP>]', {
    variants: 's',
    operands: (f) => ({ t: xd(f.t), n: xsp(f.n) }),
    body: (o, v, p) => {
      const w = widthOf(v.s)
      const address = alignedBase(o, p.n, BYTES[v.s] ?? 8, false)
      const loaded = o.let(w, o.load(UNSIGNED[v.s] ?? 'u64', w, o.use(address)))
      o.monitorOpen(address, BYTES[v.s] ?? 8)
      o.set(w, p.t, o.use(loaded))
    },
  }),
  a64('STXR/STLXR', 'ss 001000 000 rrrrr a uuuuu nnnnn ttttt', 'ST{L}XR{B|H} <Ws>, <t>, [<n|SP>]', {
    variants: 's',
    operands: (f) => ({ t: x(f.t), n: xsp(f.n), status: xd(f.r) }),
    body: (o, v, p) => {
      const w = widthOf(v.s)
      const bytes = BYTES[v.s] ?? 8
      const address = alignedBase(o, p.n, bytes, true)
      storeExclusive(o, address, bytes, p.status, () => o.store(bytes, w, o.use(address), o.get(w, p.t)))
    },
  }),
  a64('LDXP/LDAXP', '1s 001000 011 rrrrr a uuuuu nnnnn ttttt', 'LD{A}XP <t1>, <t2>, [<n|SP>]', {
    variants: 's',
    operands: (f) => ({ t: xd(f.t), u: xd(f.u), n: xsp(f.n) }),
    body: (o, v, p) => {
      const w: Width = v.s === 1 ? 64 : 32
      const address = alignedBase(o, p.n, v.s === 1 ? 16 : 8, false)
      const [first, second] = o.loadPair(v.s === 1 ? 'u64' : 'u32', w, o.use(address))
      o.monitorOpen(address, v.s === 1 ? 16 : 8)
      o.set(w, p.t, o.use(first))
      o.set(w, p.u, o.use(second))
    },
  }),
  a64('STXP/STLXP', '1s 001000 001 rrrrr a uuuuu nnnnn ttttt', 'ST{L}XP <Ws>, <t1>, <t2>, [<n|SP>]', {
    variants: 's',
    operands: (f) => ({ t: x(f.t), u: x(f.u), n: xsp(f.n), status: xd(f.r) }),
    body: (o, v, p) => {
      const w: Width = v.s === 1 ? 64 : 32
      const address = alignedBase(o, p.n, v.s === 1 ? 16 : 8, true)
      storeExclusive(o, address, v.s === 1 ? 16 : 8, p.status, () =>
        o.storePair(v.s === 1 ? 8 : 4, w, o.use(address), o.get(w, p.t), o.get(w, p.u)),
      )
    },
  }),
]

/** A load or store of one register with acquire or release: LDAR, STLR, and what is like them. */
const ordered = (name: string, bits: string, syntax: string, L: 0 | 1, feature?: 'FEAT_LOR' | 'FEAT_LRCPC') =>
  a64(name, bits, syntax, {
    variants: 's',
    ...(feature === undefined ? {} : { feature }),
    operands: (f: Readonly<Record<string, number>>) => ({ t: (L === 1 ? xd : x)(f['t'] ?? 0), n: xsp(f['n'] ?? 0) }),
    body: (o, v: Readonly<Record<string, number>>, p) => {
      const size = v['s'] ?? 0
      const w = widthOf(size)
      const bytes = BYTES[size] ?? 8
      const address = alignedBase(o, p.n, bytes, L === 0)
      if (L === 1) o.set(w, p.t, o.load(UNSIGNED[size] ?? 'u64', w, o.use(address)))
      else o.store(bytes, w, o.use(address), o.get(w, p.t))
    },
  })

/** LDAPUR and STLUR: sizes and signs as in LDUR and STUR. */
const unscaledOrdered = a64(
  'LDAPUR/STLUR',
  'ss 011001 oo 0 iiiiiiiii 00 nnnnn ttttt',
  '<op> <t>, [<n|SP>{, #<simm>}]',
  {
    variants: 'so',
    feature: 'FEAT_LRCPC2',
    when: (f) => f.o < 2 || (f.o === 2 && f.s < 3) || (f.o === 3 && f.s < 2),
    operands: (f) => ({ t: f.o === 0 ? x(f.t) : xd(f.t), n: xsp(f.n), offset: imm(signExtend(f.i, 9)) }),
    body: (o, v, p) => {
      const w: Width = v.o === 2 ? 64 : v.o === 3 ? 32 : widthOf(v.s)
      const bytes = BYTES[v.s] ?? 8
      const address = o.let(64, o.binary('add', 64, o.base(p.n), o.imm(64, p.offset)))
      o.aligned(address, bytes, v.o === 0)
      if (v.o === 0) o.store(bytes, w, o.use(address), o.get(w, p.t))
      else o.set(w, p.t, o.load((v.o === 1 ? UNSIGNED : SIGNED)[v.s] ?? 'u64', w, o.use(address)))
    },
  },
)

/** The low 2^size bytes of a register. */
const cut = <V>(o: Ops<V>, size: number, value: V): V =>
  size < 2 ? o.binary('and', 32, value, o.konst(32, size === 0 ? 0xff : 0xffff)) : value

/** What the atomics make of the old value and the operand, by opc: ADD, CLR, EOR, SET, then maxima and minima. */
const COMPARED: readonly IntCompare[] = ['gtS', 'ltS', 'gtU', 'ltU']

function combined<V>(o: Ops<V>, opc: number, size: number, old: Local, operand: Local): V {
  const w = widthOf(size)
  if (opc === 0) return o.binary('add', w, o.use(old), o.use(operand))
  if (opc === 1) return o.binary('and', w, o.use(old), o.unary('not', w, o.use(operand)))
  if (opc === 2) return o.binary('xor', w, o.use(old), o.use(operand))
  if (opc === 3) return o.binary('or', w, o.use(old), o.use(operand))
  const signed = opc < 6
  const extended = (value: Local): V => {
    if (size >= 2 || !signed) return cut(o, size, o.use(value))
    return o.signExtend(size === 0 ? 8 : 16, 32, o.use(value))
  }
  const [yes, no] = [o.use(old), o.use(operand)]
  return o.select(w, yes, no, o.compare(COMPARED[opc - 4] ?? 'gtS', w, extended(old), extended(operand)))
}

/**
 * CAS and CASP write what was there where the comparison fails, as they may: memory is left as it was, and a page that
 * may not be written faults either way (B2.2.4).
 */
const atomics = [
  a64(
    'LDADD/LDCLR/LDEOR/LDSET/LDSMAX/LDSMIN/LDUMAX/LDUMIN',
    'ss 111 0 00 a r 1 mmmmm 0 ccc 00 nnnnn ttttt',
    'LD<op>{A}{L}{B|H} <s>, <t>, [<n|SP>]',
    {
      variants: 'sc',
      feature: 'FEAT_LSE',
      operands: (f) => ({ m: x(f.m), t: xd(f.t), n: xsp(f.n) }),
      body: (o, v, p) => {
        const w = widthOf(v.s)
        const bytes = BYTES[v.s] ?? 8
        const address = alignedBase(o, p.n, bytes, false)
        const old = o.let(w, o.load(UNSIGNED[v.s] ?? 'u64', w, o.use(address)))
        const operand = o.let(w, o.get(w, p.m))
        const made = o.let(w, combined(o, v.c, v.s, old, operand))
        o.store(bytes, w, o.use(address), o.use(made))
        o.set(w, p.t, o.use(old))
      },
    },
  ),
  a64('SWP', 'ss 111 0 00 a r 1 mmmmm 1 000 00 nnnnn ttttt', 'SWP{A}{L}{B|H} <s>, <t>, [<n|SP>]', {
    variants: 's',
    feature: 'FEAT_LSE',
    operands: (f) => ({ m: x(f.m), t: xd(f.t), n: xsp(f.n) }),
    body: (o, v, p) => {
      const w = widthOf(v.s)
      const bytes = BYTES[v.s] ?? 8
      const address = alignedBase(o, p.n, bytes, false)
      const old = o.let(w, o.load(UNSIGNED[v.s] ?? 'u64', w, o.use(address)))
      o.store(bytes, w, o.use(address), o.get(w, p.m))
      o.set(w, p.t, o.use(old))
    },
  }),
  a64('CAS', 'ss 001000 1 a 1 mmmmm r 11111 nnnnn ttttt', 'CAS{A}{L}{B|H} <s>, <t>, [<n|SP>]', {
    variants: 's',
    feature: 'FEAT_LSE',
    operands: (f) => ({ m: x(f.m), d: xd(f.m), t: x(f.t), n: xsp(f.n) }),
    body: (o, v, p) => {
      const w = widthOf(v.s)
      const bytes = BYTES[v.s] ?? 8
      const address = alignedBase(o, p.n, bytes, false)
      const old = o.let(w, o.load(UNSIGNED[v.s] ?? 'u64', w, o.use(address)))
      const equal = o.let(32, o.compare('eq', w, cut(o, v.s, o.get(w, p.m)), o.use(old)))
      o.store(bytes, w, o.use(address), o.select(w, o.get(w, p.t), o.use(old), o.use(equal)))
      o.set(w, p.d, o.use(old))
    },
  }),
  a64('CASP', '0s 001000 0 a 1 mmmm0 r 11111 nnnnn tttt0', 'CASP{A}{L} <s>, <s+1>, <t>, <t+1>, [<n|SP>]', {
    variants: 's',
    feature: 'FEAT_LSE',
    operands: (f) => ({
      m: x(2 * f.m),
      k: x(2 * f.m + 1),
      d: xd(2 * f.m),
      e: xd(2 * f.m + 1),
      t: x(2 * f.t),
      u: x(2 * f.t + 1),
      n: xsp(f.n),
    }),
    body: (o, v, p) => {
      const w: Width = v.s === 1 ? 64 : 32
      const bytes = v.s === 1 ? 8 : 4
      const address = alignedBase(o, p.n, 2 * bytes, false)
      const [first, second] = o.loadPair(v.s === 1 ? 'u64' : 'u32', w, o.use(address))
      const same = o.compare('eq', w, o.get(w, p.m), o.use(first))
      const both = o.binary('and', 32, same, o.compare('eq', w, o.get(w, p.k), o.use(second)))
      const equal = o.let(32, both)
      const [t, u] = [p.t, p.u].map((made, i) =>
        o.let(w, o.select(w, o.get(w, made), o.use(i === 0 ? first : second), o.use(equal))),
      )
      if (t !== undefined && u !== undefined) o.storePair(bytes, w, o.use(address), o.use(t), o.use(u))
      o.set(w, p.d, o.use(first))
      o.set(w, p.e, o.use(second))
    },
  }),
]

export const exclusiveAndAtomic = [
  ...exclusive,
  ordered('LDAR', 'ss 001000 110 rrrrr 1 uuuuu nnnnn ttttt', 'LDAR{B|H} <t>, [<n|SP>]', 1),
  ordered('STLR', 'ss 001000 100 rrrrr 1 uuuuu nnnnn ttttt', 'STLR{B|H} <t>, [<n|SP>]', 0),
  ordered('LDLAR', 'ss 001000 110 rrrrr 0 uuuuu nnnnn ttttt', 'LDLAR{B|H} <t>, [<n|SP>]', 1, 'FEAT_LOR'),
  ordered('STLLR', 'ss 001000 100 rrrrr 0 uuuuu nnnnn ttttt', 'STLLR{B|H} <t>, [<n|SP>]', 0, 'FEAT_LOR'),
  ordered('LDAPR', 'ss 111 0 00 101 11111 1 100 00 nnnnn ttttt', 'LDAPR{B|H} <t>, [<n|SP>]', 1, 'FEAT_LRCPC'),
  unscaledOrdered,
  ...atomics,
]
