/** What a person may do to a blueprint. Each edit has an inverse, which is what undo plays back. */
import { resetAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import type { CpuModelId } from '../arch/cpu/models.ts'
import { FIRST_SPI } from '../arch/intid.ts'
import { MEMORY, NO_ITS, NO_ROUTES, NR_IRQS, maxVcpus } from './blueprint.ts'
import type { Blueprint, GicVersion, GuestChoice } from './blueprint.ts'
import { canRunGicV2, hasGicV3 } from './host.ts'
import type { HostProfile, KernelBase, RuleSetId } from './host.ts'

export type Edit =
  /** `undefined`: what KVM gives the vCPU. */
  | { readonly edit: 'setAffinity'; readonly vcpu: number; readonly affinity: Affinity | undefined }
  /** `undefined`: the VMM does not write this GICD_IROUTER. */
  | { readonly edit: 'setRoute'; readonly intid: number; readonly affinity: Affinity | undefined }
  | { readonly edit: 'setVcpus'; readonly vcpus: number }
  | { readonly edit: 'setRuleSet'; readonly ruleSet: RuleSetId }
  | { readonly edit: 'setBase'; readonly base: KernelBase }
  | { readonly edit: 'setHost'; readonly host: HostProfile }
  | { readonly edit: 'setCpu'; readonly cpu: CpuModelId }
  | { readonly edit: 'setGic'; readonly gic: GicVersion }
  | { readonly edit: 'setIts'; readonly its: boolean }
  | { readonly edit: 'setMemory'; readonly memory: number }
  | { readonly edit: 'setGuest'; readonly guest: GuestChoice }
  /** `undefined`: what the rest of the document asks for. */
  | { readonly edit: 'setPlan'; readonly plan: readonly string[] | undefined }
  /** Several at once, in order: one step for undo. */
  | { readonly edit: 'several'; readonly edits: readonly Edit[] }

export type Edited =
  | { readonly ok: true; readonly blueprint: Blueprint; readonly inverse: Edit }
  | { readonly ok: false; readonly what: string }

const wrong = (what: string): Edited => ({ ok: false, what })
const done = (blueprint: Blueprint, inverse: Edit): Edited => ({ ok: true, blueprint, inverse })

/** Edits of the two maps of a blueprint. */
type EntryEdit = Extract<Edit, { readonly edit: 'setAffinity' | 'setRoute' }>
const isEntry = (edit: Edit): edit is EntryEdit => edit.edit === 'setAffinity' || edit.edit === 'setRoute'

const outOfRange = (affinity: Affinity | undefined): boolean => affinity !== undefined && affinity !== affinity >>> 0

const setVcpus = (blueprint: Blueprint, vcpus: number): Edited => {
  const max = maxVcpus(blueprint.gic)
  if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > max) {
    const kind = blueprint.gic === 2 ? ' with a GICv2' : ''
    return wrong(`A machine${kind} has 1 to ${max} vCPUs; ${vcpus} is not among them.`)
  }
  const lost = Object.entries(blueprint.affinities).filter(([index]) => Number(index) >= vcpus)
  const affinities = Object.fromEntries(Object.entries(blueprint.affinities).filter(([index]) => Number(index) < vcpus))
  return done(
    { ...blueprint, vcpus, affinities },
    {
      edit: 'several',
      edits: [
        { edit: 'setVcpus', vcpus: blueprint.vcpus },
        ...lost.map(([index, affinity]): Edit => ({ edit: 'setAffinity', vcpu: Number(index), affinity })),
      ],
    },
  )
}

/** Why an entry cannot be. */
const wrongEntry = (blueprint: Blueprint, edit: EntryEdit): string | undefined => {
  if (edit.edit === 'setAffinity') {
    const { vcpu, affinity } = edit
    if (!Number.isInteger(vcpu) || vcpu < 0 || vcpu >= blueprint.vcpus)
      return `There is no vCPU ${vcpu}: this machine has 0 to ${blueprint.vcpus - 1}.`
    return outOfRange(affinity) ? `The affinity of vCPU ${vcpu} must fit 32 bits; it is ${affinity}.` : undefined
  }
  const { intid, affinity } = edit
  if (!Number.isInteger(intid) || intid < FIRST_SPI || intid >= NR_IRQS)
    return `INTID ${intid} is not an SPI of this machine: it has ${FIRST_SPI} to ${NR_IRQS - 1}.`
  if (affinity !== undefined && blueprint.gic === 2) return `INTID ${intid} cannot be routed: ${NO_ROUTES}.`
  return outOfRange(affinity) ? `The route of INTID ${intid} must fit 32 bits; it is ${affinity}.` : undefined
}

/** As many as there are with one copy of the maps: a topology of 512 CPUs is 512 of them. */
const setEntries = (blueprint: Blueprint, edits: readonly EntryEdit[]): Edited => {
  const affinities = new Map(Object.entries(blueprint.affinities))
  const routes = new Map(Object.entries(blueprint.routes))
  const inverses: Edit[] = []
  for (const edit of edits) {
    const what = wrongEntry(blueprint, edit)
    if (what !== undefined) return wrong(what)
    const isAffinity = edit.edit === 'setAffinity'
    const map = isAffinity ? affinities : routes
    const key = String(isAffinity ? edit.vcpu : edit.intid)
    const to = isAffinity && edit.affinity === resetAffinity(edit.vcpu) ? undefined : edit.affinity
    inverses.push({ ...edit, affinity: map.get(key) })
    if (to === undefined) map.delete(key)
    else map.set(key, to)
  }
  const [first] = inverses
  const inverse: Edit =
    inverses.length === 1 && first !== undefined ? first : { edit: 'several', edits: inverses.toReversed() }
  const made = { ...blueprint, affinities: Object.fromEntries(affinities), routes: Object.fromEntries(routes) }
  return done(made, inverse)
}

/** Entries that follow each other are made together. */
const runsOf = (edits: readonly Edit[]): readonly (Edit | readonly EntryEdit[])[] => {
  const runs: (Edit | EntryEdit[])[] = []
  for (const edit of edits) {
    const last = runs.at(-1)
    if (isEntry(edit) && Array.isArray(last)) last.push(edit)
    else runs.push(isEntry(edit) ? [edit] : edit)
  }
  return runs
}

const several = (blueprint: Blueprint, edits: readonly Edit[]): Edited => {
  const inverses: Edit[] = []
  let current = blueprint
  for (const run of runsOf(edits)) {
    const result = 'edit' in run ? applyEdit(current, run) : setEntries(current, run)
    if (!result.ok) return result
    current = result.blueprint
    inverses.unshift(result.inverse)
  }
  return done(current, { edit: 'several', edits: inverses })
}

/** The routes of a GICv3 do not fit a GICv2, nor does its ITS; with the inverse they come back. */
const setGic = (blueprint: Blueprint, gic: GicVersion): Edited => {
  if (blueprint.vcpus > maxVcpus(gic)) {
    return wrong(`A GICv${gic} serves ${maxVcpus(gic)} CPUs; this machine has ${blueprint.vcpus}.`)
  }
  const lost = gic === 2 ? Object.entries(blueprint.routes) : []
  return done(
    { ...blueprint, gic, its: gic === 3 && blueprint.its, routes: gic === 2 ? {} : blueprint.routes },
    {
      edit: 'several',
      edits: [
        { edit: 'setGic', gic: blueprint.gic },
        ...(blueprint.its ? [{ edit: 'setIts', its: true } as const] : []),
        ...lost.map(([intid, affinity]): Edit => ({ edit: 'setRoute', intid: Number(intid), affinity })),
      ],
    },
  )
}

/** A GIC of this version, on a host that can emulate it: the nearest, where the blueprint's cannot. */
export const chooseGic = ({ host }: Pick<Blueprint, 'host'>, gic: GicVersion): Edit => {
  const able = gic === 2 ? canRunGicV2(host) : hasGicV3(host)
  const edits: Edit[] = [{ edit: 'setGic', gic }]
  if (!able) edits.unshift({ edit: 'setHost', host: { ...host, gic: '3+2' } })
  return { edit: 'several', edits }
}

/** The blueprint after an edit, and the edit that takes it back. */
export const applyEdit = (blueprint: Blueprint, edit: Edit): Edited => {
  switch (edit.edit) {
    case 'setAffinity':
    case 'setRoute':
      return setEntries(blueprint, [edit])
    case 'setIts':
      if (edit.its && blueprint.gic === 2) return wrong(`This machine cannot have an ITS: ${NO_ITS}.`)
      return done({ ...blueprint, its: edit.its }, { edit: 'setIts', its: blueprint.its })
    case 'setVcpus':
      return setVcpus(blueprint, edit.vcpus)
    case 'setRuleSet':
      return done({ ...blueprint, ruleSet: edit.ruleSet }, { edit: 'setRuleSet', ruleSet: blueprint.ruleSet })
    case 'setBase':
      return done({ ...blueprint, base: edit.base }, { edit: 'setBase', base: blueprint.base })
    case 'setHost':
      return done({ ...blueprint, host: edit.host }, { edit: 'setHost', host: blueprint.host })
    case 'setCpu':
      return done({ ...blueprint, cpu: edit.cpu }, { edit: 'setCpu', cpu: blueprint.cpu })
    case 'setGic':
      return setGic(blueprint, edit.gic)
    case 'setMemory': {
      const { memory } = edit
      if (!Number.isInteger(memory) || memory < MEMORY.min || memory > MEMORY.max || memory % MEMORY.step !== 0) {
        const [min, max] = [MEMORY.min, MEMORY.max].map((bytes) => bytes / MEMORY.step)
        return wrong(`RAM is ${min} to ${max} whole MiB; ${memory} bytes is not.`)
      }
      return done({ ...blueprint, memory }, { edit: 'setMemory', memory: blueprint.memory })
    }
    case 'setGuest':
      return done({ ...blueprint, guest: edit.guest }, { edit: 'setGuest', guest: blueprint.guest })
    case 'setPlan': {
      const { plan: before, ...rest } = blueprint
      const { plan } = edit
      return done(plan === undefined ? rest : { ...rest, plan }, { edit: 'setPlan', plan: before })
    }
    case 'several':
      return several(blueprint, edit.edits)
  }
}
