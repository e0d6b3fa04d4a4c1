// A bare-metal guest that makes many events of little work: CPU 0 sleeps for a tick of its virtual timer, then sends an SGI
// to the next cluster, whose CPUs wake, acknowledge it, end it and sleep again. As all sleep between ticks, virtual time
// keeps pace with wall time, and how many events there are in a second is up to TICKS.
//
// Expected: EL1, MMU off, a GICv3, PSCI over HVC, redistributors and PL011 where QEMU's virt machine has them; CPU n has
// the affinity that KVM gives it, with clusters of 16.

        .equ    TICKS, 1200             // a second
        .equ    UART, 0x09000000
        .equ    GICD, 0x08000000
        .equ    GICR, 0x080a0000        // 123 frames
        .equ    GICR_HIGH, 0x4000000000 // the others
        .equ    GICR_FRAMES, 123
        .equ    GICR_TYPER, 0x0008
        .equ    GICR_WAKER, 0x0014
        .equ    SGI_BASE, 0x10000
        .equ    GICR_ISENABLER0, 0x0100
        .equ    TYPER_LAST, 4
        .equ    TIMER, 27               // the virtual timer's PPI

        .macro  address register, symbol
        adrp    \register, \symbol
        add     \register, \register, :lo12:\symbol
        .endm

start:
        msr     daifset, #15
        ldr     x0, =GICD
        mov     w1, #0x12               // affinity routing, Group 1
        str     w1, [x0]
        mov     x19, xzr
        bl      enable
        mov     x28, xzr                // how many CPUs there are
1:      mov     x0, x28
        bl      frame
        ldr     x1, [x0, #GICR_TYPER]
        add     x28, x28, #1
        tbz     x1, #TYPER_LAST, 1b
        cmp     x28, #GICR_FRAMES
        b.ne    2f
        ldr     x0, =GICR_HIGH          // Last ends a region: is there another?
        ldr     x1, [x0, #GICR_TYPER]
        cbnz    x1, 1b
2:      mov     x20, #1
3:      cmp     x20, x28
        b.hs    4f
        ldr     x0, =0xc4000003         // CPU_ON
        and     x1, x20, #15
        lsr     x2, x20, #4
        orr     x1, x1, x2, lsl #8
        adr     x2, secondary
        mov     x3, x20
        hvc     #0
        add     x20, x20, #1
        b       3b
4:      address x2, ready
        ldr     x1, =UART
5:      ldrb    w0, [x2], #1
        cbz     w0, 6f
        str     w0, [x1]
        b       5b
6:      mrs     x21, cntfrq_el0
        ldr     x0, =TICKS
        udiv    x21, x21, x0
        msr     cntv_tval_el0, x21
        mov     x0, #1
        msr     cntv_ctl_el0, x0
        add     x22, x28, #15
        lsr     x22, x22, #4            // clusters
        mov     x20, xzr

tick:   mov     x0, #0xffff
        orr     x0, x0, x20, lsl #16
        msr     ICC_SGI1R_EL1, x0
        isb
        add     x20, x20, #1
        cmp     x20, x22
        csel    x20, x20, xzr, lo
1:      bl      take
        cmp     x0, #TIMER
        b.ne    1b
        b       tick

secondary:
        mov     x19, x0
        bl      enable
1:      bl      take
        b       1b

// Waits for an interrupt and ends it. Out: x0 is its INTID.
take:   wfi
        mrs     x0, ICC_IAR1_EL1
        cmp     x0, #1020
        b.hs    take
        cmp     x0, #TIMER
        b.ne    1f
        msr     cntv_tval_el0, x21      // its line falls before the end of the interrupt
1:      msr     ICC_EOIR1_EL1, x0
        ret

// Opens the way to this CPU, x19, for SGIs and the virtual timer.
enable: mov     x27, x30
        mov     x0, x19
        bl      frame
        str     wzr, [x0, #GICR_WAKER]
        add     x0, x0, #0x10, lsl #12  // SGI_BASE
        ldr     w1, =0x0800ffff
        str     w1, [x0, #GICR_ISENABLER0]
        mov     x0, #0xff
        msr     ICC_PMR_EL1, x0
        mov     x0, #1
        msr     ICC_IGRPEN1_EL1, x0
        isb
        ret     x27

// The redistributor of CPU x0. Out: x0.
frame:  ldr     x1, =GICR
        cmp     x0, #GICR_FRAMES
        b.lo    1f
        sub     x0, x0, #GICR_FRAMES
        ldr     x1, =GICR_HIGH
1:      add     x0, x1, x0, lsl #17
        ret

ready:  .asciz  "guest: ready\r\n"
