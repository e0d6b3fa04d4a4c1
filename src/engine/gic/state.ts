/**
 * The only place that changes an interrupt. An interrupt that is active, or pending and enabled, is on the list of
 * one CPU; which one, vgic_target_oracle() says (arch/arm64/kvm/vgic/vgic.c). One that belongs elsewhere by now is in no
 * list register, and leaves the list when its vCPU exits.
 */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { FIRST_LPI, PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { ApList } from './ap-list.ts'
import type { Effort } from './effort.ts'
import { isLpi, isPending, newIrq, newLpi, NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'

/** KVM keeps five priority bits (VGIC_PRI_BITS). */
const PRIORITY_MASK = 0xf8

export interface InterruptStateOptions {
  readonly model: 2 | 3
  /** In creation order: the affinity a GICv3 records for private interrupts, the id that a GICv2 makes a target of. */
  readonly cpus: readonly { readonly affinity: Affinity; readonly id: number }[]
  readonly nrIrqs: number
  /** Of the host: how many interrupts a CPU interface sees at a time. */
  readonly listRegs: number
  /** Something on this CPU's list is other than it was. */
  readonly changed: (cpu: number) => void
  /** A CPU has completed a level-sensitive SPI. */
  readonly completed: (intid: number) => void
  readonly effort: Effort
}

export class InterruptState {
  readonly nrIrqs: number
  private readonly privates: VgicIrq[]
  private readonly spis: VgicIrq[]
  /** By INTID from 8192 on, as far as the highest that is there: KVM's lpi_xa. */
  private readonly lpis: (VgicIrq | undefined)[] = []
  private readonly lists: readonly ApList[]
  /** By CPU, so that nothing is allocated when it exits. */
  private readonly staysOn: readonly ((irq: VgicIrq) => boolean)[]
  private readonly tell: (cpu: number) => void
  private readonly completed: (intid: number) => void
  private readonly effort: Effort
  private forwarding = false
  /** Lists are looked at when all is done. */
  private inBatch = false

  constructor({ model, cpus, nrIrqs, listRegs, changed, completed, effort }: InterruptStateOptions) {
    this.nrIrqs = nrIrqs
    this.tell = changed
    this.completed = completed
    this.effort = effort
    const v3 = model === 3
    const group = v3 ? 1 : 0
    this.privates = cpus.flatMap(({ affinity, id }, cpu) => {
      const defaults = { group, affinity: v3 ? affinity : 0, targets: v3 ? 0 : 1 << id } as const
      return Array.from({ length: PRIVATE_COUNT }, (_, intid) => newIrq(intid, cpu, defaults))
    })
    const spi = { group, affinity: 0, targets: 0 } as const
    this.spis = Array.from({ length: nrIrqs - PRIVATE_COUNT }, (_, i) => newIrq(PRIVATE_COUNT + i, NONE, spi))
    this.lists = cpus.map((_, cpu) => new ApList(listRegs, (irq) => this.home(irq) === cpu))
    this.staysOn = cpus.map((_, cpu) => (irq) => this.migrate(cpu, irq))
  }

  /** As CPU `cpu` numbers its interrupts. */
  irq(cpu: number, intid: number): VgicIrq | undefined {
    if (intid >= FIRST_LPI) return this.lpi(intid)
    return intid < PRIVATE_COUNT ? this.privateIrq(cpu, intid) : this.spi(intid)
  }

  privateIrq(cpu: number, intid: number): VgicIrq | undefined {
    return intid < PRIVATE_COUNT ? this.privates[cpu * PRIVATE_COUNT + intid] : undefined
  }

  spi(intid: number): VgicIrq | undefined {
    return this.spis[intid - PRIVATE_COUNT]
  }

  allSpis(): readonly Readonly<VgicIrq>[] {
    return this.spis
  }

  lpi(intid: number): VgicIrq | undefined {
    return this.lpis[intid - FIRST_LPI]
  }

  /** How long it takes to look at each LPI: the places up to the highest that is there. */
  get lpiPlaces(): number {
    return this.lpis.length
  }

  /** In the order of their INTIDs. What `visit` does may take an LPI away, but no other. */
  forEachLpi(visit: (irq: VgicIrq) => void): void {
    for (let i = 0; i < this.lpis.length; i++) {
      const irq = this.lpis[i]
      if (irq !== undefined) visit(irq)
    }
  }

  list(cpu: number): ApList {
    const list = this.lists[cpu]
    if (list === undefined) throw new Error(`there is no CPU ${cpu}`)
    return list
  }

  get enabled(): boolean {
    return this.forwarding
  }

  /** GICD_CTLR.EnableGrp1. What became pending while it was 0 stays unqueued until something queues it. */
  setForwarding(enabled: boolean): void {
    if (enabled === this.forwarding) return
    this.batch(() => {
      this.forwarding = enabled
    })
  }

  /** Changes many interrupts and then looks at the lists, once. */
  batch(change: () => void): void {
    this.inBatch = true
    change()
    this.inBatch = false
    for (const [cpu, list] of this.lists.entries()) {
      list.stale = true
      this.changed(cpu)
    }
  }

  /**
   * A vCPU has left the guest: what is on its list and belongs elsewhere goes there, in the order of the list
   * (vgic_prune_ap_list()).
   */
  vcpuExits(cpu: number): void {
    const list = this.lists[cpu]
    if (list === undefined || !list.stale) return
    list.stale = false
    if (list.isLong) this.effort.spend(list.all.length)
    list.prune(this.staysOn[cpu] ?? keep)
    this.changed(cpu)
    // Once for each list, however many came: a guest may move tens of thousands.
    for (let other = 0; other < this.lists.length; other++) if (this.lists[other]?.joined === true) this.changed(other)
  }

  /** What does not stay is on another list then, or on none. */
  private migrate(cpu: number, irq: VgicIrq): boolean {
    const home = this.home(irq)
    if (home === cpu) return true
    irq.queuedOn = home
    if (home === NONE) {
      if (isLpi(irq)) this.dropUnusedLpi(irq)
      return false
    }
    const list = this.lists[home]
    list?.add(irq)
    if (list !== undefined) list.joined = true
    return false
  }

  setEnabled(irq: VgicIrq, enabled: boolean): void {
    irq.enabled = enabled
    if (enabled) this.queue(irq)
    else this.settle(irq)
  }

  pend(irq: VgicIrq): void {
    irq.latch = true
    this.queue(irq)
  }

  unpend(irq: VgicIrq): void {
    irq.latch = false
    this.settle(irq)
  }

  /** An SGI of a GICv2, from the CPUs whose ids have a bit in `sources`. */
  pendFrom(irq: VgicIrq, sources: number): void {
    if (sources === 0) return
    irq.source |= sources
    irq.latch = true
    this.queue(irq)
  }

  unpendFrom(irq: VgicIrq, sources: number): void {
    irq.source &= ~sources
    irq.latch = irq.source !== 0
    this.settle(irq)
  }

  setActive(irq: VgicIrq, active: boolean): void {
    irq.active = active
    if (active) this.queue(irq)
    else this.settle(irq)
  }

  setGroup(irq: VgicIrq, group: 0 | 1): void {
    irq.group = group
    this.queue(irq)
  }

  setPriority(irq: VgicIrq, priority: number): void {
    irq.priority = priority & PRIORITY_MASK
    this.settle(irq)
  }

  setEdge(irq: VgicIrq, edge: boolean): void {
    irq.edge = edge
    this.settle(irq)
  }

  /** The wire: kvm_vgic_inject_irq(). Of a level only changes matter, of an edge only its rising. */
  setLine(irq: VgicIrq, level: boolean): void {
    if (irq.edge) {
      if (!level) return
      irq.latch = true
    } else {
      if (irq.line === level) return
      irq.line = level
    }
    this.queue(irq)
  }

  /** A device of KVM's own drives its line from now on: kvm_vgic_set_owner(), kvm_vgic_map_phys_irq(). */
  claim(irq: VgicIrq): void {
    irq.claimed = true
  }

  /** Userspace sets the level whatever the configuration is: vgic_write_irq_line_level_info(). */
  restoreLine(irq: VgicIrq, level: boolean): void {
    irq.line = level
    if (level) this.queue(irq)
    else this.settle(irq)
  }

  /** GICD_ITARGETSR<n> of a GICv2; like a route, it queues nothing. */
  setTargets(irq: VgicIrq, targets: number, target: number): void {
    irq.targets = targets
    irq.target = target
    this.settle(irq)
  }

  /** `queue`: whether a target is enough to queue what is pending. */
  route(irq: VgicIrq, affinity: number, target: number, queue: boolean): void {
    irq.affinity = affinity
    irq.target = target
    if (queue) this.queue(irq)
    else this.settle(irq)
  }

  /** kvm_vgic_reset_mapped_irq(). */
  forget(irq: VgicIrq): void {
    irq.latch = false
    irq.line = false
    irq.active = false
    this.settle(irq)
  }

  // LPIs

  /** One that is not there yet, mapped once. */
  addLpi(intid: number, target: number): VgicIrq {
    const irq = newLpi(intid, target)
    while (this.lpis.length < intid - FIRST_LPI) this.lpis.push(undefined)
    this.lpis[intid - FIRST_LPI] = irq
    return irq
  }

  mapLpi(irq: VgicIrq): void {
    irq.mappings++
  }

  /** One mapping less: vgic_put_irq(). */
  unmapLpi(irq: VgicIrq): void {
    irq.mappings--
    this.dropUnusedLpi(irq)
  }

  /** What is queued holds on to its LPI, mapped or not. */
  private dropUnusedLpi(irq: VgicIrq): void {
    if (irq.mappings > 0 || irq.queuedOn !== NONE || this.lpi(irq.intid) !== irq) return
    this.lpis[irq.intid - FIRST_LPI] = undefined
    while (this.lpis.length > 0 && this.lpis.at(-1) === undefined) this.lpis.pop()
  }

  /** What the table of LPI configurations says of it; like KVM's record, with all the bits of the table's priority. */
  configureLpi(irq: VgicIrq, enabled: boolean, priority: number): void {
    irq.enabled = enabled
    irq.priority = priority
    this.queue(irq)
  }

  /** What the table of pending LPIs says of it. */
  setLpiPending(irq: VgicIrq, pending: boolean): void {
    irq.latch = pending
    this.queue(irq)
  }

  /** The LPIs on a CPU's list leave it and are no longer pending; others stay as they are: vgic_flush_pending_lpis(). */
  flushLpis(cpu: number): void {
    const list = this.list(cpu)
    if (list.isLong) this.effort.spend(list.all.length)
    list.prune((irq) => {
      if (!isLpi(irq)) return true
      irq.latch = false
      irq.queuedOn = NONE
      this.dropUnusedLpi(irq)
      return false
    })
    this.changed(cpu)
  }

  /**
   * An SGI of a GICv2 becomes active from its lowest source, and stays pending from the others. An LPI has no active
   * state (IHI 0069, 4.1.1).
   */
  acknowledge(irq: VgicIrq): void {
    if (isLpi(irq)) {
      irq.latch = false
      this.settle(irq)
      return
    }
    irq.active = true
    irq.activeSource = irq.source === 0 ? 0 : 31 - Math.clz32(irq.source & -irq.source)
    irq.source &= irq.source - 1
    if (irq.edge) irq.latch = irq.source !== 0
    if (irq.queuedOn !== NONE) this.changed(irq.queuedOn)
  }

  /** What a write pended on a level-sensitive interrupt is forgotten when its list register is idle again. */
  deactivate(irq: VgicIrq): void {
    irq.active = false
    if (!irq.edge) irq.latch = false
    this.settle(irq)
    if (!irq.edge && irq.owner === NONE) this.completed(irq.intid)
  }

  /** Where it belongs: vgic_target_oracle(). */
  private home(irq: VgicIrq): number {
    if (irq.active) return irq.queuedOn === NONE ? irq.target : irq.queuedOn
    return irq.enabled && this.forwarding && isPending(irq) ? irq.target : NONE
  }

  /** vgic_queue_irq_unlock(): what is on a list stays there until its vCPU exits, wherever it belongs now. */
  private queue(irq: VgicIrq): void {
    irq.touched ||= irq.enabled || irq.active || isPending(irq)
    if (irq.queuedOn !== NONE) return this.settle(irq)
    const home = this.home(irq)
    if (home === NONE) return
    irq.queuedOn = home
    this.lists[home]?.add(irq)
    this.changed(home)
  }

  /** Something about an interrupt has changed: its list may no longer be the right one. */
  private settle(irq: VgicIrq): void {
    const on = irq.queuedOn
    const list = this.lists[on]
    if (list === undefined || this.inBatch) return
    if (this.home(irq) !== on) list.stale = true
    this.changed(on)
  }

  private changed(cpu: number): void {
    const list = this.lists[cpu]
    if (list === undefined || this.inBatch) return
    if (list.isLong) this.effort.spend(list.all.length)
    list.joined = false
    list.flush()
    this.tell(cpu)
  }
}

const keep = (): boolean => true
