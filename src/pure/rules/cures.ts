/**
 * What may be done about a finding: the nearest machines that do not have it. Whether another document has it is asked of its
 * own findings, so that a cure that is offered is one that helps.
 */
import { aff3Of, resetAffinity, withoutAff3 } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { affinityIn } from '../blueprint/blueprint.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { applyEdit, chooseGic } from '../blueprint/edits.ts'
import type { Edit } from '../blueprint/edits.ts'
import { canRunGicV2, hasGicV3, HOST_PRESETS } from '../blueprint/host.ts'
import { findings, fittingVcpus, neededIpaBits } from './check.ts'
import type { Cure, Finding } from './finding.ts'

type EditCure = Extract<Cure, { readonly edit: Edit }>

/** As many as stand in a row; of documents that differ in more, only as many as make it two. */
const MOST = 3
const ENOUGH = 2
/** Of a machine with more vCPUs, a document for each finding would take too long to foretell. */
const LARGE = 16

const FULL: EditCure = { title: 'Use full-aff3', edit: { edit: 'setRuleSet', ruleSet: 'full-aff3' } }
const FOLLOW: EditCure = { title: 'Follow the form again', edit: { edit: 'setPlan', plan: undefined } }
const BOOT: Cure = { title: 'Boot again', boot: true }

const several = (edits: readonly Edit[]): Edit => ({ edit: 'several', edits })

/** Which vCPUs are to be at an affinity. */
const places = (blueprint: Blueprint): ReadonlyMap<Affinity, readonly number[]> => {
  const all = new Map<Affinity, number[]>()
  for (let vcpu = 0; vcpu < blueprint.vcpus; vcpu++) {
    const affinity = affinityIn(blueprint, vcpu)
    const there = all.get(affinity)
    if (there === undefined) all.set(affinity, [vcpu])
    else there.push(vcpu)
  }
  return all
}

/** Moves vCPUs; routes that lead to them, and to no other, go with them. */
const moves = (blueprint: Blueprint, to: ReadonlyMap<number, Affinity>): Edit => {
  const edits = [...to].map(([vcpu, affinity]): Edit => ({ edit: 'setAffinity', vcpu, affinity }))
  const taken = places(blueprint)
  for (const [intid, route] of Object.entries(blueprint.routes)) {
    const there = taken.get(route) ?? []
    const [first] = there
    const affinity = first === undefined ? undefined : to.get(first)
    if (affinity !== undefined && there.every((vcpu) => to.has(vcpu)))
      edits.push({ edit: 'setRoute', intid: Number(intid), affinity })
  }
  return several(edits)
}
const plainAffinities = (blueprint: Blueprint): Edit =>
  moves(
    blueprint,
    new Map(Object.keys(blueprint.affinities).map((vcpu) => [Number(vcpu), resetAffinity(Number(vcpu))])),
  )
const noRoutes = ({ routes }: Blueprint): Edit =>
  several(Object.keys(routes).map((intid) => ({ edit: 'setRoute', intid: Number(intid), affinity: undefined })))

/** Hosts and GICs that the blueprint could have instead. */
const otherHardware = (blueprint: Blueprint): readonly EditCure[] => {
  const { gic, host, vcpus } = blueprint
  const cures: EditCure[] = []
  if (gic === 2) {
    if (!canRunGicV2(host)) cures.push({ title: 'Use a host that can', edit: chooseGic(blueprint, 2) })
    cures.push({ title: 'Use a GICv3', edit: chooseGic(blueprint, 3) })
    return cures
  }
  if (!hasGicV3(host)) cures.push({ title: 'Use a GICv3 host', edit: { edit: 'setHost', host: HOST_PRESETS.H1 } })
  const a3v = !host.a3v
  cures.push({ title: `Use a host with A3V = ${Number(a3v)}`, edit: { edit: 'setHost', host: { ...host, a3v } } })
  const ipaBits = neededIpaBits(vcpus)
  if (ipaBits > host.ipaBits) {
    const fit = fittingVcpus(host)
    cures.push({
      title: `Use a host with ${ipaBits} address bits`,
      edit: { edit: 'setHost', host: { ...host, ipaBits } },
    })
    cures.push({ title: `Use ${fit} vCPUs`, edit: { edit: 'setVcpus', vcpus: fit } })
  }
  return cures
}

const problemsIn = (all: readonly Finding[]): number => all.filter(({ severity }) => severity !== 'info').length

interface Said {
  readonly texts: ReadonlySet<string>
  readonly problems: number
}
const saidOf = (blueprint: Blueprint): Said => {
  const all = findings(blueprint)
  return { texts: new Set(all.map(({ text }) => text)), problems: problemsIn(all) }
}

/** A cure, and what is said of the document that it makes; nothing, where it cannot be made. Asked once, when first asked. */
class Candidate {
  readonly cure: EditCure
  private readonly blueprint: Blueprint
  private known: Said | 'impossible' | undefined

  constructor(blueprint: Blueprint, cure: EditCure) {
    this.blueprint = blueprint
    this.cure = cure
  }

  look(): Said | 'impossible' {
    if (this.known === undefined) {
      const edited = applyEdit(this.blueprint, this.cure.edit)
      this.known = edited.ok ? saidOf(edited.blueprint) : 'impossible'
    }
    return this.known
  }

  helps({ text, severity }: Finding, problems: number): boolean {
    const said = this.look()
    return said !== 'impossible' && !said.texts.has(text) && said.problems <= problems - Number(severity !== 'info')
  }
}

/** Of the whole document, the least change first. */
const otherDocuments = (blueprint: Blueprint): readonly EditCure[] => [
  ...otherHardware(blueprint),
  ...(blueprint.plan === undefined
    ? [{ title: 'Use KVM’s affinities', edit: plainAffinities(blueprint) }]
    : [
        FOLLOW,
        {
          title: 'Follow the form, with KVM’s affinities',
          edit: several([FOLLOW.edit, plainAffinities(blueprint), noRoutes(blueprint)]),
        },
      ]),
]

interface Candidates {
  readonly problems: number
  readonly rules: readonly Candidate[]
  readonly documents: readonly Candidate[]
}

const known = new WeakMap<Blueprint, Candidates>()
/** What is the same for all findings of a blueprint. */
const candidatesOf = (blueprint: Blueprint): Candidates => {
  const before = known.get(blueprint)
  if (before !== undefined) return before
  const candidates = (cures: readonly EditCure[]) => cures.map((cure) => new Candidate(blueprint, cure))
  const now = {
    problems: problemsIn(findings(blueprint)),
    rules: candidates(blueprint.ruleSet === 'full-aff3' ? [] : [FULL]),
    documents: candidates(otherDocuments(blueprint)),
  }
  known.set(blueprint, now)
  return now
}

/**
 * Looks at the documents that might cure a blueprint, one a step: of many vCPUs each takes milliseconds, and afterwards cures
 * take none.
 */
export function* lookAhead(blueprint: Blueprint): Generator<void, void> {
  const { rules, documents } = candidatesOf(blueprint)
  for (const candidate of [...rules, ...documents]) {
    yield
    candidate.look()
  }
}

/** Whether its cures may be asked for without looking ahead. */
export const isSmall = ({ vcpus }: Blueprint): boolean => vcpus <= LARGE

/** KVM's own place for one vCPU, or the same without Aff3, if no other is there. */
const ofVcpu = (blueprint: Blueprint, vcpu: number): readonly EditCure[] => {
  // A plan by hand says itself what affinities there are.
  if (blueprint.plan !== undefined) return []
  const affinity = affinityIn(blueprint, vcpu)
  const without = withoutAff3(affinity)
  const taken = places(blueprint)
  const free = [resetAffinity(vcpu), ...(aff3Of(affinity) === 0 ? [] : [without])].find((to) => !taken.has(to))
  if (free === undefined) return []
  const title = free === without ? 'Set Aff3 to 0' : 'Use KVM’s affinity'
  return [{ title, edit: moves(blueprint, new Map([[vcpu, free]])) }]
}

const ofFinding = ({ where }: Finding, blueprint: Blueprint): readonly EditCure[] => {
  switch (where.kind) {
    case 'vcpu':
      return ofVcpu(blueprint, where.index)
    case 'spi':
      return blueprint.routes[where.index] === undefined || blueprint.plan !== undefined
        ? []
        : [{ title: 'Remove the route', edit: { edit: 'setRoute', intid: where.index, affinity: undefined } }]
    case 'its':
    case 'host':
    case 'plan':
      return []
    default:
      return where.kind satisfies never
  }
}

/** The documents without this finding of a blueprint. */
export const curesOf = (finding: Finding, blueprint: Blueprint): readonly Cure[] => {
  const { problems, rules, documents } = candidatesOf(blueprint)
  const near = isSmall(blueprint) ? ofFinding(finding, blueprint) : []
  const first = [...rules, ...near.map((cure) => new Candidate(blueprint, cure))]
  const cures = first.filter((one) => one.helps(finding, problems))
  for (const one of documents) if (cures.length < ENOUGH && one.helps(finding, problems)) cures.push(one)
  return cures.map(({ cure }) => cure)
}

const unique = (cures: readonly Cure[]): readonly Cure[] => [
  ...new Map(cures.map((cure) => [cure.title, cure])).values(),
]

/**
 * Of a finding of the machine that runs: calls first; then another boot, of the document as it is by now or as it would be
 * without what is said of it.
 */
export const liveCuresOf = (finding: Finding, blueprint: Blueprint): readonly Cure[] => {
  const { cures = [], where, noCure } = finding
  const next = findings(blueprint).filter(({ severity }) => severity !== 'info')
  const same = next.filter((one) => one.where.kind === where.kind && one.where.index === where.index)
  const shared =
    where.kind === 'vcpu' ? next.filter((one) => one.where.kind === 'host' || one.where.kind === 'plan') : []
  const causes = same.length > 0 ? same : shared
  const again = causes.length === 0 && where.kind === 'vcpu' && noCure === undefined ? [BOOT] : []
  return unique([...cures, ...causes.flatMap((one) => curesOf(one, blueprint)), ...again]).slice(0, MOST)
}
