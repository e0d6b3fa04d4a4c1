import { describe, expect, it, test } from 'vitest'
import { TIMER } from '../../pure/arch/sysregs/timer.ts'
import { TestClock } from '../../testing/test-clock.ts'
import { GenericTimer } from './generic-timer.ts'

type Name = keyof typeof TIMER

const make = (cpus = 2) => {
  const clock = new TestClock()
  const levels: Record<string, boolean> = {}
  const line = (name: string) => ({ set: (level: boolean) => (levels[name] = level) })
  const timer = new GenericTimer({
    clock,
    lines: (cpu) => ({ physical: line(`p${cpu}`), virtual: line(`v${cpu}`) }),
  })
  for (let i = 0; i < cpus; i++) timer.addCpu()
  return {
    clock,
    levels,
    timer,
    mrs: (name: Name, cpu = 0, el = 1) => timer.sysregs.read(cpu, TIMER[name], el),
    msr: (name: Name, value: bigint, cpu = 0, el = 1) => timer.sysregs.write(cpu, TIMER[name], value, el),
  }
}

describe('the generic timer', () => {
  it('counts 62.5 MHz of virtual time, the same for both counters', () => {
    const { clock, mrs } = make()
    expect(mrs('CNTFRQ_EL0')).toBe(62_500_000n)
    clock.to(1_000_000_000)
    expect([mrs('CNTVCT_EL0'), mrs('CNTPCT_EL0')]).toEqual([62_500_000n, 62_500_000n])
    clock.to(1_000_000_015)
    expect(mrs('CNTVCT_EL0', 1)).toBe(62_500_000n)
    clock.to(1_000_000_016)
    expect(mrs('CNTVCT_EL0', 1)).toBe(62_500_001n)
  })

  test.each([
    ['CNTV', 'v1'],
    ['CNTP', 'p1'],
  ] as const)('%s raises its line when the compare value is reached, and lowers it', (which, line) => {
    const { clock, levels, mrs, msr } = make()
    const ctl = `${which}_CTL_EL0` as const
    msr(`${which}_CVAL_EL0`, 100n, 1)
    msr(ctl, 1n, 1)
    expect(mrs(ctl, 1)).toBe(1n)
    clock.to(1599)
    expect(levels[line]).toBeUndefined()
    clock.to(1600)
    expect(levels).toEqual({ [line]: true })
    expect(mrs(ctl, 1)).toBe(5n)
    msr(ctl, 3n, 1)
    expect([levels[line], mrs(ctl, 1)]).toEqual([false, 7n])
    msr(ctl, 1n, 1)
    expect(levels[line]).toBe(true)
    msr(`${which}_CVAL_EL0`, 200n, 1)
    expect([levels[line], mrs(ctl, 1)]).toEqual([false, 1n])
    clock.to(3200)
    expect(levels[line]).toBe(true)
    msr(ctl, 0n, 1)
    expect([levels[line], mrs(ctl, 1), clock.waiting]).toEqual([false, 0n, 0])
  })

  it('takes a signed timer value relative to the count', () => {
    const { clock, levels, mrs, msr } = make()
    clock.to(1600)
    msr('CNTV_TVAL_EL0', 50n)
    expect([mrs('CNTV_CVAL_EL0'), mrs('CNTV_TVAL_EL0')]).toEqual([150n, 50n])
    clock.to(3200)
    expect(mrs('CNTV_TVAL_EL0')).toBe(0xffff_ffcen)
    msr('CNTV_CTL_EL0', 1n)
    expect(levels).toEqual({ v0: true })
    msr('CNTV_TVAL_EL0', 0xffff_ffffn)
    expect(mrs('CNTV_CVAL_EL0')).toBe(199n)
    expect(levels).toEqual({ v0: true })
  })

  it('has one deadline for a timer, and none for a time that never comes', () => {
    const { clock, msr } = make()
    msr('CNTV_CTL_EL0', 1n)
    for (const at of [100n, 200n, 300n]) msr('CNTV_CVAL_EL0', at)
    expect(clock.waiting).toBe(1)
    msr('CNTV_CVAL_EL0', 0xffff_ffff_ffff_ffffn)
    expect(clock.waiting).toBe(0)
  })

  it('lets EL0 have what CNTKCTL_EL1 gives it', () => {
    const { mrs, msr } = make()
    const names = ['CNTFRQ_EL0', 'CNTPCT_EL0', 'CNTVCT_EL0', 'CNTP_CTL_EL0', 'CNTV_CTL_EL0', 'CNTKCTL_EL1'] as const
    const open = (control: bigint) => {
      msr('CNTKCTL_EL1', control)
      return names.filter((name) => mrs(name, 0, 0) !== undefined)
    }
    expect(open(0n)).toEqual([])
    expect(open(1n)).toEqual(['CNTFRQ_EL0', 'CNTPCT_EL0'])
    expect(open(2n)).toEqual(['CNTFRQ_EL0', 'CNTVCT_EL0'])
    expect(open(0x100n)).toEqual(['CNTV_CTL_EL0'])
    expect(open(0x200n)).toEqual(['CNTP_CTL_EL0'])
    expect(msr('CNTV_CTL_EL0', 1n, 0, 0)).toBe(false)
  })

  it('has read-only counters at EL1', () => {
    const { msr } = make()
    expect((['CNTVCT_EL0', 'CNTPCT_EL0', 'CNTFRQ_EL0'] as const).map((name) => msr(name, 0n))).toEqual([
      false,
      false,
      false,
    ])
  })

  it('is disabled by a reset', () => {
    const { clock, levels, timer, msr, mrs } = make()
    msr('CNTV_CTL_EL0', 1n)
    expect(levels).toEqual({ v0: true })
    timer.reset(0)
    expect([levels, mrs('CNTV_CTL_EL0'), clock.waiting]).toEqual([{ v0: false }, 0n, 0])
  })
})
