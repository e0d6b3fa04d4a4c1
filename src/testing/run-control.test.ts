/** Stopping a machine anywhere and going on is the run without the stops; breaks are exact in both tiers. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { Machine } from '../engine/machine/machine.ts'
import { EAGER } from './eager.ts'
import { GuestMachine } from './guest-machine.ts'

const RAM = { ramBase: 0x4000_0000, ramSize: 16 * 2 ** 20 }
const ENTRY = BigInt(RAM.ramBase)
const TIERS = [true, false] as const

const machineOf = (source: string, translate: boolean, cpus = 1): Machine => {
  const program = assemble(source, RAM.ramBase)
  if (!program.ok) throw new Error(program.errors[0]?.what)
  const machine = new Machine({ ...RAM, translate: translate && EAGER })
  machine.ram(RAM.ramBase, program.bytes.length)?.set(program.bytes)
  for (let cpu = 0; cpu < cpus; cpu++) machine.addCpu().powerOn(ENTRY, BigInt(cpu))
  return machine
}

const stateOf = ({ core, clock }: Machine): string =>
  core.cpus
    .map((cpu) =>
      core.banks.with(cpu, () => {
        const x = Array.from({ length: 31 }, (_, n) => core.registers.x(n).toString(16))
        return `${x.join()} pc ${core.banks.pcOf(cpu).toString(16)} after ${cpu.instructions}`
      }),
    )
    .join(' | ') + ` at ${clock.now()}`

/** Two CPUs that count and exchange values, a hot inner loop in each. */
const COUNTING = `
  adr x9, .
  add x9, x9, #0x1000
outer:
  mov x1, #50
inner:
  add x2, x2, x1
  subs x1, x1, #1
  b.ne inner
  ldr x3, [x9]
  add x3, x3, #1
  add x3, x3, x0
  str x3, [x9]
  add x4, x4, #1
  b outer
`
/** Instructions from the start, by label. */
const AT = { outer: ENTRY + 8n, inner: ENTRY + 12n, load: ENTRY + 24n } as const

describe('a run that waits for an event', { timeout: 120_000 }, () => {
  const run = (watch: boolean) => {
    const machine = new GuestMachine({ guest: 'gicsh', ...(watch ? { onTrace: () => {} } : {}) })
    const { vmm } = machine
    vmm.breakAtEvent((event) => event.kind === 'consoleLine' && event.line.includes('have a redistributor'))
    const ends: unknown[] = []
    for (let i = 0; i < 400 && ends.length === 0; i++)
      if (vmm.run(1e6, 1e6) === 'break') ends.push(vmm.stop(), vmm.now())
    return { vmm, ends }
  }

  it('comes back at it, at the same moment whether anybody else watches or not, and once', () => {
    const { vmm, ends } = run(false)
    expect(ends[0]).toEqual({ kind: 'event', what: '4 of 4 CPUs have a redistributor' })
    expect(run(true).ends).toEqual(ends)
    expect(vmm.run(1e6, 1e6)).not.toBe('break')
    vmm.breakAtEvent((event) => event.kind === 'acknowledged' && event.intid === 3)
    expect(vmm.run(1e6, 1e6)).not.toBe('break')
    expect(vmm.sendSgi(1, 'ICC_SGI1R_EL1', 0x300_0001n)).toMatchObject({ ok: true })
    expect(vmm.run(1e6, 1e6)).toBe('break')
    expect(vmm.stop()).toMatchObject({ what: expect.stringMatching(/^CPU 0 acknowledges SGI 3/) })
  })
})

describe.each(TIERS)('a machine that is stopped (translated: %s)', { timeout: 120_000 }, (translate) => {
  it('goes on as if it had not been, wherever it was cut', () => {
    const whole = machineOf(COUNTING, translate, 2)
    whole.runUntil(300_000, Infinity, true)
    for (const step of [1237, 9_999, 397]) {
      const cut = machineOf(COUNTING, translate, 2)
      for (let until = step; until < 300_000; until += step) {
        expect(cut.runUntil(until, Infinity, true)).toBe('time')
        expect(cut.clock.now()).toBe(until)
      }
      cut.runUntil(300_000, Infinity, true)
      expect(stateOf(cut)).toBe(stateOf(whole))
    }
  })

  it('stops before the instruction at a breakpoint each time it comes there, and changes nothing by it', () => {
    const whole = machineOf(COUNTING, translate, 2)
    whole.runUntil(200_000, Infinity, true)
    const broken = machineOf(COUNTING, translate, 2)
    // Once the loop is hot and translated.
    broken.runUntil(100_000, Infinity, true)
    broken.core.breakpoints.set([AT.load])
    let stops = 0
    while (broken.runUntil(200_000, Infinity, true) === 'break') {
      const { stop } = broken
      if (stop?.kind !== 'breakpoint') throw new Error('no breakpoint')
      const cpu = broken.core.cpus[stop.cpu]
      expect(stop.pc).toBe(AT.load)
      expect(cpu && broken.core.banks.pcOf(cpu)).toBe(AT.load)
      // The inner loop has just ended.
      expect(cpu && broken.core.banks.with(cpu, () => broken.core.registers.x(1))).toBe(0n)
      stops++
    }
    expect(stops).toBeGreaterThan(500)
    expect(stateOf(broken)).toBe(stateOf(whole))
    broken.core.breakpoints.set([])
    whole.runUntil(400_000, Infinity, true)
    expect(broken.runUntil(400_000, Infinity, true)).toBe('time')
    expect(stateOf(broken)).toBe(stateOf(whole))
  })

  it('does not stop where another page has an instruction at the same place', () => {
    const machine = machineOf(COUNTING, translate)
    machine.core.breakpoints.set([AT.load + 0x1000n, AT.outer + 0x10_0000n])
    expect(machine.runUntil(50_000, Infinity, true)).toBe('time')
    const whole = machineOf(COUNTING, translate)
    whole.runUntil(50_000, Infinity, true)
    expect(stateOf(machine)).toBe(stateOf(whole))
  })

  it('steps one instruction of one CPU, at a breakpoint too', () => {
    const machine = machineOf(COUNTING, translate, 2)
    const [first, second] = machine.core.cpus
    if (first === undefined || second === undefined) throw new Error('two CPUs')
    machine.core.breakpoints.set([AT.inner])
    const visited = Array.from({ length: 6 }, () => {
      expect(machine.step(second, 1)).toBe(1)
      return machine.core.banks.pcOf(second) - ENTRY
    })
    expect(visited).toEqual([4n, 8n, 12n, 16n, 20n, 12n])
    expect(machine.core.banks.pcOf(first)).toBe(ENTRY)
    expect(machine.clock.now()).toBe(6)
  })

  it('runs the others while one is frozen', () => {
    const machine = machineOf(COUNTING, translate, 2)
    const [first, second] = machine.core.cpus
    if (first === undefined || second === undefined) throw new Error('two CPUs')
    machine.core.freeze(first, true)
    machine.runUntil(30_000, Infinity, true)
    expect([first.instructions, second.instructions]).toEqual([0, 30_000])
    machine.core.freeze(first, false)
    machine.runUntil(60_000, Infinity, true)
    expect(first.instructions).toBeGreaterThanOrEqual(10_000)
  })
})

/** Boots the monitor and has it do something, in one way or another of running. */
const monitor = (engine: 'interpreter' | 'translator', run: (machine: GuestMachine, toNs: number) => void): string => {
  const hash = [0, 1, 2, 3].map(() => createHash('sha256'))
  const machine = new GuestMachine({
    guest: 'gicsh',
    engine,
    blueprint: { vcpus: 4 },
    onTrace: ({ times, kinds, cpus, words }) => {
      for (const [i, column] of [times, kinds, cpus, words].entries()) hash[i]?.update(column)
    },
  })
  machine.boot()
  machine.type('sgi 5 all\r')
  run(machine, machine.vmm.now() + 3_000_000)
  return `${hash.map((one) => one.digest('hex')).join()} ${machine.console}`
}

describe('the GIC monitor', { timeout: 120_000 }, () => {
  const straight = monitor('translator', (machine, to) => {
    machine.vmm.run(to - machine.vmm.now(), Infinity, true)
    machine.drain()
  })

  it.each(['translator', 'interpreter'] as const)(
    'stops after each access to the GIC, is looked at, and runs the same for it (%s)',
    (engine) => {
      const seen: string[] = []
      const stopping = monitor(engine, ({ vmm, drain }, to) => {
        for (;;) {
          vmm.breakAtGic(true)
          if (vmm.run(to - vmm.now(), Infinity, true) !== 'break') break
          const stop = vmm.stop()
          // Looking at a CPU changes nothing.
          for (let cpu = 0; cpu < 4; cpu++) expect(vmm.inspectCpu(cpu)?.code.length).toBeGreaterThan(20)
          if (stop?.kind === 'gicAccess') seen.push(`${stop.cpu} ${stop.write ? 'writes' : 'reads'} ${stop.register}`)
        }
        drain()
      })
      expect(stopping).toBe(straight)
      expect(seen.filter((line) => line.endsWith('writes ICC_SGI1R_EL1')).length).toBeGreaterThan(0)
      expect(seen.filter((line) => line.endsWith('reads ICC_IAR1_EL1')).length).toBeGreaterThanOrEqual(3)
    },
  )
})
