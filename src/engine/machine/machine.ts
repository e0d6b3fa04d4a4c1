/** Wires the processor, the address space and the clock. Alone introduces neighbours to each other. */
import type { Feature } from '../../pure/arch/cpu/features.ts'
import { CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import type { CpuModelId } from '../../pure/arch/cpu/models.ts'
import { createAddressSpace } from '../bus/address-space.ts'
import type { AddressSpace } from '../bus/address-space.ts'
import { FRAMES, registerName } from '../../pure/arch/frames.ts'
import type { FrameName } from '../../pure/arch/frames.ts'
import { systemRegisterName } from '../../pure/arch/sysregs/names.ts'
import type { AccessWidth, MmioRegion } from '../bus/device.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import type { TraceTap } from '../bus/trace-sink.ts'
import { Core } from '../cpu/core.ts'
import type { Thresholds } from '../cpu/translator/translator.ts'
import { LastWrites } from './last-writes.ts'
import { cpuRegisters } from './cpu-registers.ts'
import type { CpuRunState, CpuState } from '../cpu/state.ts'
import type { CpuPort, Hardware, HypercallHandler, SystemEvent } from './hardware.ts'
import { RunLoop } from './run-loop.ts'
import type { LoopEnd } from './run-loop.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface MachineOptions {
  /** Physical address of RAM, and its size in bytes (a multiple of 64 KiB). */
  readonly ramBase: number
  readonly ramSize: number
  /** What its CPUs are. Default: Cortex-A57. */
  readonly cpu?: CpuModelId
  /** Whether hot code is translated, and when. Default: it is. */
  readonly translate?: boolean | Thresholds
  /** Whether calls and regions are counted, which costs time. Default: no. */
  readonly metered?: boolean
}

/** What a machine holds that no register shows. */
export interface MachineRunState {
  /** Virtual nanoseconds. */
  readonly now: number
  /** Whose turn it is, what is left of its slice where that was interrupted, and who ran last. */
  readonly turn: number
  readonly left: number
  readonly last: number
  readonly cpus: readonly CpuRunState[]
}

/** An access to the GIC, by memory or by system register. */
export interface GicAccess {
  readonly cpu: number
  readonly register: string
  readonly write: boolean
  readonly value: bigint
}

/** What a run was stopped for. */
export type Stop =
  | { readonly kind: 'breakpoint'; readonly cpu: number; readonly pc: bigint }
  | ({ readonly kind: 'gicAccess' } & GicAccess)
  /** As a sentence. */
  | { readonly kind: 'event'; readonly what: string }

export class Machine implements Hardware {
  readonly aarch32 = false
  readonly core: Core
  readonly clock: VirtualClock
  readonly trace: TraceTap = { sink: undefined }
  readonly lastWrites = new LastWrites(() => this.clock.now())
  private readonly space: AddressSpace
  private readonly loop: RunLoop
  private readonly options: MachineOptions
  private hypercall: HypercallHandler = () => -1n
  /** Whether a run comes back after the next access to the GIC. */
  breaksAtGic = false
  /** The access to the GIC that a run came back for. */
  private gicAccess: GicAccess | undefined
  /** The event that a run came back for. */
  private happened: string | undefined
  private pmuLine: (cpu: number) => IrqLine | undefined = () => undefined
  /** What the guest asked for when it stopped itself. */
  event: SystemEvent | undefined

  constructor(options: MachineOptions) {
    this.options = options
    this.space = createAddressSpace()
    this.core = new Core({
      model: CPU_MODELS[options.cpu ?? 'cortex-a57'],
      ramBase: options.ramBase,
      ramSize: options.ramSize,
      translate: options.translate ?? true,
      metered: options.metered ?? false,
      mmioHas: (physical) => this.space.find(physical) !== undefined,
      mmioRead: (physical, width, cpu) => {
        const region = this.space.find(physical)
        const value = region?.read(physical - region.base, width, cpu)
        if (region !== undefined && value !== undefined) this.accessed(region, physical, width, value, cpu, false)
        return value
      },
      mmioWrite: (physical, width, value, cpu) => {
        const region = this.space.find(physical)
        if (region === undefined) return
        this.accessed(region, physical, width, value, cpu, true)
        region.write(physical - region.base, width, value, cpu)
      },
      hypercall: (cpu, args, conduit) => {
        const answer = this.hypercall(cpu, args, conduit)
        this.called(cpu, args, answer)
        return answer
      },
      pmuInterrupt: (cpu, level) => this.pmuLine(cpu)?.set(level),
      trace: this.trace,
      writes: this.lastWrites,
    })
    this.clock = new VirtualClock(() => this.core.executing())
    this.clock.onSchedule = () => this.core.stopSlice('back')
    this.loop = new RunLoop(this.core, this.clock)
  }

  private called(
    cpu: number,
    [fn, x1, x2, x3]: readonly [bigint, bigint, bigint, bigint],
    answer: bigint | undefined,
  ): void {
    const { sink } = this.trace
    if (sink === undefined) return
    const [returns, value] = [answer !== undefined, BigInt.asUintN(64, answer ?? 0n)]
    sink({ kind: 'hypercall', cpu, fn: Number(BigInt.asUintN(32, fn)), x1, x2, x3, returns, answer: value })
  }

  /** A read is told after it was answered, a write before it does what it does. */
  private accessed(
    region: MmioRegion,
    physical: number,
    width: AccessWidth,
    value: bigint,
    cpu: number,
    write: boolean,
  ): void {
    const { registers } = region
    const { sink } = this.trace
    if (registers === undefined || (sink === undefined && !this.breaksAtGic)) return
    const { frame, stride = region.size, first = cpu } = registers
    const at = physical - region.base
    const owner = first + Math.floor(at / stride)
    if (FRAMES[frame].gic) this.gicAccessed({ cpu, register: registerName(frame, at % stride), write, value })
    sink?.({
      kind: 'mmio',
      cpu,
      frame,
      owner,
      offset: at % stride,
      width,
      write,
      value,
      pc: this.core.registers.currentPc(),
    })
  }

  /**
   * What a CPU would read from a register of its own frame (or of one that all share), told to nobody. The caller knows
   * that the read has no effect.
   */
  peekFrame(frame: FrameName, cpu: number, offset: number, width: AccessWidth): bigint | undefined {
    for (const region of this.space.all()) {
      const { registers } = region
      if (registers?.frame !== frame) continue
      const { stride = region.size, first } = registers
      const at = first === undefined ? offset : (cpu - first) * stride + offset
      if (at >= 0 && at + width <= region.size) return region.read(at, width, cpu)
    }
    return undefined
  }

  /** What a CPU would read from a system register at EL1, told to nobody. The caller knows that the read has no effect. */
  peekSystem(index: number, encoding: number): bigint | undefined {
    const { core } = this
    const cpu = core.cpus[index]
    return cpu && core.banks.with(cpu, () => core.sysregs.peek(cpu, encoding))
  }

  private gicAccessed(access: GicAccess): void {
    if (!this.breaksAtGic) return
    this.breaksAtGic = false
    this.gicAccess = access
    this.loop.breakHere()
  }

  /** Has the run come back after the instruction under way; `what` happened in it. */
  breakAfter(what: string): void {
    this.happened = what
    this.loop.breakHere()
  }

  /** Why the last run came back with `break`. */
  get stop(): Stop | undefined {
    if (this.happened !== undefined) return { kind: 'event', what: this.happened }
    if (this.gicAccess !== undefined) return { kind: 'gicAccess', ...this.gicAccess }
    const lastBreak = this.core.breakpoints.last
    return lastBreak === undefined ? undefined : { kind: 'breakpoint', ...lastBreak }
  }

  get ramBase(): number {
    return this.options.ramBase
  }

  get ramSize(): number {
    return this.options.ramSize
  }

  addCpu(): CpuPort {
    const { core } = this
    const cpu = core.addCpu()
    return {
      index: cpu.index,
      irq: { set: (level) => core.setInput(cpu, 'irq', level) },
      fiq: { set: (level) => core.setInput(cpu, 'fiq', level) },
      wake: { set: (level) => core.setInput(cpu, 'wake', level) },
      get powered() {
        return cpu.powered
      },
      registers: cpuRegisters(core, cpu),
      setMpidr: (value) => {
        cpu.mpidr = value
      },
      reset: () => {
        core.reset(cpu)
        this.lastWrites.forget(cpu.index)
      },
      start: () => core.start(cpu),
      powerOn: (entry, context) => {
        core.powerOn(cpu, entry, context)
        this.lastWrites.forget(cpu.index)
      },
      powerOff: () => core.powerOff(cpu),
    }
  }

  attach(region: MmioRegion): void {
    const { ramBase, ramSize } = this.options
    if (region.base < ramBase + ramSize && region.base + region.size > ramBase)
      throw new Error(`${region.name} overlaps RAM`)
    this.space.attach(region)
  }

  detach(region: MmioRegion): void {
    this.space.detach(region)
  }

  onVcpuExit(handler: (cpu: number) => void): void {
    this.loop.onExit = handler
  }

  hide(register: number, bits: bigint): void {
    this.core.sysregs.hide(register, bits)
  }

  get features(): ReadonlySet<Feature> {
    return this.core.model.features
  }

  withhold(features: readonly Feature[]): void {
    this.core.sysregs.withhold(features)
  }

  own(port: SysregPort): void {
    this.core.sysregs.own(port.traced === true ? this.traced(port) : port)
  }

  private traced(port: SysregPort): SysregPort {
    return {
      ...port,
      read: (cpu, encoding, el) => {
        const value = port.read(cpu, encoding, el)
        if (value !== undefined && this.breaksAtGic)
          this.gicAccessed({ cpu, register: systemRegisterName(encoding), write: false, value })
        return value
      },
      write: (cpu, encoding, value, el) => {
        if (this.breaksAtGic) this.gicAccessed({ cpu, register: systemRegisterName(encoding), write: true, value })
        this.trace.sink?.({ kind: 'sysregWritten', cpu, encoding, value, pc: this.core.registers.currentPc() })
        return port.write(cpu, encoding, value, el)
      },
    }
  }

  onHypercall(handler: HypercallHandler): void {
    this.hypercall = handler
  }

  /** Where the overflow interrupts of the CPUs' performance monitors go. */
  onPmuInterrupt(line: (cpu: number) => IrqLine | undefined): void {
    this.pmuLine = line
  }

  systemEvent(event: SystemEvent): void {
    this.event = event
    for (const cpu of this.core.cpus) this.core.powerOff(cpu)
    this.loop.stop()
  }

  ram(physical: number, length: number): Uint8Array | undefined {
    const offset = physical - this.options.ramBase
    if (offset < 0 || length < 0 || offset + length > this.options.ramSize) return undefined
    return new Uint8Array(this.core.memory.buffer, this.core.plan.ram + offset, length)
  }

  /** What goes on, beside registers and RAM. */
  runState(): MachineRunState {
    const { core, clock, loop } = this
    return {
      now: clock.now(),
      ...loop.turn,
      last: core.banks.last,
      cpus: core.cpus.map((cpu) => core.banks.runState(cpu)),
    }
  }

  /** Sets the time of a machine that has not run yet. */
  startAt(now: number): void {
    this.clock.advance(now - this.clock.now())
  }

  /** Into a machine whose CPUs have their registers, and are on or off. */
  restoreRunState({ turn, left, last, cpus }: MachineRunState): void {
    this.loop.turn = { turn, left }
    for (const [index, cpu] of this.core.cpus.entries()) {
      const state = cpus[index]
      if (state !== undefined) this.core.restoreRunState(cpu, state)
    }
    this.core.banks.resumeAfter(last)
  }

  /** `exact`: not an instruction longer than until then. */
  runUntil(until: number, skipTo: number, exact = false): LoopEnd {
    this.gicAccess = undefined
    this.happened = undefined
    this.core.breakpoints.last = undefined
    return this.loop.runUntil(until, skipTo, exact)
  }

  /** Runs one CPU alone; says how many instructions it executed. */
  step(cpu: CpuState, instructions: number): number {
    return this.loop.step(cpu, instructions)
  }
}
