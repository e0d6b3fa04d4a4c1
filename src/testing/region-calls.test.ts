/**
 * Calls, returns and switches end alike in both tiers: nested deeper than regions may be, through pointers, by tables, from page
 * to page, and in code that changes.
 */
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
  'a loop across the end of a page, and one that goes on in a page before': `
        mov     x19, #20000
        b       1f
back:   add     x2, x2, x1
        subs    x19, x19, #1
        b.eq    .
        b       1f
        .org    0xff4
1:      add     x0, x0, x19
        adr     x3, .
        eor     x1, x1, x0, ror #7
        mrs     x9, nzcv
        add     x4, x4, x9
        tbz     x1, #3, 2f
        add     x1, x1, x3
2:      b       back`,
  'functions that end by going to another, near and through a stub in another page, or that call themselves last': `
        mov     x19, #9000
        ldr     x21, =table
1:      mov     x0, x19
        bl      stub
        add     x20, x20, x0
        mov     x0, x19
        bl      near
        eor     x20, x20, x0
        mov     x0, #40
        mov     x1, #0
        bl      last
        add     x20, x20, x1
        bl      2f                  // comes back to where it leads
2:      subs    x19, x19, #1
        b.ne    1b
        b       .
near:   cmp     x0, #0
        cset    x1, hi
        b       more
last:   add     x1, x1, x0
        subs    x0, x0, #1
        b.eq    4f
        adr     x9, last
        br      x9
4:      ret
        .org    0x1000
more:   stp     x29, x30, [sp, #-16]!
        bl      3f
        ldp     x29, x30, [sp], #16
        b       5f
3:      adds    x0, x0, x1, lsl #3
        ret
5:      adc     x0, x0, x0
        ret
        .org    0x2000
stub:   ldr     x16, [x21]
        br      x16
table:  .quad   0x40003000
        .org    0x3000
        mov     x2, #0
6:      add     x2, x2, x0
        lsr     x0, x0, #1
        cbnz    x0, 6b
        mov     x0, x2
        ret`,
  'small functions in other pages, one with a loop, through pointers too': `
        mov     x19, #10000
        ldr     x21, =0x40003000
1:      mov     x0, x19
        bl      leaf
        add     x20, x20, x0
        and     x0, x19, #7
        bl      sum
        add     x22, x22, x0
        tst     x19, #3
        add     x9, x21, #16
        csel    x9, x21, x9, eq
        blr     x9
        subs    x19, x19, #1
        b.ne    1b
        b       .
        .org    0x2ff8
leaf:   eor     x0, x0, x20
        adds    x1, x0, #3          // goes on in the next page
        .org    0x3000
        adc     x0, x0, x1
        adr     x2, .
        add     x0, x0, x2
        ret
        sbcs    x0, x20, x1
        ret
        .org    0x5000
sum:    mov     x1, #0
2:      add     x1, x1, x0
        cbz     x0, 3f
        sub     x0, x0, #1
        b       2b
3:      mov     x0, x1
        ret`,
  'a small function of another page that is written anew': `
        mov     x19, #6000
        ldr     x21, =leaf
        ldr     w22, [x21]          // add x0, x0, #1
        ldr     w23, other
1:      bl      leaf
        tst     x19, #63
        b.ne    2f
        eor     w24, w22, w23
        ldr     w25, [x21]
        eor     w25, w25, w24
        str     w25, [x21]
        dc      cvau, x21
        dsb     ish
        ic      ivau, x21
        dsb     ish
        isb
2:      subs    x19, x19, #1
        b.ne    1b
        b       .
other:  add     x0, x0, #17
        .org    0x2000
leaf:   add     x0, x0, #1
        ret`,
  'another page of code at the same address': `
        ldr     x1, =0x40300000     // level 1: one table
        ldr     x2, =0x40301003
        str     x2, [x1, #8]
        ldr     x1, =0x40301000     // level 2: a table, and 2 MiB as they are
        ldr     x2, =0x40302003
        str     x2, [x1]
        ldr     x2, =0x40200701
        str     x2, [x1, #8]
        ldr     x1, =0x40302000     // level 3: pages as they are
        ldr     x2, =0x40000703
        mov     x3, #512
1:      str     x2, [x1], #8
        add     x2, x2, #0x1000
        subs    x3, x3, #1
        b.ne    1b
        ldr     x2, =0x40300000
        msr     ttbr0_el1, x2
        ldr     x2, =0x400800019    // 25 bits less, no walks of the upper half, 44 bits out
        msr     tcr_el1, x2
        mov     x2, #0xff
        msr     mair_el1, x2
        isb
        mrs     x2, sctlr_el1
        orr     x2, x2, #1
        msr     sctlr_el1, x2
        isb
        mov     x19, #6000
        ldr     x21, =0x40302028    // of the page at 5 * 4096
        ldr     x22, =0x40005703
        ldr     x23, =0x3000        // 5 and 6, in bits 13:12
1:      bl      leaf
        add     x25, x25, x0
        tst     x19, #63
        b.ne    2f
        eor     x22, x22, x23
        str     x22, [x21]
        dsb     ish
        tlbi    vmalle1
        dsb     ish
        isb
2:      subs    x19, x19, #1
        b.ne    1b
        b       .
        .org    0x5000
leaf:   add     x0, x0, #1
        ret
        .org    0x6000
        eor     x0, x0, #0xff
        ret`,
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
    pc: cpu === undefined ? undefined : core.banks.pcOf(cpu),
    executed: cpu?.instructions,
    translated: (core.translator?.statistics.regions ?? 0) > 0,
  }
}

describe('both tiers agree on', () => {
  it.each(Object.entries(PROGRAMS))('%s', { timeout: 120_000 }, (_, source) => {
    expect(finalState(source, true)).toEqual({ ...finalState(source, false), translated: true })
  })
})
