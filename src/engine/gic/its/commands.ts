/**
 * What each command does (GIC architecture IHI 0069, 5.3; arch/arm64/kvm/vgic/vgic-its.c: vgic_its_handle_command()).
 * One that cannot be done is skipped: KVM's ITS neither stalls nor raises an error.
 */
import { commandName, commandValue } from '../../../pure/arch/gic/its-commands.ts'
import type { CommandWords, ItsCommandName, ItsError } from '../../../pure/arch/gic/its-commands.ts'
import { ENTRY_BYTES } from '../../../pure/arch/gic/its-tables.ts'
import { FIRST_LPI } from '../../../pure/arch/intid.ts'
import type { GuestMemory } from '../../bus/guest-memory.ts'
import type { Effort } from '../effort.ts'
import { NONE } from '../irq.ts'
import type { VgicIrq } from '../irq.ts'
import { entryAddress } from './guest-tables.ts'
import type { Table } from './guest-tables.ts'
import { MAX_TRANSLATIONS } from './translation.ts'
import type { Device, LpiWorld, Translations } from './translation.ts'

/** VITS_TYPER_IDBITS: bits of an EventID. */
export const EVENT_ID_BITS = 16

export interface CommandContext {
  readonly memory: GuestMemory
  readonly effort: Effort
  readonly translations: Translations
  readonly world: () => LpiWorld
  readonly enabled: () => boolean
  readonly devices: () => Table
  readonly collections: () => Table
  /** The CPU behind an RDbase. */
  readonly cpuOf: (rdbase: number) => number | undefined
}

type Outcome = ItsError | undefined
type Handler = (c: CommandContext, words: CommandWords) => Outcome

/** Whether an EventID has a place in its device's table: vgic_its_check_event_id(). */
export const eventFits = (memory: GuestMemory, { eventBits, ittAddress }: Device, event: number): boolean =>
  event < 2 ** eventBits && memory.has(ittAddress + event * ENTRY_BYTES)

/** The LPI of an event whose collection has a CPU that takes LPIs: vgic_its_resolve_lpi(). */
export const resolve = (c: CommandContext, device: number, event: number): VgicIrq | ItsError => {
  if (!c.enabled()) return 'NOT_ENABLED'
  const translation = c.translations.find(device, event)
  const cpu = c.translations.target(translation?.collection)
  if (translation === undefined || cpu === NONE) return 'INT_UNMAPPED_INTERRUPT'
  return c.world().lpis.enabled(cpu) ? translation.irq : 'NOT_ENABLED'
}

const mapDevice: Handler = (c, words) => {
  const id = commandValue('MAPD', 'DeviceID', words)
  const valid = commandValue('MAPD', 'V', words) === 1
  const eventBits = commandValue('MAPD', 'Size', words)
  const entry = entryAddress(c.memory, c.devices(), id)
  if (entry === undefined) return 'MAPD_DEVICE_OOR'
  if (valid && eventBits > EVENT_ID_BITS) return 'MAPD_ITTSIZE_OOR'
  const before = c.translations.devices.get(id)
  if (before !== undefined) {
    c.effort.spend(before.events.size)
    c.translations.removeDevice(before)
  }
  if (valid) c.translations.addDevice(id, commandValue('MAPD', 'ITT_addr', words), eventBits)
  else c.memory.writeDoubleword(entry, 0n)
  return undefined
}

const mapCollection: Handler = (c, words) => {
  const { translations, effort } = c
  const id = commandValue('MAPC', 'ICID', words)
  const before = translations.collections.get(id)
  effort.spend(before?.members.size ?? 0)
  if (commandValue('MAPC', 'V', words) === 0) {
    if (before !== undefined) translations.removeCollection(before)
    return undefined
  }
  const rdbase = commandValue('MAPC', 'RDbase', words)
  if (c.cpuOf(rdbase) === undefined) return 'MAPC_PROCNUM_OOR'
  if (before !== undefined) {
    translations.moveCollection(before, rdbase)
    return undefined
  }
  if (entryAddress(c.memory, c.collections(), id) === undefined) return 'MAPC_COLLECTION_OOR'
  translations.addCollection(id, rdbase)
  return undefined
}

/** An event that is translated already stays as it is; a collection that is not mapped yet is remembered as such. */
const mapEvent = (c: CommandContext, deviceId: number, event: number, intid: number, icid: number): Outcome => {
  const { translations, memory } = c
  const device = translations.devices.get(deviceId)
  if (device === undefined) return 'MAPTI_UNMAPPED_DEVICE'
  if (!eventFits(memory, device, event)) return 'MAPTI_ID_OOR'
  if (intid < FIRST_LPI || intid >= c.world().lpis.limit) return 'MAPTI_PHYSICALID_OOR'
  if (device.events.has(event)) return undefined
  if (translations.count >= MAX_TRANSLATIONS) return 'TOO_MANY'
  const known = translations.collections.get(icid)
  if (known === undefined && entryAddress(memory, c.collections(), icid) === undefined) return 'MAPC_COLLECTION_OOR'
  const collection = known ?? translations.addCollection(icid, undefined)
  if (translations.add(device, event, intid, collection) !== undefined) return undefined
  if (known === undefined) translations.removeCollection(collection)
  return 'NOT_IN_RAM'
}

const moveAll: Handler = (c, words) => {
  const { translations, effort } = c
  const from = c.cpuOf(commandValue('MOVALL', 'RDbase', words))
  const to = c.cpuOf(commandValue('MOVALL', 'RDbase2', words))
  if (from === undefined || to === undefined) return 'MOVALL_PROCNUM_OOR'
  if (from === to) return undefined
  const { state } = c.world()
  effort.spend(state.lpiPlaces)
  state.batch(() =>
    state.forEachLpi((irq) => {
      if (irq.target === from) translations.retarget(irq, to)
    }),
  )
  return undefined
}

/** The place of the event in its table is zeroed as well, mapped as it was. */
const discard: Handler = (c, words) => {
  const translation = c.translations.find(
    commandValue('DISCARD', 'DeviceID', words),
    commandValue('DISCARD', 'EventID', words),
  )
  if (translation?.collection?.rdbase === undefined) return 'DISCARD_UNMAPPED_INTERRUPT'
  const { device, event } = translation
  c.translations.remove(translation)
  return c.memory.writeDoubleword(device.ittAddress + event * ENTRY_BYTES, 0n) ? undefined : 'NOT_IN_RAM'
}

const HANDLERS: Readonly<Record<ItsCommandName, Handler>> = {
  MAPD: mapDevice,
  MAPC: mapCollection,
  MAPTI: (c, words) =>
    mapEvent(
      c,
      commandValue('MAPTI', 'DeviceID', words),
      commandValue('MAPTI', 'EventID', words),
      commandValue('MAPTI', 'pINTID', words),
      commandValue('MAPTI', 'ICID', words),
    ),
  MAPI: (c, words) => {
    const event = commandValue('MAPI', 'EventID', words)
    return mapEvent(c, commandValue('MAPI', 'DeviceID', words), event, event, commandValue('MAPI', 'ICID', words))
  },
  MOVI: ({ translations }, words) => {
    const translation = translations.find(
      commandValue('MOVI', 'DeviceID', words),
      commandValue('MOVI', 'EventID', words),
    )
    if (translation === undefined) return 'MOVI_UNMAPPED_INTERRUPT'
    const to = translations.collections.get(commandValue('MOVI', 'ICID', words))
    if (translation.collection?.rdbase === undefined || to?.rdbase === undefined) return 'MOVI_UNMAPPED_COLLECTION'
    translations.move(translation, to)
    return undefined
  },
  MOVALL: moveAll,
  DISCARD: discard,
  INV: (c, words) => {
    const translation = c.translations.find(
      commandValue('INV', 'DeviceID', words),
      commandValue('INV', 'EventID', words),
    )
    if (translation === undefined) return 'INV_UNMAPPED_INTERRUPT'
    return c.world().lpis.refresh(translation.irq) ? undefined : 'NOT_IN_RAM'
  },
  INVALL: (c, words) => {
    const cpu = c.translations.target(c.translations.collections.get(commandValue('INVALL', 'ICID', words)))
    if (cpu === NONE) return 'INVALL_UNMAPPED_COLLECTION'
    c.world().lpis.refreshAll(cpu)
    return undefined
  },
  INT: (c, words) => {
    const irq = resolve(c, commandValue('INT', 'DeviceID', words), commandValue('INT', 'EventID', words))
    if (typeof irq === 'string') return irq
    c.world().state.pend(irq)
    return undefined
  },
  CLEAR: (c, words) => {
    const translation = c.translations.find(
      commandValue('CLEAR', 'DeviceID', words),
      commandValue('CLEAR', 'EventID', words),
    )
    if (translation === undefined) return 'CLEAR_UNMAPPED_INTERRUPT'
    c.world().state.unpend(translation.irq)
    return undefined
  },
  // Nothing is ever under way.
  SYNC: () => undefined,
}

export const runCommand = (c: CommandContext, words: CommandWords): Outcome => {
  const name = commandName(words)
  return name === undefined ? 'NO_COMMAND' : HANDLERS[name](c, words)
}
