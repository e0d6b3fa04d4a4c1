/** Where the system registers lie that the CPU itself uses. */
import { slotOf } from '../../pure/arch/sysregs/table.ts'
import { sysregAt } from './layout.ts'

/** Byte addresses, in the CPU's bank, of registers that other parts of the CPU use. */
export const slots = {
  SP_EL0: sysregAt(slotOf('SP_EL0')),
  SP_EL1: sysregAt(slotOf('SP_EL1')),
  DAIF: sysregAt(slotOf('DAIF')),
  SYSREG_CONCERNS: sysregAt(slotOf('SYSREG_CONCERNS')),
  CPACR_EL1: sysregAt(slotOf('CPACR_EL1')),
  SPSR_EL1: sysregAt(slotOf('SPSR_EL1')),
  ELR_EL1: sysregAt(slotOf('ELR_EL1')),
  ESR_EL1: sysregAt(slotOf('ESR_EL1')),
  FAR_EL1: sysregAt(slotOf('FAR_EL1')),
  VBAR_EL1: sysregAt(slotOf('VBAR_EL1')),
  SCTLR_EL1: sysregAt(slotOf('SCTLR_EL1')),
  TCR_EL1: sysregAt(slotOf('TCR_EL1')),
  TTBR0_EL1: sysregAt(slotOf('TTBR0_EL1')),
  TTBR1_EL1: sysregAt(slotOf('TTBR1_EL1')),
  MAIR_EL1: sysregAt(slotOf('MAIR_EL1')),
  OSLSR_EL1: sysregAt(slotOf('OSLSR_EL1')),
  PAR_EL1: sysregAt(slotOf('PAR_EL1')),
  CSSELR_EL1: sysregAt(slotOf('CSSELR_EL1')),
} as const
