/**
 * The processor: one set of compiled code that runs one CPU at a time, and the driver around it. It knows
 * no device: memory-mapped accesses and foreign system registers go through plugs.
 */
import type { CpuModel } from '../../pure/arch/cpu/models.ts'
import type { TraceTap } from '../bus/trace-sink.ts'
import { BTYPE, branchTypeAt, setBranchType } from './branch-target.ts'
import { Breakpoints } from './breakpoints.ts'
import { CodeCache } from './code-cache.ts'
import { CompiledCode } from './compiled-code.ts'
import { Context } from './context.ts'
import { CpuBanks } from './cpu-banks.ts'
import { cryptoHelpers } from './crypto/helpers.ts'
import { Debug } from './debug.ts'
import { Driver } from './driver.ts'
import type { SysregWrites } from './driver.ts'
import { floatHelpers } from './float/helpers.ts'
import { interpreterOf } from './interpreter/interpreters.ts'
import { bank, mode, planMemory, scratch } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { writeLookupTables } from './lookup-tables.ts'
import { Meter } from './meter.ts'
import { MemoryAccess } from './memory-access.ts'
import type { MmioPorts } from './translated-access.ts'
import { Peek } from './peek.ts'
import { translationFeatures } from './mmu/regime.ts'
import type { SliceEnd } from './pending.ts'
import { Pmu } from './pmu.ts'
import { ReadySet } from './ready-set.ts'
import { Slice } from './slice.ts'
import { SoftTlb } from './soft-tlb.ts'
import { Registers, conditionMasks, daif, newCpuState } from './state.ts'
import type { CpuRunState, CpuState } from './state.ts'
import { SysregFile } from './sysreg-file.ts'
import { systemHelpers } from './system-helpers.ts'
import type { SystemContext } from './system-helpers.ts'
import { Translator } from './translator/translator.ts'
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

const MAX_UNDEFINED_WORDS = 4096

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
  private readonly context: Context
  private readonly driver: Driver
  private readonly pmu: Pmu
  readonly translator: Translator | undefined
  readonly meter: Meter | undefined
  private readonly ports: CorePorts
  private readonly trace: TraceTap
  private readonly access: MemoryAccess
  private readonly peeking: Peek
  private readonly slice: Slice
  readonly breakpoints: Breakpoints
  /** Words that no row decodes, by word: how often they were met; the first few thousand of them. */
  readonly undefinedWords = new Map<number, number>()

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
      raise: (pending) => this.driver.raise(pending),
      take: () => this.driver.take(),
    })
    new Uint16Array(buffer, scratch.CONDITIONS, 16).set(conditionMasks())
    writeLookupTables(buffer)
    const { access, code, memory, registers } = this
    this.debug = new Debug(registers)
    const authenticates = ports.model.features.has('FEAT_PAuth')
    const { slice, softTlb, debug, trace } = this
    this.context = new Context({ registers, softTlb, access, debug, slice, trace, authenticates })
    const { context } = this
    this.pmu = new Pmu(Number((ports.model.midr >> 24n) & 0xffn), {
      executed: (cpu) => this.driver.executedBy(cpu),
      interrupt: (cpu, level) => ports.pmuInterrupt?.(cpu, level),
      limitChanged: () => this.stopSlice('back'),
    })
    this.sysregs = new SysregFile(registers, ports.model, {
      contextChanged: (cpu) => context.translationChanged(cpu),
      levelChanged: (cpu) => context.levelChanged(cpu),
      pmu: this.pmu,
      executed: (cpu) => this.driver.executedBy(cpu),
      tlbi: (va, asid) => access.tlbInvalidate(va, asid),
      icInvalidate: (va) => access.icInvalidate(va),
      dcMaintain: (va, write) => access.dcMaintain(va, write),
      addressTranslate: (va, write, el, pan) => access.addressTranslate(va, write, el, pan),
      maskChanged: (cpu) => context.maskChanged(cpu),
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
    const compiled = new CompiledCode(interpreter, services, ofRegions, this.meter)
    if (ports.translate !== false) {
      const fetched = (address: bigint): number | undefined => access.fetched(address)
      const when = ports.translate === true ? undefined : ports.translate
      this.translator = new Translator(interpreter, code, { memory, compiled, fetched }, when)
    }
    const { banks, breakpoints, translator, pmu } = this
    this.driver = new Driver({
      registers,
      banks,
      slice,
      access,
      code,
      compiled,
      translator,
      breakpoints,
      context,
      debug,
      pmu,
      trace,
      writes: ports.writes,
      readinessChanged: (cpu) => this.readinessChanged(cpu),
    })
  }

  private systemContext(): SystemContext {
    return {
      registers: this.registers,
      sysregs: this.sysregs,
      cpus: this.cpus,
      setBranchType: (type) => {
        const cpu = this.banks.running()
        setBranchType(cpu, this.access.branchTypeFromHere(type), this.driver.executedBy(cpu))
        return cpu.branchType
      },
      // The instruction under way counts as executed.
      branchType: () => branchTypeAt(this.banks.running(), this.driver.executedBy(this.banks.running()) - 1),
      checkLanding: (target, branchType) => this.access.checkLanding(target, branchType),
      debug: this.debug,
      pmu: this.pmu,
      cpu: () => this.banks.running(),
      raise: (pending) => this.driver.raise(pending),
      levelChanged: (cpu) => this.context.levelChanged(cpu),
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
      if (cpu === this.banks.current) this.context.noteConcerns(cpu)
      return
    }
    if (cpu.waiting) this.trace.sink?.({ kind: 'cpuState', cpu: cpu.index, state: 'running', pc: this.banks.pcOf(cpu) })
    cpu.waiting = false
    this.readinessChanged(cpu)
    if (cpu === this.banks.current && this.slice.underWay) this.context.maskChanged(cpu)
    else this.stopSlice('back')
  }

  /** An SError interrupt becomes pending, with this ISS (as KVM_SET_VCPU_EVENTS makes one). */
  setSError(cpu: CpuState, iss: number): void {
    cpu.serror = iss
    cpu.waiting = false
    this.readinessChanged(cpu)
    if (cpu === this.banks.current) {
      this.context.noteConcerns(cpu)
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

  /** Runs a CPU for at most `budget` instructions. */
  run(cpu: CpuState, budget: number): { executed: number; end: SliceEnd } {
    return this.driver.run(cpu, budget)
  }

  get statistics(): Driver['statistics'] {
    return this.driver.statistics
  }

  /** Ends the slice after the instruction under way. */
  stopSlice(end: SliceEnd): void {
    this.slice.stop(end)
  }
}
