// A bare-metal guest that makes an ITS translate, and tells which CPU takes which LPI.
//
// Expected: EL1, MMU off, a GICv3 with an ITS, PSCI over HVC and a PL011 where QEMU's virt machine has them, 64 MiB of
// RAM. The boot CPU prints, and takes interrupts only while it waits for one; the others take them at any time.
// At the end it waits for messages, until the one of event 15.

        .equ    UART, 0x09000000
        .equ    GICD, 0x08000000
        .equ    GICR, 0x080a0000
        .equ    ITS, 0x08080000

        .equ    GICD_CTLR, 0x0000
        .equ    GICR_CTLR, 0x0000
        .equ    GICR_TYPER, 0x0008
        .equ    GICR_WAKER, 0x0014
        .equ    GICR_PROPBASER, 0x0070
        .equ    GICR_PENDBASER, 0x0078
        .equ    GITS_CTLR, 0x0000
        .equ    GITS_CBASER, 0x0080
        .equ    GITS_CWRITER, 0x0088
        .equ    GITS_CREADR, 0x0090
        .equ    GITS_BASER0, 0x0100
        .equ    GITS_BASER1, 0x0108

        // Tables, 64 KiB each, in RAM that nobody has written to; pending tables from the last on, one for each CPU.
        .equ    CONFIGURATION, 0x41000000
        .equ    RING, 0x41010000
        .equ    DEVICES, 0x41020000
        .equ    COLLECTIONS, 0x41030000
        .equ    ITT, 0x41040000
        .equ    PENDING, 0x41100000

        .equ    FIRST_LPI, 8192
        .equ    LPI_COUNT, 16
        .equ    ENABLED, 0xa1           // at priority 0xa0
        .equ    DISABLED, 0xa0
        .equ    DEVICE, 5
        .equ    LAST_EVENT, 15
        .equ    OTHER_COLLECTION, 100   // the first are those of the CPUs, by their numbers
        .equ    PATIENCE, 125000        // 2 ms of the counter: enough where nobody else uses the host

        // What a CPU tells the boot CPU.
        .equ    BOX_COUNT, 0
        .equ    BOX_INTID, 8
        .equ    BOX_ONLINE, 16
        .equ    BOX_SEEN, 24            // the boot CPU's: how many it has told of
        .equ    BOX_SHIFT, 6
        .equ    MAX_CPUS, 16

        .macro  print text
        adr     x0, .Ltext\@
        bl      puts
        b       .Lnext\@
.Ltext\@:
        .asciz  "\text"
        .balign 4
.Lnext\@:
        .endm

        .macro  enter
        stp     x29, x30, [sp, #-48]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        .endm

        .macro  leave
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x29, x30, [sp], #48
        ret
        .endm

        .macro  address register, symbol
        adrp    \register, \symbol
        add     \register, \register, :lo12:\symbol
        .endm

        // The box of the CPU whose number is in a register.
        .macro  box register, cpu
        address \register, boxes
        add     \register, \register, \cpu, lsl #BOX_SHIFT
        .endm

        // The words of a command are put together in X0 to X3 and go into the ring.
        .macro  about_event code, event
        mov     x0, #\code
        mov     x1, #DEVICE
        orr     x0, x0, x1, lsl #32
        mov     x1, #\event
        mov     x2, xzr
        mov     x3, xzr
        .endm

start:
        msr     daifset, #15
        mov     x0, xzr
        bl      this_cpu
        bl      count_cpus              // X28 from here on: how many CPUs there are
        mov     x28, x0
        mov     w0, #0x12               // affinity routing, Group 1
        ldr     x1, =GICD
        str     w0, [x1, #GICD_CTLR]
        bl      configure
        mov     x0, xzr
        bl      start_cpu
        bl      start_its
        bl      start_others

        print   "lpis: "
        mov     x0, x28
        bl      put_dec
        print   " CPUs\n"

// An event happens.
        print   "INT: "
        about_event 0x03, 0
        bl      command
        bl      tell

// It is pending at the boot CPU, which takes nothing, and moves to the last CPU's collection.
        print   "MOVI: "
        about_event 0x03, 1
        bl      command
        about_event 0x01, 1
        sub     x2, x28, #1             // ICID
        bl      command
        bl      tell

// What happens to it now happens there.
        print   "INT of the moved event: "
        about_event 0x03, 1
        bl      command
        bl      tell

// The boot CPU's pending LPIs go to the last CPU, whatever their collections say.
        print   "MOVALL: "
        about_event 0x03, 2
        bl      command
        mov     x0, #0x0e
        mov     x1, xzr
        mov     x2, xzr                 // RDbase 1
        sub     x3, x28, #1
        lsl     x3, x3, #16             // RDbase 2
        bl      command
        bl      tell
        mov     x0, xzr                 // KVM then has them all there until their collection is mapped again
        mov     x1, xzr
        bl      map_collection

// A collection is mapped to another redistributor.
        print   "MAPC: "
        mov     x0, #OTHER_COLLECTION
        sub     x1, x28, #1
        bl      map_collection
        about_event 0x01, 3
        mov     x2, #OTHER_COLLECTION
        bl      command
        about_event 0x03, 3
        bl      command
        bl      tell

// The pending state is taken away.
        print   "CLEAR: "
        about_event 0x03, 0
        bl      command
        about_event 0x04, 0
        bl      command
        bl      tell

// Disabled in its table, and enabled again, each time read by INV.
        print   "INV, disabled: "
        mov     w0, #DISABLED
        bl      reconfigure
        about_event 0x03, 4
        bl      command
        bl      tell
        print   "INV, enabled: "
        mov     w0, #ENABLED
        bl      reconfigure
        bl      tell

// Those of CPU 1, of which there are none, go to the last CPU; the others stay.
        print   "MOVALL of another CPU: "
        mov     x0, #0x0e
        mov     x1, xzr
        mov     x2, #1 << 16
        sub     x3, x28, #1
        lsl     x3, x3, #16
        bl      command
        about_event 0x03, 5
        bl      command
        bl      tell
        mov     x0, xzr
        mov     x1, xzr
        bl      map_collection

        print   "DISCARD: "
        about_event 0x0f, 0
        bl      command
        about_event 0x03, 0
        bl      command
        bl      tell

// Events 8 to 15 are spread over the CPUs.
        mov     x19, #8
1:      udiv    x1, x19, x28
        msub    x1, x1, x28, x19        // the event modulo the number of CPUs
        mov     x0, x19
        bl      map_event
        add     x19, x19, #1
        cmp     x19, #LAST_EVENT
        b.ls    1b
        print   "waiting for messages\n"
2:      bl      wait
        cbz     x0, 2b
        mov     x19, x1
        bl      put_taken
        sub     x19, x19, #FIRST_LPI
        cmp     x19, #LAST_EVENT
        b.ne    2b
        print   "done\n"
        ldr     x0, =0x84000008         // SYSTEM_OFF
        hvc     #0
3:      wfi
        b       3b

// Waits, and tells who took what, or that nobody took anything.
tell:
        enter
        bl      wait
        cbz     x0, 1f
        bl      put_taken
        leave
1:      print   "nothing\n"
        leave

// X0: CPU + 1, X1: INTID.
put_taken:
        enter
        sub     x19, x0, #1
        mov     x20, x1
        print   "CPU "
        mov     x0, x19
        bl      put_dec
        print   " takes LPI "
        mov     x0, x20
        bl      put_dec
        print   "\n"
        leave

// The CPU (plus 1) and the INTID of an interrupt that was not told of yet; 0 after a while without one.
wait:
        msr     daifclr, #2
        isb
        mrs     x2, cntvct_el0
        ldr     x3, =PATIENCE
        add     x2, x2, x3
1:      mov     x0, xzr
2:      box     x3, x0
        ldr     x4, [x3, #BOX_COUNT]
        ldr     x5, [x3, #BOX_SEEN]
        add     x0, x0, #1
        cmp     x4, x5
        b.ne    3f
        cmp     x0, x28
        b.lo    2b
        yield
        isb
        mrs     x3, cntvct_el0
        cmp     x3, x2
        b.lo    1b
        mov     x0, xzr
        b       4f
3:      add     x5, x5, #1
        str     x5, [x3, #BOX_SEEN]
        ldr     x1, [x3, #BOX_INTID]
4:      msr     daifset, #2
        isb
        ret

// W0: what the table of configurations is to say of event 4's LPI.
reconfigure:
        enter
        ldr     x1, =CONFIGURATION
        strb    w0, [x1, #4]
        dsb     sy
        about_event 0x0c, 4
        bl      command
        leave

// X0 to X3: the words of a command. Comes back when the ITS has read it.
command:
        address x4, ring_offset
        ldr     x5, [x4]
        ldr     x6, =RING
        add     x6, x6, x5
        stp     x0, x1, [x6]
        stp     x2, x3, [x6, #16]
        add     x5, x5, #32
        and     x5, x5, #0xffff
        str     x5, [x4]
        dsb     sy
        ldr     x6, =ITS
        str     x5, [x6, #GITS_CWRITER]
1:      ldr     x0, [x6, #GITS_CREADR]
        cmp     x0, x5
        b.ne    1b
        ret

// X0: collection, X1: CPU.
map_collection:
        enter
        mov     x2, x0
        orr     x2, x2, x1, lsl #16     // RDbase
        orr     x2, x2, #1 << 63        // V
        mov     x0, #0x09
        mov     x1, xzr
        mov     x3, xzr
        bl      command
        leave

// X0: event, X1: collection. The LPI has the event's number after the first LPI.
map_event:
        enter
        mov     x2, x1
        add     x1, x0, #FIRST_LPI
        orr     x1, x0, x1, lsl #32     // pINTID
        mov     x0, #0x0a
        mov     x3, #DEVICE
        orr     x0, x0, x3, lsl #32
        mov     x3, xzr
        bl      command
        leave

start_its:
        enter
        ldr     x19, =ITS
        mov     x1, #1 << 63            // Valid
        orr     x1, x1, #0x200          // pages of 64 KiB, one of them
        ldr     x0, =DEVICES
        orr     x0, x0, x1
        str     x0, [x19, #GITS_BASER0]
        ldr     x0, =COLLECTIONS
        orr     x0, x0, x1
        str     x0, [x19, #GITS_BASER1]
        ldr     x0, =RING
        orr     x0, x0, #15             // 16 pages of 4 KiB
        orr     x0, x0, #1 << 63
        str     x0, [x19, #GITS_CBASER]
        str     xzr, [x19, #GITS_CWRITER]
        mov     w0, #1
        str     w0, [x19, #GITS_CTLR]
        mov     x20, xzr
1:      mov     x0, x20                 // a collection for each CPU
        mov     x1, x20
        bl      map_collection
        add     x20, x20, #1
        cmp     x20, x28
        b.lo    1b
        mov     x0, #0x08               // MAPD
        mov     x1, #DEVICE
        orr     x0, x0, x1, lsl #32
        mov     x1, #3                  // EventIDs of 4 bits
        ldr     x2, =ITT
        orr     x2, x2, #1 << 63        // V
        mov     x3, xzr
        bl      command
        mov     x20, xzr
2:      mov     x0, x20                 // events 0 to 7 to the boot CPU
        mov     x1, xzr
        bl      map_event
        add     x20, x20, #1
        cmp     x20, #8
        b.lo    2b
        leave

// Fills the table of configurations.
configure:
        ldr     x0, =CONFIGURATION
        mov     w1, #ENABLED
        mov     x2, xzr
1:      strb    w1, [x0, x2]
        add     x2, x2, #1
        cmp     x2, #LPI_COUNT
        b.lo    1b
        dsb     sy
        ret

// X0: how many redistributors there are.
count_cpus:
        ldr     x1, =GICR
        mov     x0, xzr
1:      ldr     x2, [x1, #GICR_TYPER]
        add     x0, x0, #1
        add     x1, x1, #0x20000
        tbz     x2, #4, 1b              // Last
        ret

start_others:
        enter
        mov     x19, #1
1:      cmp     x19, x28
        b.hs    9f
        ldr     x1, =GICR
        add     x1, x1, x19, lsl #17
        ldr     x1, [x1, #GICR_TYPER]
        lsr     x1, x1, #32             // its affinity, as MPIDR_EL1 has it
        ubfx    x2, x1, #24, #8
        and     x1, x1, #0xffffff
        orr     x1, x1, x2, lsl #32
        ldr     x0, =0xc4000003         // CPU_ON
        adr     x2, secondary
        mov     x3, x19
        hvc     #0
        box     x3, x19
2:      ldr     x0, [x3, #BOX_ONLINE]
        cbz     x0, 2b
        add     x19, x19, #1
        b       1b
9:      leave

secondary:
        msr     daifset, #15
        bl      this_cpu
        mrs     x0, tpidr_el1
        bl      start_cpu
        mrs     x0, tpidr_el1
        box     x3, x0
        mov     x0, #1
        str     x0, [x3, #BOX_ONLINE]
        dsb     sy
        msr     daifclr, #2
1:      wfi
        b       1b

// X0: the number of this CPU, in the order of redistributors.
this_cpu:
        msr     tpidr_el1, x0
        address x1, stacks
        add     x1, x1, x0, lsl #9
        add     x1, x1, #512
        mov     sp, x1
        address x1, vectors
        msr     vbar_el1, x1
        isb
        ret

// X0: the number of this CPU. Wakes its redistributor, enables its LPIs and opens its CPU interface.
start_cpu:
        ldr     x1, =GICR
        add     x1, x1, x0, lsl #17
        ldr     w2, [x1, #GICR_WAKER]
        and     w2, w2, #~2             // ProcessorSleep
        str     w2, [x1, #GICR_WAKER]
1:      ldr     w2, [x1, #GICR_WAKER]
        tbnz    w2, #2, 1b              // ChildrenAsleep
        ldr     x2, =CONFIGURATION
        orr     x2, x2, #15             // INTIDs of 16 bits
        str     x2, [x1, #GICR_PROPBASER]
        ldr     x2, =PENDING
        add     x2, x2, x0, lsl #16
        orr     x2, x2, #1 << 62        // all zero
        str     x2, [x1, #GICR_PENDBASER]
        mov     w2, #1
        str     w2, [x1, #GICR_CTLR]
        dsb     sy
        mrs     x2, icc_sre_el1
        orr     x2, x2, #1
        msr     icc_sre_el1, x2
        isb
        mov     x2, #0xf0
        msr     icc_pmr_el1, x2
        mov     x2, #1
        msr     icc_igrpen1_el1, x2
        isb
        ret

// X0: a number.
put_dec:
        enter
        sub     sp, sp, #32
        add     x19, sp, #31
        strb    wzr, [x19]
        mov     x2, #10
1:      udiv    x1, x0, x2
        msub    x3, x1, x2, x0
        add     x3, x3, #'0'
        strb    w3, [x19, #-1]!
        mov     x0, x1
        cbnz    x0, 1b
        mov     x0, x19
        bl      puts
        add     sp, sp, #32
        leave

// X0: text that ends with 0.
puts:
        ldr     x1, =UART
1:      ldrb    w2, [x0], #1
        cbz     w2, 2f
        str     w2, [x1]
        b       1b
2:      ret

interrupt:
        stp     x0, x1, [sp, #-32]!
        stp     x2, x3, [sp, #16]
        mrs     x0, icc_iar1_el1
        cmp     x0, #1023
        b.eq    1f
        mrs     x1, tpidr_el1
        box     x2, x1
        str     x0, [x2, #BOX_INTID]
        ldr     x3, [x2, #BOX_COUNT]
        add     x3, x3, #1
        str     x3, [x2, #BOX_COUNT]
        dsb     sy
        msr     icc_eoir1_el1, x0
1:      ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #32
        eret

unexpected:
        print   "exception\n"
        ldr     x0, =0x84000008
        hvc     #0
1:      b       1b

        .balign 2048
vectors:
        .rept   4
        b       unexpected
        .balign 128
        b       interrupt
        .balign 128
        b       unexpected
        .balign 128
        b       unexpected
        .balign 128
        .endr

        .balign 64
ring_offset:
        .quad   0
        .balign 64
boxes:
        .space  MAX_CPUS << BOX_SHIFT
        .balign 512
stacks:
        .space  MAX_CPUS << 9
