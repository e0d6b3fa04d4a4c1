/** The nearest machines without a finding; which of them helps, the findings of the next moment tell. */
import { aff3Of, withoutAff3 } from '../arch/affinity.ts'
import { affinityIn } from '../blueprint/blueprint.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { chooseGic } from '../blueprint/edits.ts'
import { canRunGicV2, hasGicV3, HOST_PRESETS } from '../blueprint/host.ts'
import type { Cure, Finding } from './finding.ts'

const ofHost = (blueprint: Blueprint): readonly Cure[] => {
  const cures: Cure[] = []
  if (blueprint.gic === 2) {
    if (!canRunGicV2(blueprint.host)) cures.push({ title: 'Use a host that can', edit: chooseGic(blueprint, 2) })
    cures.push({ title: 'Use a GICv3', edit: chooseGic(blueprint, 3) })
  } else if (!hasGicV3(blueprint.host)) {
    cures.push({ title: 'Use a GICv3 host', edit: { edit: 'setHost', host: HOST_PRESETS.H1 } })
  }
  return cures
}

const ofVcpu = (blueprint: Blueprint, vcpu: number): readonly Cure[] => {
  // A plan by hand says itself what affinities there are.
  if (blueprint.plan !== undefined) return [FOLLOW]
  const affinity = affinityIn(blueprint, vcpu)
  if (aff3Of(affinity) !== 0)
    return [{ title: 'Set Aff3 to 0', edit: { edit: 'setAffinity', vcpu, affinity: withoutAff3(affinity) } }]
  if (blueprint.affinities[vcpu] === undefined) return []
  return [{ title: "Use KVM's affinity", edit: { edit: 'setAffinity', vcpu, affinity: undefined } }]
}

const FOLLOW: Cure = { title: 'Follow the form again', edit: { edit: 'setPlan', plan: undefined } }
const FULL: Cure = { title: 'Use full-aff3', edit: { edit: 'setRuleSet', ruleSet: 'full-aff3' } }

const edits = ({ where }: Finding, blueprint: Blueprint): readonly Cure[] => {
  switch (where.kind) {
    case 'host':
      return ofHost(blueprint)
    case 'plan':
      return blueprint.plan === undefined ? [] : [FOLLOW]
    case 'spi':
      return blueprint.routes[where.index] === undefined
        ? []
        : [{ title: 'Remove the route', edit: { edit: 'setRoute', intid: where.index, affinity: undefined } }]
    case 'vcpu':
      return ofVcpu(blueprint, where.index)
    case 'its':
      return []
    default:
      return where.kind satisfies never
  }
}

export const curesOf = (finding: Finding, blueprint: Blueprint): readonly Cure[] => {
  const { severity, where, cures = [] } = finding
  if (severity === 'info') return cures
  const aboutAff3 = where.kind === 'vcpu' || where.kind === 'spi'
  const other = severity === 'error' && aboutAff3 && blueprint.ruleSet !== 'full-aff3' ? [FULL] : []
  return [...cures, ...other, ...edits(finding, blueprint)]
}
