/** The generic timer's system registers at EL1 and EL0 (Arm ARM D24.10). */
import { sysregEncoding } from './encoding.ts'

export const TIMER = {
  CNTKCTL_EL1: sysregEncoding(3, 0, 14, 1, 0),
  CNTFRQ_EL0: sysregEncoding(3, 3, 14, 0, 0),
  CNTPCT_EL0: sysregEncoding(3, 3, 14, 0, 1),
  CNTVCT_EL0: sysregEncoding(3, 3, 14, 0, 2),
  CNTP_TVAL_EL0: sysregEncoding(3, 3, 14, 2, 0),
  CNTP_CTL_EL0: sysregEncoding(3, 3, 14, 2, 1),
  CNTP_CVAL_EL0: sysregEncoding(3, 3, 14, 2, 2),
  CNTV_TVAL_EL0: sysregEncoding(3, 3, 14, 3, 0),
  CNTV_CTL_EL0: sysregEncoding(3, 3, 14, 3, 1),
  CNTV_CVAL_EL0: sysregEncoding(3, 3, 14, 3, 2),
} as const

/** CNTP_CTL_EL0, CNTV_CTL_EL0. */
export const TIMER_CTL = { ENABLE: 1, IMASK: 2, ISTATUS: 4 } as const

/** CNTKCTL_EL1: what EL0 may do. */
export const CNTKCTL = { EL0PCTEN: 1, EL0VCTEN: 2, EL0VTEN: 0x100, EL0PTEN: 0x200 } as const
