/**
 * What the CPU says it is: here what all models have in common; the rest follows from the model's list of
 * features (Arm ARM D24.2; caches as in the Cortex-A57 TRM 4.3). No model has AArch32, EL2 or EL3.
 */
import { sysregEncoding } from './encoding.ts'
import { constant, identifies, special, stored } from './sysreg.ts'
import type { SysregRow } from './sysreg.ts'

/** A value put together from fields: least significant bit of each, and its value. */
const fields = (...list: readonly (readonly [lsb: number, value: number])[]): bigint =>
  list.reduce((all, [lsb, value]) => all | (BigInt(value) << BigInt(lsb)), 0n)

/** DCZID_EL0: a block of 2^4 words; with DZP, DC ZVA is not for who asks. */
export const DCZID = { BS: 4n, DZP: 1n << 4n } as const

/** Bits of SCTLR_EL1 that open registers to EL0. */
const UCT = 15

export const identification: readonly SysregRow[] = [
  special('MIDR_EL1', [3, 0, 0, 0, 0], { readOnly: true }),
  special('MPIDR_EL1', [3, 0, 0, 0, 5], { readOnly: true }),
  constant('REVIDR_EL1', [3, 0, 0, 0, 6], 0n),
  // EL0 and EL1 in AArch64 only; FP and AdvSIMD; GIC system registers.
  identifies('ID_AA64PFR0_EL1', [3, 0, 0, 4, 0], fields([0, 1], [4, 1], [24, 1])),
  identifies('ID_AA64PFR1_EL1', [3, 0, 0, 4, 1]),
  // Armv8 debug; 6 breakpoints of which 2 compare contexts, 4 watchpoints.
  identifies('ID_AA64DFR0_EL1', [3, 0, 0, 5, 0], fields([0, 6], [12, 5], [20, 3], [28, 1])),
  identifies('ID_AA64ISAR0_EL1', [3, 0, 0, 6, 0]),
  identifies('ID_AA64ISAR1_EL1', [3, 0, 0, 6, 1]),
  // 16 bits of ASID, Secure and Non-secure memory told apart; granules of 4 and 64 KiB.
  identifies('ID_AA64MMFR0_EL1', [3, 0, 0, 7, 0], fields([4, 2], [12, 1])),
  identifies('ID_AA64MMFR1_EL1', [3, 0, 0, 7, 1]),
  identifies('ID_AA64MMFR2_EL1', [3, 0, 0, 7, 2]),
  // 64-byte lines, physically tagged instruction cache.
  constant('CTR_EL0', [3, 3, 0, 0, 1], 0x8444_c004n, { el0Control: UCT }),
  special('DCZID_EL0', [3, 3, 0, 0, 7], { readOnly: true }),
  // Separate caches at level 1, one at level 2; coherent from level 2 on.
  constant('CLIDR_EL1', [3, 1, 0, 0, 1], 0x0a20_0023n),
  special('CCSIDR_EL1', [3, 1, 0, 0, 0], { readOnly: true }),
  stored('CSSELR_EL1', [3, 2, 0, 0, 0], { mask: 0xfn }),
  constant('AIDR_EL1', [3, 1, 0, 0, 7], 0n),
]

/** The register that tells of the GIC's system registers, and its field. */
export const ID_AA64PFR0 = { encoding: sysregEncoding(3, 0, 0, 4, 0), GIC: 0xfn << 24n } as const

/** CCSIDR_EL1 by CSSELR_EL1: level 1 data, level 1 instruction, level 2. */
export const cacheSizes: Readonly<Record<number, bigint>> = {
  0: 0x701f_e00an,
  1: 0x201f_e012n,
  2: 0x70ff_e07an,
}

/**
 * What is reserved for identification registers, those of AArch32 and of later architectures, reads as zero at EL1: op0 = 3,
 * op1 = 0, CRn = 0, CRm = 1 to 7 (HCR_EL2.TID3 in D24.2.48 names the space; Linux's arch/arm64/kvm/sys_regs.c, ID_UNALLOCATED).
 * CRm = 0 has three registers, and is UNDEFINED beside them.
 */
export const isIdentificationSpace = (encoding: number): boolean => {
  const crm = (encoding >> 3) & 15
  return (encoding & ~0x7f) === 3 << 14 && crm >= 1 && crm <= 7
}

/** Registers that identify the CPU, op1 being 0 or 1 (those with 3 are for EL0): FEAT_IDST traps them there. */
export const isIdentification = (encoding: number): boolean => {
  const op1 = (encoding >> 11) & 7
  return encoding >> 14 === 3 && op1 <= 2 && ((encoding >> 7) & 15) === 0
}
