/**
 * What an ITS has been told: devices with the translations of their events, and collections with their redistributors
 * (GIC architecture IHI 0069, 5.2). Like KVM's it keeps them beside the tables in guest memory and trusts only these.
 */
import { NONE } from '../irq.ts'
import type { VgicIrq } from '../irq.ts'
import type { Lpis } from '../lpis.ts'
import type { InterruptState } from '../state.ts'

export interface Device {
  readonly id: number
  /** Where in guest memory its table lies. */
  readonly ittAddress: number
  readonly eventBits: number
  /** By EventID. */
  readonly events: Map<number, Translation>
}

export interface Collection {
  readonly id: number
  /** What MAPC said, as the rules count it; `undefined`: not mapped. */
  rdbase: number | undefined
  readonly members: Set<Translation>
}

export interface Translation {
  readonly device: Device
  readonly event: number
  readonly irq: VgicIrq
  /** `undefined`: its collection was unmapped. */
  collection: Collection | undefined
}

/**
 * Of one ITS. A guest may have 2^32 of them, with tables that lie on top of each other; KVM would fill the host's
 * memory with them until that is refused.
 */
export const MAX_TRANSLATIONS = 2 ** 18

/** What the translations act on: the VM's LPIs, once its vGIC is initialised. */
export interface LpiWorld {
  readonly lpis: Lpis
  readonly state: InterruptState
}

export class Translations {
  readonly devices = new Map<number, Device>()
  readonly collections = new Map<number, Collection>()
  /** How many events are translated. */
  count = 0
  private readonly world: () => LpiWorld
  /** The CPU behind an RDbase. */
  private readonly cpuOf: (rdbase: number) => number | undefined

  constructor(world: () => LpiWorld, cpuOf: (rdbase: number) => number | undefined) {
    this.world = world
    this.cpuOf = cpuOf
  }

  find(device: number, event: number): Translation | undefined {
    return this.devices.get(device)?.events.get(event)
  }

  /** The index of a collection's CPU, or `NONE`. */
  target(collection: Collection | undefined): number {
    return collection?.rdbase === undefined ? NONE : (this.cpuOf(collection.rdbase) ?? NONE)
  }

  addDevice(id: number, ittAddress: number, eventBits: number): Device {
    const device: Device = { id, ittAddress, eventBits, events: new Map() }
    this.devices.set(id, device)
    return device
  }

  removeDevice(device: Device): void {
    for (const translation of device.events.values()) this.release(translation)
    this.devices.delete(device.id)
  }

  addCollection(id: number, rdbase: number | undefined): Collection {
    const collection: Collection = { id, rdbase, members: new Set() }
    this.collections.set(id, collection)
    return collection
  }

  /** Its events stay translated, to no redistributor. */
  removeCollection(collection: Collection): void {
    for (const translation of collection.members) translation.collection = undefined
    this.collections.delete(collection.id)
  }

  /** `undefined`: the LPI's tables are not in RAM. */
  add(device: Device, event: number, intid: number, collection: Collection): Translation | undefined {
    const irq = this.world().lpis.map(intid, this.target(collection))
    if (irq === undefined) return undefined
    const translation: Translation = { device, event, irq, collection }
    device.events.set(event, translation)
    collection.members.add(translation)
    this.count++
    return translation
  }

  remove(translation: Translation): void {
    translation.device.events.delete(translation.event)
    this.release(translation)
  }

  move(translation: Translation, collection: Collection): void {
    translation.collection?.members.delete(translation)
    translation.collection = collection
    collection.members.add(translation)
    this.retarget(translation.irq, this.target(collection))
  }

  /** A collection's redistributor is another. */
  moveCollection(collection: Collection, rdbase: number): void {
    collection.rdbase = rdbase
    const target = this.target(collection)
    const { state } = this.world()
    state.batch(() => {
      for (const { irq } of collection.members) this.retarget(irq, target)
    })
  }

  /** Where it is pending, it goes along; where it is not queued, that alone does not queue it: update_affinity(). */
  retarget(irq: VgicIrq, cpu: number): void {
    this.world().state.route(irq, irq.affinity, cpu, false)
  }

  clearDevices(): void {
    for (const device of this.devices.values()) this.removeDevice(device)
  }

  clearCollections(): void {
    for (const collection of this.collections.values()) this.removeCollection(collection)
  }

  private release(translation: Translation): void {
    translation.collection?.members.delete(translation)
    this.count--
    this.world().lpis.unmap(translation.irq)
  }
}
