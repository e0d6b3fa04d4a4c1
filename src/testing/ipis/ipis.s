// A bare-metal guest whose CPUs send each other SGIs, COUNT from each to each, all at the same time, and count what arrives.
//
// Expected: EL1, MMU off, a GICv3, PSCI over HVC and a PL011 where QEMU's virt machine has them; CPU n has affinity
// 0.0.0.n, up to 16 of them. The INTID tells who sent. A sender waits until its SGI has arrived before it sends the next,
// so that none is merged with another.

        .equ    UART, 0x09000000
        .equ    GICD, 0x08000000
        .equ    GICR, 0x080a0000
        .equ    GICR_TYPER, 0x0008
        .equ    GICR_WAKER, 0x0014
        .equ    SGI_BASE, 0x10000
        .equ    GICR_ISENABLER0, 0x0100
        .equ    TYPER_LAST, 4
        .equ    COUNT, 10000
        .equ    GRACE, 100000           // turns of a loop in which nothing more may arrive

        .macro  address register, symbol
        adrp    \register, \symbol
        add     \register, \register, :lo12:\symbol
        .endm

start:
        msr     daifset, #15
        ldr     x1, =GICR
        mov     x28, xzr                // how many CPUs there are
1:      ldr     x0, [x1, #GICR_TYPER]
        add     x28, x28, #1
        add     x1, x1, #0x20, lsl #12
        tbz     x0, #TYPER_LAST, 1b
        address x1, cpus
        str     x28, [x1]
        ldr     x1, =GICD
        mov     w0, #0x12               // affinity routing, Group 1
        str     w0, [x1]
        mov     x20, #1
2:      cmp     x20, x28
        b.hs    3f
        ldr     x0, =0xc4000003         // CPU_ON
        mov     x1, x20
        adr     x2, secondary
        mov     x3, x20
        hvc     #0
        add     x20, x20, #1
        b       2b
3:      mov     x0, xzr

secondary:
        mov     x19, x0                 // which CPU this is
        msr     tpidr_el1, x19
        address x0, vectors
        msr     vbar_el1, x0
        ldr     x1, =GICR
        add     x1, x1, x19, lsl #17
        str     wzr, [x1, #GICR_WAKER]
        add     x1, x1, #0x10, lsl #12  // SGI_BASE
        mov     w0, #0xffff
        str     w0, [x1, #GICR_ISENABLER0]
        mov     x0, #0xff
        msr     ICC_PMR_EL1, x0
        mov     x0, #1
        msr     ICC_IGRPEN1_EL1, x0
        isb
        msr     daifclr, #2
        address x27, cpus
        ldr     x28, [x27]
        address x0, online
        bl      arrive

        mov     x20, xzr                // to whom
send_to:
        cmp     x20, x28
        b.hs    sent
        cmp     x20, x19
        b.eq    next_cpu
        address x4, counts
        add     x0, x19, x20, lsl #4
        add     x4, x4, x0, lsl #2
        mov     x0, #1
        lsl     x3, x0, x20
        orr     x3, x3, x19, lsl #24
        mov     w5, wzr
        ldr     w7, =COUNT
1:      msr     ICC_SGI1R_EL1, x3
        isb
        add     w5, w5, #1
2:      ldr     w6, [x4]
        cmp     w6, w5
        b.hs    3f
        yield
        b       2b
3:      cmp     w5, w7
        b.lo    1b
next_cpu:
        add     x20, x20, #1
        b       send_to

sent:
        address x0, done
        bl      arrive
        cbnz    x19, asleep
        ldr     w0, =GRACE
1:      subs    w0, w0, #1
        b.ne    1b
        bl      tell
        ldr     x0, =0x84000008         // SYSTEM_OFF
        hvc     #0
asleep: wfi
        b       asleep

// Sets this CPU's word of a list and waits until all have set theirs.
arrive:
        mov     w1, #1
        str     w1, [x0, x19, lsl #2]
        dsb     sy
1:      mov     x2, xzr
2:      ldr     w1, [x0, x2, lsl #2]
        cbz     w1, 3f
        add     x2, x2, #1
        cmp     x2, x28
        b.lo    2b
        ret
3:      yield
        b       1b

// Each receiver's counts, by sender, on a line.
tell:
        mov     x26, x30
        mov     x20, xzr
1:      mov     x21, xzr
2:      address x4, counts
        add     x0, x21, x20, lsl #4
        ldr     w0, [x4, x0, lsl #2]
        bl      put_dec
        mov     w0, #' '
        bl      put
        add     x21, x21, #1
        cmp     x21, x28
        b.lo    2b
        mov     w0, #10
        bl      put
        add     x20, x20, #1
        cmp     x20, x28
        b.lo    1b
        address x4, strays
        ldr     w0, [x4]
        bl      put_dec
        mov     w0, #10
        bl      put
        ret     x26

put:
        ldr     x1, =UART
        str     w0, [x1]
        ret

put_dec:
        mov     x25, x30
        mov     w2, #10
        address x3, digits_end
1:      udiv    w1, w0, w2
        msub    w5, w1, w2, w0
        add     w5, w5, #'0'
        sub     x3, x3, #1
        strb    w5, [x3]
        mov     w0, w1
        cbnz    w0, 1b
2:      address x5, digits_end
        cmp     x3, x5
        b.hs    3f
        ldrb    w0, [x3]
        add     x3, x3, #1
        bl      put
        b       2b
3:      ret     x25

        .balign 2048
vectors:
        .space  0x280
// An IRQ. X9 to X12 are its own.
        mrs     x9, ICC_IAR1_EL1
        cmp     x9, #16
        b.hs    1f
        mrs     x10, tpidr_el1
        add     x10, x9, x10, lsl #4
        adrp    x11, counts
        add     x11, x11, :lo12:counts
        add     x11, x11, x10, lsl #2
        ldr     w12, [x11]
        add     w12, w12, #1
        str     w12, [x11]
        msr     ICC_EOIR1_EL1, x9
        eret
// Nothing that was sent.
1:      adrp    x11, strays
        add     x11, x11, :lo12:strays
        ldr     w12, [x11]
        add     w12, w12, #1
        str     w12, [x11]
        eret
        .balign 2048

        .balign 8
cpus:   .quad   0
online: .space  64
done:   .space  64
strays: .word   0
        .balign 8
counts: .space  1024
digits: .space  16
digits_end:
        .space  16
