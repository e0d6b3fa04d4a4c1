/**
 * The CPU interface of each vCPU, behind ICC_*_EL1 as behind the GICC_* frame: the hardware that works on KVM's list
 * registers (GIC architecture IHI 0069, 4.8; IHI 0048, 3.3); where the architecture leaves room, as
 * arch/arm64/kvm/hyp/vgic-v3-sr.c.
 */
import { FIRST_LPI, LAST_SPI, PPI } from '../../pure/arch/intid.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { TraceSink } from '../bus/trace-sink.ts'
import { isCandidate } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import { newPriorityState, PriorityScheme } from './priorities.ts'
import type { PriorityState } from './priorities.ts'
import type { InterruptState } from './state.ts'

/** What one CPU's interface holds: ICH_VMCR_EL2 and the active priorities. All zero when KVM creates the vCPU. */
export interface InterfaceState extends PriorityState {
  pmr: number
  readonly groupEnabled: [boolean, boolean]
  eoiMode: boolean
  /** GICv2: GICC_IAR acknowledges Group 1 as well. */
  ackCtl: boolean
  /** Group 0 is an FIQ; always so behind ICC_*_EL1. */
  fiqEn: boolean
  /** ICH_HCR_EL2.EOIcount: ends of interrupts that were in no list register. Five bits. */
  eoiCount: number
  irqLevel: boolean
  fiqLevel: boolean
  wakeLevel: boolean
}

export interface InterfacePorts {
  readonly irq: IrqLine
  readonly fiq: IrqLine
  /** Ends a WFI: kvm_vgic_vcpu_pending_irq(). */
  readonly wake: IrqLine
}

export interface CpuInterfaceOptions {
  readonly ports: readonly InterfacePorts[]
  /** Implemented priority bits, all of which preempt. */
  readonly priBits: number
  readonly fiqEn: boolean
  /** Whether an end deactivates only what has the priority that is dropped: so it is behind ICC_*_EL1 (__vgic_v3_write_eoir()). */
  readonly endMatchesPriority: boolean
  readonly state: () => InterruptState
  readonly event: () => TraceSink | undefined
}

const EOI_COUNT_MASK = 0x1f

/** The hardware counts what it does not find, LPIs apart. */
const countEnd = (at: InterfaceState, intid: number): void => {
  if (intid <= LAST_SPI) at.eoiCount = (at.eoiCount + 1) & EOI_COUNT_MASK
}

export class CpuInterfaces {
  readonly scheme: PriorityScheme
  private readonly o: CpuInterfaceOptions
  private readonly cpus: readonly InterfaceState[]

  constructor(o: CpuInterfaceOptions) {
    this.o = o
    this.scheme = new PriorityScheme(o.priBits)
    this.cpus = o.ports.map(() => ({
      ...newPriorityState(),
      pmr: 0,
      groupEnabled: [false, false],
      eoiMode: false,
      ackCtl: false,
      fiqEn: o.fiqEn,
      eoiCount: 0,
      irqLevel: false,
      fiqLevel: false,
      wakeLevel: false,
    }))
  }

  /** The hardware was given ICH_VMCR_EL2, and hands back binary points that are at least the minimum (12.4.9). */
  vcpuExits(cpu: number): void {
    const at = this.at(cpu)
    at.bpr0 = this.scheme.bpr0(at)
    at.bpr1 = Math.max(at.bpr1, this.scheme.minBpr1)
  }

  at(cpu: number): InterfaceState {
    const found = this.cpus[cpu]
    if (found === undefined) throw new Error(`there is no CPU ${cpu}`)
    return found
  }

  /** The most urgent interrupt that is pending in a list register, in an enabled group; of equals, the lowest register. */
  private best(cpu: number, { groupEnabled }: InterfaceState): VgicIrq | undefined {
    const { listRegisters, used } = this.o.state().list(cpu)
    let best: VgicIrq | undefined
    for (let lr = 0; lr < used; lr++) {
      const irq = listRegisters[lr]
      if (irq === undefined || !isCandidate(irq) || !groupEnabled[irq.group]) continue
      if (best === undefined || this.priority(irq) < this.priority(best)) best = irq
    }
    return best
  }

  /** The priority bits that a list register has: an LPI's record may have more. */
  private priority(irq: VgicIrq): number {
    return irq.priority & this.scheme.priorityMask
  }

  private mayPreempt(at: InterfaceState, irq: VgicIrq): boolean {
    return (
      this.priority(irq) < at.pmr && this.scheme.preemptionLevel(at, irq.priority, irq.group) < this.scheme.running(at)
    )
  }

  /** Drives the CPU's inputs. */
  signal(cpu: number): void {
    const at = this.at(cpu)
    const best = this.best(cpu, at)
    const signalled = best !== undefined && this.mayPreempt(at, best)
    const fiq = signalled && best.group === 0 && at.fiqEn
    const irq = signalled && !fiq
    const ports = this.o.ports[cpu]
    if (irq !== at.irqLevel) {
      at.irqLevel = irq
      ports?.irq.set(irq)
    }
    if (fiq !== at.fiqLevel) {
      at.fiqLevel = fiq
      ports?.fiq.set(fiq)
    }
    const wake = this.pendingIrq(cpu, at)
    if (wake !== at.wakeLevel) {
      at.wakeLevel = wake
      ports?.wake.set(wake)
    }
  }

  /**
   * Whether KVM would let the vCPU run: kvm_vgic_vcpu_pending_irq(), which looks neither at the enables of the groups
   * nor at the running priority, and kvm_timer_is_pending(), which does not look at the GIC.
   */
  private pendingIrq(cpu: number, { pmr }: InterfaceState): boolean {
    const state = this.o.state()
    if (state.privateIrq(cpu, PPI.virtualTimer)?.line === true) return true
    if (state.privateIrq(cpu, PPI.physicalTimer)?.line === true) return true
    const { all } = state.list(cpu)
    for (let i = 0; i < all.length; i++) {
      const irq = all[i]
      if (irq !== undefined && isCandidate(irq) && irq.priority < pmr) return true
    }
    return false
  }

  /** Tells the CPU its inputs again, after it was off. */
  resignal(cpu: number): void {
    this.signal(cpu)
    const at = this.at(cpu)
    this.o.ports[cpu]?.irq.set(at.irqLevel)
    this.o.ports[cpu]?.fiq.set(at.fiqLevel)
    this.o.ports[cpu]?.wake.set(at.wakeLevel)
  }

  /** What an acknowledge would find, of whichever group: ICC_IAR<n>_EL1, GICC_IAR. */
  acknowledgeable(cpu: number): VgicIrq | undefined {
    const at = this.at(cpu)
    const irq = this.best(cpu, at)
    return irq !== undefined && this.mayPreempt(at, irq) ? irq : undefined
  }

  acknowledge(cpu: number, irq: VgicIrq): void {
    this.scheme.activate(this.at(cpu), irq.priority, irq.group)
    this.o.state().acknowledge(irq)
    this.o.event()?.({ kind: 'acknowledged', cpu, intid: irq.intid, priority: irq.priority })
  }

  /** ICC_HPPIR<n>_EL1, GICC_HPPIR: neither the priority mask nor the running priority matter. */
  highestPending(cpu: number): VgicIrq | undefined {
    return this.best(cpu, this.at(cpu))
  }

  /**
   * ICC_EOIR<n>_EL1, GICC_EOIR: drops the running priority and, with EOImode 0, deactivates what fits the register's
   * group, if it is one group's, and behind ICC_EOIR<n>_EL1 the priority too.
   */
  endOfInterrupt(cpu: number, intid: number, group?: 0 | 1): void {
    if (intid > LAST_SPI && intid < FIRST_LPI) return
    const at = this.at(cpu)
    const dropped = this.scheme.drop(at)
    const irq = at.eoiMode ? undefined : this.activeHere(cpu, intid)
    const deactivated =
      irq !== undefined &&
      irq.group === (group ?? irq.group) &&
      (!this.o.endMatchesPriority || this.scheme.preemptionLevel(at, irq.priority, irq.group) === dropped)
    if (deactivated) this.o.state().deactivate(irq)
    else if (irq === undefined && !at.eoiMode) countEnd(at, intid)
    this.signal(cpu)
    this.o.event()?.({ kind: 'eoi', cpu, intid, deactivated })
  }

  /** ICC_DIR_EL1, GICC_DIR. KVM finds only what is active in this vCPU's list registers. */
  deactivate(cpu: number, intid: number): void {
    const at = this.at(cpu)
    if (!at.eoiMode) return
    const irq = this.activeHere(cpu, intid)
    if (irq === undefined) countEnd(at, intid)
    else this.o.state().deactivate(irq)
  }

  /** What is active but in no list register is not found; the hardware only counts it (ICH_HCR_EL2.EOIcount). */
  private activeHere(cpu: number, intid: number): VgicIrq | undefined {
    const state = this.o.state()
    const irq = state.irq(cpu, intid)
    return irq !== undefined && irq.active && irq.queuedOn === cpu && state.list(cpu).holds(irq) ? irq : undefined
  }
}
