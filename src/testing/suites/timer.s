// The timers of the boot CPU: their output at the GIC with and without interrupts, deadlines by CVAL and by TVAL, waking.

        .equ    ENABLE, 1
        .equ    IMASK, 2
        .equ    ISTATUS, 4
        .equ    TEN_MS, 625000          // counts

        // Each check is made of both: `name` is in their registers' names, `ppi` their interrupt.
        .macro  timer title, name, ppi, counter

        // The output, with the interrupt disabled at the GIC: its pending bit is the timer's.
        mov     w0, #1 << \ppi
        str     w0, [x27, #ICENABLER]
        mrs     x19, \counter
        ldr     x0, =625000000
        add     x0, x0, x19
        msr     \name\()_cval_el0, x0
        mov     x0, #ENABLE
        msr     \name\()_ctl_el0, x0
        isb
        bl      pending_bits
        ubfx    w0, w0, #\ppi, #1
        expect  "\title: not pending before its time", x0, 0
        sub     x0, x19, #1
        msr     \name\()_cval_el0, x0
        isb
        bl      pending_bits
        ubfx    w0, w0, #\ppi, #1
        expect  "\title: pending when its time has come", x0, 1
        mrs     x0, \name\()_ctl_el0
        expect  "\title: ISTATUS says so", x0, ENABLE | ISTATUS
        mov     x0, #ENABLE | IMASK
        msr     \name\()_ctl_el0, x0
        isb
        mrs     x0, \name\()_ctl_el0
        expect  "\title: ISTATUS does not depend on IMASK", x0, ENABLE | IMASK | ISTATUS
        bl      pending_bits
        ubfx    w0, w0, #\ppi, #1
        expect  "\title: masked it is not pending", x0, 0
        mov     x0, #ENABLE
        msr     \name\()_ctl_el0, x0
        ldr     x0, =625000000
        add     x0, x0, x19
        msr     \name\()_cval_el0, x0
        isb
        bl      pending_bits
        ubfx    w0, w0, #\ppi, #1
        expect  "\title: a later time takes the interrupt back", x0, 0
        msr     \name\()_ctl_el0, xzr

        // TVAL
        ldr     x2, =TEN_MS
        msr     \name\()_tval_el0, x2
        mrs     x1, \counter
        mrs     x0, \name\()_cval_el0
        sub     x0, x0, x2
        sub     x0, x1, x0              // what has passed since
        cmp     x0, x2
        cset    x0, lo
        expect  "\title: TVAL counts from now", x0, 1
        mrs     x0, \name\()_tval_el0
        ldr     x1, =TEN_MS
        cmp     x0, x1
        cset    x0, ls
        expect  "\title: TVAL counts down", x0, 1
        mvn     w0, wzr                 // -1
        msr     \name\()_tval_el0, x0
        mrs     x0, \counter
        mrs     x1, \name\()_cval_el0
        cmp     x1, x0
        cset    x0, lo
        expect  "\title: TVAL is signed", x0, 1

        // Interrupts
        mov     w0, #1 << \ppi
        str     w0, [x27, #ISENABLER]
        bl      clear_taken
        mrs     x19, \counter
        ldr     x0, =TEN_MS
        add     x19, x19, x0
        msr     \name\()_cval_el0, x19
        mov     x0, #ENABLE
        msr     \name\()_ctl_el0, x0
        isb
1:      mrs     x0, \name\()_ctl_el0
        tbz     x0, #2, 1b
        mrs     x0, \counter
        sub     x0, x0, x19
        ldr     x1, =TEN_MS
        cmp     x0, x1
        cset    x0, lo
        expect  "\title: sets ISTATUS in time", x0, 1
        bl      taken
        expect  "\title: interrupts once", x0, 1
        bl      last_intid
        expect  "\title: by its own interrupt", x0, \ppi

        bl      clear_taken
        ldr     x0, =TEN_MS
        msr     \name\()_tval_el0, x0
        mov     x0, #ENABLE
        msr     \name\()_ctl_el0, x0
        isb
        wfi
        bl      taken
        expect  "\title: ends a WFI", x0, 1

        bl      clear_taken
        msr     daifset, #2
        ldr     x0, =TEN_MS
        msr     \name\()_tval_el0, x0
        mov     x0, #ENABLE
        msr     \name\()_ctl_el0, x0
        isb
        wfi
        bl      taken
        expect  "\title: ends a WFI where PSTATE.I masks it, and is not taken", x0, 0
        msr     daifclr, #2
        isb
        bl      taken
        expect  "\title: is taken when PSTATE.I lets it", x0, 1
        msr     \name\()_ctl_el0, xzr
        mov     w0, #1 << \ppi
        str     w0, [x27, #ICENABLER]
        .endm

synchronous:
        b       unexpected
end_of_interrupt:
        b       complete

// W0: a bit for each private interrupt that is pending.
pending_bits:
        ldr     w0, [x27, #ISPENDR]
        ret

// X0: how many interrupts this CPU has taken, and the INTID of the last.
taken:  box     x0, x26
        ldr     x0, [x0, #TAKEN]
        ret
last_intid:
        box     x0, x26
        ldr     x0, [x0, #IAR]
        ret

main:   bl      open_gic
        mrs     x0, cntfrq_el0
        expect  "counter: 62.5 MHz", x0, 62500000
        timer   "virtual timer", cntv, VIRTUAL_TIMER, cntvct_el0
        timer   "physical timer", cntp, PHYSICAL_TIMER, cntpct_el0
        b       finish
        .ltorg
