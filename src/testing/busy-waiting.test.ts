/** A CPU that looks again and again at something, and says so by YIELD or WFE. */
import { describe, expect, it } from 'vitest'
import { FlatGuest } from './flat-guest.ts'

const OFF = `
        ldr     x0, =0x84000008         // SYSTEM_OFF
        hvc     #0
`
/** Turns CPU 1 on. */
const ON = `
        ldr     x0, =0xc4000003         // CPU_ON
        mov     x1, #1
        adr     x2, second
        hvc     #0
`
/** CNTFRQ_EL0 is 62.5 MHz. */
const COUNTS_IN_100_MS = 6_250_000
/** Waits for so many counts of the counter. */
const wait = (counts: number, hint: string): string => `
        mrs     x10, cntvct_el0
        ldr     x11, =${counts}
2:      ${hint}
        mrs     x1, cntvct_el0
        sub     x1, x1, x10
        cmp     x1, x11
        b.lo    2b
`

/** Runs a guest to its end; its time in nanoseconds, and its instructions. */
const ran = (source: string, vcpus: number): { readonly time: number; readonly instructions: number } => {
  const guest = new FlatGuest({ source, blueprint: { vcpus } })
  expect(guest.run(1e9)).toBe('off')
  return { time: guest.vmm.now(), instructions: guest.vmm.stats().instructions }
}

describe('busy waiting', () => {
  it.each(['yield', 'wfe'])('with %s lets time pass, a microsecond at most for each', (hint) => {
    const { time, instructions } = ran(wait(COUNTS_IN_100_MS, hint) + OFF, 1)
    expect(time).toBeGreaterThanOrEqual(1e8)
    expect(time).toBeLessThan(1e8 + 2000)
    // Without, an instruction for each nanosecond.
    expect(instructions).toBeLessThan(1e6)
  })

  it('of two CPUs at once takes no more of them', () => {
    const { time, instructions } = ran(`${ON}${wait(COUNTS_IN_100_MS, 'yield')}${OFF}second: yield\n b second`, 2)
    expect(time).toBeLessThan(1e8 + 5000)
    expect(instructions).toBeLessThan(2e6)
  })

  it('takes little from one that works', () => {
    // A million times two instructions.
    const work = `
        ldr     x1, =1000000
3:      subs    x1, x1, #1
        b.ne    3b
        ${OFF}`
    const { time } = ran(`${ON}${work}second: yield\n b second`, 2)
    expect(time).toBeLessThan(2e6 * 1.1)
  })

  it('does not make a timer late', () => {
    // The boot CPU yields until its virtual timer has set ISTATUS; it says how many counts late it saw that.
    const { vmm, text } = (() => {
      const guest = new FlatGuest({
        source: `
        mrs     x10, cntvct_el0
        add     x10, x10, #1000
        msr     cntv_cval_el0, x10
        mov     x1, #1
        msr     cntv_ctl_el0, x1
1:      yield
        mrs     x1, cntv_ctl_el0
        tbz     x1, #2, 1b
        mrs     x1, cntvct_el0
        sub     x1, x1, x10
        add     x1, x1, #'0'
        ldr     x2, =0x09000000
        strb    w1, [x2]
        ${OFF}`,
        blueprint: { vcpus: 1 },
      })
      guest.run(1e8)
      return guest
    })()
    expect(text).toBe('0')
    expect(vmm.now()).toBeLessThan(1000 * 16 + 1000)
  })
})
