/** Runs a CPU for a slice: has compiled code run, does what it comes back for, and takes interrupts between instructions. */
import { faultStatus, syndrome } from '../../pure/arch/syndrome.ts'
import { EVENTS } from '../../pure/arch/sysregs/pmu.ts'
import type { TraceTap } from '../bus/trace-sink.ts'
import { BTYPE, branchTypeAt } from './branch-target.ts'
import type { Breakpoints } from './breakpoints.ts'
import type { CodeCache } from './code-cache.ts'
import type { CompiledCode } from './compiled-code.ts'
import type { Context } from './context.ts'
import type { CpuBanks } from './cpu-banks.ts'
import type { Debug } from './debug.ts'
import { interruptTaken, takeException, vector } from './exceptions.ts'
import { bank } from './layout.ts'
import type { MemoryAccess } from './memory-access.ts'
import { NOTHING } from './pending.ts'
import type { Pending, SliceEnd } from './pending.ts'
import type { Pmu } from './pmu.ts'
import type { Slice } from './slice.ts'
import { slots } from './slots.ts'
import { daif } from './state.ts'
import type { CpuState, Registers } from './state.ts'
import { SAMPLE_INTERVAL } from './translator/translator.ts'
import type { Translator } from './translator/translator.ts'

/** Writes to system registers: by an MSR at `pc`, and by an exception from there. */
export interface SysregWrites {
  written(cpu: number, encoding: number, pc: bigint): void
  exceptionTaken(cpu: number, pc: bigint, synchronous: boolean): void
}

/** The interpreter counts a budget in addresses of records. */
const LONGEST_PIECE = 1 << 24

/** By offset from the first of the four, in steps of 0x80. */
const VECTOR_NAMES = ['sync', 'irq', 'fiq', 'serror'] as const

export interface DriverParts {
  readonly registers: Registers
  readonly banks: CpuBanks
  readonly slice: Slice
  readonly access: MemoryAccess
  readonly code: CodeCache
  readonly compiled: CompiledCode
  readonly translator: Translator | undefined
  readonly breakpoints: Breakpoints
  readonly context: Context
  readonly debug: Debug
  readonly pmu: Pmu
  readonly trace: TraceTap
  readonly writes: SysregWrites | undefined
  /** A CPU waits, or no longer does. */
  readinessChanged(cpu: CpuState): void
}

export class Driver {
  readonly statistics = { exceptions: 0, interrupts: 0 }
  private readonly o: DriverParts
  private pending: Pending = NOTHING

  constructor(parts: DriverParts) {
    this.o = parts
  }

  /** Compiled code leaves this to be done. */
  raise(pending: Pending): void {
    this.pending = pending
  }

  /** What is to be done; afterwards nothing is. */
  take(): Pending {
    const taken = this.pending
    this.pending = NOTHING
    return taken
  }

  /** Instructions that a CPU has executed, the one under way included. */
  executedBy(cpu: CpuState): number {
    return cpu.instructions + (cpu === this.o.banks.current ? this.o.slice.executing() : 0)
  }

  /** Runs a CPU for at most `budget` instructions. */
  run(cpu: CpuState, budget: number): { executed: number; end: SliceEnd } {
    const { banks, context, pmu, registers: r, slice, translator } = this.o
    banks.switchTo(cpu)
    if (cpu.regime === undefined) context.translationChanged(cpu)
    else context.levelChanged(cpu)
    pmu.resume(cpu)
    budget = Math.min(budget, pmu.limit(cpu))
    slice.begin(budget)
    let fetched = this.goToPc(this.branchTypeOf(cpu))
    for (;;) {
      if (!fetched) {
        // An exception whose vector cannot be fetched raises the next: each costs an instruction's time.
        if (!slice.charge()) break
        fetched = this.handlePending(cpu)
        continue
      }
      const interrupt = interruptTaken(cpu, r.daif)
      if (interrupt !== undefined) {
        this.statistics.interrupts++
        fetched = this.exceptionBetween(cpu, interrupt, 0)
        continue
      }
      if (cpu.serror !== undefined && (r.daif & daif.A) === 0) {
        const esr = syndrome.serror(cpu.serror)
        cpu.serror = undefined
        fetched = this.exceptionBetween(cpu, vector.SERROR, esr)
        continue
      }
      if (slice.end !== undefined) break
      const oneByOne = cpu.careful || cpu.il
      if (!(oneByOne ? slice.giveOne() : slice.give(this.piece))) break
      if (oneByOne) {
        const stop = this.beforeInstruction(cpu)
        if (stop !== undefined) {
          const branchType = this.branchTypeOf(cpu)
          if (!slice.charge()) break
          fetched = this.exceptionBetween(cpu, vector.SYNC, stop, branchType)
          continue
        }
        fetched = this.runOne(cpu)
      } else if (this.runCompiled() === 0) {
        r.setToPc(bank.PC, 0)
        translator?.sample(r.record)
      } else fetched = this.handlePending(cpu)
    }
    this.pending = NOTHING
    const executed = slice.finish()
    cpu.instructions += executed
    if (pmu.isCounting(cpu)) pmu.update(cpu)
    return { executed, end: slice.end ?? 'budget' }
  }

  /** Instructions that the interpreter runs before the translator looks where it is. */
  private get piece(): number {
    return this.o.translator === undefined ? LONGEST_PIECE : SAMPLE_INTERVAL
  }

  private runCompiled(): number {
    const left = this.o.compiled.run()
    this.o.breakpoints.passed()
    return left
  }

  /** What stops a CPU before its next instruction, by its syndrome: D1.3.5.5 gives the order. */
  private beforeInstruction(cpu: CpuState): number | undefined {
    const sameEl = cpu.el === 1
    if (cpu.careful && this.o.debug.isStepping(cpu) && cpu.ss === 0) {
      const { stepped } = cpu
      cpu.stepped = undefined
      return syndrome.softwareStep({ sameEl, stepped })
    }
    if (cpu.careful && this.o.debug.breaksAt(cpu, this.o.registers.u64[bank.PC >>> 3] ?? 0n))
      return syndrome.breakpoint({ sameEl })
    return cpu.il ? syndrome.illegalState() : undefined
  }

  /** Runs one instruction; one that completes while software step is active is what the next exception is about. */
  private runOne(cpu: CpuState): boolean {
    const r = this.o.registers
    const stepping = cpu.ss === 1 && this.o.debug.isStepping(cpu)
    const word = this.o.code.wordOf(r.record)
    const within = this.runCompiled() === 0
    if (within) r.setToPc(bank.PC, 0)
    if (stepping && completed(this.pending)) {
      cpu.ss = 0
      cpu.stepped = isLoadExclusive(word) ? 'exclusive' : 'other'
    }
    return within || this.handlePending(cpu)
  }

  private goTo(pc: bigint, branchType?: number): boolean {
    this.o.registers.u64[bank.PC >>> 3] = pc
    return this.goToPc(branchType)
  }

  /** Makes the instruction at the PC the next, PSTATE.BTYPE being what it is; false: an abort is pending. */
  private goToPc(branchType: number = BTYPE.NONE): boolean {
    const r = this.o.registers
    const record = this.o.access.fetch(r.i32[bank.PC >>> 2] ?? 0, r.i32[(bank.PC >>> 2) + 1] ?? 0, branchType)
    if (record === 0) return false
    r.comeTo(record)
    return true
  }

  /** ELR_EL1 has been written. */
  private exception(cpu: CpuState, offset: number, esr: number, branchType: number = BTYPE.NONE): boolean {
    this.statistics.exceptions++
    if (this.o.pmu.isCounting(cpu)) this.o.pmu.update(cpu)
    takeException(cpu, this.o.registers, offset, branchType)
    this.o.pmu.event(cpu, EVENTS.EXC_TAKEN)
    const hasSyndrome = offset === vector.SYNC || offset === vector.SERROR
    if (hasSyndrome) this.o.registers.setWordAt(slots.ESR_EL1, esr)
    if (this.o.trace.sink !== undefined) this.tellException(cpu, offset, esr, hasSyndrome)
    this.o.context.levelChanged(cpu)
    return this.goToPc()
  }

  private tellException(cpu: CpuState, offset: number, esr: number, hasSyndrome: boolean): void {
    const from = this.o.registers.at(slots.ELR_EL1)
    this.o.writes?.exceptionTaken(cpu.index, from, hasSyndrome)
    this.o.trace.sink?.({
      kind: 'exceptionTaken',
      cpu: cpu.index,
      vector: VECTOR_NAMES[offset >> 7] ?? 'sync',
      esr,
      from,
    })
  }

  /** Between two instructions. */
  private exceptionBetween(cpu: CpuState, offset: number, esr: number, branchType = this.branchTypeOf(cpu)): boolean {
    this.o.registers.copy(slots.ELR_EL1, bank.PC)
    return this.exception(cpu, offset, esr, branchType)
  }

  private branchTypeOf(cpu: CpuState): number {
    return branchTypeAt(cpu, this.executedBy(cpu))
  }

  private handlePending(cpu: CpuState): boolean {
    const p = this.take()
    const r = this.o.registers
    switch (p.kind) {
      case 'none':
        return true
      case 'jump':
        if (p.end !== undefined) this.o.slice.stop(p.end)
        if (p.end === 'wait') {
          this.o.readinessChanged(cpu)
          this.o.trace.sink?.({ kind: 'cpuState', cpu: cpu.index, state: 'waiting', pc: p.pc })
        }
        return this.goTo(p.pc, p.branchType)
      case 'returned':
        return this.goToPc(p.branchType)
      case 'svc':
        r.setToPc(slots.ELR_EL1, 4)
        return this.exception(cpu, vector.SYNC, syndrome.svc(p.imm))
      case 'break':
        this.o.breakpoints.meet(cpu)
        return true
      case 'sync':
        if (p.far !== undefined) r.setAt(slots.FAR_EL1, p.far)
        r.setAt(slots.ELR_EL1, p.returnTo)
        return this.exception(cpu, vector.SYNC, p.esr, p.branchType)
      case 'abort': {
        r.setAt(slots.FAR_EL1, p.far)
        const sameEl = cpu.el === 1
        const esr = p.fetch
          ? syndrome.instructionAbort({ sameEl, ifsc: p.dfsc })
          : p.dfsc === faultStatus.DEBUG
            ? syndrome.watchpoint({ sameEl, wnr: p.write, cm: p.maintenance ?? false })
            : syndrome.dataAbort({ sameEl, dfsc: p.dfsc, wnr: p.write, cm: p.maintenance ?? false })
        if (p.fetch) r.setAt(slots.ELR_EL1, p.far)
        else r.setToPc(slots.ELR_EL1, 0)
        return this.exception(cpu, vector.SYNC, esr, p.branchType)
      }
      default:
        throw new Error(`unknown ${p satisfies never}`)
    }
  }
}

/** Whether an instruction is done with: it did not take an exception, but for those that are made to. */
const completed = ({ kind }: Pending): boolean =>
  kind === 'none' || kind === 'jump' || kind === 'returned' || kind === 'svc'

/** LDXR, LDXP and their acquiring forms: L is 1, o2 is 0. */
const isLoadExclusive = (word: number): boolean => (word & 0x3fc0_0000) === 0x0840_0000
