/** "Which path sees Aff3?": each path an affinity takes through KVM, asked of every rule set. */
import {
  aff3Of,
  affinityText,
  irouterAffinity,
  mpidrAffinity,
  mpidrOf,
  resetMpidr,
  withoutAff3,
} from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import type { HostProfile, KernelBase, RuleSetId } from '../blueprint/host.ts'
import type { Point, Refusal, VgicRules, VmFacts } from './points.ts'
import { vmFactsOf } from './prediction.ts'
import { rulesFor } from './rule-sets.ts'

/** `kept`: the path carries all four levels; `lost`: it does not; `plain`: neither good nor bad. */
export type Verdict = 'kept' | 'lost' | 'plain'

export interface MatrixCell {
  readonly verdict: Verdict
  readonly text: string
  readonly title: string
  readonly source: string
}

export interface MatrixRow {
  readonly path: string
  readonly cells: Readonly<Record<RuleSetId, MatrixCell>>
}

interface Asked {
  readonly rules: VgicRules
  readonly vm: Readonly<VmFacts>
  /** The affinity in question, and the CPU that has it. */
  readonly affinity: Affinity
  readonly cpu: number
}

type Said = Pick<MatrixCell, 'verdict' | 'text'> & { readonly of: Pick<Point<never, unknown>, 'title' | 'source'> }

const hex2 = (value: number): string => value.toString(16).padStart(2, '0')

const kept = (wanted: Affinity, got: Affinity): Pick<MatrixCell, 'verdict' | 'text'> => {
  if (wanted === got) return { verdict: 'kept', text: affinityText(got) }
  return { verdict: 'lost', text: `becomes ${affinityText(got)}` }
}

const refused = ({ errno }: Refusal): Pick<MatrixCell, 'verdict' | 'text'> => ({ verdict: 'lost', text: `-${errno}` })

const keptOrReset = (answer: 'keep' | 'reset', { affinity, cpu }: Asked): Pick<MatrixCell, 'verdict' | 'text'> =>
  answer === 'keep'
    ? { verdict: 'kept', text: 'kept' }
    : kept(affinity, mpidrAffinity.decode(resetMpidr(cpu)))

const yes = (answer: boolean): Pick<MatrixCell, 'verdict' | 'text'> =>
  answer ? { verdict: 'kept', text: 'compared' } : { verdict: 'lost', text: 'not compared' }

const bit = (value: boolean): Pick<MatrixCell, 'verdict' | 'text'> => ({ verdict: 'plain', text: value ? '1' : '0' })

const PATHS: readonly { readonly path: string; readonly ask: (asked: Asked) => Said }[] = [
  {
    path: 'KVM_SET_ONE_REG(MPIDR_EL1)',
    ask: ({ rules: { setMpidr: of }, vm, affinity, cpu }) => {
      const set = of.decide({ vm, current: resetMpidr(cpu), value: mpidrOf(affinity) })
      return { ...(set.ok ? kept(affinity, mpidrAffinity.decode(set.stored)) : refused(set)), of }
    },
  },
  {
    path: 'MPIDR_EL1 after PSCI CPU_ON',
    ask: (asked) => ({ ...keptOrReset(asked.rules.mpidrAtCpuOn.decide(), asked), of: asked.rules.mpidrAtCpuOn }),
  },
  {
    path: 'MPIDR_EL1 after a second VCPU_INIT',
    ask: (asked) => ({ ...keptOrReset(asked.rules.mpidrAtReinit.decide(), asked), of: asked.rules.mpidrAtReinit }),
  },
  {
    path: 'GICR_TYPER[63:56]',
    ask: ({ rules: { typerAffinity: of }, vm, affinity }) => {
      const shown = of.decide({ vm, affinity })
      return { verdict: shown === affinity ? 'kept' : 'lost', text: hex2(aff3Of(shown)), of }
    },
  },
  {
    path: 'GICD_IROUTER, 64-bit write',
    ask: ({ rules: { irouterWrite: of, irouterRead }, vm, affinity }) => {
      const { stored } = of.decide({ stored: 0, value: irouterAffinity.encode(affinity), width: 8, half: 'low', vm })
      const read = irouterAffinity.decode(irouterRead.decide({ stored, width: 8, half: 'low', vm }))
      return { ...kept(affinity, read), of }
    },
  },
  {
    path: 'GICD_IROUTER, 32-bit halves',
    ask: ({ rules: { irouterWrite: of, irouterRead }, vm, affinity }) => {
      const value = BigInt(withoutAff3(affinity))
      const low = of.decide({ stored: 0, value, width: 4, half: 'low', vm }).stored
      const high = BigInt(aff3Of(affinity))
      const { stored } = of.decide({ stored: low, value: high, width: 4, half: 'high', vm })
      return { ...kept(affinity, irouterAffinity.decode(irouterRead.decide({ stored, width: 8, half: 'low', vm }))), of }
    },
  },
  {
    path: 'ICC_SGI1R_EL1.Aff3',
    ask: ({ rules: { sgiAffinityCompare: of }, affinity }) => ({
      ...yes(of.decide({ sgi: affinity, cpu: affinity })),
      of,
    }),
  },
  {
    path: 'Device attribute, mpidr field',
    ask: ({ rules: { attrAffinity: of }, affinity }) => ({ ...yes(of.decide({ attr: affinity, cpu: affinity })), of }),
  },
  {
    path: 'PSCI CPU_ON target',
    ask: ({ rules: { cpuOnAffinity: of }, affinity }) => ({
      ...yes(of.decide({ target: affinity, cpu: affinity })),
      of,
    }),
  },
  {
    path: 'Affinity in the record of an SGI or PPI',
    ask: ({ rules: { privateIrqAffinity: of }, affinity }) => ({
      ...kept(affinity, of.decide({ atInit: affinity, now: affinity })),
      of,
    }),
  },
  {
    path: 'SPI targets follow a change of MPIDR_EL1',
    ask: ({ rules: { retargetOnMpidrChange: of } }) => {
      const follows = of.decide()
      return { verdict: follows ? 'kept' : 'lost', text: follows ? 'yes' : 'no', of }
    },
  },
  {
    path: 'GICD_TYPER.A3V',
    ask: ({ rules: { distributorTyperA3v: of }, vm }) => ({ ...bit(of.decide({ vm })), of }),
  },
  {
    path: 'ICC_CTLR_EL1.A3V, read by the guest',
    ask: ({ rules: { iccCtlrA3vGuest: of }, vm }) => ({ ...bit(of.decide({ vm })), of }),
  },
  {
    path: 'ICC_CTLR_EL1.A3V = 1, written by the VMM',
    ask: ({ rules: { iccCtlrSetA3v: of }, vm }) => {
      const set = of.decide({ vm, value: true, aff3InUse: true })
      return { ...(set.ok ? { verdict: 'kept', text: 'accepted' } : refused(set)), of }
    },
  },
  {
    path: 'vgic-state, column TARGET',
    ask: ({ rules: { vgicDebugTarget: of }, affinity }) => ({
      verdict: 'plain',
      text: of.decide({ affinity }).trim(),
      of,
    }),
  },
]

export interface MatrixQuestion {
  readonly base: KernelBase
  readonly host: HostProfile
  readonly affinity: Affinity
  readonly cpu: number
}

export const aff3Matrix = ({ base, host, affinity, cpu }: MatrixQuestion): MatrixRow[] => {
  return PATHS.map(({ path, ask }) => {
    const cell = (ruleSet: RuleSetId): MatrixCell => {
      const vm = vmFactsOf({ ruleSet, base, host })
      const { verdict, text, of } = ask({ rules: rulesFor(ruleSet, base), vm, affinity, cpu })
      return { verdict, text, title: of.title, source: of.source }
    }
    return {
      path,
      cells: { mainline: cell('mainline'), 'patch-v1': cell('patch-v1'), 'full-aff3': cell('full-aff3') },
    }
  })
}
