/**
 * The CPU interface a vCPU sees: ICC_* at EL1 (GIC architecture IHI 0069, 4.8 and 12.2), as the hardware behind KVM's
 * list registers does it; where the architecture leaves room, as arch/arm64/kvm/hyp/vgic-v3-sr.c.
 */
import { FIRST_LPI, LAST_SPI, SPURIOUS } from '../../pure/arch/intid.ts'
import { decodeIccControl, encodeIccControl, idBitsField } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
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
  /** What userspace has lowered ICC_CTLR_EL1.PRIbits and IDbits to; the guest still sees the hardware's. */
  priBits: number
  idBits: number
  irqLevel: boolean
  fiqLevel: boolean
}

export interface InterfacePorts {
  readonly irq: IrqLine
  readonly fiq: IrqLine
}

export interface CpuInterfaceOptions {
  readonly rules: VgicRules
  readonly vm: VmFacts
  readonly ports: readonly InterfacePorts[]
  readonly state: () => InterruptState
  readonly event: () => TraceSink | undefined
}

export class CpuInterfaces {
  readonly scheme: PriorityScheme
  private readonly o: CpuInterfaceOptions
  private readonly cpus: readonly InterfaceState[]

  constructor(o: CpuInterfaceOptions) {
    this.o = o
    this.scheme = new PriorityScheme(o.vm.host.priBits)
    this.cpus = o.ports.map(() => ({
      ...newPriorityState(),
      pmr: 0,
      groupEnabled: [false, false],
      eoiMode: false,
      priBits: o.vm.host.priBits,
      idBits: idBitsField(o.vm.host.idBits),
      irqLevel: false,
      fiqLevel: false,
    }))
  }

  at(cpu: number): InterfaceState {
    const found = this.cpus[cpu]
    if (found === undefined) throw new Error(`there is no CPU ${cpu}`)
    return found
  }

  /** The most urgent interrupt that is pending for a CPU in an enabled group; of equals, the first queued. */
  private best(cpu: number, { groupEnabled }: InterfaceState): VgicIrq | undefined {
    const queued = this.o.state().queued(cpu)
    let best: VgicIrq | undefined
    for (let i = 0; i < queued.length; i++) {
      const irq = queued[i]
      if (irq === undefined || !isCandidate(irq) || !groupEnabled[irq.group]) continue
      if (best === undefined || irq.priority < best.priority) best = irq
    }
    return best
  }

  private mayPreempt(at: InterfaceState, irq: VgicIrq): boolean {
    return irq.priority < at.pmr && this.scheme.preemptionLevel(at, irq.priority, irq.group) < this.scheme.running(at)
  }

  /** Drives the CPU's inputs: Group 0 is an FIQ, Group 1 an IRQ. */
  signal(cpu: number): void {
    const at = this.at(cpu)
    const best = this.best(cpu, at)
    const signalled = best !== undefined && this.mayPreempt(at, best)
    const irq = signalled && best.group === 1
    const fiq = signalled && best.group === 0
    const ports = this.o.ports[cpu]
    if (irq !== at.irqLevel) {
      at.irqLevel = irq
      ports?.irq.set(irq)
    }
    if (fiq !== at.fiqLevel) {
      at.fiqLevel = fiq
      ports?.fiq.set(fiq)
    }
  }

  /** Tells the CPU its inputs again, after it was off. */
  resignal(cpu: number): void {
    this.signal(cpu)
    const at = this.at(cpu)
    this.o.ports[cpu]?.irq.set(at.irqLevel)
    this.o.ports[cpu]?.fiq.set(at.fiqLevel)
  }

  /** ICC_IAR<group>_EL1. */
  acknowledge(cpu: number, group: 0 | 1): number {
    const at = this.at(cpu)
    const irq = this.best(cpu, at)
    if (irq === undefined || irq.group !== group || !this.mayPreempt(at, irq)) return SPURIOUS
    this.scheme.activate(at, irq.priority, group)
    this.o.state().acknowledge(irq)
    this.o.event()?.({ kind: 'acknowledged', cpu, intid: irq.intid, priority: irq.priority })
    return irq.intid
  }

  /** ICC_HPPIR<group>_EL1: neither the priority mask nor the running priority matter. */
  highestPending(cpu: number, group: 0 | 1): number {
    const irq = this.best(cpu, this.at(cpu))
    return irq?.group === group ? irq.intid : SPURIOUS
  }

  /** ICC_EOIR<group>_EL1: drops the running priority and, with EOImode 0, deactivates what fits group and priority. */
  endOfInterrupt(cpu: number, group: 0 | 1, intid: number): void {
    if (intid > LAST_SPI && intid < FIRST_LPI) return
    const at = this.at(cpu)
    const dropped = this.scheme.drop(at)
    const irq = at.eoiMode ? undefined : this.activeHere(cpu, intid)
    const deactivated =
      irq !== undefined && irq.group === group && this.scheme.preemptionLevel(at, irq.priority, group) === dropped
    if (deactivated) this.o.state().deactivate(irq)
    this.signal(cpu)
    this.o.event()?.({ kind: 'eoi', cpu, intid, deactivated })
  }

  /** ICC_DIR_EL1. KVM finds only what is active in this vCPU's list registers. */
  deactivate(cpu: number, intid: number): void {
    const irq = this.at(cpu).eoiMode ? this.activeHere(cpu, intid) : undefined
    if (irq !== undefined) this.o.state().deactivate(irq)
  }

  private activeHere(cpu: number, intid: number): VgicIrq | undefined {
    const irq = this.o.state().irq(cpu, intid)
    return irq !== undefined && irq.active && irq.queuedOn === cpu ? irq : undefined
  }

  /** ICC_CTLR_EL1 as the guest reads it. */
  control(cpu: number): bigint {
    const { host } = this.o.vm
    const a3v = this.o.rules.iccCtlrA3vGuest.decide({ vm: this.o.vm })
    return this.controlValue(cpu, host.priBits, idBitsField(host.idBits), a3v)
  }

  /** ICC_CTLR_EL1 as userspace reads it: get_gic_ctlr(). */
  userControl(cpu: number): bigint {
    const { priBits, idBits } = this.at(cpu)
    return this.controlValue(cpu, priBits, idBits, this.o.rules.iccCtlrA3vUser.decide({ vm: this.o.vm }))
  }

  private controlValue(cpu: number, priBits: number, idBits: number, a3v: boolean): bigint {
    const { cbpr, eoiMode } = this.at(cpu)
    return encodeIccControl({ cbpr, eoiMode, priBits, idBits, seis: this.o.vm.host.seis, a3v })
  }

  /** CBPR and EOImode are all a write changes. */
  setControl(cpu: number, value: bigint): void {
    const at = this.at(cpu)
    const { cbpr, eoiMode } = decodeIccControl(value)
    at.cbpr = cbpr
    at.eoiMode = eoiMode
    this.signal(cpu)
  }
}
