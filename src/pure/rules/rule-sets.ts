/** Which answers hold: a rule set on a kernel base. */
import { bases } from './bases.ts'
import { fullAff3 } from './full-aff3.ts'
import { mainline } from './mainline.ts'
import { patchV1 } from './patch-v1.ts'
import type { KernelBase, RuleSetId, VgicRules } from './points.ts'

interface RuleSet {
  readonly title: string
  readonly on: (base: Partial<VgicRules>) => VgicRules
}

export const ruleSets: Record<RuleSetId, RuleSet> = {
  mainline: { title: 'mainline KVM', on: (base) => ({ ...mainline, ...base }) },
  // The patch touches nothing in which the bases differ, so what the base does stays.
  'patch-v1': { title: 'Aff3 patch, v1', on: (base) => ({ ...patchV1, ...base }) },
  // Defined on its own: only what it leaves open follows the base.
  'full-aff3': {
    title: 'full Aff3',
    on: (base) => ({
      ...fullAff3,
      vcpuFeatures: base.vcpuFeatures ?? fullAff3.vcpuFeatures,
      smcIsPsci: base.smcIsPsci ?? fullAff3.smcIsPsci,
      itsTarget: base.itsTarget ?? fullAff3.itsTarget,
      itsForgets: base.itsForgets ?? fullAff3.itsForgets,
    }),
  },
}

export const rulesFor = (ruleSet: RuleSetId, base: KernelBase): VgicRules => ruleSets[ruleSet].on(bases[base])
