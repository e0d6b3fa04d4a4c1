/**
 * The processor: one set of compiled code that runs one CPU at a time, and the driver around it. It knows
 * no device: memory-mapped accesses and foreign system registers go through plugs.
 */
import type { CpuModel } from '../../pure/arch/cpu/models.ts'
import { faultStatus, syndrome } from '../../pure/arch/syndrome.ts'
import { EVENTS } from '../../pure/arch/sysregs/pmu.ts'
import type { TraceTap } from '../bus/trace-sink.ts'
import { BTYPE, branchTypeAt, setBranchType } from './branch-target.ts'
import { Breakpoints } from './breakpoints.ts'
import { CodeCache } from './code-cache.ts'
import { CompiledCode } from './compiled-code.ts'
import { CpuBanks } from './cpu-banks.ts'
import { cryptoHelpers } from './crypto/helpers.ts'
import { Debug } from './debug.ts'
import { interruptTaken, takeException, vector } from './exceptions.ts'
import { floatHelpers } from './float/helpers.ts'
import { interpreterOf } from './interpreter/interpreters.ts'
import { bank, mode, planMemory, scratch } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { writeLookupTables } from './lookup-tables.ts'
import { Meter } from './meter.ts'
import { MemoryAccess } from './memory-access.ts'
import type { MmioPorts } from './translated-access.ts'
import { writePauthFields } from './pauth-fields.ts'
import { Peek } from './peek.ts'
import { translationFeatures } from './mmu/regime.ts'
import { NOTHING } from './pending.ts'
import type { Pending, SliceEnd } from './pending.ts'
import { Pmu } from './pmu.ts'
import { ReadySet } from './ready-set.ts'
import { Slice } from './slice.ts'
import { slots } from './slots.ts'
import { SoftTlb } from './soft-tlb.ts'
import { Registers, conditionMasks, daif, newCpuState } from './state.ts'
import type { CpuRunState, CpuState } from './state.ts'
import { SysregFile, fpTrapped } from './sysreg-file.ts'
import { systemHelpers } from './system-helpers.ts'
import type { SystemContext } from './system-helpers.ts'
import { SAMPLE_INTERVAL, Translator } from './translator/translator.ts'
import type { Thresholds } from './translator/translator.ts'
import { vectorHelpers } from './vector-helpers.ts'

/** What the processor is plugged into. */
export interface CorePorts extends MmioPorts {
  /** What every CPU of the machine is. */
  readonly model: CpuModel
  readonly ramSize: number
  /** Whether hot code is translated (tier 1); what the guest sees is the same either way. */
  readonly translate: boolean | Thresholds
  /** Whether calls and regions are counted, which costs time. Default: no. */
  readonly metered?: boolean
  /** HVC and SMC; `undefined`: the CPU does not go on. */
  readonly hypercall: SystemContext['hypercall']
  /** The level of a CPU's PMU overflow interrupt. */
  readonly pmuInterrupt?: (cpu: number, level: boolean) => void
  /** Without it, nothing is traced. */
  readonly trace?: TraceTap
  /** Hears who writes system registers, while the trace is watched. */
  readonly writes?: SysregWrites
}

/** Writes to system registers: by an MSR at `pc`, and by an exception from there. */
export interface SysregWrites {
  written(cpu: number, encoding: number, pc: bigint): void
  exceptionTaken(cpu: number, pc: bigint, synchronous: boolean): void
}

/** The interpreter counts a budget in addresses of records. */
const LONGEST_PIECE = 1 << 24

const MAX_UNDEFINED_WORDS = 4096

/** By offset from the first of the four, in steps of 0x80. */
const VECTOR_NAMES = ['sync', 'irq', 'fiq', 'serror'] as const

export class Core {
  readonly memory: WebAssembly.Memory
  readonly plan: MemoryPlan
  readonly registers: Registers
  readonly sysregs: SysregFile
  readonly banks: CpuBanks
  readonly cpus: readonly CpuState[]
  readonly ready = new ReadySet()
  readonly softTlb: SoftTlb
  readonly code: CodeCache
  readonly model: CpuModel
  private readonly debug: Debug
  /** The CPU has FEAT_PAuth. */
  private readonly authenticates: boolean
  private readonly pmu: Pmu
  readonly translator: Translator | undefined
  readonly meter: Meter | undefined
  private readonly ports: CorePorts
  private readonly trace: TraceTap
  private readonly access: MemoryAccess
  private readonly peeking: Peek
  private readonly compiled: CompiledCode
  private pending: Pending = NOTHING
  private readonly slice: Slice
  readonly breakpoints: Breakpoints
  /** Words that no row decodes, by word: how often they were met; the first few thousand of them. */
  readonly undefinedWords = new Map<number, number>()
  readonly statistics = { exceptions: 0, interrupts: 0 }

  constructor(ports: CorePorts) {
    this.ports = ports
    this.model = ports.model
    this.trace = ports.trace ?? { sink: undefined }
    this.plan = planMemory(ports.ramSize)
    this.memory = new WebAssembly.Memory({ initial: this.plan.total / 65536, maximum: this.plan.total / 65536 })
    const { buffer } = this.memory
    this.registers = new Registers(buffer)
    this.banks = new CpuBanks(this.plan, this.registers, buffer)
    this.cpus = this.banks.list
    this.meter = ports.metered === true ? new Meter(buffer) : undefined
    this.slice = new Slice(this.registers, this.meter)
    const interpreter = interpreterOf(ports.model, ports.metered === true)
    this.softTlb = new SoftTlb(this.plan, buffer)
    this.code = new CodeCache(this.plan, interpreter, buffer)
    this.breakpoints = new Breakpoints(this.code, this.registers, this.slice)
    this.peeking = new Peek(this.plan, ports.ramBase, buffer, translationFeatures(ports.model.features))
    this.access = new MemoryAccess(this, ports, {
      current: () => this.banks.current,
      raise: (pending) => this.raise(pending),
      take: () => this.take(),
    })
    new Uint16Array(buffer, scratch.CONDITIONS, 16).set(conditionMasks())
    writeLookupTables(buffer)
    const { access, code, memory, registers } = this
    this.debug = new Debug(registers)
    this.authenticates = ports.model.features.has('FEAT_PAuth')
    this.pmu = new Pmu(Number((ports.model.midr >> 24n) & 0xffn), {
      executed: (cpu) => this.executedBy(cpu),
      interrupt: (cpu, level) => ports.pmuInterrupt?.(cpu, level),
      limitChanged: () => this.stopSlice('back'),
    })
    this.sysregs = new SysregFile(registers, ports.model, {
      contextChanged: (cpu) => this.contextChanged(cpu),
      levelChanged: (cpu) => this.levelChanged(cpu),
      pmu: this.pmu,
      executed: (cpu) => this.executedBy(cpu),
      tlbi: (va, asid) => access.tlbInvalidate(va, asid),
      icInvalidate: (va) => access.icInvalidate(va),
      dcMaintain: (va, write) => access.dcMaintain(va, write),
      addressTranslate: (va, write, el, pan) => access.addressTranslate(va, write, el, pan),
      maskChanged: (cpu) => this.maskChanged(cpu),
    })
    code.onReset = () => {
      this.softTlb.flushFetches()
      this.translator?.reset()
    }
    code.onInvalidate = (page, first, count) => this.translator?.invalidate(page, first, count)
    const services = {
      memory,
      decode: (at: number) => code.decode(at),
      fetch: (low: number, high: number) => access.fetch(low, high, BTYPE.NONE),
      loadSlow: (low: number, high: number, what: number) => access.loadSlow(low, high, what),
      storeSlow: (low: number, high: number, what: number) => access.storeSlow(low, high, what),
      commitStore: () => access.commitStore(),
      wanted: (at: number) => this.translator?.wanted(at),
      ...systemHelpers(this.systemContext()),
      ...floatHelpers(registers),
      ...vectorHelpers(registers),
      ...cryptoHelpers(registers),
    }
    const ofRegions = {
      branched: (at: number, offset: number) => this.translator?.branched(at, offset),
      loadSlow: (low: number, high: number, what: number) => access.lookUp(low, high, what, false),
      storeSlow: (low: number, high: number, what: number) => access.lookUp(low, high, what, true),
    }
    this.compiled = new CompiledCode(interpreter, services, ofRegions, this.meter)
    if (ports.translate === false) return
    const fetched = (address: bigint): number | undefined => access.fetched(address)
    const when = ports.translate === true ? undefined : ports.translate
    this.translator = new Translator(interpreter, code, { memory, compiled: this.compiled, fetched }, when)
  }

  private systemContext(): SystemContext {
    return {
      registers: this.registers,
      sysregs: this.sysregs,
      cpus: this.cpus,
      setBranchType: (type) => {
        const cpu = this.banks.running()
        setBranchType(cpu, this.access.branchTypeFromHere(type), this.executedBy(cpu))
        return cpu.branchType
      },
      // The instruction under way counts as executed.
      branchType: () => branchTypeAt(this.banks.running(), this.executedBy(this.banks.running()) - 1),
      checkLanding: (target, branchType) => this.access.checkLanding(target, branchType),
      debug: this.debug,
      pmu: this.pmu,
      cpu: () => this.banks.running(),
      raise: (pending) => this.raise(pending),
      levelChanged: (cpu) => this.levelChanged(cpu),
      hypercall: this.ports.hypercall,
      trace: this.trace,
      written: (encoding) => {
        if (this.banks.current !== undefined && this.trace.sink !== undefined)
          this.ports.writes?.written(this.banks.current.index, encoding, this.registers.currentPc())
      },
      isBreak: () => this.code.isBreak(this.registers.record),
      countUndefined: () => {
        const word = this.code.wordOf(this.registers.record)
        const before = this.undefinedWords.get(word)
        // A hostile guest could run every word there is.
        if (before !== undefined || this.undefinedWords.size < MAX_UNDEFINED_WORDS)
          this.undefinedWords.set(word, (before ?? 0) + 1)
      },
    }
  }

  /** Accesses that went to devices, and table walks, so far. */
  get accesses(): { readonly mmioExits: number; readonly pageWalks: number } {
    return this.access.statistics
  }

  private raise(pending: Pending): void {
    this.pending = pending
  }

  private take(): Pending {
    const taken = this.pending
    this.pending = NOTHING
    return taken
  }

  // ---- CPUs

  addCpu(): CpuState {
    const cpu = this.banks.add()
    this.reset(cpu)
    return cpu
  }

  /** Architectural reset into EL1h, MMU off, interrupts masked; all other registers are 0. */
  reset(cpu: CpuState): void {
    this.banks.clear(cpu)
    this.banks.with(cpu, () => {
      const { mpidr, instructions, irq, fiq, wake, powered } = cpu
      Object.assign(cpu, newCpuState(cpu.index), { mpidr, instructions, irq, fiq, wake, powered })
      this.pmu.reset(cpu)
      this.registers.i32[bank.MODE >>> 2] = mode.EL1H
      this.registers.daif = daif.ALL
      this.registers.nzcv = 0
      this.sysregs.reset()
    })
    this.readinessChanged(cpu)
  }

  /** Runs from where its registers say. */
  start(cpu: CpuState): void {
    cpu.powered = true
    this.readinessChanged(cpu)
    this.trace.sink?.({ kind: 'cpuState', cpu: cpu.index, state: 'running', pc: this.banks.pcOf(cpu) })
  }

  /** Reset, then runs from `entry` with X0 = `context`. */
  powerOn(cpu: CpuState, entry: bigint, context: bigint): void {
    this.reset(cpu)
    this.banks.with(cpu, () => {
      this.registers.setX(0, context)
      this.registers.u64[bank.PC >>> 3] = entry
    })
    this.start(cpu)
  }

  powerOff(cpu: CpuState): void {
    cpu.powered = false
    this.readinessChanged(cpu)
    this.trace.sink?.({ kind: 'cpuState', cpu: cpu.index, state: 'off', pc: this.banks.pcOf(cpu) })
    if (cpu === this.banks.current) this.stopSlice('off')
  }

  /** Keeps a CPU from running, or lets it. */
  freeze(cpu: CpuState, frozen: boolean): void {
    cpu.frozen = frozen
    this.readinessChanged(cpu)
    if (frozen && cpu === this.banks.current) this.stopSlice('back')
  }

  private readinessChanged(cpu: CpuState): void {
    this.ready.set(cpu.index, cpu.powered && !cpu.waiting && !cpu.frozen)
  }

  /** An input of a CPU: each ends a WFI, and the first two are taken where PSTATE lets them. */
  setInput(cpu: CpuState, input: 'irq' | 'fiq' | 'wake', level: boolean): void {
    cpu[input] = level
    if (!level) {
      if (cpu === this.banks.current) this.noteConcerns(cpu)
      return
    }
    if (cpu.waiting) this.trace.sink?.({ kind: 'cpuState', cpu: cpu.index, state: 'running', pc: this.banks.pcOf(cpu) })
    cpu.waiting = false
    this.readinessChanged(cpu)
    if (cpu === this.banks.current && this.slice.underWay) this.maskChanged(cpu)
    else this.stopSlice('back')
  }

  /** An SError interrupt becomes pending, with this ISS (as KVM_SET_VCPU_EVENTS makes one). */
  setSError(cpu: CpuState, iss: number): void {
    cpu.serror = iss
    cpu.waiting = false
    this.readinessChanged(cpu)
    if (cpu === this.banks.current) {
      this.noteConcerns(cpu)
      this.slice.holdBack()
    } else this.stopSlice('back')
  }

  /** Has somebody look at memory as a CPU sees it, without a trace. */
  peek<T>(cpu: CpuState, look: (read: (address: bigint, bytes: 4 | 8) => bigint | undefined) => T): T {
    const { peeking } = this
    this.banks.with(cpu, () => peeking.use(this.registers))
    return look((address, bytes) => peeking.read(address, bytes))
  }

  restoreRunState(cpu: CpuState, state: CpuRunState): void {
    this.banks.restoreRunState(cpu, state)
    this.readinessChanged(cpu)
  }

  // ---- running

  /** Nanoseconds, that is instructions, of the slice under way. */
  executing(): number {
    return this.slice.executing()
  }

  /** Instructions that a CPU has executed, the one under way included. */
  private executedBy(cpu: CpuState): number {
    return cpu.instructions + (cpu === this.banks.current ? this.executing() : 0)
  }

  /** Runs a CPU for at most `budget` instructions. */
  run(cpu: CpuState, budget: number): { executed: number; end: SliceEnd } {
    this.banks.switchTo(cpu)
    const r = this.registers
    if (cpu.regime === undefined) this.contextChanged(cpu)
    else this.levelChanged(cpu)
    this.pmu.resume(cpu)
    budget = Math.min(budget, this.pmu.limit(cpu))
    this.slice.begin(budget)
    let fetched = this.goToPc(this.branchTypeOf(cpu))
    for (;;) {
      if (!fetched) {
        // An exception whose vector cannot be fetched raises the next: each costs an instruction's time.
        if (!this.slice.charge()) break
        fetched = this.handlePending(cpu)
        continue
      }
      const interrupt = interruptTaken(cpu, this.registers.daif)
      if (interrupt !== undefined) {
        this.statistics.interrupts++
        fetched = this.exceptionBetween(cpu, interrupt, 0)
        continue
      }
      if (cpu.serror !== undefined && (this.registers.daif & daif.A) === 0) {
        const esr = syndrome.serror(cpu.serror)
        cpu.serror = undefined
        fetched = this.exceptionBetween(cpu, vector.SERROR, esr)
        continue
      }
      if (this.slice.end !== undefined) break
      const oneByOne = cpu.careful || cpu.il
      if (!(oneByOne ? this.slice.giveOne() : this.slice.give(this.piece))) break
      if (oneByOne) {
        const stop = this.beforeInstruction(cpu)
        if (stop !== undefined) {
          const branchType = this.branchTypeOf(cpu)
          if (!this.slice.charge()) break
          fetched = this.exceptionBetween(cpu, vector.SYNC, stop, branchType)
          continue
        }
        fetched = this.runOne(cpu)
      } else if (this.runCompiled() === 0) {
        r.setToPc(bank.PC, 0)
        this.translator?.sample(r.record)
      } else fetched = this.handlePending(cpu)
    }
    this.pending = NOTHING
    const executed = this.slice.finish()
    cpu.instructions += executed
    if (this.pmu.isCounting(cpu)) this.pmu.update(cpu)
    return { executed, end: this.slice.end ?? 'budget' }
  }

  /** Instructions that the interpreter runs before the translator looks where it is. */
  private get piece(): number {
    return this.translator === undefined ? LONGEST_PIECE : SAMPLE_INTERVAL
  }

  private runCompiled(): number {
    const left = this.compiled.run()
    this.breakpoints.passed()
    return left
  }

  /** What stops a CPU before its next instruction, by its syndrome: D1.3.5.5 gives the order. */
  private beforeInstruction(cpu: CpuState): number | undefined {
    const sameEl = cpu.el === 1
    if (cpu.careful && this.debug.isStepping(cpu) && cpu.ss === 0) {
      const { stepped } = cpu
      cpu.stepped = undefined
      return syndrome.softwareStep({ sameEl, stepped })
    }
    if (cpu.careful && this.debug.breaksAt(cpu, this.registers.u64[bank.PC >>> 3] ?? 0n))
      return syndrome.breakpoint({ sameEl })
    return cpu.il ? syndrome.illegalState() : undefined
  }

  /** Runs one instruction; one that completes while software step is active is what the next exception is about. */
  private runOne(cpu: CpuState): boolean {
    const r = this.registers
    const stepping = cpu.ss === 1 && this.debug.isStepping(cpu)
    const word = this.code.wordOf(r.record)
    const within = this.runCompiled() === 0
    if (within) r.setToPc(bank.PC, 0)
    if (stepping && completed(this.pending)) {
      cpu.ss = 0
      cpu.stepped = isLoadExclusive(word) ? 'exclusive' : 'other'
    }
    return within || this.handlePending(cpu)
  }

  /** Ends the slice after the instruction under way. */
  stopSlice(end: SliceEnd): void {
    this.slice.stop(end)
  }

  private maskChanged(cpu: CpuState): void {
    const unmasked =
      interruptTaken(cpu, this.registers.daif) !== undefined ||
      (cpu.serror !== undefined && (this.registers.daif & daif.A) === 0)
    if (unmasked) this.slice.holdBack()
    this.debugChanged(cpu)
  }

  /** Tells compiled code whether the running CPU's accesses to registers in slots may be more than that. */
  private noteConcerns(cpu: CpuState): void {
    const pending = cpu.irq || cpu.fiq || cpu.serror !== undefined
    const concerns = cpu.el === 0 || pending || !this.debug.isOff || this.trace.sink !== undefined
    this.registers.i32[slots.SYSREG_CONCERNS >>> 2] = concerns ? 1 : 0
  }

  /** What debug exceptions depend on has changed. */
  private debugChanged(cpu: CpuState): void {
    this.noteConcerns(cpu)
    cpu.careful = this.debug.isCareful(cpu)
    if (cpu.careful) this.slice.holdBack()
    const watches = this.debug.watches(cpu)
    this.access.watches = watches
    if ((watches !== undefined) === cpu.watched) return
    cpu.watched = watches !== undefined
    if (cpu.regime !== undefined) this.softTlb.select(cpu.regime, cpu)
  }

  private goTo(pc: bigint, branchType?: number): boolean {
    this.registers.u64[bank.PC >>> 3] = pc
    return this.goToPc(branchType)
  }

  /** Makes the instruction at the PC the next, PSTATE.BTYPE being what it is; false: an abort is pending. */
  private goToPc(branchType: number = BTYPE.NONE): boolean {
    const r = this.registers
    const record = this.access.fetch(r.i32[bank.PC >>> 2] ?? 0, r.i32[(bank.PC >>> 2) + 1] ?? 0, branchType)
    if (record === 0) return false
    r.comeTo(record)
    return true
  }

  /** ELR_EL1 has been written. */
  private exception(cpu: CpuState, offset: number, esr: number, branchType: number = BTYPE.NONE): boolean {
    this.statistics.exceptions++
    if (this.pmu.isCounting(cpu)) this.pmu.update(cpu)
    takeException(cpu, this.registers, offset, branchType)
    this.pmu.event(cpu, EVENTS.EXC_TAKEN)
    const hasSyndrome = offset === vector.SYNC || offset === vector.SERROR
    if (hasSyndrome) this.registers.setWordAt(slots.ESR_EL1, esr)
    if (this.trace.sink !== undefined) this.tellException(cpu, offset, esr, hasSyndrome)
    this.levelChanged(cpu)
    return this.goToPc()
  }

  private tellException(cpu: CpuState, offset: number, esr: number, hasSyndrome: boolean): void {
    const from = this.registers.at(slots.ELR_EL1)
    this.ports.writes?.exceptionTaken(cpu.index, from, hasSyndrome)
    this.trace.sink?.({
      kind: 'exceptionTaken',
      cpu: cpu.index,
      vector: VECTOR_NAMES[offset >> 7] ?? 'sync',
      esr,
      from,
    })
  }

  /** Between two instructions. */
  private exceptionBetween(cpu: CpuState, offset: number, esr: number, branchType = this.branchTypeOf(cpu)): boolean {
    this.registers.copy(slots.ELR_EL1, bank.PC)
    return this.exception(cpu, offset, esr, branchType)
  }

  private branchTypeOf(cpu: CpuState): number {
    return branchTypeAt(cpu, this.executedBy(cpu))
  }

  private handlePending(cpu: CpuState): boolean {
    const p = this.take()
    const r = this.registers
    switch (p.kind) {
      case 'none':
        return true
      case 'jump':
        if (p.end !== undefined) this.stopSlice(p.end)
        if (p.end === 'wait') {
          this.readinessChanged(cpu)
          this.trace.sink?.({ kind: 'cpuState', cpu: cpu.index, state: 'waiting', pc: p.pc })
        }
        return this.goTo(p.pc, p.branchType)
      case 'returned':
        return this.goToPc(p.branchType)
      case 'svc':
        r.setToPc(slots.ELR_EL1, 4)
        return this.exception(cpu, vector.SYNC, syndrome.svc(p.imm))
      case 'break':
        this.breakpoints.meet(cpu)
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

  /** A register that decides over translation or traps has changed. */
  private contextChanged(cpu: CpuState): void {
    const r = this.registers
    cpu.regime = this.softTlb.regime()
    const { tcr } = cpu.regime
    if (this.authenticates && cpu.pauthFor !== tcr) {
      writePauthFields(r, tcr)
      cpu.pauthFor = tcr
    }
    this.levelChanged(cpu)
  }

  /** The exception level has changed, or what else of PSTATE decides over accesses. */
  private levelChanged(cpu: CpuState): void {
    const r = this.registers
    this.debugChanged(cpu)
    if (cpu.regime !== undefined) this.softTlb.select(cpu.regime, cpu)
    r.i32[bank.FP_TRAPPED >>> 2] = fpTrapped(r.i32[slots.CPACR_EL1 >>> 2] ?? 0, cpu.el) ? 1 : 0
  }
}

/** Whether an instruction is done with: it did not take an exception, but for those that are made to. */
const completed = ({ kind }: Pending): boolean =>
  kind === 'none' || kind === 'jump' || kind === 'returned' || kind === 'svc'

/** LDXR, LDXP and their acquiring forms: L is 1, o2 is 0. */
const isLoadExclusive = (word: number): boolean => (word & 0x3fc0_0000) === 0x0840_0000
