/** The registers of EL1 and EL0 that control execution, translation and exceptions (Arm ARM D24.2, C5.2). */
import { constant, ignored, special, stored } from './sysreg.ts'
import type { SysregRow } from './sysreg.ts'

/** SCTLR_EL1.UMA: EL0 may have access to DAIF. */
const UMA = 9
/** Bits of SCTLR_EL1 that are one in Armv8.0. */
const SCTLR_RES1 = (1n << 29n) | (1n << 28n) | (1n << 23n) | (1n << 22n) | (1n << 20n) | (1n << 11n)
const WORD = 0xffff_ffffn

export const el1: readonly SysregRow[] = [
  stored('SCTLR_EL1', [3, 0, 1, 0, 0], { reset: SCTLR_RES1, mask: WORD & ~SCTLR_RES1, retranslate: true }),
  ignored('ACTLR_EL1', [3, 0, 1, 0, 1]),
  special('CPACR_EL1', [3, 0, 1, 0, 2]),
  stored('TTBR0_EL1', [3, 0, 2, 0, 0], { retranslate: true }),
  stored('TTBR1_EL1', [3, 0, 2, 0, 1], { retranslate: true }),
  stored('TCR_EL1', [3, 0, 2, 0, 2], { mask: (1n << 39n) - 1n, retranslate: true }),
  stored('SPSR_EL1', [3, 0, 4, 0, 0], { mask: WORD }),
  stored('ELR_EL1', [3, 0, 4, 0, 1]),
  special('SP_EL0', [3, 0, 4, 1, 0]),
  special('SPSel', [3, 0, 4, 2, 0]),
  special('CurrentEL', [3, 0, 4, 2, 2], { readOnly: true }),
  ignored('AFSR0_EL1', [3, 0, 5, 1, 0]),
  ignored('AFSR1_EL1', [3, 0, 5, 1, 1]),
  stored('ESR_EL1', [3, 0, 5, 2, 0], { mask: WORD }),
  stored('FAR_EL1', [3, 0, 6, 0, 0]),
  stored('PAR_EL1', [3, 0, 7, 4, 0]),
  stored('MAIR_EL1', [3, 0, 10, 2, 0], { retranslate: true }),
  ignored('AMAIR_EL1', [3, 0, 10, 3, 0]),
  stored('VBAR_EL1', [3, 0, 12, 0, 0], { mask: ~0x7ffn & 0xffff_ffff_ffff_ffffn }),
  constant('RVBAR_EL1', [3, 0, 12, 0, 1], 0n),
  special('ISR_EL1', [3, 0, 12, 1, 0], { readOnly: true }),
  stored('CONTEXTIDR_EL1', [3, 0, 13, 0, 1], { mask: WORD }),
  stored('TPIDR_EL1', [3, 0, 13, 0, 4]),
  stored('TPIDR_EL0', [3, 3, 13, 0, 2]),
  stored('TPIDRRO_EL0', [3, 3, 13, 0, 3], { write: 1 }),
  special('NZCV', [3, 3, 4, 2, 0]),
  special('DAIF', [3, 3, 4, 2, 1], { el0Control: UMA }),
  special('FPCR', [3, 3, 4, 4, 0]),
  special('FPSR', [3, 3, 4, 4, 1]),
]

/** Numbers of breakpoints and watchpoints, as ID_AA64DFR0_EL1 tells them. */
const BREAKPOINTS = 6
const WATCHPOINTS = 4

const each = (count: number, make: (n: number) => SysregRow): SysregRow[] => Array.from({ length: count }, (_, n) => make(n))

/** Self-hosted debug: what is written is kept, and nothing is watched (Arm ARM D24.3). */
export const debug: readonly SysregRow[] = [
  ...each(BREAKPOINTS, (n) => stored(`DBGBVR${n}_EL1`, [2, 0, 0, n, 4])),
  ...each(BREAKPOINTS, (n) => stored(`DBGBCR${n}_EL1`, [2, 0, 0, n, 5], { mask: WORD })),
  ...each(WATCHPOINTS, (n) => stored(`DBGWVR${n}_EL1`, [2, 0, 0, n, 6])),
  ...each(WATCHPOINTS, (n) => stored(`DBGWCR${n}_EL1`, [2, 0, 0, n, 7], { mask: WORD })),
  ignored('MDCCINT_EL1', [2, 0, 0, 2, 0]),
  stored('MDSCR_EL1', [2, 0, 0, 2, 2], { mask: WORD }),
  constant('MDRAR_EL1', [2, 0, 1, 0, 0], 0n),
  ignored('OSLAR_EL1', [2, 0, 1, 0, 4]),
  // The OS lock is implemented and, as after KVM's reset, open.
  constant('OSLSR_EL1', [2, 0, 1, 1, 4], 1n << 3n),
  ignored('OSDLR_EL1', [2, 0, 1, 3, 4]),
  ignored('DBGPRCR_EL1', [2, 0, 1, 4, 4]),
  ignored('DBGCLAIMSET_EL1', [2, 0, 7, 8, 6]),
  ignored('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6]),
  constant('DBGAUTHSTATUS_EL1', [2, 0, 7, 14, 6], 0n),
  constant('MDCCSR_EL0', [2, 3, 0, 1, 0], 0n),
]
