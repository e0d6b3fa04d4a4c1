/** What docs/constrained-unpredictable.md says is what happens, in both tiers: a test for each of its rows. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BareCore } from '../bare-core.ts'
import { DATA, NO_EXCEPTION, SYNCHRONOUS, bareProgram } from './bare-program.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The first column of the table. */
const rows = readFileSync(join(ROOT, 'docs/constrained-unpredictable.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|')[1]?.trim() ?? '')
  .slice(2)

type Registers = Readonly<Record<number, bigint>>
interface Case {
  /** X1 points to two doublewords, 11 and 22; X3 is 33. */
  readonly code: string
  /** Registers afterwards. */
  readonly is: Registers
  /** Inputs that are high from the start. */
  readonly pending?: readonly ('irq' | 'fiq')[]
  readonly serror?: true
}

const UNDEFINED: Registers = { 20: SYNCHRONOUS, 21: 0x200_0000n }
const undefinedWord = (word: string): Case => ({ code: `.inst ${word}`, is: UNDEFINED })

/** Watches bytes of the first doubleword, by DBGWCR0_EL1. */
const watching = (control: string, access: string): string => `
  msr dbgwvr0_el1, x1
  ldr x9, =${control}
  msr dbgwcr0_el1, x9
  mov x9, #(1 << 15 | 1 << 13)
  msr mdscr_el1, x9
  msr daifclr, #8
  isb
  ${access}`

/** Memory at DATA + 2 GiB as well, by a block of the second entry of a table. */
const ALIAS = 0x4000_0000
const aliased = (code: string): string => `
  ldr x9, =${DATA + 0x1000}
  ldr x10, =0x40000701
  stp x10, x10, [x9, #8]
  msr ttbr0_el1, x9
  mov x10, #0xff
  msr mair_el1, x10
  ldr x10, =${25 + 2 ** 23}
  msr tcr_el1, x10
  isb
  mrs x10, sctlr_el1
  orr x10, x10, #1
  msr sctlr_el1, x10
  isb
  ldr x11, =${ALIAS}
  add x11, x11, x1
  ${code}`

/** By row; a path leads to the tests that have it. */
const CASES: Readonly<Record<string, readonly Case[] | string>> = {
  'LDP, LDNP, LDPSW, LDXP with both registers the same': [
    { code: '.inst 0xa9400822 // ldp x2, x2, [x1]', is: { 2: 22n } },
    { code: '.inst 0xc87f0822 // ldxp x2, x2, [x1]', is: { 2: 22n } },
    { code: '.inst 0x69400822 // ldpsw x2, x2, [x1]', is: { 2: 0n } },
  ],
  'load with write-back of a register that is loaded as well': [
    { code: '.inst 0xf8408421 // ldr x1, [x1], #8', is: { 1: 11n } },
    { code: '.inst 0xf8408c21 // ldr x1, [x1, #8]!', is: { 1: 22n } },
  ],
  'store with write-back of the register that is stored': [
    {
      code: 'mov x4, x1\n.inst 0xf8008421 // str x1, [x1], #8\nldr x2, [x4]',
      is: { 1: BigInt(DATA + 8), 2: BigInt(DATA) },
    },
  ],
  'STXR, STXP whose status register is the data or the base register': [
    { code: 'ldxr x2, [x1]\nmov x2, #44\n.inst 0xc8027c22 // stxr w2, x2, [x1]\nldr x4, [x1]', is: { 2: 0n, 4: 44n } },
    { code: 'mov x5, x1\nldxr x2, [x1]\n.inst 0xc8017c23 // stxr w1, x3, [x1]\nldr x4, [x5]', is: { 1: 0n, 4: 33n } },
  ],
  'store exclusive to another address or of another size than the load exclusive': [
    { code: 'add x5, x1, #16\nldxr x2, [x1]\nstxr w4, x3, [x5]', is: { 4: 1n } },
    { code: 'ldxr x2, [x1]\nstxr w4, w3, [x1]', is: { 4: 1n } },
  ],
  'LSE atomics, stores, cache maintenance between a load and a store exclusive': [
    { code: 'ldxr x2, [x1]\nstr x3, [x1]\nstxr w4, x3, [x1]', is: { 4: 0n } },
    { code: 'ldxr x2, [x1]\nldadd x3, x5, [x1]\nstxr w4, x3, [x1]', is: { 4: 0n } },
    { code: 'ldxr x2, [x1]\ndc civac, x1\nstxr w4, x3, [x1]', is: { 4: 0n } },
    { code: 'ldxr x2, [x1]\nclrex\nstxr w4, x3, [x1]', is: { 4: 1n } },
    {
      code: 'adr x5, 1f\nmsr elr_el1, x5\nmov x5, #0x3c5\nmsr spsr_el1, x5\nldxr x2, [x1]\neret\n1: stxr w4, x3, [x1]',
      is: { 4: 1n },
    },
  ],
  'CAS and CASP whose comparison fails': 'src/testing/system/snippets.ts',
  'fields that should be ones or zeros and are not: LDXR, STXR, LDAR, STLR, LDXP': [
    { code: '.inst 0xc8407c22 // ldxr x2, [x1]', is: { 2: 11n } },
    { code: '.inst 0xc8c0fc22 // ldar x2, [x1]', is: { 2: 11n } },
    { code: '.inst 0xc8809c23 // stlr x3, [x1]\nldr x2, [x1]', is: { 2: 33n } },
    { code: '.inst 0xc8600822 // ldxp x2, x2, [x1]', is: { 2: 22n } },
  ],
  'the same of SMULH, UMULH, CFINV, XAFLAG, AXFLAG, and of PACxZx and the like': [
    undefinedWord('0x9b400062 // smulh x2, x3, x0'),
    undefinedWord('0x9bc00062 // umulh x2, x3, x0'),
    undefinedWord('0xd500411f // cfinv'),
    undefinedWord('0xd500413f // xaflag'),
    undefinedWord('0xdac12002 // paciza x2'),
  ],
  'MSR (immediate) to SPSel, PAN, UAO, DIT, SSBS with an immediate above 1': [
    {
      code: '.inst 0xd50042bf // msr spsel, #2\nmrs x2, spsel\n.inst 0xd50043bf // msr spsel, #3\nmrs x4, spsel',
      is: { 2: 0n, 4: 1n },
    },
    {
      code: '.inst 0xd500439f // msr pan, #3\nmrs x2, pan\n.inst 0xd500429f // msr pan, #2\nmrs x4, pan',
      is: { 2: 1n << 22n, 4: 0n },
    },
    { code: '.inst 0xd5034f5f // msr dit, #15\nmrs x2, dit', is: { 2: 1n << 24n } },
  ],
  'MSR (immediate) to a field that is not there; SYS and SYSL without a meaning': [
    undefinedWord('0xd501401f'),
    undefinedWord('0xd508701f // sys #0, c7, c0, #0'),
    undefinedWord('0xd5287002 // sysl x2, #0, c7, c0, #0'),
  ],
  'HLT, DCPS, DRPS outside Debug state with halting disallowed': [
    undefinedWord('0xd4400000 // hlt #0'),
    undefinedWord('0xd4a00001 // dcps1'),
    undefinedWord('0xd6bf03e0 // drps'),
  ],
  'ERET to a state that there is not, AArch32 included': 'src/testing/system/snippets.ts',
  'TCR_EL1.TnSZ below 16, or above 39 (48, or 47 with 64 KiB granules, where FEAT_TTST is)':
    'src/engine/cpu/mmu/walk.test.ts',
  'TCR_EL1.TGn reserved, or 16 KiB on a CPU without it': 'src/engine/cpu/mmu/walk.test.ts',
  'TCR_EL1.IPS above what ID_AA64MMFR0_EL1.PARange says': 'src/engine/cpu/mmu/walk.test.ts',
  'the contiguous bit, whatever the entries around it say': 'src/engine/cpu/mmu/walk.test.ts',
  'descriptors changed without break-before-make': [
    {
      code: aliased(
        `ldr x2, [x11]\nstr xzr, [x9, #16]\ndsb sy\nldr x3, [x11]\nmov x4, #1\ntlbi vmalle1\ndsb sy\nisb\nldr x5, [x11]`,
      ),
      is: { 2: 11n, 3: 11n, 4: 1n, 20: SYNCHRONOUS, 21: 0x9600_0005n, 22: BigInt(DATA + ALIAS) },
    },
  ],
  'AT with FEAT_HAFDBS': 'src/engine/cpu/mmu/walk.test.ts',
  'memory types that MAIR_EL1 has reserved (0b0000xxxx)': 'src/engine/cpu/mmu/walk.test.ts',
  'the values of DBGWCR.BAS that are not a run of ones': [
    { code: watching('0x13f', 'ldrb w2, [x1, #1]'), is: { 20: SYNCHRONOUS, 21: (0x35n << 26n) | 0x200_0022n } },
    { code: watching('0x13f', 'ldrb w2, [x1, #4]'), is: { 20: NO_EXCEPTION } },
  ],
  'DBGWCR.MASK 1 and 2': [
    { code: watching('0x01001fff', 'ldr x2, [x1, #8]'), is: { 20: NO_EXCEPTION } },
    { code: watching('0x02001fff', 'ldr x2, [x1]'), is: { 20: SYNCHRONOUS } },
  ],
  'a breakpoint linked to one that compares no context': [
    {
      code: `
        adr x9, 1f
        msr dbgbvr0_el1, x9
        ldr x9, =0x1501e7
        msr dbgbcr0_el1, x9
        mov x9, #(1 << 15 | 1 << 13)
        msr mdscr_el1, x9
        msr daifclr, #8
        isb
        1: mov x2, #1`,
      is: { 2: 1n, 20: NO_EXCEPTION },
    },
  ],
  'PMSELR_EL0 or PMEVTYPER numbers above the counters there are': [
    {
      code: 'mov x9, #20\nmsr pmselr_el0, x9\nmsr pmxevcntr_el0, x3\nmrs x2, pmxevcntr_el0',
      is: { 2: 0n, 20: NO_EXCEPTION },
    },
  ],
  'SPSR_EL1.BTYPE of what is not an interrupt, a step, BRK or an abort of a fetch': [
    { code: 'adr x9, 1f\nblr x9\n1: svc #0', is: { 20: SYNCHRONOUS, 23: 0x3c5n } },
  ],
  'several interrupts pending': [
    { code: 'msr daifclr, #7', is: { 20: 0x300n }, pending: ['irq', 'fiq'], serror: true },
    { code: 'msr daifclr, #6', is: { 20: 0x280n }, pending: ['irq', 'fiq'], serror: true },
    { code: 'msr daifclr, #4', is: { 20: 0x380n }, pending: ['irq', 'fiq'], serror: true },
  ],
}

describe('what is CONSTRAINED UNPREDICTABLE', () => {
  it('is tested as far as it is listed', () => {
    expect(Object.keys(CASES)).toEqual(rows)
    const elsewhere = Object.values(CASES).filter((there) => typeof there === 'string')
    expect(elsewhere.filter((there) => !existsSync(join(ROOT, there)))).toEqual([])
  })

  const listed = Object.entries(CASES).flatMap(([name, cases]) =>
    typeof cases === 'string' ? [] : cases.map((one, i) => ({ name, i, ...one })),
  )
  const tiers = [new BareCore('max'), new BareCore('max', true)]

  it.each(listed)('is as the table says: $name ($i)', ({ code, is, pending = [], serror }) => {
    for (const machine of tiers) {
      machine.load(bareProgram(`ldr x1, =${DATA}\nmov x2, #11\nmov x3, #22\nstp x2, x3, [x1]\nmov x3, #33\n${code}`))
      for (const input of pending) machine.core.setInput(machine.cpu, input, true)
      if (serror === true) machine.core.setSError(machine.cpu, 0)
      const x = machine.run()
      for (const input of pending) machine.core.setInput(machine.cpu, input, false)
      expect(Object.fromEntries(Object.keys(is).map((n) => [n, x[Number(n)]]))).toEqual(is)
    }
  })
})
