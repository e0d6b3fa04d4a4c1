/** The fields of the system registers, by the registers' names. */
import type { Field } from '../../register.ts'
import { CONTROL_FIELDS } from './control.ts'
import { DEBUG_FIELDS } from './debug.ts'
import { GIC_FIELDS } from './gic.ts'
import { IDENTIFICATION_FIELDS } from './identification.ts'
import { PMU_FIELDS } from './pmu.ts'

export const SYSREG_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  ...IDENTIFICATION_FIELDS,
  ...CONTROL_FIELDS,
  ...DEBUG_FIELDS,
  ...PMU_FIELDS,
  ...GIC_FIELDS,
}

/** Of `ICH_LR3_EL2` as of every ICH_LR<n>_EL2; none where a register is one number (`plain.ts`). */
export const sysregFields = (name: string): readonly Field[] =>
  SYSREG_FIELDS[name] ?? SYSREG_FIELDS[name.replace(/\d+(?=_EL\d$)/, '')] ?? []
