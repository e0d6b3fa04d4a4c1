/**
 * The processor: one set of compiled code that runs one CPU at a time, and what it calls out to.
 * It knows no device: memory-mapped accesses and foreign system registers go through plugs.
 */
import { rows } from '../../pure/arch/a64/rows/index.ts'
import { syndrome } from '../../pure/arch/syndrome.ts'
import { sysregEncoding } from '../../pure/arch/sysregs/encoding.ts'
import type { AccessWidth } from '../bus/device.ts'
import { CodeCache } from './code-cache.ts'
import { exceptionReturn, takeException, vector } from './exceptions.ts'
import { floatHelpers } from './float/helpers.ts'
import { buildInterpreter } from './interpreter.ts'
import type { Interpreter } from './interpreter.ts'
import { bank, mode, planMemory, region, scratch, tlb } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { createWalker } from './mmu/walk.ts'
import type { Walker } from './mmu/walk.ts'
import { SoftTlb } from './soft-tlb.ts'
import { Registers, conditionMasks, daif, newCpuState } from './state.ts'
import type { CpuState } from './state.ts'
import { Translator } from './translator/translator.ts'
import { slots } from './slots.ts'
import { SysregFile } from './sysreg-file.ts'
import { vectorHelpers } from './vector-helpers.ts'
import { UNPRIVILEGED } from './wasm-ops.ts'

/** What the processor is plugged into. */
export interface CorePorts {
  /** Start of RAM in the physical address space. */
  readonly ramBase: number
  readonly ramSize: number
  /** Whether hot code is translated (tier 1); what the guest sees is the same either way. */
  readonly translate: boolean
  /** A memory-mapped access; `undefined` or false: nobody answers, an external abort. */
  mmioRead(physical: number, width: AccessWidth, cpu: number): bigint | undefined
  mmioWrite(physical: number, width: AccessWidth, value: bigint, cpu: number): boolean
  /** HVC and SMC; `undefined`: the CPU does not go on. */
  hypercall(cpu: number, args: readonly [bigint, bigint, bigint, bigint]): bigint | undefined
  /** An exception was taken, for the trace. */
  onException?(cpu: number, kind: 'sync' | 'irq', esr: bigint, from: bigint, to: bigint): void
}

/** Why a slice ended before its budget did. */
export type SliceEnd = 'budget' | 'wait' | 'yield' | 'off' | 'stop'

type Pending =
  | { readonly kind: 'none' }
  | { readonly kind: 'abort'; readonly fetch: boolean; readonly write: boolean; readonly dfsc: number; readonly far: bigint; readonly maintenance?: boolean }
  | { readonly kind: 'sync'; readonly esr: bigint; readonly returnTo: bigint; readonly far?: bigint }
  | { readonly kind: 'jump'; readonly pc: bigint; readonly end?: SliceEnd }

/** Instructions between two looks at where the interpreter is. */
const SAMPLE_INTERVAL = 4096

const NOTHING: Pending = { kind: 'none' }
const PAGE = 4096
const TWO32 = 2 ** 32
/** Register 31 where it is not the stack pointer. */
const ZR = 31

export class Core {
  readonly memory: WebAssembly.Memory
  readonly plan: MemoryPlan
  readonly registers: Registers
  readonly sysregs: SysregFile
  readonly cpus: CpuState[] = []
  readonly softTlb: SoftTlb
  readonly code: CodeCache
  readonly translator: Translator | undefined
  private readonly interpreter: Interpreter
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly ports: CorePorts
  private readonly walker: Walker
  private walkerRegime: unknown
  private readonly runWasm: () => number
  private current: CpuState | undefined
  private pending: Pending = NOTHING
  /** Instructions taken off the budget to make compiled code return early. */
  private withheld = 0
  private given = 0
  /** A store that goes through the bounce buffer: where to, once the bytes are there. */
  private readonly bounce = { low: 0, high: 0, bytes: 0, unprivileged: false }
  private endSlice: SliceEnd | undefined
  /** Words that no row decodes, by word: how often they were met. */
  readonly undefinedWords = new Map<number, number>()
  readonly statistics = { mmioExits: 0, exceptions: 0, interrupts: 0, pageWalks: 0 }

  constructor(ports: CorePorts) {
    this.ports = ports
    this.plan = planMemory(ports.ramSize)
    this.memory = new WebAssembly.Memory({ initial: this.plan.total / 65536, maximum: this.plan.total / 65536 })
    const { buffer } = this.memory
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.registers = new Registers(buffer)
    this.interpreter = buildInterpreter(rows)
    this.softTlb = new SoftTlb(this.plan, buffer)
    this.code = new CodeCache(this.plan, this.interpreter, buffer)
    new Uint16Array(buffer, scratch.CONDITIONS, 16).set(conditionMasks())
    this.sysregs = new SysregFile(this.registers, {
      translationChanged: (cpu) => this.contextChanged(cpu),
      tlbi: (va, asid) => this.tlbInvalidate(va, asid),
      icInvalidate: (va) => this.icInvalidate(va),
      dcMaintain: (va, write) => this.dcMaintain(va, write),
      addressTranslate: (va, write, el) => this.addressTranslate(va, write, el),
      maskChanged: (cpu) => this.interruptMaskChanged(cpu),
    })
    this.walker = createWalker((high, low) => this.readDescriptor(high, low))
    const { memory } = this
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: this.interpreter.functions + region.MAX })
    if (ports.translate)
      this.translator = new Translator(this.interpreter, this.code, {
        memory,
        table,
        loadSlow: (low, high, what) => this.lookUp(low, high, what, false),
        storeSlow: (low, high, what) => this.lookUp(low, high, what, true),
      })
    this.code.onReset = () => {
      this.softTlb.flushFetches()
      this.translator?.reset()
    }
    this.code.onInvalidate = (page, first, count) => this.translator?.invalidate(page, first, count)
    const instance = new WebAssembly.Instance(this.interpreter.module, { env: { memory, table, ...this.imports() } })
    const { run } = instance.exports
    if (!isRun(run)) throw new Error('the interpreter exports no run')
    this.runWasm = run
  }

  // ---- CPUs

  addCpu(): CpuState {
    const cpu = newCpuState(this.cpus.length)
    this.cpus.push(cpu)
    this.switchTo(cpu)
    this.bytes.fill(0, bank.START, bank.START + bank.SIZE)
    this.sysregs.reset()
    return cpu
  }

  /** Architectural reset into EL1h, MMU off, interrupts masked; runs at `entry` with X0 = context. */
  powerOn(cpu: CpuState, entry: bigint, context: bigint): void {
    this.withCpu(cpu, () => {
      this.bytes.fill(0, bank.START, bank.START + bank.SIZE)
      Object.assign(cpu, { powered: true, waiting: false, event: false, el: 1, spsel: 1, daif: daif.ALL, regime: undefined })
      this.registers.i32[bank.MODE >>> 2] = mode.EL1H
      this.registers.nzcv = 0
      this.sysregs.reset()
      this.registers.setX(0, context)
      this.registers.u64[bank.PC >>> 3] = entry
    })
  }

  powerOff(cpu: CpuState): void {
    cpu.powered = false
    if (cpu === this.current) this.stopSlice('off')
  }

  /** The IRQ input of a CPU. */
  setIrq(cpu: CpuState, level: boolean): void {
    cpu.irq = level
    if (!level) return
    cpu.waiting = false
    if (cpu === this.current && this.given > 0) {
      if ((cpu.daif & daif.I) === 0) this.holdBack()
    } else this.stopSlice('yield')
  }

  /** Registers of a CPU, by having its bank in place meanwhile. */
  withCpu<T>(cpu: CpuState, look: () => T): T {
    const before = this.current
    if (before === cpu) return look()
    this.swap(before, cpu)
    const answer = look()
    this.swap(cpu, before)
    return answer
  }

  /** The PC of a CPU that is not inside compiled code. */
  pcOf(cpu: CpuState): bigint {
    if (cpu === this.current) return this.registers.u64[bank.PC >>> 3] ?? 0n
    return this.registers.u64[(this.bankOf(cpu) + bank.PC - bank.START) >>> 3] ?? 0n
  }

  private bankOf(cpu: CpuState): number {
    return this.plan.cpuBanks + cpu.index * bank.SIZE
  }

  private swap(from: CpuState | undefined, to: CpuState | undefined): void {
    if (from !== undefined) this.bytes.copyWithin(this.bankOf(from), bank.START, bank.START + bank.SIZE)
    if (to !== undefined) this.bytes.copyWithin(bank.START, this.bankOf(to), this.bankOf(to) + bank.SIZE)
  }

  private switchTo(cpu: CpuState): void {
    if (this.current === cpu) return
    this.swap(this.current, cpu)
    this.current = cpu
    // Another CPU may have written in between: an exclusive sequence across slices fails (B2.9.2).
    this.registers.i32[bank.MONITOR_SIZE >>> 2] = 0
  }

  // ---- running

  /** Nanoseconds, that is instructions, of the slice under way. */
  executing(): number {
    return this.given === 0 ? 0 : this.given - this.withheld - this.registers.budget
  }

  /** Runs a CPU for at most `budget` instructions. */
  run(cpu: CpuState, budget: number): { executed: number; end: SliceEnd } {
    this.switchTo(cpu)
    const r = this.registers
    this.contextChanged(cpu)
    this.given = budget
    this.endSlice = undefined
    r.budget = 0
    this.withheld = budget
    let end: SliceEnd = 'budget'
    let fetched = this.goTo(r.u64[bank.PC >>> 3] ?? 0n)
    for (;;) {
      if (cpu.irq && (cpu.daif & daif.I) === 0) {
        this.statistics.interrupts++
        fetched = this.exception(cpu, vector.IRQ, 0n, r.u64[bank.PC >>> 3] ?? 0n)
      }
      if (!fetched) {
        fetched = this.handlePending(cpu)
        continue
      }
      const asked = this.endSlice
      if (asked !== undefined) {
        end = asked
        break
      }
      if (r.budget === 0) {
        if (this.withheld === 0) break
        r.budget = Math.min(this.withheld, SAMPLE_INTERVAL)
        this.withheld -= r.budget
      }
      const why = this.runWasm()
      if (why === 0) {
        r.u64[bank.PC >>> 3] = r.currentPc()
        this.translator?.sample(r.record)
      }
      else fetched = this.pending.kind === 'none' ? this.goTo(r.u64[bank.PC >>> 3] ?? 0n) : this.handlePending(cpu)
    }
    const executed = this.executing()
    this.given = 0
    cpu.instructions += executed
    return { executed, end }
  }

  /** Makes compiled code return after the instruction under way; what is left is given back later. */
  private holdBack(): void {
    if (this.given === 0) return
    this.withheld += this.registers.budget
    this.registers.budget = 0
  }

  /** Ends the slice after the instruction under way. */
  stopSlice(end: SliceEnd): void {
    if (this.given === 0) return
    this.endSlice = end
    this.holdBack()
  }

  private interruptMaskChanged(cpu: CpuState): void {
    if (cpu.irq && (cpu.daif & daif.I) === 0) this.holdBack()
  }

  /** Makes the instruction at `pc` the next; false: an abort is pending. */
  private goTo(pc: bigint): boolean {
    const r = this.registers
    r.u64[bank.PC >>> 3] = pc
    const record = this.fetch(Number(pc & 0xffffffffn) | 0, Number(pc >> 32n) | 0)
    if (record === 0) return false
    r.record = record
    r.u64[scratch.PC_OFFSET >>> 3] = pc - BigInt(record >>> 2)
    return true
  }

  private exception(cpu: CpuState, offset: number, esr: bigint, returnTo: bigint): boolean {
    this.statistics.exceptions++
    const pc = takeException(cpu, this.registers, offset, returnTo)
    if (offset === vector.SYNC) this.registers.setAt(slots.ESR_EL1, esr)
    this.ports.onException?.(cpu.index, offset === vector.SYNC ? 'sync' : 'irq', esr, returnTo, pc)
    this.contextChanged(cpu)
    return this.goTo(pc)
  }

  private handlePending(cpu: CpuState): boolean {
    const p = this.pending
    this.pending = NOTHING
    const r = this.registers
    switch (p.kind) {
      case 'none':
        return true
      case 'jump':
        if (p.end !== undefined) this.stopSlice(p.end)
        return this.goTo(p.pc)
      case 'sync':
        if (p.far !== undefined) r.setAt(slots.FAR_EL1, p.far)
        return this.exception(cpu, vector.SYNC, p.esr, p.returnTo)
      case 'abort': {
        r.setAt(slots.FAR_EL1, p.far)
        const sameEl = cpu.el === 1
        const esr = p.fetch
          ? syndrome.instructionAbort({ sameEl, ifsc: p.dfsc })
          : syndrome.dataAbort({ sameEl, dfsc: p.dfsc, wnr: p.write, cm: p.maintenance ?? false })
        return this.exception(cpu, vector.SYNC, esr, p.fetch ? p.far : r.currentPc())
      }
      default:
        throw new Error(`unknown ${p satisfies never}`)
    }
  }

  // ---- translation

  private contextChanged(cpu: CpuState): void {
    const r = this.registers
    cpu.regime = this.softTlb.regime(r.at(slots.SCTLR_EL1), r.at(slots.TCR_EL1), r.at(slots.TTBR0_EL1), r.at(slots.TTBR1_EL1), r.at(slots.MAIR_EL1))
    this.softTlb.select(cpu.regime, cpu.el)
  }

  private readDescriptor(high: number, low: number): boolean {
    const physical = (high >>> 0) * TWO32 + (low >>> 0)
    const offset = physical - this.ports.ramBase
    if (offset < 0 || offset >= this.plan.ramSize) return false
    const at = (this.plan.ram + offset) >>> 2
    this.walker.descLo = this.registers.i32[at] ?? 0
    this.walker.descHi = this.registers.i32[at + 1] ?? 0
    return true
  }

  /** Walks the tables for the running CPU; false: `walker.fault` says why. */
  private walk(vaHigh: number, vaLow: number): boolean {
    const regime = this.current?.regime
    if (regime !== undefined && regime !== this.walkerRegime) {
      this.walker.configure(regime)
      this.walkerRegime = regime
    }
    this.statistics.pageWalks++
    return this.walker.walk(vaHigh, vaLow)
  }

  /** Physical address of a data access, or -1 with an abort pending. */
  private translateData(vaHigh: number, vaLow: number, write: boolean, el: 0 | 1): number {
    const w = this.walker
    let dfsc: number
    if (!this.walk(vaHigh, vaLow)) dfsc = w.fault
    else {
      const allowed = write ? (el === 0 ? w.writeEl0 : w.writeEl1) : el === 0 ? w.readEl0 : w.readEl1
      if (allowed) return (w.paHi >>> 0) * TWO32 + (w.paLo >>> 0) + (vaLow & (PAGE - 1))
      dfsc = w.permissionFault
    }
    this.pending = { kind: 'abort', fetch: false, write, dfsc, far: address(vaHigh, vaLow) }
    return -1
  }

  private externalAbort(vaHigh: number, vaLow: number, write: boolean): number {
    this.pending = { kind: 'abort', fetch: false, write, dfsc: 0x10, far: address(vaHigh, vaLow) }
    return 0
  }

  private ramAddress(physical: number): number {
    const offset = physical - this.ports.ramBase
    return offset >= 0 && offset < this.plan.ramSize ? this.plan.ram + offset : 0
  }

  private elOf(what: number): 0 | 1 {
    return (what & UNPRIVILEGED) !== 0 ? 0 : (this.current?.el ?? 1)
  }

  private fillData(what: number, vaLow: number, vaHigh: number, host: number): void {
    const w = this.walker
    const el0 = this.elOf(what) === 0
    const bankAddress = this.registers.i32[((what & UNPRIVILEGED) !== 0 ? scratch.TLB_UNPRIVILEGED : scratch.TLB) >>> 2] ?? 0
    const page = host & ~(PAGE - 1)
    if (w.log2Size > 12) this.softTlb.noteLarge(vaLow, vaHigh, w.log2Size)
    this.softTlb.misses++
    if (el0 ? w.readEl0 : w.readEl1) this.softTlb.fill(bankAddress, tlb.READ, vaLow, vaHigh, page)
    if (el0 ? w.writeEl0 : w.writeEl1) this.softTlb.fill(bankAddress, tlb.WRITE, vaLow, vaHigh, page)
  }

  private loadSlow(vaLow: number, vaHigh: number, what: number): number {
    const bytes = what & 0xff
    const el = this.elOf(what)
    if ((vaLow & (PAGE - 1)) + bytes <= PAGE) {
      const physical = this.translateData(vaHigh, vaLow, false, el)
      if (physical < 0) return 0
      const host = this.ramAddress(physical)
      if (host !== 0) {
        this.fillData(what, vaLow, vaHigh, host)
        return host
      }
      return this.mmioLoad(vaLow, vaHigh, physical, bytes)
    }
    const first = PAGE - (vaLow & (PAGE - 1))
    const parts: readonly [number, number, number][] = [[vaHigh, vaLow, first], [...nextPage(vaHigh, vaLow), bytes - first]]
    let to: number = scratch.BOUNCE
    for (const [high, low, length] of parts) {
      const physical = this.translateData(high, low, false, el)
      if (physical < 0) return 0
      const host = this.ramAddress(physical)
      if (host === 0) return this.externalAbort(high, low, false)
      this.bytes.copyWithin(to, host, host + length)
      to += length
    }
    return scratch.BOUNCE
  }

  /** Where the bytes of an access by a region lie, if it is plain RAM within a page and allowed; 0: the interpreter shall see. */
  private lookUp(vaLow: number, vaHigh: number, what: number, write: boolean): number {
    if ((vaLow & (PAGE - 1)) + (what & 0xff) > PAGE) return 0
    const physical = this.translateData(vaHigh, vaLow, write, this.elOf(what))
    if (physical < 0) {
      this.pending = NOTHING
      return 0
    }
    const host = this.ramAddress(physical)
    if (host !== 0) this.fillData(what, vaLow, vaHigh, host)
    return host
  }

  private mmioLoad(vaLow: number, vaHigh: number, physical: number, bytes: number): number {
    this.statistics.mmioExits++
    for (let done = 0; done < bytes; ) {
      const width = mmioWidth(physical + done, bytes - done)
      const value = this.ports.mmioRead(physical + done, width, this.current?.index ?? 0)
      if (value === undefined) return this.externalAbort(vaHigh, vaLow, false)
      this.putBytes(scratch.BOUNCE + done, width, value)
      done += width
    }
    return scratch.BOUNCE
  }

  private putBytes(at: number, width: AccessWidth, value: bigint): void {
    if (width === 8) this.view.setBigUint64(at, BigInt.asUintN(64, value), true)
    else if (width === 4) this.view.setUint32(at, Number(value & 0xffffffffn), true)
    else if (width === 2) this.view.setUint16(at, Number(value & 0xffffn), true)
    else this.view.setUint8(at, Number(value & 0xffn))
  }

  private getBytes(at: number, width: AccessWidth): bigint {
    if (width === 8) return this.view.getBigUint64(at, true)
    if (width === 4) return BigInt(this.view.getUint32(at, true))
    if (width === 2) return BigInt(this.view.getUint16(at, true))
    return BigInt(this.view.getUint8(at))
  }

  private storeSlow(vaLow: number, vaHigh: number, what: number): number {
    const bytes = what & 0xff
    const el = this.elOf(what)
    const physical = this.translateData(vaHigh, vaLow, true, el)
    if (physical < 0) return 0
    if ((vaLow & (PAGE - 1)) + bytes <= PAGE) {
      const host = this.ramAddress(physical)
      if (host !== 0) {
        this.fillData(what, vaLow, vaHigh, host)
        return host
      }
    } else {
      const [high, low] = nextPage(vaHigh, vaLow)
      if (this.ramAddress(physical) === 0) return this.externalAbort(vaHigh, vaLow, true)
      const second = this.translateData(high, low, true, el)
      if (second < 0) return 0
      if (this.ramAddress(second) === 0) return this.externalAbort(high, low, true)
    }
    Object.assign(this.bounce, { low: vaLow, high: vaHigh, bytes, unprivileged: (what & UNPRIVILEGED) !== 0 })
    return scratch.BOUNCE
  }

  /** The bytes of a store are in the bounce buffer: brings them to where they belong. */
  private commitStore(): void {
    const { low, high, bytes, unprivileged } = this.bounce
    const el = this.elOf(unprivileged ? UNPRIVILEGED : 0)
    const first = Math.min(bytes, PAGE - (low & (PAGE - 1)))
    const physical = this.translateData(high, low, true, el)
    const host = this.ramAddress(physical)
    if (host === 0) {
      this.statistics.mmioExits++
      for (let done = 0; done < bytes; ) {
        const width = mmioWidth(physical + done, bytes - done)
        this.ports.mmioWrite(physical + done, width, this.getBytes(scratch.BOUNCE + done, width), this.current?.index ?? 0)
        done += width
      }
      return
    }
    this.bytes.copyWithin(host, scratch.BOUNCE, scratch.BOUNCE + first)
    if (first === bytes) return
    const [nextHigh, nextLow] = nextPage(high, low)
    const second = this.ramAddress(this.translateData(nextHigh, nextLow, true, el))
    this.bytes.copyWithin(second, scratch.BOUNCE + first, scratch.BOUNCE + bytes)
  }

  private fetch(vaLow: number, vaHigh: number): number {
    const far = address(vaHigh, vaLow)
    const cpu = this.current
    if (cpu === undefined) throw new Error('no CPU runs')
    if ((vaLow & 3) !== 0) {
      this.pending = { kind: 'sync', esr: syndrome.pcAlignment(), returnTo: far, far }
      return 0
    }
    const w = this.walker
    let dfsc: number | undefined
    if (!this.walk(vaHigh, vaLow)) dfsc = w.fault
    else if (!(cpu.el === 0 ? w.execEl0 : w.execEl1)) dfsc = w.permissionFault
    const physical = (w.paHi >>> 0) * TWO32 + (w.paLo >>> 0)
    const offset = physical - this.ports.ramBase
    if (dfsc === undefined && (offset < 0 || offset >= this.plan.ramSize)) dfsc = 0x10
    if (dfsc !== undefined) {
      this.pending = { kind: 'abort', fetch: true, write: false, dfsc, far }
      return 0
    }
    if (w.log2Size > 12) this.softTlb.noteLarge(vaLow, vaHigh, w.log2Size)
    const page = this.code.page(offset)
    this.softTlb.fill(this.registers.i32[scratch.TLB >>> 2] ?? 0, tlb.FETCH, vaLow, vaHigh, page)
    return page + ((vaLow & (PAGE - 1)) >>> 2) * 16
  }

  private tlbInvalidate(va: bigint | undefined, asid: number | undefined): void {
    if (va === undefined) this.softTlb.flushAll(asid)
    else this.softTlb.flushPage(Number(va & 0xffffffffn) | 0, Number((va >> 32n) & 0xffffffffn) | 0)
  }

  /** IC IVAU on the line of an address (false: an abort is pending), or IC IALLU. */
  private icInvalidate(va: bigint | undefined): boolean {
    if (va === undefined) {
      this.code.reset()
      this.registers.u64[bank.PC >>> 3] = this.registers.currentPc() + 4n
      this.pending = { kind: 'jump', pc: this.registers.currentPc() + 4n }
      return false
    }
    const low = Number(va & 0xffffffffn) | 0
    const high = Number(va >> 32n) | 0
    const physical = this.translateData(high, low, false, this.current?.el ?? 1)
    if (physical < 0) {
      if (this.pending.kind === 'abort') this.pending = { ...this.pending, maintenance: true, write: true }
      return false
    }
    const LINE = 64
    const offset = physical - this.ports.ramBase
    if (offset >= 0 && offset < this.plan.ramSize) this.code.invalidate(Math.floor(offset / LINE) * LINE, LINE)
    return true
  }

  /** DC by address: the line must be mapped; memory is always up to date. */
  private dcMaintain(va: bigint, write: boolean): boolean {
    const low = Number(va & 0xffffffffn) | 0
    const high = Number(va >> 32n) | 0
    if (this.translateData(high, low, write, this.current?.el ?? 1) >= 0) return true
    if (this.pending.kind === 'abort') this.pending = { ...this.pending, maintenance: true, write: true }
    return false
  }

  /** AT: the value of PAR_EL1 (D24.2.122). */
  private addressTranslate(va: bigint, write: boolean, el: 0 | 1): bigint {
    const RES1 = 1n << 11n
    const physical = this.translateData(Number(va >> 32n) | 0, Number(va & 0xffffffffn) | 0, write, el)
    if (physical < 0) {
      const p = this.pending
      this.pending = NOTHING
      return RES1 | (BigInt(p.kind === 'abort' ? p.dfsc : 0) << 1n) | 1n
    }
    const { attributes, shareability } = this.walker
    return (BigInt(physical) & 0xffff_ffff_f000n) | RES1 | (BigInt(attributes) << 56n) | (BigInt(shareability) << 7n)
  }

  // ---- what compiled code calls

  private undefinedInstruction(): number {
    const pc = this.registers.currentPc()
    this.pending = { kind: 'sync', esr: syndrome.unknown(), returnTo: pc }
    return 1
  }

  private leave(pending: Pending): number {
    this.pending = pending
    return 1
  }

  private imports(): Record<string, (...args: number[]) => number | void> {
    const r = this.registers
    const cpu = (): CpuState => {
      if (this.current === undefined) throw new Error('no CPU runs')
      return this.current
    }
    const next = (): bigint => r.currentPc() + 4n
    const trap = (encoding: number, rt: number, read: boolean): number =>
      this.leave({ kind: 'sync', esr: syndrome.msrTrap({ encoding, rt, read }), returnTo: r.currentPc() })
    const registerNumber = (at: number): number => Math.min(31, (at - bank.X) >>> 3)
    const hypercall = (): number => {
      const pc = next()
      r.u64[bank.PC >>> 3] = pc
      const answer = this.ports.hypercall(cpu().index, [r.x(0), r.x(1), r.x(2), r.x(3)])
      if (answer === undefined) return this.leave({ kind: 'jump', pc, end: 'off' })
      r.setX(0, BigInt.asUintN(64, answer))
      return 0
    }
    return {
      decode: (at = 0) => this.code.decode(at),
      fetch: (low = 0, high = 0) => this.fetch(low, high),
      loadSlow: (low = 0, high = 0, what = 0) => this.loadSlow(low, high, what),
      storeSlow: (low = 0, high = 0, what = 0) => this.storeSlow(low, high, what),
      commitStore: () => this.commitStore(),
      ...floatHelpers(r),
      ...vectorHelpers(r),
      undefinedInstruction: () => {
        const word = this.code.wordOf(r.record)
        this.undefinedWords.set(word, (this.undefinedWords.get(word) ?? 0) + 1)
        return this.undefinedInstruction()
      },
      crc32: (d = 0, n = 0, m = 0, kind = 0) => {
        r.setAt(d, BigInt(crc32(Number(r.at(n) & 0xffffffffn), r.at(m), 1 << (kind & 3), (kind & 4) !== 0)))
        return 0
      },
      svc: (imm = 0) => this.leave({ kind: 'sync', esr: syndrome.svc(imm), returnTo: next() }),
      hvc: () => (cpu().el === 0 ? this.undefinedInstruction() : hypercall()),
      smc: () => (cpu().el === 0 ? this.undefinedInstruction() : hypercall()),
      brk: (imm = 0) => this.leave({ kind: 'sync', esr: syndrome.brk(imm), returnTo: r.currentPc() }),
      eret: () => {
        if (cpu().el === 0) return this.undefinedInstruction()
        const { pc, illegal } = exceptionReturn(cpu(), r)
        this.contextChanged(cpu())
        return this.leave(illegal ? { kind: 'sync', esr: syndrome.illegalState(), returnTo: pc } : { kind: 'jump', pc })
      },
      wfi: () => {
        if (cpu().irq) return 0
        cpu().waiting = true
        return this.leave({ kind: 'jump', pc: next(), end: 'wait' })
      },
      wfe: () => {
        if (!cpu().event) return this.leave({ kind: 'jump', pc: next(), end: 'yield' })
        cpu().event = false
        return 0
      },
      yield: () => this.leave({ kind: 'jump', pc: next(), end: 'yield' }),
      sev: (local = 0) => {
        for (const c of local === 1 ? [cpu()] : this.cpus) c.event = true
        return 0
      },
      msrImmediate: (field = 0, imm = 0) => {
        const answer = this.sysregs.writeField(cpu(), field, imm)
        if (answer === 'undefined') return this.undefinedInstruction()
        return answer === 'trap' ? trap(sysregEncoding(0, field >> 3, 4, imm, field & 7), ZR, false) : 0
      },
      sys: (encoding = 0, at = 0) => {
        const answer = this.sysregs.sys(cpu(), encoding, r.at(at))
        if (answer === 'undefined') return this.undefinedInstruction()
        if (answer === 'trap') return trap(encoding, registerNumber(at), false)
        return answer === 'abort' ? 1 : 0
      },
      msr: (encoding = 0, at = 0) => {
        const answer = this.sysregs.write(cpu(), encoding, r.at(at))
        if (answer === 'undefined') return this.undefinedInstruction()
        return answer === 'trap' ? trap(encoding, registerNumber(at), false) : 0
      },
      mrs: (encoding = 0, at = 0) => {
        const answer = this.sysregs.read(cpu(), encoding)
        if (answer === 'undefined') return this.undefinedInstruction()
        if (answer === 'trap') return trap(encoding, registerNumber(at), true)
        r.setAt(at, answer)
        return 0
      },
    }
  }
}

const isRun = (value: unknown): value is () => number => typeof value === 'function'

const address = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

/** The first address of the page after that of `low`. */
const nextPage = (high: number, low: number): [number, number] => {
  const next = ((low | (PAGE - 1)) + 1) | 0
  return [next === 0 ? (high + 1) | 0 : high, next]
}

/** The widest access that is aligned and not longer than what is left. */
const mmioWidth = (physical: number, left: number): AccessWidth => {
  for (const width of [8, 4, 2] as const) if (left >= width && physical % width === 0) return width
  return 1
}

/** CRC-32 and CRC-32C, bit by bit reversed (Arm ARM, pseudocode of CRC32). */
function crc32(accumulator: number, value: bigint, bytes: number, castagnoli: boolean): number {
  const polynomial = castagnoli ? 0x82f63b78 : 0xedb88320
  let crc = accumulator
  for (let i = 0; i < bytes; i++) {
    crc ^= Number((value >> BigInt(8 * i)) & 0xffn)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? polynomial : 0)
  }
  return crc >>> 0
}
