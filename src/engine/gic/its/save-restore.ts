/**
 * The translations of an ITS in guest memory, and back: KVM_DEV_ARM_ITS_SAVE_TABLES and RESTORE_TABLES, layout 0
 * (arch/arm64/kvm/vgic/vgic-its.c: vgic_its_save_tables_v0(), vgic_its_restore_tables_v0()).
 */
import {
  COLLECTION_TABLE_ENTRY,
  DEVICE_TABLE_ENTRY,
  ENTRY_BYTES,
  ITT_ADDRESS_LSB,
  TABLE_PAGE_BYTES,
  TRANSLATION_ENTRY,
} from '../../../pure/arch/gic/its-tables.ts'
import { FIRST_LPI } from '../../../pure/arch/intid.ts'
import { decodeField, encodeRegister } from '../../../pure/arch/register.ts'
import { refuse } from '../../../pure/rules/points.ts'
import type { Refusal } from '../../../pure/rules/points.ts'
import { EVENT_ID_BITS, eventFits } from './commands.ts'
import { entryAddress, levelTwoPage, tableOf } from './guest-tables.ts'
import type { Its } from './its.ts'
import { MAX_TRANSLATIONS } from './translation.ts'
import type { Collection, Device, Translation } from './translation.ts'

const SAVE = 'arch/arm64/kvm/vgic/vgic-its.c: vgic_its_save_tables_v0()'
const RESTORE = 'arch/arm64/kvm/vgic/vgic-its.c: vgic_its_restore_tables_v0()'
/** COLLECTION_NOT_MAPPED: what a collection entry has for a redistributor when there is none. */
const NOT_MAPPED = 0xffff_ffff
const MAX_NEXT = { device: 2 ** 14 - 1, event: 2 ** 16 - 1 } as const
/** Entries that a restore reads before it gives up: 2^16 devices could share a table of 2^16 entries. */
const MAX_ENTRIES_READ = 2 ** 22

const hex = (value: number): string => `0x${value.toString(16)}`
const outside = (address: number, source: string): Refusal =>
  refuse('EFAULT', `The entry at ${hex(address)} is not in RAM.`, source)

const write = (its: Its, address: number, entry: bigint): Refusal | undefined =>
  its.memory.writeDoubleword(address, entry) ? undefined : outside(address, SAVE)

// Saving

/** How far it is to the next one; 0 after the last. */
const distance = (ids: readonly number[], index: number, cap: number): number => {
  const [here, next] = [ids[index], ids[index + 1]]
  return here === undefined || next === undefined ? 0 : Math.min(next - here, cap)
}

const inOrder = (ids: Iterable<number>): number[] => [...ids].toSorted((a, b) => a - b)

const translationEntry = ({ device, event, irq, collection }: Translation, next: number): bigint | Refusal =>
  collection === undefined
    ? refuse(
        'EINVAL',
        `Event ${event} of device ${hex(device.id)} belongs to no collection: an entry cannot say that (Linux would follow a null pointer).`,
        'arch/arm64/kvm/vgic/vgic-its.c: vgic_its_save_ite()',
      )
    : encodeRegister(TRANSLATION_ENTRY, { next, pINTID: irq.intid, ICID: collection.id })

const saveEvents = (its: Its, device: Device): Refusal | undefined => {
  const events = inOrder(device.events.keys())
  for (const [i, event] of events.entries()) {
    const translation = device.events.get(event)
    if (translation === undefined) continue
    const entry = translationEntry(translation, distance(events, i, MAX_NEXT.event))
    if (typeof entry !== 'bigint') return entry
    const wrong = write(its, device.ittAddress + event * ENTRY_BYTES, entry)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const saveDevices = (its: Its): Refusal | undefined => {
  const table = tableOf(its.baser('devices'))
  if (!table.valid) return undefined
  const ids = inOrder(its.translations.devices.keys())
  for (const [i, id] of ids.entries()) {
    const device = its.translations.devices.get(id)
    const address = entryAddress(its.memory, table, id)
    if (device === undefined) continue
    if (address === undefined) return refuse('EINVAL', `The device table has no place for device ${hex(id)}.`, SAVE)
    const entry = encodeRegister(DEVICE_TABLE_ENTRY, {
      Valid: 1,
      next: distance(ids, i, MAX_NEXT.device),
      ITT_addr: BigInt(device.ittAddress) >> ITT_ADDRESS_LSB,
      Size: device.eventBits - 1,
    })
    const wrong = saveEvents(its, device) ?? write(its, address, entry)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const saveCollections = (its: Its): Refusal | undefined => {
  const table = tableOf(its.baser('collections'))
  if (!table.valid) return undefined
  let address = table.base
  for (const { id, rdbase } of its.translations.collections.values()) {
    const entry = encodeRegister(COLLECTION_TABLE_ENTRY, { Valid: 1, RDBase: rdbase ?? NOT_MAPPED, ICID: id })
    const wrong = write(its, address, entry)
    if (wrong !== undefined) return wrong
    address += ENTRY_BYTES
  }
  return address === table.base + table.bytes ? undefined : write(its, address, 0n)
}

/** Entries that were written before the first refusal stay, as KVM leaves them. */
export const saveTables = (its: Its): Refusal | undefined => saveDevices(its) ?? saveCollections(its)

// Restoring

interface Restoring {
  readonly its: Its
  /** The CPU behind an RDbase. */
  readonly cpuOf: (rdbase: number) => number | undefined
  entriesRead: number
}

const wrongData = (why: string): Refusal => refuse('EINVAL', why, RESTORE)

/** What became of one entry: how far the next one is, 0 after the last. */
type Step = number | Refusal
/** What became of a table: whether its last entry was found, which need not be so in one of several pages. */
type Scan = 'last' | 'end' | Refusal

const read = (r: Restoring, address: number): bigint | Refusal => {
  if (++r.entriesRead > MAX_ENTRIES_READ) {
    return refuse('ENOMEM', `The tables have more than ${MAX_ENTRIES_READ} entries to read.`, RESTORE)
  }
  return r.its.memory.readDoubleword(address) ?? outside(address, RESTORE)
}

/** scan_its_table(). */
const scan = (
  r: Restoring,
  table: { readonly base: number; readonly bytes: number; readonly firstId: number },
  restore: (id: number, entry: bigint) => Step,
): Scan => {
  const entries = table.bytes / ENTRY_BYTES
  for (let index = 0; index < entries;) {
    const entry = read(r, table.base + index * ENTRY_BYTES)
    if (typeof entry !== 'bigint') return entry
    const step = restore(table.firstId + index, entry)
    if (typeof step !== 'number') return step
    if (step === 0) return 'last'
    index += step
  }
  return 'end'
}

/** vgic_its_restore_ite(). */
const restoreEvent = (r: Restoring, device: Device, event: number, entry: bigint): Step => {
  const { translations, memory } = r.its
  const intid = Number(decodeField(TRANSLATION_ENTRY, 'pINTID', entry))
  if (intid === 0) return 1
  const where = `event ${event} of device ${hex(device.id)}`
  if (intid < FIRST_LPI) return wrongData(`INTID ${intid} of ${where} is no LPI.`)
  const next = Number(decodeField(TRANSLATION_ENTRY, 'next', entry))
  if (event + next >= 2 ** device.eventBits) return wrongData(`The entry after ${where} lies beyond its table.`)
  const icid = Number(decodeField(TRANSLATION_ENTRY, 'ICID', entry))
  const collection = translations.collections.get(icid)
  if (collection === undefined) return wrongData(`There is no collection ${icid}, to which ${where} belongs.`)
  if (!eventFits(memory, device, event)) return wrongData(`The entry of ${where} is not in RAM.`)
  if (translations.count >= MAX_TRANSLATIONS) return refuse('ENOMEM', 'Too many events are translated.', RESTORE)
  return translations.add(device, event, intid, collection) === undefined
    ? refuse('EFAULT', `The LPI tables of INTID ${intid} are not in RAM.`, RESTORE)
    : next
}

/** vgic_its_restore_dte(). */
const restoreDevice = (r: Restoring, id: number, entry: bigint): Step => {
  const { its } = r
  if (decodeField(DEVICE_TABLE_ENTRY, 'Valid', entry) === 0n) return 1
  const eventBits = Number(decodeField(DEVICE_TABLE_ENTRY, 'Size', entry)) + 1
  if (eventBits > EVENT_ID_BITS) return wrongData(`Device ${hex(id)} has EventIDs of ${eventBits} bits.`)
  if (entryAddress(its.memory, tableOf(its.baser('devices')), id) === undefined) {
    return wrongData(`The device table has no place for device ${hex(id)}.`)
  }
  const ittAddress = Number(decodeField(DEVICE_TABLE_ENTRY, 'ITT_addr', entry) << ITT_ADDRESS_LSB)
  const before = its.translations.devices.get(id)
  if (before !== undefined) its.translations.removeDevice(before)
  const device = its.translations.addDevice(id, ittAddress, eventBits)
  const table = { base: ittAddress, bytes: 2 ** eventBits * ENTRY_BYTES, firstId: 0 }
  const scanned = scan(r, table, (event, one) => restoreEvent(r, device, event, one))
  if (typeof scanned === 'string') return Number(decodeField(DEVICE_TABLE_ENTRY, 'next', entry))
  its.translations.removeDevice(device)
  return scanned
}

const restoreDevices = (r: Restoring): Refusal | undefined => {
  const table = tableOf(r.its.baser('devices'))
  if (!table.valid) return undefined
  const perPage = TABLE_PAGE_BYTES / ENTRY_BYTES
  const scanned = scan(r, { ...table, firstId: 0 }, (id, entry) => {
    if (!table.indirect) return restoreDevice(r, id, entry)
    const page = levelTwoPage(entry)
    if (page === undefined) return 1
    const second = { base: page, bytes: TABLE_PAGE_BYTES, firstId: id * perPage }
    const found = scan(r, second, (device, one) => restoreDevice(r, device, one))
    if (typeof found !== 'string') return found
    return found === 'last' ? 0 : 1
  })
  if (typeof scanned === 'string') return undefined
  r.its.translations.clearDevices()
  return scanned
}

/** vgic_its_restore_cte(). */
const restoreCollection = (r: Restoring, entry: bigint): Collection | Refusal => {
  const { translations, memory } = r.its
  const rdbase = Number(BigInt.asUintN(32, decodeField(COLLECTION_TABLE_ENTRY, 'RDBase', entry)))
  const id = Number(decodeField(COLLECTION_TABLE_ENTRY, 'ICID', entry))
  if (rdbase !== NOT_MAPPED && r.cpuOf(rdbase) === undefined) {
    return wrongData(`There is no redistributor ${rdbase}, to which collection ${id} is mapped.`)
  }
  if (translations.collections.has(id)) return refuse('EEXIST', `There is a collection ${id} already.`, RESTORE)
  if (entryAddress(memory, tableOf(r.its.baser('collections')), id) === undefined) {
    return wrongData(`The collection table has no place for collection ${id}.`)
  }
  return translations.addCollection(id, rdbase === NOT_MAPPED ? undefined : rdbase)
}

const restoreCollections = (r: Restoring): Refusal | undefined => {
  const table = tableOf(r.its.baser('collections'))
  if (!table.valid) return undefined
  for (let at = table.base; at < table.base + table.bytes; at += ENTRY_BYTES) {
    const entry = read(r, at)
    const restored =
      typeof entry !== 'bigint'
        ? entry
        : decodeField(COLLECTION_TABLE_ENTRY, 'Valid', entry) === 0n
          ? undefined
          : restoreCollection(r, entry)
    if (restored === undefined) return undefined
    if ('ok' in restored) {
      r.its.translations.clearCollections()
      return restored
    }
  }
  return undefined
}

/** A refusal leaves no collections and no devices. */
export const restoreTables = (its: Its, cpuOf: (rdbase: number) => number | undefined): Refusal | undefined => {
  const r: Restoring = { its, cpuOf, entriesRead: 0 }
  const collections = restoreCollections(r)
  if (collections !== undefined) return collections
  const devices = restoreDevices(r)
  if (devices !== undefined) its.translations.clearCollections()
  return devices
}
