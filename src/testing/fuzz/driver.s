// Runs blocks of random instructions on recorded states. The same code runs on QEMU as a Linux process (from _start,
// reading batches from stdin and writing them back) and on our CPU without any system (from bare). `layout.ts` has the
// addresses and the record.

        .set    BATCH,   0x40010000     // blocks, data, records: what is read and written back
        .set    END,     0x4002f000     // address of the end of the records
        .set    RECORDS, 0x40030000
        .set    RETURN,  0x4002f008     // where the runner returns to
        .set    LENGTH,  0x4002f010     // how long the batch is, before it comes
        .set    SIZE,    768
        .set    KERNEL,  0x80000000     // where EL1 sees this image: code that EL0 can write to is not executable there

        .section .batch, "awx", %nobits
        .skip   0x200000

        .text
        .global _start
_start: ldr     x19, =LENGTH            // a length, then as many bytes
        mov     x20, #8
        bl      fill
        ldr     x20, [x19]
        ldr     x19, =BATCH
        bl      fill
        adr     x0, finish
        ldr     x1, =RETURN
        str     x0, [x1]
        b       run
finish: ldr     x19, =BATCH
        ldr     x20, =END
        ldr     x20, [x20]
        sub     x20, x20, x19
1:      mov     x0, #1
        mov     x1, x19
        mov     x2, x20
        mov     x8, #64                 // write
        svc     #0
        add     x19, x19, x0
        subs    x20, x20, x0
        b.ne    1b
        mov     x0, #0
        mov     x8, #93                 // exit
        svc     #0

fill:   mov     x21, #0
1:      mov     x0, #0
        add     x1, x19, x21
        sub     x2, x20, x21
        mov     x8, #63                 // read
        svc     #0
        cmp     x0, #0
        b.le    2f
        add     x21, x21, x0
        cmp     x21, x20
        b.ne    1b
        ret
2:      mov     x0, #1
        mov     x8, #93
        svc     #0

        // Every state of the batch, in order.
run:    ldr     x29, =RECORDS
next:   ldp     q0, q1, [x29, #256]
        ldp     q2, q3, [x29, #288]
        ldp     q4, q5, [x29, #320]
        ldp     q6, q7, [x29, #352]
        ldp     q8, q9, [x29, #384]
        ldp     q10, q11, [x29, #416]
        ldp     q12, q13, [x29, #448]
        ldp     q14, q15, [x29, #480]
        ldp     q16, q17, [x29, #512]
        ldp     q18, q19, [x29, #544]
        ldp     q20, q21, [x29, #576]
        ldp     q22, q23, [x29, #608]
        ldp     q24, q25, [x29, #640]
        ldp     q26, q27, [x29, #672]
        ldp     q28, q29, [x29, #704]
        ldp     q30, q31, [x29, #736]
        ldp     w0, w1, [x29]
        msr     fpcr, x0
        msr     fpsr, x1
        ldp     w0, w30, [x29, #8]
        msr     nzcv, x0
        ldr     x0, [x29, #248]
        mov     sp, x0
        ldp     x0, x1, [x29, #16]
        ldp     x2, x3, [x29, #32]
        ldp     x4, x5, [x29, #48]
        ldp     x6, x7, [x29, #64]
        ldp     x8, x9, [x29, #80]
        ldp     x10, x11, [x29, #96]
        ldp     x12, x13, [x29, #112]
        ldp     x14, x15, [x29, #128]
        ldp     x16, x17, [x29, #144]
        ldp     x18, x19, [x29, #160]
        ldp     x20, x21, [x29, #176]
        ldp     x22, x23, [x29, #192]
        ldp     x24, x25, [x29, #208]
        ldp     x26, x27, [x29, #224]
        ldr     x28, [x29, #240]
        blr     x30
        stp     x0, x1, [x29, #16]
        stp     x2, x3, [x29, #32]
        stp     x4, x5, [x29, #48]
        stp     x6, x7, [x29, #64]
        stp     x8, x9, [x29, #80]
        stp     x10, x11, [x29, #96]
        stp     x12, x13, [x29, #112]
        stp     x14, x15, [x29, #128]
        stp     x16, x17, [x29, #144]
        stp     x18, x19, [x29, #160]
        stp     x20, x21, [x29, #176]
        stp     x22, x23, [x29, #192]
        stp     x24, x25, [x29, #208]
        stp     x26, x27, [x29, #224]
        str     x28, [x29, #240]
        mov     x0, sp
        str     x0, [x29, #248]
        mrs     x0, nzcv
        str     w0, [x29, #8]
        mrs     x0, fpcr
        mrs     x1, fpsr
        stp     w0, w1, [x29]
        stp     q0, q1, [x29, #256]
        stp     q2, q3, [x29, #288]
        stp     q4, q5, [x29, #320]
        stp     q6, q7, [x29, #352]
        stp     q8, q9, [x29, #384]
        stp     q10, q11, [x29, #416]
        stp     q12, q13, [x29, #448]
        stp     q14, q15, [x29, #480]
        stp     q16, q17, [x29, #512]
        stp     q18, q19, [x29, #544]
        stp     q20, q21, [x29, #576]
        stp     q22, q23, [x29, #608]
        stp     q24, q25, [x29, #640]
        stp     q26, q27, [x29, #672]
        stp     q28, q29, [x29, #704]
        stp     q30, q31, [x29, #736]
        add     x29, x29, #SIZE
        ldr     x0, =END
        ldr     x0, [x0]
        cmp     x29, x0
        b.lo    next
        ldr     x0, =RETURN
        ldr     x0, [x0]
        br      x0
        .ltorg

        // Without a system: an identity map, EL0, and the end as an exception that a hypercall reports.
        .balign 64
        .global bare
bare:   mov     x0, #0xff               // normal memory, write-back
        msr     mair_el1, x0
        ldr     x0, =0x00803519         // 39 bits, 4 KiB, no upper half
        msr     tcr_el1, x0
        ldr     x1, =tables
        ldr     x0, =0x40000741         // the RAM, read and written by EL0
        str     x0, [x1, #8]
        ldr     x0, =0x40000701         // and again for EL1 alone
        str     x0, [x1, #16]
        msr     ttbr0_el1, x1
        ldr     x0, =vectors + KERNEL - 0x40000000
        msr     vbar_el1, x0
        mov     x0, #0x300000
        msr     cpacr_el1, x0
        mrs     x0, sctlr_el1
        ldr     x2, =0xc000             // DC ZVA and the like at EL0
        orr     x0, x0, x2
        mov     x2, #0x1005             // M, C, I
        orr     x0, x0, x2
        // The next instruction after the MMU is on comes from the same address, which EL1 cannot execute: go by the
        // exception that this is, or return at once.
        ldr     x1, =RETURN
        ldr     x2, =ended
        str     x2, [x1]
        ldr     x2, =run
        msr     elr_el1, x2
        mov     x2, #0x3c0              // EL0
        msr     spsr_el1, x2
        adr     x3, 1f
        ldr     x4, =KERNEL - 0x40000000
        add     x3, x3, x4
        // A first table in which EL1 may execute everything.
        ldr     x1, =tables
        ldr     x5, [x1, #8]
        ldr     x6, =0x40000701
        str     x6, [x1, #8]
        dsb     sy
        msr     sctlr_el1, x0
        isb
        br      x3
1:      ldr     x1, =tables + KERNEL - 0x40000000
        str     x5, [x1, #8]
        dsb     sy
        tlbi    vmalle1
        dsb     sy
        isb
        eret
ended:  svc     #0
        .ltorg

        .balign 2048
vectors:
        .rept   16
        hvc     #0
        .balign 128
        .endr
        .balign 4096
tables: .skip   4096
