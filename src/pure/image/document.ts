/** A saved VM as a JSON document: registers by name, values as 0x and digits. Reading it names what is wrong. */
import { Wrong, bigHex, integer, list, oneOf, onlyKnown, quoted, readWith, record, truth } from '../../base/reader.ts'
import type { NotRead } from '../../base/reader.ts'
import { LAST_SPI, PPI, SGI_COUNT } from '../arch/intid.ts'
import { MAX_VCPUS, readHost } from '../blueprint/blueprint.ts'
import { KERNEL_BASES, RULE_SETS } from '../blueprint/host.ts'
import { VCPU_FEATURES } from '../uapi/calls.ts'
import type { VcpuFeature } from '../uapi/calls.ts'
import { oneRegIdOf } from '../uapi/one-reg.ts'
import type { GicImage, ItsImage, RegionImage, Values, VcpuImage, VmImage } from './image.ts'
import { gicWords, itsRegisters } from './registers.ts'

type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json }

const hex = (value: bigint): string => `0x${value.toString(16)}`

const valuesDocument = (values: Values): Json =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hex(value)]))

export const imageDocument = ({ version, savedOn, vcpus, gic, its }: VmImage): Json => ({
  version,
  savedOn: { ruleSet: savedOn.ruleSet, base: savedOn.base, host: { ...savedOn.host } },
  vcpus: vcpus.map((vcpu) => ({
    id: vcpu.id,
    features: [...vcpu.features],
    ...(vcpu.pmuIrq === undefined ? {} : { pmuIrq: vcpu.pmuIrq }),
    on: vcpu.on,
    registers: valuesDocument(vcpu.registers),
    redistributor: valuesDocument(vcpu.redistributor),
    interface: valuesDocument(vcpu.interface),
  })),
  gic: {
    version: gic.version,
    irqs: gic.irqs,
    distributorBase: gic.distributorBase,
    interfaceBase: gic.interfaceBase,
    regions: gic.regions.map(({ base, count }) => ({ base, count })),
    lpis: gic.lpis,
    distributor: valuesDocument(gic.distributor),
  },
  its: its.map(({ base, registers }) => ({ base, registers: valuesDocument(registers) })),
})

const WIDEST = 128
const MAX_ADDRESS = 2 ** 52

/** Exactly the registers that a machine has: one that is missing or unknown is named. */
const readValues = (field: string, value: unknown, names: readonly string[]): Values => {
  const map = record(field, value)
  const missing = names.find((name) => !map.has(name))
  if (missing !== undefined) throw new Wrong(`${field} has no ${missing}.`)
  const known = new Set(names)
  const extra = [...map.keys()].find((name) => !known.has(name))
  if (extra !== undefined) throw new Wrong(`${field} has "${extra}", which is no register of this machine.`)
  return Object.fromEntries(names.map((name) => [name, bigHex(`${field}.${name}`, WIDEST, map.get(name))]))
}

const namesOf = (words: readonly { readonly name: string }[]): readonly string[] => words.map(({ name }) => name)

/** Which system registers there are is for KVM to say; that they are registers is looked at here. */
const readRegisters = (field: string, value: unknown): Values => {
  const names = [...record(field, value).keys()]
  const unknown = names.find((name) => oneRegIdOf(name) === undefined)
  if (unknown !== undefined) throw new Wrong(`${field} has "${unknown}", which is no register.`)
  for (const needed of ['PC', 'PSTATE', 'MPIDR_EL1']) {
    if (!names.includes(needed)) throw new Wrong(`${field} has no ${needed}.`)
  }
  return readValues(field, value, names)
}

const CTLR = 'ICC_CTLR_EL1'

const readInterface = (field: string, value: unknown, version: 2 | 3): Values => {
  if (version === 2) return readValues(field, value, namesOf(gicWords[2].interface(0n)))
  const ctlr = bigHex(`${field}.${CTLR}`, 64, record(field, value).get(CTLR))
  return readValues(field, value, namesOf(gicWords[3].interface(ctlr)))
}

const VCPU_FIELDS = ['id', 'features', 'pmuIrq', 'on', 'registers', 'redistributor', 'interface'] as const

/** A document of before the PMU was asked for: all that the CPU had was there, and its registers were saved. */
const OF_REGISTER: readonly (readonly [name: string, features: readonly VcpuFeature[]])[] = [
  ['PMCR_EL0', ['PMU_V3']],
  ['APIAKEYLO_EL1', ['PTRAUTH_ADDRESS', 'PTRAUTH_GENERIC']],
]

const given = (
  field: string,
  features: readonly VcpuFeature[],
  vcpu: ReadonlyMap<string, unknown>,
): Pick<VcpuImage, 'features' | 'pmuIrq'> => {
  const names = [...record(`${field}.registers`, vcpu.get('registers')).keys()].map((name) => name.toUpperCase())
  const all = [...new Set([...features, ...OF_REGISTER.flatMap(([name, of]) => (names.includes(name) ? of : []))])]
  if (!all.includes('PMU_V3')) return { features: all }
  const irq = vcpu.get('pmuIrq') ?? PPI.pmu
  return { features: all, pmuIrq: integer(`${field}.pmuIrq`, SGI_COUNT, LAST_SPI, irq) }
}

const readVcpu = (field: string, value: unknown, version: 2 | 3): VcpuImage => {
  const vcpu = record(field, value)
  onlyKnown(field, vcpu, VCPU_FIELDS)
  const features = list(`${field}.features`, vcpu.get('features')).map((one) =>
    oneOf(`${field}.features`, VCPU_FEATURES, one),
  )
  return {
    id: integer(`${field}.id`, 0, MAX_VCPUS - 1, vcpu.get('id')),
    ...given(field, features, vcpu),
    on: truth(`${field}.on`, vcpu.get('on')),
    registers: readRegisters(`${field}.registers`, vcpu.get('registers')),
    redistributor: readValues(
      `${field}.redistributor`,
      vcpu.get('redistributor'),
      namesOf(gicWords[version].redistributor),
    ),
    interface: readInterface(`${field}.interface`, vcpu.get('interface'), version),
  }
}

const readRegion = (field: string, value: unknown): RegionImage => {
  const region = record(field, value)
  onlyKnown(field, region, ['base', 'count'])
  return {
    base: integer(`${field}.base`, 0, MAX_ADDRESS, region.get('base')),
    count: integer(`${field}.count`, 0, 0xfff, region.get('count')),
  }
}

const IRQS = { min: 64, max: 992 } as const
const GIC_FIELDS = ['version', 'irqs', 'distributorBase', 'interfaceBase', 'regions', 'lpis', 'distributor'] as const

const readGic = (value: unknown): GicImage => {
  const gic = record('gic', value)
  onlyKnown('gic', gic, GIC_FIELDS)
  const irqs = integer('gic.irqs', IRQS.min, IRQS.max, gic.get('irqs'))
  if (irqs % 32 !== 0) throw new Wrong(`gic.irqs must be a multiple of 32; it is ${irqs}.`)
  const version = oneOf('gic.version', [2, 3], gic.get('version'))
  return {
    version,
    irqs,
    interfaceBase: integer('gic.interfaceBase', 0, MAX_ADDRESS, gic.get('interfaceBase')),
    distributorBase: integer('gic.distributorBase', 0, MAX_ADDRESS, gic.get('distributorBase')),
    regions: list('gic.regions', gic.get('regions')).map((one, i) => readRegion(`gic.regions[${i}]`, one)),
    lpis: truth('gic.lpis', gic.get('lpis')),
    distributor: readValues('gic.distributor', gic.get('distributor'), namesOf(gicWords[version].distributor(irqs))),
  }
}

const readIts = (field: string, value: unknown): ItsImage => {
  const its = record(field, value)
  onlyKnown(field, its, ['base', 'registers'])
  return {
    base: integer(`${field}.base`, 0, MAX_ADDRESS, its.get('base')),
    registers: readValues(`${field}.registers`, its.get('registers'), namesOf(itsRegisters)),
  }
}

export const readImage = (value: unknown): VmImage => {
  const image = record('The image', value)
  const version = image.get('version')
  if (version !== 1) throw new Wrong(`The image's version must be 1, the only one there is; it is ${quoted(version)}.`)
  onlyKnown('The image', image, ['version', 'savedOn', 'vcpus', 'gic', 'its'])
  const savedOn = record('savedOn', image.get('savedOn'))
  const gic = readGic(image.get('gic'))
  return {
    version,
    savedOn: {
      ruleSet: oneOf('savedOn.ruleSet', RULE_SETS, savedOn.get('ruleSet')),
      base: oneOf('savedOn.base', KERNEL_BASES, savedOn.get('base')),
      host: readHost(savedOn.get('host')),
    },
    vcpus: list('vcpus', image.get('vcpus')).map((one, i) => readVcpu(`vcpus[${i}]`, one, gic.version)),
    gic,
    its: list('its', image.get('its')).map((one, i) => readIts(`its[${i}]`, one)),
  }
}

export const parseImage = (value: unknown): { readonly ok: true; readonly image: VmImage } | NotRead =>
  readWith(() => ({ ok: true, image: readImage(value) }) as const)
