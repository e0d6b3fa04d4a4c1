/** A guest that makes the redistributor look at every LPI there is, in a loop: the machine answers as before. */
import { describe, expect, it } from 'vitest'
import { createVmm } from '../../engine/vmm/vmm.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { flatBinary } from '../flat-guest.ts'

const LPI_COUNT = 65536 - 8192
/** Virtual nanoseconds for each LPI of an access that looks at all of them: at least one look, and a few at most. */
const NS_EACH = { least: 50, most: 500 } as const
const SLICE_NS = 1e6
/** Far more than there are, so that a machine that goes on and on fails. */
const MOST_DOTS = 100
const TIMEOUT = 120_000

const SOURCE = `
        .equ    UART, 0x09000000
        .equ    GICR, 0x080a0000
        .equ    ITS, 0x08080000
        .equ    CONFIGURATION, 0x41000000
        .equ    DEVICES, 0x41020000
        .equ    COLLECTIONS, 0x41030000
        .equ    PENDING, 0x41100000
        .equ    RING, 0x41200000        // 1 MiB, 32768 commands
        .equ    ITT, 0x41400000

        ldr     x19, =GICR
        ldr     x20, =ITS
        ldr     x0, =CONFIGURATION
        orr     x0, x0, #15
        str     x0, [x19, #0x70]        // GICR_PROPBASER
        ldr     x0, =PENDING
        orr     x0, x0, #1 << 62
        str     x0, [x19, #0x78]        // GICR_PENDBASER
        mov     w0, #1
        str     w0, [x19]               // GICR_CTLR.EnableLPIs
        mov     x1, #1 << 63
        orr     x1, x1, #0x200          // pages of 64 KiB
        ldr     x0, =DEVICES
        orr     x0, x0, x1
        str     x0, [x20, #0x100]       // GITS_BASER0
        ldr     x0, =COLLECTIONS
        orr     x0, x0, x1
        str     x0, [x20, #0x108]       // GITS_BASER1
        ldr     x0, =RING
        orr     x0, x0, #255
        orr     x0, x0, #1 << 63
        str     x0, [x20, #0x80]        // GITS_CBASER
        str     xzr, [x20, #0x88]       // GITS_CWRITER
        mov     w0, #1
        str     w0, [x20]               // GITS_CTLR.Enabled
        mov     x21, xzr
        mov     x0, #0x09               // MAPC 0 to CPU 0
        mov     x1, xzr
        mov     x2, #1 << 63
        bl      put
        mov     x0, #0x08               // MAPD 0, EventIDs of 16 bits
        mov     x1, #15
        ldr     x2, =ITT
        orr     x2, x2, #1 << 63
        bl      put
        mov     x22, xzr
1:      mov     x0, #0x0a               // MAPTI, each event to the LPI that many after the first
        add     x1, x22, #8192
        orr     x1, x22, x1, lsl #32
        mov     x2, xzr
        bl      put
        tst     x21, #0x7fff
        b.ne    2f
        bl      ring
2:      add     x22, x22, #1
        ldr     x0, =${LPI_COUNT}
        cmp     x22, x0
        b.ne    1b
        bl      ring
        ldr     x23, =UART
        mov     w0, #'.'
3:      str     xzr, [x19, #0xb0]       // GICR_INVALLR
        str     w0, [x23]
        b       3b

// X0 to X2: a command, into the ring.
put:    ldr     x4, =RING
        add     x4, x4, x21
        stp     x0, x1, [x4]
        stp     x2, xzr, [x4, #16]
        add     x21, x21, #32
        and     x21, x21, #0xfffff
        ret

// Waits until the ITS has read them all.
ring:   dsb     sy
        str     x21, [x20, #0x88]
1:      ldr     x4, [x20, #0x90]
        cmp     x4, x21
        b.ne    1b
        ret
`

describe.each(['interpreter', 'translator'] as const)('under the %s', (engine) => {
  it('a run ends at most one such access late, however many it makes', { timeout: TIMEOUT }, () => {
    let dots = 0
    const guest = { id: 'own', append: '' } as const
    const made = createVmm({
      blueprint: { ...defaultBlueprint, base: '6.12', its: true, vcpus: 1, memory: 64 * 2 ** 20, guest },
      engine,
      guest: { kernel: flatBinary(SOURCE), append: '' },
      onConsole: (bytes) => {
        dots += bytes.length
        if (dots > MOST_DOTS) throw new Error('a run does not end')
      },
    })
    if (!made.ok) throw new Error(made.what)
    const { vmm } = made
    const ready = (): boolean => dots > 0
    for (let i = 0; i < 200 && !ready(); i++) vmm.run(SLICE_NS, SLICE_NS)
    expect(vmm.inspect().its[0]?.translationCount).toBe(LPI_COUNT)

    const start = vmm.now()
    const before = dots
    const lengths = Array.from({ length: 20 }, () => {
      const from = vmm.now()
      vmm.run(SLICE_NS, SLICE_NS)
      return vmm.now() - from
    })
    expect(Math.max(...lengths)).toBeLessThan(SLICE_NS + LPI_COUNT * NS_EACH.most)
    expect(dots - before).toBeGreaterThan(1)
    expect(dots - before).toBeLessThanOrEqual((vmm.now() - start) / (LPI_COUNT * NS_EACH.least) + 1)
  })
})
