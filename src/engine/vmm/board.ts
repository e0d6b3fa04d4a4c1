/** The board of a machine: processor, KVM and timers, which are there before its plan; then the devices of QEMU's `virt`. */
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import { FIRST_SPI, PPI } from '../../pure/arch/intid.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import { callText } from '../../pure/uapi/calls.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { Thresholds } from '../cpu/translator/translator.ts'
import { GenericTimer } from '../devices/generic-timer.ts'
import { Pl011 } from '../devices/pl011.ts'
import { Pl031 } from '../devices/pl031.ts'
import { EmptyVirtioSlots } from '../devices/virtio-mmio.ts'
import { Kvm } from '../kvm/kvm.ts'
import { Machine } from '../machine/machine.ts'
import { Tracing } from './tracing.ts'

export interface PlannedCall {
  readonly call: KvmCall
  readonly answer: KvmAnswer
}

export interface FrameOptions {
  readonly blueprint: Blueprint
  readonly engine: 'interpreter' | 'translator'
  /** When the translator compiles. Default: as it is fastest. */
  readonly thresholds?: Thresholds
  /** Whether the trace is watched from the first instruction on. */
  readonly trace?: boolean
  /** Whether calls and regions are counted for `meter`, which costs time. Default: no. */
  readonly metered?: boolean
}

/** Reserves the machine's memory, which the host may not have. */
function createMachine(o: FrameOptions): Machine | string {
  const { blueprint } = o
  try {
    return new Machine({
      ramBase: memoryMap.ram.base,
      ramSize: blueprint.memory,
      cpu: blueprint.cpu,
      translate: o.engine === 'translator' && (o.thresholds ?? true),
      metered: o.metered ?? false,
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return `This browser or computer has no room for ${blueprint.memory / 2 ** 20} MiB of guest memory; choose less.`
  }
}

/** The parts of a machine that are there before its plan is executed. */
export interface Frame {
  readonly machine: Machine
  readonly kvm: Kvm
  readonly tracing: Tracing
  readonly calls: PlannedCall[]
  /** Wires to the GIC, which is made by the plan. */
  readonly wires: readonly LaterLine[]
}

/** A line of a GIC that is not there yet when its driver is made. */
class LaterLine implements IrqLine {
  private level = false
  private line: IrqLine | undefined
  private readonly find: () => IrqLine | undefined

  constructor(find: () => IrqLine | undefined) {
    this.find = find
  }

  set(level: boolean): void {
    this.level = level
    this.connect()
  }

  /** Tells the GIC its level, once there is one. */
  connect(): void {
    this.line ??= this.find()
    this.line?.set(this.level)
  }
}

/** Processor, KVM and timers: what KVM calls can be made of. */
export function frameOf(o: FrameOptions): Frame | string {
  const { blueprint } = o
  const machine = createMachine(o)
  if (typeof machine === 'string') return machine
  const kvm: Kvm = new Kvm({
    hardware: machine,
    rules: rulesFor(blueprint.ruleSet, blueprint.base),
    host: blueprint.host,
    onCpuReset: (cpu) => timer.reset(cpu),
  })
  const wires: LaterLine[] = []
  const wired = (find: () => IrqLine | undefined): IrqLine => {
    const wire = new LaterLine(find)
    wires.push(wire)
    return wire
  }
  const ppi = (cpu: number, intid: number): IrqLine => wired(() => kvm.vgic?.ppi(cpu, intid))
  const timer = new GenericTimer({
    clock: machine.clock,
    lines: (cpu) => ({ physical: ppi(cpu, PPI.physicalTimer), virtual: ppi(cpu, PPI.virtualTimer) }),
  })
  for (let cpu = 0; cpu < blueprint.vcpus; cpu++) timer.addCpu()
  machine.own(timer.sysregs)
  const pmuLines = Array.from({ length: blueprint.vcpus }, (_, cpu) => wired(() => kvm.pmuLine(cpu)))
  machine.onPmuInterrupt((cpu) => pmuLines[cpu])
  const tracing = new Tracing(machine, () => kvm.vgic)
  if (o.trace === true) tracing.watch(() => true)
  return { machine, kvm, tracing, calls: [], wires }
}

/** Executes calls, and keeps what was answered; why it ended before the last. */
export const execute = ({ kvm, calls }: Frame, list: readonly KvmCall[]): string | undefined => {
  for (const call of list) {
    const answer = kvm.execute(call)
    calls.push({ call, answer })
    if (!answer.ok) return `${callText(call)} answered ${answer.errno}: ${answer.why}`
  }
  return undefined
}

export interface BoardDevices {
  readonly uart: Pl011
  readonly rtc: Pl031
}

export interface DeviceOptions {
  readonly onConsole: (bytes: Uint8Array) => void
  /** Seconds since 1970 when the machine starts, for the real-time clock. Default: 0. */
  readonly wallClockSeconds?: number
}

/** Once there is a GIC. */
export function attachDevices({ machine, kvm, tracing, wires }: Frame, o: DeviceOptions): BoardDevices {
  const { vgic } = kvm
  if (vgic === undefined) throw new Error('the plan made no vGIC')
  for (const wire of wires) wire.connect()
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
