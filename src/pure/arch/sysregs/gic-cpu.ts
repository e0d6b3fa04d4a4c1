/** The GIC CPU interface's system registers at EL1 (GIC architecture IHI 0069, 12.2). */
import { sysregEncoding } from './encoding.ts'

export const ICC = {
  ICC_PMR_EL1: sysregEncoding(3, 0, 4, 6, 0),
  ICC_IAR0_EL1: sysregEncoding(3, 0, 12, 8, 0),
  ICC_EOIR0_EL1: sysregEncoding(3, 0, 12, 8, 1),
  ICC_HPPIR0_EL1: sysregEncoding(3, 0, 12, 8, 2),
  ICC_BPR0_EL1: sysregEncoding(3, 0, 12, 8, 3),
  ICC_AP0R0_EL1: sysregEncoding(3, 0, 12, 8, 4),
  ICC_AP0R1_EL1: sysregEncoding(3, 0, 12, 8, 5),
  ICC_AP0R2_EL1: sysregEncoding(3, 0, 12, 8, 6),
  ICC_AP0R3_EL1: sysregEncoding(3, 0, 12, 8, 7),
  ICC_AP1R0_EL1: sysregEncoding(3, 0, 12, 9, 0),
  ICC_AP1R1_EL1: sysregEncoding(3, 0, 12, 9, 1),
  ICC_AP1R2_EL1: sysregEncoding(3, 0, 12, 9, 2),
  ICC_AP1R3_EL1: sysregEncoding(3, 0, 12, 9, 3),
  ICC_DIR_EL1: sysregEncoding(3, 0, 12, 11, 1),
  ICC_RPR_EL1: sysregEncoding(3, 0, 12, 11, 3),
  ICC_SGI1R_EL1: sysregEncoding(3, 0, 12, 11, 5),
  ICC_ASGI1R_EL1: sysregEncoding(3, 0, 12, 11, 6),
  ICC_SGI0R_EL1: sysregEncoding(3, 0, 12, 11, 7),
  ICC_IAR1_EL1: sysregEncoding(3, 0, 12, 12, 0),
  ICC_EOIR1_EL1: sysregEncoding(3, 0, 12, 12, 1),
  ICC_HPPIR1_EL1: sysregEncoding(3, 0, 12, 12, 2),
  ICC_BPR1_EL1: sysregEncoding(3, 0, 12, 12, 3),
  ICC_CTLR_EL1: sysregEncoding(3, 0, 12, 12, 4),
  ICC_SRE_EL1: sysregEncoding(3, 0, 12, 12, 5),
  ICC_IGRPEN0_EL1: sysregEncoding(3, 0, 12, 12, 6),
  ICC_IGRPEN1_EL1: sysregEncoding(3, 0, 12, 12, 7),
} as const

export type IccName = keyof typeof ICC

/** What sends SGIs. */
export const SGI_REGISTERS = ['ICC_SGI1R_EL1', 'ICC_ASGI1R_EL1', 'ICC_SGI0R_EL1'] as const satisfies readonly IccName[]
export type SgiRegisterName = (typeof SGI_REGISTERS)[number]

/** ICC_CTLR_EL1's fields (12.2.6). */
export const ICC_CTLR = {
  CBPR: { lsb: 0, mask: 1 },
  EOImode: { lsb: 1, mask: 1 },
  PRIbits: { lsb: 8, mask: 7 },
  IDbits: { lsb: 11, mask: 7 },
  SEIS: { lsb: 14, mask: 1 },
  A3V: { lsb: 15, mask: 1 },
} as const

/** IDbits as a field says it: 0 for 16 bits, 1 for 24. */
export const idBitsField = (bits: 16 | 24): number => (bits - 16) / 8

export interface IccControl {
  readonly cbpr: boolean
  readonly eoiMode: boolean
  readonly priBits: number
  readonly idBits: number
  readonly seis: boolean
  readonly a3v: boolean
}

export const decodeIccControl = (value: bigint): IccControl => {
  const field = (name: keyof typeof ICC_CTLR): number =>
    (Number(BigInt.asUintN(32, value)) >>> ICC_CTLR[name].lsb) & ICC_CTLR[name].mask
  return {
    cbpr: field('CBPR') === 1,
    eoiMode: field('EOImode') === 1,
    priBits: field('PRIbits') + 1,
    idBits: field('IDbits'),
    seis: field('SEIS') === 1,
    a3v: field('A3V') === 1,
  }
}

export const encodeIccControl = (control: IccControl): bigint =>
  BigInt(
    (Number(control.cbpr) << ICC_CTLR.CBPR.lsb) |
      (Number(control.eoiMode) << ICC_CTLR.EOImode.lsb) |
      ((control.priBits - 1) << ICC_CTLR.PRIbits.lsb) |
      (control.idBits << ICC_CTLR.IDbits.lsb) |
      (Number(control.seis) << ICC_CTLR.SEIS.lsb) |
      (Number(control.a3v) << ICC_CTLR.A3V.lsb),
  )
