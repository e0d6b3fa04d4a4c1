// Exceptions at EL1, as short as they can be, and where the second CPU begins.
        .text
        .macro  vector name
        .balign 0x80
        b       \name
        .endm

        .balign 0x800
        .global vectors
        .type   vectors, %function
        .type   synchronous, %function
        .type   irq, %function
        .type   second, %function
vectors:
        .rept   4
        vector  stuck
        .endr
        vector  synchronous
        vector  irq
        .rept   10
        vector  stuck
        .endr

stuck:  b       stuck

synchronous:
        stp     x0, x1, [sp, #-16]!
        mrs     x0, esr_el1
        lsr     x0, x0, #26
        cmp     x0, #0x15               // SVC
        b.eq    1f
        cmp     x0, #0x25               // a data abort: the fourth GiB is mapped onto RAM
        b.ne    stuck
        ldr     x0, =table + 24
        ldr     x1, =0x40000705
        str     x1, [x0]
        dsb     ishst
1:      ldp     x0, x1, [sp], #16
        eret

// Counts in the word that TPIDR_EL1 names. SGI 1 is answered by `reply`; the virtual timer is turned off.
irq:    stp     x0, x1, [sp, #-32]!
        str     x2, [sp, #16]
        mrs     x0, s3_0_c12_c12_0      // ICC_IAR1_EL1
        cmp     x0, #27
        b.ne    1f
        msr     cntv_ctl_el0, xzr
        isb
1:      cmp     x0, #1
        b.ne    2f
        ldr     x1, =reply
        ldr     x1, [x1]
        msr     s3_0_c12_c11_5, x1      // ICC_SGI1R_EL1
2:      msr     s3_0_c12_c12_1, x0      // ICC_EOIR1_EL1
        mrs     x1, tpidr_el1
        ldr     x2, [x1]
        add     x2, x2, #1
        str     x2, [x1]
        ldr     x2, [sp, #16]
        ldp     x0, x1, [sp], #32
        eret

        .global second
second: ldr     x0, =second_stack
        mov     sp, x0
        bl      turn_on
        b       second_main

        .bss
        .balign 16
        .skip   4096
second_stack:
