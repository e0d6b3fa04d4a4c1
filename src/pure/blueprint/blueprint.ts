/** The machine as a document: what a person edits, what a link carries, what a plan builds. */
import { Wrong, integer, onlyKnown, oneOf, quoted, readWith, record, truth } from '../../base/reader.ts'
import { mpidrOf as mpidrWithAffinity, resetAffinity, resetMpidr } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { CPU_MODEL_IDS } from '../arch/cpu/models.ts'
import type { CpuModelId } from '../arch/cpu/models.ts'
import { GIC_V2_MAX_CPUS } from '../arch/gic/gicd-v2.ts'
import { FIRST_SPI } from '../arch/intid.ts'
import { parseCall } from '../uapi/call-parser.ts'
import { HOST_FIELDS, HOST_GICS, HOST_PRESETS, KERNEL_BASES, RULE_SETS } from './host.ts'
import type { HostProfile, KernelBase, RuleSetId } from './host.ts'

/** The guests that are prepared, and a person's own. */
export const GUEST_IDS = ['linux-6.1', 'linux-6.12', 'gicsh', 'own'] as const

export interface GuestChoice {
  readonly id: (typeof GUEST_IDS)[number]
  /** Added to the guest's own command line. */
  readonly append: string
}

export interface Blueprint {
  readonly version: 1
  readonly ruleSet: RuleSetId
  readonly base: KernelBase
  readonly host: HostProfile
  /** What every CPU is. A document without it means a Cortex-A57. */
  readonly cpu: CpuModelId
  /** The version of the interrupt controller. */
  readonly gic: GicVersion
  /** An interrupt translation service, which only a GICv3 has. A document without it means none. */
  readonly its: boolean
  /** 1 to 512; with a GICv2, to 8. */
  readonly vcpus: number
  /** By vCPU index, only where it is not KVM's default. */
  readonly affinities: Readonly<Record<number, Affinity>>
  /** GICD_IROUTER by INTID, written by the VMM before the first run. */
  readonly routes: Readonly<Record<number, Affinity>>
  /** Bytes of RAM. */
  readonly memory: number
  readonly guest: GuestChoice
  /** The VMM's calls, a line each as `callText` has them, where a person wrote them; `#` puts a line out of use. */
  readonly plan?: readonly string[]
}

/** KVM_MAX_VCPUS with a vGICv3 (arch/arm64/include/asm/kvm_host.h). */
export const MAX_VCPUS = 512

/** The models of KVM's vGIC. */
export const GIC_VERSIONS = [2, 3] as const
export type GicVersion = (typeof GIC_VERSIONS)[number]

/** As many vCPUs as a GIC serves. */
export const maxVcpus = (gic: GicVersion): number => (gic === 2 ? GIC_V2_MAX_CPUS : MAX_VCPUS)

/** What a GICv2 makes of routes by affinity. */
export const NO_ROUTES = 'a GICv2 has no GICD_IROUTER: its SPIs have target masks, which the guest writes'
/** What a GICv2 makes of messages. */
export const NO_ITS = 'a GICv2 has no LPIs that an ITS could raise'
/** What the VMM writes to KVM_DEV_ARM_VGIC_GRP_NR_IRQS: QEMU's `virt` has 256 SPIs. */
export const NR_IRQS = 288
const MIB = 2 ** 20
export const MEMORY = { min: 16 * MIB, max: 3072 * MIB, step: MIB } as const
const MAX_AFFINITY = 0xffff_ffff
const MAX_APPEND = 2048

export const defaultBlueprint: Blueprint = {
  version: 1,
  ruleSet: 'mainline',
  base: '6.12',
  host: HOST_PRESETS.H1,
  cpu: 'cortex-a57',
  gic: 3,
  its: false,
  vcpus: 4,
  affinities: {},
  routes: {},
  memory: 256 * MIB,
  guest: { id: 'linux-6.1', append: '' },
}

/** The affinity a vCPU is to have: the blueprint's, or what KVM gives it. */
export const affinityIn = (blueprint: Blueprint, index: number): Affinity =>
  blueprint.affinities[index] ?? resetAffinity(index)

/** The MPIDR_EL1 a vCPU is to have. */
export const mpidrOf = (blueprint: Blueprint, index: number): bigint => {
  const affinity = blueprint.affinities[index]
  return affinity === undefined ? resetMpidr(index) : mpidrWithAffinity(affinity)
}

export type ParsedBlueprint =
  | { readonly ok: true; readonly blueprint: Blueprint }
  | { readonly ok: false; readonly what: string }

const affinity = (field: string, value: unknown): Affinity => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_AFFINITY) {
    throw new Wrong(
      `${field} must be an affinity from 0 (0.0.0.0) to ${MAX_AFFINITY} (ff.ff.ff.ff); it is ${quoted(value)}.`,
    )
  }
  return value
}

/** A host profile inside a document that is being read. */
export const readHost = (value: unknown): HostProfile => {
  const host = record('host', value)
  onlyKnown('host', host, HOST_FIELDS)
  return {
    gic: oneOf('host.gic', HOST_GICS, host.get('gic')),
    a3v: truth('host.a3v', host.get('a3v')),
    priBits: integer('host.priBits', 5, 8, host.get('priBits')),
    idBits: oneOf('host.idBits', [16, 24], host.get('idBits')),
    seis: truth('host.seis', host.get('seis')),
    listRegs: integer('host.listRegs', 1, 16, host.get('listRegs')),
    ipaBits: integer('host.ipaBits', 32, 52, host.get('ipaBits')),
  }
}

const readByNumber = (
  field: string,
  key: { readonly name: string; readonly min: number; readonly max: number },
  value: unknown,
): Record<number, Affinity> => {
  const all: Record<number, Affinity> = {}
  for (const [text, entry] of record(field, value)) {
    const index = /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN
    if (!(index >= key.min && index <= key.max)) {
      throw new Wrong(`${field} names ${key.name} "${text}"; this machine has ${key.name} ${key.min} to ${key.max}.`)
    }
    all[index] = affinity(`${field}[${index}]`, entry)
  }
  return all
}

const readMemory = (value: unknown): number => {
  if (typeof value === 'number' && value < MEMORY.min) {
    throw new Wrong(`memory is too small: ${value} bytes; a guest needs at least ${MEMORY.min / MIB} MiB.`)
  }
  const memory = integer('memory', MEMORY.min, MEMORY.max, value, ' bytes')
  if (memory % MEMORY.step !== 0) throw new Wrong(`memory must be a whole number of MiB; it is ${memory} bytes.`)
  return memory
}

const readGuest = (value: unknown): GuestChoice => {
  const guest = record('guest', value)
  onlyKnown('guest', guest, ['id', 'append'])
  const append = guest.get('append')
  if (typeof append !== 'string') throw new Wrong(`guest.append must be text; it is ${quoted(append)}.`)
  if (append.length > MAX_APPEND) {
    throw new Wrong(`guest.append has ${append.length} characters; at most ${MAX_APPEND} fit the command line.`)
  }
  return { id: oneOf('guest.id', GUEST_IDS, guest.get('id')), append }
}

/** Four calls for each of 512 vCPUs, and room. */
const MAX_PLAN = 4096
const MAX_LINE = 400

/** Whether a line of a plan is out of use. */
export const isOff = (line: string): boolean => line.trim() === '' || line.trimStart().startsWith('#')

const readPlan = (value: unknown): readonly string[] => {
  if (!Array.isArray(value)) throw new Wrong(`plan must be a list of lines; it is ${quoted(value)}.`)
  if (value.length > MAX_PLAN) throw new Wrong(`plan has ${value.length} lines; at most ${MAX_PLAN} are taken.`)
  return value.map((line: unknown, i) => {
    if (typeof line !== 'string' || line.length > MAX_LINE) {
      throw new Wrong(`plan[${i}] must be a line of at most ${MAX_LINE} characters; it is ${quoted(line)}.`)
    }
    const parsed = isOff(line) ? undefined : parseCall(line)
    if (parsed?.ok === false) throw new Wrong(`plan[${i}]: ${parsed.what}`)
    return line
  })
}

const BLUEPRINT_FIELDS = [...Object.keys(defaultBlueprint), 'plan']

const read = (value: unknown): Blueprint => {
  const map = record('The blueprint', value)
  const version = map.get('version')
  if (version !== 1) throw new Wrong(`version must be 1, the only one there is; it is ${quoted(version)}.`)
  onlyKnown('The blueprint', map, BLUEPRINT_FIELDS)
  const gic = oneOf('gic', GIC_VERSIONS, map.get('gic') ?? defaultBlueprint.gic)
  const vcpus = integer('vcpus', 1, maxVcpus(gic), map.get('vcpus'), gic === 2 ? ' with a GICv2' : '')
  const overrides = readByNumber('affinities', { name: 'vCPU', min: 0, max: vcpus - 1 }, map.get('affinities'))
  const routes = readByNumber('routes', { name: 'INTID', min: FIRST_SPI, max: NR_IRQS - 1 }, map.get('routes'))
  if (gic === 2 && Object.keys(routes).length > 0) throw new Wrong(`routes must be empty: ${NO_ROUTES}.`)
  const its = truth('its', map.get('its') ?? defaultBlueprint.its)
  if (gic === 2 && its) throw new Wrong(`its must be false: ${NO_ITS}.`)
  return {
    version,
    ruleSet: oneOf('ruleSet', RULE_SETS, map.get('ruleSet')),
    base: oneOf('base', KERNEL_BASES, map.get('base')),
    host: readHost(map.get('host')),
    cpu: oneOf('cpu', CPU_MODEL_IDS, map.get('cpu') ?? defaultBlueprint.cpu),
    gic,
    its,
    vcpus,
    affinities: overrides,
    routes,
    memory: readMemory(map.get('memory')),
    guest: readGuest(map.get('guest')),
    ...(map.get('plan') === undefined ? {} : { plan: readPlan(map.get('plan')) }),
  }
}

/** Reads a document from outside; says in one sentence what is wrong with it. */
export const parseBlueprint = (value: unknown): ParsedBlueprint =>
  readWith(() => ({ ok: true, blueprint: read(value) }))

/** A blueprint inside a document that is being read. */
export const readBlueprint = read
