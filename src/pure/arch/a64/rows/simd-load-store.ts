/** Loads and stores of vector registers (Arm ARM C4.1, "Loads and Stores", the forms with V = 1, but structures). */
import { signExtend } from '../bitmask.ts'
import { imm, vr, x, xsp } from '../ops.ts'
import type { AccessBytes, GprOperand, Ops, VecOperand } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { extended } from './data-register.ts'
import { elementBytes } from './simd-lanes.ts'

const fp = true

function access<V>(o: Ops<V>, L: number, bytes: AccessBytes, t: VecOperand, address: V): void {
  if (L === 0) o.storeVector(bytes, address, o.vget(t))
  else o.vset(t, o.loadVector(bytes, address))
}

function accessWriteback<V>(
  o: Ops<V>,
  L: number,
  bytes: AccessBytes,
  p: { t: VecOperand; n: GprOperand; offset: ReturnType<typeof imm> },
  pre: boolean,
): void {
  const base = o.let(64, o.base(p.n))
  const moved = o.let(64, o.binary('add', 64, o.use(base), o.imm(64, p.offset)))
  const address = pre ? moved : base
  if (L === 0) {
    o.storeVector(bytes, o.use(address), o.vget(p.t))
    o.set(64, p.n, o.use(moved))
  } else {
    const loaded = o.let(128, o.loadVector(bytes, o.use(address)))
    o.set(64, p.n, o.use(moved))
    o.vset(p.t, o.use(loaded))
  }
}

/** Sizes come as `size` and `opc<1>`: four for up to 8 bytes, and one for 16, which is what copying and comparing use. */
const SIZES = [
  { name: 'B, H', s: '0s', q: '0' },
  { name: 'S, D', s: '1s', q: '0' },
  { name: 'Q', s: '00', q: '1' },
] as const

function bytesAccessed(name: string, f: { s?: number }): AccessBytes {
  if (name === 'Q') return 16
  return elementBytes((name === 'S, D' ? 2 : 0) + (f.s ?? 0))
}
const scaleOf = (name: string, f: { s?: number }): number => Math.log2(bytesAccessed(name, f))

const unscaled = (f: { i: number; n: number; t: number }) => ({
  t: vr(f.t),
  n: xsp(f.n),
  offset: imm(signExtend(f.i, 9)),
})

const single: Row[] = SIZES.flatMap(({ name, s, q }) => {
  const variants = s === '00' ? 'L' : 'sL'
  const frequent = name === 'Q'
  return [
    a64(
      `LDR/STR (immediate, unsigned offset, SIMD&FP, ${name})`,
      `${s} 111 1 01 ${q}L iiiiiiiiiiii nnnnn ttttt`,
      '<op> <t>, [<n|SP>{, #<pimm>}]',
      {
        variants,
        frequent,
        fp,
        operands: (f) => ({ t: vr(f.t), n: xsp(f.n), offset: imm(f.i * bytesAccessed(name, f)) }),
        body: (o, v, p) =>
          access(o, v.L, bytesAccessed(name, v), p.t, o.binary('add', 64, o.base(p.n), o.imm(64, p.offset))),
      },
    ),
    a64(
      `LDUR/STUR (SIMD&FP, ${name})`,
      `${s} 111 1 00 ${q}L 0 iiiiiiiii 00 nnnnn ttttt`,
      '<op> <t>, [<n|SP>{, #<simm>}]',
      {
        variants,
        frequent,
        fp,
        operands: unscaled,
        body: (o, v, p) =>
          access(o, v.L, bytesAccessed(name, v), p.t, o.binary('add', 64, o.base(p.n), o.imm(64, p.offset))),
      },
    ),
    a64(
      `LDR/STR (immediate, post-indexed, SIMD&FP, ${name})`,
      `${s} 111 1 00 ${q}L 0 iiiiiiiii 01 nnnnn ttttt`,
      '<op> <t>, [<n|SP>], #<simm>',
      {
        variants,
        frequent,
        fp,
        operands: unscaled,
        body: (o, v, p) => accessWriteback(o, v.L, bytesAccessed(name, v), p, false),
      },
    ),
    a64(
      `LDR/STR (immediate, pre-indexed, SIMD&FP, ${name})`,
      `${s} 111 1 00 ${q}L 0 iiiiiiiii 11 nnnnn ttttt`,
      '<op> <t>, [<n|SP>, #<simm>]!',
      {
        variants,
        fp,
        operands: unscaled,
        body: (o, v, p) => accessWriteback(o, v.L, bytesAccessed(name, v), p, true),
      },
    ),
    a64(
      `LDR/STR (register, SIMD&FP, ${name})`,
      `${s} 111 1 00 ${q}L 1 mmmmm e1e S 10 nnnnn ttttt`,
      '<op> <t>, [<n|SP>, <m>{, <extend> {#<amount>}}]',
      {
        variants: `${variants}eS`,
        fp,
        operands: (f) => ({ t: vr(f.t), n: xsp(f.n), m: x(f.m) }),
        body: (o, v, p) => {
          const base = o.base(p.n)
          // The option's bits 2 and 0; bit 1 is set in all that are allocated.
          const index = extended(o, ((v.e & 2) << 1) | 2 | (v.e & 1), 64, p.m)
          const scaled = v.S === 1 ? o.binary('shl', 64, index, o.konst(64, scaleOf(name, v))) : index
          access(o, v.L, bytesAccessed(name, v), p.t, o.binary('add', 64, base, scaled))
        },
      },
    ),
  ]
})

const PAIR_BYTES = [4, 8, 16] as const
const pairBytes = (opc: number): 4 | 8 | 16 => PAIR_BYTES[opc] ?? 16

/** `opc`: single and double, quad. */
const PAIR_OPCODES = ['0o', '10'] as const

const pair = (name: string, mode: '000' | '001' | '010' | '011', writeback: 'none' | 'post' | 'pre'): Row[] =>
  PAIR_OPCODES.map((bits) => {
    const bytesOfPair = (f: { o?: number }): 4 | 8 | 16 => (bits === '10' ? 16 : pairBytes(f.o ?? 0))
    return a64(
      `${name}, ${bits === '10' ? 'Q' : 'S, D'})`,
      `${bits} 101 1 ${mode} L iiiiiii uuuuu nnnnn ttttt`,
      '{LDP|STP} <t1>, <t2>, [<n|SP>{, #<imm>}]',
      {
        variants: bits === '10' ? 'L' : 'oL',
        frequent: bits === '10' && mode !== '000',
        fp,
        operands: (f) => ({ t: vr(f.t), u: vr(f.u), n: xsp(f.n), offset: imm(signExtend(f.i, 7) * bytesOfPair(f)) }),
        body: (o, v, p) => {
          const bytes = bytesOfPair(v)
          const base = o.let(64, o.base(p.n))
          const moved = o.let(64, o.binary('add', 64, o.use(base), o.imm(64, p.offset)))
          const address = o.use(writeback === 'post' ? base : moved)
          const finish = (): void => {
            if (writeback !== 'none') o.set(64, p.n, o.use(moved))
          }
          if (v.L === 0) {
            o.storeVectorPair(bytes, address, o.vget(p.t), o.vget(p.u))
            finish()
            return
          }
          const [first, second] = o.loadVectorPair(bytes, address)
          finish()
          o.vset(p.t, o.use(first))
          o.vset(p.u, o.use(second))
        },
      },
    )
  })

export const simdLoadStore: readonly Row[] = [
  ...single,
  a64('LDR (literal, SIMD&FP)', 'oo 011 1 00 iiiiiiiiiiiiiiiiiii ttttt', 'LDR <t>, <label>', {
    variants: 'o',
    fp,
    when: (f) => f.o < 3,
    operands: (f) => ({ t: vr(f.t), offset: imm(signExtend(f.i, 19) * 4) }),
    body: (o, v, p) => o.vset(p.t, o.loadVector(pairBytes(v.o), o.pcRelative(p.offset))),
  }),
  ...pair('LDNP/STNP (SIMD&FP', '000', 'none'),
  ...pair('LDP/STP (post-indexed, SIMD&FP', '001', 'post'),
  ...pair('LDP/STP (signed offset, SIMD&FP', '010', 'none'),
  ...pair('LDP/STP (pre-indexed, SIMD&FP', '011', 'pre'),
]
