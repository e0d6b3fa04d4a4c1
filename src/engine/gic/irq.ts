/** What the GIC knows of one interrupt: Linux's struct vgic_irq. Only `state.ts` changes it. */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { FIRST_SPI, SGI_COUNT } from '../../pure/arch/intid.ts'

/** No CPU. */
export const NONE = -1

export interface VgicIrq {
  readonly intid: number
  /** The index of the CPU whose private interrupt it is; `NONE` for an SPI. */
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
  /** As GICD_IROUTER holds it; of a private interrupt, the whole of its CPU's when the GIC was initialised. */
  affinity: Affinity
  /** The index of the CPU it goes to when it becomes pending. */
  target: number
  /** The index of the CPU on whose list it is: pending there, or active. */
  queuedOn: number
  /** Whether it was ever enabled, pended or active. */
  touched: boolean
}

/** As vgic_allocate_private_irqs() and kvm_vgic_dist_init() leave it: the record is zeroed, and 0 means edge. */
export const newIrq = (intid: number, owner: number, affinity: Affinity): VgicIrq => ({
  intid,
  owner,
  enabled: intid < SGI_COUNT,
  latch: false,
  line: false,
  active: false,
  edge: intid < SGI_COUNT || intid >= FIRST_SPI,
  group: 1,
  priority: 0,
  affinity,
  target: owner,
  queuedOn: NONE,
  touched: false,
})

export const isPending = (irq: Readonly<VgicIrq>): boolean => irq.latch || (irq.line && !irq.edge)

/** Whether it can be signalled to the CPU that has it queued. */
export const isCandidate = (irq: Readonly<VgicIrq>): boolean => irq.enabled && !irq.active && isPending(irq)
