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
  /** Whether something on it may belong elsewhere. */
  stale = false
  /** Whether something came from another list since this one was flushed. */
  joined = false
  /** In the order of queueing, until more is queued than there are list registers. */
  private readonly irqs: VgicIrq[] = []
  /** ICH_LR<n>_EL2. */
  private readonly registers: (VgicIrq | undefined)[]
  private readonly belongs: (irq: VgicIrq) => boolean
  private inUse = 0
  private outside = false

  /** `belongs`: whether vgic_target_oracle() has an interrupt for this vCPU. */
  constructor(listRegs: number, belongs: (irq: VgicIrq) => boolean) {
    this.registers = Array.from({ length: listRegs }, () => undefined)
    this.belongs = belongs
  }

  get all(): readonly VgicIrq[] {
    return this.irqs
  }

  /** By number; `undefined` from `used` on. */
  get listRegisters(): readonly (VgicIrq | undefined)[] {
    return this.registers
  }

  get used(): number {
    return this.inUse
  }

  /** Whether the registers are full and something is left, so that KVM asks for a maintenance interrupt (ICH_HCR_EL2.UIE). */
  get underflow(): boolean {
    return this.outside
  }

  /** Whether an interrupt is in a list register. */
  holds(irq: VgicIrq): boolean {
    return this.registers.includes(irq)
  }

  /** Does not flush, as its caller may have more to change. */
  add(irq: VgicIrq): void {
    this.irqs.push(irq)
  }

  /** Whether to look at all of it costs a guest some time. */
  get isLong(): boolean {
    return this.irqs.length > LONG
  }

  /** Fills the list registers anew. */
  flush(): void {
    const { irqs, registers } = this
    let wanted = 0
    let sgiOfMany = false
    for (let i = 0; i < irqs.length; i++) {
      const irq = irqs[i]
      if (irq === undefined) continue
      const count = registersWanted(irq)
      wanted += count
      sgiOfMany ||= count > 1
    }
    if (wanted > registers.length || sgiOfMany) this.sort()
    this.fill(sgiOfMany)
  }

  /** With an SGI of many sources, every one of them is to be seen before anything less urgent. */
  private fill(sgiOfMany: boolean): void {
    const { irqs, registers } = this
    let used = 0
    let ceiling = 0xff
    let i = 0
    for (; i < irqs.length && used < registers.length; i++) {
      const irq = irqs[i]
      if (irq === undefined) continue
      if (sgiOfMany && irq.priority > ceiling) break
      if (!this.belongs(irq)) continue
      registers[used++] = irq
      if (sourcesLeft(irq) !== 0) ceiling = irq.priority
    }
    this.outside = used === registers.length && i < irqs.length
    for (let lr = used; lr < this.inUse; lr++) registers[lr] = undefined
    this.inUse = used
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
