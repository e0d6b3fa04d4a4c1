// Small operations, often: what a hypervisor's cost is measured by. Here it is that each is done, and that waiting is not work.

        .equ    TIMES, 1000
        .equ    VIRTIO, 0x0a000000
        .equ    SLOT, 0x200

synchronous:
        b       unexpected
end_of_interrupt:
        b       complete

// Looks all the time whether there is anything to do.
receiver:
        bl      open_gic
        box     x0, x26
        mov     x1, #1
        str     x1, [x0, #READY]
        dsb     sy
1:      yield
        b       1b

main:   bl      open_gic
        mov     x1, #1
        adr     x2, receiver
        bl      start_cpu
        ldr     x0, =BOXES + (1 << BOX_SHIFT)
1:      yield
        ldr     x1, [x0, #READY]
        cbz     x1, 1b

        mov     x24, #TIMES
2:      ldr     x0, =0x4b000000
        hvc     #0
        cmn     w0, #1
        b.ne    3f
        subs    x24, x24, #1
        b.ne    2b
3:      expect  "hvc", x24, 0

        expect_at "virtio: slot 0 is one", VIRTIO, 0x74726976
        expect_at "virtio: nothing is in slot 0", VIRTIO + 8, 0
        expect_at "virtio: slot 31 is one", VIRTIO + 31 * SLOT, 0x74726976
        mov     x24, #TIMES
        ldr     x0, =VIRTIO + 8
2:      ldr     w1, [x0]
        cbnz    w1, 3f
        subs    x24, x24, #1
        b.ne    2b
3:      expect  "read of a device of the VMM", x24, 0

        mov     x24, #TIMES
        ldr     x0, =GICD + IIDR
        ldr     w2, [x0]
2:      ldr     w1, [x0]
        cmp     w1, w2
        b.ne    3f
        subs    x24, x24, #1
        b.ne    2b
3:      expect  "read of the distributor", x24, 0

        mov     x24, #TIMES
2:      mov     w1, #1023               // none: nothing ends
        bl      complete
        subs    x24, x24, #1
        b.ne    2b
        expect  "end of no interrupt", x24, 0

        bl      clear_taken
        mov     x24, #0
2:      mov     w0, #2
        bl      send_list
        ldr     x0, =BOXES + (1 << BOX_SHIFT)
        add     x24, x24, #1
3:      yield
        ldr     x1, [x0, #TAKEN]
        cmp     x1, x24
        b.lo    3b
        b.hi    4f
        cmp     x24, #TIMES
        b.ne    2b
4:      expect  "ipi", x1, TIMES

        // A tenth of a second, as a test's mdelay() waits.
        mrs     x19, cntvct_el0
        ldr     x20, =6250000
2:      yield
        mrs     x0, cntvct_el0
        sub     x0, x0, x19
        cmp     x0, x20
        b.lo    2b
        ldr     x1, =6251000
        cmp     x0, x1
        cset    x0, lo
        expect  "a wait ends in time", x0, 1
        b       finish
        .ltorg
