/** The walker against a second one, written from the manual with big integers and no thought of speed. */
import { describe, expect, it } from 'vitest'
import { createWalker } from './walk.ts'

interface Setup {
  readonly granule: 12n | 14n | 16n
  readonly inputBits: bigint
  readonly upper: boolean
}

const TABLES = 0x4000_0000n
const bits = (value: bigint, lsb: bigint, width: bigint): bigint => (value >> lsb) & ((1n << width) - 1n)

const random = (seed: number) => (): bigint => {
  let value = 0n
  for (let i = 0; i < 4; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    value = (value << 16n) | BigInt(seed >>> 16)
  }
  return value
}

type Answer = { readonly fault: number } | { readonly pa: bigint; readonly rights: string; readonly size: number }

/** Stage 1 translation, step by step as in Arm ARM D8.2 to D8.4. */
function reference(memory: Map<bigint, bigint>, s: Setup, va: bigint): Answer {
  const above = va >> s.inputBits
  const ones = (1n << (64n - s.inputBits)) - 1n
  if (above !== (s.upper ? ones : 0n)) return { fault: 0x04 }
  const perLevel = s.granule - 3n
  let level = 3n - (s.inputBits - s.granule - 1n) / perLevel
  let table = TABLES
  let noEl0 = false
  let readOnly = false
  let pxnTable = false
  let uxnTable = false
  for (; ; level++) {
    const shift = s.granule + perLevel * (3n - level)
    const top = level === 3n - (s.inputBits - s.granule - 1n) / perLevel ? s.inputBits - shift : perLevel
    const d = memory.get(table + 8n * bits(va, shift, top)) ?? 0n
    if (bits(d, 0n, 1n) === 0n) return { fault: 0x04 | Number(level) }
    const kind = bits(d, 1n, 1n)
    if (level < 3n && kind === 1n) {
      noEl0 ||= bits(d, 61n, 1n) === 1n
      readOnly ||= bits(d, 62n, 1n) === 1n
      uxnTable ||= bits(d, 60n, 1n) === 1n
      pxnTable ||= bits(d, 59n, 1n) === 1n
      table = (bits(d, 0n, 48n) >> s.granule) << s.granule
      if (bits(d, 44n, 4n) !== 0n) return { fault: Number(level) }
      continue
    }
    const block = level === 2n || (level === 1n && s.granule === 12n)
    if (level === 3n ? kind === 0n : !block) return { fault: 0x04 | Number(level) }
    if (bits(d, 44n, 4n) !== 0n) return { fault: Number(level) }
    if (bits(d, 10n, 1n) === 0n) return { fault: 0x08 | Number(level) }
    const pa = ((bits(d, 0n, 48n) >> shift) << shift) | bits(va, 0n, shift)
    const el0 = bits(d, 6n, 1n) === 1n && !noEl0
    const write = bits(d, 7n, 1n) === 0n && !readOnly
    const x0 = bits(d, 54n, 1n) === 0n && !uxnTable
    const x1 = bits(d, 53n, 1n) === 0n && !pxnTable && !(el0 && write)
    const rights = [el0 && 'r0', el0 && write && 'w0', x0 && 'x0', 'r1', write && 'w1', x1 && 'x1'].filter(Boolean).join()
    return { pa: (pa >> 12n) << 12n, rights, size: Number(shift) }
  }
}

const GRANULE_FIELD = { low: { 12: 0n, 14: 2n, 16: 1n }, high: { 12: 2n, 14: 1n, 16: 3n } } as const

function ours(memory: Map<bigint, bigint>, s: Setup, va: bigint): Answer {
  const walker = createWalker((high, low) => {
    const d = memory.get((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) ?? 0n
    walker.descLo = Number(BigInt.asIntN(32, d))
    walker.descHi = Number(BigInt.asIntN(32, d >> 32n))
    return true
  })
  const size = 64n - s.inputBits
  const key = s.granule === 12n ? 12 : s.granule === 14n ? 14 : 16
  const tcr = s.upper
    ? (GRANULE_FIELD.high[key] << 30n) | (size << 16n) | 25n
    : (GRANULE_FIELD.low[key] << 14n) | size | (25n << 16n)
  const IPS_44_BITS = 4n << 32n
  walker.configure({ sctlr: 1n, tcr: tcr | IPS_44_BITS, ttbr0: s.upper ? 0n : TABLES, ttbr1: s.upper ? TABLES : 0n, mair: 0n })
  if (!walker.walk(Number(BigInt.asIntN(32, va >> 32n)), Number(BigInt.asIntN(32, va)))) return { fault: walker.fault }
  const w = walker
  const rights = [w.readEl0 && 'r0', w.writeEl0 && 'w0', w.execEl0 && 'x0', w.readEl1 && 'r1', w.writeEl1 && 'w1', w.execEl1 && 'x1']
  const pa = (BigInt(w.paHi >>> 0) << 32n) | BigInt(w.paLo >>> 0)
  return { pa, rights: rights.filter(Boolean).join(), size: w.log2Size }
}

/** Descriptors at random, most of them valid and within 44 bits, in tables that point into one another. */
function tables(s: Setup, next: () => bigint): Map<bigint, bigint> {
  const memory = new Map<bigint, bigint>()
  const stride = 1n << s.granule
  for (let table = 0n; table < 12n; table++)
    for (let i = 0n; i < 16n; i++) {
      const r = next()
      const attributes = (next() & 0x7870_0000_0000_0fc0n) | ((r & 7n) === 0n ? 0n : 1n << 10n)
      const target = (r & 1n) === 1n ? TABLES + ((r >> 8n) % 12n) * stride : (next() & 0x0fff_ffff_f000n) | ((r & 0x3f00n) === 0n ? 1n << 45n : 0n)
      memory.set(TABLES + table * stride + i * 8n, attributes | target | ((r >> 4n) & 15n ? 1n : 0n) | ((r & 8n) === 8n ? 2n : 0n))
    }
  return memory
}

describe.each([12n, 14n, 16n] as const)('a walk with a granule of 2^%i bytes', (granule) => {
  it.each([true, false])('finds what the manual says (upper half: %s)', (upper) => {
    const next = random(Number(granule) * (upper ? 7 : 3))
    const kinds = new Set<string>()
    for (let round = 0; round < 300; round++) {
      const s: Setup = { granule, upper, inputBits: 25n + (next() % 24n) }
      const memory = tables(s, next)
      for (let i = 0; i < 10; i++) {
        // Small indexes at every level, so that most walks find a descriptor; a few addresses out of range.
        const perLevel = granule - 3n
        let va = next() & 0xfffn
        for (let shift = granule; shift < 48n; shift += perLevel) va |= (next() & 15n) << shift
        va &= (1n << s.inputBits) - 1n
        if (upper) va |= BigInt.asUintN(64, -1n << s.inputBits)
        if (next() % 20n === 0n) va ^= 1n << (s.inputBits % 55n)
        if (((va >> 55n) & 1n) !== (upper ? 1n : 0n)) continue
        const expected = reference(memory, s, va)
        expect(ours(memory, s, va), `va ${va.toString(16)} of ${s.inputBits} bits`).toEqual(expected)
        kinds.add('fault' in expected ? `fault ${expected.fault >> 2}` : `size ${expected.size}`)
      }
    }
    expect(kinds.size).toBeGreaterThanOrEqual(5)
  })
})
