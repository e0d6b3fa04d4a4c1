/** What is compared: faults of every kind, traps, illegal states, debug, address translation. */
import type { Snippet } from './probe.ts'
import { el0, el1 } from './snippet-levels.ts'
import { TRANSLATION } from './snippets-translation.ts'

export const BASE: readonly Snippet[] = [
  ...TRANSLATION,
  el1('udf', '.inst 0'),
  el1('hlt', 'hlt #1'),
  el1('brk', 'brk #0x1234'),
  el1('svc', 'svc #0xabcd'),
  el1('dcps1', 'dcps1'),
  el1('unallocated', '.inst 0xffffffff'),
  el1('write to MIDR_EL1', '.inst 0xd5180000'),
  el1('EL2 register', 'mrs x0, hcr_el2'),
  el1('EL3 register', '.inst 0xd53e1100'),
  el1('unallocated register', 'mrs x0, s3_0_c15_c3_4'),
  el1('ID space', 'mrs x0, s3_0_c0_c7_7'),
  el1('SP_EL0 while it is selected', 'msr spsel, #0\nmrs x0, sp_el0\nmsr spsel, #1'),
  el1('misaligned SP, load', 'sub sp, sp, #8\nldr x0, [sp]'),
  el1('misaligned SP, store with writeback', 'sub sp, sp, #4\nstr x0, [sp, #-16]!'),
  el1('misaligned SP, pair', 'add sp, sp, #1\nldp x0, x1, [sp], #16'),
  el1('misaligned SP, prefetch', 'sub sp, sp, #8\nprfm pldl1keep, [sp]'),
  el1(
    'misaligned SP, not checked',
    'mrs x9, sctlr_el1\nbic x9, x9, #8\nmsr sctlr_el1, x9\nisb\nsub sp, sp, #8\nstr x9, [sp]\nldr x0, [sp]',
  ),
  el1('misaligned PC', 'adr x9, after_none + 2\nbr x9\nafter_none:'),
  el1('misaligned PC by RET', 'ldr x30, =el1_exec + 1\nret'),
  el1('fetch from nowhere', 'ldr x9, =invalid\nblr x9'),
  el1('fetch from PXN', 'ldr x9, =el1_rw\nbr x9'),
  el1('fetch from a page for EL0', 'ldr x9, =el0_exec\nblr x9'),
  el1('fetch from an executable page', 'ldr x9, =el1_exec + 0x800\nblr x9\nmov x0, #5'),
  el1('fetch from no AF', 'ldr x9, =no_af\nbr x9'),
  el1('fetch beyond the address size', 'ldr x9, =wild\nbr x9'),
  el1('fetch outside the address space', 'mov x9, #0x100000000000000\nbr x9'),
  el1(
    'fetch from a tagged address',
    'ldr x9, =el1_exec + 0x800\nmov x10, #0x5a\nbfi x9, x10, #56, #8\nblr x9\nmov x0, #6',
  ),
  el1('across the end of a page into an invalid one', 'ldr x9, =invalid - 4\nldr x0, [x9]'),
  el1('across the end of a page into an invalid one, store', 'ldr x9, =invalid - 1\nstrh w9, [x9]'),
  el1('across the end of a page into a read-only one', 'ldr x9, =el1_ro - 4\nstr x9, [x9]'),
  el1('across the end of a page, pair', 'ldr x9, =invalid - 8\nldp x0, x1, [x9]'),
  el1('across two good pages', 'ldr x9, =el1_ro - 4\nldr x0, [x9]'),
  ...[
    'ldxr x0, [x9]',
    'ldaxr w0, [x9]',
    'stxr w1, x0, [x9]',
    'ldar x0, [x9]',
    'stlr w0, [x9]',
    'ldxrh w0, [x9]',
    'ldxp x0, x1, [x9]',
    'stlxp w2, w0, w1, [x9]',
  ].map((access) => el1(`misaligned ${access}`, `ldr x9, =data + 0x101\n${access}`)),
  ...[
    'ldr x0, [x9]',
    'str w0, [x9]',
    'ldrh w0, [x9]',
    'ldrb w0, [x9]',
    'ldp w0, w1, [x9]',
    'ldr q0, [x9]',
    'ld1 {v0.16b}, [x9]',
    'ld1 {v0.8h, v1.8h}, [x9]',
    'ld1 {v0.4s}, [x9]',
    'st1 {v0.2d, v1.2d}, [x9], #32',
    'st1 {v0.4h-v3.4h}, [x9]',
    'ld3 {v0.4s-v2.4s}, [x9]',
    'ld2 {v0.8b, v1.8b}, [x9]',
    'ld1 {v0.s}[1], [x9]',
    'ld4r {v0.4h-v3.4h}, [x9]',
  ].map((access) =>
    el1(
      `SCTLR_EL1.A, ${access}`,
      `mrs x9, sctlr_el1\norr x9, x9, #2\nmsr sctlr_el1, x9\nisb\nldr x9, =data + 0x102\n${access}`,
    ),
  ),
  el1('FP trapped', 'msr cpacr_el1, xzr\nisb\nfmov d0, x0'),
  el1('FP not trapped', 'mov x9, #(3 << 20)\nmsr cpacr_el1, x9\nisb\nfmov d0, x9\nfmov x0, d0'),
  el1('ERET to EL2', 'mov x9, #0x3c9\nmsr spsr_el1, x9\nadr x10, 1f\nmsr elr_el1, x10\neret\n1: nop'),
  el1('ERET to AArch32 at EL1', 'mov x9, #0x1d3\nmsr spsr_el1, x9\nadr x10, 1f\nmsr elr_el1, x10\neret\n1: nop'),
  el1('ERET to EL0 with SP_EL1', 'mov x9, #0x3c1\nmsr spsr_el1, x9\nadr x10, 1f\nmsr elr_el1, x10\neret\n1: nop'),
  el1(
    'ERET with IL',
    'mov x9, #0x3c5\norr x9, x9, #(1 << 20)\nmsr spsr_el1, x9\nadr x10, 1f\nmsr elr_el1, x10\neret\n1: nop',
  ),
  el1(
    'flags through an exception',
    'ldr x9, =0xf00003c5\nmsr spsr_el1, x9\nadr x10, 1f\nmsr elr_el1, x10\neret\n1: brk #1',
  ),
  el1('EL1t', 'msr spsel, #0\nbrk #2'),
  el1('DC IVAC of a read-only page', 'ldr x9, =el1_ro\ndc ivac, x9'),
  el1('DC CVAC of an invalid page', 'ldr x9, =invalid\ndc cvac, x9'),
  el1('IC IVAU of an invalid page', 'ldr x9, =invalid\nic ivau, x9'),
  el1('DC ZVA of a read-only page', 'ldr x9, =el1_ro + 0x70\ndc zva, x9'),
  el1('exclusive store without a load', 'clrex\nldr x9, =data + 0x100\nmov x1, #7\nstxr w0, x1, [x9]'),
  el1('DAIF', 'msr daifclr, #15\nmrs x0, daif\nmsr daifset, #5\nmrs x1, daif'),
  el1('CurrentEL', 'mrs x0, currentel\nmrs x1, spsel'),
  el1(
    'software step',
    `
  adr x9, 1f
  mov x10, #0x1c5
  orr x10, x10, #(1 << 21)
  mov x11, #(1 | 1 << 13)
  msr mdscr_el1, x11
  isb
  msr elr_el1, x9
  msr spsr_el1, x10
  eret
1: mov x0, #1
  mov x0, #2
  mov x0, #3`,
  ),
  el1(
    'software step of a load exclusive',
    `
  ldr x12, =data
  adr x9, 1f
  mov x10, #0x1c5
  orr x10, x10, #(1 << 21)
  mov x11, #(1 | 1 << 13)
  msr mdscr_el1, x11
  isb
  msr elr_el1, x9
  msr spsr_el1, x10
  eret
1: ldxr x0, [x12]
  mov x0, #2`,
  ),
  el1(
    'software step of an SVC',
    `
  adr x9, 1f
  mov x10, #0x1c5
  orr x10, x10, #(1 << 21)
  mov x11, #(1 | 1 << 13)
  msr mdscr_el1, x11
  isb
  msr elr_el1, x9
  msr spsr_el1, x10
  eret
1: svc #3
  mov x0, #2`,
  ),
  el1(
    'software step with SS clear',
    `
  adr x9, 1f
  mov x10, #0x1c5
  mov x11, #(1 | 1 << 13)
  msr mdscr_el1, x11
  isb
  msr elr_el1, x9
  msr spsr_el1, x10
  eret
1: mov x0, #1`,
  ),
  el1(
    'breakpoint',
    `
  adr x9, 1f
  msr dbgbvr0_el1, x9
  mov x10, #0x1e3
  msr dbgbcr0_el1, x10
  mov x11, #(1 << 15 | 1 << 13)
  msr mdscr_el1, x11
  msr daifclr, #8
  isb
  mov x0, #1
1: mov x0, #2`,
  ),
  el1(
    'breakpoint for EL0 only',
    `
  adr x9, 1f
  msr dbgbvr0_el1, x9
  mov x10, #0x1e5
  msr dbgbcr0_el1, x10
  mov x11, #(1 << 15 | 1 << 13)
  msr mdscr_el1, x11
  msr daifclr, #8
  isb
1: mov x0, #2`,
  ),
  ...(
    [
      ['a load', 0x1fef, 'ldr x0, [x9]'],
      ['a store', 0x1ff7, 'str x0, [x9]'],
      ['a store, watched for loads', 0x1fef, 'str x0, [x9]'],
      ['a byte that is not selected', 0x03f, 'ldrb w0, [x9, #7]'],
      ['a pair that touches it', 0x1fff, 'ldp x0, x1, [x9, #-8]'],
    ] as const
  ).map(([name, control, access]) =>
    el1(
      `watchpoint, ${name}`,
      `
  ldr x9, =data + 0x200
  msr dbgwvr0_el1, x9
  mov x10, #${control}
  msr dbgwcr0_el1, x10
  mov x11, #(1 << 15 | 1 << 13)
  msr mdscr_el1, x11
  msr daifclr, #8
  isb
  ${access}
  msr daifset, #8`,
    ),
  ),
  el1('OS lock', 'mov x9, #1\nmsr oslar_el1, x9\nisb\nmrs x0, oslsr_el1\nmsr oslar_el1, xzr\nisb\nmrs x1, oslsr_el1'),
  el1(
    'PMU: software increments',
    `
  mov x9, #1
  msr pmevtyper0_el0, xzr
  msr pmevcntr0_el0, xzr
  msr pmcntenset_el0, x9
  mov x10, #0x41
  msr pmcr_el0, x10
  isb
  msr pmswinc_el0, x9
  msr pmswinc_el0, x9
  isb
  mrs x0, pmevcntr0_el0
  mrs x1, pmcntenset_el0
  msr pmcr_el0, xzr`,
  ),
  el1(
    'PMU: overflow',
    `
  mov x9, #1
  msr pmevtyper0_el0, xzr
  mov w10, #0xffffffff
  msr pmevcntr0_el0, x10
  msr pmcntenset_el0, x9
  mov x10, #0x41
  msr pmcr_el0, x10
  isb
  msr pmswinc_el0, x9
  isb
  mrs x0, pmevcntr0_el0
  mrs x1, pmovsclr_el0
  msr pmovsclr_el0, x1
  msr pmcr_el0, xzr`,
  ),
  el1(
    'PMSELR_EL0',
    'mov x9, #31\nmsr pmselr_el0, x9\nmov w10, #0x80000000\nmsr pmxevtyper_el0, x10\nisb\nmrs x0, pmccfiltr_el0\nmsr pmccfiltr_el0, xzr',
  ),
]

/** At EL0: what it may not do. */
export const USER: readonly Snippet[] = [
  el0('svc', 'nop'),
  ...[
    'mrs x0, sctlr_el1',
    'mrs x0, midr_el1',
    'mrs x0, id_aa64isar0_el1',
    'mrs x0, ctr_el0',
    'mrs x0, dczid_el0',
    'msr daifset, #1',
    'mrs x0, daif',
    'wfi',
    'ic ivau, x9',
    'dc civac, x9',
    'dc zva, x9',
    'mrs x0, cntvct_el0',
    'mrs x0, pmcr_el0',
    'mrs x0, pmccntr_el0',
    'msr pmswinc_el0, x0',
    'msr pmuserenr_el0, x0',
    'tlbi vmalle1',
    'at s1e1r, x9',
    'eret',
    'hvc #0',
    'brk #7',
    'mrs x0, nzcv',
    'mrs x0, currentel',
    'msr spsel, #1',
    'mrs x0, tpidrro_el0',
    'msr tpidrro_el0, x0',
    'mrs x0, s3_3_c15_c2_1',
    'ldr x0, [x11]',
    'ldtr x0, [x11]',
    'br x11',
    'sub sp, sp, #8\nldr x0, [sp]',
    'str x0, [x11]',
  ].map((code) => el0(code, code)),
]

/** What neither a Cortex-A57 nor a Cortex-A76 has: SVE, SME, MTE, and of later architectures. */
export const ABSENT: readonly Snippet[] = (
  [
    ['SVE: add z0.b, z0.b, z0.b', '0x04200000'],
    ['SVE: ptrue p0.b', '0x2518e3e0'],
    ['SVE: ldr z0, [x0]', '0x85804000'],
    ['SVE: rdvl x0, #1', '0x04bf5020'],
    ['SVE: mrs x0, zcr_el1', '0xd5381200'],
    ['SME: smstart', '0xd503477f'],
    ['SME: mrs x0, svcr', '0xd53b4240'],
    ['SME: zero {za}', '0xc00800ff'],
    ['MTE: irg x0, x1', '0x9adf1020'],
    ['MTE: addg x0, x1, #0, #0', '0x91800020'],
    ['MTE: subp x0, x1, x2', '0x9ac20020'],
    ['MTE: stg x0, [x1]', '0xd9200820'],
    ['MTE: ldg x0, [x1]', '0xd9600020'],
    ['MTE: mrs x0, tfsr_el1', '0xd5385600'],
    ['MTE: msr tco, #1', '0xd503419f'],
    ['BF16: bfdot v0.4s, v0.4s, v0.4s', '0x6e40fc00'],
    ['I8MM: smmla v0.4s, v0.16b, v0.16b', '0x4e80a400'],
    ['FlagM: cfinv', '0xd500401f'],
    ['JSCVT: fjcvtzs w0, d0', '0x1e7e0000'],
    ['FCMA: fcadd v0.4s, v0.4s, v0.4s, #90', '0x6e80e400'],
    ['PAuth: pacia x0, x1', '0xdac10020'],
    ['PAuth: braa x0, x1', '0xd71f0801'],
    ['SHA3: eor3 v0.16b, v0.16b, v0.16b, v0.16b', '0xce000000'],
    ['SM4: sm4e v0.4s, v0.4s', '0xcec08400'],
    ['RNG: mrs x0, rndr', '0xd53b2400'],
    ['DIT: mrs x0, dit', '0xd53b42a0'],
  ] as const
).map(([name, word]) => el1(name, `.inst ${word}`))

/** Steps over one instruction, a branch to the label 2. */
const steppedBranch = (branch: string): string => `
  adr x9, 2f
  mov x16, x9
  adr x10, 1f
  mov x11, #0x1c5
  orr x11, x11, #(1 << 21)
  mov x12, #(1 | 1 << 13)
  msr mdscr_el1, x12
  isb
  msr elr_el1, x10
  msr spsr_el1, x11
  eret
1: ${branch}
2: mov x0, #2`

/** What only `max` has. */
export const MAX: readonly Snippet[] = [
  el1('PAN, load', 'msr pan, #1\nldr x9, =el0_rw\nldr x0, [x9]'),
  el1('PAN, LDTR', 'msr pan, #1\nldr x9, =el0_rw\nldtr x0, [x9]\nmrs x1, pan'),
  el1('PAN, AT S1E1R', 'msr pan, #1\nldr x9, =el0_rw\nat s1e1r, x9\nisb\nmrs x0, par_el1\nmsr pan, #0'),
  el1('PAN, AT S1E1RP', 'msr pan, #1\nldr x9, =el0_rw\nat s1e1rp, x9\nisb\nmrs x0, par_el1\nmsr pan, #0'),
  el1('PAN by an exception', 'mrs x9, sctlr_el1\nbic x9, x9, #(1 << 23)\nmsr sctlr_el1, x9\nisb\nmsr pan, #0\nbrk #1'),
  el1('UAO', 'msr uao, #1\nldr x9, =el1_rw\nldtr x0, [x9]\nmrs x1, uao'),
  el1('DIT', 'msr dit, #1\nmrs x0, dit\nbrk #1'),
  el1('SSBS', 'msr ssbs, #1\nmrs x0, ssbs\nbrk #1'),
  ...['cas x0, x1, [x9]', 'casp x0, x1, x2, x3, [x9]'].map((access) =>
    el1(`${access} that fails, of a read-only page`, `ldr x9, =el1_ro\nmov x0, #0x77\n${access}`),
  ),
  ...['ldadd x0, x1, [x9]', 'casal w0, w1, [x9]', 'swph w0, w1, [x9]'].map((access) =>
    el1(`misaligned ${access}`, `ldr x9, =data + 0x10b\n${access}`),
  ),
  el1('BTI: BR X16 without a landing pad', 'ldr x16, =guarded + 0x800\nbr x16'),
  el1('BTI: BLR without a landing pad', 'ldr x9, =guarded + 0x800\nblr x9'),
  el1('BTI: BLR to BTI c', 'ldr x9, =guarded + 0x808\nblr x9\nmov x0, #7'),
  el1('BTI: BR to BTI c', 'ldr x9, =guarded + 0x808\nadr x30, 1f\nbr x9\n1: mov x0, #8'),
  el1('BTI: RET needs none', 'ldr x9, =guarded + 0x800\nadr x30, 1f\nret x9\n1: mov x0, #8'),
  el1(
    'BTI: ERET with BTYPE',
    'ldr x9, =guarded + 0x800\nmsr elr_el1, x9\nmov x10, #(0x3c5 | 2 << 10)\nmsr spsr_el1, x10\neret',
  ),
  ...['blr x9', 'br x9', 'br x16', 'ret x9'].map((branch) =>
    el1(`BTI: BTYPE between ${branch} and its target`, steppedBranch(branch)),
  ),
  el1('BTI: BLR to BRK', 'adr x9, 1f\nblr x9\n1: brk #3'),
  el1('BTI: BLR to an SVC', 'adr x9, 1f\nblr x9\n1: svc #3'),
  el1('BTI: BLR to an unallocated instruction', 'adr x9, 1f\nblr x9\n1: .inst 0'),
  el1('BTI: BLR to a load from nowhere', 'ldr x10, =invalid\nadr x9, 1f\nblr x9\n1: ldr x0, [x10]'),
  el1('BTI: BRK behind the target', 'adr x9, 1f\nblr x9\n1: nop\nbrk #3'),
  el1(
    'BTI: ERET with BTYPE to BRK',
    'adr x9, 1f\nmsr elr_el1, x9\nmov x10, #(0x3c5 | 1 << 10)\nmsr spsr_el1, x10\neret\n1: brk #4',
  ),
  el1(
    'hardware access flag',
    'mrs x9, tcr_el1\norr x10, x9, #(1 << 39)\nmsr tcr_el1, x10\nisb\nldr x11, =no_af\nldr x1, [x11]\nldr x11, =0x40202028\nldr x0, [x11]\nmsr tcr_el1, x9\nisb',
  ),
  el1(
    'hardware dirty state',
    'mrs x9, tcr_el1\norr x10, x9, #(3 << 39)\nmsr tcr_el1, x10\nisb\nldr x11, =clean\nldr x1, [x11]\nldr x12, =0x40202050\nldr x1, [x12]\nstr xzr, [x11]\nldr x0, [x12]\nmsr tcr_el1, x9\nisb',
  ),
  el1('RNDR', 'mrs x9, rndr\ncset x0, eq'),
]
