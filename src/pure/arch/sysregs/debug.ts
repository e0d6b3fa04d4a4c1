/** Self-hosted debug (Arm ARM D2, D24.3). */
import { constant, ignored, special, stored } from './sysreg.ts'
import type { SysregRow } from './sysreg.ts'

/** Numbers of breakpoints and watchpoints, as ID_AA64DFR0_EL1 tells them. */
export const BREAKPOINTS = 6
export const WATCHPOINTS = 4

/** MDSCR_EL1: software step, debug exceptions at EL1 itself, breakpoints and watchpoints. */
export const MDSCR = { SS: 0n, KDE: 13n, MDE: 15n } as const
/** OSLSR_EL1: the OS lock is implemented; it is locked. */
export const OSLSR = { OSLM: 1n << 3n, OSLK: 1n << 1n } as const
const MDSCR_TDCC = 12n
const MDSCR_MASK = (1n << MDSCR.SS) | (1n << MDSCR_TDCC) | (1n << MDSCR.KDE) | (1n << MDSCR.MDE)
/** E, PMC, BAS, HMC, SSC, LBN, BT. */
const BCR_MASK = 0x00ff_e1e7n
/** E, PAC, LSC, BAS, HMC, SSC, LBN, WT, MASK. */
const WCR_MASK = 0x1f1f_ffffn
const WORD_ADDRESS = 0xffff_ffff_ffff_fffcn

const each = (count: number, make: (n: number) => SysregRow): SysregRow[] =>
  Array.from({ length: count }, (_, n) => make(n))

export const debug: readonly SysregRow[] = [
  ...each(BREAKPOINTS, (n) => stored(`DBGBVR${n}_EL1`, [2, 0, 0, n, 4], { mask: WORD_ADDRESS, retranslate: true })),
  ...each(BREAKPOINTS, (n) => stored(`DBGBCR${n}_EL1`, [2, 0, 0, n, 5], { mask: BCR_MASK, retranslate: true })),
  ...each(WATCHPOINTS, (n) => stored(`DBGWVR${n}_EL1`, [2, 0, 0, n, 6], { mask: WORD_ADDRESS, retranslate: true })),
  ...each(WATCHPOINTS, (n) => stored(`DBGWCR${n}_EL1`, [2, 0, 0, n, 7], { mask: WCR_MASK, retranslate: true })),
  ignored('MDCCINT_EL1', [2, 0, 0, 2, 0]),
  stored('MDSCR_EL1', [2, 0, 0, 2, 2], { mask: MDSCR_MASK, retranslate: true }),
  constant('MDRAR_EL1', [2, 0, 1, 0, 0], 0n),
  special('OSLAR_EL1', [2, 0, 1, 0, 4], { writeOnly: true }),
  // The OS lock is implemented and, as after KVM's reset, open; OSLAR_EL1 alone changes it.
  { ...stored('OSLSR_EL1', [2, 0, 1, 1, 4], { reset: OSLSR.OSLM, mask: OSLSR.OSLK }), write: undefined },
  ignored('OSDLR_EL1', [2, 0, 1, 3, 4]),
  ignored('DBGPRCR_EL1', [2, 0, 1, 4, 4]),
  ignored('DBGCLAIMSET_EL1', [2, 0, 7, 8, 6]),
  ignored('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6]),
  constant('DBGAUTHSTATUS_EL1', [2, 0, 7, 14, 6], 0n),
  constant('MDCCSR_EL0', [2, 3, 0, 1, 0], 0n),
]
