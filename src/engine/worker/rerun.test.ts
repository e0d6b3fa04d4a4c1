/** The same run once more, to any of its moments, with what a person did to it. */
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { routeCalls } from '../../pure/blueprint/plan.ts'
import type { Command } from '../../pure/protocol/commands.ts'
import { encodeIrqLine, IRQ_TYPE } from '../../pure/uapi/irq-line.ts'
import { filesOf, GuestMachine } from '../../testing/guest-machine.ts'
import { restoreVmm } from '../vmm/restore-vmm.ts'
import { parseSnapshot } from '../vmm/snapshot.ts'
import { createVmm } from '../vmm/vmm.ts'
import { Deeds, MOST_BYTES } from './deeds.ts'
import { Host } from './host.ts'

const BLUEPRINT = { ...defaultBlueprint, vcpus: 2, memory: 64 * 2 ** 20, guest: { id: 'gicsh', append: '' } } as const
const MOMENT = 700_001

const host = (speed = 1) => {
  let date = 1000
  const states: string[] = []
  let said = ''
  let stop: string | undefined
  const live = new Host({
    create: createVmm,
    restore: restoreVmm,
    now: () => performance.now() * speed,
    date: () => (date += 60),
    post: (message) => {
      if (message.kind === 'console') said += new TextDecoder().decode(message.bytes)
      if (message.kind !== 'run') return
      states.push(message.run.state)
      ;({ stop } = message.run)
    },
  })
  const settled = (): void => {
    for (let i = 0; i < 10_000 && states.at(-1) === 'running'; i++) live.advance()
    expect(states.at(-1)).toBe('paused')
  }
  const save = (): Uint8Array => {
    const saved = live.handle({ command: 'snapshot' })
    if (!saved.ok || !('file' in saved)) throw new Error('no snapshot')
    return saved.file
  }
  const stopped = (): Uint8Array => {
    settled()
    return save()
  }
  const must = (command: Command): void => {
    expect(live.handle(command)).toMatchObject({ ok: true })
  }
  const type = (text: string): void => must({ command: 'input', bytes: new TextEncoder().encode(text) })
  /** As it runs beside a person: some of the host's time, wherever that ends in the guest's. */
  const advance = (times: number): void => {
    for (let i = 0; i < times; i++) live.advance()
  }
  return { live, stopped, save, settled, must, type, advance, heard: () => said, stop: () => stop }
}

const build = (live: Host, blueprint: Blueprint = BLUEPRINT): void => {
  live.handle({ command: 'keepFile', name: 'gicsh', bytes: filesOf('gicsh').kernel })
  live.handle({
    command: 'build',
    blueprint,
    guest: { kernel: 'gicsh', append: '' },
    engine: 'translator',
    run: false,
  })
}

const nowOf = (file: Uint8Array): number => {
  const read = parseSnapshot(file)
  if (!read.ok) throw new Error(read.what)
  return read.snapshot.run.now
}

describe('a machine that is run again', { timeout: 120_000 }, () => {
  it('is the same to the bit at a moment of the run before, on another day and with other input since', () => {
    const { live, stopped, type } = host()
    build(live)
    live.handle({ command: 'runTo', until: MOMENT })
    const first = stopped()
    type('sgi 3 all\r')
    live.handle({ command: 'runTo', until: 4 * MOMENT })
    expect(stopped()).not.toEqual(first)
    expect(live.handle({ command: 'rerun', until: MOMENT })).toMatchObject({ ok: true })
    expect(stopped()).toEqual(first)
  })

  it('does not wait for the time that its CPUs wait', () => {
    const { live, stopped } = host(0)
    build(live)
    // No time passes on this wall: a run would wait for ever.
    live.handle({ command: 'rerun', until: 1e12 })
    expect(nowOf(stopped())).toBe(1e12)
  })

  it('has to have been built here', () => {
    const { live } = host()
    expect(live.handle({ command: 'rerun', until: MOMENT })).toEqual({
      ok: false,
      what: 'There is no machine yet: boot one first.',
    })
  })
})

/** A minute of a person's work: typing, calls, an SGI, a frozen CPU, steps; the machine runs between, at its own pace. */
const work = ({ must, type, advance, live, settled }: ReturnType<typeof host>): void => {
  must({ command: 'run' })
  advance(20)
  type('send 5 to all\r')
  advance(3)
  type('typ')
  type('er\r')
  for (const call of routeCalls(40, 1)) must({ command: 'call', call })
  advance(2)
  must({ command: 'call', call: { call: 'KVM_IRQ_LINE', irq: encodeIrqLine(IRQ_TYPE.SPI, 0, 40), level: true } })
  must({ command: 'sendSgi', cpu: 0, register: 'ICC_SGI1R_EL1', value: 0x300_0002n })
  advance(2)
  must({ command: 'freeze', cpu: 1, frozen: true })
  type('send 2 to 0.0.0.1\r')
  advance(3)
  must({ command: 'pause' })
  live.handle({ command: 'step', cpu: 0, count: 17 })
  live.handle({ command: 'step', cpu: 0, count: 1 })
  must({ command: 'freeze', cpu: 1, frozen: false })
  // At another pace, which cuts slices.
  must({ command: 'speed', limit: 0.5 })
  must({ command: 'run' })
  advance(5)
  type('timer\r')
  advance(5)
  must({ command: 'speed' })
  advance(5)
  type('help\r')
  must({ command: 'pause' })
  settled()
}

describe('what a person did to a machine', { timeout: 120_000 }, () => {
  const end = (file: Uint8Array): number => nowOf(file) + 5_000_003

  it.each([
    ['a GICv3', BLUEPRINT],
    ['a GICv3 with an ITS', { ...BLUEPRINT, its: true }],
    ['a CPU with pointer authentication', { ...BLUEPRINT, cpu: 'max' as const }],
  ])('is done again at the same instructions, so that the run comes out to the bit (%s)', (_, blueprint) => {
    const bench = host()
    const { live, stopped, must, heard } = bench
    build(live, blueprint)
    work(bench)
    const moment = end(bench.save())
    must({ command: 'runTo', until: moment })
    const first = stopped()
    const console = heard()
    expect(console).toContain('GICD_TYPER')
    must({ command: 'rerun', until: moment })
    expect(stopped()).toEqual(first)
    expect(heard()).toBe(console + console)
    // And again: what was repeated is known as it was before.
    must({ command: 'rerun', until: moment })
    expect(stopped()).toEqual(first)
  })

  it('is not done again where it comes after the moment, or the person does something else on the way', () => {
    // What a wait takes passes at once.
    const { live, must, type, stopped, heard, settled } = host(1e6)
    build(live)
    must({ command: 'runTo', until: 10 * MOMENT })
    const before = stopped()
    type('typer\r')
    must({ command: 'runTo', until: 40 * MOMENT })
    const after = stopped()
    expect(heard()).toContain('GICD_TYPER')
    must({ command: 'rerun', until: 10 * MOMENT })
    expect(stopped()).toEqual(before)
    must({ command: 'runTo', until: 40 * MOMENT })
    expect(stopped()).not.toEqual(after)
    type('typer\r')
    const told = (): number => heard().match(/GICD_TYPER/g)?.length ?? 0
    const pausedOnTheWay = (): void => {
      must({ command: 'rerun', until: 80 * MOMENT })
      must({ command: 'pause' })
    }
    // A pause is nothing that a guest could notice, and what a terminal answers is repeated already.
    pausedOnTheWay()
    type('\u001b[24;80R')
    const once = told()
    must({ command: 'runTo', until: 80 * MOMENT })
    settled()
    expect(told()).toBe(once + 1)
    pausedOnTheWay()
    type('\r')
    must({ command: 'runTo', until: 80 * MOMENT })
    settled()
    expect(told()).toBe(once + 1)
  })

  it('is done again from the snapshot that a machine came from', () => {
    const machine = new GuestMachine({ guest: 'gicsh', blueprint: BLUEPRINT }).boot()
    machine.shell('send 5 to 0.0.0.1')
    const saved = machine.vmm.snapshot()
    if (!saved.ok) throw new Error(saved.what)
    const bench = host()
    const { live, must, stopped, settled } = bench
    must({ command: 'restore', file: saved.file, engine: 'translator' })
    must({ command: 'pause' })
    work(bench)
    const moment = end(bench.save())
    must({ command: 'runTo', until: moment })
    const first = stopped()
    must({ command: 'rerun', until: moment })
    expect(stopped()).toEqual(first)
    const began = nowOf(saved.file)
    expect(live.handle({ command: 'rerun', until: began - 1 })).toEqual({
      ok: false,
      what: expect.stringMatching(
        /^This machine came from a snapshot of \d+\.\d{9} s: what was before is not known\.$/,
      ),
    })
    expect(bench.save()).toEqual(first)
    must({ command: 'rerun', until: began })
    settled()
    expect(bench.save()).toEqual(saved.file)
  })

  it('is kept up to a bound; beyond it a run is refused with the moment up to which it can be had', () => {
    const bench = host()
    const { live, must, stopped } = bench
    build(live)
    must({ command: 'runTo', until: 10 * MOMENT })
    const first = stopped()
    // However small each of them is.
    for (let i = 0; i < MOST_BYTES / 64; i++)
      live.handle({ command: 'call', call: { call: 'KVM_GET_MP_STATE', vcpu: 0 } })
    must({ command: 'runTo', until: 20 * MOMENT })
    const there = stopped()
    expect(live.handle({ command: 'rerun', until: 20 * MOMENT })).toEqual({
      ok: false,
      what: 'More was typed and called than is kept (4 MiB): this run can be repeated up to 0.007000010 s.',
    })
    expect(bench.save()).toEqual(there)
    must({ command: 'rerun', until: 10 * MOMENT })
    expect(stopped()).toEqual(first)
  })

  it('is not done at another place of the run', () => {
    const [one, other] = [1, 2].map(() => new GuestMachine({ guest: 'gicsh', blueprint: BLUEPRINT }).vmm)
    if (one === undefined || other === undefined) throw new Error('no machines')
    const deeds = new Deeds()
    one.run(10_000, 0, true)
    deeds.do(one, { command: 'input', bytes: Uint8Array.of(0x20) })
    const before = deeds.before(Infinity)
    if (!before.ok) throw new Error(before.what)
    other.run(20_000, 0, true)
    const copy = other.snapshot()
    expect(before.deeds.repeat(other)).toBe(
      'The run cannot be repeated further: it is at 0.000020000 s and 20000 instructions, and what was done then was done at 0.000010000 s and 10000.',
    )
    expect(other.snapshot()).toEqual(copy)
  })
})
