/** Faults made on purpose, in a machine that runs: each does what it says, and taken back leaves no trace of itself. */
import { describe, expect, it } from 'vitest'
import { encodeSgi, mpidrAffinity, mpidrOf, resetAffinity, sgiTo } from '../pure/arch/affinity.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../pure/blueprint/blueprint.ts'
import { applyEdit } from '../pure/blueprint/edits.ts'
import { FAULTS } from '../pure/scenarios/faults.ts'
import type { FaultId, Injection } from '../pure/scenarios/faults.ts'
import { pendingWord } from '../pure/uapi/registers/pending.ts'
import { GuestMachine } from './guest-machine.ts'

const CPU = 2
/** The UART's. */
const SPI = 33
const SMALL = { vcpus: 4, memory: 128 * 2 ** 20 } as const

const blueprint: Blueprint = { ...defaultBlueprint, ...SMALL, guest: { id: 'gicsh', append: '' } }
const boot = (change: Partial<Blueprint> = {}): GuestMachine =>
  new GuestMachine({ guest: 'gicsh', blueprint: { ...SMALL, ...change } }).boot()

const injection = (id: FaultId, machine: GuestMachine | undefined, of: Blueprint = blueprint): Injection => {
  const fault = FAULTS.find((one) => one.id === id)
  if (fault === undefined) throw new Error(`no ${id}`)
  return fault.inject({ blueprint: of, machine: machine?.vmm.inspect(), cpu: CPU, intid: SPI })
}

/** What the calls of a fault are about; time and instructions apart. */
const seen = ({ vmm }: GuestMachine) => {
  const { cpus, frames, spis, gicdCtlr } = vmm.inspect()
  return {
    cpus: cpus.map(({ mpidr, priorityMask, pending }) => ({ mpidr, priorityMask, pending })),
    frames,
    spis,
    gicdCtlr,
  }
}

const exact = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value)

const NOW = ['gain-aff3', 'duplicate', 'route-nobody', 'stale-route', 'waker', 'group-off', 'mask-all'] as const

describe('a fault in a machine that runs', () => {
  // One for all: whatever is done to it is taken back.
  const machine = boot()

  it.each(NOW)('%s is taken by KVM, and taken back', (id) => {
    const before = seen(machine)
    const made = injection(id, machine)
    if (made.kind !== 'now') throw new Error(made.what)
    for (const call of made.calls) expect(machine.vmm.call(call)).toMatchObject({ ok: true })
    // KVM's GICR_WAKER ignores writes; everything else shows.
    expect(JSON.stringify(seen(machine), exact) === JSON.stringify(before, exact)).toBe(id === 'waker')
    for (const call of made.inverse) expect(machine.vmm.call(call)).toMatchObject({ ok: true })
    expect(seen(machine)).toEqual(before)
  })

  it('of a route to nobody leaves the SPI without a target', () => {
    const made = injection('route-nobody', machine)
    if (made.kind !== 'now') throw new Error(made.what)
    for (const call of made.calls) machine.vmm.call(call)
    expect(machine.vmm.inspect().spis.find(({ intid }) => intid === SPI)).toMatchObject({ target: undefined })
    for (const call of made.inverse) machine.vmm.call(call)
  })

  it('that drops Aff3 needs one', () => {
    expect(injection('drop-aff3', machine)).toMatchObject({ kind: 'impossible', what: 'Aff3 of vCPU 2 is 0 already.' })
    const affinity = 0x0100_0002
    const moved = boot({ ruleSet: 'full-aff3', affinities: { [CPU]: affinity } })
    const made = injection('drop-aff3', moved)
    expect(made).toMatchObject({
      kind: 'now',
      calls: [{ call: 'KVM_SET_ONE_REG', vcpu: CPU, value: mpidrOf(resetAffinity(CPU)) }],
      inverse: [{ value: mpidrOf(affinity) }],
    })
    // There, an affinity is fixed once the VM has run: KVM's answer is what the page shows.
    const [call] = made.kind === 'now' ? made.calls : []
    expect(call && moved.vmm.call(call)).toMatchObject({ ok: false, errno: 'EBUSY' })
  })

  it('is impossible without a machine, and for a GICv2 where it has no such register', () => {
    for (const id of NOW) expect(injection(id, undefined).kind).toBe('impossible')
    const v2 = { ...blueprint, gic: 2 } as const
    for (const id of ['swap-frames', 'truncate-region'] as const)
      expect(injection(id, undefined, v2)).toEqual({ kind: 'impossible', what: 'A GICv2 has no such register.' })
  })
})

describe('a fault of the next machine', () => {
  const built = (id: FaultId): Blueprint => {
    const made = injection(id, undefined)
    if (made.kind !== 'next boot') throw new Error(made.what)
    const edited = applyEdit(blueprint, made.edit)
    if (!edited.ok) throw new Error(edited.what)
    expect(applyEdit(edited.blueprint, edited.inverse)).toMatchObject({ ok: true, blueprint })
    return edited.blueprint
  }

  it('swaps the frames of two vCPUs', () => {
    const { plan } = built('swap-frames')
    const { frames, cpus } = new GuestMachine({
      guest: 'gicsh',
      blueprint: { ...SMALL, plan: plan ?? [] },
    }).vmm.inspect()
    expect(cpus.map(({ mpidr }) => mpidrAffinity.decode(mpidr))).toEqual([0, 1, 3, 2])
    expect(frames.map(({ typer }) => Number((typer >> 8n) & 0xffffn))).toEqual([0, 1, 3, 2])
  })

  it('leaves the last vCPU without a frame, which KVM refuses to run', () => {
    const { plan } = built('truncate-region')
    expect(() => new GuestMachine({ guest: 'gicsh', blueprint: { ...SMALL, plan: plan ?? [] } })).toThrow(/E[A-Z]+/)
  })
})

describe('an interrupt by hand', () => {
  it('as an SGI goes where the value says, and names what it misses', () => {
    const machine = boot()
    const send = (affinity: number, cpu = 1) => machine.vmm.sendSgi(cpu, 'ICC_SGI1R_EL1', encodeSgi(sgiTo(affinity, 3)))
    expect(send(2)).toEqual({ ok: true, what: 'SGI 3: CPU 1 → CPU 2' })
    expect(send(0x0100_0002)).toMatchObject({
      ok: true,
      what: expect.stringContaining('No CPU has the affinity 1.0.0.2.'),
    })
    expect(machine.vmm.sendSgi(9, 'ICC_SGI1R_EL1', 0n)).toEqual({ ok: false, what: 'There is no CPU 9.' })
    const v2 = new GuestMachine({
      guest: 'gicsh',
      blueprint: { ...SMALL, gic: 2, host: { ...defaultBlueprint.host, gic: '3+2' } },
    })
    expect(v2.vmm.sendSgi(0, 'ICC_SGI1R_EL1', 0n)).toMatchObject({ ok: false })
  })

  it.each([2, 3] as const)('as a pending bit leaves the others of its word alone, on a GICv%i', (gic) => {
    const machine = new GuestMachine({
      guest: 'gicsh',
      blueprint: { ...SMALL, gic, host: { ...defaultBlueprint.host, gic: '3+2' } },
    })
    const latched = (intid: number) =>
      machine.vmm.inspectInterrupts(1)?.irqs.find((irq) => irq.intid === intid)?.latch ?? false
    const pend = (intid: number): void => {
      const word = pendingWord(gic, { cpu: 1, affinity: 1 }, intid)
      const read = machine.vmm.call(word.read)
      if (!read.ok) throw new Error(read.why)
      expect(machine.vmm.call(word.pend(read.value ?? 0n))).toMatchObject({ ok: true })
    }
    for (const intid of [3, 20, 40, 41]) pend(intid)
    expect([3, 4, 20, 21, 40, 41, 42].map(latched)).toEqual([true, false, true, false, true, true, false])
  })
})
