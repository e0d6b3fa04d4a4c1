/** The walker against a second one, written from the manual with big integers and no thought of speed. */
import { describe, expect, it } from 'vitest'
import { createWalker } from './walk.ts'
import type { WalkPurpose } from './walk.ts'

type Granule = 12n | 14n | 16n

/** What the registers say, as the manual names it, for the half of the address space in question. */
interface Setup {
  readonly granule: Granule
  /** TCR_EL1.TGn, where it is not the granule's: a reserved value, or 16 KiB on a CPU that has not got it, is 4 KiB. */
  readonly spelling: 'right' | 'reserved' | '16 KiB'
  readonly upper: boolean
  /** TCR_EL1.TnSZ, whatever its value. */
  readonly size: bigint
  readonly smallTables: boolean
  readonly physicalBits: 40 | 44 | 48
  readonly ips: bigint
  readonly tbi: boolean
  readonly hpd: boolean
  readonly e0pd: boolean
  readonly epd: boolean
  readonly ha: boolean
  readonly hd: boolean
  readonly wxn: boolean
  readonly mair: bigint
  /** TTBRn_EL1, with an ASID, CnP, and bits below the alignment of the table, which do not count. */
  readonly ttbr: bigint
}

/** Descriptors by their addresses; `undefined`: there is no memory. */
type Memory = ReadonlyMap<bigint, bigint | undefined>

const TABLES = 0x4000_0000n
const bits = (value: bigint, lsb: bigint, width: bigint): bigint => (value >> lsb) & ((1n << width) - 1n)
const bit = (value: bigint, lsb: bigint): boolean => bits(value, lsb, 1n) === 1n

const random = (seed: number) => (): bigint => {
  let value = 0n
  for (let i = 0; i < 4; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    value = (value << 16n) | BigInt(seed >>> 16)
  }
  return value
}

type Answer =
  | { readonly fault: number }
  | {
      readonly pa: bigint
      readonly rights: string
      readonly size: number
      readonly attributes: bigint
      readonly shareability: bigint
      readonly device: boolean
      readonly guarded: boolean
      /** The descriptor afterwards, where hardware has changed it. */
      readonly written: bigint | undefined
    }

/** What the reference has met on its way, so that nothing is never met. */
type Note = (what: string) => void

const TRANSLATION = 0x04
const ACCESS_FLAG = 0x08
const EXTERNAL_ON_WALK = 0x14

/** TnSZ as it takes effect: D8.2.5. */
function inputSize(s: Setup): bigint {
  const largest = s.smallTables ? (s.granule === 16n ? 47n : 48n) : 39n
  return 64n - (s.size < 16n ? 16n : s.size > largest ? largest : s.size)
}

const IPS_BITS = [32, 36, 40, 42, 44, 48, 48, 48]
const outputSize = (s: Setup): bigint => BigInt(Math.min(s.physicalBits, IPS_BITS[Number(s.ips)] ?? 0))

/** Stage 1 translation, step by step as in Arm ARM D8.2 to D8.5. */
function reference(memory: Memory, s: Setup, va: bigint, purpose: WalkPurpose, note: Note): Answer {
  const inputBits = inputSize(s)
  const above = bits(va, inputBits, (s.tbi ? 56n : 64n) - inputBits)
  const ones = (1n << ((s.tbi ? 56n : 64n) - inputBits)) - 1n
  if (s.tbi && bits(va, 56n, 8n) !== (s.upper ? 0xffn : 0n)) note('tagged')
  if (s.epd) note('EPD')
  if (s.e0pd && purpose.el === 0) note('E0PD')
  if (above !== (s.upper ? ones : 0n) || s.epd || (s.e0pd && purpose.el === 0)) return { fault: TRANSLATION }
  const perLevel = s.granule - 3n
  const levels = (inputBits - s.granule + perLevel - 1n) / perLevel
  const start = 4n - levels
  const output = outputSize(s)
  const outside = (d: bigint): boolean => bits(d, 0n, 48n) >> output !== 0n
  // D8.2.2: aligned to its size, and to 64 bytes at least.
  const indexBits = inputBits - s.granule - perLevel * (3n - start)
  const alignment = indexBits < 3n ? 6n : indexBits + 3n
  let table = (bits(s.ttbr, 0n, 48n) >> alignment) << alignment
  if (outside(table)) return { fault: 0 }
  let noEl0 = false
  let readOnly = false
  let pxnTable = false
  let uxnTable = false
  for (let level = start; ; level++) {
    const shift = s.granule + perLevel * (3n - level)
    const at = table + 8n * bits(va, shift, level === start ? inputBits - shift : perLevel)
    const d = memory.has(at) ? memory.get(at) : 0n
    if (d === undefined) return { fault: EXTERNAL_ON_WALK | Number(level) }
    if (!bit(d, 0n)) return { fault: TRANSLATION | Number(level) }
    if (level < 3n && bit(d, 1n)) {
      if (bits(d, 59n, 4n) !== 0n) note(s.hpd ? 'hierarchical, disabled' : 'hierarchical')
      if (!s.hpd) {
        noEl0 ||= bit(d, 61n)
        readOnly ||= bit(d, 62n)
        uxnTable ||= bit(d, 60n)
        pxnTable ||= bit(d, 59n)
      }
      table = (bits(d, 0n, 48n) >> s.granule) << s.granule
      if (outside(d)) return { fault: Number(level) }
      continue
    }
    const block = level === 2n || (level === 1n && s.granule === 12n)
    if (level === 3n ? !bit(d, 1n) : !block) return { fault: TRANSLATION | Number(level) }
    if (outside(d)) return { fault: Number(level) }
    if (!bit(d, 10n) && !s.ha) return { fault: ACCESS_FLAG | Number(level) }
    if (bit(d, 52n)) note('contiguous')
    if (!bit(d, 10n)) note(purpose.looksOnly === true ? 'AT without AF' : 'HA')
    if (s.wxn) note('WXN')
    const pa = ((bits(d, 0n, 48n) >> shift) << shift) | bits(va, 0n, shift)
    // Dirty state management wants the access flag's too.
    const clean = s.ha && s.hd && bit(d, 51n) && bit(d, 7n)
    const el0 = bit(d, 6n) && !noEl0
    const write = (!bit(d, 7n) || clean) && !readOnly
    const x0 = !bit(d, 54n) && !uxnTable && !(s.wxn && el0 && write)
    const x1 = !bit(d, 53n) && !pxnTable && !(el0 && write) && !(s.wxn && write)
    const rights = [el0 && 'r0', el0 && write && 'w0', x0 && 'x0', 'r1', write && 'w1', x1 && 'x1']
      .filter(Boolean)
      .join()
    let after = d | (1n << 10n)
    if (clean && purpose.write && write && (purpose.el === 1 || el0)) {
      note(purpose.looksOnly === true ? 'AT of a clean page' : 'HD')
      after &= ~(1n << 7n)
    }
    const attributes = bits(s.mair, 8n * bits(d, 2n, 3n), 8n)
    return {
      pa: (pa >> 12n) << 12n,
      rights,
      size: Number(shift),
      attributes,
      shareability: bits(d, 8n, 2n),
      device: bits(attributes, 4n, 4n) === 0n,
      guarded: bit(d, 50n),
      written: after === d || purpose.looksOnly === true ? undefined : after,
    }
  }
}

const GRANULE_FIELD = {
  low: { 12: 0n, 14: 2n, 16: 1n, reserved: 3n },
  high: { 12: 2n, 14: 1n, 16: 3n, reserved: 0n },
} as const
const flag = (set: boolean, lsb: bigint): bigint => (set ? 1n << lsb : 0n)

function registersOf(s: Setup): { sctlr: bigint; tcr: bigint; ttbr0: bigint; ttbr1: bigint; mair: bigint } {
  const right = s.granule === 12n ? 12 : s.granule === 14n ? 14 : 16
  const key = s.spelling === 'right' ? right : s.spelling === 'reserved' ? s.spelling : 14
  const [half, n, e, top, hpd, e0pd] = s.upper ? [16n, 30n, 23n, 38n, 42n, 56n] : [0n, 14n, 7n, 37n, 41n, 55n]
  const other = s.upper ? 25n : 25n << 16n
  const granule = s.upper ? GRANULE_FIELD.high[key] : GRANULE_FIELD.low[key]
  return {
    sctlr: 1n | flag(s.wxn, 19n),
    tcr:
      (granule << n) |
      (s.size << half) |
      other |
      (s.ips << 32n) |
      flag(s.tbi, top) |
      flag(s.hpd, hpd) |
      flag(s.e0pd, e0pd) |
      flag(s.epd, e) |
      flag(s.ha, 39n) |
      flag(s.hd, 40n),
    ttbr0: s.upper ? 0n : s.ttbr,
    ttbr1: s.upper ? s.ttbr : 0n,
    mair: s.mair,
  }
}

function ours(memory: Memory, s: Setup, va: bigint, purpose: WalkPurpose): Answer {
  let written: bigint | undefined
  const addressOf = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  const walker = createWalker(
    { physicalBits: s.physicalBits, smallTables: s.smallTables, granule16: s.spelling !== '16 KiB' },
    {
      read: (high, low) => {
        const at = addressOf(high, low)
        const d = memory.has(at) ? memory.get(at) : 0n
        if (d === undefined) return false
        walker.descLo = Number(BigInt.asIntN(32, d))
        walker.descHi = Number(BigInt.asIntN(32, d >> 32n))
        return true
      },
      update: (high, low, descLo) => {
        written = ((memory.get(addressOf(high, low)) ?? 0n) & ~0xffff_ffffn) | BigInt(descLo >>> 0)
      },
    },
  )
  walker.configure(registersOf(s))
  if (!walker.walk(Number(BigInt.asIntN(32, va >> 32n)), Number(BigInt.asIntN(32, va)), purpose))
    return { fault: walker.fault }
  const w = walker
  const rights = [
    w.readEl0 && 'r0',
    w.writeEl0 && 'w0',
    w.execEl0 && 'x0',
    w.readEl1 && 'r1',
    w.writeEl1 && 'w1',
    w.execEl1 && 'x1',
  ]
  return {
    pa: addressOf(w.paHi, w.paLo),
    rights: rights.filter(Boolean).join(),
    size: w.log2Size,
    attributes: BigInt(w.attributes),
    shareability: BigInt(w.shareability),
    device: w.isDevice,
    guarded: w.guarded,
    written,
  }
}

/** Descriptors at random, most of them valid and within the output size, in tables that point into one another. */
function tables(s: Setup, next: () => bigint): Memory {
  const memory = new Map<bigint, bigint | undefined>()
  const stride = 1n << s.granule
  const within = (1n << outputSize(s)) - 1n
  for (let table = 0n; table < 12n; table++)
    for (let i = 0n; i < 16n; i++) {
      const r = next()
      // Permissions, DBM, GP, contiguous, PXN, UXN; AttrIndx, AP, SH, AF.
      const attributes = (next() & 0x787c_0000_0000_0fdcn & ~(1n << 10n)) | ((r & 7n) === 0n ? 0n : 1n << 10n)
      const isTable = (r & 1n) === 1n
      const target = isTable ? TABLES + ((r >> 8n) % 12n) * stride : next() & within & 0xffff_ffff_f000n
      const beyond = (r & 0x3f00n) === 0n ? 1n << 47n : 0n
      const kind = ((r >> 4n) & 15n ? 1n : 0n) | ((r & 8n) === 8n || isTable ? 2n : 0n)
      // A table's own address would have its attributes' bits.
      const missing = next() % 100n === 0n
      memory.set(
        TABLES + table * stride + i * 8n,
        missing
          ? undefined
          : (isTable ? attributes & ~0xffcn : attributes) | (isTable ? 1n << 10n : 0n) | target | beyond | kind,
      )
    }
  return memory
}

function setup(granule: Granule, upper: boolean, next: () => bigint): Setup {
  const one = (n: bigint): boolean => next() % n === 0n
  const smallTables = one(2n)
  return {
    granule,
    spelling: granule === 12n && one(3n) ? (one(2n) ? 'reserved' : '16 KiB') : 'right',
    upper,
    smallTables,
    size: one(12n) ? next() % 64n : 16n + (one(6n) ? 0n : next() % (smallTables ? 32n : 24n)),
    physicalBits: ([40, 44, 48] as const)[Number(next() % 3n)] ?? 48,
    ips: one(8n) ? next() % 8n : 5n,
    tbi: one(2n),
    hpd: one(3n),
    e0pd: one(4n),
    epd: one(16n),
    ha: one(2n),
    hd: one(2n),
    wxn: one(4n),
    mair: next() & 0xff0f_ff00_fff4_ff00n,
    ttbr: TABLES | (next() & 0xffff_0000_0000_007fn),
  }
}

describe.each([12n, 14n, 16n] as const)('a walk with a granule of 2^%i bytes', (granule) => {
  it.each([true, false])('finds what the manual says (upper half: %s)', { timeout: 120_000 }, (upper) => {
    const next = random(Number(granule) * (upper ? 7 : 3))
    const kinds = new Map<string, number>()
    const note: Note = (kind) => void kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    for (let round = 0; round < 500; round++) {
      const s = setup(granule, upper, next)
      const memory = tables(s, next)
      const inputBits = inputSize(s)
      for (let i = 0; i < 60; i++) {
        // Small indexes at every level, so that most walks find a descriptor; a few addresses out of range.
        let va = next() & 0xfffn
        for (let shift = granule; shift < 48n; shift += granule - 3n) va |= (next() & 15n) << shift
        va &= (1n << inputBits) - 1n
        if (upper) va |= BigInt.asUintN(64, -1n << inputBits)
        if (next() % 20n === 0n) va ^= 1n << (inputBits % 55n)
        if (next() % 3n === 0n) va = (va & ((1n << 56n) - 1n)) | ((next() & 0xffn) << 56n)
        if (bit(va, 55n) !== upper) continue
        const purpose: WalkPurpose = {
          el: next() % 2n === 0n ? 0 : 1,
          write: next() % 2n === 0n,
          looksOnly: next() % 4n === 0n,
        }
        const expected = reference(memory, s, va, purpose, note)
        expect(
          ours(memory, s, va, purpose),
          `va ${va.toString(16)} of ${inputBits} bits, ${JSON.stringify(purpose)}`,
        ).toEqual(expected)
        if ('fault' in expected) note(`fault 0x${expected.fault.toString(16)}`)
        else {
          note(`size ${expected.size}`)
          if (expected.device) note('device')
          note(`${purpose.looksOnly === true ? 'AT' : purpose.write ? 'write' : 'read'} at EL${purpose.el}`)
        }
      }
    }
    // Faults of every class at every level that they can have, every size, and all that the registers turn on and off.
    const levels = granule === 16n ? [1, 2, 3] : [0, 1, 2, 3]
    const blocks = granule === 12n ? [30n, 21n] : [2n * granule - 3n]
    const wanted = [
      ...[TRANSLATION, EXTERNAL_ON_WALK, 0].flatMap((kind) =>
        levels.map((level) => `fault 0x${(kind | level).toString(16)}`),
      ),
      ...[3n, 2n, ...(granule === 12n ? [1n] : [])].map(
        (level) => `fault 0x${(ACCESS_FLAG | Number(level)).toString(16)}`,
      ),
      ...[granule, ...blocks].map((size) => `size ${size}`),
      ...'tagged|EPD|E0PD|hierarchical|hierarchical, disabled|contiguous|WXN|device'.split('|'),
      ...'HA|HD|AT without AF|AT of a clean page'.split('|'),
      ...[0, 1].flatMap((el) => ['read', 'write', 'AT'].map((kind) => `${kind} at EL${el}`)),
    ]
    expect(wanted.filter((kind) => (kinds.get(kind) ?? 0) < 10)).toEqual([])
  })
})
