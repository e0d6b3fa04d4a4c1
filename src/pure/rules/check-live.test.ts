import { describe, expect, it } from 'vitest'
import { affinityOf, mpidrOf, resetAffinity, typerAffinity } from '../arch/affinity.ts'
import { GICD_TYPER } from '../arch/gic/gicd.ts'
import { GICR_TYPER, GICR_WAKER } from '../arch/gic/gicr.ts'
import { encodeRegister } from '../arch/register.ts'
import { liveFindings } from './check-live.ts'
import type { LiveMachine } from './check-live.ts'

const CPUS = [0, 1, 2]
const base = (cpu: number): number => 0x080a0000 + cpu * 0x20000
const moved = affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 2 })

const whole: LiveMachine = {
  gicdTyper: Number(encodeRegister(GICD_TYPER, { A3V: 1 })),
  cpus: CPUS.map((index) => ({ index, mpidr: mpidrOf(resetAffinity(index)), pending: [] })),
  frames: CPUS.map((cpu) => ({
    base: base(cpu),
    cpu,
    typer: typerAffinity.encode(cpu) | encodeRegister(GICR_TYPER, { Last: cpu === 2 }),
    waker: 0,
  })),
  spis: [{ intid: 33, enabled: true, pending: false, irouter: 0n, target: 0 }],
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

  it('name a sleeping redistributor with a PPI behind it', () => {
    const frames = frameWith(1, { waker: Number(encodeRegister(GICR_WAKER, { ProcessorSleep: 1 })) })
    const cpus = whole.cpus.map((cpu) => (cpu.index === 1 ? { ...cpu, pending: [27] } : cpu))
    expect(texts({ frames, cpus })).toContain(
      'vCPU 1 has EL1 virtual timer pending, and GICR_WAKER.ProcessorSleep is set',
    )
    expect(texts({ frames })).toBe('')
  })

  it('name a route that leads to nobody', () => {
    const spis = [{ intid: 40, enabled: true, pending: true, irouter: 7n }]
    expect(texts({ spis })).toContain('SPI 8 (INTID 40) is routed to 0.0.0.7, where no vCPU was found. It is pending')
  })
})
