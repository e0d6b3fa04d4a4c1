// gicsh: a monitor for the interrupt controller of an arm64 virtual machine.
//
// It runs on the bare machine: no MMU, no C, nothing under it but PSCI. The boot CPU reads the device tree,
// powers on all others, and then talks to you; with a GICv3 each CPU looks for its own redistributor as Linux does.
// Change it and run it again: `help` lists the commands, and the table `commands` is where to add one.
//
// Expected: EL1, MMU off, X0 = device tree, GICv3 or GICv2, PSCI over HVC, a PL011 (the layout of QEMU's virt machine).
// Works at any address that is a multiple of 4096.
//
// Only the boot CPU prints. With the MMU off, exclusive accesses need not work, so there are no locks:
// every word of memory has one writer at a time.

        .equ    UART, 0x09000000        // PL011: where the others are is read from the device tree
        .equ    UARTDR, 0x00
        .equ    UARTFR, 0x18
        .equ    UARTLCR_H, 0x2c
        .equ    UARTCR, 0x30
        .equ    UARTIFLS, 0x34
        .equ    UARTIMSC, 0x38
        .equ    UARTICR, 0x44
        .equ    FR_RXFE, 4              // bit numbers of UARTFR
        .equ    FR_TXFF, 5
        .equ    UART_SPI, 33
        .equ    TIMER_PPI, 27           // the virtual timer

        .equ    GICD_CTLR, 0x0000
        .equ    GICD_TYPER, 0x0004
        .equ    GICD_IIDR, 0x0008
        .equ    GICD_IGROUPR, 0x0080
        .equ    GICD_ISENABLER, 0x0100
        .equ    GICD_ICENABLER, 0x0180
        .equ    GICD_ISPENDR, 0x0200
        .equ    GICD_ICPENDR, 0x0280
        .equ    GICD_IPRIORITYR, 0x0400
        .equ    GICD_ITARGETSR, 0x0800  // GICv2
        .equ    GICD_ICFGR, 0x0c00
        .equ    GICD_SGIR, 0x0f00       // GICv2
        .equ    GICD_IROUTER, 0x6000
        .equ    GICD_PIDR2, 0xffe8
        .equ    GICD_V2_PIDR2, 0xfe8
        .equ    GICC_CTLR, 0x00
        .equ    GICC_PMR, 0x04
        .equ    GICC_BPR, 0x08
        .equ    GICC_IAR, 0x0c
        .equ    GICC_EOIR, 0x10
        .equ    GICC_IIDR, 0xfc
        .equ    SGIR_ALL_OTHERS, 1 << 24
        .equ    SGIR_TARGETS, 16
        .equ    GICR_IIDR, 0x0004
        .equ    GICR_TYPER, 0x0008
        .equ    GICR_WAKER, 0x0014
        .equ    SGI_BASE, 0x10000       // the second page of a redistributor
        .equ    GICR_IGROUPR0, 0x0080
        .equ    GICR_ISENABLER0, 0x0100
        .equ    GICR_IPRIORITYR, 0x0400
        .equ    TYPER_VLPIS, 1          // bit numbers of GICR_TYPER
        .equ    TYPER_LAST, 4

        .equ    PSCI_CPU_ON, 0xc4000003
        .equ    PSCI_SYSTEM_OFF, 0x84000008
        .equ    PSCI_SYSTEM_RESET, 0x84000009

        // What is known of a CPU. TPIDR_EL1 holds the address of the running CPU's own.
        .equ    CPU_MPIDR, 0            // affinity bits of MPIDR_EL1
        .equ    CPU_FRAME, 8            // its redistributor, 0: none
        .equ    CPU_STATE, 16
        .equ    CPU_IRQS, 24            // interrupts taken
        .equ    CPU_SGIS, 32            // SGIs taken since the command began
        .equ    CPU_INTID, 40           // the last SGI or SPI
        .equ    CPU_SPIS, 48            // SPIs taken since the command began
        .equ    CPU_TICKS, 56           // timer interrupts taken
        .equ    CPU_ESR, 64             // of an exception that was not expected
        .equ    CPU_FAR, 72
        .equ    CPU_ELR, 80
        .equ    CPU_STACK, 88
        .equ    CPU_BIT, 96             // GICv2: its bit in GICD_ITARGETSR and GICD_SGIR
        .equ    CPU_SHIFT, 7
        .equ    MAX_CPUS, 512
        .equ    MAX_REGIONS, 8
        .equ    STACK_SHIFT, 9

        .equ    STATE_OFF, 0
        .equ    STATE_ONLINE, 1
        .equ    STATE_NO_FRAME, 2
        .equ    STATE_FAULT, 3
        .equ    STATE_REFUSED, 4

        .equ    LINE_MAX, 120
        .equ    RING, 256

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
        stp     x29, x30, [sp, #-64]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        mov     x29, sp
        .endm

        .macro  leave
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x29, x30, [sp], #64
        ret
        .endm

        // The address of something that is not near.
        .macro  address register, symbol
        adrp    \register, \symbol
        add     \register, \register, :lo12:\symbol
        .endm

        // Goes on there with a GICv2, whose CPU interface is in X16 then.
        .macro  if_v2 label
        adrp    x16, gicc
        ldr     x16, [x16, :lo12:gicc]
        cbnz    x16, \label
        .endm

// The header of an arm64 Image (Documentation/arch/arm64/booting.rst).
image:
        b       start
        .word   0
        .quad   0x80000                 // text_offset
        .quad   image_size
        .quad   0xa                     // little endian, 4 KiB pages, anywhere in memory
        .quad   0, 0, 0
        .ascii  "ARM\x64"
        .word   0

start:
        mov     x20, x0                 // the device tree
        msr     daifset, #15
        address x0, bss
        address x1, image_end
1:      stp     xzr, xzr, [x0], #16
        cmp     x0, x1
        b.lo    1b
        address x0, boot_stack_top
        mov     sp, x0
        adr     x0, vectors
        msr     vbar_el1, x0
        isb
        bl      uart_init
        print   "\r\ngicsh: a monitor for the GIC, 'help' lists its commands\r\n"
        mov     x0, x20
        bl      read_device_tree
        bl      this_mpidr
        mov     x21, x0
        bl      find_cpu
        cbnz    x0, 2f
        print   "CPU "
        mov     x0, x21
        bl      put_hex
        print   ": not in the device tree\r\n"
        mov     x0, x21
        bl      add_cpu
2:      msr     tpidr_el1, x0
        mov     x19, x0
        bl      distributor_init
        bl      cpu_init
        mov     x0, x19
        bl      tell_start
        msr     daifclr, #2
        isb
        bl      try_timer
        bl      choose_input
        bl      start_others
        bl      count_online
        bl      put_dec
        print   " of "
        address x0, cpu_count
        ldr     x0, [x0]
        bl      put_dec
        if_v2   3f
        print   " CPUs have a redistributor"
        b       4f
3:      print   " CPUs have a CPU interface"
4:      print   "\r\nguest: ready\r\n"
        b       shell

// ---- The shell ----

shell:
        address x0, boot_stack_top
        mov     sp, x0
        msr     daifclr, #2
1:      print   "gicsh> "
        bl      read_line
        bl      run_line
        b       1b

// Runs the line in `line`.
run_line:
        enter
        address x0, line
        bl      skip_blanks
        ldrb    w1, [x0]
        cbz     w1, 9f
        mov     x19, x0                 // the word
        mov     x20, x0
1:      ldrb    w1, [x20]
        cmp     w1, #' '
        ccmp    w1, #0, #4, ne
        b.eq    2f
        add     x20, x20, #1
        b       1b
2:      sub     x21, x20, x19           // its length
        adr     x22, commands
3:      ldr     w1, [x22]
        cbz     w1, 8f
        adr     x2, commands
        add     x1, x2, w1, sxtw
        mov     x3, #0
4:      cmp     x3, x21
        b.eq    5f
        ldrb    w4, [x1, x3]
        ldrb    w5, [x19, x3]
        cmp     w4, w5
        b.ne    6f
        add     x3, x3, #1
        b       4b
5:      ldrb    w4, [x1, x3]
        cbz     w4, 7f
6:      add     x22, x22, #12
        b       3b
7:      mov     x0, x20
        bl      skip_blanks             // X0: the arguments
        ldr     w1, [x22, #4]
        adr     x2, commands
        add     x1, x2, w1, sxtw
        blr     x1
        b       9f
8:      print   "no such command: "
        mov     x0, x19
        bl      puts
        bl      newline
9:      leave

        .balign 4
commands:
        .word   name_help - commands, command_help - commands, text_help - commands
        .word   name_cpus - commands, command_cpus - commands, text_cpus - commands
        .word   name_frames - commands, command_frames - commands, text_frames - commands
        .word   name_match - commands, command_match - commands, text_match - commands
        .word   name_sgi - commands, command_sgi - commands, text_sgi - commands
        .word   name_route - commands, command_route - commands, text_route - commands
        .word   name_typer - commands, command_typer - commands, text_typer - commands
        .word   name_iid - commands, command_iid - commands, text_iid - commands
        .word   name_timer - commands, command_timer - commands, text_timer - commands
        .word   name_off - commands, command_off - commands, text_off - commands
        .word   name_reset - commands, command_reset - commands, text_reset - commands
        .word   0

name_help:      .asciz "help"
name_cpus:      .asciz "cpus"
name_frames:    .asciz "frames"
name_match:     .asciz "match"
name_sgi:       .asciz "sgi"
name_route:     .asciz "route"
name_typer:     .asciz "typer"
name_iid:       .asciz "iid"
name_timer:     .asciz "timer"
name_off:       .asciz "off"
name_reset:     .asciz "reset"
text_help:      .asciz "                    this list"
text_cpus:      .asciz "                    the CPUs: state, redistributor, interrupts taken"
text_frames:    .asciz "                  walk the redistributors: base, GICR_TYPER, what it says"
text_match:     .asciz "                   which CPU has which redistributor or CPU interface"
text_sgi:       .asciz " INTID A.B.C.D|all   send an SGI (0 to 15) and see who takes it"
text_route:     .asciz " SPI A.B.C.D       route an SPI, make it pending, see who takes it"
text_typer:     .asciz "                   GICD_TYPER and GICD_CTLR"
text_iid:       .asciz "                     who made the GIC, and what its CPU interface can do"
text_timer:     .asciz "                   one tick of the virtual timer"
text_off:       .asciz "                     PSCI SYSTEM_OFF"
text_reset:     .asciz "                   PSCI SYSTEM_RESET"
        .balign 4

command_help:
        enter
        adr     x19, commands
1:      ldr     w0, [x19]
        cbz     w0, 2f
        adr     x20, commands
        add     x0, x20, w0, sxtw
        bl      puts
        ldr     w0, [x19, #8]
        add     x0, x20, w0, sxtw
        bl      puts
        bl      newline
        add     x19, x19, #12
        b       1b
2:      print   "An affinity is Aff3.Aff2.Aff1.Aff0, each hexadecimal: 1.0.0.2 is that of CPU 100000002.\r\n"
        leave

command_cpus:
        enter
        mov     x19, #0
1:      mov     x0, x19
        bl      cpu_at
        cbz     x0, 9f
        mov     x20, x0
        print   "CPU "
        ldr     x0, [x20, #CPU_MPIDR]
        bl      put_hex
        print   "  affinity "
        ldr     x0, [x20, #CPU_MPIDR]
        bl      put_mpidr
        print   "  "
        mov     x0, x20
        bl      put_state
        ldr     x21, [x20, #CPU_FRAME]
        cbz     x21, 2f
        print   "  frame 0x"
        mov     x0, x21
        bl      put_hex
2:      print   "  interrupts "
        ldr     x0, [x20, #CPU_IRQS]
        bl      put_dec
        bl      newline
        add     x19, x19, #1
        b       1b
9:      leave

command_frames:
        enter
        if_v2   8f
        mov     x19, #0                 // region
1:      mov     x0, x19
        bl      region_at               // X0: base, X1: end
        cbz     x0, 9f
        mov     x20, x0
        mov     x21, x1
        print   "region "
        mov     x0, x19
        bl      put_dec
        print   " at 0x"
        mov     x0, x20
        bl      put_hex
        bl      newline
2:      cmp     x20, x21
        b.hs    4f
        ldr     x22, [x20, #GICR_TYPER]
        print   "  frame 0x"
        mov     x0, x20
        bl      put_hex
        print   "  GICR_TYPER 0x"
        mov     x0, x22
        mov     x1, #16
        bl      put_hex_wide
        print   "  affinity "
        lsr     x0, x22, #32
        bl      put_affinity
        print   "  Processor_Number "
        ubfx    x0, x22, #8, #16
        bl      put_dec
        tbz     x22, #TYPER_LAST, 3f
        print   "  Last"
3:      bl      newline
        mov     x0, x20
        mov     x1, x22
        bl      next_frame
        mov     x20, x0
        tbz     x22, #TYPER_LAST, 2b
        b       5f
4:      print   "  no frame of this region says Last: Linux would run off its end\r\n"
5:      add     x19, x19, #1
        b       1b
8:      print   "a GICv2 has no redistributors\r\n"
9:      leave

command_match:
        enter
        mov     x19, #0
        if_v2   match_v2
1:      mov     x0, x19
        bl      cpu_at
        cbz     x0, 3f
        mov     x20, x0
        ldr     x0, [x20, #CPU_MPIDR]
        bl      find_frame
        mov     x21, x0
        print   "CPU "
        ldr     x0, [x20, #CPU_MPIDR]
        bl      put_hex
        cbz     x21, 2f
        print   ": redistributor 0x"
        mov     x0, x21
        bl      put_hex
        print   " says "
        ldr     x0, [x21, #GICR_TYPER]
        lsr     x0, x0, #32
        bl      put_affinity
        bl      newline
        add     x19, x19, #1
        b       1b
2:      bl      put_no_match
        add     x19, x19, #1
        b       1b
        // The other way round: frames that are nobody's.
3:      mov     x19, #0
4:      mov     x0, x19
        bl      region_at
        cbz     x0, 9f
        mov     x20, x0
        mov     x21, x1
5:      cmp     x20, x21
        b.hs    7f
        ldr     x22, [x20, #GICR_TYPER]
        lsr     x0, x22, #32
        bl      mpidr_of
        bl      find_cpu
        cbnz    x0, 6f
        print   "frame 0x"
        mov     x0, x20
        bl      put_hex
        print   ": says "
        lsr     x0, x22, #32
        bl      put_affinity
        print   ", which is no CPU's affinity\r\n"
6:      mov     x0, x20
        mov     x1, x22
        bl      next_frame
        mov     x20, x0
        tbz     x22, #TYPER_LAST, 5b
7:      add     x19, x19, #1
        b       4b
9:      leave

match_v2:
1:      mov     x0, x19
        bl      cpu_at
        cbz     x0, 2f
        mov     x20, x0
        print   "CPU "
        ldr     x0, [x20, #CPU_MPIDR]
        bl      put_hex
        print   ": CPU interface "
        ldr     x0, [x20, #CPU_BIT]
        rbit    x0, x0
        clz     x0, x0
        bl      put_dec
        bl      newline
        add     x19, x19, #1
        b       1b
2:      leave

// sgi INTID A.B.C.D|all
command_sgi:
        enter
        bl      parse_number
        cbz     x2, 8f
        cmp     x0, #15
        b.hi    7f
        mov     x19, x0
        mov     x0, x1
        bl      skip_blanks
        mov     x20, x0
        ldrb    w1, [x0]
        cmp     w1, #'a'
        b.ne    1f
        ldrb    w1, [x0, #1]
        cmp     w1, #'l'
        b.ne    1f
        mov     x21, #1
        lsl     x21, x21, #40           // ICC_SGI1R_EL1.IRM: all but this one
        mov     x23, #SGIR_ALL_OTHERS
        bl      count_online
        sub     x22, x0, #1
        b       2f
1:      mov     x0, x20
        bl      parse_affinity
        cbz     x2, 8f
        ubfx    x1, x0, #0, #4          // TargetList has a bit for each of 16, RS says which 16
        mov     x21, #1
        lsl     x21, x21, x1
        ubfx    x1, x0, #4, #4
        bfi     x21, x1, #44, #4
        ubfx    x1, x0, #8, #8
        bfi     x21, x1, #16, #8
        ubfx    x1, x0, #16, #8
        bfi     x21, x1, #32, #8
        ubfx    x1, x0, #32, #8
        bfi     x21, x1, #48, #8
        bl      find_cpu
        cmp     x0, #0
        cset    x22, ne
        bl      bit_of
        lsl     x23, x0, #SGIR_TARGETS
2:      if_v2   3f
        bfi     x21, x19, #24, #4
        print   "ICC_SGI1R_EL1 = 0x"
        mov     x0, x21
        mov     x1, #16
        bl      put_hex_wide
        bl      newline
        bl      clear_counts
        dsb     sy
        msr     icc_sgi1r_el1, x21
        isb
        b       4f
3:      orr     x23, x23, x19
        print   "GICD_SGIR = 0x"
        mov     x0, x23
        mov     x1, #8
        bl      put_hex_wide
        bl      newline
        bl      clear_counts
        bl      distributor
        str     w23, [x0, #GICD_SGIR]
        dsb     sy
4:      mov     x0, #CPU_SGIS
        mov     x1, x22
        bl      await_taken
        print   "SGI "
        mov     x0, x19
        bl      put_dec
        mov     x0, #CPU_SGIS
        bl      put_takers
        leave
7:      print   "an SGI has an INTID of 0 to 15\r\n"
        leave
8:      print   "usage: sgi INTID A.B.C.D|all\r\n"
        leave

// route SPI A.B.C.D
command_route:
        enter
        bl      parse_number
        cbz     x2, 8f
        mov     x19, x0
        mov     x0, x1
        bl      skip_blanks
        bl      parse_affinity
        cbz     x2, 8f
        mov     x20, x0
        cmp     x19, #UART_SPI
        b.eq    6f
        bl      intid_limit
        cmp     x19, #32
        ccmp    x19, x0, #2, hs         // C set (out of range) when below 32
        b.hs    7f
        mov     x0, x20
        bl      route_to
        cbz     x1, 5f
        mov     x20, x0
        mov     x21, x1                 // digits
        mov     x0, x19
        bl      spi_disable
        mov     x0, x19
        mov     x1, x20
        bl      spi_route
        mov     x22, x0
        bl      put_router
        mov     x0, x19
        bl      put_dec
        print   ": wrote 0x"
        mov     x0, x20
        mov     x1, x21
        bl      put_hex_wide
        print   ", reads 0x"
        mov     x0, x22
        mov     x1, x21
        bl      put_hex_wide
        cmp     x20, x22
        b.eq    1f
        print   " (not what was written)"
1:      bl      newline
        bl      clear_counts
        mov     x0, x19
        mov     x1, #2                  // edge
        bl      spi_configure
        mov     x0, x19
        bl      spi_enable
        mov     x0, x19
        bl      spi_pend
        mov     x0, x22
        bl      is_routed
        mov     x1, x0
        mov     x0, #CPU_SPIS
        bl      await_taken
        print   "SPI "
        mov     x0, x19
        bl      put_dec
        mov     x0, #CPU_SPIS
        bl      put_takers
        mov     x0, x19
        bl      spi_disable
        leave
5:      print   "no CPU has this affinity\r\n"
        leave
6:      print   "SPI 33 is the console's\r\n"
        leave
7:      print   "this GIC has SPIs 32 to "
        bl      intid_limit
        sub     x0, x0, #1
        bl      put_dec
        bl      newline
        leave
8:      print   "usage: route SPI A.B.C.D\r\n"
        leave

command_typer:
        enter
        bl      distributor
        mov     x19, x0
        print   "GICD_TYPER 0x"
        ldr     w20, [x19, #GICD_TYPER]
        mov     x0, x20
        mov     x1, #8
        bl      put_hex_wide
        print   ": INTIDs below "
        bl      intid_limit
        bl      put_dec
        if_v2   1f
        print   ", IDbits "
        ubfx    x0, x20, #19, #5
        add     x0, x0, #1
        bl      put_dec
        print   ", LPIS "
        ubfx    x0, x20, #17, #1
        bl      put_dec
        print   ", A3V "
        ubfx    x0, x20, #24, #1
        bl      put_dec
        print   ", No1N "
        ubfx    x0, x20, #25, #1
        bl      put_dec
        print   ", RSS "
        ubfx    x0, x20, #26, #1
        bl      put_dec
        b       2f
1:      print   ", CPUs "
        ubfx    x0, x20, #5, #3
        add     x0, x0, #1
        bl      put_dec
        print   ", SecurityExtn "
        ubfx    x0, x20, #10, #1
        bl      put_dec
2:      print   "\r\nGICD_CTLR 0x"
        ldr     w0, [x19, #GICD_CTLR]
        mov     x1, #8
        bl      put_hex_wide
        bl      newline
        leave

command_iid:
        enter
        bl      distributor
        mov     x19, x0
        print   "GICD_IIDR 0x"
        ldr     w0, [x19, #GICD_IIDR]
        mov     x1, #8
        bl      put_hex_wide
        print   "  GICD_PIDR2 0x"
        if_v2   2f
        add     x1, x19, #GICD_PIDR2 & 0xf000
        ldr     w0, [x1, #GICD_PIDR2 & 0xfff]
        mov     x1, #2
        bl      put_hex_wide
        mrs     x1, tpidr_el1
        ldr     x20, [x1, #CPU_FRAME]
        cbz     x20, 1f
        print   "\r\nGICR_IIDR 0x"
        ldr     w0, [x20, #GICR_IIDR]
        mov     x1, #8
        bl      put_hex_wide
1:      print   "\r\nICC_CTLR_EL1 0x"
        mrs     x20, icc_ctlr_el1
        mov     x0, x20
        mov     x1, #8
        bl      put_hex_wide
        print   ": PRIbits "
        ubfx    x0, x20, #8, #3
        add     x0, x0, #1
        bl      put_dec
        print   ", A3V "
        ubfx    x0, x20, #15, #1
        bl      put_dec
        print   ", RSS "
        ubfx    x0, x20, #18, #1
        bl      put_dec
        b       3f
2:      mov     x20, x16
        ldr     w0, [x19, #GICD_V2_PIDR2]
        mov     x1, #2
        bl      put_hex_wide
        print   "\r\nGICC_IIDR 0x"
        ldr     w0, [x20, #GICC_IIDR]
        mov     x1, #8
        bl      put_hex_wide
3:      print   "\r\nMIDR_EL1 0x"
        mrs     x0, midr_el1
        mov     x1, #8
        bl      put_hex_wide
        bl      newline
        leave

command_timer:
        enter
        mrs     x19, tpidr_el1
        adrp    x0, timer_works
        ldr     x0, [x0, :lo12:timer_works]
        cbz     x0, 8f
        mrs     x20, cntfrq_el0
        mov     x1, #100
        udiv    x21, x20, x1            // 10 ms
        ldr     x22, [x19, #CPU_TICKS]
        mrs     x23, cntvct_el0
        msr     cntv_tval_el0, x21
        mov     x0, #1
        msr     cntv_ctl_el0, x0
        isb
1:      msr     daifset, #2
        ldr     x0, [x19, #CPU_TICKS]
        cmp     x0, x22
        b.ne    2f
        wfi
        msr     daifclr, #2
        isb
        b       1b
2:      mrs     x24, cntvct_el0
        msr     daifclr, #2
        sub     x23, x24, x23
        print   "CNTFRQ_EL0 "
        mov     x0, x20
        bl      put_dec
        print   " Hz: asked for "
        mov     x0, x21
        bl      put_dec
        print   " ticks, interrupt 27 came after "
        mov     x0, x23
        bl      put_dec
        bl      newline
        leave
8:      print   "the timer does not interrupt this CPU\r\n"
        leave

command_off:
        ldr     x0, =PSCI_SYSTEM_OFF
        hvc     #0
        b       .

command_reset:
        ldr     x0, =PSCI_SYSTEM_RESET
        hvc     #0
        b       .
        .ltorg

// Counts of the last command, for all CPUs.
clear_counts:
        enter
        mov     x19, #0
1:      mov     x0, x19
        bl      cpu_at
        cbz     x0, 2f
        str     xzr, [x0, #CPU_SGIS]
        str     xzr, [x0, #CPU_SPIS]
        add     x19, x19, #1
        b       1b
2:      dsb     sy
        leave

// X0: offset of a count. X0: its sum over all CPUs.
sum_counts:
        enter
        mov     x19, x0
        mov     x20, #0
        mov     x21, #0
1:      mov     x0, x20
        bl      cpu_at
        cbz     x0, 2f
        ldr     x1, [x0, x19]
        add     x21, x21, x1
        add     x20, x20, #1
        b       1b
2:      mov     x0, x21
        leave

// X0: offset of a count, X1: how many to expect. Waits for them, for at least 5 and at most 250 ms.
await_taken:
        enter
        mov     x19, x0
        mov     x20, x1
        mov     x21, #0
1:      bl      pause
        add     x21, x21, #1
        cmp     x21, #5
        b.lo    1b
        cmp     x21, #250
        b.hs    2f
        mov     x0, x19
        bl      sum_counts
        cmp     x0, x20
        b.lo    1b
2:      leave

// X0: offset of a count. Prints who has one.
put_takers:
        enter
        mov     x19, x0
        bl      sum_counts
        mov     x22, x0
        cbnz    x0, 1f
        print   " taken by no CPU\r\n"
        leave
1:      print   " taken by"
        mov     x20, #0
2:      mov     x0, x20
        bl      cpu_at
        cbz     x0, 4f
        mov     x21, x0
        ldr     x1, [x21, x19]
        cbz     x1, 3f
        print   " CPU "
        ldr     x0, [x21, #CPU_MPIDR]
        bl      put_hex
3:      add     x20, x20, #1
        b       2b
4:      print   " ("
        mov     x0, x22
        bl      put_dec
        print   ")\r\n"
        leave

// Whether the timer's interrupt comes to this CPU: it is not waited for where it does not.
try_timer:
        enter
        mrs     x19, tpidr_el1
        mrs     x20, cntfrq_el0
        mov     x0, #1000
        udiv    x0, x20, x0
        msr     cntv_tval_el0, x0
        mov     x0, #1
        msr     cntv_ctl_el0, x0
        isb
        mrs     x21, cntvct_el0
        lsr     x20, x20, #2            // 250 ms: whoever runs this may be busy
1:      ldr     x0, [x19, #CPU_TICKS]
        cbnz    x0, 2f
        yield
        mrs     x0, cntvct_el0
        sub     x0, x0, x21
        cmp     x0, x20
        b.lo    1b
        msr     cntv_ctl_el0, xzr
        print   "the timer does not interrupt CPU "
        ldr     x0, [x19, #CPU_MPIDR]
        bl      put_hex
        bl      newline
        leave
2:      adrp    x0, timer_works
        mov     x1, #1
        str     x1, [x0, :lo12:timer_works]
        leave

// A millisecond. Sleeps if this CPU's timer can wake it.
pause:
        mrs     x0, cntfrq_el0
        mov     x1, #1000
        udiv    x0, x0, x1
        mrs     x3, tpidr_el1
        adrp    x1, timer_works
        ldr     x1, [x1, :lo12:timer_works]
        cbz     x1, 2f
        ldr     x2, [x3, #CPU_TICKS]
        msr     cntv_tval_el0, x0
        mov     x1, #1
        msr     cntv_ctl_el0, x1
        isb
1:      msr     daifset, #2
        ldr     x1, [x3, #CPU_TICKS]
        cmp     x1, x2
        b.ne    3f
        wfi                             // wakes for an interrupt, masked as it is
        msr     daifclr, #2
        isb
        b       1b
2:      mrs     x2, cntvct_el0
4:      yield
        isb
        mrs     x1, cntvct_el0
        sub     x1, x1, x2
        cmp     x1, x0
        b.lo    4b
3:      msr     daifclr, #2
        ret

// ---- CPUs ----

// X0: the affinity bits of this CPU's MPIDR_EL1.
this_mpidr:
        mrs     x0, mpidr_el1
        ldr     x1, =0xff00ffffff
        and     x0, x0, x1
        ret
        .ltorg

// X0: an affinity as GICR_TYPER has it, in 32 bits. X0: as MPIDR_EL1 has it.
mpidr_of:
        lsr     x1, x0, #24
        and     x0, x0, #0xffffff
        bfi     x0, x1, #32, #8
        ret

// X0: as MPIDR_EL1 has it. X0: in 32 bits.
affinity_of:
        lsr     x1, x0, #32
        and     x0, x0, #0xffffff
        bfi     x0, x1, #24, #8
        ret

// X0: index. X0: the CPU, or 0.
cpu_at:
        adrp    x1, cpu_count
        ldr     x1, [x1, :lo12:cpu_count]
        cmp     x0, x1
        b.hs    1f
        adrp    x1, cpus
        add     x0, x1, x0, lsl #CPU_SHIFT
        ret
1:      mov     x0, #0
        ret

// X0: MPIDR. X0: the CPU, or 0.
find_cpu:
        adrp    x1, cpus
        adrp    x2, cpu_count
        ldr     x2, [x2, :lo12:cpu_count]
1:      cbz     x2, 2f
        ldr     x3, [x1, #CPU_MPIDR]
        cmp     x3, x0
        b.eq    3f
        add     x1, x1, #1 << CPU_SHIFT
        sub     x2, x2, #1
        b       1b
2:      mov     x1, #0
3:      mov     x0, x1
        ret

// X0: MPIDR. X0: its new CPU, or 0 if there is no room.
add_cpu:
        adrp    x1, cpu_count
        add     x1, x1, :lo12:cpu_count
        ldr     x2, [x1]
        cmp     x2, #MAX_CPUS
        b.hs    1f
        add     x3, x2, #1
        str     x3, [x1]
        adrp    x1, cpus
        add     x1, x1, x2, lsl #CPU_SHIFT
        str     x0, [x1, #CPU_MPIDR]
        adrp    x4, stacks
        add     x4, x4, x3, lsl #STACK_SHIFT
        str     x4, [x1, #CPU_STACK]
        mov     x0, x1
        ret
1:      mov     x0, #0
        ret

count_online:
        mov     x0, #0
        adrp    x1, cpus
        adrp    x2, cpu_count
        ldr     x2, [x2, :lo12:cpu_count]
1:      cbz     x2, 2f
        ldr     x3, [x1, #CPU_STATE]
        cmp     x3, #STATE_ONLINE
        cinc    x0, x0, eq
        add     x1, x1, #1 << CPU_SHIFT
        sub     x2, x2, #1
        b       1b
2:      ret

// Powers on all CPUs but this one, one after the other, and says what became of those that are not well.
start_others:
        enter
        mov     x19, #0
1:      mov     x0, x19
        bl      cpu_at
        cbz     x0, 9f
        mov     x20, x0
        add     x19, x19, #1
        mrs     x1, tpidr_el1
        cmp     x20, x1
        b.eq    1b
        dsb     sy
        ldr     x0, =PSCI_CPU_ON
        ldr     x1, [x20, #CPU_MPIDR]
        adr     x2, secondary
        mov     x3, x20
        hvc     #0
        cbz     x0, 2f
        str     x0, [x20, #CPU_ESR]
        mov     x0, #STATE_REFUSED
        str     x0, [x20, #CPU_STATE]
        b       4f
        // It has a second, which is much.
2:      mrs     x21, cntvct_el0
        mrs     x22, cntfrq_el0
3:      ldr     x0, [x20, #CPU_STATE]
        cbnz    x0, 4f
        yield
        isb
        mrs     x0, cntvct_el0
        sub     x0, x0, x21
        cmp     x0, x22
        b.lo    3b
4:      dsb     sy
        mov     x0, x20
        bl      tell_start
        b       1b
9:      leave
        .ltorg

// X0: a CPU. Says what is wrong with it, if anything.
tell_start:
        enter
        mov     x19, x0
        ldr     x0, [x19, #CPU_STATE]
        cmp     x0, #STATE_ONLINE
        b.eq    9f
        print   "CPU "
        ldr     x0, [x19, #CPU_MPIDR]
        bl      put_hex
        ldr     x0, [x19, #CPU_STATE]
        cmp     x0, #STATE_NO_FRAME
        b.eq    1f
        cmp     x0, #STATE_FAULT
        b.eq    2f
        cmp     x0, #STATE_REFUSED
        b.eq    3f
        print   ": powered on, but not heard of for a second\r\n"
        leave
1:      bl      put_no_match
        leave
2:      print   ": exception, "
        mov     x0, x19
        bl      put_exception
        leave
3:      print   ": PSCI CPU_ON answered -"
        ldr     x0, [x19, #CPU_ESR]
        neg     w0, w0
        bl      put_dec
        bl      newline
9:      leave

put_no_match:
        enter
        print   ": no redistributor matches\r\n"
        leave

// X0: a CPU.
put_state:
        ldr     x0, [x0, #CPU_STATE]
        adr     x1, state_names
        lsl     x0, x0, #4
        add     x0, x1, x0
        b       puts
state_names:                            // 16 bytes each
        .asciz  "off"
        .org    state_names + 16
        .asciz  "online"
        .org    state_names + 32
        .asciz  "no frame"
        .org    state_names + 48
        .asciz  "fault"
        .org    state_names + 64
        .asciz  "refused"
        .org    state_names + 80

// Where PSCI starts a CPU. X0: the CPU.
secondary:
        msr     daifset, #15
        msr     tpidr_el1, x0
        ldr     x1, [x0, #CPU_STACK]
        mov     sp, x1
        adr     x1, vectors
        msr     vbar_el1, x1
        isb
        bl      cpu_init
        msr     daifclr, #2
1:      wfi
        b       1b

// ---- The interrupt controller ----

// X0: the distributor.
distributor:
        adrp    x0, gicd
        ldr     x0, [x0, :lo12:gicd]
        ret

// X0: a CPU or 0. X0: its bit, 0 for none.
bit_of:
        cbz     x0, 1f
        ldr     x0, [x0, #CPU_BIT]
1:      ret

// X0: MPIDR. X0: what routes an SPI there: an affinity, or a GICv2's bit; X1: its digits, 0 if a GICv2 has no such CPU.
route_to:
        enter
        mov     x1, #10
        if_v2   1f
        leave
1:      bl      find_cpu
        bl      bit_of
        cmp     x0, #0
        mov     x1, #2
        csel    x1, x1, xzr, ne
        leave

// X0: SPI, X1: where to. X0: what is read back.
spi_route:
        adrp    x2, gicd
        ldr     x2, [x2, :lo12:gicd]
        if_v2   1f
        add     x2, x2, #GICD_IROUTER & 0xf000
        str     x1, [x2, x0, lsl #3]
        ldr     x0, [x2, x0, lsl #3]
        ret
1:      add     x2, x2, #GICD_ITARGETSR
        strb    w1, [x2, x0]
        ldrb    w0, [x2, x0]
        ret

// X0: what a route reads back. X0: whether some CPU is there.
is_routed:
        enter
        if_v2   1f
        bl      find_cpu
1:      cmp     x0, #0
        cset    x0, ne
        leave

put_router:
        enter
        if_v2   1f
        print   "GICD_IROUTER"
        leave
1:      print   "GICD_ITARGETSR"
        leave

// X0: one more than the highest SPI.
intid_limit:
        adrp    x0, gicd
        ldr     x0, [x0, :lo12:gicd]
        ldr     w0, [x0, #GICD_TYPER]
        and     x0, x0, #31
        add     x0, x0, #1
        lsl     x0, x0, #5
        mov     x1, #1020
        cmp     x0, x1
        csel    x0, x0, x1, lo
        ret

// X0: index. X0: first frame of the region (0: no such region), X1: its end.
region_at:
        adrp    x1, region_count
        ldr     x1, [x1, :lo12:region_count]
        cmp     x0, x1
        b.hs    1f
        address x1, regions
        add     x1, x1, x0, lsl #4
        ldp     x0, x1, [x1]
        add     x1, x0, x1
        ret
1:      mov     x0, #0
        ret

// X0: frame, X1: its GICR_TYPER. X0: the next. With virtual LPIs a frame has two pages more.
next_frame:
        mov     x2, #0x20000
        ubfx    x1, x1, #TYPER_VLPIS, #1
        lsl     x2, x2, x1
        add     x0, x0, x2
        ret

// X0: MPIDR. X0: its frame, or 0. Like Linux's gic_iterate_rdists(): compare, and go on until Last.
find_frame:
        enter
        bl      affinity_of
        mov     x19, x0
        mov     x20, #0
1:      mov     x0, x20
        bl      region_at
        cbz     x0, 9f
        mov     x21, x0
        mov     x22, x1
2:      cmp     x21, x22
        b.hs    3f
        ldr     x23, [x21, #GICR_TYPER]
        lsr     x0, x23, #32
        cmp     x0, x19
        b.eq    8f
        mov     x0, x21
        mov     x1, x23
        bl      next_frame
        mov     x21, x0
        tbz     x23, #TYPER_LAST, 2b
3:      add     x20, x20, #1
        b       1b
8:      mov     x0, x21
9:      leave

distributor_init:
        enter
        bl      distributor
        mov     x19, x0
        mov     w0, #0x12               // ARE, EnableGrp1
        mov     w21, #-1                // SPIs in Group 1
        if_v2   5f
        b       6f
5:      mov     w0, #1                  // Enable
        mov     w21, #0
6:      str     w0, [x19, #GICD_CTLR]
        bl      intid_limit
        add     x0, x0, #31             // 1020 is not a multiple of 32
        lsr     x20, x0, #5
        mov     x1, #1
1:      cmp     x1, x20
        b.hs    2f
        add     x2, x19, x1, lsl #2
        mov     w3, #-1
        str     w21, [x2, #GICD_IGROUPR]
        str     w3, [x2, #GICD_ICENABLER]
        str     w3, [x2, #GICD_ICPENDR]
        add     x1, x1, #1
        b       1b
2:      lsl     x20, x20, #3            // words of priorities
        mov     x1, #8
        ldr     w3, =0xa0a0a0a0
3:      cmp     x1, x20
        b.hs    4f
        add     x2, x19, x1, lsl #2
        str     w3, [x2, #GICD_IPRIORITYR]
        add     x1, x1, #1
        b       3b
4:      dsb     sy
        leave

// Sets up what this CPU has of its own: redistributor and system registers, or its part of a GICv2.
cpu_init:
        enter
        mrs     x19, tpidr_el1
        if_v2   4f
        bl      this_mpidr
        bl      find_frame
        str     x0, [x19, #CPU_FRAME]
        mov     x20, x0
        mov     x21, #STATE_NO_FRAME
        cbz     x20, 3f
        ldr     w0, [x20, #GICR_WAKER]
        and     w0, w0, #~2             // ProcessorSleep
        str     w0, [x20, #GICR_WAKER]
        mov     w1, #10000
1:      ldr     w0, [x20, #GICR_WAKER]
        tbz     w0, #2, 2f              // ChildrenAsleep
        subs    w1, w1, #1
        b.ne    1b
2:      add     x0, x20, #SGI_BASE
        mov     w1, #-1
        str     w1, [x0, #GICR_IGROUPR0]
        bl      private_init
        mov     x21, #STATE_ONLINE
3:      mrs     x0, icc_sre_el1
        orr     x0, x0, #1
        msr     icc_sre_el1, x0
        isb
        mov     x0, #0xf0
        msr     icc_pmr_el1, x0
        msr     icc_bpr1_el1, xzr
        msr     icc_ctlr_el1, xzr
        mov     x0, #1
        msr     icc_igrpen1_el1, x0
        isb
        b       6f
4:      mov     x20, x16
        bl      distributor
        ldr     w1, [x0, #GICD_ITARGETSR]
        and     x1, x1, #0xff
        cbnz    x1, 5f                  // of a private interrupt: who asks
        mov     x1, #1                  // 0 where there is only one
5:      str     x1, [x19, #CPU_BIT]
        bl      private_init
        mov     w0, #0xf0
        str     w0, [x20, #GICC_PMR]
        str     wzr, [x20, #GICC_BPR]
        mov     w0, #1
        str     w0, [x20, #GICC_CTLR]
        mov     x21, #STATE_ONLINE
6:      dsb     sy
        str     x21, [x19, #CPU_STATE]
        dsb     sy
        leave

// X0: where this CPU's private interrupts have their registers. Enables SGIs and the timer, at one priority.
private_init:
        ldr     w1, =0xa0a0a0a0
        mov     x2, #0
1:      add     x3, x0, x2
        str     w1, [x3, #GICR_IPRIORITYR]
        add     x2, x2, #4
        cmp     x2, #32
        b.lo    1b
        mov     w1, #0xffff             // all SGIs
        orr     w1, w1, #1 << TIMER_PPI
        str     w1, [x0, #GICR_ISENABLER0]
        ret

// X0: SPI.
        .macro  spi_bit register
        lsr     x1, x0, #5
        and     x2, x0, #31
        mov     w3, #1
        lsl     w3, w3, w2
        adrp    x2, gicd
        ldr     x2, [x2, :lo12:gicd]
        add     x2, x2, x1, lsl #2
        str     w3, [x2, #\register]
        .endm

spi_enable:
        spi_bit GICD_ISENABLER
        dsb     sy
        ret

spi_disable:
        spi_bit GICD_ICENABLER
        spi_bit GICD_ICPENDR
        dsb     sy
        ret

spi_pend:
        spi_bit GICD_ISPENDR
        dsb     sy
        ret

// X0: SPI, X1: 0 level, 2 edge.
spi_configure:
        adrp    x2, gicd
        ldr     x2, [x2, :lo12:gicd]
        add     x2, x2, #GICD_ICFGR
        lsr     x3, x0, #4
        add     x2, x2, x3, lsl #2
        and     w3, w0, #15
        lsl     w3, w3, #1
        mov     w4, #3
        lsl     w4, w4, w3
        lsl     w1, w1, w3
        ldr     w0, [x2]
        bic     w0, w0, w4
        orr     w0, w0, w1
        str     w0, [x2]
        ret

// ---- Exceptions ----

        .macro  vector target
        .balign 128
        b       \target
        .endm

        .balign 2048
vectors:
        .rept   4                       // from EL1 with SP_EL0, with SP_EL1; from EL0 in AArch64, AArch32
        vector  unexpected
        vector  interrupt
        vector  unexpected
        vector  unexpected
        .endr

// FIQ and SError come here as well: neither has a reason to.
unexpected:
        mrs     x0, tpidr_el1
        cbz     x0, 2f
        mrs     x1, esr_el1
        str     x1, [x0, #CPU_ESR]
        mrs     x1, far_el1
        str     x1, [x0, #CPU_FAR]
        mrs     x1, elr_el1
        str     x1, [x0, #CPU_ELR]
        dsb     sy
        mrs     x1, mpidr_el1
        address x2, boot_mpidr
        ldr     x2, [x2]
        cmp     x1, x2
        b.ne    1f
        address x1, boot_stack_top
        mov     sp, x1
        mov     x19, x0
        print   "\r\nexception, "
        mov     x0, x19
        bl      put_exception
        ldr     x0, [x19, #CPU_STATE]
        cbnz    x0, shell
        mov     x0, #STATE_FAULT        // while it started: the shell is still of use
        str     x0, [x19, #CPU_STATE]
        print   "guest: ready\r\n"
        b       shell
1:      mov     x1, #STATE_FAULT
        str     x1, [x0, #CPU_STATE]
        dsb     sy
2:      wfi
        b       2b

// X0: a CPU.
put_exception:
        enter
        mov     x19, x0
        print   "ESR_EL1 0x"
        ldr     x0, [x19, #CPU_ESR]
        bl      put_hex
        print   ", FAR_EL1 0x"
        ldr     x0, [x19, #CPU_FAR]
        bl      put_hex
        print   ", ELR_EL1 0x"
        ldr     x0, [x19, #CPU_ELR]
        bl      put_hex
        bl      newline
        leave

interrupt:
        stp     x0, x1, [sp, #-64]!
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x16, x30, [sp, #48]
        if_v2   4f
        mrs     x4, icc_iar1_el1
        and     x0, x4, #0xffffff
        b       5f
4:      ldr     w4, [x16, #GICC_IAR]    // of an SGI, its sender as well
        and     x0, x4, #0x3ff
5:      sub     x1, x0, #1020
        cmp     x1, #3
        b.ls    9f                      // spurious
        mrs     x1, tpidr_el1
        ldr     x2, [x1, #CPU_IRQS]
        add     x2, x2, #1
        str     x2, [x1, #CPU_IRQS]
        cmp     x0, #16
        b.lo    1f
        cmp     x0, #TIMER_PPI
        b.eq    2f
        cmp     x0, #UART_SPI
        b.eq    3f
        str     x0, [x1, #CPU_INTID]
        ldr     x2, [x1, #CPU_SPIS]
        add     x2, x2, #1
        str     x2, [x1, #CPU_SPIS]
        b       8f
1:      str     x0, [x1, #CPU_INTID]
        ldr     x2, [x1, #CPU_SGIS]
        add     x2, x2, #1
        str     x2, [x1, #CPU_SGIS]
        b       8f
2:      msr     cntv_ctl_el0, xzr       // the line goes down
        isb
        ldr     x2, [x1, #CPU_TICKS]
        add     x2, x2, #1
        str     x2, [x1, #CPU_TICKS]
        b       8f
3:      adrp    x2, uart_interrupts
        add     x2, x2, :lo12:uart_interrupts
        ldr     x3, [x2]
        add     x3, x3, #1
        str     x3, [x2]
        bl      uart_drain
8:      dsb     sy
        if_v2   7f
        msr     icc_eoir1_el1, x4
        isb
        b       9f
7:      str     w4, [x16, #GICC_EOIR]
9:      ldp     x16, x30, [sp, #48]
        ldp     x4, x5, [sp, #32]
        ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #64
        eret

// ---- The console ----

uart_init:
        mov     x0, #UART
        str     wzr, [x0, #UARTCR]
        mov     w1, #0x70               // 8 bits, FIFOs on
        str     w1, [x0, #UARTLCR_H]
        str     wzr, [x0, #UARTIFLS]
        mov     w1, #0x7ff
        str     w1, [x0, #UARTICR]
        mov     w1, #0x301              // receive, transmit, on
        str     w1, [x0, #UARTCR]
        mrs     x1, mpidr_el1
        address x0, boot_mpidr
        str     x1, [x0]
        ret

// How a key wakes us: by SPI 33 if it can be routed here. If not, the timer looks every millisecond.
choose_input:
        enter
        bl      this_mpidr
        mov     x20, x0
        bl      route_to
        mov     x1, x0
        mov     x0, #UART_SPI
        bl      spi_route
        mov     x21, x0
        mov     x0, #UART_SPI
        mov     x1, #0
        bl      spi_configure
        mov     x0, #UART_SPI
        bl      spi_enable
        // A try: nothing has come, but we say it has.
        mov     x0, #UART_SPI
        bl      spi_pend
        bl      pause
        address x19, uart_interrupts
        ldr     x0, [x19]
        cbnz    x0, 1f
        print   "SPI 33 (UART) does not come to CPU "
        mov     x0, x20
        bl      put_hex
        print   " ("
        bl      put_router
        print   "33 reads 0x"
        mov     x0, x21
        bl      put_hex
        print   "): polling the UART\r\n"
        mov     x0, #UART_SPI
        bl      spi_disable
        leave
1:      mov     x0, #UART
        mov     w1, #0x50               // receive, receive timeout
        str     w1, [x0, #UARTIMSC]
        address x0, input_by_interrupt
        mov     x1, #1
        str     x1, [x0]
        leave

// Takes what the UART has into the ring. Changes X0 to X3 and X5. The interrupt is cleared first: cleared last, it would
// take along that of a character that came after the FIFO was seen empty, and that would lie there unnoticed.
uart_drain:
        mov     x0, #UART
        mov     w2, #0x50
        str     w2, [x0, #UARTICR]
        address x1, ring
        adrp    x5, ring_in
1:      ldr     w2, [x0, #UARTFR]
        tbnz    w2, #FR_RXFE, 2f
        ldr     w2, [x0, #UARTDR]
        ldr     x3, [x5, :lo12:ring_in]
        strb    w2, [x1, x3]
        add     x3, x3, #1
        and     x3, x3, #RING - 1
        str     x3, [x5, :lo12:ring_in]
        b       1b
2:      ret

// X0: the next character.
getc:
        enter
        address x19, ring
        adrp    x20, ring_in
        adrp    x21, input_by_interrupt
1:      msr     daifset, #2
        ldr     x0, [x20, :lo12:ring_out]
        ldr     x1, [x20, :lo12:ring_in]
        cmp     x0, x1
        b.ne    3f
        ldr     x1, [x21, :lo12:input_by_interrupt]
        cbz     x1, 2f
        wfi
        msr     daifclr, #2
        isb
        b       1b
2:      msr     daifclr, #2
        bl      pause
        bl      uart_drain
        b       1b
3:      msr     daifclr, #2
        ldrb    w2, [x19, x0]
        add     x0, x0, #1
        and     x0, x0, #RING - 1
        str     x0, [x20, :lo12:ring_out]
        mov     x0, x2
        leave

// Reads a line into `line`. Backspace takes a character back, ^U all of them, ^C gives up the line.
read_line:
        enter
        address x19, line
        mov     x20, #0
1:      bl      getc
        mov     x21, x0
        address x22, last_key
        ldr     x23, [x22]
        str     x21, [x22]
        cmp     x21, #'\n'
        b.eq    2f
        cmp     x21, #'\r'
        b.eq    3f
        cmp     x21, #0x7f
        ccmp    x21, #8, #4, ne
        b.eq    4f
        cmp     x21, #0x15
        b.eq    5f
        cmp     x21, #3
        b.eq    6f
        cmp     x21, #' '
        b.lo    1b
        cmp     x21, #0x7e
        b.hi    1b
        cmp     x20, #LINE_MAX
        b.hs    1b
        strb    w21, [x19, x20]
        add     x20, x20, #1
        mov     x0, x21
        bl      putc
        b       1b
2:      cmp     x23, #'\r'              // the second half of a CR LF
        b.eq    1b
3:      strb    wzr, [x19, x20]
        bl      newline
        leave
4:      cbz     x20, 1b
        bl      rub_out
        sub     x20, x20, #1
        b       1b
5:      cbz     x20, 1b
        bl      rub_out
        sub     x20, x20, #1
        b       5b
6:      print   "^C"
        mov     x20, #0
        b       3b

rub_out:
        adr     x0, 1f
        b       puts
1:      .asciz  "\b \b"
        .balign 4

putc:
        mov     x2, #UART
1:      ldr     w1, [x2, #UARTFR]
        tbnz    w1, #FR_TXFF, 1b
        str     w0, [x2, #UARTDR]
        ret

// X0: text, up to a 0.
puts:
        mov     x2, #UART
1:      ldrb    w1, [x0], #1
        cbz     w1, 3f
2:      ldr     w3, [x2, #UARTFR]
        tbnz    w3, #FR_TXFF, 2b
        str     w1, [x2, #UARTDR]
        b       1b
3:      ret

newline:
        adr     x0, 1f
        b       puts
1:      .asciz  "\r\n"
        .balign 4

// X0: number, hexadecimal without leading zeros.
put_hex:
        clz     x1, x0
        mov     x2, #67
        sub     x1, x2, x1
        lsr     x1, x1, #2              // digits: those of 64 - leading zeros, rounded up
        cmp     x1, #0
        cinc    x1, x1, eq
// X0: number, X1: digits.
put_hex_wide:
        enter
        mov     x19, x0
        lsl     x20, x1, #2
1:      cbz     x20, 2f
        sub     x20, x20, #4
        lsr     x0, x19, x20
        and     x0, x0, #15
        cmp     x0, #10
        mov     x1, #'a' - 10
        mov     x2, #'0'
        csel    x1, x1, x2, hs
        add     x0, x0, x1
        bl      putc
        b       1b
2:      leave

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

// X0: an affinity as MPIDR_EL1 has it.
put_mpidr:
        lsr     x1, x0, #32
        and     x0, x0, #0xffffff
        bfi     x0, x1, #24, #8
// X0: an affinity in 32 bits.
put_affinity:
        enter
        mov     x19, x0
        mov     x20, #24
1:      lsr     x0, x19, x20
        and     x0, x0, #0xff
        bl      put_hex
        cbz     x20, 2f
        mov     x0, #'.'
        bl      putc
        sub     x20, x20, #8
        b       1b
2:      leave

// X0: text. X0: its first character that is no blank.
skip_blanks:
1:      ldrb    w1, [x0]
        cmp     w1, #' '
        b.ne    2f
        add     x0, x0, #1
        b       1b
2:      ret

// W1: character. W1: its value as a digit, 255 if it is none.
digit:
        sub     w1, w1, #'0'
        cmp     w1, #10
        b.lo    1f
        add     w1, w1, #'0'
        orr     w1, w1, #0x20
        sub     w1, w1, #'a'
        cmp     w1, #6
        add     w1, w1, #10
        mov     w3, #255
        csel    w1, w1, w3, lo
1:      ret

// X0: text. X0: the number there (0x for hexadecimal), X1: text after it, X2: 0 if there is none.
parse_number:
        mov     x4, #10
        mov     x5, x0
        mov     x0, #0
        mov     x2, #0
        mov     x6, x30
        ldrb    w1, [x5]
        cmp     w1, #'0'
        b.ne    1f
        ldrb    w1, [x5, #1]
        cmp     w1, #'x'
        b.ne    1f
        mov     x4, #16
        add     x5, x5, #2
1:      ldrb    w1, [x5]
        bl      digit
        cmp     x1, x4
        b.hs    2f
        madd    x0, x0, x4, x1
        mov     x2, #1
        add     x5, x5, #1
        b       1b
2:      mov     x1, x5
        ret     x6

// X0: text. X0: Aff3.Aff2.Aff1.Aff0 there in the form of MPIDR_EL1, X1: text after it, X2: 0 if there is none.
parse_affinity:
        mov     x5, x0
        mov     x6, x30
        mov     x0, #0
        mov     x4, #4                  // fields to come
1:      mov     x7, #0
        mov     x2, #0
2:      ldrb    w1, [x5]
        bl      digit
        cmp     w1, #16
        b.hs    3f
        add     x7, x1, x7, lsl #4
        mov     x2, #1
        add     x5, x5, #1
        cmp     x7, #0xff
        b.ls    2b
        b       8f
3:      cbz     x2, 8f
        orr     x0, x7, x0, lsl #8
        subs    x4, x4, #1
        b.eq    4f
        ldrb    w1, [x5], #1
        cmp     w1, #'.'
        b.eq    1b
8:      mov     x2, #0
        ret     x6
4:      mov     x1, x5
        lsr     x3, x0, #24
        and     x0, x0, #0xffffff
        bfi     x0, x3, #32, #8
        mov     x2, #1
        ret     x6

// ---- The device tree (Devicetree Specification, section 5) ----

        .equ    FDT_MAGIC, 0xd00dfeed
        .equ    FDT_BEGIN_NODE, 1
        .equ    FDT_END_NODE, 2
        .equ    FDT_PROP, 3
        .equ    FDT_NOP, 4

        .macro  be32 register, base, offset=0
        ldr     \register, [\base, #\offset]
        rev     \register, \register
        .endm

// X0: the tree. Fills `cpus`, `gicd`, `regions`; without a tree, with what a machine has at least.
read_device_tree:
        enter
        cbz     x0, 8f
        be32    w1, x0
        ldr     w2, =FDT_MAGIC
        cmp     w1, w2
        b.ne    8f
        be32    w19, x0, 8
        add     x19, x0, x19            // the structure
        be32    w20, x0, 12
        add     x20, x0, x20            // the names
        bl      node_begin
1:      be32    w0, x19
        add     x19, x19, #4
        cmp     w0, #FDT_BEGIN_NODE
        b.eq    2f
        cmp     w0, #FDT_END_NODE
        b.eq    4f
        cmp     w0, #FDT_PROP
        b.eq    5f
        cmp     w0, #FDT_NOP
        b.eq    1b
        b       9f
        // A node: its name, padded to words. What was before it is what its parent has.
2:      bl      node_end
        bl      node_begin
3:      ldrb    w0, [x19], #1
        cbnz    w0, 3b
        add     x19, x19, #3
        and     x19, x19, #~3
        b       1b
4:      bl      node_end
        bl      node_begin
        b       1b
5:      be32    w21, x19              // length
        be32    w0, x19, 4
        add     x0, x20, x0             // name
        add     x1, x19, #8             // value
        mov     x2, x21
        bl      property
        add     x19, x19, #8
        add     x19, x19, x21
        add     x19, x19, #3
        and     x19, x19, #~3
        b       1b
8:      print   "no device tree in X0: one CPU, and the addresses of QEMU's virt machine\r\n"
9:      bl      default_machine
        leave
        .ltorg

// What a tree without CPUs or without a GIC leaves open.
default_machine:
        enter
        adrp    x0, gicd
        ldr     x1, [x0, :lo12:gicd]
        cbnz    x1, 1f
        mov     x1, #0x08000000
        str     x1, [x0, :lo12:gicd]
        address x0, regions
        mov     w1, #0x080a0000
        mov     x2, #0x20000
        stp     x1, x2, [x0]
        mov     x1, #1
        adrp    x0, region_count
        str     x1, [x0, :lo12:region_count]
        mrs     x0, id_aa64pfr0_el1     // GIC: the system registers of a GICv3
        ubfx    x0, x0, #24, #4
        cbnz    x0, 1f
        adrp    x0, gicc
        mov     x1, #0x08010000
        str     x1, [x0, :lo12:gicc]
1:      adrp    x0, cpu_count
        ldr     x0, [x0, :lo12:cpu_count]
        cbnz    x0, 2f
        bl      this_mpidr
        bl      add_cpu
2:      leave

node_begin:
        address x0, node
        stp     xzr, xzr, [x0]
        stp     xzr, xzr, [x0, #16]
        mov     x1, #1                  // regions, where the node does not say
        str     x1, [x0, #32]
        ret

// Notes what matters of a property. X0: name, X1: value, X2: length.
property:
        enter
        mov     x21, x0
        mov     x22, x1
        mov     x23, x2
        address x24, node
        adr     x1, name_reg
        bl      same_text
        cbz     x0, 1f
        stp     x22, x23, [x24]
1:      mov     x0, x21
        adr     x1, name_device_type
        bl      same_text
        cbz     x0, 2f
        mov     x0, x22
        adr     x1, name_cpu
        bl      same_text
        str     x0, [x24, #16]
2:      mov     x0, x21
        adr     x1, name_compatible
        bl      same_text
        cbz     x0, 3f
        mov     x0, x22
        adr     x1, name_gic
        bl      same_text
        str     x0, [x24, #24]
        cbnz    x0, 3f
        mov     x0, x22
        adr     x1, name_gic_v2
        bl      same_text
        lsl     x0, x0, #1
        str     x0, [x24, #24]
3:      mov     x0, x21
        adr     x1, name_regions
        bl      same_text
        cbz     x0, 4f
        be32    w0, x22
        str     x0, [x24, #32]
4:      leave

name_reg:       .asciz "reg"
name_device_type: .asciz "device_type"
name_cpu:       .asciz "cpu"
name_compatible: .asciz "compatible"
name_gic:       .asciz "arm,gic-v3"
name_gic_v2:    .asciz "arm,cortex-a15-gic"
name_regions:   .asciz "#redistributor-regions"
        .balign 4

// A node is done: a CPU, or the interrupt controller.
node_end:
        enter
        address x19, node
        ldp     x20, x21, [x19]         // reg and its length
        cbz     x20, 9f
        ldr     x0, [x19, #16]
        cbz     x0, 2f
        // A CPU's reg has one cell or two, as its length tells.
        be32    w0, x20
        cmp     x21, #8
        b.ne    1f
        be32    w1, x20, 4
        orr     x0, x1, x0, lsl #32
1:      bl      add_cpu
        b       9f
2:      ldr     x0, [x19, #24]
        cbz     x0, 9f
        mov     x0, x20
        bl      be64
        adrp    x1, gicd
        str     x0, [x1, :lo12:gicd]
        ldr     x0, [x19, #24]
        cmp     x0, #2
        b.eq    4f
        ldr     x22, [x19, #32]
        cmp     x22, #MAX_REGIONS
        mov     x0, #MAX_REGIONS
        csel    x22, x22, x0, ls
        adrp    x1, region_count
        str     x22, [x1, :lo12:region_count]
        address x23, regions
3:      cbz     x22, 9f
        add     x20, x20, #16
        mov     x0, x20
        bl      be64
        str     x0, [x23], #8
        add     x0, x20, #8
        bl      be64
        str     x0, [x23], #8
        sub     x22, x22, #1
        b       3b
4:      add     x0, x20, #16
        bl      be64
        adrp    x1, gicc
        str     x0, [x1, :lo12:gicc]
9:      leave

// X0: address of two cells. X0: their value.
be64:
        be32    w1, x0
        be32    w2, x0, 4
        orr     x0, x2, x1, lsl #32
        ret

// X0, X1: texts. X0: 1 if they are the same.
same_text:
1:      ldrb    w2, [x0], #1
        ldrb    w3, [x1], #1
        cmp     w2, w3
        b.ne    2f
        cbnz    w2, 1b
        mov     x0, #1
        ret
2:      mov     x0, #0
        ret

// ---- Memory, cleared at the start: after a reset it is as it was left ----

        .ltorg
        .balign 4096
image_data_end:
        .equ    bss, image_data_end
        .equ    cpu_count, bss
        .equ    gicd, bss + 8
        .equ    region_count, bss + 16
        .equ    ring_in, bss + 24
        .equ    ring_out, bss + 32
        .equ    input_by_interrupt, bss + 40
        .equ    uart_interrupts, bss + 48
        .equ    last_key, bss + 56
        .equ    boot_mpidr, bss + 64
        .equ    timer_works, bss + 72
        .equ    node, bss + 80          // reg, its length, whether a CPU, whether a GIC (2: GICv2), its regions
        .equ    gicc, bss + 120         // 0 with a GICv3
        .equ    regions, bss + 128
        .equ    line, bss + 256
        .equ    ring, bss + 512
        .equ    boot_stack_top, bss + 0x2000
        .equ    cpus, bss + 0x2000
        .equ    stacks, cpus + (MAX_CPUS << CPU_SHIFT)
        .equ    image_end, stacks + ((MAX_CPUS + 1) << STACK_SHIFT)
        .equ    image_size, image_end - image
        // In the file as well: some loaders take one that is much shorter than image_size for cut short.
        .space  image_end - bss
