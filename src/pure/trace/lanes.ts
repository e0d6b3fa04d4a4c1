/**
 * The lanes of a timeline: slices that begin and end, marks, and arrows from an SGI to whoever acknowledges it.
 * Whoever draws, counts or exports them listens.
 */
import { FRAME_NAMES, FRAMES } from '../arch/frames.ts'
import { irqName } from '../arch/intid.ts'
import { syndromeClass, syndromeText } from '../arch/syndrome.ts'
import type { TraceEvent } from './events.ts'
import { eventAt } from './read.ts'
import type { TraceBatch } from './ring.ts'

/** The lanes of a CPU: whether it runs, its exceptions, its interrupts from acknowledge to end, and what it did. */
export const CPU_LANES = ['state', 'exceptions', 'interrupts', 'accesses'] as const
export type CpuLane = (typeof CPU_LANES)[number]

const PER_CPU = CPU_LANES.length
const DEVICES = 1 << 16

export const cpuLane = (cpu: number, lane: CpuLane): number => cpu * PER_CPU + CPU_LANES.indexOf(lane)
/** After the lanes of CPUs come those of devices, in the order of their names, then these. */
export const VMM_LANE = DEVICES + FRAME_NAMES.length
export const CONSOLE_LANE = VMM_LANE + 1
export const deviceLane = (frame: (typeof FRAME_NAMES)[number]): number => DEVICES + FRAME_NAMES.indexOf(frame)

export interface LaneName {
  /** `CPU 3`, or what a device is. */
  readonly owner: string
  readonly cpu: number | undefined
  readonly lane: CpuLane | undefined
}

export const laneName = (lane: number): LaneName => {
  if (lane < DEVICES) {
    const cpu = Math.floor(lane / PER_CPU)
    return { owner: `CPU ${cpu}`, cpu, lane: CPU_LANES[lane % PER_CPU] }
  }
  const frame = FRAME_NAMES[lane - DEVICES]
  const owner = frame === undefined ? (lane === VMM_LANE ? 'VMM' : 'Console') : FRAMES[frame].title
  return { owner, cpu: undefined, lane: undefined }
}

/** What a slice is, as a number that a drawer can colour by without reading the event. */
const STATES = ['off', 'waiting', 'running'] as const
export type CpuRunState = (typeof STATES)[number]
const VECTORS = ['sync', 'irq', 'fiq', 'serror'] as const
const CLASSES = 64

export const stateCode = (state: CpuRunState): number => STATES.indexOf(state)

export const sliceName = (lane: CpuLane, code: number): string => {
  if (lane === 'state') return STATES[code] ?? ''
  if (lane === 'interrupts') return irqName(code)
  const vector = VECTORS[Math.floor(code / CLASSES)] ?? 'sync'
  return vector === 'sync' ? syndromeText((code % CLASSES) << 26) : vector.toUpperCase()
}

export interface LaneListener {
  /** A slice begins, inside those of its lane that are open. `event`: its number in the run. */
  begin(lane: number, time: number, code: number, event: number): void
  /** The innermost open slice of the lane ends. */
  end(lane: number, time: number): void
  mark(lane: number, time: number, event: number, kind: TraceEvent['kind']): void
  arrow(from: number, sent: number, to: number, acknowledged: number, intid: number): void
}

interface Open {
  readonly code: number
}

/** An SGI on its way; later ones of the same number to the same CPU are one with it (IHI 0069, 4.4). */
interface Sent {
  readonly from: number
  readonly time: number
}

export class Lanes {
  private readonly listener: LaneListener
  private readonly open = new Map<number, Open[]>()
  /** By target and INTID. */
  private readonly sent = new Map<number, Sent>()
  private time = 0

  constructor(listener: LaneListener) {
    this.listener = listener
  }

  feed(batch: TraceBatch): void {
    for (let i = 0; i < batch.times.length; i++) this.add(batch.times[i] ?? 0, batch.first + i, eventAt(batch, i))
  }

  /** Ends what is open, at the time of the last event. */
  finish(): void {
    for (const [lane, slices] of this.open) for (const _ of slices.splice(0)) this.listener.end(lane, this.time)
  }

  /** `number`: of the event in its run. */
  add(time: number, number: number, event: TraceEvent): void {
    this.time = time
    const { listener } = this
    switch (event.kind) {
      case 'cpuState':
        return this.state(event.cpu ?? 0, event.state, time, number)
      case 'exceptionTaken':
        return this.begin(
          cpuLane(event.cpu ?? 0, 'exceptions'),
          time,
          VECTORS.indexOf(event.vector) * CLASSES + syndromeClass(event.esr),
          number,
        )
      case 'exceptionReturned': {
        const lane = cpuLane(event.cpu ?? 0, 'exceptions')
        // A scheduler may have left the exceptions of another task open: at EL0 there are none.
        this.endFrom(lane, event.el === 0 ? 0 : (this.open.get(lane)?.length ?? 1) - 1, time)
        return
      }
      case 'acknowledged': {
        const cpu = event.cpu ?? 0
        this.begin(cpuLane(cpu, 'interrupts'), time, event.intid, number)
        const key = cpu * 16 + event.intid
        const sent = event.intid < 16 ? this.sent.get(key) : undefined
        if (sent !== undefined) listener.arrow(sent.from, sent.time, cpu, time, event.intid)
        this.sent.delete(key)
        return
      }
      case 'eoi': {
        const lane = cpuLane(event.cpu ?? 0, 'interrupts')
        const at = (this.open.get(lane) ?? []).findLastIndex(({ code }) => code === event.intid)
        if (at >= 0) this.endFrom(lane, at, time)
        return
      }
      case 'sgiSent': {
        const from = event.cpu ?? 0
        listener.mark(cpuLane(from, 'accesses'), time, number, event.kind)
        for (const target of event.targets) {
          const key = target * 16 + event.intid
          if (!this.sent.has(key)) this.sent.set(key, { from, time })
        }
        return
      }
      case 'irqPending':
        if (event.cpu !== undefined) listener.mark(cpuLane(event.cpu, 'accesses'), time, number, event.kind)
        return
      case 'message':
      case 'itsCommand':
        return listener.mark(deviceLane('GITS'), time, number, event.kind)
      case 'mmio':
        if (event.cpu !== undefined && FRAMES[event.frame].gic)
          listener.mark(cpuLane(event.cpu, 'accesses'), time, number, event.kind)
        return listener.mark(deviceLane(event.frame), time, number, event.kind)
      case 'sysregWritten':
      case 'hypercall':
        return listener.mark(cpuLane(event.cpu ?? 0, 'accesses'), time, number, event.kind)
      case 'kvmCall':
        return listener.mark(VMM_LANE, time, number, event.kind)
      case 'consoleLine':
        return listener.mark(CONSOLE_LANE, time, number, event.kind)
      default:
        event satisfies never
    }
  }

  private state(cpu: number, state: CpuRunState, time: number, event: number): void {
    const lane = cpuLane(cpu, 'state')
    this.endFrom(lane, 0, time)
    if (state === 'off') {
      this.endFrom(cpuLane(cpu, 'exceptions'), 0, time)
      this.endFrom(cpuLane(cpu, 'interrupts'), 0, time)
    } else this.begin(lane, time, stateCode(state), event)
  }

  private begin(lane: number, time: number, code: number, event: number): void {
    let open = this.open.get(lane)
    if (open === undefined) this.open.set(lane, (open = []))
    // A guest that takes exceptions and never returns must not fill memory.
    if (open.length >= DEEPEST) this.endFrom(lane, DEEPEST - 1, time)
    open.push({ code })
    this.listener.begin(lane, time, code, event)
  }

  /** Ends the open slices of a lane from a depth on, innermost first. */
  private endFrom(lane: number, depth: number, time: number): void {
    const open = this.open.get(lane)
    for (let left = open?.length ?? 0; left > Math.max(0, depth); left--) {
      open?.pop()
      this.listener.end(lane, time)
    }
  }
}

/** Slices inside slices, at most. */
export const DEEPEST = 6
