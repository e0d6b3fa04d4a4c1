/**
 * FRECPE and FRSQRTE of normal numbers with a normal estimate: an exponent, and eight bits looked up. Nothing is rounded, so that
 * FPCR does not matter and FPSR stays. The rest is the helpers'.
 */
import type { LookupTable } from '../lookup-tables.ts'
import type { Local, Ops, VecOperand } from '../ops.ts'
import type { Bytes, HostSize } from './host-lanes.ts'

/** A number's upper 32 bits have its sign, its exponent and the upper bits of its fraction, of which there are so many. */
const FRACTION: Readonly<Record<HostSize, number>> = { 2: 23, 3: 20 }
const LARGEST_EXPONENT: Readonly<Record<HostSize, number>> = { 2: 0xff, 3: 0x7ff }
/** What is looked up, and is in the estimate. */
const BITS = 8

interface Estimate {
  readonly table: LookupTable
  /** Bits of exponent and fraction that the table is asked for. */
  readonly asked: number
  /** The biased exponents, from 1 on, that have a normal estimate, in single and double precision. */
  readonly exponents: (largest: number) => number
  /** Of a negative number too. */
  readonly signed: boolean
  /** The biased exponent of the estimate of a biased exponent. */
  readonly exponent: <V>(o: Ops<V>, largest: number, of: V) => V
}

const ESTIMATES: Readonly<Record<string, Estimate>> = {
  FRECPE: {
    table: 'reciprocal',
    asked: BITS,
    exponents: (largest) => largest - 3,
    signed: true,
    exponent: (o, largest, of) => o.binary('add', 32, o.unary('neg', 32, of), o.konst(32, largest - 2)),
  },
  FRSQRTE: {
    table: 'reciprocalRoot',
    asked: BITS + 1,
    exponents: (largest) => largest - 1,
    signed: false,
    exponent: (o, largest, of) => {
      const sum = o.binary('add', 32, o.unary('neg', 32, of), o.konst(32, (3 * (largest - 1)) / 2 - 1))
      return o.binary('shrU', 32, sum, o.konst(32, 1))
    },
  },
}

/** False: the instruction is no estimate. */
export function estimate<V>(
  o: Ops<V>,
  name: string,
  size: HostSize,
  bytes: Bytes,
  { d, n }: { readonly d: VecOperand; readonly n: VecOperand },
  helper: () => void,
): boolean {
  const what = ESTIMATES[name]
  if (what === undefined) return false
  const fraction = FRACTION[size]
  const largest = LARGEST_EXPONENT[size]
  const from = o.let(128, o.vget(n))
  /** Lanes of 32 bits that the upper bits are in. */
  const lanes = Array.from({ length: bytes >> size }, (_, i) => (size === 3 ? 2 * i + 1 : i))
  const upper = lanes.map((lane) => o.let(32, o.extractLane('i32x4', lane, o.use(from))))
  const shifted = (word: Local): V => o.binary('shrU', 32, o.use(word), o.konst(32, fraction))
  const exponent = (word: Local): V => o.binary('and', 32, shifted(word), o.konst(32, largest))
  const has = (word: Local): V => {
    const above = o.binary('sub', 32, what.signed ? exponent(word) : shifted(word), o.konst(32, 1))
    return o.compare('ltU', 32, above, o.konst(32, what.exponents(largest)))
  }
  const estimated = (word: Local): V => {
    const sign = o.binary('and', 32, o.use(word), o.konst(32, -(2 ** 31)))
    const scaled = o.binary('shl', 32, what.exponent(o, largest, exponent(word)), o.konst(32, fraction))
    const known = o.binary('or', 32, sign, scaled)
    const asked = o.binary('shrU', 32, o.use(word), o.konst(32, fraction - BITS))
    const found = o.lookUp(what.table, 0, o.binary('and', 32, asked, o.konst(32, 2 ** what.asked - 1)))
    return o.binary('or', 32, known, o.binary('shl', 32, found, o.konst(32, fraction - BITS)))
  }
  const [first, ...others] = upper
  if (first === undefined) return false
  let all = has(first)
  for (const word of others) all = o.binary('and', 32, all, has(word))
  o.when(
    all,
    () => {
      let result = o.vconst(0n, 0n)
      for (const [i, word] of upper.entries()) result = o.replaceLane('i32x4', lanes[i] ?? 0, result, estimated(word))
      o.vset(d, result)
    },
    helper,
  )
  return true
}
