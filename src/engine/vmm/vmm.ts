/**
 * The virtual machine monitor: builds a machine from a blueprint by the KVM calls of its plan, puts devices
 * and a guest into it, and runs it. What a person changes while it runs is a KVM call too.
 */
import { mpidrAffinity } from '../../pure/arch/affinity.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { deviceTree, withChosen } from '../../pure/blueprint/device-tree.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import { bootCalls, planOf } from '../../pure/blueprint/plan.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { callText } from '../../pure/uapi/calls.ts'
import type { EventName } from '../../pure/trace/events.ts'
import type { TraceBatch } from '../../pure/trace/ring.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { FIRST_SPI, PPI } from '../../pure/arch/intid.ts'
import { GenericTimer } from '../devices/generic-timer.ts'
import { Pl011 } from '../devices/pl011.ts'
import { Pl031 } from '../devices/pl031.ts'
import type { CpuGicInspection, CpuInterrupts, FrameInspection, SpiInspection } from '../gic/inspect.ts'
import type { LpiInspection } from '../gic/its/inspect.ts'
import { Kvm } from '../kvm/kvm.ts'
import type { PlacedIts } from '../kvm/kvm.ts'
import { Machine } from '../machine/machine.ts'
import { readKernelLog } from './kernel-log.ts'
import type { KernelLog } from './kernel-log.ts'
import { placeGuest } from './load.ts'
import { Tracing } from './tracing.ts'

export type { CpuInterrupts, FrameInspection, SpiInspection } from '../gic/inspect.ts'

export interface GuestFiles {
  readonly kernel: Uint8Array
  readonly initrd?: Uint8Array | undefined
  /** Instead of the machine's own device tree. */
  readonly dtb?: Uint8Array | undefined
  /** The kernel's command line, what the blueprint adds not included. */
  readonly append: string
}

export interface VmmOptions {
  readonly blueprint: Blueprint
  readonly guest: GuestFiles
  readonly engine: 'interpreter' | 'translator'
  readonly onConsole: (bytes: Uint8Array) => void
  /** Seconds since 1970 when the machine starts, for the real-time clock. Default: 0. */
  readonly wallClockSeconds?: number
  /** Whether the trace is watched from the first instruction on. */
  readonly trace?: boolean
}

/** `time`: as long as asked; `idle`: every CPU waits; `off`, `reset`: the guest asked for it; `stuck`: no CPU is on. */
export type RunEnd = 'time' | 'idle' | 'off' | 'reset' | 'stuck'

export interface CpuInspection extends CpuGicInspection {
  readonly index: number
  readonly mpidr: bigint
  readonly state: 'off' | 'waiting' | 'running'
  readonly instructions: number
  readonly pc: bigint
  readonly el: 0 | 1
}

export interface MachineInspection {
  readonly virtualNs: number
  readonly cpus: readonly CpuInspection[]
  readonly frames: readonly FrameInspection[]
  readonly spis: readonly SpiInspection[]
  readonly gicdCtlr: number
  readonly gicdTyper: number
  readonly its: readonly PlacedIts[]
  readonly lpis: readonly LpiInspection[]
}

export interface VmmStats {
  readonly instructions: number
  readonly virtualNs: number
  readonly mmioExits: number
  readonly exceptions: number
  readonly interrupts: number
  readonly pageWalks: number
  readonly decodedInstructions: number
  readonly translatedRegions: number
  readonly translatedInstructions: number
  readonly droppedRegions: number
  readonly modules: number
  /** Words that are no instruction of this CPU, and how often each was met. */
  readonly undefinedWords: readonly (readonly [word: number, count: number])[]
}

export interface PlannedCall {
  readonly call: KvmCall
  readonly answer: KvmAnswer
}

export type Made = { readonly ok: true; readonly vmm: Vmm } | { readonly ok: false; readonly what: string }

const NO_GIC: CpuGicInspection = {
  priorityMask: 0,
  igrpen1: false,
  pending: [],
  active: [],
  enabled: [],
  private: [],
  apList: [],
  listRegisters: [],
  vmcr: 0,
  hcr: 0,
}

export class Vmm {
  private readonly machine: Machine
  private readonly kvm: Kvm
  private readonly uart: Pl011
  private readonly calls: readonly PlannedCall[]
  private readonly tracing: Tracing

  constructor(machine: Machine, kvm: Kvm, uart: Pl011, calls: readonly PlannedCall[], tracing: Tracing) {
    this.machine = machine
    this.kvm = kvm
    this.uart = uart
    this.calls = calls
    this.tracing = tracing
  }

  /** Which events are kept for `takeTrace` from now on; `undefined`: none, and none of their cost. */
  watchTrace(wanted: ((name: EventName) => boolean) | undefined): void {
    this.tracing.watch(wanted)
  }

  /** The events since the last time; `undefined`: there were none. */
  takeTrace(): TraceBatch | undefined {
    return this.tracing.take()
  }

  /**
   * Runs for `maxNs` virtual nanoseconds, or a little more. `skipNs`: how far time may skip while every CPU waits.
   */
  run(maxNs: number, skipNs: number): RunEnd {
    const { clock, core } = this.machine
    const now = clock.now()
    const end = this.machine.runUntil(now + maxNs, now + skipNs)
    if (end === 'stopped') return this.machine.event ?? 'stuck'
    return end === 'idle' && !core.cpus.some((cpu) => cpu.powered) ? 'stuck' : end
  }

  /** Virtual nanoseconds. */
  now(): number {
    return this.machine.clock.now()
  }

  /** Bytes typed at the console. */
  input(bytes: Uint8Array): void {
    this.uart.receive(bytes)
  }

  call(call: KvmCall): KvmAnswer {
    const answer = this.kvm.execute(call)
    this.tracing.called(call, answer)
    return answer
  }

  /** The calls that built the machine, and what KVM answered. */
  planCalls(): readonly PlannedCall[] {
    return this.calls
  }

  /** The guest's printk buffer, from its RAM. */
  kernelLog(): KernelLog {
    return readKernelLog((physical, length) => this.machine.ram(physical, length), {
      base: this.machine.ramBase,
      size: this.machine.ramSize,
    })
  }

  /** What the host's debugfs has in vgic-state of this VM. */
  vgicState(): string {
    return this.kvm.vgic?.vgicState() ?? ''
  }

  /** Guest RAM, not a copy; `undefined` outside it. */
  ramView(physical: number, length: number): Uint8Array | undefined {
    return this.machine.ram(physical, length)
  }

  stats(): VmmStats {
    const { core } = this.machine
    const translated = core.translator?.statistics
    return {
      instructions: core.cpus.reduce((sum, cpu) => sum + cpu.instructions, 0),
      virtualNs: this.now(),
      ...core.statistics,
      ...core.accesses,
      decodedInstructions: core.code.decoded,
      translatedRegions: translated?.regions ?? 0,
      translatedInstructions: translated?.instructions ?? 0,
      droppedRegions: translated?.dropped ?? 0,
      modules: translated?.modules ?? 0,
      undefinedWords: [...core.undefinedWords],
    }
  }

  /** What a person sees; changes nothing. */
  /** Everything about the interrupts of one vCPU; nothing of a vCPU or GIC that is not there. */
  inspectInterrupts(vcpu: number): CpuInterrupts | undefined {
    return vcpu < this.machine.core.cpus.length ? this.kvm.vgic?.inspectInterrupts(vcpu) : undefined
  }

  inspect(): MachineInspection {
    const gic = this.kvm.vgic?.inspect()
    const { core } = this.machine
    return {
      virtualNs: this.now(),
      cpus: core.cpus.map((cpu) => ({
        index: cpu.index,
        mpidr: cpu.mpidr,
        state: !cpu.powered ? 'off' : cpu.waiting ? 'waiting' : 'running',
        instructions: cpu.instructions,
        pc: core.pcOf(cpu),
        el: cpu.el,
        ...(gic?.cpus[cpu.index] ?? NO_GIC),
      })),
      frames: gic?.frames ?? [],
      spis: gic?.spis ?? [],
      gicdCtlr: gic?.gicdCtlr ?? 0,
      gicdTyper: gic?.gicdTyper ?? 0,
      ...this.kvm.inspectIts(),
    }
  }
}

/** Reserves the machine's memory, which the host may not have. */
function createMachine(o: VmmOptions): Machine | string {
  const { blueprint } = o
  try {
    return new Machine({
      ramBase: memoryMap.ram.base,
      ramSize: blueprint.memory,
      cpu: blueprint.cpu,
      translate: o.engine === 'translator',
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return `This browser or computer has no room for ${blueprint.memory / 2 ** 20} MiB of guest memory; choose less.`
  }
}

export function createVmm(o: VmmOptions): Made {
  const { blueprint, guest } = o
  const machine = createMachine(o)
  if (typeof machine === 'string') return { ok: false, what: machine }
  const timers: { reset?: (cpu: number) => void } = {}
  const kvm = new Kvm({
    hardware: machine,
    rules: rulesFor(blueprint.ruleSet, blueprint.base),
    host: blueprint.host,
    onCpuReset: (cpu) => timers.reset?.(cpu),
  })
  const calls: PlannedCall[] = []
  const execute = (list: readonly KvmCall[]): string | undefined => {
    for (const call of list) {
      const answer = kvm.execute(call)
      calls.push({ call, answer })
      if (!answer.ok) return `${callText(call)} answered ${answer.errno}: ${answer.why}`
    }
    return undefined
  }

  const refused = execute(planOf(blueprint))
  if (refused !== undefined) return { ok: false, what: refused }
  const placed = placeGuest({
    ramBase: memoryMap.ram.base,
    ramSize: blueprint.memory,
    kernel: guest.kernel,
    ...(guest.initrd === undefined ? {} : { initrd: guest.initrd }),
    dtb: (initrd) => {
      const chosen = {
        bootargs: [guest.append, blueprint.guest.append].filter((part) => part !== '').join(' '),
        ...(initrd === undefined ? {} : { initrd }),
      }
      if (guest.dtb !== undefined) return withChosen(guest.dtb, chosen)
      const affinities = kvm.vcpus.map((vcpu) => mpidrAffinity.decode(vcpu.mpidr))
      const { cpu, gic, its, memory } = blueprint
      return { ok: true, dtb: deviceTree({ cpu, gic, its, affinities, memory, ...chosen }) }
    },
    write: (physical, bytes) => machine.ram(physical, bytes.length)?.set(bytes),
  })
  if (!placed.ok) return placed
  const notBootable = execute(bootCalls(placed.entry, placed.dtb))
  if (notBootable !== undefined) return { ok: false, what: notBootable }

  const { vgic } = kvm
  if (vgic === undefined) throw new Error('the plan made no vGIC')
  const timer = new GenericTimer({
    clock: machine.clock,
    lines: (cpu) => ({ physical: vgic.ppi(cpu, PPI.physicalTimer), virtual: vgic.ppi(cpu, PPI.virtualTimer) }),
  })
  for (const _ of kvm.vcpus) timer.addCpu()
  const tracing = new Tracing(machine, () => kvm.vgic)
  if (o.trace === true) tracing.watch(() => true)
  timers.reset = (cpu) => timer.reset(cpu)
  machine.own(timer.sysregs)
  const uart = new Pl011({
    base: memoryMap.pl011.base,
    irq: vgic.spi(FIRST_SPI + memoryMap.pl011.spi),
    transmit: (bytes) => {
      tracing.transmitted(bytes)
      o.onConsole(bytes)
    },
  })
  machine.attach(uart)
  machine.attach(
    new Pl031({
      base: memoryMap.pl031.base,
      irq: vgic.spi(FIRST_SPI + memoryMap.pl031.spi),
      clock: machine.clock,
      seconds: o.wallClockSeconds ?? 0,
    }),
  )
  const ran = kvm.firstRun()
  if (!ran.ok) return { ok: false, what: `KVM_RUN answered ${ran.errno}: ${ran.why}` }
  return { ok: true, vmm: new Vmm(machine, kvm, uart, calls, tracing) }
}
