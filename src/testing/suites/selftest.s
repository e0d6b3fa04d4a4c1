// That a machine is what a test can build on: exceptions from both levels with all registers kept, and every CPU itself.

        .equ    EC_UNKNOWN, 0
        .equ    EC_SVC, 0x15
        .equ    SVC_NUMBER, 123
        .equ    EL1H, 5
        .equ    USER_STACK, 0x41018000

        // Does what takes an exception, and looks at what the vector saw: its class, where it came from, its return address.
        .macro  takes name, instruction, class, mode
        adr     x19, seen
        str     xzr, [x19]
        adr     x20, 1f
        mov     x21, #0x2121
        fmov    d8, x21
1:      \instruction
        ldr     x0, [x19]
        lsr     x0, x0, #26
        expect  "\name: its class", x0, \class
        ldr     x0, [x19, #8]
        sub     x0, x0, x20
        .ifeq   \class - EC_SVC
        sub     x0, x0, #4              // behind it
        .endif
        expect  "\name: where it happened", x0, 0
        ldr     x0, [x19, #16]
        and     x0, x0, #15
        expect  "\name: what it came from", x0, \mode
        fmov    x0, d8
        expect  "\name: the registers are kept", x0, 0x2121
        .endm

// Notes ESR_EL1, ELR_EL1 and SPSR_EL1, and goes on behind an instruction that is none.
synchronous:
        sub     sp, sp, #32
        stp     x0, x1, [sp]
        stp     x2, x3, [sp, #16]
        adr     x0, seen
        mrs     x1, esr_el1
        str     x1, [x0]
        mrs     x2, elr_el1
        str     x2, [x0, #8]
        mrs     x3, spsr_el1
        str     x3, [x0, #16]
        lsr     x1, x1, #26
        cbnz    x1, 1f
        add     x2, x2, #4
        msr     elr_el1, x2
1:      mrs     x0, esr_el1
        and     w0, w0, #0xffff
        cmp     w0, #7                  // SVC 7: user mode is over
        b.eq    2f
        ldp     x0, x1, [sp]
        ldp     x2, x3, [sp, #16]
        add     sp, sp, #32
        eret
2:      add     sp, sp, #32
        b       main_goes_on

end_of_interrupt:
        b       complete

second: box     x0, x26
        mrs     x1, mpidr_el1
        str     x1, [x0, #MPIDR]
        mov     x1, #1
        str     x1, [x0, #READY]
        dsb     sy
1:      wfi
        b       1b

main:   takes   "kernel: a register of EL2", "mrs x0, sctlr_el2", EC_UNKNOWN, EL1H
        takes   "kernel: svc", "svc #SVC_NUMBER", EC_SVC, EL1H
        ldr     x0, [x19]
        and     w0, w0, #0xffff
        expect  "kernel: svc's number", x0, SVC_NUMBER

        msr     spsr_el1, xzr
        adr     x0, user
        msr     elr_el1, x0
        ldr     x0, =USER_STACK
        msr     sp_el0, x0
        isb
        eret

user:   takes   "user: a register of EL2", "mrs x0, sctlr_el2", EC_UNKNOWN, 0
        takes   "user: svc", "svc #SVC_NUMBER", EC_SVC, 0
        svc     #7

main_goes_on:
        mov     x24, #1
1:      cmp     x24, x25
        b.hs    2f
        mov     x1, x24
        adr     x2, second
        bl      start_cpu
        add     x24, x24, #1
        b       1b
2:      mov     x0, #1
        bl      await_ready
        mov     x24, #1
        mov     x23, #1                 // CPUs that are who they are
3:      cmp     x24, x25
        b.hs    4f
        box     x0, x24
        ldr     x0, [x0, #MPIDR]
        ldr     x1, =0xff00ffffff
        and     x0, x0, x1
        cmp     x0, x24
        cinc    x23, x23, eq
        add     x24, x24, #1
        b       3b
4:      sub     x0, x23, x25
        expect  "smp: every CPU has the affinity it was started by", x0, 0
        b       finish

        .balign 8
seen:   .space  24
        .ltorg
