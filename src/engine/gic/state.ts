/**
 * The only place that changes an interrupt. An interrupt that is active, or pending and enabled, is on the list of
 * one CPU; which one, vgic_target_oracle() says (arch/arm64/kvm/vgic/vgic.c). KVM prunes and migrates its lists when a
 * vCPU exits; here that happens at once, which a guest cannot tell from a vCPU that exits quickly.
 */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import { ApList } from './ap-list.ts'
import { isPending, newIrq, NONE } from './irq.ts'
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
}

export class InterruptState {
  readonly nrIrqs: number
  private readonly privates: VgicIrq[]
  private readonly spis: VgicIrq[]
  private readonly lists: readonly ApList[]
  private readonly tell: (cpu: number) => void
  private forwarding = false

  constructor({ model, cpus, nrIrqs, listRegs, changed }: InterruptStateOptions) {
    this.nrIrqs = nrIrqs
    this.tell = changed
    const v3 = model === 3
    const group = v3 ? 1 : 0
    this.privates = cpus.flatMap(({ affinity, id }, cpu) => {
      const defaults = { group, affinity: v3 ? affinity : 0, targets: v3 ? 0 : 1 << id } as const
      return Array.from({ length: PRIVATE_COUNT }, (_, intid) => newIrq(intid, cpu, defaults))
    })
    const spi = { group, affinity: 0, targets: 0 } as const
    this.spis = Array.from({ length: nrIrqs - PRIVATE_COUNT }, (_, i) => newIrq(PRIVATE_COUNT + i, NONE, spi))
    this.lists = cpus.map(() => new ApList(listRegs))
  }

  /** As CPU `cpu` numbers its interrupts. */
  irq(cpu: number, intid: number): VgicIrq | undefined {
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
    this.forwarding = enabled
    // A copy: settling takes interrupts off the list.
    for (const irq of this.lists.flatMap(({ all }) => all)) this.settle(irq)
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

  /** An SGI of a GICv2 becomes active from its lowest source, and stays pending from the others. */
  acknowledge(irq: VgicIrq): void {
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
  }

  /** Where it belongs: vgic_target_oracle(). */
  private home(irq: VgicIrq): number {
    if (irq.active) return irq.queuedOn === NONE ? irq.target : irq.queuedOn
    return irq.enabled && this.forwarding && isPending(irq) ? irq.target : NONE
  }

  /** vgic_queue_irq_unlock(). */
  private queue(irq: VgicIrq): void {
    irq.touched ||= irq.enabled || irq.active || isPending(irq)
    if (irq.queuedOn === NONE) this.move(irq, this.home(irq))
    else this.settle(irq)
  }

  /** vgic_prune_ap_list(), for one interrupt: what is not queued stays so. */
  private settle(irq: VgicIrq): void {
    const before = irq.queuedOn
    if (before === NONE) return
    const home = this.home(irq)
    if (home !== before) this.move(irq, home)
    this.changed(before)
  }

  private move(irq: VgicIrq, to: number): void {
    if (irq.queuedOn !== NONE) this.lists[irq.queuedOn]?.remove(irq)
    irq.queuedOn = to
    if (to === NONE) return
    this.lists[to]?.add(irq)
    this.changed(to)
  }

  private changed(cpu: number): void {
    this.lists[cpu]?.flush()
    this.tell(cpu)
  }
}
