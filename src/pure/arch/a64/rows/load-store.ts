/** Loads and stores of general registers (Arm ARM C4.1, "Loads and Stores"). */
import { signExtend } from '../bitmask.ts'
import { imm, x, xd, xsp } from '../ops.ts'
import type { AccessBytes, AccessMode, GprOperand, LoadKind, Ops, Width } from '../ops.ts'
import { a64 } from '../row.ts'
import { extended } from './data-register.ts'

export const BYTES: readonly AccessBytes[] = [1, 2, 4, 8]
export const UNSIGNED: readonly LoadKind[] = ['u8', 'u16', 'u32', 'u64']
export const SIGNED: readonly LoadKind[] = ['s8', 's16', 's32', 'u64']

/** opc of a single-register access: 0 store, 1 load, 2 signed load to 64 bits, 3 signed load to 32 bits. */
const allocated = (size: number, opc: number): boolean => opc < 2 || (opc === 2 && size < 3) || (opc === 3 && size < 2)

function access<V>(o: Ops<V>, v: { s: number; o: number }, source: GprOperand, dest: GprOperand, address: V, mode: AccessMode = 'normal'): void {
  const kind = (v.o < 2 ? UNSIGNED : SIGNED)[v.s] ?? 'u64'
  const w: Width = v.o < 2 ? (v.s === 3 ? 64 : 32) : v.o === 2 ? 64 : 32
  if (v.o === 0) o.store(BYTES[v.s] ?? 8, w, address, o.get(w, source), mode)
  else o.set(w, dest, o.load(kind, w, address, mode))
}

/** Post- and pre-indexed: the base is written back after the access has succeeded. */
function accessWriteback<V>(
  o: Ops<V>,
  v: { s: number; o: number },
  p: { t: GprOperand; n: GprOperand; offset: ReturnType<typeof imm> },
  pre: boolean,
): void {
  const base = o.let(64, o.base(p.n))
  const moved = o.let(64, o.binary('add', 64, o.use(base), o.imm(64, p.offset)))
  const address = pre ? moved : base
  const kind = (v.o < 2 ? UNSIGNED : SIGNED)[v.s] ?? 'u64'
  const w: Width = v.o < 2 ? (v.s === 3 ? 64 : 32) : v.o === 2 ? 64 : 32
  if (v.o === 0) {
    o.store(BYTES[v.s] ?? 8, w, o.use(address), o.get(w, p.t))
    o.set(64, p.n, o.use(moved))
  } else {
    const loaded = o.let(w, o.load(kind, w, o.use(address)))
    o.set(64, p.n, o.use(moved))
    o.set(w, p.t, o.use(loaded))
  }
}

const single = (name: string, mode: '01' | '11', pre: boolean) =>
  a64(name, `ss 111 0 00 oo 0 iiiiiiiii ${mode} nnnnn ttttt`, pre ? '<op> <t>, [<n|SP>, #<simm>]!' : '<op> <t>, [<n|SP>], #<simm>', {
    variants: 'so',
    frequent: true,
    when: (f) => allocated(f.s, f.o),
    operands: (f) => ({ t: f.o === 0 ? x(f.t) : xd(f.t), n: xsp(f.n), offset: imm(signExtend(f.i, 9)) }),
    body: (o, v, p) => accessWriteback(o, v, p, pre),
  })

const pair = (name: string, mode: '000' | '001' | '010' | '011', writeback: 'none' | 'post' | 'pre') =>
  a64(name, `oo 101 0 ${mode} L iiiiiii uuuuu nnnnn ttttt`, '{LDP|STP|LDPSW} <t1>, <t2>, [<n|SP>{, #<imm>}]', {
    variants: 'oL',
    frequent: true,
    when: (f) => f.o === 0 || f.o === 2 || (f.o === 1 && f.L === 1 && mode !== '000'),
    operands: (f) => ({
      t: f.L === 1 ? xd(f.t) : x(f.t),
      u: f.L === 1 ? xd(f.u) : x(f.u),
      n: xsp(f.n),
      offset: imm(signExtend(f.i, 7) * (f.o === 2 ? 8 : 4)),
    }),
    body: (o, v, p) => {
      const w: Width = v.o === 0 ? 32 : 64
      const bytes = v.o === 2 ? 8 : 4
      const base = o.let(64, o.base(p.n))
      const moved = o.let(64, o.binary('add', 64, o.use(base), o.imm(64, p.offset)))
      const address = o.use(writeback === 'post' ? base : moved)
      if (v.L === 0) o.storePair(bytes, w, address, o.get(w, p.t), o.get(w, p.u))
      else {
        const [first, second] = o.loadPair(v.o === 0 ? 'u32' : v.o === 1 ? 's32' : 'u64', w, address)
        if (writeback !== 'none') o.set(64, p.n, o.use(moved))
        o.set(w, p.t, o.use(first))
        o.set(w, p.u, o.use(second))
        return
      }
      if (writeback !== 'none') o.set(64, p.n, o.use(moved))
    },
  })

export const loadStore = [
  a64('LDR/STR (immediate, unsigned offset)', 'ss 111 0 01 oo iiiiiiiiiiii nnnnn ttttt', '<op> <t>, [<n|SP>{, #<pimm>}]', {
    variants: 'so',
    frequent: true,
    when: (f) => allocated(f.s, f.o),
    operands: (f) => ({ t: f.o === 0 ? x(f.t) : xd(f.t), n: xsp(f.n), offset: imm(f.i << f.s) }),
    body: (o, v, p) => access(o, v, p.t, p.t, o.binary('add', 64, o.base(p.n), o.imm(64, p.offset))),
  }),
  a64('LDUR/STUR', 'ss 111 0 00 oo 0 iiiiiiiii 00 nnnnn ttttt', '<op> <t>, [<n|SP>{, #<simm>}]', {
    variants: 'so',
    frequent: true,
    when: (f) => allocated(f.s, f.o),
    operands: (f) => ({ t: f.o === 0 ? x(f.t) : xd(f.t), n: xsp(f.n), offset: imm(signExtend(f.i, 9)) }),
    body: (o, v, p) => access(o, v, p.t, p.t, o.binary('add', 64, o.base(p.n), o.imm(64, p.offset))),
  }),
  a64('LDTR/STTR', 'ss 111 0 00 oo 0 iiiiiiiii 10 nnnnn ttttt', '<op> <t>, [<n|SP>{, #<simm>}]', {
    variants: 'so',
    when: (f) => allocated(f.s, f.o),
    operands: (f) => ({ t: f.o === 0 ? x(f.t) : xd(f.t), n: xsp(f.n), offset: imm(signExtend(f.i, 9)) }),
    body: (o, v, p) => access(o, v, p.t, p.t, o.binary('add', 64, o.base(p.n), o.imm(64, p.offset)), 'unprivileged'),
  }),
  single('LDR/STR (immediate, post-indexed)', '01', false),
  single('LDR/STR (immediate, pre-indexed)', '11', true),
  a64('LDR/STR (register)', 'ss 111 0 00 oo 1 mmmmm 011 S 10 nnnnn ttttt', '<op> <t>, [<n|SP>, <Xm>{, LSL #<amount>}]', {
    variants: 'soS',
    frequent: true,
    when: (f) => allocated(f.s, f.o),
    operands: (f) => ({ t: f.o === 0 ? x(f.t) : xd(f.t), n: xsp(f.n), m: x(f.m) }),
    body: (o, v, p) => {
      const base = o.base(p.n)
      const index = o.get(64, p.m)
      access(o, v, p.t, p.t, o.binary('add', 64, base, v.S === 1 ? o.binary('shl', 64, index, o.konst(64, v.s)) : index))
    },
  }),
  a64('LDR/STR (extended register)', 'ss 111 0 00 oo 1 mmmmm e1e S 10 nnnnn ttttt', '<op> <t>, [<n|SP>, <m>, <extend>{ #<amount>}]', {
    variants: 'soeS',
    when: (f) => allocated(f.s, f.o),
    operands: (f) => ({ t: f.o === 0 ? x(f.t) : xd(f.t), n: xsp(f.n), m: x(f.m) }),
    body: (o, v, p) => {
      const base = o.base(p.n)
      // The option's bits 2 and 0; bit 1 is set in all that are allocated.
      const index = extended(o, ((v.e & 2) << 1) | 2 | (v.e & 1), 64, p.m)
      access(o, v, p.t, p.t, o.binary('add', 64, base, v.S === 1 ? o.binary('shl', 64, index, o.konst(64, v.s)) : index))
    },
  }),
  a64('LDR (literal)', 'oo 011 0 00 iiiiiiiiiiiiiiiiiii ttttt', '{LDR|LDRSW} <t>, <label>', {
    variants: 'o',
    frequent: true,
    when: (f) => f.o < 3,
    operands: (f) => ({ t: xd(f.t), offset: imm(signExtend(f.i, 19) * 4) }),
    body: (o, v, p) => {
      const w: Width = v.o === 0 ? 32 : 64
      o.set(w, p.t, o.load(v.o === 0 ? 'u32' : v.o === 1 ? 'u64' : 's32', w, o.pcRelative(p.offset)))
    },
  }),
  pair('LDNP/STNP', '000', 'none'),
  pair('LDP/STP (post-indexed)', '001', 'post'),
  pair('LDP/STP (signed offset)', '010', 'none'),
  pair('LDP/STP (pre-indexed)', '011', 'pre'),
  a64('PRFM (immediate)', '11 111 0 01 10 iiiiiiiiiiii nnnnn ttttt', 'PRFM <prfop>, [<Xn|SP>{, #<pimm>}]', {
    frequent: true,
    operands: () => ({}),
    body: () => {},
  }),
  a64('PRFUM', '11 111 0 00 10 0 iiiiiiiii 00 nnnnn ttttt', 'PRFUM <prfop>, [<Xn|SP>{, #<simm>}]', {
    operands: () => ({}),
    body: () => {},
  }),
  a64('PRFM (register)', '11 111 0 00 10 1 mmmmm e1e S 10 nnnnn ttttt', 'PRFM <prfop>, [<Xn|SP>, <m>{, <extend> {<amount>}}]', {
    operands: () => ({}),
    body: () => {},
  }),
  a64('PRFM (literal)', '11 011 0 00 iiiiiiiiiiiiiiiiiii ttttt', 'PRFM <prfop>, <label>', {
    operands: () => ({}),
    body: () => {},
  }),
]
