/**
 * One vCPU's ap_list, the interrupts that are active or pending for it, and the list registers that a guest's CPU
 * interface sees of it (arch/arm64/kvm/vgic/vgic.c: vgic_flush_lr_state(), as in v6.1 to v6.12).
 *
 * KVM flushes the list into the registers when it enters the guest and folds them back when the guest exits, and a
 * host may make a guest exit at any moment. Here it is as if it did after each change: the registers hold what the
 * next entry would put there, and the records are always folded.
 */
import { isCandidate } from './irq.ts'
import type { VgicIrq } from './irq.ts'

/** How many list registers an interrupt would like: an SGI of a GICv2 one for each source (vgic_irq_get_lr_count()). */
const registersWanted = ({ source, active }: Readonly<VgicIrq>): number =>
  source === 0 ? 1 : bitCount(source) + Number(active)

/** The sources of an SGI that stay behind when it is put into a list register. */
const sourcesLeft = ({ source, active }: Readonly<VgicIrq>): number => (active ? source : source & (source - 1))

/** From this length on, sorting allocates and does not take the square of it. */
const LONG = 64

/** vgic_irq_cmp(): what is active first, then what can be signalled, by priority. */
const sortsBefore = (a: Readonly<VgicIrq>, b: Readonly<VgicIrq>): boolean => {
  if (a.active || b.active) return a.active && !b.active
  const pending = isCandidate(a)
  if (!pending || !isCandidate(b)) return pending && !isCandidate(b)
  return a.priority < b.priority
}

export class ApList {
  /** In the order of queueing, until more is queued than there are list registers. */
  private readonly irqs: VgicIrq[] = []
  private readonly listRegs: number
  /** List registers in use: those of the first interrupts of the list. */
  private inRegisters = 0

  constructor(listRegs: number) {
    this.listRegs = listRegs
  }

  get all(): readonly VgicIrq[] {
    return this.irqs
  }

  /** ICH_LR<0> to ICH_LR<used - 1> hold the first so many interrupts of the list. */
  get used(): number {
    return this.inRegisters
  }

  get implemented(): number {
    return this.listRegs
  }

  /** Whether something waits outside, so that KVM asks for a maintenance interrupt (ICH_HCR_EL2.UIE). */
  get underflow(): boolean {
    return this.inRegisters === this.listRegs && this.irqs.length > this.listRegs
  }

  /** Whether an interrupt of this list is in a list register. */
  holds(irq: VgicIrq): boolean {
    const at = this.irqs.indexOf(irq)
    return at >= 0 && at < this.inRegisters
  }

  /** Does not flush, as its caller may have more to change. */
  add(irq: VgicIrq): void {
    this.irqs.push(irq)
  }

  remove(irq: VgicIrq): void {
    const { irqs } = this
    // By hand: splice() would allocate on a path that every interrupt takes.
    let kept = 0
    for (let i = 0; i < irqs.length; i++) {
      const other = irqs[i]
      if (other !== undefined && other !== irq) irqs[kept++] = other
    }
    irqs.length = kept
  }

  /** Whether to look at all of it costs a guest some time. */
  get isLong(): boolean {
    return this.irqs.length > LONG
  }

  /** Fills the list registers anew. */
  flush(): void {
    const { irqs, listRegs } = this
    let wanted = 0
    let sgiOfMany = false
    for (let i = 0; i < irqs.length; i++) {
      const irq = irqs[i]
      if (irq === undefined) continue
      const registers = registersWanted(irq)
      wanted += registers
      sgiOfMany ||= registers > 1
    }
    if (wanted > listRegs || sgiOfMany) this.sort()
    this.inRegisters = Math.min(irqs.length, listRegs)
    if (sgiOfMany) this.holdBackBehindSgis()
  }

  /** Every source of an SGI is to be seen before anything less urgent: the registers end there. */
  private holdBackBehindSgis(): void {
    let ceiling = 0xff
    for (let i = 0; i < this.inRegisters; i++) {
      const irq = this.irqs[i]
      if (irq === undefined) continue
      if (irq.priority > ceiling) {
        this.inRegisters = i
        return
      }
      if (sourcesLeft(irq) !== 0) ceiling = irq.priority
    }
  }

  /** Takes everything away whose place is elsewhere: vgic_prune_ap_list(). */
  prune(stays: (irq: VgicIrq) => boolean): void {
    const { irqs } = this
    let kept = 0
    for (let i = 0; i < irqs.length; i++) {
      const irq = irqs[i]
      if (irq !== undefined && stays(irq)) irqs[kept++] = irq
    }
    irqs.length = kept
  }

  /** Stable and in place: list_sort(). A long list of LPIs may be out of order throughout. */
  private sort(): void {
    const { irqs } = this
    if (irqs.length > LONG) {
      irqs.sort((a, b) => Number(sortsBefore(b, a)) - Number(sortsBefore(a, b)))
      return
    }
    for (let i = 1; i < irqs.length; i++) {
      const irq = irqs[i]
      if (irq === undefined) continue
      let at = i
      for (; at > 0; at--) {
        const before = irqs[at - 1]
        if (before === undefined || !sortsBefore(irq, before)) break
        irqs[at] = before
      }
      irqs[at] = irq
    }
  }
}

const bitCount = (bits: number): number => {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
