/** The trace of a machine: who watches, and what has been seen and not been taken. */
import type { EventName } from '../../pure/trace/events.ts'
import { TraceRing } from '../../pure/trace/ring.ts'
import type { TraceBatch } from '../../pure/trace/ring.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { callText } from '../../pure/uapi/calls.ts'
import { eventText } from '../../pure/trace/events.ts'
import type { TraceEvent, TraceSink } from '../bus/trace-sink.ts'
import type { Vgic } from '../gic/vgic.ts'
import type { Machine } from '../machine/machine.ts'

/** A line of the console longer than this is told in parts. */
const LONGEST_LINE = 200
const NEWLINE = 10
const RETURN = 13
const latin1 = new TextDecoder('latin1')

export class Tracing {
  private readonly machine: Machine
  private readonly vgic: () => Vgic | undefined
  private ring: TraceRing | undefined
  private line: number[] = []
  private wanted: ((event: TraceEvent) => boolean) | undefined

  constructor(machine: Machine, vgic: () => Vgic | undefined) {
    this.machine = machine
    this.vgic = vgic
  }

  /** Watches these kinds of events from now on; `undefined`: nobody watches any more, and what was not taken is gone. */
  watch(wanted: ((name: EventName) => boolean) | undefined): void {
    const begins = this.ring === undefined
    if (wanted === undefined) this.ring = undefined
    else {
      this.ring ??= new TraceRing()
      this.ring.keep(wanted)
    }
    this.connect()
    if (begins) this.tellStates()
  }

  /** Has the run come back after the first event that is wanted; `undefined`: after none. */
  breakAt(wanted: ((event: TraceEvent) => boolean) | undefined): void {
    this.wanted = wanted
    this.connect()
  }

  /** Puts a sink where events are told, while anybody listens. */
  private connect(): void {
    const { machine, ring, wanted } = this
    const sink: TraceSink = (event) => {
      ring?.record(machine.clock.now(), event)
      if (this.wanted?.(event) !== true) return
      this.wanted = undefined
      machine.breakAfter(eventText(event))
    }
    machine.trace.sink = ring === undefined && wanted === undefined ? undefined : sink
    const vgic = this.vgic()
    if (vgic !== undefined) vgic.onEvent = machine.trace.sink
  }

  /** Whoever begins to watch learns how the CPUs are. */
  private tellStates(): void {
    const { core, trace } = this.machine
    for (const cpu of core.cpus) {
      const state = !cpu.powered ? 'off' : cpu.waiting ? 'waiting' : 'running'
      trace.sink?.({ kind: 'cpuState', cpu: cpu.index, state, pc: core.banks.pcOf(cpu) })
    }
  }

  take(): TraceBatch | undefined {
    return this.ring?.take()
  }

  called(call: KvmCall, answer: KvmAnswer): void {
    this.machine.trace.sink?.({ kind: 'kvmCall', call: callText(call), answer: answer.ok ? 'ok' : answer.errno })
  }

  transmitted(bytes: Uint8Array): void {
    const { sink } = this.machine.trace
    if (sink === undefined) return
    for (const byte of bytes) {
      if (byte === NEWLINE || this.line.length >= LONGEST_LINE) {
        sink({ kind: 'consoleLine', line: latin1.decode(Uint8Array.from(this.line)) })
        this.line = []
      }
      if (byte !== NEWLINE && byte !== RETURN) this.line.push(byte)
    }
  }
}
