/** From options to a blueprint: a document or a scenario first, then what the options say about it. */
import { readFileSync } from 'node:fs'
import { parseAffinity } from '../pure/arch/affinity.ts'
import type { Affinity } from '../pure/arch/affinity.ts'
import { GIC_VERSIONS, defaultBlueprint, parseBlueprint } from '../pure/blueprint/blueprint.ts'
import type { Blueprint, ParsedBlueprint } from '../pure/blueprint/blueprint.ts'
import { applyEdit, chooseGic } from '../pure/blueprint/edits.ts'
import { HOST_PRESETS, decodeIchVtr } from '../pure/blueprint/host.ts'
import { SCENARIOS } from '../pure/scenarios/library.ts'
import type { Options } from './options.ts'

const wrong = (what: string): { ok: false; what: string } => ({ ok: false, what })

const because = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const fromFile = (file: string): ParsedBlueprint => {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return wrong(`${file} is no blueprint: ${because(error)}`)
  }
  const parsed = parseBlueprint(json)
  return parsed.ok ? parsed : wrong(`${file}: ${parsed.what}`)
}

const fromScenario = (id: string): ParsedBlueprint => {
  const scenario = SCENARIOS.find((each) => each.id === id)
  if (scenario === undefined) {
    return wrong(`--scenario: there is no "${id}"; there are ${SCENARIOS.map((each) => each.id).join(', ')}.`)
  }
  let blueprint = defaultBlueprint
  for (const edit of scenario.edits) {
    const edited = applyEdit(blueprint, edit)
    if (!edited.ok) throw new Error(`scenario ${id}: ${edited.what}`)
    blueprint = edited.blueprint
  }
  return { ok: true, blueprint }
}

const start = (options: Options): ParsedBlueprint => {
  if (options.blueprint !== undefined) return fromFile(options.blueprint)
  if (options.scenario !== undefined) return fromScenario(options.scenario)
  return { ok: true, blueprint: defaultBlueprint }
}

/** The fields of `--host`; the values go through the blueprint's own reader. */
const HOST_FIELDS: Readonly<Record<string, (value: string) => Readonly<Record<string, unknown>>>> = {
  gic: (value) => ({ gic: value }),
  a3v: (value) => ({ a3v: truth(value) }),
  pribits: (value) => ({ priBits: number(value) }),
  idbits: (value) => ({ idBits: number(value) }),
  seis: (value) => ({ seis: truth(value) }),
  listregs: (value) => ({ listRegs: number(value) }),
  ipabits: (value) => ({ ipaBits: number(value) }),
  vtr: (value) => decodeIchVtr(Number(value)),
}

const truth = (text: string): unknown => (text === '1' ? true : text === '0' ? false : text)
const number = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text)

type Fields = Readonly<Record<string, unknown>>
type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly what: string }

/** A host that was not asked for is one that can emulate the GIC that was. */
const hostFor = (blueprint: Blueprint, gic: unknown): Fields => {
  const version = GIC_VERSIONS.find((known) => known === gic)
  const edited = version === undefined ? undefined : applyEdit(blueprint, chooseGic(blueprint, version))
  return { ...(edited?.ok === true ? edited.blueprint.host : blueprint.host) }
}

const hostOf = (blueprint: Blueprint, text: string | undefined, gic: unknown): Read<Fields> => {
  if (text === undefined) return { ok: true, value: hostFor(blueprint, gic) }
  let host: Fields = { ...blueprint.host }
  for (const part of text.split(',')) {
    const preset = Object.entries(HOST_PRESETS).find(([name]) => name === part)?.[1]
    const [key = '', value] = part.split('=')
    const field = HOST_FIELDS[key]
    if (key === 'vtr' && !/^0x[0-9a-f]{1,8}$/i.test(value ?? '')) {
      return wrong(`--host: vtr is a value of ICH_VTR_EL2 such as 0x90200003, not "${value ?? ''}".`)
    }
    if (preset !== undefined) host = { ...preset }
    else if (field !== undefined && value !== undefined) host = { ...host, ...field(value) }
    else {
      return wrong(
        `--host: "${part}" is neither a preset (${Object.keys(HOST_PRESETS).join(', ')}) nor a field ` +
          `(${Object.keys(HOST_FIELDS).join(', ')}) with its value.`,
      )
    }
  }
  return { ok: true, value: host }
}

const affinitiesOf = (blueprint: Blueprint, vcpus: number, texts: readonly string[]): Read<Fields> => {
  // Fewer vCPUs than the document has: what it says about the others goes with them.
  const affinities: Record<string, Affinity> = Object.fromEntries(
    Object.entries(blueprint.affinities).filter(([index]) => Number(index) < vcpus),
  )
  for (const text of texts) {
    const [, index, value] = /^(\d+)=(.+)$/.exec(text) ?? []
    if (index === undefined || value === undefined) return wrong(`--mpidr: "${text}" is not CPU=VALUE.`)
    const parsed = parseAffinity(value)
    if (!parsed.ok) return wrong(`--mpidr ${text}: ${parsed.what}`)
    affinities[Number(index)] = parsed.affinity
  }
  return { ok: true, value: affinities }
}

/** Where a machine goes on may be another host, under other rules. */
const MOVABLE = ['ruleSet', 'base', 'host'] as const satisfies readonly (keyof Blueprint)[]

/** The machine a snapshot goes on with: its own, on the host and under the rules that are asked for. */
export const restoredBlueprint = (options: Options, saved: Blueprint): ParsedBlueprint => {
  const asked = blueprintOf(options, saved)
  if (!asked.ok) return asked
  const movable = new Set<string>(MOVABLE)
  const was = new Map<string, unknown>(Object.entries(saved))
  const other = Object.entries(asked.blueprint).find(
    ([field, value]) => !movable.has(field) && JSON.stringify(value) !== JSON.stringify(was.get(field)),
  )
  if (other === undefined) return asked
  const [field, value] = other
  return wrong(`--restore: the snapshot's ${field} is ${JSON.stringify(was.get(field))}, not ${JSON.stringify(value)}.`)
}

const guestIdOf = (blueprint: Blueprint, { kernel, guest }: Options): string => {
  if (kernel !== undefined) return 'own'
  return guest === 'linux' ? defaultBlueprint.guest.id : (guest ?? blueprint.guest.id)
}

/** `saved`: of a machine that goes on; then only what KVM and the host are may be other. */
export const blueprintOf = (options: Options, saved?: Blueprint): ParsedBlueprint => {
  const from: ParsedBlueprint = saved === undefined ? start(options) : { ok: true, blueprint: saved }
  if (!from.ok) return from
  const { blueprint } = from
  const vcpus = options.smp ?? blueprint.vcpus
  const gic = options.gic === undefined ? blueprint.gic : number(options.gic)
  const host = hostOf(blueprint, options.host, options.gic === undefined ? undefined : gic)
  if (!host.ok) return host
  const affinities = affinitiesOf(blueprint, vcpus, options.mpidr)
  if (!affinities.ok) return affinities
  const append = [blueprint.guest.append, options.append].filter((part) => part !== '').join(' ')
  return parseBlueprint({
    ...blueprint,
    ruleSet: options.rules ?? blueprint.ruleSet,
    base: options.base ?? blueprint.base,
    host: host.value,
    cpu: options.cpu ?? blueprint.cpu,
    gic,
    its: options.its || blueprint.its,
    vcpus,
    affinities: affinities.value,
    memory: options.memory ?? blueprint.memory,
    guest: { id: guestIdOf(blueprint, options), append },
  })
}
