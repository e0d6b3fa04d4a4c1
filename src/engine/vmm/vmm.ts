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
import { settleLevels } from '../../pure/image/levels.ts'
import { ORDERS } from '../../pure/image/orders.ts'
import { GICV2_ORDERS } from '../../pure/image/orders-v2.ts'
import { restore, restorePlan, stopText } from '../../pure/image/restore.ts'
import { saveVm } from '../../pure/image/save.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { registerName } from '../../pure/arch/frames.ts'
import type { SgiRegisterName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { systemRegisterName } from '../../pure/arch/sysregs/names.ts'
import { readEffect } from '../../pure/uapi/registers/row.ts'
import type { Peek } from '../../pure/uapi/registers/row.ts'
import { callText } from '../../pure/uapi/calls.ts'
import type { EventName, TraceEvent } from '../../pure/trace/events.ts'
import type { TraceBatch } from '../../pure/trace/ring.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { FIRST_SPI, PPI } from '../../pure/arch/intid.ts'
import type { Saved } from '../bus/device-state.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { MeterReading } from '../cpu/meter.ts'
import { GenericTimer } from '../devices/generic-timer.ts'
import { Pl011 } from '../devices/pl011.ts'
import { Pl031 } from '../devices/pl031.ts'
import { EmptyVirtioSlots } from '../devices/virtio-mmio.ts'
import type { CpuGicInspection, CpuInterrupts, FrameInspection, SpiInspection } from '../gic/inspect.ts'
import type { LpiInspection } from '../gic/its/inspect.ts'
import type { Vgic } from '../gic/vgic.ts'
import { Kvm } from '../kvm/kvm.ts'
import type { PlacedIts } from '../kvm/kvm.ts'
import { Machine } from '../machine/machine.ts'
import type { LastWrite } from '../machine/last-writes.ts'
import type { Stop } from '../machine/machine.ts'
import { CpuInspector, symbolText } from './inspect-cpu.ts'
import type { CpuDetail } from './inspect-cpu.ts'
import type { FoundSymbols } from './kallsyms.ts'
import { KernelLogReader } from './kernel-log.ts'
import type { KernelLog } from './kernel-log.ts'
import { placeGuest } from './load.ts'
import { sendSgi } from './send-sgi.ts'
import type { SentSgi } from './send-sgi.ts'
import { writeSnapshot } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'
import { Tracing } from './tracing.ts'

export type { CpuInterrupts, FrameInspection, SpiInspection } from '../gic/inspect.ts'
export type { Stop } from '../machine/machine.ts'

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
  /** Whether calls and regions are counted for `meter`, which costs time. Default: no. */
  readonly metered?: boolean
}

/** `time`: as long as asked; `idle`: every CPU waits; `break`: `stop()` says where; `off`, `reset`: the guest asked for it; `stuck`: no CPU is on. */
export type RunEnd = 'time' | 'idle' | 'break' | 'off' | 'reset' | 'stuck'

export interface CpuInspection extends CpuGicInspection {
  readonly index: number
  readonly mpidr: bigint
  readonly state: 'off' | 'waiting' | 'running'
  readonly instructions: number
  readonly pc: bigint
  readonly el: 0 | 1
  readonly frozen: boolean
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
  /** Modules made so far, and how many of them have not been evicted; their bytes of WebAssembly. */
  readonly modules: number
  readonly liveModules: number
  readonly moduleBytes: number
  /** How often every region was forgotten, because too many modules lived. */
  readonly evictions: number
  /** Flushes of the whole soft TLB, or of all of an address space's. */
  readonly tlbFlushes: number
  /** Words that are no instruction of this CPU, and how often each was met. */
  readonly undefinedWords: readonly (readonly [word: number, count: number])[]
}

export interface PlannedCall {
  readonly call: KvmCall
  readonly answer: KvmAnswer
}

export type Made =
  | { readonly ok: true; readonly vmm: Vmm }
  /** `calls`: what was called before the plan ended at a refusal. */
  | { readonly ok: false; readonly what: string; readonly calls?: readonly PlannedCall[] }

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
  snapshot(): { readonly ok: true; readonly file: Uint8Array } | { readonly ok: false; readonly what: string } {
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
    this.machine.core.setBreakpoints(addresses)
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
    const cpu = core.cpus[core.last]
    if (cpu === undefined || core.ready.count === 0) return undefined
    return { cpu: cpu.index, pc: core.pcOf(cpu), el: cpu.el }
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
        pc: core.pcOf(cpu),
        el: cpu.el,
        frozen: cpu.frozen,
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
function createMachine(o: Pick<VmmOptions, 'blueprint' | 'engine' | 'metered'>): Machine | string {
  const { blueprint } = o
  try {
    return new Machine({
      ramBase: memoryMap.ram.base,
      ramSize: blueprint.memory,
      cpu: blueprint.cpu,
      translate: o.engine === 'translator',
      metered: o.metered ?? false,
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return `This browser or computer has no room for ${blueprint.memory / 2 ** 20} MiB of guest memory; choose less.`
  }
}

/** The parts of a machine that are there before its plan is executed. */
interface Frame {
  readonly machine: Machine
  readonly kvm: Kvm
  readonly tracing: Tracing
  readonly calls: PlannedCall[]
}

/** A line of the GIC that is not there yet when its driver is made. */
class LaterLine implements IrqLine {
  private line: IrqLine | undefined
  private readonly find: () => IrqLine

  constructor(find: () => IrqLine) {
    this.find = find
  }

  set(level: boolean): void {
    this.line ??= this.find()
    this.line.set(level)
  }
}

const vgicOf = ({ vgic }: Kvm): Vgic => {
  if (vgic === undefined) throw new Error('the plan made no vGIC')
  return vgic
}

/** Processor, KVM and timers: what KVM calls can be made of. */
function frameOf(o: Pick<VmmOptions, 'blueprint' | 'engine' | 'trace' | 'metered'>): Frame | string {
  const { blueprint } = o
  const machine = createMachine(o)
  if (typeof machine === 'string') return machine
  const kvm: Kvm = new Kvm({
    hardware: machine,
    rules: rulesFor(blueprint.ruleSet, blueprint.base),
    host: blueprint.host,
    onCpuReset: (cpu) => timer.reset(cpu),
  })
  const ppi = (cpu: number, intid: number): IrqLine => new LaterLine(() => vgicOf(kvm).ppi(cpu, intid))
  const timer = new GenericTimer({
    clock: machine.clock,
    lines: (cpu) => ({ physical: ppi(cpu, PPI.physicalTimer), virtual: ppi(cpu, PPI.virtualTimer) }),
  })
  for (let cpu = 0; cpu < blueprint.vcpus; cpu++) timer.addCpu()
  machine.own(timer.sysregs)
  const pmuLines = Array.from({ length: blueprint.vcpus }, (_, cpu) => ppi(cpu, PPI.pmu))
  machine.onPmuInterrupt((cpu) => pmuLines[cpu])
  const tracing = new Tracing(machine, () => kvm.vgic)
  if (o.trace === true) tracing.watch(() => true)
  return { machine, kvm, tracing, calls: [] }
}

/** Executes calls, and keeps what was answered. */
const execute = ({ kvm, calls }: Frame, list: readonly KvmCall[]): string | undefined => {
  for (const call of list) {
    const answer = kvm.execute(call)
    calls.push({ call, answer })
    if (!answer.ok) return `${callText(call)} answered ${answer.errno}: ${answer.why}`
  }
  return undefined
}

interface BoardDevices {
  readonly uart: Pl011
  readonly rtc: Pl031
}

/** Once there is a GIC. */
function attachDevices(
  { machine, kvm, tracing }: Frame,
  o: Pick<VmmOptions, 'onConsole' | 'wallClockSeconds'>,
): BoardDevices {
  const vgic = vgicOf(kvm)
  const uart = new Pl011({
    base: memoryMap.pl011.base,
    irq: vgic.spi(FIRST_SPI + memoryMap.pl011.spi),
    transmit: (bytes) => {
      tracing.transmitted(bytes)
      o.onConsole(bytes)
    },
  })
  const rtc = new Pl031({
    base: memoryMap.pl031.base,
    irq: vgic.spi(FIRST_SPI + memoryMap.pl031.spi),
    clock: machine.clock,
    seconds: o.wallClockSeconds ?? 0,
  })
  machine.attach(uart)
  machine.attach(rtc)
  machine.attach(new EmptyVirtioSlots(memoryMap.virtioMmio.base, memoryMap.virtioMmio.slots))
  return { uart, rtc }
}

/** KVM_RUN of every vCPU; then there is a machine. */
function finish(frame: Frame, blueprint: Blueprint, devices: BoardDevices): Made {
  const ran = frame.kvm.firstRun()
  if (!ran.ok) return { ok: false, what: `KVM_RUN answered ${ran.errno}: ${ran.why}` }
  return { ok: true, vmm: new Vmm(frame, blueprint, devices) }
}

/** What a plan that a person wrote may lack, as a sentence. */
const incomplete = ({ vgic, vcpus }: Kvm, blueprint: Blueprint): string | undefined => {
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
      return { ok: true, dtb: deviceTree({ cpu, gic, its, affinities, memory, ...chosen }) }
    },
    write: (physical, bytes) => machine.ram(physical, bytes.length)?.set(bytes),
  })
  if (!placed.ok) return placed
  const notBootable = execute(frame, bootCalls(placed.entry, placed.dtb))
  if (notBootable !== undefined) return { ok: false, what: notBootable, calls }
  return finish(frame, blueprint, attachDevices(frame, o))
}

export interface RestoreOptions extends Pick<VmmOptions, 'engine' | 'onConsole' | 'trace' | 'metered'> {
  readonly snapshot: Snapshot
  /** Where it goes on, where that is another place: rule set, base and host of another blueprint. */
  readonly onto?: Pick<Blueprint, 'ruleSet' | 'base' | 'host'>
}

/** Goes on with a saved machine, or says at which register KVM refused it. */
export function restoreVmm(o: RestoreOptions): Made {
  const { snapshot } = o
  const blueprint: Blueprint = { ...snapshot.blueprint, ...o.onto }
  const frame = frameOf({ ...o, blueprint })
  if (typeof frame === 'string') return { ok: false, what: frame }
  const { machine, kvm, calls } = frame
  machine.startAt(snapshot.run.now)
  machine.ram(memoryMap.ram.base, snapshot.ram.length)?.set(snapshot.ram)
  const answer = restore(
    (call) => {
      const given = kvm.execute(call)
      calls.push({ call, answer: given })
      return given
    },
    restorePlan(snapshot.image, (snapshot.image.gic.version === 2 ? GICV2_ORDERS : ORDERS).documented),
  )
  if (!answer.ok) return { ok: false, what: `The snapshot cannot be restored here: ${stopText(answer)}` }
  const devices = attachDevices(frame, o)
  for (const [name, device] of Object.entries(devices)) {
    const state = snapshot.devices[name]
    if (state === undefined) return { ok: false, what: `The snapshot has no state of the ${name}.` }
    try {
      device.restoreState(state)
    } catch (error) {
      return { ok: false, what: `The snapshot's ${name}: ${error instanceof Error ? error.message : String(error)}.` }
    }
  }
  settleLevels((call) => kvm.execute(call), snapshot.image.gic, snapshot.image.vcpus)
  const made = finish(frame, blueprint, devices)
  if (made.ok) machine.restoreRunState(snapshot.run)
  return made
}
