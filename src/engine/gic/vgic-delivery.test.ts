import { describe, expect, it, test } from 'vitest'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { TraceEvent } from '../bus/trace-sink.ts'
import { TestVgic } from '../../testing/test-vgic.ts'

const { H0 } = HOST_PRESETS
const SPI_40_BIT = 1 << 8
const ISENABLER1 = 0x104
const ICENABLER1 = 0x184
const ISPENDR1 = 0x204
const IROUTER_40 = 0x6000 + 8 * 40

const sgiTargets = (t: TestVgic, intid: number): number[] =>
  [...t.irq.keys()].filter((cpu) => t.vgic.irq(cpu, intid)?.latch)

const list = (bits: number, intid: number, more = 0n): bigint => BigInt(bits) | (BigInt(intid) << 24n) | more

describe('an SGI', () => {
  const AFF3_1 = 1n << 48n
  const IRM = 1n << 40n
  const RS_1 = 1n << 44n

  it('reaches the list, or all but the writer', () => {
    const t = new TestVgic().start()
    t.msr(0, 'ICC_SGI1R_EL1', list(0x6, 5))
    expect(sgiTargets(t, 5)).toEqual([1, 2])
    expect(t.irq).toEqual([false, true, true, false])
    t.msr(1, 'ICC_SGI1R_EL1', list(0, 3, IRM))
    expect(sgiTargets(t, 3)).toEqual([0, 2, 3])
    t.msr(2, 'ICC_SGI1R_EL1', list(0x4, 1))
    expect(sgiTargets(t, 1)).toEqual([2])
  })

  test.each([
    ['mainline', undefined, true],
    ['mainline', H0, true],
    ['patch-v1', undefined, true],
    ['patch-v1', H0, false],
    ['full-aff3', H0, true],
  ] as const)('compares Aff3 under %s', (ruleSet, host, reached) => {
    const t = new TestVgic({ ruleSet, ...(host && { host }), affinities: { 1: 0x0100_0001 } }).start()
    t.msr(0, 'ICC_SGI1R_EL1', list(0x2, 5, AFF3_1))
    expect(sgiTargets(t, 5)).toEqual(reached ? [1] : [])
    t.msr(0, 'ICC_SGI1R_EL1', list(0x2, 6))
    expect(sgiTargets(t, 6)).toEqual(reached ? [] : [1])
  })

  it('does not know the range selector', () => {
    const t = new TestVgic({ affinities: { 2: 0x11 } }).start()
    t.msr(0, 'ICC_SGI1R_EL1', list(0x2, 5, RS_1))
    expect(sgiTargets(t, 5)).toEqual([1])
  })

  it('of Group 1 is raised by ICC_SGI1R_EL1 only', () => {
    const t = new TestVgic().start()
    for (const name of ['ICC_SGI0R_EL1', 'ICC_ASGI1R_EL1'] as const) t.msr(0, name, list(0x2, 4))
    expect(sgiTargets(t, 4)).toEqual([])
    t.setRedist(1, 0x10080, 0xffff_ffef)
    t.msr(0, 'ICC_SGI0R_EL1', list(0x2, 4))
    expect(sgiTargets(t, 4)).toEqual([1])
  })

  it('misses the writer by index in a broadcast before v6.7', () => {
    const t = new TestVgic({ base: '6.1', ids: [2, 0, 1] }).start()
    t.msr(0, 'ICC_SGI1R_EL1', list(0, 7, IRM))
    expect(sgiTargets(t, 7)).toEqual([0, 1])
  })

  it('tells whom it reached and whom not', () => {
    const t = new TestVgic().start()
    const events: TraceEvent[] = []
    t.vgic.onEvent = (event) => events.push(event)
    t.msr(0, 'ICC_SGI1R_EL1', list(0x22, 5))
    expect(events).toMatchObject([
      {
        kind: 'sgiSent',
        cpu: 0,
        intid: 5,
        targets: [1],
        misses: [{ affinity: 5, why: 'no such CPU' }],
      },
    ])
  })

  it('registers cannot be read, nor any be reached from EL0', () => {
    const t = new TestVgic().start()
    expect(t.mrs(0, 'ICC_SGI1R_EL1')).toBeUndefined()
    expect(t.vgic.sysregs.read(0, ICC.ICC_IAR1_EL1, 0)).toBeUndefined()
    expect(t.vgic.sysregs.write(0, ICC.ICC_PMR_EL1, 0n, 0)).toBe(false)
  })
})

describe('the lookup of an affinity', () => {
  const duplicate = { affinities: { 2: 1 } } as const
  test.each([
    ['mainline', '6.12', 1, 2],
    ['mainline', '6.1', 1, 1],
    ['patch-v1', '6.8', 1, 2],
    ['full-aff3', '6.12', 1, 1],
  ] as const)('finds duplicates under %s on %s', (ruleSet, base, before, after) => {
    const t = new TestVgic({ ruleSet, base, ...duplicate })
    expect(t.vgic.lookup(1)).toBe(before)
    t.vgic.firstRun()
    expect(t.vgic.lookup(1)).toBe(after)
  })
  test.each([
    ['mainline', '6.12', 3],
    ['patch-v1', '6.8', undefined],
    ['mainline', '6.1', 3],
  ] as const)('after a change under %s on %s', (ruleSet, base, found) => {
    const t = new TestVgic({ ruleSet, base })
    t.vgic.firstRun()
    t.setMpidr(3, 0x40)
    expect(t.vgic.lookup(0x40)).toBe(found)
    expect(t.vgic.lookup(3)).toBeUndefined()
  })
  it('finds a moved CPU whose place in the table is the same', () => {
    const t = new TestVgic({ ruleSet: 'patch-v1', base: '6.8' })
    t.vgic.firstRun()
    t.setMpidr(3, 0x43)
    expect(t.vgic.lookup(0x43)).toBe(3)
  })
})

const pending = (t: TestVgic): boolean => (Number(t.dist(ISPENDR1)) & SPI_40_BIT) !== 0

describe('an SPI', () => {
  test.each([
    ['mainline', false],
    ['full-aff3', true],
  ] as const)('without a target waits; given one, it is delivered at once under %s', (ruleSet, atOnce) => {
    const t = new TestVgic({ ruleSet }).start()
    t.setDist(IROUTER_40, 0x77)
    t.setDist(ISENABLER1, SPI_40_BIT)
    t.setDist(ISPENDR1, SPI_40_BIT)
    expect(pending(t)).toBe(true)
    expect(t.irq).toEqual([false, false, false, false])
    t.setDist(IROUTER_40, 1)
    expect(t.irq[1]).toBe(atOnce)
    t.setDist(ISENABLER1, SPI_40_BIT)
    expect(t.irq).toEqual([false, true, false, false])
  })

  test.each([
    ['mainline', false],
    ['patch-v1', true],
    ['full-aff3', true],
  ] as const)('routed to 1.0.0.1 under %s', (ruleSet, delivered) => {
    const t = new TestVgic({ ruleSet, affinities: { 1: 0x0100_0001 } }).start()
    t.setDist(IROUTER_40, 0x1_0000_0001n, 8)
    t.setDist(ISENABLER1, SPI_40_BIT)
    t.setDist(ISPENDR1, SPI_40_BIT)
    expect(t.irq[1]).toBe(delivered)
  })

  it('that is active stays where it is; its next edge goes to the new target when that one has ended and its vCPU exits', () => {
    const t = new TestVgic().start()
    t.setDist(ISENABLER1, SPI_40_BIT)
    t.vgic.spi(40).set(true)
    expect(t.mrs(0, 'ICC_IAR1_EL1')).toBe(40n)
    t.setDist(IROUTER_40, 1)
    t.vgic.spi(40).set(true)
    expect(t.irq).toEqual([false, false, false, false])
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect(t.irq).toEqual([false, false, false, false])
    t.vgic.vcpuExits(0)
    expect(t.irq).toEqual([false, true, false, false])
    expect(t.mrs(1, 'ICC_IAR1_EL1')).toBe(40n)
  })

  it('that is queued moves with its route when its vCPU exits, and leaves when it is disabled', () => {
    const t = new TestVgic().start()
    t.setDist(ISENABLER1, SPI_40_BIT)
    t.vgic.spi(40).set(true)
    t.setDist(IROUTER_40, 2)
    expect([t.irq.includes(true), t.vgic.irq(0, 40)?.queuedOn]).toEqual([false, 0])
    t.vgic.vcpuExits(1)
    expect(t.vgic.irq(0, 40)?.queuedOn).toBe(0)
    t.vgic.vcpuExits(0)
    expect(t.irq).toEqual([false, false, true, false])
    t.setDist(ICENABLER1, SPI_40_BIT)
    expect(t.irq).toEqual([false, false, false, false])
    expect(pending(t)).toBe(true)
  })

  it('that pended while the distributor was off is not queued by switching it on', () => {
    const t = new TestVgic().start()
    t.setDist(0, 0)
    t.setDist(ISENABLER1, SPI_40_BIT)
    t.vgic.spi(40).set(true)
    t.setDist(0, 2)
    expect(t.irq[0]).toBe(false)
    t.setDist(ISENABLER1, SPI_40_BIT)
    expect(t.irq[0]).toBe(true)
  })

  it('of a level is pending as long as its wire is high', () => {
    const t = new TestVgic().start()
    t.setDist(0xc08, 0)
    t.setDist(ISENABLER1, SPI_40_BIT)
    const line = t.vgic.spi(40)
    line.set(true)
    expect(t.mrs(0, 'ICC_IAR1_EL1')).toBe(40n)
    expect(t.irq[0]).toBe(false)
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect(t.irq[0]).toBe(true)
    line.set(false)
    expect(t.irq[0]).toBe(false)
    expect(t.mrs(0, 'ICC_IAR1_EL1')).toBe(1023n)
  })
})

/** SPIs 40 and 41 with these priorities. */
const twoSpis = (p40: number, p41: number): TestVgic => {
  const t = new TestVgic().start()
  t.setDist(0x400 + 40, p40, 1)
  t.setDist(0x400 + 41, p41, 1)
  t.setDist(ISENABLER1, 0x300)
  return t
}
const iar = (t: TestVgic): bigint | undefined => t.mrs(0, 'ICC_IAR1_EL1')
const rpr = (t: TestVgic): bigint | undefined => t.mrs(0, 'ICC_RPR_EL1')

describe('the CPU interface', () => {
  it('acknowledges the most urgent first', () => {
    const t = twoSpis(0xa0, 0x80)
    t.vgic.spi(40).set(true)
    t.vgic.spi(41).set(true)
    expect(t.mrs(0, 'ICC_HPPIR1_EL1')).toBe(41n)
    expect(t.mrs(0, 'ICC_HPPIR0_EL1')).toBe(1023n)
    expect(t.mrs(0, 'ICC_IAR0_EL1')).toBe(1023n)
    expect(iar(t)).toBe(41n)
    expect(rpr(t)).toBe(0x80n)
    expect(iar(t)).toBe(1023n)
  })

  it('lets a more urgent interrupt preempt, and ends them in turn', () => {
    const t = twoSpis(0xa0, 0x80)
    t.vgic.spi(40).set(true)
    expect(iar(t)).toBe(40n)
    t.vgic.spi(41).set(true)
    expect(t.irq[0]).toBe(true)
    expect(iar(t)).toBe(41n)
    expect(t.mrs(0, 'ICC_AP1R0_EL1')).toBe((1n << 20n) | (1n << 16n))
    t.msr(0, 'ICC_EOIR1_EL1', 41)
    expect(rpr(t)).toBe(0xa0n)
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect(rpr(t)).toBe(0xffn)
    expect(t.mrs(0, 'ICC_AP1R0_EL1')).toBe(0n)
  })

  it('does not preempt within a group priority', () => {
    const t = twoSpis(0xb8, 0xa0)
    t.msr(0, 'ICC_BPR1_EL1', 5) // group priority is bits 7:5
    t.vgic.spi(40).set(true)
    expect(iar(t)).toBe(40n)
    t.vgic.spi(41).set(true)
    expect(t.irq[0]).toBe(false)
    expect(iar(t)).toBe(1023n)
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect(iar(t)).toBe(41n)
  })

  it('masks by priority', () => {
    const t = twoSpis(0xa0, 0x80)
    t.vgic.spi(40).set(true)
    t.msr(0, 'ICC_PMR_EL1', 0xa0)
    expect(t.irq[0]).toBe(false)
    expect(t.mrs(0, 'ICC_HPPIR1_EL1')).toBe(40n)
    expect(iar(t)).toBe(1023n)
    t.msr(0, 'ICC_PMR_EL1', 0xa7) // implemented bits only
    expect(t.mrs(0, 'ICC_PMR_EL1')).toBe(0xa0n)
    t.msr(0, 'ICC_PMR_EL1', 0xa8)
    expect(t.irq[0]).toBe(true)
  })

  it('deactivates by ICC_DIR_EL1 with EOImode 1', () => {
    const t = twoSpis(0xa0, 0x80)
    t.msr(0, 'ICC_DIR_EL1', 40)
    t.msr(0, 'ICC_CTLR_EL1', 2)
    t.vgic.spi(40).set(true)
    expect(iar(t)).toBe(40n)
    t.vgic.spi(40).set(true)
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect(rpr(t)).toBe(0xffn)
    expect(t.irq[0]).toBe(false)
    t.msr(0, 'ICC_DIR_EL1', 40)
    expect(t.irq[0]).toBe(true)
    expect(t.dist(0x304)).toBe(0n)
  })

  it('signals Group 0 as FIQ', () => {
    const t = twoSpis(0xa0, 0x80)
    t.msr(0, 'ICC_IGRPEN0_EL1', 1)
    t.setDist(0x84, 0xffff_feff)
    t.vgic.spi(40).set(true)
    expect([t.irq[0], t.fiq[0]]).toEqual([false, true])
    expect(iar(t)).toBe(1023n)
    expect(t.mrs(0, 'ICC_IAR0_EL1')).toBe(40n)
    expect(t.mrs(0, 'ICC_AP0R0_EL1')).toBe(1n << 20n)
    t.msr(0, 'ICC_EOIR0_EL1', 40)
    expect(rpr(t)).toBe(0xffn)
  })

  it('has binary points no smaller than its priority bits allow', () => {
    const t = new TestVgic()
    expect([t.mrs(0, 'ICC_BPR0_EL1'), t.mrs(0, 'ICC_BPR1_EL1')]).toEqual([2n, 3n])
    t.msr(0, 'ICC_CTLR_EL1', 1) // CBPR
    t.msr(0, 'ICC_BPR0_EL1', 7)
    t.msr(0, 'ICC_BPR1_EL1', 4)
    expect([t.mrs(0, 'ICC_BPR0_EL1'), t.mrs(0, 'ICC_BPR1_EL1')]).toEqual([7n, 7n])
    t.msr(0, 'ICC_CTLR_EL1', 0)
    expect(t.mrs(0, 'ICC_BPR1_EL1')).toBe(3n)
  })

  it('drops the running priority for an end that does not fit, and deactivates nothing', () => {
    const t = twoSpis(0xa0, 0x80)
    t.vgic.spi(40).set(true)
    iar(t)
    t.vgic.spi(41).set(true)
    iar(t)
    t.msr(0, 'ICC_EOIR1_EL1', 40)
    expect([rpr(t), t.dist(0x304)]).toEqual([0xa0n, 0x300n])
  })

  it('ignores the end of a special interrupt', () => {
    const t = twoSpis(0xa0, 0x80)
    t.vgic.spi(40).set(true)
    iar(t)
    t.msr(0, 'ICC_EOIR1_EL1', 1023)
    expect(rpr(t)).toBe(0xa0n)
  })

  it('has SRE fixed', () => {
    const t = new TestVgic()
    t.msr(0, 'ICC_SRE_EL1', 0)
    expect(t.mrs(0, 'ICC_SRE_EL1')).toBe(7n)
  })
})

describe('looking', () => {
  it('changes nothing', () => {
    const t = new TestVgic({ ruleSet: 'full-aff3', affinities: { 1: 0x0100_0001 } }).start()
    t.setDist(IROUTER_40, 0x1_0000_0001n, 8)
    t.setDist(ISENABLER1, SPI_40_BIT)
    t.vgic.spi(40).set(true)
    const first = t.vgic.inspect()
    expect(t.vgic.inspect()).toEqual(first)
    expect(first.spis).toEqual([
      {
        intid: 40,
        enabled: true,
        pending: true,
        active: false,
        line: false,
        priority: 0,
        edge: true,
        irouter: 0x1_0000_0001n,
        target: 1,
      },
    ])
    expect(first.frames[1]).toEqual({ base: 0x080c_0000, cpu: 1, typer: 0x0100_0001_0000_0100n, waker: 0 })
    expect(first.cpus[1]).toMatchObject({ priorityMask: 0xf8, igrpen1: true, pending: [40], active: [] })
    expect(t.mrs(1, 'ICC_IAR1_EL1')).toBe(40n)
    expect(t.vgic.inspect().cpus[1]).toMatchObject({ pending: [], active: [40] })
  })
})

describe('a vCPU reset', () => {
  it('forgets the timers and keeps the rest', () => {
    const t = new TestVgic().start()
    t.setRedist(1, 0x10100, 0xffff_ffff)
    t.vgic.ppi(1, 27).set(true)
    expect(t.irq[1]).toBe(true)
    t.vgic.cpuReset(1)
    expect(t.irq[1]).toBe(false)
    expect(t.mrs(1, 'ICC_IGRPEN1_EL1')).toBe(1n)
    t.vgic.ppi(1, 27).set(true)
    expect(t.mrs(1, 'ICC_IAR1_EL1')).toBe(27n)
  })
})
