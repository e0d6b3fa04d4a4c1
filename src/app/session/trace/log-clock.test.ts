import { describe, expect, it } from 'vitest'
import { LogClock, stampOf, stampText } from './log-clock.ts'

const clockWith = (...lines: readonly (readonly [time: number, line: string])[]): LogClock => {
  const clock = new LogClock()
  for (const [time, line] of lines) clock.add(time, { kind: 'consoleLine', line })
  return clock
}

describe('the time of a line', () => {
  it('is read as Linux prints it', () => {
    expect(stampOf('[    0.073843] Run /init as init process')).toBe(73_843_000)
    expect(stampOf('[12345.000001] late')).toBe(12_345_000_001_000)
    expect(stampOf('guest: ready')).toBeUndefined()
    expect(stampOf(stampText(1.5))).toBe(1.5e9)
  })

  it('is set by the line that came fastest: the first ones wait for a console', () => {
    // Times of a real boot: its clock begins 82.7 ms into it.
    const clock = clockWith(
      [7.929e6, '[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]'],
      [83.49e6, '[    0.000734] LSM support for eBPF active'],
      [87.736e6, '[    0.005000] SMP: Total of 4 processors activated.'],
      [99e6, '[    0.011933] NET: Registered PF_NETLINK/PF_ROUTE protocol family'],
    )
    expect(clock.ofLine('[    0.004142] GICv3: CPU1: found redistributor 1')).toBe(86.878e6)
    expect(clock.ofLine('[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]')).toBe(7.929e6)
    expect(clock.ofLine('[    0.000000] never on the console')).toBeUndefined()
  })

  it('is when it was on the console, where it has none of its own', () => {
    const clock = clockWith([5e6, 'gicsh> \r'], [6e6, 'SGI 3 at CPU 2'], [9e6, 'SGI 3 at CPU 2'])
    expect(clock.ofLine('SGI 3 at CPU 2  ')).toBe(9e6)
    expect(clock.ofLine('never')).toBeUndefined()
    expect(clock.ofLine('[    0.004142] no time yet')).toBeUndefined()
    clock.clear()
    expect(clock.ofLine('SGI 3 at CPU 2')).toBeUndefined()
  })

  it('keeps no more lines than a person scrolls through', () => {
    const clock = clockWith(...Array.from({ length: 5000 }, (_, n) => [n, `line ${n}`] as const))
    expect(clock.ofLine('line 999')).toBeUndefined()
    expect(clock.ofLine('line 1000')).toBe(1000)
  })
})
