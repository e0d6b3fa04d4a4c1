/** The registers of EL1 and EL0 that control execution, translation and exceptions (Arm ARM D24.2, C5.2). */
import { constant, ignored, special, stored } from './sysreg.ts'
import type { SysregRow } from './sysreg.ts'

/** SCTLR_EL1.UMA: EL0 may have access to DAIF. */
const UMA = 9
/** A mask of these bits. */
const bits = (...list: readonly number[]): bigint => list.reduce((all, lsb) => all | (1n << BigInt(lsb)), 0n)
/** Bits of SCTLR_EL1 that are one without the features that give them a meaning. */
const SCTLR_RES1 = bits(11, 20, 22, 23, 28, 29)
/** M, A, C, SA, SA0, UMA, I, DZE, UCT, nTWI, nTWE, WXN, UCI. */
const SCTLR_MASK = bits(0, 1, 2, 3, 4, UMA, 12, 14, 15, 16, 18, 19, 26)
/** NZCV, SS, IL, DAIF, M. */
const SPSR_MASK = 0xf030_03dfn
const WORD = 0xffff_ffffn
/** CnP, the rest of TTBRn_EL1 being ASID and address. */
const TTBR = { mask: 0xffff_ffff_ffff_fffen, featureMasks: { FEAT_TTCNP: 1n }, retranslate: true } as const

const key = (name: string, crm: number, op2: number): SysregRow[] => [
  stored(`AP${name}KeyLo_EL1`, [3, 0, 2, crm, op2], { feature: 'FEAT_PAuth' }),
  stored(`AP${name}KeyHi_EL1`, [3, 0, 2, crm, op2 + 1], { feature: 'FEAT_PAuth' }),
]

export const el1: readonly SysregRow[] = [
  stored('SCTLR_EL1', [3, 0, 1, 0, 0], {
    reset: SCTLR_RES1,
    mask: SCTLR_MASK,
    featureMasks: {
      FEAT_PAN: bits(23),
      FEAT_SPECRES: bits(10),
      FEAT_PAuth: bits(13, 27, 30, 31),
      FEAT_BTI: bits(35, 36),
      FEAT_SSBS: bits(44),
    },
    retranslate: true,
  }),
  ignored('ACTLR_EL1', [3, 0, 1, 0, 1]),
  special('CPACR_EL1', [3, 0, 1, 0, 2]),
  stored('TTBR0_EL1', [3, 0, 2, 0, 0], TTBR),
  stored('TTBR1_EL1', [3, 0, 2, 0, 1], TTBR),
  stored('TCR_EL1', [3, 0, 2, 0, 2], {
    // Bits 6 and 35 are RES0.
    mask: ((1n << 39n) - 1n) & ~bits(6, 35),
    featureMasks: {
      FEAT_HAFDBS_AF: bits(39),
      FEAT_HAFDBS: bits(39, 40),
      FEAT_HPDS: bits(41, 42),
      FEAT_PAuth: bits(51, 52),
      FEAT_E0PD: bits(55, 56),
    },
    retranslate: true,
  }),
  ...key('IA', 1, 0),
  ...key('IB', 1, 2),
  ...key('DA', 2, 0),
  ...key('DB', 2, 2),
  ...key('GA', 3, 0),
  stored('SPSR_EL1', [3, 0, 4, 0, 0], {
    mask: SPSR_MASK,
    featureMasks: {
      FEAT_DIT: bits(24),
      FEAT_UAO: bits(23),
      FEAT_PAN: bits(22),
      FEAT_SSBS: bits(12),
      FEAT_BTI: bits(10, 11),
    },
  }),
  stored('ELR_EL1', [3, 0, 4, 0, 1]),
  special('SP_EL0', [3, 0, 4, 1, 0]),
  special('SPSel', [3, 0, 4, 2, 0]),
  special('PAN', [3, 0, 4, 2, 3], { feature: 'FEAT_PAN' }),
  special('UAO', [3, 0, 4, 2, 4], { feature: 'FEAT_UAO' }),
  special('CurrentEL', [3, 0, 4, 2, 2], { readOnly: true }),
  ignored('AFSR0_EL1', [3, 0, 5, 1, 0]),
  ignored('AFSR1_EL1', [3, 0, 5, 1, 1]),
  stored('ESR_EL1', [3, 0, 5, 2, 0], { mask: WORD }),
  stored('FAR_EL1', [3, 0, 6, 0, 0]),
  stored('PAR_EL1', [3, 0, 7, 4, 0]),
  // No limited ordering region: LORID_EL1 says so, and the others are RES0 then.
  constant('LORID_EL1', [3, 0, 10, 4, 7], 0n, { feature: 'FEAT_LOR' }),
  ...['LORSA_EL1', 'LOREA_EL1', 'LORN_EL1', 'LORC_EL1'].map((name, op2) =>
    ignored(name, [3, 0, 10, 4, op2], { feature: 'FEAT_LOR' }),
  ),
  stored('MAIR_EL1', [3, 0, 10, 2, 0], { retranslate: true }),
  ignored('AMAIR_EL1', [3, 0, 10, 3, 0]),
  stored('VBAR_EL1', [3, 0, 12, 0, 0], { mask: 0xffff_ffff_ffff_f800n }),
  constant('RVBAR_EL1', [3, 0, 12, 0, 1], 0n),
  special('ISR_EL1', [3, 0, 12, 1, 0], { readOnly: true }),
  stored('CONTEXTIDR_EL1', [3, 0, 13, 0, 1], { mask: WORD }),
  stored('TPIDR_EL1', [3, 0, 13, 0, 4]),
  stored('TPIDR_EL0', [3, 3, 13, 0, 2]),
  stored('TPIDRRO_EL0', [3, 3, 13, 0, 3], { write: 1 }),
  special('NZCV', [3, 3, 4, 2, 0]),
  special('DAIF', [3, 3, 4, 2, 1], { el0Control: UMA }),
  special('DIT', [3, 3, 4, 2, 5], { feature: 'FEAT_DIT' }),
  special('SSBS', [3, 3, 4, 2, 6], { feature: 'FEAT_SSBS2' }),
  special('RNDR', [3, 3, 2, 4, 0], { readOnly: true, feature: 'FEAT_RNG' }),
  special('RNDRRS', [3, 3, 2, 4, 1], { readOnly: true, feature: 'FEAT_RNG' }),
  special('FPCR', [3, 3, 4, 4, 0]),
  special('FPSR', [3, 3, 4, 4, 1]),
]
