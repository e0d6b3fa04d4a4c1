/** In which forms KVM drops a level of a vCPU's affinity, by what the rules forecast; as a sentence. */
import { affinityText } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import type { Forecast } from '../../../pure/rules/forecast.ts'
import { routeThroughHalves } from '../../../pure/rules/forecast.ts'

export interface Lost {
  /** What is in effect instead. */
  readonly affinity: Affinity
  readonly why: string
}

/** By the name of the form. */
export const lostIn = ({ rules, vm, vcpus }: Forecast, cpu: number): Readonly<Record<string, Lost>> => {
  const vcpu = vcpus[cpu]
  if (vcpu === undefined) return {}
  const { wanted, running, shown } = vcpu
  const routed = routeThroughHalves(rules, vm, wanted).stored
  const lost: Record<string, Lost> = {}
  if (running !== wanted) {
    lost['MPIDR_EL1'] = { affinity: running, why: `It reads ${affinityText(running)} once the guest runs.` }
  }
  if (shown !== wanted) {
    lost['GICR_TYPER'] = { affinity: shown, why: `It reads ${affinityText(shown)}: ${rules.typerAffinity.title}` }
  }
  if (routed !== wanted) {
    const why = `Written in two halves, it keeps ${affinityText(routed)}: ${rules.irouterWrite.title}`
    lost['GICD_IROUTER'] = { affinity: routed, why }
  }
  return lost
}
