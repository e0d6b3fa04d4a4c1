/**
 * The virtual machine monitor: builds a machine from a blueprint by the KVM calls of its plan, puts devices
 * and a guest into it, and runs it. What a person changes while it runs is a KVM call too.
 */
import { mpidrAffinity } from '../../pure/arch/affinity.ts'
import { ICH_VTR_EL2 } from '../../pure/arch/gic/ich.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { deviceTree, withChosen } from '../../pure/blueprint/device-tree.ts'
import { encodeIchVtr } from '../../pure/blueprint/host.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import { bootCalls, planOf } from '../../pure/blueprint/plan.ts'
import type { RestoreStop } from '../../pure/image/restore.ts'
import { saveVm } from '../../pure/image/save.ts'
import { registerName } from '../../pure/arch/frames.ts'
import type { SgiRegisterName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { systemRegisterName } from '../../pure/arch/sysregs/names.ts'
import { readEffect } from '../../pure/uapi/registers/row.ts'
import type { Peek } from '../../pure/uapi/registers/row.ts'
import type { EventName, TraceEvent } from '../../pure/trace/events.ts'
import type { TraceBatch } from '../../pure/trace/ring.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import type { Saved } from '../bus/device-state.ts'
import type { MeterReading } from '../cpu/meter.ts'
import type { CpuInterrupts } from '../gic/inspect.ts'
import type { Kvm } from '../kvm/kvm.ts'
import type { Machine } from '../machine/machine.ts'
import type { LastWrite } from '../machine/last-writes.ts'
import type { Stop } from '../machine/machine.ts'
import { attachDevices, execute, frameOf } from './board.ts'
import type { BoardDevices, DeviceOptions, Frame, FrameOptions, PlannedCall } from './board.ts'
import { CpuInspector, symbolText } from './inspect-cpu.ts'
import type { CpuDetail } from './inspect-cpu.ts'
import { NO_GIC } from './inspection.ts'
import type { MachineInspection, VmmStats } from './inspection.ts'
import type { FoundSymbols } from './kallsyms.ts'
import { KernelLogReader } from './kernel-log.ts'
import type { KernelLog } from './kernel-log.ts'
import { placeGuest } from './load.ts'
import { sendSgi } from './send-sgi.ts'
import type { SentSgi } from './send-sgi.ts'
import { writeSnapshot } from './snapshot.ts'
import type { Tracing } from './tracing.ts'

export type { CpuInterrupts, FrameInspection, SpiInspection } from '../gic/inspect.ts'
export type { Stop } from '../machine/machine.ts'
export type { PlannedCall } from './board.ts'
export type { CpuInspection, MachineInspection, VmmStats } from './inspection.ts'

export interface GuestFiles {
  readonly kernel: Uint8Array
  readonly initrd?: Uint8Array | undefined
  /** Instead of the machine's own device tree. */
  readonly dtb?: Uint8Array | undefined
  /** The kernel's command line, what the blueprint adds not included. */
  readonly append: string
}

export interface VmmOptions extends FrameOptions, DeviceOptions {
  readonly guest: GuestFiles
}

/** `time`: as long as asked; `idle`: every CPU waits; `break`: `stop()` says where; `off`, `reset`: the guest asked for it; `stuck`: no CPU is on. */
export type RunEnd = 'time' | 'idle' | 'break' | 'off' | 'reset' | 'stuck'

export type Made =
  | { readonly ok: true; readonly vmm: Vmm }
  /** `calls`: what was called before the plan ended at a refusal; `stop`: where a restore did. */
  | { readonly ok: false; readonly what: string; readonly calls?: readonly PlannedCall[]; readonly stop?: RestoreStop }

/** Nothing of KVM's says this: it is asked for by the page, and names no call. */
const NO_PEEK = {
  ok: false,
  errno: 'EINVAL',
  why: 'Looking at it would change it.',
  source: 'ARCHITECTURE.md#rules-of-the-house',
} as const

export class Vmm {
  private readonly machine: Machine
  private readonly kvm: Kvm
  private readonly blueprint: Blueprint
  private readonly devices: BoardDevices
  private readonly calls: readonly PlannedCall[]
  private readonly tracing: Tracing
  private readonly inspector: CpuInspector
  private readonly log: KernelLogReader

  constructor({ machine, kvm, calls, tracing }: Frame, blueprint: Blueprint, devices: BoardDevices) {
    this.machine = machine
    this.kvm = kvm
    this.blueprint = blueprint
    this.devices = devices
    this.calls = calls
    this.tracing = tracing
    this.inspector = new CpuInspector(machine)
    const { ramBase: base, ramSize: size } = machine
    this.log = new KernelLogReader((physical, length) => machine.ram(physical, length), { base, size })
  }

  /** What KVM holds of the machine, by the registers' names; changes nothing. */
  image(): ReturnType<typeof saveVm> {
    const { kvm } = this
    const { ruleSet, base, host, gic, its } = this.blueprint
    return saveVm((call) => kvm.execute(call), {
      vcpus: kvm.vcpus.map(({ id, features = [] }) => ({ id, features })),
      savedOn: { ruleSet, base, host },
      version: gic,
      itsCount: Number(its),
    })
  }

  /** Everything that is needed to go on from here, in a new machine; changes nothing. */
  snapshot():
    | { readonly ok: true; readonly file: Uint8Array<ArrayBuffer> }
    | { readonly ok: false; readonly what: string } {
    const { machine, blueprint, devices } = this
    const saved = this.image()
    if (!saved.ok) return saved
    const ram = machine.ram(memoryMap.ram.base, blueprint.memory)
    if (ram === undefined) throw new Error('the machine has less RAM than its blueprint')
    const states = Object.entries(devices).map(([name, device]: [string, Saved]) => [name, device.saveState()] as const)
    const run = machine.runState()
    const file = writeSnapshot({ blueprint, image: saved.image, run, devices: Object.fromEntries(states), ram })
    return { ok: true, file }
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
   * Runs for `maxNs` virtual nanoseconds, or a little more unless it shall be `exact`. `skipNs`: how far time may
   * skip while every CPU waits. When a run is taken up again does not change what happens in it.
   */
  run(maxNs: number, skipNs: number, exact = false): RunEnd {
    const { clock, core } = this.machine
    const now = clock.now()
    const end = this.machine.runUntil(now + maxNs, now + skipNs, exact)
    if (end === 'stopped') return this.machine.event ?? 'stuck'
    return end === 'idle' && !core.cpus.some((cpu) => cpu.powered) ? 'stuck' : end
  }

  /** Why the last run came back with `break`. */
  stop(): Stop | undefined {
    return this.machine.stop
  }

  /** Runs one CPU for some instructions while the others stand still; `undefined`, or why it cannot. */
  step(index: number, instructions: number): string | undefined {
    const cpu = this.machine.core.cpus[index]
    if (cpu === undefined) return `There is no CPU ${index}.`
    if (!cpu.powered) return `CPU ${index} is off: it has no next instruction.`
    if (cpu.waiting) return `CPU ${index} waits for an interrupt: it has no next instruction until one comes.`
    this.machine.step(cpu, instructions)
    return undefined
  }

  /** Keeps a CPU from running, or lets it; `undefined`, or why not. */
  freeze(index: number, frozen: boolean): string | undefined {
    const cpu = this.machine.core.cpus[index]
    if (cpu === undefined) return `There is no CPU ${index}.`
    this.machine.core.freeze(cpu, frozen)
    return undefined
  }

  /** Runs come back before the instructions at these virtual addresses. */
  setBreakpoints(addresses: readonly bigint[]): void {
    this.machine.core.breakpoints.set(addresses)
  }

  /** Whether the next run comes back after an access to the GIC. */
  breakAtGic(wanted: boolean): void {
    this.machine.breaksAtGic = wanted
  }

  /** Whether the next run comes back after an event, and after which. */
  breakAtEvent(wanted: ((event: TraceEvent) => boolean) | undefined): void {
    this.tracing.breakAt(wanted)
  }

  /** Virtual nanoseconds. */
  now(): number {
    return this.machine.clock.now()
  }

  /** Bytes typed at the console. */
  input(bytes: Uint8Array): void {
    this.devices.uart.receive(bytes)
  }

  call(call: KvmCall): KvmAnswer {
    const answer = this.kvm.execute(call)
    this.tracing.called(call, answer)
    return answer
  }

  /** An SGI by hand, as if a CPU wrote one of the registers; says who got it, or why it cannot be. */
  sendSgi(cpu: number, register: SgiRegisterName, value: bigint): SentSgi {
    const { vgic } = this.kvm
    if (vgic === undefined) return { ok: false, what: 'The machine has no GIC.' }
    if (cpu >= this.machine.core.cpus.length) return { ok: false, what: `There is no CPU ${cpu}.` }
    return sendSgi(vgic, cpu, register, value)
  }

  /** The calls that built the machine, and what KVM answered. */
  planCalls(): readonly PlannedCall[] {
    return this.calls
  }

  /** The guest's printk buffer, from its RAM. */
  kernelLog(): KernelLog {
    return this.log.read()
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
      liveModules: core.translator?.liveModules ?? 0,
      moduleBytes: translated?.bytes ?? 0,
      evictions: translated?.evictions ?? 0,
      tlbFlushes: core.softTlb.flushes,
      undefinedWords: [...core.undefinedWords],
    }
  }

  /** What was counted of a machine that is metered. */
  meter(): MeterReading | undefined {
    return this.machine.core.meter?.read()
  }

  /** The CPU that ran last, and where it is; `undefined`: every CPU waits or is off. */
  whereabouts(): { readonly cpu: number; readonly pc: bigint; readonly el: 0 | 1 } | undefined {
    const { core } = this.machine
    const cpu = core.cpus[core.banks.last]
    if (cpu === undefined || core.ready.count === 0) return undefined
    return { cpu: cpu.index, pc: core.banks.pcOf(cpu), el: cpu.el }
  }

  /** Everything about the interrupts of one vCPU; nothing of a vCPU or GIC that is not there. */
  inspectInterrupts(vcpu: number): CpuInterrupts | undefined {
    return vcpu < this.machine.core.cpus.length ? this.kvm.vgic?.inspectInterrupts(vcpu) : undefined
  }

  /** One CPU with its code and stack; `undefined`: there is no such CPU. Changes nothing. */
  inspectCpu(index: number): CpuDetail | undefined {
    const cpu = this.machine.core.cpus[index]
    return cpu && this.inspector.inspect(cpu)
  }

  /** Looks at registers, as the guest or userspace would read them on this CPU. Changes nothing and is not traced. */
  peek(cpu: number, what: readonly Peek[]): readonly KvmAnswer[] {
    return what.map((one) => this.peekOne(cpu, one))
  }

  private peekOne(cpu: number, what: Peek): KvmAnswer {
    if (what.kind === 'call') {
      const { call } = what
      if (call.call === 'KVM_GET_ONE_REG' || call.call === 'KVM_GET_DEVICE_ATTR') return this.kvm.execute(call)
      return NO_PEEK
    }
    const name = what.kind === 'mmio' ? registerName(what.frame, what.offset) : systemRegisterName(what.encoding)
    if (readEffect(name) !== undefined) return NO_PEEK
    const value =
      what.kind === 'mmio'
        ? this.machine.peekFrame(what.frame, cpu, what.offset, what.width)
        : this.peekSystem(cpu, what.encoding)
    return value === undefined ? { ...NO_PEEK, why: `The guest cannot read ${name} here.` } : { ok: true, value }
  }

  /** Who wrote a system register last; `undefined`: nobody since its CPU was reset, or since the trace is watched. */
  lastWrite(cpu: number, encoding: number): (LastWrite & { readonly symbol?: string }) | undefined {
    const write = this.machine.lastWrites.of(cpu, encoding)
    if (write === undefined) return undefined
    const found = this.symbols()
    const symbol = found.ok ? symbolText(found.symbols.at(write.pc)) : undefined
    return { ...write, ...(symbol === undefined ? {} : { symbol }) }
  }

  private peekSystem(cpu: number, encoding: number): bigint | undefined {
    const { machine } = this
    const { vgic } = this.kvm
    if (cpu >= machine.core.cpus.length) return undefined
    // The GIC's are asked of the GIC: what the guest itself reads there is told to the trace.
    if (vgic?.sysregs.registers.includes(encoding) === true) return vgic.sysregs.read(cpu, encoding, 1)
    if (encoding === ICH_VTR_EL2) return BigInt(encodeIchVtr(this.blueprint.host))
    return machine.peekSystem(cpu, encoding) ?? vgic?.hypervisorRegister(cpu, encoding)
  }

  /** The symbols of the guest's kernel. */
  symbols(): FoundSymbols {
    return this.inspector.symbols()
  }

  /** What a person sees; changes nothing. */
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
        pc: core.banks.pcOf(cpu),
        el: cpu.el,
        frozen: cpu.frozen,
        ...(gic?.cpus[cpu.index] ?? NO_GIC),
      })),
      frames: gic?.frames ?? [],
      spis: gic?.spis ?? [],
      gicdCtlr: gic?.gicdCtlr ?? 0,
      gicdTyper: gic?.gicdTyper ?? 0,
      ...this.kvm.devices.inspectIts(),
    }
  }
}

/** KVM_RUN of every vCPU; then there is a machine. */
export function finish(frame: Frame, blueprint: Blueprint, devices: BoardDevices): Made {
  const ran = frame.kvm.firstRun()
  if (!ran.ok) return { ok: false, what: `KVM_RUN answered ${ran.errno}: ${ran.why}` }
  return { ok: true, vmm: new Vmm(frame, blueprint, devices) }
}

/** What a plan that a person wrote may lack, as a sentence. */
export const incomplete = ({ vgic, vcpus }: Kvm, blueprint: Blueprint): string | undefined => {
  if (vgic === undefined) return 'The plan makes no GIC: KVM_CREATE_DEVICE is missing in it.'
  if (vcpus.length === blueprint.vcpus) return undefined
  return `The plan creates ${vcpus.length} vCPUs, and the machine is to have ${blueprint.vcpus}.`
}

export function createVmm(o: VmmOptions): Made {
  const { blueprint, guest } = o
  const frame = frameOf(o)
  if (typeof frame === 'string') return { ok: false, what: frame }
  const { machine, kvm, calls } = frame
  const refused = execute(frame, planOf(blueprint)) ?? incomplete(kvm, blueprint)
  if (refused !== undefined) return { ok: false, what: refused, calls }
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
      const pmu = kvm.vcpus[0]?.pmu.irq
      return { ok: true, dtb: deviceTree({ cpu, gic, its, pmu, affinities, memory, ...chosen }) }
    },
    write: (physical, bytes) => machine.ram(physical, bytes.length)?.set(bytes),
  })
  if (!placed.ok) return placed
  const notBootable = execute(frame, bootCalls(placed.entry, placed.dtb))
  if (notBootable !== undefined) return { ok: false, what: notBootable, calls }
  return finish(frame, blueprint, attachDevices(frame, o))
}
