// A bare-metal guest that takes interrupts however they are made pending, and checks what its GIC says of each: the
// assertions of Linux's selftest vgic_irq, on every CPU, with a GICv3 or a GICv2.
//
// Expected: EL1, MMU off, PSCI over HVC, 64 MiB of RAM from 0x40000000, the GIC where QEMU's virt machine has it.
// Whoever runs it is the VMM: it writes a test into a CPU's box and does what the CPU asks for meanwhile.
//
// Registers that keep their meaning throughout:
//   X28 this CPU's box           X27 a byte for each interrupt: how often it was taken
//   X26 GICv2: CPU interface     X25 distributor
//   X24 version of the GIC       X23 whether the end of an interrupt and its deactivation are two
//   X22 whether the interrupts are level-sensitive
//   X21 where the banks of private interrupts are      X20 the number of this CPU

        .equ    GICD, 0x08000000
        .equ    GICC, 0x08010000
        .equ    GICR, 0x080a0000
        .equ    GICR_WAKER, 0x14
        .equ    GICR_INVLPIR, 0xa0
        .equ    SGI_BASE, 0x10000

        .equ    ISENABLER, 0x100
        .equ    ISPENDR, 0x200
        .equ    ISACTIVER, 0x300
        .equ    IPRIORITYR, 0x400
        .equ    ITARGETSR, 0x800
        .equ    ICFGR, 0xc00
        .equ    IROUTER, 0x6000

        .equ    GICC_CTLR, 0x00
        .equ    GICC_PMR, 0x04
        .equ    GICC_IAR, 0x0c
        .equ    GICC_EOIR, 0x10
        .equ    GICC_APR, 0xd0
        .equ    GICC_DIR, 0x1000

        // What the VMM says of the machine.
        .equ    MACHINE, 0x41000000
        .equ    VERSION, 0
        .equ    IRQS, 4
        .equ    CPUS, 8

        // A box for each CPU: the test, what it asks the VMM for, what came of it.
        .equ    BOXES, 0x41001000
        .equ    BOX_SHIFT, 6
        .equ    TEST, 0                 // written last by the VMM, cleared last by the CPU
        .equ    FIRST, 4
        .equ    COUNT, 8
        .equ    METHOD, 12
        .equ    LEVEL, 16
        .equ    SPLIT, 20
        .equ    RESULT, 24              // 0, or the number of the assertion that failed
        .equ    SEEN, 28                // what it found instead
        .equ    ASK, 32                 // written last by the CPU, cleared last by the VMM
        .equ    ASK_FIRST, 36
        .equ    ASK_COUNT, 40
        .equ    HANDLED, 44

        .equ    TABLES, 0x41010000      // a byte for each INTID, LPIs behind the others
        .equ    TABLE_SHIFT, 12
        .equ    STACKS, 0x41100000
        .equ    STACK_SHIFT, 12

        // Tests.
        .equ    INJECT, 1
        .equ    PREEMPT, 2
        .equ    RESTORE, 3
        // What a CPU asks for besides the methods: the line goes down.
        .equ    LINE_LOW, 100

        .equ    LPI_PRIORITIES, 0x42000000      // GICR_PROPBASER, which the VMM has set
        .equ    LPI_ENABLED, 1

        .equ    SPURIOUS, 1023
        .equ    FIRST_LPI, 8192
        .equ    PRIORITY_STEP, 8
        .equ    PRIORITY_MASK, 0xf0
        .equ    DEFAULT_PRIORITY, 0xe8
        .equ    MAX_IRQS, 1024
        .equ    MAX_LPIS, 128

        // Ends the test unless two registers are equal.
        .macro  expect number, register, other
        cmp     \register, \other
        b.eq    .Lholds\@
        mov     w1, \register
        mov     w0, #\number
        b       failed
.Lholds\@:
        .endm

start:
        mov     x20, xzr
        ldr     x19, =MACHINE
        ldr     w19, [x19, #CPUS]
1:      sub     x19, x19, #1            // the last CPU first
        cbz     x19, cpu
        ldr     x0, =0xc4000003         // CPU_ON
        mov     x1, x19
        adr     x2, cpu_on
        mov     x3, x19
        hvc     #0
        cbnz    x0, .
        b       1b

cpu_on: mov     x20, x0
cpu:    msr     daifset, #15
        ldr     x28, =BOXES
        add     x28, x28, x20, lsl #BOX_SHIFT
        ldr     x27, =TABLES
        add     x27, x27, x20, lsl #TABLE_SHIFT
        ldr     x0, =STACKS
        add     x1, x20, #1
        add     x0, x0, x1, lsl #STACK_SHIFT
        mov     sp, x0
        ldr     x25, =GICD
        ldr     x26, =GICC
        mov     x21, x25
        ldr     x0, =MACHINE
        ldr     w24, [x0, #VERSION]
        adr     x0, vectors
        msr     vbar_el1, x0
        isb
        bl      open_gic

// Waits for a test, and runs it.
ready:  ldr     w0, [x28, #TEST]
        yield
        cbz     w0, ready
        ldr     w22, [x28, #LEVEL]
        ldr     w23, [x28, #SPLIT]
        str     wzr, [x28, #HANDLED]
        mov     x1, xzr
1:      str     xzr, [x27, x1]
        add     x1, x1, #8
        cmp     x1, #MAX_IRQS + MAX_LPIS
        b.lo    1b
        bl      configure
        ldr     w0, [x28, #TEST]
        cmp     w0, #INJECT
        b.eq    inject
        cmp     w0, #PREEMPT
        b.eq    preempt
        b       restore

// W0: the assertion, W1: what was found instead. The stack may be anything.
failed: msr     daifset, #2
        str     w1, [x28, #SEEN]
        b       2f
passed: msr     daifset, #2
        mov     w0, wzr
2:      str     w0, [x28, #RESULT]
        ldr     x0, =STACKS
        add     x1, x20, #1
        add     x0, x0, x1, lsl #STACK_SHIFT
        mov     sp, x0
        dmb     sy
        str     wzr, [x28, #TEST]
        b       ready

// Any number of interrupts at once, each taken once by a handler.
inject: ldr     w0, [x28, #METHOD]
        ldr     w1, [x28, #FIRST]
        ldr     w2, [x28, #COUNT]
        bl      ask
1:      ldr     w0, [x28, #HANDLED]
        ldr     w1, [x28, #COUNT]
        cmp     w0, w1
        b.hs    2f
        wfi
        msr     daifclr, #2
        isb
        msr     daifset, #2
        b       1b
2:      msr     daifclr, #2
        isb
        msr     daifset, #2
        ldr     w0, [x28, #HANDLED]
        ldr     w1, [x28, #COUNT]
        expect  1, w0, w1
        ldr     w9, [x28, #FIRST]
        ldr     w10, [x28, #COUNT]
        mov     w11, #1
3:      bl      times_taken
        ldrb    w0, [x1]
        expect  2, w0, w11
        add     w9, w9, #1
        subs    w10, w10, #1
        b.ne    3b
        b       nothing_left

// Each interrupt preempts the one before; then they end, the most urgent first.
preempt:
        bl      descending
        ldr     w9, [x28, #FIRST]
        ldr     w10, [x28, #COUNT]
1:      ldr     w0, [x28, #METHOD]
        mov     w1, w9
        mov     w2, #1
        bl      ask
2:      wfi
        bl      acknowledge
        bl      intid_of
        cmp     w0, #SPURIOUS
        b.eq    2b
        expect  3, w0, w9
        cbz     w22, 3f
        mov     w0, #LINE_LOW
        mov     w1, w9
        mov     w2, #1
        bl      ask
3:      add     w9, w9, #1
        subs    w10, w10, #1
        b.ne    1b
        b       end_all

// The interrupts are active already, as after a migration; then they end, the most urgent first.
restore:
        bl      descending
        ldr     w9, [x28, #FIRST]
        ldr     w10, [x28, #COUNT]
        mov     w11, #1
1:      ldr     w0, [x28, #METHOD]
        mov     w1, w9
        mov     w2, #1
        bl      ask
        bl      active_priorities
        orr     w0, w0, w11
        bl      set_active_priorities
        lsl     w11, w11, #1
        add     w9, w9, #1
        subs    w10, w10, #1
        b.ne    1b

// From the last to the first.
end_all:
        ldr     w9, [x28, #FIRST]
        ldr     w10, [x28, #COUNT]
        add     w9, w9, w10
1:      sub     w9, w9, #1
        bl      source_of
        bl      end
        subs    w10, w10, #1
        b.ne    1b
        cmp     w9, #FIRST_LPI          // which are never active
        b.hs    nothing_left
        ldr     w10, [x28, #COUNT]
2:      mov     w0, w9
        mov     w1, #ISACTIVER
        bl      bit
        mov     w2, wzr
        expect  4, w0, w2
        add     w9, w9, #1
        subs    w10, w10, #1
        b.ne    2b

nothing_left:
        bl      active_priorities
        mov     w1, wzr
        expect  5, w0, w1
        bl      acknowledge
        mov     w1, #SPURIOUS
        expect  6, w0, w1
        b       passed

irq:    stp     x0, x1, [sp, #-112]!
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x9, x10, [sp, #48]
        stp     x11, x12, [sp, #64]
        mrs     x0, elr_el1
        mrs     x1, spsr_el1
        stp     x0, x1, [sp, #80]
        str     x30, [sp, #96]
        bl      acknowledge
        mov     w12, w0                 // with the source, which its end must name
        bl      intid_of
        mov     w9, w0
        cmp     w9, #SPURIOUS
        b.eq    2f
        cmp     w9, #FIRST_LPI          // whose state no register shows
        b.hs    3f
        mov     w0, w9
        mov     w1, #ISACTIVER
        bl      bit
        mov     w2, #1
        expect  7, w0, w2
        cbnz    w22, 1f
        mov     w0, w9
        mov     w1, #ISPENDR
        bl      bit
        mov     w2, wzr
        expect  8, w0, w2
        b       3f
1:      mov     w0, #LINE_LOW
        mov     w1, w9
        mov     w2, #1
        bl      ask
3:      ldr     w0, [x28, #HANDLED]
        add     w0, w0, #1
        str     w0, [x28, #HANDLED]
        bl      times_taken
        ldrb    w0, [x1]
        add     w0, w0, #1
        strb    w0, [x1]
        mov     w11, w12
        bl      end
        cmp     w9, #FIRST_LPI
        b.hs    2f
        mov     w0, w9
        mov     w1, #ISACTIVER
        bl      bit
        mov     w2, wzr
        expect  9, w0, w2
        mov     w0, w9
        mov     w1, #ISPENDR
        bl      bit
        mov     w2, wzr
        expect  10, w0, w2
2:      ldr     x30, [sp, #96]
        ldp     x0, x1, [sp, #80]
        msr     elr_el1, x0
        msr     spsr_el1, x1
        ldp     x11, x12, [sp, #64]
        ldp     x9, x10, [sp, #48]
        ldp     x4, x5, [sp, #32]
        ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #112
        eret

// W11: what acknowledged it. Drops the priority, and deactivates.
end:    cmp     w24, #2
        b.eq    2f
        mov     w0, w11
        msr     icc_eoir1_el1, x0
        isb
        cbz     w23, 1f
        msr     icc_dir_el1, x0
        isb
1:      ret
2:      str     w11, [x26, #GICC_EOIR]
        cbz     w23, 1b
        add     x0, x26, #GICC_DIR
        str     w11, [x0]
        ret

// W9: an INTID that is active. W11: what acknowledged it, which of an SGI names the CPU it came from: this one.
source_of:
        mov     w11, w9
        cmp     w24, #2
        b.ne    1f
        cmp     w9, #16
        b.hs    1f
        orr     w11, w9, w20, lsl #10
1:      ret

acknowledge:
        cmp     w24, #2
        b.eq    2f
        mrs     x0, icc_iar1_el1
        dsb     sy
        ret
2:      ldr     w0, [x26, #GICC_IAR]
        ret

// W0: what acknowledged an interrupt, and its INTID.
intid_of:
        cmp     w24, #2
        b.ne    1f
        and     w0, w0, #SPURIOUS
1:      ret

// W9: an INTID. X1: where this CPU counts how often it was taken.
times_taken:
        mov     w1, #FIRST_LPI - MAX_IRQS
        cmp     w9, #FIRST_LPI
        csel    w1, w1, wzr, hs
        sub     w1, w9, w1
        add     x1, x27, x1
        ret

active_priorities:
        cmp     w24, #2
        b.eq    2f
        mrs     x0, icc_ap1r0_el1
        ret
2:      ldr     w0, [x26, #GICC_APR]
        ret

set_active_priorities:
        cmp     w24, #2
        b.eq    2f
        msr     icc_ap1r0_el1, x0
        isb
        ret
2:      str     w0, [x26, #GICC_APR]
        ret

// W0: an INTID. X3: the frame that has its bits.
frame:  mov     x3, x25
        cmp     w0, #32
        csel    x3, x21, x3, lo
        ret

// W0: an INTID, W1: a bank of one bit each. W0: its bit.
bit:    mov     x5, x30
        bl      frame
        add     x3, x3, x1
        lsr     w2, w0, #5
        ldr     w3, [x3, x2, lsl #2]
        lsr     w3, w3, w0
        and     w0, w3, #1
        ret     x5

// W0: an INTID, W1: a priority.
set_priority:
        mov     w3, #FIRST_LPI
        subs    w3, w0, w3
        b.hs    1f
        mov     x5, x30
        bl      frame
        add     x3, x3, #IPRIORITYR
        strb    w1, [x3, x0]
        ret     x5
1:      ldr     x5, =LPI_PRIORITIES
        orr     w1, w1, #LPI_ENABLED
        strb    w1, [x5, x3]
        dsb     sy
        mov     x3, #SGI_BASE
        sub     x3, x21, x3
        str     w0, [x3, #GICR_INVLPIR]
        ret

// The first interrupt is the least urgent.
descending:
        mov     x4, x30
        ldr     w0, [x28, #FIRST]
        ldr     w2, [x28, #COUNT]
1:      sub     w2, w2, #1
        lsl     w1, w2, #3              // PRIORITY_STEP
        bl      set_priority
        add     w0, w0, #1
        cbnz    w2, 1b
        ret     x4

// W0: what the VMM is to do, W1: to which interrupt, W2: and to how many from there on.
ask:    str     w1, [x28, #ASK_FIRST]
        str     w2, [x28, #ASK_COUNT]
        dmb     sy
        str     w0, [x28, #ASK]
1:      yield
        ldr     w0, [x28, #ASK]
        cbnz    w0, 1b
        ret

// This CPU's part of the GIC.
open_gic:
        cmp     w24, #2
        b.eq    2f
        ldr     x0, =GICR
        add     x0, x0, x20, lsl #17
        str     wzr, [x0, #GICR_WAKER]
        add     x21, x0, #SGI_BASE
        mov     w0, #0x12               // affinity routing, Group 1
        str     w0, [x25]
        mov     x0, #PRIORITY_MASK
        msr     icc_pmr_el1, x0
        mov     x0, #1
        msr     icc_igrpen1_el1, x0
        isb
        b       3f
2:      mov     w0, #1
        str     w0, [x25]
        mov     w0, #PRIORITY_MASK
        str     w0, [x26, #GICC_PMR]
3:      mov     w0, #0xffff             // SGIs, and PPIs that nothing drives
        movk    w0, #0x00ff, lsl #16
        str     w0, [x21, #ISENABLER]
        ret

// For one test: every interrupt here, of one kind, with one priority.
configure:
        mov     x4, x30
        cmp     w24, #2
        b.eq    1f
        lsl     x0, x23, #1             // EOImode
        msr     icc_ctlr_el1, x0
        isb
        b       2f
1:      lsl     w0, w23, #9             // EOImode
        orr     w0, w0, #1              // Group 0
        str     w0, [x26, #GICC_CTLR]
2:      ldr     x6, =MACHINE
        ldr     w6, [x6, #IRQS]
        mov     w0, wzr
3:      mov     w1, #DEFAULT_PRIORITY
        bl      set_priority
        cmp     w0, #32
        b.lo    5f
        cmp     w24, #2
        b.eq    4f
        add     x3, x25, #IROUTER
        str     x20, [x3, x0, lsl #3]
        b       5f
4:      add     x3, x25, #ITARGETSR
        mov     w1, #1
        lsl     w1, w1, w20
        strb    w1, [x3, x0]
5:      add     w0, w0, #1
        cmp     w0, w6
        b.lo    3b
        lsr     w6, w6, #4              // words of ICFGR
        mov     w1, #0xaaaaaaaa         // edges
        cmp     w22, #0
        csel    w1, wzr, w1, ne
        add     x3, x25, #ICFGR
        mov     w0, #2
6:      str     w1, [x3, x0, lsl #2]
        add     w0, w0, #1
        cmp     w0, w6
        b.lo    6b
        lsr     w6, w6, #1              // words of ISENABLER
        mov     w1, #0xffffffff
        add     x3, x25, #ISENABLER
        mov     w0, #1
7:      str     w1, [x3, x0, lsl #2]
        add     w0, w0, #1
        cmp     w0, w6
        b.lo    7b
        ret     x4

unexpected:
        mrs     x1, esr_el1
        mov     w0, #99
        b       failed

        .balign 2048
vectors:
        .irp    offset, 0x000, 0x080, 0x100, 0x180, 0x200
        .org    vectors + \offset
        b       unexpected
        .endr
        .org    vectors + 0x280
        b       irq
        .irp    offset, 0x300, 0x380, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
        .org    vectors + \offset
        b       unexpected
        .endr
