/** What the page sees of ITSes and LPIs: the first thousand rows of each kind, and how many there are. */
import * as z from 'zod/mini'

const count = z.number()
/** Which ITS, in the order of their creation. */
const its = count

export const itsUnitView = z.object({
  /** Where the guest has it. */
  base: z.optional(z.number()),
  enabled: z.boolean(),
  /** Whether no command is under way. */
  quiescent: z.boolean(),
  cbaser: z.bigint(),
  cwriter: z.number(),
  creadr: z.number(),
  /** GITS_BASER0 and GITS_BASER1. */
  deviceTable: z.bigint(),
  collectionTable: z.bigint(),
  deviceCount: count,
  collectionCount: count,
  translationCount: count,
})
export type ItsUnitView = z.infer<typeof itsUnitView>

export const itsDeviceView = z.object({ its, id: count, ittAddress: z.number(), eventBits: count, events: count })
export type ItsDeviceView = z.infer<typeof itsDeviceView>

/** `cpu`: index of its vCPU, where it is mapped. */
export const itsCollectionView = z.object({ its, id: count, cpu: z.optional(count) })
export type ItsCollectionView = z.infer<typeof itsCollectionView>

/** An entry of a device's table. `collection`: unless it was unmapped. */
export const itsTranslationView = z.object({
  its,
  device: count,
  event: count,
  intid: count,
  collection: z.optional(count),
})
export type ItsTranslationView = z.infer<typeof itsTranslationView>

export const lpiView = z.object({
  intid: count,
  enabled: z.boolean(),
  pending: z.boolean(),
  priority: z.number(),
  /** Index of the vCPU it goes to. */
  target: z.optional(count),
  /** How many events are translated to it. */
  mappings: count,
})
export type LpiView = z.infer<typeof lpiView>

export const itsView = z.object({
  units: z.array(itsUnitView),
  devices: z.array(itsDeviceView),
  collections: z.array(itsCollectionView),
  translations: z.array(itsTranslationView),
  lpis: z.array(lpiView),
})
export type ItsView = z.infer<typeof itsView>
