import { describe, expect, it } from 'vitest'
import { resetMpidr } from '../../pure/arch/affinity.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Command } from '../../pure/protocol/commands.ts'
import { answers } from '../../pure/protocol/commands.ts'
import { fromWorker } from '../../pure/protocol/messages.ts'
import type { FromWorker } from '../../pure/protocol/messages.ts'
import type { EventName } from '../../pure/trace/events.ts'
import { eventAt } from '../../pure/trace/read.ts'
import { TraceRing } from '../../pure/trace/ring.ts'
import type { CpuInspection, MachineInspection, RunEnd, Stop } from '../vmm/vmm.ts'
import { Host } from './host.ts'
import type { Hosted, HostPorts } from './hosted.ts'

const cpu = (index: number, instructions: number): CpuInspection => ({
  index,
  mpidr: resetMpidr(index),
  state: 'running',
  instructions,
  pc: 0n,
  el: 1,
  frozen: false,
  private: [],
  priorityMask: 0,
  igrpen1: false,
  pending: [],
  active: [],
  enabled: [],
  apList: [],
  listRegisters: [],
  vmcr: 0,
  hcr: 0,
})

/** A machine of two CPUs of which only the first gets on, and a host around it on a clock of ours. */
const bench = () => {
  const sent: FromWorker[] = []
  let wall = 0
  let end: RunEnd = 'time'
  let made = 0
  let refuse: string | undefined
  const typed: number[] = []
  /** The first byte of the kernel of each machine. */
  const kernels: number[] = []
  let stop: Stop | undefined
  let breakpoints: readonly bigint[] = []
  let atGic = false

  const create: HostPorts['create'] = ({ onConsole, guest }) => {
    if (refuse !== undefined) return { ok: false, what: refuse }
    made++
    kernels.push(guest.kernel[0] ?? 0)
    let now = 0
    const ring = new TraceRing()
    let kept: ((name: EventName) => boolean) | undefined
    const inspect = (): MachineInspection => ({
      virtualNs: now,
      cpus: [cpu(0, now), cpu(1, 0)],
      frames: [],
      spis: [],
      gicdCtlr: 0,
      gicdTyper: 0,
      its: [],
      lpis: [],
    })
    const vmm: Hosted = {
      inspectInterrupts: (of) => ({ cpu: of, irqs: [] }),
      run: (maxNs) => {
        wall += 5
        now += maxNs
        if (atGic) {
          atGic = false
          return 'break'
        }
        onConsole(Uint8Array.of(0x68, 0x69))
        if (kept?.('consoleLine') === true) ring.record(now, { kind: 'consoleLine', line: 'hi' })
        return end
      },
      now: () => now,
      input: (bytes) => typed.push(...bytes),
      call: () => ({ ok: true, value: 7n }),
      planCalls: () => [{ call: { call: 'KVM_CREATE_VM' }, answer: { ok: true } }],
      kernelLog: () => ({ ok: false, what: 'no log' }),
      stats: () => ({
        instructions: now,
        virtualNs: now,
        mmioExits: 0,
        exceptions: 0,
        interrupts: 0,
        pageWalks: 0,
        decodedInstructions: 0,
        droppedRegions: 0,
        modules: 0,
        liveModules: 0,
        moduleBytes: 0,
        evictions: 0,
        tlbFlushes: 0,
        undefinedWords: [],
        translatedRegions: 0,
        translatedInstructions: 0,
      }),
      inspect,
      stop: () => stop,
      inspectCpu: (index) =>
        index > 1 ? undefined : { cpu: index, registers: {}, code: [], stack: [], noSymbols: 'none' },
      peek: () => [],
      lastWrite: () => undefined,
      image: () => ({ ok: false, what: 'No image.' }),
      snapshot: () => ({ ok: false, what: 'No snapshot.' }),
      sendSgi: () => ({ ok: true, what: '' }),
      vgicState: () => '',
      symbols: () => ({ ok: false, what: 'No symbols.' }),
      step: (index, count) => {
        if (index > 1) return `There is no CPU ${index}.`
        now += count
        return undefined
      },
      freeze: (index) => (index > 1 ? `There is no CPU ${index}.` : undefined),
      setBreakpoints: (addresses) => (breakpoints = addresses),
      breakAtGic: (wanted) => (atGic = wanted),
      breakAtEvent: () => {},
      watchTrace: (wanted) => {
        kept = wanted
      },
      takeTrace: () => ring.take(),
    }
    return { ok: true, vmm }
  }

  const host = new Host({
    create,
    restore: () => ({ ok: false, what: 'No snapshot.' }),
    now: () => wall,
    date: () => 0,
    post: (message) => sent.push(message),
  })
  const build: Command = {
    command: 'build',
    blueprint: defaultBlueprint,
    guest: { kernel: 'Image', append: '' },
    engine: 'interpreter',
    run: true,
  }
  host.handle({ command: 'keepFile', name: 'Image', bytes: Uint8Array.of(1) })
  return {
    host,
    build,
    typed,
    kernels,
    sent,
    machines: () => made,
    breakpoints: () => breakpoints,
    willStop: (at: Stop) => {
      stop = at
    },
    refuseBuilds: (what: string) => {
      refuse = what
    },
    endWith: (next: RunEnd) => {
      end = next
    },
    pass: (ms: number) => {
      wall += ms
    },
    of: <Kind extends FromWorker['kind']>(kind: Kind) =>
      sent.filter((message): message is Extract<FromWorker, { kind: Kind }> => message.kind === kind),
  }
}

describe('the worker’s host', () => {
  it('answers every command without a machine with a sentence', () => {
    const { host } = bench()
    const commands: Command[] = [
      { command: 'run' },
      { command: 'pause' },
      { command: 'power', action: 'reset' },
      { command: 'input', bytes: Uint8Array.of(1) },
      { command: 'call', call: { call: 'KVM_CREATE_VM' } },
      { command: 'kernelLog' },
      { command: 'stats' },
    ]
    for (const command of commands) {
      expect(host.handle(command)).toEqual({ ok: false, what: expect.stringMatching(/^There is no machine/) })
    }
  })

  it('says only what the page can parse', () => {
    const { host, build, sent } = bench()
    const built = host.handle(build)
    expect(answers.build.safeParse(built).success).toBe(true)
    host.handle({ command: 'watch', machine: true })
    host.advance()
    const stats = host.handle({ command: 'stats' })
    expect(answers.stats.safeParse(stats).success).toBe(true)
    for (const message of sent) expect(fromWorker.safeParse(message).success).toBe(true)
  })

  it('sends console bytes at once, with every turn', () => {
    const { host, build, of } = bench()
    host.handle(build)
    expect(host.advance()).toBe('now')
    expect(of('console').map(({ bytes }) => [...bytes])).toEqual([[0x68, 0x69]])
  })

  it('sends views at most once in thirty milliseconds, and only rows that changed', () => {
    const { host, build, of, pass } = bench()
    host.handle(build)
    host.handle({ command: 'watch', machine: true })
    expect(
      of('machine')
        .at(-1)
        ?.update.cpus.map(({ index }) => index),
    ).toEqual([0, 1])
    for (let turn = 0; turn < 5; turn++) host.advance()
    expect(of('machine')).toHaveLength(1)
    pass(30)
    host.advance()
    expect(of('machine')).toHaveLength(2)
    expect(
      of('machine')
        .at(-1)
        ?.update.cpus.map(({ index }) => index),
    ).toEqual([0])
  })

  it('keeps the running machine when a build fails', () => {
    const { host, build, refuseBuilds, machines, of } = bench()
    host.handle(build)
    refuseBuilds('The kernel is empty.')
    expect(host.handle(build)).toEqual({ ok: false, what: 'The kernel is empty.' })
    expect(machines()).toBe(1)
    expect(host.advance()).toBe('now')
    expect(of('run').at(-1)?.run.state).toBe('running')
  })

  it('rests while the guest waits, and stops when it is off', () => {
    const { host, build, endWith, of } = bench()
    host.handle(build)
    endWith('idle')
    expect(host.advance()).toBe('soon')
    endWith('off')
    expect(host.advance()).toBe('later')
    expect(of('run').at(-1)?.run.state).toBe('off')
    expect(host.advance()).toBe('later')
  })

  it('starts the same machine anew when the guest resets it', () => {
    const { host, build, endWith, machines } = bench()
    host.handle(build)
    endWith('reset')
    expect(host.advance()).toBe('now')
    expect(machines()).toBe(2)
  })

  it('keeps the files of guests: for builds that name them, and for a reset of the machine made of them', () => {
    const { host, build, endWith, kernels } = bench()
    host.handle(build)
    host.handle({ command: 'keepFile', name: 'Image', bytes: Uint8Array.of(2) })
    endWith('reset')
    host.advance()
    host.handle(build)
    expect(kernels).toEqual([1, 1, 2])
    expect(host.handle({ ...build, guest: { kernel: 'Image', initrd: 'initrd', append: '' } })).toEqual({
      ok: false,
      what: 'The worker has no file "initrd": fetch or drop it again.',
    })
    expect(kernels).toHaveLength(3)
  })

  it('pauses and goes on, and shows a KVM call made meanwhile', () => {
    const { host, build, of } = bench()
    host.handle(build)
    host.handle({ command: 'pause' })
    expect(host.advance()).toBe('later')
    expect(host.handle({ command: 'call', call: { call: 'KVM_CREATE_VM' } })).toEqual({
      ok: true,
      answer: { ok: true, value: 7n },
    })
    host.handle({ command: 'run' })
    expect(host.advance()).toBe('now')
    expect(of('run').map(({ run }) => run.state)).toContain('paused')
  })

  it('tells the trace once a frame to whoever watches it, and nothing to others', () => {
    const b = bench()
    const told = () => b.sent.flatMap((message) => (message.kind === 'trace' ? [message] : []))
    b.host.handle(b.build)
    b.host.advance()
    expect(told()).toEqual([])
    expect(b.host.handle({ command: 'trace', kinds: ['consoleLine'] })).toEqual({ ok: true })
    for (let turn = 0; turn < 8; turn++) b.host.advance()
    b.host.handle({ command: 'pause' })
    const batches = told()
    // A turn takes 5 ms here.
    expect(batches.length).toBeGreaterThan(1)
    expect(batches.length).toBeLessThan(5)
    expect(batches.every((message) => fromWorker.safeParse(message).success && message.machine === 1)).toBe(true)
    const events = batches.flatMap(({ batch }) => Array.from(batch.times, (_, i) => eventAt(batch, i)))
    expect(events).toEqual(Array.from({ length: 8 }, () => ({ kind: 'consoleLine', line: 'hi' })))
  })

  it('tells the interrupts of one CPU while they are watched, and only when they change', () => {
    const { host, build, of } = bench()
    const told = () => of('machine').filter(({ update }) => update.interrupts !== undefined)
    host.handle(build)
    host.handle({ command: 'watch', machine: true })
    expect(told()).toHaveLength(0)
    host.handle({ command: 'watch', machine: true, interruptsOf: 1 })
    host.handle({ command: 'pause' })
    expect(told()).toHaveLength(1)
    expect(told()[0]?.update.interrupts).toEqual({ cpu: 1, irqs: [] })
  })

  it('stops after an access to the GIC and says which, and at a moment of time', () => {
    const { host, build, of, willStop } = bench()
    host.handle(build)
    host.handle({ command: 'pause' })
    willStop({ kind: 'gicAccess', cpu: 1, register: 'GICD_CTLR', write: true, value: 0x12n })
    expect(host.handle({ command: 'runTo', until: 'gicAccess' })).toEqual({ ok: true })
    expect(host.advance()).toBe('later')
    expect(of('run').at(-1)?.run).toMatchObject({ state: 'paused', stop: 'CPU 1 has written GICD_CTLR: 0x12.' })
    const { virtualNs } = of('run').at(-1)?.run ?? { virtualNs: 0 }
    expect(host.handle({ command: 'runTo', until: virtualNs })).toMatchObject({ ok: false })
    expect(host.handle({ command: 'runTo', until: virtualNs + 1234 })).toEqual({ ok: true })
    expect(host.advance()).toBe('later')
    expect(of('run').at(-1)?.run).toMatchObject({
      state: 'paused',
      virtualNs: virtualNs + 1234,
      stop: 'The time is up.',
    })
    host.handle({ command: 'run' })
    expect(of('run').at(-1)?.run.stop).toBeUndefined()
  })

  it('steps one CPU while paused, and refuses what cannot be done in a sentence', () => {
    const { host, build, of } = bench()
    expect(host.handle({ command: 'step', cpu: 0, count: 1 })).toMatchObject({ ok: false })
    host.handle(build)
    expect(host.handle({ command: 'step', cpu: 0, count: 3 })).toEqual({ ok: true })
    expect(of('run').at(-1)?.run).toMatchObject({ state: 'paused', virtualNs: 3 })
    expect(host.handle({ command: 'step', cpu: 9, count: 1 })).toEqual({ ok: false, what: 'There is no CPU 9.' })
    expect(host.handle({ command: 'freeze', cpu: 9, frozen: true })).toEqual({ ok: false, what: 'There is no CPU 9.' })
  })

  it('keeps breakpoints for the machines to come', () => {
    const { host, build, breakpoints } = bench()
    host.handle({ command: 'breakpoints', addresses: [0x4020_0000n] })
    host.handle(build)
    expect(breakpoints()).toEqual([0x4020_0000n])
  })

  it('goes no faster than it is told', () => {
    const { host, build, of } = bench()
    host.handle(build)
    host.handle({ command: 'speed', limit: 0.001 })
    for (let turn = 0; turn < 200; turn++) host.advance()
    host.handle({ command: 'pause' })
    host.handle({ command: 'step', cpu: 0, count: 1 })
    // A turn takes 5 ms here: a second in all.
    expect(of('run').at(-1)?.run.virtualNs).toBeLessThan(1.01e6)
    expect(of('run').at(-1)?.run.virtualNs).toBeGreaterThan(0.9e6)
  })
})
