// Entered with the MMU off at EL1: runs main in an address space that maps RAM and devices one to one, and powers off
// through PSCI.
        .section .text.start, "ax"
        .global _start
_start: ldr     x0, =stack_top
        mov     sp, x0
        bl      turn_on
        bl      main
        ldr     w0, =0x84000008         // PSCI SYSTEM_OFF
        hvc     #0
1:      b       1b

// Maps 2 GiB one to one (device memory below RAM), turns on caches, floating point and AdvSIMD.
        .global turn_on
turn_on:
        ldr     x1, =table
        msr     ttbr0_el1, x1
        mov     x1, #0xff00             // index 0: Device-nGnRnE, index 1: Normal, write-back
        msr     mair_el1, x1
        ldr     x1, =0x200803519        // IPS 40 bits, EPD1, 4 KiB, inner shareable, write-back, T0SZ 25
        msr     tcr_el1, x1
        mov     x1, #3 << 20
        msr     cpacr_el1, x1
        dsb     sy
        isb
        mrs     x1, sctlr_el1
        mov     x2, #0x1005             // M, C, I
        orr     x1, x1, x2
        msr     sctlr_el1, x1
        isb
        ret

        .section .data
        .balign 4096
        .global table
table:  .quad   0x401                           // 0: device, AF
        .quad   0x40000705                      // 1 GiB: RAM, inner shareable, AF, index 1
        .fill   510, 8, 0
