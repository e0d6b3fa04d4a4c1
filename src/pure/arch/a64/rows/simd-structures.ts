/** Loads and stores of structures: LD1 to LD4, ST1 to ST4 (Arm ARM C4.1, "Advanced SIMD load/store multiple/single structures"). */
import { small, vr, x, xsp } from '../ops.ts'
import type { GprOperand, LoadKind, Local, Ops, VecOperand } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'
import { bytesOf, elementBytes, elementWidth, gather, indexLocal, insert, laneOf, splatElement } from './simd-lanes.ts'

const fp = true

/** Up to four registers that follow each other, and how the base moves: by a register, or by what was accessed. */
type Structure = {
  readonly t0: VecOperand
  readonly t1: VecOperand
  readonly t2: VecOperand
  readonly t3: VecOperand
  readonly n: GprOperand
}
const list = (f: { t: number; n: number }): Structure => ({
  t0: vr(f.t),
  t1: vr(f.t + 1),
  t2: vr(f.t + 2),
  t3: vr(f.t + 3),
  n: xsp(f.n),
})
const registers = (p: Structure, count: number): VecOperand[] => [p.t0, p.t1, p.t2, p.t3].slice(0, count)

const offsetFrom = <V>(o: Ops<V>, base: Local, offset: number): V =>
  offset === 0 ? o.use(base) : o.binary('add', 64, o.use(base), o.konst(64, offset))

/** `count` registers of elements of 2^s bytes that are interleaved in memory (or not). */
function multiple<V>(
  o: Ops<V>,
  { L: loads, Q, s }: { readonly L: number; readonly Q: number; readonly s: number },
  p: Structure,
  count: number,
  interleaved: boolean,
  base: Local,
  done: () => void,
): void {
  const bytes = bytesOf(Q)
  // To LD1 and ST1 it matters only where alignment is checked.
  const element = elementBytes(s)
  const regs = registers(p, count)
  // Where byte `i` of register `r` lies in memory.
  const place = (r: number, i: number): number =>
    interleaved ? (((i >> s) * count + r) << s) | (i & ((1 << s) - 1)) : r * bytes + i
  const inVectors = (at: number): number => Math.floor(at / bytes) * 16 + (at % bytes)
  if (loads === 1) {
    const loaded = regs.map((_, k) => o.let(128, o.loadVector(bytes, offsetFrom(o, base, k * bytes), element)))
    done()
    regs.forEach((reg, r) => {
      const whole = loaded[r]
      if (whole === undefined) return
      if (!interleaved || count === 1) o.vset(reg, o.use(whole))
      else
        o.vsetLow(
          bytes,
          reg,
          gather(o, loaded, (i) => (i < bytes ? inVectors(place(r, i)) : undefined)),
        )
    })
    return
  }
  const sources = regs.map((reg) => o.let(128, o.vget(reg)))
  const origin: number[] = []
  for (let r = 0; r < count; r++) for (let i = 0; i < bytes; i++) origin[place(r, i)] = r * 16 + i
  sources.forEach((source, k) => {
    const address = offsetFrom(o, base, k * bytes)
    o.storeVector(
      bytes,
      address,
      interleaved && count > 1 ? gather(o, sources, (i) => origin[k * bytes + i]) : o.use(source),
      element,
    )
  })
  done()
}

const MULTIPLE = [
  { name: 'LD1/ST1 (four registers)', o: 0b0010, count: 4, interleaved: false },
  { name: 'LD1/ST1 (three registers)', o: 0b0110, count: 3, interleaved: false },
  { name: 'LD1/ST1 (one register)', o: 0b0111, count: 1, interleaved: false },
  { name: 'LD1/ST1 (two registers)', o: 0b1010, count: 2, interleaved: false },
  { name: 'LD2/ST2', o: 0b1000, count: 2, interleaved: true },
  { name: 'LD3/ST3', o: 0b0100, count: 3, interleaved: true },
  { name: 'LD4/ST4', o: 0b0000, count: 4, interleaved: true },
] as const

/** Moves the base by the register m and by the small operand, one of which is zero. */
function moveBase<V>(o: Ops<V>, base: Local, n: GprOperand, m: GprOperand, offset: V): void {
  const amount = o.let(64, offset)
  const moved = o.binary('add', 64, o.use(base), o.get(64, m))
  o.set(64, n, o.binary('add', 64, moved, o.use(amount)))
}

const multiples: Row[] = MULTIPLE.flatMap(({ name, o: opcode, count, interleaved }) => {
  const when = (f: { s: number; Q: number }): boolean => !interleaved || f.s < 3 || f.Q === 1
  return [
    a64(
      `${name} (multiple structures)`,
      '0 Q 0011000 L 000000 oooo ss nnnnn ttttt',
      '<op> { <Vt>.<T>, … }, [<Xn|SP>]',
      {
        variants: 'QLs',
        fixed: { o: opcode },
        fp,
        when,
        operands: list,
        body: (o, v, p) => multiple(o, v, p, count, interleaved, o.let(64, o.base(p.n)), () => {}),
      },
    ),
    a64(
      `${name} (multiple structures, post-indexed)`,
      '0 Q 0011001 L 0 mmmmm oooo ss nnnnn ttttt',
      '<op> { <Vt>.<T>, … }, [<Xn|SP>], {<Xm>|#<imm>}',
      {
        variants: 'QLs',
        fixed: { o: opcode },
        fp,
        when,
        operands: (f) => ({ ...list(f), m: x(f.m), offset: small(f.m === 31 ? count * bytesOf(f.Q) : 0) }),
        body: (o, v, p) => {
          const base = o.let(64, o.base(p.n))
          multiple(o, v, p, count, interleaved, base, () => moveBase(o, base, p.n, p.m, o.imm(64, p.offset)))
        },
      },
    ),
  ]
})

const ELEMENT: readonly LoadKind[] = ['u8', 'u16', 'u32', 'u64']

/** Loads one element for each register. */
const loadElements = <V>(o: Ops<V>, s: number, count: number, base: Local): Local[] =>
  Array.from({ length: count }, (_, k) =>
    o.let(elementWidth(s), o.load(ELEMENT[s] ?? 'u64', elementWidth(s), offsetFrom(o, base, k * elementBytes(s)))),
  )

/** One lane of each register. */
function oneLane<V>(
  o: Ops<V>,
  L: number,
  s: number,
  count: number,
  p: Structure,
  index: Local,
  base: Local,
  done: () => void,
): void {
  const regs = registers(p, count)
  if (L === 1) {
    const loaded = loadElements(o, s, count, base)
    done()
    regs.forEach((reg, k) => {
      const element = loaded[k]
      if (element !== undefined)
        o.vset(
          reg,
          insert(o, s, reg, index, () => splatElement(o, s, o.use(element))),
        )
    })
    return
  }
  regs.forEach((reg, k) => {
    const address = offsetFrom(o, base, k * elementBytes(s))
    o.store(elementBytes(s), elementWidth(s), address, laneOf(o, s, reg, index))
  })
  done()
}

/** Bits 15:10 by element size: the fields Q, S and size hold the index between them. */
const LANE_BITS = [
  { s: 0, lane: '0 Q 001101 0 L r 00000 00k i ss nnnnn ttttt', post: '0 Q 001101 1 L r mmmmm 00k i ss nnnnn ttttt' },
  { s: 1, lane: '0 Q 001101 0 L r 00000 01k i ss nnnnn ttttt', post: '0 Q 001101 1 L r mmmmm 01k i ss nnnnn ttttt' },
  { s: 2, lane: '0 Q 001101 0 L r 00000 10k i ss nnnnn ttttt', post: '0 Q 001101 1 L r mmmmm 10k i ss nnnnn ttttt' },
  { s: 3, lane: '0 Q 001101 0 L r 00000 10k i ss nnnnn ttttt', post: '0 Q 001101 1 L r mmmmm 10k i ss nnnnn ttttt' },
] as const
const LANE_ALLOCATED: readonly ((f: { i: number; s: number }) => boolean)[] = [
  () => true,
  (f) => (f.s & 1) === 0,
  (f) => f.s === 0,
  (f) => f.s === 1 && f.i === 0,
]
const laneIndex = (f: { Q: number; i: number; s: number }, s: number): number => ((f.Q << 3) | (f.i << 2) | f.s) >> s

const registerCount = (f: { k: number; r: number }): number => ((f.k << 1) | f.r) + 1

const laneRows: Row[] = LANE_BITS.flatMap(({ s, lane, post }) => {
  const letter = 'BHSD'.charAt(s)
  const when = (f: { i: number; s: number }): boolean => LANE_ALLOCATED[s]?.(f) ?? false
  return [
    a64(`LD1-4/ST1-4 (single structure, ${letter})`, lane, '<op> { <Vt>.<T>, … }[<index>], [<Xn|SP>]', {
      variants: 'Lrk',
      fp,
      when,
      operands: (f) => ({ ...list(f), index: small(laneIndex(f, s)) }),
      body: (o, v, p) => {
        const index = indexLocal(o, p.index)
        oneLane(o, v.L, s, registerCount(v), p, index, o.let(64, o.base(p.n)), () => {})
      },
    }),
    a64(
      `LD1-4/ST1-4 (single structure, post-indexed, ${letter})`,
      post,
      '<op> { <Vt>.<T>, … }[<index>], [<Xn|SP>], {<Xm>|#<imm>}',
      {
        variants: 'Lrk',
        fp,
        when,
        // The index, and in bits 15:8 by how much the base moves.
        operands: (f) => ({
          ...list(f),
          m: x(f.m),
          place: small(laneIndex(f, s) | (f.m === 31 ? (registerCount(f) * elementBytes(s)) << 8 : 0)),
        }),
        body: (o, v, p) => {
          const index = o.let(32, o.binary('and', 32, o.imm(32, p.place), o.konst(32, 0xff)))
          const base = o.let(64, o.base(p.n))
          oneLane(o, v.L, s, registerCount(v), p, index, base, () =>
            moveBase(o, base, p.n, p.m, o.binary('shrU', 64, o.imm(64, p.place), o.konst(64, 8))),
          )
        },
      },
    ),
  ]
})

function replicate<V>(
  o: Ops<V>,
  v: { Q: number; s: number },
  count: number,
  p: Structure,
  base: Local,
  done: () => void,
): void {
  const loaded = loadElements(o, v.s, count, base)
  done()
  registers(p, count).forEach((reg, k) => {
    const element = loaded[k]
    if (element !== undefined) o.vsetLow(bytesOf(v.Q), reg, splatElement(o, v.s, o.use(element)))
  })
}

const replicated: Row[] = [1, 2, 3, 4].flatMap((count) => {
  const fixed = { k: (count - 1) >> 1, r: (count - 1) & 1 }
  return [
    a64(`LD${count}R`, '0 Q 001101 0 1 r 00000 11k 0 ss nnnnn ttttt', 'LD<n>R { <Vt>.<T>, … }, [<Xn|SP>]', {
      variants: 'Qs',
      fixed,
      fp,
      operands: list,
      body: (o, v, p) => replicate(o, v, count, p, o.let(64, o.base(p.n)), () => {}),
    }),
    a64(
      `LD${count}R (post-indexed)`,
      '0 Q 001101 1 1 r mmmmm 11k 0 ss nnnnn ttttt',
      'LD<n>R { <Vt>.<T>, … }, [<Xn|SP>], {<Xm>|#<imm>}',
      {
        variants: 'Qs',
        fixed,
        fp,
        operands: (f) => ({ ...list(f), m: x(f.m), offset: small(f.m === 31 ? count * elementBytes(f.s) : 0) }),
        body: (o, v, p) => {
          const base = o.let(64, o.base(p.n))
          replicate(o, v, count, p, base, () => moveBase(o, base, p.n, p.m, o.imm(64, p.offset)))
        },
      },
    ),
  ]
})

export const simdStructures: readonly Row[] = [...multiples, ...laneRows, ...replicated]
