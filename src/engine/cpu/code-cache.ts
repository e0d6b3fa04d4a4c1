/**
 * The instruction cache: the instructions of a physical page as they were when the page was first fetched
 * from, decoded one by one as they run. Only IC IVAU and IC IALLU bring later stores into it, so that what
 * runs depends on the guest alone and not on when something was decoded or translated.
 */
import { WordMap } from '../../base/word-map.ts'
import type { Row } from '../../pure/arch/a64/row.ts'
import { special } from './interpreter/handler.ts'
import { fieldValue } from './interpreter/interpreter.ts'
import type { Interpreter } from './interpreter/interpreter.ts'
import { record } from './layout.ts'
import type { MemoryPlan } from './layout.ts'

const PAGE = 4096
/** What IC IVAU invalidates, as CTR_EL0.IminLine says. */
export const LINE = 64
/** At most as many instructions are decoded ahead of the one that is needed. */
const DECODE_AHEAD = 64

const MAX_TEMPLATES = 1 << 18

/**
 * What is known of an instruction word, wherever it stands: its record; the record where the target of a direct branch lies in
 * the same page; how far away the target is, in bytes (0 for other instructions); whether decoding ahead ends there. All in
 * one array: objects of their own for a hundred thousand words keep the host's memory management busy.
 */
const template = { FAR: 0, NEAR: 4, DISTANCE: 8, ENDS: 9, SIZE: 10 } as const

export class CodeCache {
  /** Where the template of a word begins. */
  private readonly templates = new WordMap()
  private pool = new Int32Array(1 << 16)
  private readonly draftWords = new Int32Array(record.SIZE / 4)
  private readonly draft = new DataView(this.draftWords.buffer)
  private readonly records: Int32Array
  private readonly plan: MemoryPlan
  private readonly interpreter: Interpreter
  private readonly bytes: Uint8Array
  private readonly words: Uint32Array
  private readonly view: DataView
  /** Record page of a RAM page, plus 1; 0: none. */
  private readonly pageOfRam: Int32Array
  private used = 0
  /** Instructions decoded since the start. */
  decoded = 0
  /**
   * Numbers in their pages of the instructions that breakpoints are at, whichever pages those are: a page may be
   * mapped anywhere, and the driver knows the address when it gets there. Their records say UNDEFINED.
   */
  private breaks: ReadonlySet<number> = new Set()
  /** Called when every record page is dropped. */
  onReset: () => void = () => {}
  /** Called before instructions of a record page are forgotten: which page, the first one, how many. */
  onInvalidate: (page: number, first: number, count: number) => void = () => {}

  constructor(plan: MemoryPlan, interpreter: Interpreter, buffer: ArrayBuffer) {
    this.plan = plan
    this.interpreter = interpreter
    this.bytes = new Uint8Array(buffer)
    this.words = new Uint32Array(buffer)
    this.records = new Int32Array(buffer)
    this.view = new DataView(buffer)
    this.pageOfRam = new Int32Array(plan.ramSize / PAGE)
  }

  /** Address of the first record of a page of RAM (by its offset from the start of RAM). */
  page(ramOffset: number): number {
    const ramPage = ramOffset >>> 12
    const known = this.pageOfRam[ramPage] ?? 0
    if (known !== 0) return this.addressOf(known - 1)
    if (this.used === this.plan.recordPages) this.reset()
    const index = this.used++
    this.pageOfRam[ramPage] = index + 1
    const base = this.addressOf(index)
    const from = this.plan.ram + ramPage * PAGE
    this.bytes.copyWithin(this.plan.fetched + index * PAGE, from, from + PAGE)
    this.bytes.fill(0, base, base + record.PAGE_STRIDE)
    this.view.setUint16(base + record.PER_PAGE * record.SIZE, special.PAGE_END, true)
    for (const broken of this.breaks) this.setBreak(base + broken * record.SIZE)
    return base
  }

  private addressOf(index: number): number {
    return this.plan.recordPool + index * record.PAGE_STRIDE
  }

  /** Drops every record page. */
  reset(): void {
    this.pageOfRam.fill(0)
    this.used = 0
    this.onReset()
  }

  /**
   * Fetches anew whatever has changed in RAM. What has not is kept, with what was translated of it: this is the instruction
   * cache of all CPUs, and each of them invalidates its own when it comes up.
   */
  refresh(): void {
    for (let ramPage = 0; ramPage < this.pageOfRam.length; ramPage++) {
      const known = this.pageOfRam[ramPage] ?? 0
      if (known === 0) continue
      for (let offset = 0; offset < PAGE; offset += LINE) this.refreshLine(ramPage * PAGE + offset)
    }
  }

  /** The same for one line, by its offset from the start of RAM. */
  refreshLine(ramOffset: number): void {
    const known = this.pageOfRam[ramOffset >>> 12] ?? 0
    if (known === 0) return
    const fetched = this.plan.fetched + (known - 1) * PAGE + (ramOffset & (PAGE - 1))
    if (this.hasChanged(this.plan.ram + ramOffset, fetched)) this.invalidate(ramOffset, LINE)
  }

  private hasChanged(now: number, fetched: number): boolean {
    for (let i = 0; i < LINE; i += 4) if (this.words[(now + i) >>> 2] !== this.words[(fetched + i) >>> 2]) return true
    return false
  }

  /** Fetches a range of RAM within a page anew, and forgets what was decoded of it. */
  invalidate(ramOffset: number, length: number): void {
    const known = this.pageOfRam[ramOffset >>> 12] ?? 0
    if (known === 0) return
    const page = this.addressOf(known - 1)
    const from = this.plan.ram + ramOffset
    this.bytes.copyWithin(this.plan.fetched + (known - 1) * PAGE + (ramOffset & (PAGE - 1)), from, from + length)
    const index = (ramOffset & (PAGE - 1)) >>> 2
    this.onInvalidate(page, index, length >>> 2)
    const first = page + index * record.SIZE
    this.bytes.fill(0, first, first + (length >>> 2) * record.SIZE)
    for (const broken of this.breaks)
      if (broken >= index && broken < index + (length >>> 2)) this.setBreak(page + broken * record.SIZE)
  }

  /** Has the driver called at these instructions of every page, by their numbers in the page, and at no others. */
  breakAt(indexes: ReadonlySet<number>): void {
    const before = this.breaks
    this.breaks = indexes
    for (let n = 0; n < this.used; n++) {
      const page = this.addressOf(n)
      for (const index of before)
        if (!indexes.has(index)) this.view.setUint16(page + index * record.SIZE, special.DECODE, true)
      for (const index of indexes) {
        if (before.has(index)) continue
        this.onInvalidate(page, index, 1)
        this.setBreak(page + index * record.SIZE)
      }
    }
  }

  /** Whether a record stands for a breakpoint. */
  isBreak(address: number): boolean {
    return this.breaks.size > 0 && this.breaks.has((address - this.pageOf(address)) / record.SIZE)
  }

  /** Lets a record that stands for a breakpoint do what its instruction does, until `setBreak`. */
  passBreak(address: number): void {
    this.view.setUint16(address, special.DECODE, true)
  }

  setBreak(address: number): void {
    this.view.setUint16(address, special.UNDEFINED, true)
  }

  /** Address of the first record of the page that a record belongs to. */
  pageOf(address: number): number {
    return this.addressOf(Math.floor((address - this.plan.recordPool) / record.PAGE_STRIDE))
  }

  /** The opcode in a record, which is decoded first if need be. */
  decodedOpcode(address: number): number {
    if (this.view.getUint16(address, true) === special.DECODE) this.decode(address)
    return this.view.getUint16(address, true)
  }

  /** The fetched instruction word of a record. */
  wordOf(address: number): number {
    const index = Math.floor((address - this.plan.recordPool) / record.PAGE_STRIDE)
    return this.words[(this.plan.fetched + index * PAGE + this.inPage(address, index)) >>> 2] ?? 0
  }

  /** The offset in its page of the instruction of a record. */
  private inPage(address: number, index: number): number {
    return ((address - this.addressOf(index)) / record.SIZE) * 4
  }

  /** Fills the record at this address and those behind it, up to the end of the block. */
  decode(address: number): void {
    const { view } = this
    const page = Math.floor((address - this.plan.recordPool) / record.PAGE_STRIDE)
    let offset = this.inPage(address, page)
    const fetched = this.plan.fetched + page * PAGE
    for (let n = 0; n < DECODE_AHEAD; n++) {
      const word = this.words[(fetched + offset) >>> 2] ?? 0
      let known = this.templates.get(word)
      if (known < 0) known = this.newTemplate(word)
      this.decoded++
      const to = offset + (this.pool[known + template.DISTANCE] ?? 0)
      const from = known + (to >= 0 && to < PAGE ? template.NEAR : template.FAR)
      const at = address >>> 2
      // Written out: TypedArray.set costs more than the four words.
      this.records[at] = this.pool[from] ?? 0
      this.records[at + 1] = this.pool[from + 1] ?? 0
      this.records[at + 2] = this.pool[from + 2] ?? 0
      this.records[at + 3] = this.pool[from + 3] ?? 0
      if (this.pool[known + template.ENDS] === 1) return
      address += record.SIZE
      offset += 4
      if (view.getUint16(address, true) !== special.DECODE) return
    }
  }

  private newTemplate(word: number): number {
    // A hostile guest could run every word there is.
    if (this.templates.size >= MAX_TEMPLATES) this.templates.clear()
    const at = this.templates.size * template.SIZE
    if (at + template.SIZE > this.pool.length) {
      const larger = new Int32Array(2 * this.pool.length)
      larger.set(this.pool)
      this.pool = larger
    }
    this.templates.set(word, at)
    const row = this.interpreter.decoder.decode(word)
    const distance = row === undefined ? this.draftUndefined() : this.draftRecord(row, word)
    this.keepDraft(at + template.FAR)
    if (row !== undefined && distance !== 0) {
      // Near, the interpreter wants to know how far away the target's record is.
      this.draft.setBigInt64(record.IMMEDIATE, BigInt((distance / 4) * record.SIZE), true)
      this.draft.setUint16(record.OPCODE, this.interpreter.opcodeOf(row, word, true), true)
    }
    this.keepDraft(at + template.NEAR)
    this.pool[at + template.DISTANCE] = distance
    this.pool[at + template.ENDS] = row === undefined || row.flow !== undefined ? 1 : 0
    return at
  }

  private keepDraft(at: number): void {
    this.pool.set(this.draftWords, at)
  }

  private draftUndefined(): number {
    this.draftWords.fill(0)
    this.draft.setUint16(record.OPCODE, special.UNDEFINED, true)
    return 0
  }

  /** Answers with the distance of a direct branch, in bytes, and 0 for everything else. */
  private draftRecord(row: Row, word: number): number {
    this.draftWords.fill(0)
    let distance = 0
    for (const o of this.interpreter.placeOperands(row, word)) {
      if (o.kind !== 'imm') {
        this.draft.setUint16(o.at, fieldValue(o), true)
        continue
      }
      if (row.target !== undefined) distance = Number(o.value)
      if (typeof o.value === 'number' && o.value === (o.value | 0)) {
        this.draft.setInt32(o.at, o.value, true)
        this.draft.setInt32(o.at + 4, o.value >> 31, true)
      } else this.draft.setBigInt64(o.at, BigInt(o.value), true)
    }
    this.draft.setUint16(record.OPCODE, this.interpreter.opcodeOf(row, word, false), true)
    return distance
  }
}
