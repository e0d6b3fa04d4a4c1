/**
 * What a machine tells of itself while it runs: a row for each kind of event. From the row come its place in the
 * binary trace, its TypeScript type, its lane of the timeline and its text. Virtual time is not a field: whoever
 * records an event adds it.
 */
import { affinityText } from '../arch/affinity.ts'
import { commandText, ITS_ERROR_NAMES, ITS_ERRORS } from '../arch/gic/its-commands.ts'
import { FRAME_NAMES, registerName } from '../arch/frames.ts'
import { irqName } from '../arch/intid.ts'
import { psciCall, psciReturnName } from '../arch/psci.ts'
import { syndromeText } from '../arch/syndrome.ts'
import { systemRegisterName } from '../arch/sysregs/names.ts'
import { fieldReader, flag, group, list, maybeCpu, oneOf, text, u32, u64 } from './fields.ts'
import type { Fields, ValuesOf, WordSource } from './fields.ts'

/** The lane an event stands in: that of its CPU, of a device, of the VMM, or of the console. */
export type LaneKind = 'cpu' | 'device' | 'vmm' | 'console'

export interface EventRow {
  readonly lane: LaneKind
  /** What several of them are called. */
  readonly title: string
  /** In the order in which they lie in the trace. */
  readonly fields: Fields
  read(from: WordSource, into?: Record<string, unknown>): Readonly<Record<string, unknown>>
  text(values: Readonly<Record<string, unknown>>): string
}

const event = <const Table extends Fields>(
  lane: LaneKind,
  title: string,
  fields: Table,
  textOf: (values: ValuesOf<Table>) => string,
) => ({
  lane,
  title,
  fields,
  read: fieldReader(fields),
  // A method, so that a row of these values is a row of any.
  text(values: ValuesOf<Table>): string {
    return textOf(values)
  },
})

const hex = (value: bigint | number): string => `0x${value.toString(16)}`
const cpuText = (cpu: number | undefined): string => (cpu === undefined ? 'no CPU' : `CPU ${cpu}`)
const cpusText = (cpus: readonly number[]): string =>
  cpus.length === 0 ? 'no CPU' : `CPU${cpus.length === 1 ? '' : 's'} ${cpus.join(', ')}`

/** The CPU that did it or had it done. Where there is none, nobody asked. */
const cpu = maybeCpu

const miss = group({
  affinity: u32,
  why: oneOf('no such CPU', 'in Group 1'),
  /** The CPU that has the affinity, where there is one. */
  cpu: maybeCpu,
})
export type SgiMiss = ValuesOf<{ readonly miss: typeof miss }>['miss']

/** Why an SGI did not arrive, as a sentence. */
export const missText = ({ affinity, why, cpu: at }: SgiMiss): string =>
  why === 'no such CPU'
    ? `No CPU has the affinity ${affinityText(affinity)}.`
    : `The SGI is in Group 1 on ${cpuText(at)}; this register raises Group 0 only.`

/** Why an ITS does nothing; `none`: it does. */
const itsFailure = oneOf('none', ...ITS_ERROR_NAMES)

export const events = {
  cpuState: event(
    'cpu',
    'CPUs going on, waiting, off',
    { cpu, state: oneOf('off', 'waiting', 'running'), pc: u64 },
    (e) =>
      e.state === 'off'
        ? `${cpuText(e.cpu)} is off`
        : `${cpuText(e.cpu)} ${e.state === 'waiting' ? 'waits' : 'runs'} at ${hex(e.pc)}`,
  ),
  exceptionTaken: event(
    'cpu',
    'exceptions taken',
    { cpu, vector: oneOf('sync', 'irq', 'fiq', 'serror'), esr: u32, from: u64 },
    (e) =>
      `${e.vector === 'sync' ? syndromeText(e.esr) : e.vector.toUpperCase()} on ${cpuText(e.cpu)} at ${hex(e.from)}`,
  ),
  exceptionReturned: event(
    'cpu',
    'exception returns',
    { cpu, el: u32, to: u64 },
    (e) => `${cpuText(e.cpu)} returns to EL${e.el} at ${hex(e.to)}`,
  ),
  sgiSent: event(
    'cpu',
    'SGIs sent',
    {
      cpu,
      register: oneOf('ICC_SGI1R_EL1', 'ICC_ASGI1R_EL1', 'ICC_SGI0R_EL1', 'GICD_SGIR'),
      value: u64,
      intid: u32,
      targets: list(u32),
      misses: list(miss),
    },
    (e) => {
      const misses = e.misses.map(missText).join(' ')
      return `SGI ${e.intid}: ${cpuText(e.cpu)} → ${cpusText(e.targets)}${misses === '' ? '' : `. ${misses}`}`
    },
  ),
  irqPending: event('cpu', 'interrupts pending', { cpu, intid: u32 }, (e) =>
    e.cpu === undefined
      ? `${irqName(e.intid)} is pending and goes to no CPU`
      : `${irqName(e.intid)} is pending for CPU ${e.cpu}`,
  ),
  acknowledged: event(
    'cpu',
    'acknowledged',
    { cpu, intid: u32, priority: u32 },
    (e) => `${cpuText(e.cpu)} acknowledges ${irqName(e.intid)} at priority ${hex(e.priority)}`,
  ),
  eoi: event(
    'cpu',
    'ended',
    { cpu, intid: u32, deactivated: flag },
    (e) => `${cpuText(e.cpu)} ends ${irqName(e.intid)}${e.deactivated ? '' : ', which stays active'}`,
  ),
  /** A device's message at an ITS: the LPI it becomes, or why it becomes none. */
  message: event('device', 'messages to an ITS', { device: u32, event: u32, intid: u32, failed: itsFailure }, (e) => {
    const message = `Event ${e.event} of device ${hex(e.device)}`
    return e.failed === 'none' ? `${message} is ${irqName(e.intid)}` : `${message} is lost: ${ITS_ERRORS[e.failed]}`
  }),
  /** A command of an ITS is done, or passed over. */
  itsCommand: event(
    'device',
    'ITS commands',
    { word0: u64, word1: u64, word2: u64, word3: u64, failed: itsFailure },
    (e) =>
      `ITS: ${commandText([e.word0, e.word1, e.word2, e.word3])}${
        e.failed === 'none' ? '' : `, passed over: ${ITS_ERRORS[e.failed]}`
      }`,
  ),
  mmio: event(
    'device',
    'device accesses',
    { cpu, frame: oneOf(...FRAME_NAMES), owner: u32, offset: u32, width: u32, write: flag, value: u64, pc: u64 },
    (e) =>
      `${cpuText(e.cpu)} ${e.write ? 'writes' : 'reads'} ${registerName(e.frame, e.offset)}${
        e.frame === 'GICR' ? ` of CPU ${e.owner}` : ''
      } ${e.write ? '=' : '→'} ${hex(e.value)}`,
  ),
  sysregWritten: event(
    'cpu',
    'ICC registers written',
    { cpu, encoding: u32, value: u64, pc: u64 },
    (e) => `${cpuText(e.cpu)} writes ${systemRegisterName(e.encoding)} = ${hex(e.value)}`,
  ),
  hypercall: event(
    'cpu',
    'PSCI calls',
    { cpu, fn: u32, x1: u64, x2: u64, x3: u64, returns: flag, answer: u64 },
    (e) => {
      const call = psciCall(e.fn)
      const given = call === undefined ? hex(e.fn) : `${call.name}(${hex(e.x1)}, ${hex(e.x2)}, ${hex(e.x3)})`
      return `${cpuText(e.cpu)} calls ${given}${e.returns ? ` → ${psciReturnName(e.answer) ?? hex(e.answer)}` : ''}`
    },
  ),
  kvmCall: event('vmm', 'KVM calls', { call: text, answer: text }, (e) => `${e.call} → ${e.answer}`),
  consoleLine: event('console', 'console lines', { line: text }, (e) => e.line),
} as const satisfies Readonly<Record<string, EventRow>>

export type EventName = keyof typeof events
export type EventOf<Name extends EventName> = { readonly kind: Name } & ValuesOf<(typeof events)[Name]['fields']>
export type TraceEvent = { [Name in EventName]: EventOf<Name> }[EventName]

const isEventName = (name: string): name is EventName => Object.hasOwn(events, name)

/** Every kind, in the order of the numbers that stand for them in a trace. */
export const EVENT_NAMES: readonly EventName[] = Object.keys(events).filter(isEventName)

export const rowOf = (name: EventName): EventRow => events[name]

export const eventText = (of: TraceEvent): string => rowOf(of.kind).text(of)
