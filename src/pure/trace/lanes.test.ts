import { describe, expect, it } from 'vitest'
import { ChromeTrace } from './chrome.ts'
import type { TraceEvent } from './events.ts'
import { CONSOLE_LANE, cpuLane, deviceLane, Lanes, laneName, sliceName } from './lanes.ts'
import { TraceRing } from './ring.ts'
import type { TraceBatch } from './ring.ts'

const SVC = (0x15 << 26) >>> 0

const batchOf = (events: readonly (readonly [number, TraceEvent])[]): TraceBatch => {
  const ring = new TraceRing()
  for (const [time, event] of events) ring.record(time, event)
  const batch = ring.take()
  if (batch === undefined) throw new Error('no events')
  return batch
}

/** What a listener hears, a line each. */
const heard = (events: readonly (readonly [number, TraceEvent])[]): string[] => {
  const lines: string[] = []
  const name = (lane: number): string => {
    const { owner, lane: kind } = laneName(lane)
    return kind === undefined ? owner : `${owner} ${kind}`
  }
  const lanes = new Lanes({
    begin: (lane, time, code) => {
      const { lane: kind } = laneName(lane)
      lines.push(`${time} ${name(lane)} { ${kind === undefined ? '' : sliceName(kind, code)}`)
    },
    end: (lane, time) => lines.push(`${time} ${name(lane)} }`),
    mark: (lane, time, _, kind) => lines.push(`${time} ${name(lane)} ${kind}`),
    arrow: (from, sent, to, time, intid) => lines.push(`SGI ${intid} ${from}@${sent} → ${to}@${time}`),
  })
  lanes.feed(batchOf(events))
  lanes.finish()
  return lines
}

describe('lanes', () => {
  it('have a CPU running, waiting and off', () => {
    const state = (time: number, value: 'running' | 'waiting' | 'off') =>
      [time, { kind: 'cpuState', cpu: 1, state: value, pc: 0n }] as const
    expect(
      heard([state(0, 'off'), state(1, 'running'), state(5, 'waiting'), state(7, 'running'), state(9, 'off')]),
    ).toEqual([
      '1 CPU 1 state { running',
      '5 CPU 1 state }',
      '5 CPU 1 state { waiting',
      '7 CPU 1 state }',
      '7 CPU 1 state { running',
      '9 CPU 1 state }',
    ])
  })

  it('nest an interrupt that is taken inside a system call, and end all at the return to EL0', () => {
    expect(
      heard([
        [1, { kind: 'exceptionTaken', cpu: 0, vector: 'sync', esr: SVC, from: 0n }],
        [2, { kind: 'exceptionTaken', cpu: 0, vector: 'irq', esr: 0, from: 0n }],
        [3, { kind: 'exceptionReturned', cpu: 0, el: 1, to: 0n }],
        [4, { kind: 'exceptionTaken', cpu: 0, vector: 'irq', esr: 0, from: 0n }],
        [5, { kind: 'exceptionReturned', cpu: 0, el: 0, to: 0n }],
        [6, { kind: 'exceptionReturned', cpu: 0, el: 1, to: 0n }],
      ]),
    ).toEqual([
      '1 CPU 0 exceptions { SVC',
      '2 CPU 0 exceptions { IRQ',
      '3 CPU 0 exceptions }',
      '4 CPU 0 exceptions { IRQ',
      '5 CPU 0 exceptions }',
      '5 CPU 0 exceptions }',
    ])
  })

  it('lead from an SGI to each CPU that acknowledges it, and to nobody else', () => {
    const sgi = { kind: 'sgiSent', cpu: 0, register: 'ICC_SGI1R_EL1', value: 0n, intid: 3, misses: [] } as const
    const ack = (cpu: number, intid: number) => ({ kind: 'acknowledged', cpu, intid, priority: 0 }) as const
    expect(
      heard([
        [1, { ...sgi, targets: [1, 2] }],
        [2, { ...sgi, targets: [2] }],
        [5, ack(2, 3)],
        [6, ack(1, 3)],
        [7, { kind: 'eoi', cpu: 2, intid: 3, deactivated: true }],
        [8, ack(2, 3)],
        [9, ack(1, 27)],
      ]).filter((line) => line.startsWith('SGI') || line.includes('}')),
    ).toEqual([
      'SGI 3 0@1 → 2@5',
      'SGI 3 0@1 → 1@6',
      '7 CPU 2 interrupts }',
      '9 CPU 2 interrupts }',
      '9 CPU 1 interrupts }',
      '9 CPU 1 interrupts }',
    ])
  })

  it('show an access to the GIC with its CPU and with the device, another only with the device', () => {
    const access = (frame: 'GICD' | 'PL011') =>
      ({ kind: 'mmio', cpu: 3, frame, owner: 3, offset: 0, width: 4, write: false, value: 0n, pc: 0n }) as const
    expect(
      heard([
        [1, access('GICD')],
        [2, access('PL011')],
      ]),
    ).toEqual(['1 CPU 3 accesses mmio', '1 Distributor mmio', '2 PL011 UART mmio'])
  })

  it('are told apart', () => {
    const all = [cpuLane(511, 'accesses'), deviceLane('GICD'), CONSOLE_LANE]
    expect(all.map(laneName)).toMatchObject([
      { cpu: 511, lane: 'accesses' },
      { owner: 'Distributor' },
      { owner: 'Console' },
    ])
  })

  it('of a guest that takes exceptions and never returns stay shallow', () => {
    const events = Array.from(
      { length: 1000 },
      (_, i) => [i, { kind: 'exceptionTaken', cpu: 0, vector: 'sync', esr: 0, from: 0n }] as const,
    )
    let open = 0
    let deepest = 0
    for (const line of heard(events)) {
      open += line.endsWith('}') ? -1 : 1
      deepest = Math.max(deepest, open)
    }
    expect(open).toBe(0)
    expect(deepest).toBeLessThan(10)
  })
})

describe('a trace as Chrome reads it', () => {
  it('is JSON with balanced slices and paired arrows, machine for machine', () => {
    let text = ''
    const chrome = new ChromeTrace((piece) => (text += piece))
    const batch = batchOf([
      [0, { kind: 'cpuState', cpu: 0, state: 'running', pc: 0n }],
      [1500.25, { kind: 'sgiSent', cpu: 0, register: 'ICC_SGI1R_EL1', value: 0n, intid: 1, targets: [1], misses: [] }],
      [2000, { kind: 'acknowledged', cpu: 1, intid: 1, priority: 0 }],
      [2001, { kind: 'consoleLine', line: 'a "quoted" line\u0007' }],
      [2002, { kind: 'exceptionTaken', cpu: 0, vector: 'irq', esr: 0, from: 0n }],
    ])
    chrome.add(batch)
    chrome.nextMachine()
    chrome.add(batch)
    chrome.finish()
    const parsed: { traceEvents: { ph: string; pid: number; tid: number; ts: number; id?: number }[] } =
      JSON.parse(text)
    const of = (phase: string) => parsed.traceEvents.filter(({ ph }) => ph === phase)
    expect(of('B')).toHaveLength(6)
    expect(
      of('E')
        .map(({ pid, tid }) => `${pid}/${tid}`)
        .toSorted(),
    ).toEqual(
      of('B')
        .map(({ pid, tid }) => `${pid}/${tid}`)
        .toSorted(),
    )
    expect(of('s').map(({ id }) => id)).toEqual(of('f').map(({ id }) => id))
    expect(of('s')[0]?.ts).toBe(1.5)
    expect(new Set(parsed.traceEvents.map(({ pid }) => pid))).toEqual(new Set([1, 2]))
  })
})
