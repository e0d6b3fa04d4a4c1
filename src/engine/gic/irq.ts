/** What the GIC knows of one interrupt: Linux's struct vgic_irq. Only `state.ts` changes it. */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { FIRST_LPI, FIRST_SPI, SGI_COUNT } from '../../pure/arch/intid.ts'

/** No CPU. */
export const NONE = -1

export interface VgicIrq {
  readonly intid: number
  /** The index of the CPU whose private interrupt it is; `NONE` for an SPI or LPI. */
  readonly owner: number
  enabled: boolean
  /** What was pended by a write, an SGI or an edge. */
  latch: boolean
  /** The level of the wire, where the interrupt is configured as level-sensitive. */
  line: boolean
  active: boolean
  edge: boolean
  group: 0 | 1
  priority: number
  /** GICv3: as GICD_IROUTER holds it; of a private interrupt, the whole of its CPU's when the GIC was initialised. */
  affinity: Affinity
  /** GICv2: GICD_ITARGETSR, a bit for each CPU. */
  targets: number
  /** GICv2: the CPUs that an SGI is pending from, a bit each by vCPU id. */
  source: number
  /** GICv2: the CPU from which the SGI that is active came. */
  activeSource: number
  /** The index of the CPU it goes to when it becomes pending. */
  target: number
  /** The index of the CPU on whose list it is: pending there, or active. */
  queuedOn: number
  /** Whether a device of KVM's own drives its line: irq->owner. */
  claimed: boolean
  /** Whether it was ever enabled, pended or active. */
  touched: boolean
  /** How many events of ITSes are translated to it: without one an LPI is gone as soon as it is not queued. */
  mappings: number
}

/** What the model decides: see vgic_init() and kvm_vgic_dist_init() (arch/arm64/kvm/vgic/vgic-init.c). */
export type ModelDefaults = Pick<VgicIrq, 'group' | 'affinity' | 'targets'>

/** The record is zeroed, and 0 means edge. An SPI goes to the first CPU until someone routes it. */
export const newIrq = (intid: number, owner: number, defaults: ModelDefaults): VgicIrq => ({
  intid,
  owner,
  enabled: intid < SGI_COUNT,
  latch: false,
  line: false,
  active: false,
  edge: intid < SGI_COUNT || intid >= FIRST_SPI,
  priority: 0,
  ...defaults,
  source: 0,
  activeSource: 0,
  target: Math.max(owner, 0),
  queuedOn: NONE,
  claimed: false,
  touched: false,
  mappings: 0,
})

/** vgic_add_lpi(): an edge of Group 1, not enabled until its configuration is read. */
export const newLpi = (intid: number, target: number): VgicIrq => ({
  ...newIrq(intid, NONE, { group: 1, affinity: 0, targets: 0 }),
  target,
  mappings: 1,
})

export const isLpi = (irq: Readonly<VgicIrq>): boolean => irq.intid >= FIRST_LPI

export const isPending = (irq: Readonly<VgicIrq>): boolean => irq.latch || (irq.line && !irq.edge)

/** Whether it can be signalled to the CPU that has it queued. */
export const isCandidate = (irq: Readonly<VgicIrq>): boolean => irq.enabled && !irq.active && isPending(irq)
