// What the suites of this folder share: a console, verdicts, exceptions, CPUs, and a GIC of either version. A suite is
// put behind it, begins at `main` on the boot CPU, and ends with `finish`.
//
// Expected: EL1, MMU off, PSCI over HVC, CPUs with the affinities 0.0.0.0 to 0.0.0.7, GIC and PL011 where QEMU's virt
// machine has them, 64 MiB of RAM from 0x40000000.
//
// Registers that keep their meaning throughout:
//   X28 version of the GIC: 2 or 3       X27 where this CPU's private interrupts have their registers
//   X26 number of this CPU               X25 number of CPUs
// What a check finds is in X9.

        .equ    UART, 0x09000000
        .equ    GICD, 0x08000000
        .equ    GICC, 0x08010000
        .equ    GICR, 0x080a0000
        .equ    GICR_WAKER, 0x14
        .equ    GICR_SHIFT, 17
        .equ    SGI_BASE, 0x10000

        // Of a distributor, and of a redistributor's second page.
        .equ    CTLR, 0x000
        .equ    TYPER, 0x004
        .equ    IIDR, 0x008
        .equ    IGROUPR, 0x080
        .equ    ISENABLER, 0x100
        .equ    ICENABLER, 0x180
        .equ    ISPENDR, 0x200
        .equ    ICPENDR, 0x280
        .equ    ISACTIVER, 0x300
        .equ    ICACTIVER, 0x380
        .equ    IPRIORITYR, 0x400
        .equ    ITARGETSR, 0x800
        .equ    SGIR, 0xf00

        .equ    GICC_CTLR, 0x00
        .equ    GICC_PMR, 0x04
        .equ    GICC_IAR, 0x0c
        .equ    GICC_EOIR, 0x10

        .equ    VIRTUAL_TIMER, 27
        .equ    PHYSICAL_TIMER, 30
        .equ    TIMER_MASKED, 3         // ENABLE and IMASK

        .equ    PSCI_VERSION, 0x84000000
        .equ    PSCI_CPU_OFF, 0x84000002
        .equ    PSCI_CPU_ON, 0xc4000003
        .equ    PSCI_AFFINITY_INFO, 0xc4000004
        .equ    PSCI_SYSTEM_OFF, 0x84000008
        .equ    PSCI_FEATURES, 0x8400000a
        .equ    INVALID_PARAMS, -2

        // What is known of a CPU; in RAM that nobody has written to.
        .equ    BOXES, 0x41000000
        .equ    BOX_SHIFT, 6
        .equ    TAKEN, 0                // interrupts taken
        .equ    IAR, 8                  // what the last acknowledge read
        .equ    READY, 16
        .equ    ANSWER, 24              // what PSCI answered it
        .equ    MPIDR, 32
        .equ    STACKS, 0x41010000
        .equ    STACK_SHIFT, 12

        // X2 is 1 or 0 for a check that holds or does not; its name follows.
        .macro  verdict name
        adr     x0, .Lname\@
        bl      tell
        b       .Lnext\@
.Lname\@:
        .asciz  "\name"
        .balign 4
.Lnext\@:
        .endm

        .macro  expect name, register, value
        mov     x9, \register
        ldr     x10, =\value
        cmp     x9, x10
        cset    x2, eq
        verdict "\name"
        .endm

        // A 32-bit register of a device.
        .macro  expect_at name, address, value
        ldr     x9, =\address
        ldr     w9, [x9]
        expect  "\name", x9, \value
        .endm

        .macro  poke address, value
        ldr     x0, =\address
        ldr     w1, =\value
        str     w1, [x0]
        .endm

        // The box of the CPU whose number is in a register.
        .macro  box register, cpu
        ldr     \register, =BOXES
        add     \register, \register, \cpu, lsl #BOX_SHIFT
        .endm

        .macro  call_psci function
        ldr     x0, =\function
        hvc     #0
        .endm

start:
        mov     x26, xzr
        bl      prepare
        bl      count_cpus
        b       main

// Every CPU: X26 is its number.
prepare:
        msr     daifset, #15
        adrp    x0, vectors
        add     x0, x0, :lo12:vectors
        msr     vbar_el1, x0
        ldr     x0, =STACKS
        add     x1, x26, #1
        add     x0, x0, x1, lsl #STACK_SHIFT
        mov     sp, x0
        mov     x0, #3 << 20            // floating point
        msr     cpacr_el1, x0
        isb
        mrs     x0, id_aa64pfr0_el1     // GIC: the system registers of a GICv3
        ubfx    x0, x0, #24, #4
        cbz     x0, 1f
        mov     x28, #3
        ldr     x27, =GICR + SGI_BASE
        add     x27, x27, x26, lsl #GICR_SHIFT
        ret
1:      mov     x28, #2
        ldr     x27, =GICD
        ret

// CPUs have the numbers that AFFINITY_INFO knows.
count_cpus:
        mov     x25, #1
1:      mov     x1, x25
        mov     x2, #0
        call_psci PSCI_AFFINITY_INFO
        cmn     x0, #2
        b.eq    2f
        add     x25, x25, #1
        b       1b
2:      ret

// Starts CPU X1 at X2, with its number in X26, once it is prepared; X0: what PSCI answers.
start_cpu:
        ldr     x3, =STACKS             // where it finds its entry
        add     x3, x3, x1, lsl #STACK_SHIFT
        str     x2, [x3]
        mov     x3, x1
        adr     x2, 1f
        call_psci PSCI_CPU_ON
        ret
1:      mov     x26, x0
        bl      prepare
        ldr     x1, =STACKS
        add     x1, x1, x26, lsl #STACK_SHIFT
        ldr     x1, [x1]
        br      x1

// Opens the GIC for this CPU: its SGIs, and whatever else is enabled by the suite.
open_gic:
        mvn     w0, wzr
        cmp     x28, #2
        b.eq    1f
        ldr     x1, =GICR
        add     x1, x1, x26, lsl #GICR_SHIFT
        str     wzr, [x1, #GICR_WAKER]
        str     w0, [x27, #IGROUPR]
        mov     x0, #0xf0
        msr     icc_pmr_el1, x0
        mov     x0, #1
        msr     icc_igrpen1_el1, x0
        isb
        poke    GICD + CTLR, 0x12       // ARE, EnableGrp1
        b       2f
1:      poke    GICC + GICC_PMR, 0xf0
        poke    GICC + GICC_CTLR, 1
        poke    GICD + CTLR, 1
2:      mov     w0, #0xffff
        str     w0, [x27, #ISENABLER]
        msr     daifclr, #2
        ret

// The last two of these change nothing but X0 to X2.
// Sends SGI 1: to the CPUs whose bits W0 has, to all others, to itself.
send_list:
        cmp     x28, #2
        b.eq    1f
        orr     x0, x0, #1 << 24
        msr     icc_sgi1r_el1, x0
        isb
        ret
1:      lsl     w0, w0, #16
        b       write_sgir
send_others:
        cmp     x28, #2
        mov     w0, #1 << 24
        b.eq    write_sgir
        orr     x0, x0, #1 << 40
        msr     icc_sgi1r_el1, x0
        isb
        ret
send_self:
        mov     w0, #1
        lsl     w0, w0, w26
        cmp     x28, #2
        b.ne    send_list
        mov     w0, #2 << 24
write_sgir:
        orr     w0, w0, #1
        ldr     x1, =GICD + SGIR
        str     w0, [x1]
        ret

// Waits until the CPUs whose bits W0 has have taken an interrupt, a hundred milliseconds at most; X0: those that have, and
// bit 32 where one has taken more.
await_taken:
        mov     w10, w0
        mrs     x11, cntvct_el0
        ldr     x12, =6250000
1:      mov     w0, #0
        mov     x2, #0
2:      box     x3, x2
        ldr     x4, [x3, #TAKEN]
        cbz     x4, 3f
        mov     w5, #1
        lsl     w5, w5, w2
        orr     x0, x0, x5
        cmp     x4, #1
        b.eq    3f
        orr     x0, x0, #1 << 32
3:      add     x2, x2, #1
        cmp     x2, x25
        b.lo    2b
        cmp     w0, w10
        b.eq    4f
        yield
        mrs     x6, cntvct_el0
        sub     x6, x6, x11
        cmp     x6, x12
        b.lo    1b
4:      ret

clear_taken:
        mov     x0, #0
1:      box     x1, x0
        str     xzr, [x1, #TAKEN]
        add     x0, x0, #1
        cmp     x0, x25
        b.lo    1b
        dsb     sy
        ret

// Waits until every CPU from X0 on is ready.
await_ready:
        cmp     x0, x25
        b.hs    2f
        box     x1, x0
1:      yield
        ldr     x2, [x1, #READY]
        cbz     x2, 1b
        add     x0, x0, #1
        b       await_ready
2:      ret

// The acknowledged INTID in W0, all of what was read in W1.
acknowledge:
        cmp     x28, #2
        b.eq    1f
        mrs     x1, icc_iar1_el1
        dsb     sy
        b       2f
1:      ldr     x1, =GICC + GICC_IAR
        ldr     w1, [x1]
2:      and     w0, w1, #0x3ff
        ret

// Ends what W1 was read for.
complete:
        cmp     x28, #2
        b.eq    1f
        msr     icc_eoir1_el1, x1
        isb
        ret
1:      ldr     x0, =GICC + GICC_EOIR
        str     w1, [x0]
        ret

// Prints "PASS name", or "FAIL name: " and what was found.
tell:
        stp     x19, x30, [sp, #-32]!
        stp     x9, x2, [sp, #16]
        mov     x19, x0
        adr     x0, pass
        adr     x1, fail
        cmp     x2, #0
        csel    x0, x0, x1, ne
        bl      puts
        mov     x0, x19
        bl      puts
        ldp     x19, x1, [sp, #16]
        cbnz    x1, 1f
        adr     x0, found
        bl      puts
        mov     x0, x19
        bl      put_hex
1:      mov     w0, #'\n'
        bl      putc
        ldp     x19, x30, [sp], #32
        ret
pass:   .asciz  "PASS "
fail:   .asciz  "FAIL "
found:  .asciz  ": "
        .balign 4

puts:   ldr     x2, =UART
1:      ldrb    w1, [x0], #1
        cbz     w1, 2f
        strb    w1, [x2]
        b       1b
2:      ret

putc:   ldr     x2, =UART
        strb    w0, [x2]
        ret

put_hex:
        ldr     x2, =UART
        mov     w3, #16
1:      ror     x0, x0, #60
        and     w1, w0, #15
        cmp     w1, #10
        add     w4, w1, #'0'
        add     w1, w1, #'a' - 10
        csel    w1, w4, w1, lo
        strb    w1, [x2]
        subs    w3, w3, #1
        b.ne    1b
        ret

finish:
        call_psci PSCI_SYSTEM_OFF
        b       .

// An interrupt: counts it, masks the timer it came from, ends it as the suite says.
interrupted:
        sub     sp, sp, #64
        stp     x0, x1, [sp]
        stp     x2, x3, [sp, #16]
        stp     x4, x30, [sp, #32]
        bl      acknowledge
        cmp     w0, #1023
        b.eq    3f
        mov     x2, #TIMER_MASKED
        cmp     w0, #VIRTUAL_TIMER
        b.ne    1f
        msr     cntv_ctl_el0, x2
1:      cmp     w0, #PHYSICAL_TIMER
        b.ne    2f
        msr     cntp_ctl_el0, x2
2:      isb
        mov     w4, w1
        bl      end_of_interrupt
        box     x2, x26
        str     x4, [x2, #IAR]
        ldr     x3, [x2, #TAKEN]
        add     x3, x3, #1
        str     x3, [x2, #TAKEN]
        dsb     sy
3:      ldp     x0, x1, [sp]
        ldp     x2, x3, [sp, #16]
        ldp     x4, x30, [sp, #32]
        add     sp, sp, #64
        eret

// An exception that no suite wanted.
unexpected:
        adr     x0, surprise
        bl      puts
        mrs     x0, esr_el1
        bl      put_hex
        mov     w0, #'\n'
        bl      putc
        b       finish
surprise:
        .asciz  "FAIL unexpected exception: "
        .balign 4
        .ltorg

        .macro  vector target
        .balign 0x80
        b       \target
        .endm

        .balign 0x800
vectors:
        .rept   4                       // EL1 with SP_EL0
        vector  unexpected
        .endr
        vector  synchronous             // EL1
        vector  interrupted
        vector  unexpected
        vector  unexpected
        vector  synchronous             // EL0
        vector  unexpected
        vector  unexpected
        vector  unexpected
        .rept   4                       // AArch32
        vector  unexpected
        .endr
        .balign 0x80
