/** What a person sees of an ITS and of LPIs. Reading it never changes anything. */
import { NONE } from '../irq.ts'
import type { Its } from './its.ts'
import type { LpiWorld } from './translation.ts'

/** A guest may have hundreds of thousands of translations; a person looks at so many, and at how many there are. */
export const SHOWN = 1000

export interface DeviceInspection {
  readonly id: number
  readonly ittAddress: number
  readonly eventBits: number
  /** How many of its events are translated. */
  readonly events: number
}

export interface CollectionInspection {
  readonly id: number
  /** Index of its vCPU; `undefined`: it is not mapped. */
  readonly cpu: number | undefined
}

export interface TranslationInspection {
  readonly device: number
  readonly event: number
  readonly intid: number
  /** `undefined`: its collection was unmapped. */
  readonly collection: number | undefined
}

/** The first of each; how many there are stands beside them. */
export interface ItsInspection {
  readonly enabled: boolean
  readonly quiescent: boolean
  readonly cbaser: bigint
  readonly cwriter: number
  readonly creadr: number
  /** GITS_BASER0 and GITS_BASER1. */
  readonly deviceTable: bigint
  readonly collectionTable: bigint
  readonly deviceCount: number
  readonly collectionCount: number
  readonly translationCount: number
  readonly devices: readonly DeviceInspection[]
  readonly collections: readonly CollectionInspection[]
  readonly translations: readonly TranslationInspection[]
}

export interface LpiInspection {
  readonly intid: number
  readonly enabled: boolean
  readonly pending: boolean
  readonly priority: number
  /** Index of the vCPU it goes to. */
  readonly target: number | undefined
  /** How many events are translated to it. */
  readonly mappings: number
}

const first = <From, To>(all: Iterable<From>, show: (one: From) => To): To[] => {
  const shown: To[] = []
  for (const one of all) {
    if (shown.length === SHOWN) break
    shown.push(show(one))
  }
  return shown
}

const translationsOf = (its: Its): TranslationInspection[] => {
  const shown: TranslationInspection[] = []
  for (const device of its.translations.devices.values()) {
    for (const { event, irq, collection } of device.events.values()) {
      if (shown.length === SHOWN) return shown
      shown.push({ device: device.id, event, intid: irq.intid, collection: collection?.id })
    }
  }
  return shown
}

export const inspectIts = (its: Its): ItsInspection => {
  const { translations } = its
  return {
    enabled: its.enabled,
    quiescent: its.quiescent,
    cbaser: its.cbaser,
    cwriter: Number(its.cwriter),
    creadr: Number(its.creadr),
    deviceTable: its.baser('devices'),
    collectionTable: its.baser('collections'),
    deviceCount: translations.devices.size,
    collectionCount: translations.collections.size,
    translationCount: translations.count,
    devices: first(translations.devices.values(), ({ id, ittAddress, eventBits, events }) => ({
      id,
      ittAddress,
      eventBits,
      events: events.size,
    })),
    collections: first(translations.collections.values(), (collection) => {
      const cpu = translations.target(collection)
      return { id: collection.id, cpu: cpu === NONE ? undefined : cpu }
    }),
    translations: translationsOf(its),
  }
}

export const inspectLpis = ({ state }: LpiWorld): LpiInspection[] => {
  const shown: LpiInspection[] = []
  state.forEachLpi(({ intid, enabled, latch, priority, target, mappings }) => {
    if (shown.length === SHOWN) return
    shown.push({ intid, enabled, pending: latch, priority, target: target === NONE ? undefined : target, mappings })
  })
  return shown
}
