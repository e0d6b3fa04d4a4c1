import { describe, expect, it } from 'vitest'
import { affinityOf, mpidrOf, resetAffinity, typerAffinity } from '../arch/affinity.ts'
import { GICD_CTLR, GICD_IROUTER, GICD_TYPER } from '../arch/gic/gicd.ts'
import { GICR_TYPER, GICR_WAKER } from '../arch/gic/gicr.ts'
import { encodeRegister } from '../arch/register.ts'
import { defaultBlueprint } from '../blueprint/blueprint.ts'
import { routeCalls } from '../blueprint/plan.ts'
import { registerAttr, VGIC_GROUP } from '../uapi/vgic-attr.ts'
import { liveFindings } from './check-live.ts'
import type { LiveMachine, LiveSpi } from './check-live.ts'
import { liveCuresOf } from './cures.ts'

const CPUS = [0, 1, 2]
const base = (cpu: number): number => 0x080a0000 + cpu * 0x20000
const moved = affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 2 })

const whole: LiveMachine = {
  gicdCtlr: Number(encodeRegister(GICD_CTLR, { ARE: 1, EnableGrp1: 1 })),
  gicdTyper: Number(encodeRegister(GICD_TYPER, { A3V: 1 })),
  cpus: CPUS.map((index) => ({ index, mpidr: mpidrOf(resetAffinity(index)), state: 'running', pending: [] })),
  frames: CPUS.map((cpu) => ({
    base: base(cpu),
    cpu,
    typer: typerAffinity.encode(cpu) | encodeRegister(GICR_TYPER, { Last: cpu === 2 }),
    waker: 0,
  })),
  spis: [{ intid: 33, enabled: true, pending: false, irouter: 0n, target: 0 }],
  its: undefined,
  described: resetAffinity,
}

const texts = (change: Partial<LiveMachine>): string =>
  liveFindings({ ...whole, ...change })
    .map(({ text }) => text)
    .join('\n')

const cpuAt = (which: number, affinity: number) =>
  whole.cpus.map((cpu) => (cpu.index === which ? { ...cpu, mpidr: mpidrOf(affinity) } : cpu))
const frameWith = (which: number, change: Partial<(typeof whole.frames)[number]>) =>
  whole.frames.map((frame) => (frame.cpu === which ? { ...frame, ...change } : frame))

describe('findings of a running machine', () => {
  it('are none of a machine that is whole', () => expect(texts({})).toBe(''))

  it('name a CPU without frame, the frame that is nobody’s, and a device tree that says otherwise', () => {
    const said = texts({ cpus: cpuAt(2, moved) })
    expect(said).toContain('vCPU 2 is at 1.0.0.2, and no frame says so.')
    expect(said).toContain('Frame 2 says 0.0.0.2, and no vCPU is there.')
    expect(said).toContain('The device tree has vCPU 2 at 0.0.0.2, and its MPIDR_EL1 says 1.0.0.2.')
  })

  it('name two CPUs at one place', () => {
    expect(texts({ cpus: cpuAt(1, 0) })).toContain('vCPUs 0 and 1 are both at 0.0.0.0')
  })

  it('name a Last that stands too early, and one that is missing', () => {
    const early = typerAffinity.encode(1) | encodeRegister(GICR_TYPER, { Last: true })
    expect(texts({ frames: frameWith(1, { typer: early }) })).toContain('Frame 1 has Last set, and frame 2 follows it')
    expect(texts({ frames: frameWith(2, { typer: typerAffinity.encode(2) }) })).toContain(
      'Frame 2 ends its region without Last',
    )
  })

  it('name an Aff3 that the distributor does not know', () => {
    expect(texts({ cpus: cpuAt(2, moved), gicdTyper: 0 })).toContain('vCPU 2 has Aff3 = 1, and GICD_TYPER.A3V is 0')
  })

  it('name a frame whose VLPIS says another stride than there is', () => {
    const wide = typerAffinity.encode(1) | encodeRegister(GICR_TYPER, { VLPIS: true })
    expect(texts({ frames: frameWith(1, { typer: wide }) })).toContain(
      'Frame 1 says VLPIS = 1, so that the next is 0x40000 further; it is 0x20000 further.',
    )
    const apart = whole.frames.map((frame) => ({ ...frame, base: base(2 * frame.cpu) }))
    expect(texts({ frames: apart })).toContain('Frame 0 says VLPIS = 0, so that the next is 0x20000 further')
    // Another region is another walk: its frames are far away, and the one before ends with Last.
    const regions = whole.frames.map((frame) => (frame.cpu === 2 ? { ...frame, base: 0x40_0000_0000 } : frame))
    const ended = typerAffinity.encode(1) | encodeRegister(GICR_TYPER, { Last: true })
    expect(texts({ frames: regions.map((frame) => (frame.cpu === 1 ? { ...frame, typer: ended } : frame)) })).toBe('')
  })

  it('name an Aff0 that no target list reaches', () => {
    const cpus = cpuAt(2, 0x10)
    const frames = frameWith(2, { typer: typerAffinity.encode(0x10) | encodeRegister(GICR_TYPER, { Last: true }) })
    const described = (cpu: number): number => (cpu === 2 ? 0x10 : cpu)
    expect(texts({ cpus, frames, described })).toMatch(/^vCPU 2 has Aff0 = 0x10, and GICD_TYPER.RSS is 0/)
    const gicdTyper = Number(encodeRegister(GICD_TYPER, { A3V: 1, RSS: 1 }))
    expect(texts({ cpus, frames, described, gicdTyper })).toBe('')
  })

  it.each([
    ['a PPI', 27, 'EL1 virtual timer'],
    ['an SGI', 3, 'SGI 3'],
  ])('name a sleeping redistributor with %s behind it, and wake it', (_, intid, name) => {
    const asleep = encodeRegister(GICR_WAKER, { ProcessorSleep: 1 })
    const frames = frameWith(1, { waker: Number(asleep) })
    const cpus = whole.cpus.map((cpu) => (cpu.index === 1 ? { ...cpu, pending: [intid] } : cpu))
    expect(texts({ frames, cpus })).toContain(`vCPU 1 has ${name} pending, and GICR_WAKER.ProcessorSleep is set`)
    const attr = registerAttr(1, GICR_WAKER.offset)
    expect(liveFindings({ ...whole, frames, cpus })[0]?.cures).toEqual([
      {
        title: 'Wake it',
        calls: [{ call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.REDIST_REGS, attr, value: 0n }],
        inverse: [{ call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.REDIST_REGS, attr, value: asleep }],
      },
    ])
    expect(texts({ frames })).toBe('')
  })
})

describe('findings of routes', () => {
  const spi = (irouter: bigint, change: Partial<LiveSpi> = {}): readonly LiveSpi[] => [
    { intid: 40, enabled: true, pending: false, irouter, ...change },
  ]

  it('name one that leads to nobody, and route it to a CPU that is on', () => {
    const machine = { ...whole, spis: spi(7n, { pending: true }) }
    const [finding] = liveFindings(machine)
    expect(finding?.text).toBe(
      'SPI 8 (INTID 40) is routed to 0.0.0.7, where no vCPU was found. It is pending and stays so.',
    )
    expect(finding?.cures).toEqual([
      { title: 'Route it to vCPU 0', calls: routeCalls(40, 0), inverse: routeCalls(40, 7) },
    ])
    const cpus = whole.cpus.map((cpu) => ({ ...cpu, state: cpu.index === 0 ? ('off' as const) : cpu.state }))
    expect(liveFindings({ ...machine, cpus })[0]?.cures?.[0]?.title).toBe('Route it to vCPU 1')
  })

  it('name a target that is off, of an SPI in use', () => {
    const cpus = whole.cpus.map((cpu) => ({ ...cpu, state: cpu.index === 1 ? ('off' as const) : cpu.state }))
    expect(texts({ cpus, spis: spi(1n, { target: 1 }) })).toBe('SPI 8 (INTID 40) goes to vCPU 1, which is off.')
    expect(texts({ cpus, spis: spi(1n, { target: 1, enabled: false }) })).toBe('')
  })

  it('name a routing mode beside an affinity, and a route without affinity routing', () => {
    const any = encodeRegister(GICD_IROUTER, { Interrupt_Routing_Mode: 1, Aff0: 2 })
    expect(texts({ spis: spi(any, { target: 2 }) })).toContain(
      'has Interrupt_Routing_Mode and the affinity 0.0.0.2 at once: the affinity is ignored.',
    )
    expect(texts({ spis: spi(any & ~3n, { target: 2 }) })).toBe('')
    expect(texts({ gicdCtlr: 0, spis: spi(2n, { target: 2 }) })).toContain(
      'has a route to 0.0.0.2, and GICD_CTLR.ARE is 0',
    )
    expect(texts({ gicdCtlr: 0, spis: spi(0n, { target: 0 }) })).toBe('')
  })

  it('name a collection that leads to no redistributor, and what is lost with it', () => {
    const collections = [
      { its: 0, id: 0, cpu: 0 },
      { its: 0, id: 1 },
    ]
    const translations = [1, 1, 0].map((collection) => ({ its: 0, collection }))
    expect(texts({ its: { collections, translations } })).toBe(
      'Collection 1 of ITS 0 leads to a redistributor that is not there: 2 events of it are lost.',
    )
  })
})

describe('a finding that no machine of KVM can have', () => {
  const last = (value: boolean, vlpis = false) =>
    frameWith(1, { typer: typerAffinity.encode(1) | encodeRegister(GICR_TYPER, { Last: value, VLPIS: vlpis }) })
  const spis = [{ intid: 40, enabled: true, pending: false, irouter: 2n, target: 2 }]
  const lost = { collections: [{ its: 0, id: 1 }], translations: [] }

  it('is cured by a call, where there is one', () => {
    const [finding] = liveFindings({ ...whole, gicdCtlr: 2, spis })
    const attr = registerAttr(0, GICD_CTLR.offset)
    expect(finding?.cures?.[0]).toMatchObject({
      calls: [{ call: 'KVM_SET_DEVICE_ATTR', group: VGIC_GROUP.DIST_REGS, attr, value: 0x12n }],
      inverse: [{ value: 2n }],
    })
  })

  it.each<[string, Partial<LiveMachine>]>([
    ['Last too early', { frames: last(true) }],
    ['another stride', { frames: last(false, true) }],
    ['a collection that leads nowhere', { its: lost }],
  ])('says else why there is none: %s', (_, change) => {
    const [finding] = liveFindings({ ...whole, ...change })
    expect(finding?.noCure).toMatch(/[Nn]o (KVM )?call/)
    expect(finding && liveCuresOf(finding, defaultBlueprint)).toEqual([])
  })
})
