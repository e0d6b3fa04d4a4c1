/**
 * An ITS and its LPIs, written from the architecture (IHI 0069, chapters 5 and 6) and from what KVM's documentation
 * leaves visible, without a look at ours: plain maps, everything recomputed, nothing fast. What a random run compares with.
 */

export interface ModelLpi {
  enabled: boolean
  priority: number
  pending: boolean
  /** The order of the CPU it goes to; `undefined`: none. */
  cpu: number | undefined
  /** Whether it waits at that CPU. KVM queues what an event or a configuration makes ready, not what a move does. */
  queued: boolean
}

interface Event {
  readonly intid: number
  /** `undefined`: its collection was unmapped. */
  collection: number | undefined
}

export interface ModelOptions {
  readonly base: '6.1' | '6.8' | '6.12'
  /** vCPU ids in creation order. */
  readonly ids: readonly number[]
  readonly inRam: (address: number) => boolean
  /** The configuration byte of an LPI as the guest's memory has it. */
  readonly configuration: (intid: number) => number
  /** The bit of an LPI in a CPU's pending table, and how it is cleared. */
  readonly tableBit: (cpu: number, intid: number) => number
  readonly clearTableBit: (cpu: number, intid: number) => void
  readonly deviceSlots: number
  readonly collectionSlots: number
  /** The first INTID that is no LPI. */
  readonly limit: number
}

export class ItsModel {
  readonly lpis = new Map<number, ModelLpi>()
  enabled = true
  readonly lpisEnabled: boolean[]
  private readonly o: ModelOptions
  private readonly devices = new Map<number, { bits: number; itt: number }>()
  /** `undefined`: remembered, but not mapped. */
  private readonly collections = new Map<number, number | undefined>()
  private readonly events = new Map<number, Map<number, Event>>()

  constructor(o: ModelOptions) {
    this.o = o
    this.lpisEnabled = o.ids.map(() => true)
  }

  /** The CPU that a number in a command stands for. */
  private cpu(number: number): number | undefined {
    const index = this.o.base === '6.1' ? (number < this.o.ids.length ? number : -1) : this.o.ids.indexOf(number)
    return index < 0 ? undefined : index
  }

  private cpuOfCollection(id: number | undefined): number | undefined {
    return id === undefined ? undefined : this.collections.get(id)
  }

  private event(device: number, event: number): Event | undefined {
    return this.events.get(device)?.get(event)
  }

  private allEvents(): Event[] {
    return [...this.events.values()].flatMap((of) => [...of.values()])
  }

  /** Something made it ready: from now on it waits at its CPU, if it is. */
  private offer(lpi: ModelLpi): void {
    lpi.queued = lpi.enabled && lpi.pending && lpi.cpu !== undefined
  }

  /** What no longer is ready waits no more; what nobody maps and nobody waits for is gone. */
  private tidy(): void {
    const mapped = new Set(this.allEvents().map(({ intid }) => intid))
    for (const [intid, lpi] of this.lpis) {
      lpi.queued &&= lpi.enabled && lpi.pending && lpi.cpu !== undefined
      if (!mapped.has(intid) && !lpi.queued) this.lpis.delete(intid)
    }
  }

  private readConfiguration(intid: number, lpi: ModelLpi): void {
    const byte = this.o.configuration(intid)
    lpi.enabled = byte % 2 === 1
    lpi.priority = byte - (byte % 4)
    this.offer(lpi)
  }

  mapd(device: number, bits: number, itt: number, valid: boolean): void {
    if (device >= this.o.deviceSlots || (valid && bits > 16)) return
    this.events.delete(device)
    this.devices.delete(device)
    if (valid) {
      this.devices.set(device, { bits, itt })
      this.events.set(device, new Map())
    }
    this.tidy()
  }

  mapc(id: number, rdbase: number, valid: boolean): void {
    if (!valid) {
      for (const event of this.allEvents()) if (event.collection === id) event.collection = undefined
      this.collections.delete(id)
      return
    }
    const cpu = this.cpu(rdbase)
    if (cpu === undefined) return
    if (!this.collections.has(id) && id >= this.o.collectionSlots) return
    this.collections.set(id, cpu)
    for (const { intid, collection } of this.allEvents()) if (collection === id) this.move(intid, cpu)
    this.tidy()
  }

  private move(intid: number, cpu: number): void {
    const lpi = this.lpis.get(intid)
    if (lpi !== undefined) lpi.cpu = cpu
  }

  mapti(device: number, event: number, intid: number, collection: number): void {
    const { o } = this
    const table = this.devices.get(device)
    if (table === undefined || event >= 2 ** table.bits || !o.inRam(table.itt + 8 * event)) return
    if (intid < 8192 || intid >= o.limit || this.event(device, event) !== undefined) return
    if (!this.collections.has(collection)) {
      if (collection >= o.collectionSlots) return
      this.collections.set(collection, undefined)
    }
    this.events.get(device)?.set(event, { intid, collection })
    if (this.lpis.has(intid)) return
    const cpu = this.collections.get(collection)
    const lpi: ModelLpi = { enabled: false, priority: 0, pending: false, cpu, queued: false }
    this.lpis.set(intid, lpi)
    this.readConfiguration(intid, lpi)
    if (cpu !== undefined) {
      lpi.pending = o.tableBit(cpu, intid) === 1
      o.clearTableBit(cpu, intid)
      this.offer(lpi)
    }
  }

  movi(device: number, event: number, collection: number): void {
    const found = this.event(device, event)
    const cpu = this.collections.get(collection)
    if (found === undefined || cpu === undefined || this.cpuOfCollection(found.collection) === undefined) return
    found.collection = collection
    this.move(found.intid, cpu)
    this.tidy()
  }

  movall(first: number, second: number): void {
    const [from, to] = [this.cpu(first), this.cpu(second)]
    if (from === undefined || to === undefined || from === to) return
    for (const lpi of this.lpis.values()) if (lpi.cpu === from) lpi.cpu = to
    this.tidy()
  }

  discard(device: number, event: number): void {
    const found = this.event(device, event)
    if (found === undefined || this.cpuOfCollection(found.collection) === undefined) return
    this.events.get(device)?.delete(event)
    this.tidy()
  }

  clear(device: number, event: number): void {
    const lpi = this.lpis.get(this.event(device, event)?.intid ?? 0)
    if (lpi !== undefined) lpi.pending = false
    this.tidy()
  }

  inv(device: number, event: number): void {
    const intid = this.event(device, event)?.intid
    const lpi = intid === undefined ? undefined : this.lpis.get(intid)
    if (intid !== undefined && lpi !== undefined) this.readConfiguration(intid, lpi)
    this.tidy()
  }

  invall(collection: number): void {
    const cpu = this.collections.get(collection)
    if (cpu !== undefined) this.invallr(cpu)
  }

  /** GICR_INVALLR. */
  invallr(cpu: number): void {
    for (const [intid, lpi] of this.lpis) if (lpi.cpu === cpu) this.readConfiguration(intid, lpi)
    this.tidy()
  }

  /** INT, or a device's message: what KVM_SIGNAL_MSI answers. */
  happen(device: number, event: number): '0' | '1' | 'EBUSY' {
    if (!this.enabled) return 'EBUSY'
    const found = this.event(device, event)
    const cpu = this.cpuOfCollection(found?.collection)
    if (found === undefined || cpu === undefined) return '0'
    if (this.lpisEnabled[cpu] !== true) return 'EBUSY'
    const lpi = this.lpis.get(found.intid)
    if (lpi === undefined) throw new Error(`event ${event} of device ${device} has no LPI`)
    lpi.pending = true
    this.offer(lpi)
    return '1'
  }

  /** GICR_CTLR.EnableLPIs. */
  enableLpis(cpu: number, enabled: boolean): void {
    if (this.lpisEnabled[cpu] === enabled) return
    this.lpisEnabled[cpu] = enabled
    for (const [intid, lpi] of this.lpis) {
      if (lpi.cpu !== cpu) continue
      if (enabled) {
        lpi.pending = this.o.tableBit(cpu, intid) === 1
        this.offer(lpi)
      } else if (lpi.queued) {
        lpi.pending = false
        lpi.queued = false
      }
    }
    this.tidy()
  }

  /** What every CPU acknowledges, most urgent first by the five bits there are; of equals, in the order of INTIDs. */
  take(): readonly (readonly number[])[] {
    const taken = this.o.ids.map((_, cpu) =>
      [...this.lpis]
        .filter(([, lpi]) => lpi.queued && lpi.cpu === cpu)
        .toSorted(([a, x], [b, y]) => (x.priority >> 3) - (y.priority >> 3) || a - b)
        .map(([intid]) => intid),
    )
    for (const intid of taken.flat()) {
      const lpi = this.lpis.get(intid)
      if (lpi !== undefined) lpi.pending = false
    }
    this.tidy()
    return taken
  }
}
