import { describe, expect, it } from 'vitest'
import { FRAMES, FRAME_NAMES, registerName } from '../arch/frames.ts'
import { EVENT_NAMES, eventText } from './events.ts'
import type { TraceEvent } from './events.ts'
import { batchFault, eventAt } from './read.ts'
import { TraceRing } from './ring.ts'

const MAX = 0xffff_ffff_ffff_ffffn

/** At least one of every kind, with the ends of each field's range among them. */
const SAMPLES: readonly TraceEvent[] = [
  { kind: 'cpuState', cpu: 511, state: 'waiting', pc: MAX },
  { kind: 'exceptionTaken', cpu: 0, vector: 'serror', esr: 0xffff_ffff, from: 0x8000_0000_0000_0001n },
  { kind: 'exceptionReturned', cpu: 1, el: 0, to: 0n },
  {
    kind: 'sgiSent',
    cpu: 3,
    register: 'ICC_SGI0R_EL1',
    value: 0x0100_0000_0500_0003n,
    intid: 5,
    targets: [0, 1, 500],
    misses: [
      { affinity: 0xff00_0002, why: 'no such CPU', cpu: undefined },
      { affinity: 1, why: 'in Group 1', cpu: 1 },
    ],
  },
  { kind: 'irqPending', cpu: undefined, intid: 1019 },
  { kind: 'acknowledged', cpu: 2, intid: 27, priority: 0xa0 },
  { kind: 'eoi', cpu: 2, intid: 27, deactivated: false },
  { kind: 'message', device: 0xffff_ffff, event: 3, intid: 8195, failed: 'none' },
  { kind: 'message', device: 0x10, event: 4, intid: 0, failed: 'INT_UNMAPPED_INTERRUPT' },
  { kind: 'itsCommand', word0: 0x7_0000_0003n, word1: 5n, word2: 0n, word3: MAX, failed: 'none' },
  { kind: 'itsCommand', word0: 0x29n, word1: 0n, word2: 0n, word3: 0n, failed: 'NO_COMMAND' },
  { kind: 'mmio', cpu: 1, frame: 'GICR', owner: 7, offset: 0x10100, width: 4, write: true, value: 0xffffn, pc: MAX },
  { kind: 'sysregWritten', cpu: 0, encoding: 0xc230, value: 0xf0n, pc: 4n },
  { kind: 'hypercall', cpu: 0, fn: 0xc400_0003, x1: 1n, x2: 2n, x3: 3n, returns: true, answer: MAX - 1n },
  { kind: 'kvmCall', call: 'KVM_GET_ONE_REG vcpu 0 MPIDR_EL1', answer: 'ENOENT' },
  { kind: 'consoleLine', line: 'GICv3: CPU1 – found redistributor' },
  { kind: 'consoleLine', line: '' },
]

describe('a trace', () => {
  it('gives back every kind of event as it was told', () => {
    const ring = new TraceRing()
    SAMPLES.forEach((event, i) => ring.record(i * 1e9 + 0.25, event))
    const batch = ring.take()
    if (batch === undefined) throw new Error('nothing was taken')
    expect(batchFault(batch)).toBeUndefined()
    expect(SAMPLES.map((_, i) => eventAt(batch, i))).toEqual(SAMPLES)
    expect([...batch.times]).toEqual(SAMPLES.map((_, i) => i * 1e9 + 0.25))
    expect(new Set(SAMPLES.map(({ kind }) => kind))).toEqual(new Set(EVENT_NAMES))
    expect(ring.take()).toBeUndefined()
  })

  it('says what happened in the words of Arm and Linux', () => {
    expect(SAMPLES.map(eventText)).toEqual([
      'CPU 511 waits at 0xffffffffffffffff',
      'SERROR on CPU 0 at 0x8000000000000001',
      'CPU 1 returns to EL0 at 0x0',
      'SGI 5: CPU 3 → CPUs 0, 1, 500. No CPU has the affinity ff.0.0.2. The SGI is in Group 1 on CPU 1; this register raises Group 0 only.',
      'SPI 987 is pending and goes to no CPU',
      'CPU 2 acknowledges EL1 virtual timer at priority 0xa0',
      'CPU 2 ends EL1 virtual timer, which stays active',
      'Event 3 of device 0xffffffff is LPI 8195',
      'Event 4 of device 0x10 is lost: the event or its collection is not mapped',
      'ITS: INT DeviceID 0x7, EventID 5',
      'ITS: no command 0x29, passed over: an ITS of a GICv3 has no such command',
      'CPU 1 writes GICR_ISENABLER0 of CPU 7 = 0xffff',
      'CPU 0 writes ICC_PMR_EL1 = 0xf0',
      'CPU 0 calls CPU_ON(0x1, 0x2, 0x3) → INVALID_PARAMS',
      'KVM_GET_ONE_REG vcpu 0 MPIDR_EL1 → ENOENT',
      'GICv3: CPU1 – found redistributor',
      '',
    ])
  })

  it('loses the oldest where nobody takes them, and counts them', () => {
    const ring = new TraceRing({ events: 8, words: 1024 })
    for (let intid = 0; intid < 20; intid++) ring.record(intid, { kind: 'irqPending', cpu: 0, intid })
    const batch = ring.take()
    expect(batch?.first).toBe(12)
    expect(ring.lost).toBe(12)
    expect(batch && eventAt(batch, 0)).toEqual({ kind: 'irqPending', cpu: 0, intid: 12 })
    expect(batch && eventAt(batch, 7)).toEqual({ kind: 'irqPending', cpu: 0, intid: 19 })
  })

  it('stays whole when the fields of its events need more room than there is', () => {
    const ring = new TraceRing({ events: 1024, words: 64 })
    const event = (i: number): TraceEvent => ({ kind: 'consoleLine', line: `${i} `.repeat(1 + (i % 9)) })
    for (let i = 0; i < 300; i++) ring.record(i, event(i))
    const batch = ring.take()
    if (batch === undefined) throw new Error('nothing was taken')
    expect(batchFault(batch)).toBeUndefined()
    expect(batch.times.length).toBeGreaterThan(3)
    expect(Array.from(batch.times, (_, i) => eventAt(batch, i))).toEqual(Array.from(batch.times, (time) => event(time)))
  })

  it('keeps only the kinds that are wanted', () => {
    const ring = new TraceRing()
    ring.keep((name) => name === 'eoi')
    for (const event of SAMPLES) ring.record(0, event)
    expect(ring.take()?.kinds).toHaveLength(1)
  })
})

describe('a batch that is none', () => {
  const good = (): NonNullable<ReturnType<TraceRing['take']>> => {
    const ring = new TraceRing()
    SAMPLES.forEach((event, i) => ring.record(i, event))
    const batch = ring.take()
    if (batch === undefined) throw new Error('nothing was taken')
    return batch
  }
  it.each([
    ['a column too short', () => ({ ...good(), cpus: new Int16Array(1) }), 'columns differ in length'],
    ['an unknown kind', () => ({ ...good(), kinds: good().kinds.fill(200) }), 'event 0 is of no known kind'],
    ['fields past the end', () => ({ ...good(), words: new Uint32Array(3) }), 'fields in disorder'],
    ['time that runs back', () => ({ ...good(), times: good().times.toReversed() }), 'earlier than the one before'],
    ['no time', () => ({ ...good(), times: good().times.fill(Number.NaN) }), 'earlier than the one before'],
    ['a number that is none', () => ({ ...good(), first: 0.5 }), 'the number of the first event is none'],
  ])('is found: %s', (_, make, what) => {
    expect(batchFault(make())).toContain(what)
  })
})

describe('names of registers', () => {
  it('tell the word of a bank, the interrupt of a route, and the part of a register', () => {
    expect(registerName('GICD', 0x104)).toBe('GICD_ISENABLER<1>')
    expect(registerName('GICD', 0x6000 + 8 * 42)).toBe('GICD_IROUTER<42>')
    expect(registerName('GICD', 0x6000 + 8 * 42 + 4)).toBe('GICD_IROUTER<42>+4')
    expect(registerName('GICR', 0xc)).toBe('GICR_TYPER+4')
    expect(registerName('GICR', 0x10100)).toBe('GICR_ISENABLER0')
    expect(registerName('PL031', 0x500)).toBe('PL031+0x500')
  })

  it('are there for every frame that there is', () => {
    expect(FRAME_NAMES.toSorted()).toEqual(Object.keys(FRAMES).toSorted())
  })
})
