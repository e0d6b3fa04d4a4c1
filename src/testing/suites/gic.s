// Interrupts between CPUs, active state, and the registers of a distributor: what is there, what is masked, what is read-only.

        .equ    FIRST_SPI, 32

synchronous:
        b       unexpected

// The active test ends an interrupt by its active bit.
end_of_interrupt:
        adr     x0, ends_by_bit
        ldr     w0, [x0]
        cbz     w0, complete
        mov     w0, #2
        str     w0, [x27, #ICACTIVER]
        ret

receiver:
        bl      open_gic
        box     x0, x26
        mov     x1, #1
        str     x1, [x0, #READY]
1:      wfi
        b       1b

main:
        bl      open_gic
        mov     x24, #1
1:      cmp     x24, x25
        b.hs    2f
        mov     x1, x24
        adr     x2, receiver
        bl      start_cpu
        add     x24, x24, #1
        b       1b
2:      mov     x0, #1
        bl      await_ready

        mov     w24, #1
        lsl     w24, w24, w25
        sub     w24, w24, #1            // all CPUs

        // IPIs
        bl      clear_taken
        bl      send_self
        mov     w0, #1
        bl      await_taken
        expect  "ipi: to itself, once", x0, 1

        bl      clear_taken
        and     w0, w24, #0xaaaaaaaa
        bl      send_list
        and     w0, w24, #0xaaaaaaaa
        bl      await_taken
        and     w2, w24, #0xaaaaaaaa
        eor     x0, x0, x2
        expect  "ipi: to a list, once each", x0, 0
        ldr     x0, =BOXES + (1 << BOX_SHIFT) + IAR
        ldr     x0, [x0]
        expect  "ipi: from the boot CPU", x0, 1

        bl      clear_taken
        bl      send_others
        and     w0, w24, #0xfe
        bl      await_taken
        and     w2, w24, #0xfe
        eor     x0, x0, x2
        expect  "ipi: to all others, once each", x0, 0

        // Active state
        adr     x0, ends_by_bit
        mov     w1, #1
        str     w1, [x0]
        bl      clear_taken
        bl      send_self
        mov     w0, #1
        bl      await_taken
        expect  "active: cleared by its bit", x0, 1
        ldr     w0, [x27, #ISACTIVER]
        expect  "active: reads 0 afterwards", x0, 0
        adr     x0, ends_by_bit
        str     wzr, [x0]

        // What the distributor is
        ldr     x0, =GICD + TYPER
        ldr     w23, [x0]
        and     w20, w23, #31
        add     w20, w20, #1
        lsl     w24, w20, #5            // interrupts
        expect  "distributor: interrupts", x24, 288
        cmp     x28, #2
        b.ne    3f
        ubfx    w0, w23, #5, #3
        add     w0, w0, #1
        sub     x0, x0, x25
        expect  "distributor: CPUs", x0, 0
3:      poke    GICD + TYPER, 0xffffffff
        ldr     w0, [x0]
        ldr     w9, =GICD + TYPER
        ldr     w0, [x9]
        sub     w0, w0, w23
        expect  "distributor: GICD_TYPER is read-only", x0, 0
        ldr     x9, =GICD + IIDR
        ldr     w22, [x9]
        poke    GICD + IIDR, 0x12345678
        ldr     x9, =GICD + IIDR
        ldr     w0, [x9]
        sub     w0, w0, w22
        expect  "distributor: GICD_IIDR is read-only", x0, 0

        // Priorities
        poke    GICD + IPRIORITYR + FIRST_SPI, 0xffffffff
        ldr     w22, [x0]
        ubfx    w0, w22, #0, #8
        mov     w1, #0x01010101
        mul     w0, w0, w1
        sub     w0, w0, w22
        expect  "priorities: every byte has the same bits", x0, 0
        mvn     w0, w22
        and     w0, w0, #0xff
        and     w0, w0, #0xf0
        expect  "priorities: four bits at least", x0, 0
        poke    GICD + IPRIORITYR + FIRST_SPI, 0
        ldr     w0, [x0]
        expect  "priorities: can be cleared", x0, 0
        ldr     x0, =GICD + IPRIORITYR
        add     x0, x0, x24             // behind the last
        mvn     w1, wzr
        str     w1, [x0]
        ldr     w0, [x0]
        expect  "priorities: beyond the last interrupt nothing is", x0, 0
        ldr     x0, =GICD + IPRIORITYR - 4
        add     x0, x0, x24
        mvn     w1, wzr
        str     w1, [x0]
        ldr     w0, [x0]
        sub     w0, w0, w22
        expect  "priorities: the last interrupts have theirs", x0, 0
        poke    GICD + IPRIORITYR + FIRST_SPI, 0xff7fbfdf
        ldr     w0, [x0]
        ldr     w1, =0xff7fbfdf
        and     w1, w1, w22
        sub     w0, w0, w1
        expect  "priorities: keep what is implemented", x0, 0
        ldr     x0, =GICD + IPRIORITYR + FIRST_SPI
        ldrb    w1, [x0, #1]
        ubfx    w2, w22, #0, #8
        bic     w2, w2, #0x40
        sub     w1, w1, w2
        expect  "priorities: a byte is read", x1, 0
        ldr     x0, =GICD + IPRIORITYR + FIRST_SPI
        mov     w1, #0x1f
        strb    w1, [x0, #2]
        ldr     w0, [x0]
        ldr     w1, =0xff1fbfdf
        and     w1, w1, w22
        sub     w0, w0, w1
        expect  "priorities: a byte is written", x0, 0
        ldr     x0, =GICD + IPRIORITYR + FIRST_SPI
        mov     w1, #0
        strh    w1, [x0]
        ldr     w2, [x0]
        ldr     w1, =0xff1fbfdf
        and     w1, w1, w22
        sub     w0, w2, w1
        expect  "priorities: two bytes are not", x0, 0

        // Targets
        cmp     x28, #2
        b.ne    finish
        mov     w22, #1
        lsl     w22, w22, w25
        sub     w22, w22, #1
        mov     w1, #0x01010101
        mul     w22, w22, w1            // the CPUs that are there, four times
        ldr     x0, =GICD + ITARGETSR
        ldr     w0, [x0]
        expect  "targets: a private interrupt's CPU is the one that asks", x0, 0x01010101
        poke    GICD + ITARGETSR, 0
        ldr     w0, [x0]
        expect  "targets: those of private interrupts are read-only", x0, 0x01010101
        poke    GICD + ITARGETSR + FIRST_SPI, 0xffffffff
        ldr     w0, [x0]
        sub     w0, w0, w22
        expect  "targets: bits of absent CPUs are masked", x0, 0
        ldr     x0, =GICD + ITARGETSR
        add     x0, x0, x24
        mvn     w1, wzr
        str     w1, [x0]
        ldr     w0, [x0]
        expect  "targets: beyond the last interrupt nothing is", x0, 0
        poke    GICD + ITARGETSR + FIRST_SPI, 0x0103020f
        ldr     w0, [x0]
        ldr     w1, =0x0103020f
        and     w1, w1, w22
        sub     w0, w0, w1
        expect  "targets: keep what was written", x0, 0
        ldr     x0, =GICD + ITARGETSR + FIRST_SPI
        ldrb    w1, [x0, #1]
        and     w2, w22, #2
        sub     w1, w1, w2
        expect  "targets: a byte is read", x1, 0
        ldr     x0, =GICD + ITARGETSR + FIRST_SPI
        mov     w1, #0x1f
        strb    w1, [x0, #2]
        ldr     w0, [x0]
        ldr     w1, =0x011f020f
        and     w1, w1, w22
        sub     w0, w0, w1
        expect  "targets: a byte is written", x0, 0
        b       finish

ends_by_bit:
        .word   0
        .ltorg
