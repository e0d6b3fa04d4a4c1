// PSCI as a guest of KVM has it: versions, what is on, turning on and off, races, bad arguments.

        .equ    NOT_SUPPORTED, -1
        .equ    ALREADY_ON, -4
        .equ    ON, 0
        .equ    OFF, 1

        // What a call answers.
        .macro  answers name, function, first, second, value
        ldr     x1, =\first
        ldr     x2, =\second
        mov     x3, #0
        call_psci \function
        expect  "\name", x0, \value
        .endm

synchronous:
        b       unexpected
end_of_interrupt:
        b       complete

// Turns itself off at once.
leaver: call_psci PSCI_CPU_OFF
        b       .

sleeper:
        wfi
        b       sleeper

// Waits for all the others, then tries to turn on CPU 1.
racer:  box     x19, x26
        mov     x0, #1
        str     x0, [x19, #READY]
        dsb     sy
        adr     x20, go
1:      yield
        ldr     w0, [x20]
        cbz     w0, 1b
        bl      race
        b       sleeper

race:   mov     x21, x30
        mov     x1, #1
        adr     x2, sleeper
        call_psci PSCI_CPU_ON
        box     x19, x26
        str     x0, [x19, #ANSWER]
        mov     x0, #2
        str     x0, [x19, #READY]
        dsb     sy
        br      x21

main:   answers "version: 1.1", PSCI_VERSION, 0, 0, 0x10001
        answers "features: CPU_ON is there", PSCI_FEATURES, PSCI_CPU_ON, 0, 0
        answers "features: 1337 is not", PSCI_FEATURES, 1337, 0, NOT_SUPPORTED
        answers "an unknown function is not supported", 1337, 0, 0, NOT_SUPPORTED
        answers "a function of nobody's is not supported", 0x4b000000, 0, 0, NOT_SUPPORTED
        answers "affinity-info: the boot CPU is on", PSCI_AFFINITY_INFO, 0, 0, ON
        answers "affinity-info: CPU 1 is off", PSCI_AFFINITY_INFO, 1, 0, OFF
        answers "affinity-info: level 1 is that of both, and one is on", PSCI_AFFINITY_INFO, 1, 1, ON
        answers "affinity-info: there is no level 4", PSCI_AFFINITY_INFO, 0, 4, INVALID_PARAMS
        answers "affinity-info: there is no such CPU", PSCI_AFFINITY_INFO, 0x70000, 0, INVALID_PARAMS
        answers "affinity-info: bit 31 is no part of an affinity", PSCI_AFFINITY_INFO, 0x80000000, 0, INVALID_PARAMS
        answers "cpu-on: the caller is on", PSCI_CPU_ON, 0, 0x40080000, ALREADY_ON
        answers "cpu-on: there is no such CPU", PSCI_CPU_ON, 0x70000, 0x40080000, INVALID_PARAMS
        answers "cpu-on: bit 31 is no part of an affinity", PSCI_CPU_ON, 0x80000001, 0x40080000, INVALID_PARAMS

        mov     x1, #1
        adr     x2, leaver
        bl      start_cpu
        expect  "cpu-on: starts CPU 1", x0, 0
1:      yield
        mov     x1, #1
        mov     x2, #0
        call_psci PSCI_AFFINITY_INFO
        cbz     x0, 1b
        expect  "cpu-off: CPU 1 is off again", x0, OFF

        // All but CPU 1 want to be the one who turns it on.
        mov     x24, #2
2:      cmp     x24, x25
        b.hs    3f
        mov     x1, x24
        adr     x2, racer
        bl      start_cpu
        add     x24, x24, #1
        b       2b
3:      mov     x0, #2
        bl      await_ready
        adr     x0, go
        mov     w1, #1
        str     w1, [x0]
        dsb     sy
        bl      race
        mov     x24, #0                 // CPU
        mov     x23, #0                 // how many turned it on
        mov     x22, #0                 // how many were told that it is
4:      cmp     x24, #1
        b.eq    6f
        box     x0, x24
5:      yield
        ldr     x1, [x0, #READY]
        cmp     x1, #2
        b.ne    5b
        ldr     x1, [x0, #ANSWER]
        cmp     x1, #0
        cinc    x23, x23, eq
        cmn     x1, #4
        cinc    x22, x22, eq
6:      add     x24, x24, #1
        cmp     x24, x25
        b.lo    4b
        expect  "cpu-on: of many callers one has turned it on", x23, 1
        add     x22, x22, #2
        sub     x22, x22, x25
        expect  "cpu-on: the others find it on", x22, 0
        answers "affinity-info: CPU 1 is on", PSCI_AFFINITY_INFO, 1, 0, ON
        b       finish

go:     .word   0
        .ltorg
