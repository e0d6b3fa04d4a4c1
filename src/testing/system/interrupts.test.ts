/** What QEMU does not model or counts otherwise: Device memory, the PMU's instructions and its interrupt, SError. */
import { describe, expect, it } from 'vitest'
import { BareCore } from '../bare-core.ts'
import { DATA, NO_EXCEPTION, SYNCHRONOUS, bareProgram } from './bare-program.ts'

describe.each([false, true])('a CPU (translated: %s)', (translate) => {
  const machine = new BareCore('cortex-a57', translate)
  const run = (code: string): bigint[] => machine.load(bareProgram(code)).run()

  it.each([
    ['ldr x0, [x1, #1]', 0x9600_0021n],
    ['strh w0, [x1, #1]', 0x9600_0061n],
    ['add x1, x1, #4\n ldp x2, x3, [x1]', 0x9600_0021n],
    ['dc zva, x1', 0x9600_0061n],
  ])('takes memory for Device memory while translation is off: %s', (access, esr) => {
    const x = run(`ldr x1, =${DATA}\n${access}`)
    expect(x.slice(20, 22)).toEqual([SYNCHRONOUS, esr])
  })

  it('reads and writes Device memory that is aligned', () => {
    const x = run(`ldr x1, =${DATA}\nmov x2, #77\nstr x2, [x1, #8]\nldr x3, [x1, #8]\nldrb w4, [x1, #8]`)
    expect([x[3], x[4], x[20]]).toEqual([77n, 77n, NO_EXCEPTION])
  })

  const FP = 'mov x9, #(3 << 20)\nmsr cpacr_el1, x9\nisb'

  it.each([
    ['ld1 {v0.16b}, [x1]', NO_EXCEPTION],
    ['ld1 {v0.8h}, [x1]', NO_EXCEPTION],
    ['ld1 {v0.4s}, [x1]', SYNCHRONOUS],
    ['st1 {v0.1d}, [x1]', SYNCHRONOUS],
    ['st1 {v0.4h-v3.4h}, [x1], #32', NO_EXCEPTION],
    ['st2 {v0.4s, v1.4s}, [x1]', SYNCHRONOUS],
    ['ldr q0, [x1]', SYNCHRONOUS],
  ])('wants elements aligned in Device memory, whatever their number: %s', (access, vector) => {
    const x = run(`${FP}\nldr x1, =${DATA + 2}\n${access}`)
    expect(x[20]).toBe(vector)
  })

  const COUNT = (filter: string): string => `
    ldr x1, =0x80000000
    msr pmcntenset_el0, x1
    mov x2, #1
    msr pmcntenset_el0, x2
    mov x3, #8
    ${filter}
    msr pmevtyper0_el0, x3
    mov x4, #0x47
    msr pmcr_el0, x4
    mrs x5, pmccntr_el0
    mrs x6, pmevcntr0_el0
    mov x7, #1000
  1: subs x7, x7, #1
    b.ne 1b
    mrs x8, pmccntr_el0
    mrs x9, pmevcntr0_el0`

  it('counts an instruction as one and a cycle as one', () => {
    const x = run(COUNT(''))
    // From one read of a counter to the next: three instructions (of which one the read itself) and 1000 turns of two.
    expect((x[8] ?? 0n) - (x[5] ?? 0n)).toBe(2003n)
    expect((x[9] ?? 0n) - (x[6] ?? 0n)).toBe(2003n)
  })

  it('does not count at a level that the filter keeps out', () => {
    const x = run(COUNT('orr x3, x3, #0x80000000'))
    expect([x[6], x[9]]).toEqual([0n, 0n])
  })

  it('raises the overflow interrupt when the counter overflows, and lowers it when the flag is cleared', () => {
    machine.pmuLevels.length = 0
    const x = run(`
      mov x2, #1
      msr pmcntenset_el0, x2
      msr pmintenset_el1, x2
      mov x3, #8
      msr pmevtyper0_el0, x3
      ldr x3, =0xffffff00
      msr pmevcntr0_el0, x3
      mov x4, #0x41
      msr pmcr_el0, x4
      mov x7, #0
    1: add x7, x7, #1
      mrs x6, pmovsset_el0
      cbz x6, 1b
      msr pmovsclr_el0, x6`)
    expect(machine.pmuLevels).toEqual([true, false])
    // One instruction and three a turn, the last of which is not done at the read: 3n of them reach 256 in the 86th.
    expect(x[7]).toBe(86n)
  })

  it('ends the slice of a CPU where an overflow interrupts it', () => {
    machine.pmuLevels.length = 0
    machine.load(
      bareProgram(`
      ldr x2, =0x80000000
      msr pmcntenset_el0, x2
      msr pmintenset_el1, x2
      ldr x3, =0xfffff000
      msr pmccntr_el0, x3
      mov x4, #1
      msr pmcr_el0, x4
    1: b 1b`),
    )
    let executed = 0
    for (let i = 0; i < 50 && machine.pmuLevels.length === 0; i++)
      executed += machine.core.run(machine.cpu, 50_000).executed
    expect(machine.pmuLevels).toEqual([true])
    expect(executed).toBeGreaterThanOrEqual(0x1000)
    expect(executed).toBeLessThan(0x1000 + 16)
  })

  it('takes an SError interrupt once PSTATE.A lets it', () => {
    machine.load(bareProgram('mrs x1, isr_el1\nmsr daifclr, #4\nnop\nmov x2, #1'))
    machine.core.setSError(machine.cpu, 0x12_3456)
    const x = machine.run()
    expect(x[1]).toBe(1n << 8n)
    expect(x.slice(20, 22)).toEqual([0x380n, (0x2fn << 26n) | (1n << 25n) | 0x12_3456n])
    expect(x[2]).toBe(0n)
  })
})

/** The instruction at label 2 is what a branch at label 1 leads to, five instructions from the start. */
const branchTo = (branch: string): string => `
  adr x9, 2f
  mov x16, x9
  msr daifclr, #2
1: ${branch}
2: nop
  nop`

describe.each([false, true])('a CPU with BTI (translated: %s)', (translate) => {
  const machine = new BareCore('max', translate)
  const BTYPE = 10n
  const START = 3

  it.each([
    ['blr x9', 4, 2n],
    ['br x16', 4, 1n],
    // From a page that is not guarded.
    ['br x9', 4, 1n],
    ['ret x9', 4, 0n],
    ['blr x9', 5, 0n],
  ])('saves the BTYPE of %s in an interrupt %i instructions later', (branch, count, type) => {
    machine.load(bareProgram(branchTo(branch)))
    machine.core.run(machine.cpu, START + count)
    machine.core.setInput(machine.cpu, 'irq', true)
    const x = machine.run()
    machine.core.setInput(machine.cpu, 'irq', false)
    expect(x[20]).toBe(0x280n)
    expect(((x[23] ?? 0n) >> BTYPE) & 3n).toBe(type)
  })
})
