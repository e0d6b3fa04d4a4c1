/** Calls, returns and switches end alike in both tiers: nested deeper than regions may be, through pointers, by tables. */
import { describe, expect, it } from 'vitest'
import { Machine } from '../engine/machine/machine.ts'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { EAGER } from './eager.ts'

const RAM = { ramBase: 0x4000_0000, ramSize: 4 * 2 ** 20 }
const BUDGET = 3_000_000

/** Ends in a branch to itself; the stack lies below 2 MiB. */
const PROGRAMS = {
  'recursion 200 deep': `
        mov     x19, #300
1:      mov     x0, #200
        bl      sum
        add     x20, x20, x0
        subs    x19, x19, #1
        b.ne    1b
        b       .
sum:    cbz     x0, 2f
        stp     x29, x30, [sp, #-32]!
        str     x0, [sp, #16]
        sub     x0, x0, #1
        bl      sum
        ldr     x1, [sp, #16]
        add     x0, x0, x1
        ldp     x29, x30, [sp], #32
2:      ret`,
  'calls through pointers, and a return to elsewhere': `
        mov     x19, #20000
        adr     x21, even
        adr     x22, odd
1:      tst     x19, #1
        csel    x9, x21, x22, eq
        blr     x9
        add     x20, x20, x0
        cmp     x0, #3
        b.eq    2f
        eor     x20, x20, x19
2:      subs    x19, x19, #1
        b.ne    1b
        b       .
even:   mov     x0, #3
        ret
odd:    adds    x0, x19, x20
        add     x30, x30, #4        // comes back one instruction later
        ret`,
  'a switch by a table': `
        mov     x19, #30000
        adr     x21, cases
        ldr     x23, =6364136223846793005
1:      madd    x20, x20, x23, x19
        lsr     x9, x20, #61
        add     x9, x21, x9, lsl #3
        br      x9
cases:  add     x0, x0, #1
        b       2f
        eor     x1, x1, x20
        b       2f
        sub     x2, x2, x19
        b       2f
        add     x3, x3, x0
        b       2f
        orr     x4, x4, x20, lsr #60
        b       2f
        mvn     x5, x5
        b       2f
        adds    x6, x6, x20
        b       2f
        mul     x7, x7, x23
        b       2f
2:      cset    x10, cs
        add     x11, x11, x10
        subs    x19, x19, #1
        b.ne    1b
        b       .`,
  'conditional compares and carries': `
        mov     x19, #20000
1:      madd    x20, x20, x19, x19
        cmp     x20, #0
        ccmp    x19, #27, #4, ne
        b.ls    2f
        ccmn    w20, #5, #2, gt
        adcs    x1, x1, x20
        sbc     x2, x2, x1
        b.vs    2f
        add     x3, x3, #1
2:      csinc   x4, x4, x4, mi
        mrs     x5, nzcv
        add     x6, x6, x5
        sub     x19, x19, #1
        cbnz    x19, 1b
        b       .`,
} as const

const finalState = (source: string, translate: boolean): Record<string, unknown> => {
  const assembled = assemble(`        mov     sp, x18\n${source}\n`, RAM.ramBase)
  if (!assembled.ok) throw new Error(JSON.stringify(assembled.errors))
  const machine = new Machine({ ...RAM, translate: translate && EAGER })
  machine.ram(RAM.ramBase, assembled.bytes.length)?.set(assembled.bytes)
  machine.addCpu().powerOn(BigInt(RAM.ramBase), 0n)
  const { core } = machine
  core.registers.setX(18, BigInt(RAM.ramBase + 2 ** 21))
  machine.runUntil(BUDGET, Infinity)
  const [cpu] = core.cpus
  return {
    x: Array.from({ length: 31 }, (_, n) => core.registers.x(n)),
    nzcv: core.registers.nzcv,
    pc: cpu === undefined ? undefined : core.pcOf(cpu),
    executed: cpu?.instructions,
    translated: (core.translator?.statistics.regions ?? 0) > 0,
  }
}

describe('both tiers agree on', () => {
  it.each(Object.entries(PROGRAMS))('%s', { timeout: 60_000 }, (_, source) => {
    expect(finalState(source, true)).toEqual({ ...finalState(source, false), translated: true })
  })
})
