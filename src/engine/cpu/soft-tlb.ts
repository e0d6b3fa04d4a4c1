/**
 * The soft TLB: banks of direct-mapped entries, one for each translation regime and privilege. A change of
 * TTBR, ASID or exception level selects another bank and flushes nothing; banks are shared by the CPUs
 * whose registers agree.
 */
import { scratch, tlb } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { slots } from './slots.ts'

/** The registers that decide how addresses are translated at EL1 and EL0. */
export interface Regime {
  readonly sctlr: bigint
  readonly tcr: bigint
  readonly ttbr0: bigint
  readonly ttbr1: bigint
  readonly mair: bigint
  /** All of them, by the halves in `REGIME_WORDS`. */
  readonly words: Int32Array
  /** Banks by `Privilege`; -1: none yet. */
  readonly banks: number[]
}

/** Where in memory the halves of the running CPU's registers stand, those first that change most. */
const REGIME_WORDS: readonly number[] = [
  slots.TTBR1_EL1,
  slots.TTBR0_EL1,
  slots.TCR_EL1,
  slots.SCTLR_EL1,
  slots.MAIR_EL1,
].flatMap((at) => [at >>> 2, (at >>> 2) + 1])

/**
 * What decides, within a regime, which accesses are allowed: EL0; EL1; EL1 with PSTATE.PAN; and EL0 and EL1 where data
 * accesses may meet a watchpoint, so that none is entered.
 */
export type Privilege = 0 | 1 | 2 | 3 | 4
const PRIVILEGES = 5
const WATCHED = { 0: 3, 1: 4 } as const

interface BankOwner {
  readonly regime: Regime
  readonly privilege: Privilege
  used: number
}

const PAGE_SHIFT = 12
const ENTRY = 16
/** A bank with no more entries than these is emptied one by one; the rest as a whole, 48 KiB. */
const FEW = 256

/** A tag that no address looked up at this entry can hit: half the table away. */
const emptyTag = (entry: number): bigint => BigInt(((entry + tlb.ENTRIES / 2) % tlb.ENTRIES) << PAGE_SHIFT)

const NOTHING_NOTED = { key: -1, log2Size: 0 }

export class SoftTlb {
  private readonly plan: MemoryPlan
  private readonly bytes: Uint8Array
  private readonly i32: Int32Array
  private readonly i64: BigInt64Array
  private readonly owners: (BankOwner | undefined)[] = []
  private readonly regimes: Regime[] = []
  private ticks = 0
  /** By bank: how many entries were made since it was empty, and where the first of them lie. */
  private readonly made = new Uint16Array(tlb.BANKS)
  private readonly places = new Uint16Array(tlb.BANKS * FEW)
  /** By entry: which banks may have made one there, a bit each in two words. */
  private readonly makers = new Uint32Array(tlb.ENTRIES * 2)
  /** Counts whatever may have ended a translation. */
  generation = 0
  /** Mappings larger than a page that have been cached, by size: what a flush by address must widen to. */
  private readonly large = new Map<number, Set<number>>()
  /** The one that was noted last. */
  private noted = NOTHING_NOTED
  flushes = 0

  constructor(plan: MemoryPlan, buffer: ArrayBuffer) {
    this.plan = plan
    this.bytes = new Uint8Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.writeEmptyBank()
    for (let bank = 1; bank < tlb.BANKS; bank++) this.empty(bank)
  }

  private address(bank: number): number {
    return this.plan.tlbBase + bank * tlb.BANK_SIZE
  }

  /** Bank 0 belongs to nobody: the others are copies of it when they are empty. */
  private writeEmptyBank(): void {
    for (let table = 0; table < 3; table++)
      for (let entry = 0; entry < tlb.ENTRIES; entry++) {
        const at = this.address(0) + table * tlb.ENTRIES * ENTRY + entry * ENTRY
        this.i64[at >>> 3] = table === 2 ? emptyTag(entry) | 1n : emptyTag(entry)
        this.i32[(at >>> 2) + 2] = 0
      }
  }

  private empty(bank: number): void {
    this.bytes.copyWithin(this.address(bank), this.address(0), this.address(0) + tlb.BANK_SIZE)
  }

  private clear(bank: number): void {
    const made = this.made[bank] ?? 0
    if (made > FEW) this.empty(bank)
    else {
      const [to, from] = [this.address(bank) >>> 2, this.address(0) >>> 2]
      for (let i = 0; i < made; i++) {
        const place = (this.places[bank * FEW + i] ?? 0) >>> 2
        for (let word = place; word < place + ENTRY / 4; word++) this.i32[to + word] = this.i32[from + word] ?? 0
      }
    }
    this.made[bank] = 0
    this.generation++
  }

  /** Notes that an entry was made at an address of memory. */
  private note(at: number): void {
    const offset = at - this.plan.tlbBase
    const bank = Math.floor(offset / tlb.BANK_SIZE)
    const made = this.made[bank] ?? 0
    const place = offset - bank * tlb.BANK_SIZE
    const makers = 2 * ((place / ENTRY) % tlb.ENTRIES) + (bank >>> 5)
    this.makers[makers] = (this.makers[makers] ?? 0) | (1 << (bank & 31))
    if (made > FEW) return
    if (made < FEW) this.places[bank * FEW + made] = place
    this.made[bank] = made + 1
  }

  /** Whether a regime is that of the running CPU's registers. */
  private isCurrent({ words }: Regime): boolean {
    for (let i = 0; i < REGIME_WORDS.length; i++) if (words[i] !== this.i32[REGIME_WORDS[i] ?? 0]) return false
    return true
  }

  /** The regime of the running CPU's registers, known or new. */
  regime(): Regime {
    for (let i = 0; i < this.regimes.length; i++) {
      const r = this.regimes[i]
      if (r === undefined || !this.isCurrent(r)) continue
      // Regimes in use gather at the front.
      const before = this.regimes[i - 1]
      if (before !== undefined) {
        this.regimes[i - 1] = r
        this.regimes[i] = before
      }
      return r
    }
    const value = (slot: number): bigint => BigInt.asUintN(64, this.i64[slot >>> 3] ?? 0n)
    const created: Regime = {
      sctlr: value(slots.SCTLR_EL1),
      tcr: value(slots.TCR_EL1),
      ttbr0: value(slots.TTBR0_EL1),
      ttbr1: value(slots.TTBR1_EL1),
      mair: value(slots.MAIR_EL1),
      words: Int32Array.from(REGIME_WORDS, (word) => this.i32[word] ?? 0),
      banks: Array<number>(PRIVILEGES).fill(-1),
    }
    this.regimes.unshift(created)
    if (this.regimes.length > 2 * tlb.BANKS) {
      const dropped = this.regimes.pop()
      for (const bank of dropped?.banks ?? []) if (bank >= 0) this.owners[bank] = undefined
      // A CPU may go on with it, with banks that it gets anew.
      dropped?.banks.fill(-1)
    }
    return created
  }

  /** Makes the banks of a regime for a CPU's state those that compiled code looks at. */
  select(
    regime: Regime,
    cpu: { readonly el: 0 | 1; readonly pan: number; readonly uao: number; readonly watched: boolean },
  ): void {
    const { el, watched } = cpu
    const own = watched ? WATCHED[el] : el === 1 && cpu.pan === 1 ? 2 : el
    // LDTR and the like act as EL0, but with PSTATE.UAO as the level itself.
    const unprivileged = el === 1 && cpu.uao === 1 ? own : watched ? WATCHED[0] : 0
    this.i32[scratch.TLB_UNPRIVILEGED >>> 2] = this.address(this.bank(regime, unprivileged))
    this.i32[scratch.TLB >>> 2] = this.address(this.bank(regime, own))
  }

  private bank(regime: Regime, privilege: Privilege): number {
    const known = regime.banks[privilege] ?? -1
    const owner = known >= 0 ? this.owners[known] : undefined
    if (owner !== undefined) {
      owner.used = ++this.ticks
      return known
    }
    let oldest = 1
    for (let bank = 1; bank < tlb.BANKS; bank++) {
      const candidate = this.owners[bank]
      if (candidate === undefined) {
        oldest = bank
        break
      }
      if (candidate.used < (this.owners[oldest]?.used ?? Infinity)) oldest = bank
    }
    const evicted = this.owners[oldest]
    if (evicted !== undefined) evicted.regime.banks[evicted.privilege] = -1
    this.clear(oldest)
    this.owners[oldest] = { regime, privilege, used: ++this.ticks }
    regime.banks[privilege] = oldest
    return oldest
  }

  /**
   * Enters a translation of the page at `va` (low and high half, page aligned) into the bank at `bankAddress`.
   * `host`: address of the page in memory. `table` is READ, WRITE or FETCH of `tlb`; for FETCH, `host` is the record page.
   */
  fill(bankAddress: number, table: number, vaLow: number, vaHigh: number, host: number): void {
    const at = entryOf(bankAddress, table, vaLow)
    this.note(at)
    const low = vaLow & ~0xfff
    this.i32[at >>> 2] = low
    this.i32[(at >>> 2) + 1] = vaHigh
    this.i32[(at >>> 2) + 2] = table === tlb.FETCH ? host : (host - low) | 0
  }

  /** Where the byte at an address lies that is known to be readable; 0: none is known. */
  readable(bankAddress: number, vaLow: number, vaHigh: number): number {
    const at = entryOf(bankAddress, tlb.READ, vaLow) >>> 2
    if (this.i32[at] !== (vaLow & ~0xfff) || this.i32[at + 1] !== vaHigh) return 0
    return (vaLow + (this.i32[at + 2] ?? 0)) >>> 0
  }

  /** Says of the page just entered for fetches whether it is guarded (FEAT_BTI). */
  setGuarded(bankAddress: number, vaLow: number, guarded: boolean): void {
    this.i32[(entryOf(bankAddress, tlb.FETCH, vaLow) >>> 2) + 3] = guarded ? 1 : 0
  }

  /** The record page that fetches from an address find; 0: none is known. */
  fetchPage(bankAddress: number, vaLow: number, vaHigh: number): number {
    const at = entryOf(bankAddress, tlb.FETCH, vaLow) >>> 2
    return this.i32[at] === (vaLow & ~0xfff) && this.i32[at + 1] === vaHigh ? (this.i32[at + 2] ?? 0) : 0
  }

  /** The same, and whether it is guarded; `undefined`: none is known. */
  fetchEntry(
    bankAddress: number,
    vaLow: number,
    vaHigh: number,
  ): { readonly page: number; readonly guarded: boolean } | undefined {
    const page = this.fetchPage(bankAddress, vaLow, vaHigh)
    if (page === 0) return undefined
    return { page, guarded: this.i32[(entryOf(bankAddress, tlb.FETCH, vaLow) >>> 2) + 3] === 1 }
  }

  /** Remembers that a mapping of 2^log2Size bytes, more than a page, covers this address. */
  noteLarge(vaLow: number, vaHigh: number, log2Size: number): void {
    const key = regionKey(vaLow, vaHigh, log2Size)
    // The next page of the same block, as a rule.
    if (key === this.noted.key && log2Size === this.noted.log2Size) return
    this.noted = { key, log2Size }
    let set = this.large.get(log2Size)
    if (set === undefined) this.large.set(log2Size, (set = new Set()))
    set.add(key)
  }

  /** TLBI by address, for every ASID: the page, or everything where a larger mapping may be meant. */
  flushPage(vaLow: number, vaHigh: number): void {
    this.generation++
    for (const [log2Size, set] of this.large) if (set.has(regionKey(vaLow, vaHigh, log2Size))) return this.flushAll()
    const entry = ((vaLow >>> tlb.INDEX_SHIFT) & tlb.INDEX_MASK) / ENTRY
    for (let half = 0; half < 2; half++) {
      let makers = this.makers[2 * entry + half] ?? 0
      this.makers[2 * entry + half] = 0
      for (; makers !== 0; makers &= makers - 1) {
        const bit = 31 - Math.clz32(makers & -makers)
        const bank = 32 * half + bit
        if (this.owners[bank] !== undefined && this.flushEntry(bank, entry, vaLow & ~0xfff, vaHigh))
          this.makers[2 * entry + half] = (this.makers[2 * entry + half] ?? 0) | (1 << bit)
      }
    }
  }

  /** Empties a bank's entry for a page; answers whether there is one for another page. */
  private flushEntry(bank: number, entry: number, low: number, high: number): boolean {
    let others = false
    for (let table = 0; table < 3; table++) {
      const at = this.address(bank) + (table * tlb.ENTRIES + entry) * ENTRY
      // The top byte may be a tag, and TLBI's address has 56 bits: compare the rest.
      if (this.i32[at >>> 2] === low && (((this.i32[(at >>> 2) + 1] ?? 0) ^ high) & 0xffffff) === 0)
        this.i64[at >>> 3] = table === 2 ? emptyTag(entry) | 1n : emptyTag(entry)
      else others ||= this.i32[at >>> 2] !== this.i32[(this.address(0) + (table * tlb.ENTRIES + entry) * ENTRY) >>> 2]
    }
    return others
  }

  /** Forgets every fetch translation: their record pages are gone. */
  flushFetches(): void {
    for (let bank = 1; bank < tlb.BANKS; bank++) {
      if (this.owners[bank] === undefined) continue
      const base = this.address(bank) + tlb.FETCH
      const empty = this.address(0) + tlb.FETCH
      this.bytes.copyWithin(base, empty, empty + tlb.ENTRIES * ENTRY)
    }
  }

  /** TLBI by ASID, or everything. */
  flushAll(asid?: number): void {
    this.flushes++
    for (let bank = 1; bank < tlb.BANKS; bank++) {
      const owner = this.owners[bank]
      if (owner !== undefined && (asid === undefined || asidOf(owner.regime) === asid)) this.clear(bank)
    }
    if (asid !== undefined) return
    this.large.clear()
    this.noted = NOTHING_NOTED
  }
}

const entryOf = (bankAddress: number, table: number, vaLow: number): number =>
  bankAddress + table + ((vaLow >>> tlb.INDEX_SHIFT) & tlb.INDEX_MASK)

const TCR_A1 = 1n << 22n

/** The current ASID: bits 63:48 of the TTBR that TCR_EL1.A1 selects (D19.2, TTBR0_EL1). */
const asidOf = (r: Regime): number => Number(((r.tcr & TCR_A1) === 0n ? r.ttbr0 : r.ttbr1) >> 48n) & 0xffff

/** The number of a region of 2^log2Size bytes; 56 bits of address fit a number exactly. */
const regionKey = (low: number, high: number, log2Size: number): number =>
  Math.floor(((high & 0xffffff) * 2 ** 32 + (low >>> 0)) / 2 ** log2Size)
