/** What KVM's vGICs have in common: interrupts, the CPUs they go to, and the wires that raise them. One per VM. */
import type { Affinity } from '../../pure/arch/affinity.ts'
import { FIRST_SPI, LAST_SPI, PPI } from '../../pure/arch/intid.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
import { noMemory } from '../bus/guest-memory.ts'
import type { GuestMemory } from '../bus/guest-memory.ts'
import { unconnected } from '../bus/irq-line.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import type { TraceSink } from '../bus/trace-sink.ts'
import { CpuInterfaces } from './cpu-interface.ts'
import { freeEffort } from './effort.ts'
import type { Effort } from './effort.ts'
import { inspectInterrupts } from './inspect.ts'
import type { CpuInterrupts, GicInspection } from './inspect.ts'
import { NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import { hypervisorRegister } from './list-registers.ts'
import { CpuLookup } from './lookup.ts'
import { InterruptState } from './state.ts'
import { vgicState } from './vgic-debug.ts'

export interface VgicCpu {
  /** Creation order, from 0. */
  readonly index: number
  /** The id it was created with: GICR_TYPER.Processor_Number. The index, if not given. */
  readonly id?: number
  mpidr(): bigint
  readonly irq: IrqLine
  readonly fiq?: IrqLine
  readonly wake?: IrqLine
}

export interface VgicOptions {
  readonly rules: VgicRules
  /** Changed in place: hasRun, revision, guestA3v, pinned. */
  readonly vm: VmFacts
  /** 64 to 1024, a multiple of 32. */
  readonly nrIrqs: number
  /** All there are, in creation order. */
  readonly cpus: readonly VgicCpu[]
  /** Where a guest has its LPI tables. None, if not given. */
  readonly memory?: GuestMemory
  /** What costs the guest time. Nothing, if not given. */
  readonly effort?: Effort
  /** A CPU has completed a level-sensitive SPI. */
  readonly completed?: (intid: number) => void
}

/** How the two models differ in what lies under their registers. */
interface Model {
  readonly model: 2 | 3
  readonly priBits: number
  /** Whether Group 0 is an FIQ before a guest has said so. */
  readonly fiqEn: boolean
}

export abstract class Vgic {
  readonly model: 2 | 3
  /** The system registers a guest reaches it by. */
  abstract readonly sysregs: SysregPort
  onEvent: TraceSink | undefined
  protected readonly rules: VgicRules
  protected readonly vm: VmFacts
  protected readonly cpus: readonly VgicCpu[]
  protected readonly addresses: CpuLookup
  protected readonly state: InterruptState
  protected readonly interfaces: CpuInterfaces
  protected readonly memory: GuestMemory
  protected readonly effort: Effort
  /** By CPU: the level of the virtual timer's output, whatever userspace made of its line. */
  private readonly timerOutputs: boolean[] = []

  constructor(
    { rules, vm, nrIrqs, cpus, memory = noMemory, effort = freeEffort(), completed = () => {} }: VgicOptions,
    { model, priBits, fiqEn }: Model,
  ) {
    if (nrIrqs < 64 || nrIrqs > 1024 || nrIrqs % 32 !== 0) throw new Error(`nrIrqs is ${nrIrqs}`)
    if (cpus.some(({ index }, i) => index !== i)) throw new Error('the CPUs are not in creation order')
    this.model = model
    this.rules = rules
    this.vm = vm
    this.cpus = cpus
    this.memory = memory
    this.effort = effort
    this.addresses = new CpuLookup(
      rules.lookupAffinity.decide(),
      cpus.map((cpu) => () => cpu.mpidr()),
    )
    this.state = new InterruptState({
      model,
      cpus: cpus.map(({ index, id }) => ({ affinity: this.addresses.affinity(index), id: id ?? index })),
      nrIrqs,
      listRegs: vm.host.listRegs,
      changed: (cpu) => this.interfaces.signal(cpu),
      completed,
      effort,
    })
    this.interfaces = new CpuInterfaces({
      ports: cpus.map(({ irq, fiq, wake }) => ({ irq, fiq: fiq ?? unconnected, wake: wake ?? unconnected })),
      priBits,
      fiqEn,
      endMatchesPriority: model === 3,
      state: () => this.state,
      event: () => this.onEvent,
    })
  }

  abstract inspect(): GicInspection

  /** What of ICH_*_EL2 the host has for each vCPU; `undefined`: there is no such register or vCPU. Changes nothing. */
  hypervisorRegister(cpu: number, encoding: number): bigint | undefined {
    const { state, interfaces, trapsCommon } = this
    if (cpu >= this.cpus.length) return undefined
    return hypervisorRegister(encoding, {
      list: state.list(cpu),
      at: interfaces.at(cpu),
      activeWords: interfaces.scheme.apWords,
      trapsCommon,
    })
  }

  /** ICH_HCR_EL2.TC. */
  protected get trapsCommon(): boolean {
    return this.model === 3 && this.rules.trapForA3v.decide({ vm: this.vm })
  }

  /** Everything about the interrupts of one CPU. */
  inspectInterrupts(cpu: number): CpuInterrupts {
    return inspectInterrupts(this.state, cpu)
  }

  spi(intid: number): IrqLine {
    const irq = intid >= FIRST_SPI && intid <= LAST_SPI ? this.state.spi(intid) : undefined
    if (irq === undefined) throw new Error(`there is no SPI with INTID ${intid}`)
    return this.wire(irq)
  }

  ppi(cpu: number, intid: number): IrqLine {
    const wire = this.wire(this.ownIrq(cpu, intid))
    return {
      set: (level) => {
        if (intid === PPI.virtualTimer) this.timerOutputs[cpu] = level
        wire.set(level)
        // A timer ends a WFI, whatever the GIC makes of its interrupt.
        this.interfaces.signal(cpu)
      },
    }
  }

  /** KVM_IRQ_LINE: what a device of KVM's own drives userspace does not (vgic_validate_injection()). */
  injectPpi(cpu: number, intid: number, level: boolean): void {
    const irq = this.ownIrq(cpu, intid)
    if (!irq.claimed) this.wire(irq).set(level)
  }

  /** The same of an SPI, which is there. */
  injectSpi(intid: number, level: boolean): void {
    if (this.irq(0, intid)?.claimed !== true) this.spi(intid).set(level)
  }

  /** A device of KVM's own drives an interrupt from now on: kvm_vgic_set_owner(). */
  claim(cpu: number, intid: number): void {
    const irq = this.state.irq(cpu, intid)
    if (irq === undefined) throw new Error(`there is no interrupt ${intid}`)
    this.state.claim(irq)
  }

  private ownIrq(cpu: number, intid: number): VgicIrq {
    const irq = this.state.privateIrq(cpu, intid)
    if (irq === undefined) throw new Error(`CPU ${cpu} has no interrupt ${intid}`)
    return irq
  }

  private wire(irq: VgicIrq): IrqLine {
    return {
      set: (level) => {
        const rises = level && !irq.line
        this.state.setLine(irq, level)
        if (rises) {
          this.onEvent?.({ kind: 'irqPending', intid: irq.intid, cpu: irq.target === NONE ? undefined : irq.target })
        }
      },
    }
  }

  /** At the first KVM_RUN of the VM: from now on affinities are found in a table, where the rules say so. */
  firstRun(): void {
    if (this.vm.hasRun) return
    this.addresses.refreshAll()
    this.addresses.freeze()
    this.vm.hasRun = true
  }

  /**
   * The VMM runs a vCPU that has these devices behind PPIs: they claim their interrupts (kvm_timer_enable()), and the
   * line of the virtual timer is what the timer says (kvm_timer_vcpu_load_gic()).
   */
  vcpuRuns(cpu: number, devices: readonly number[]): void {
    for (const intid of devices) this.state.claim(this.ownIrq(cpu, intid))
    this.state.setLine(this.ownIrq(cpu, PPI.virtualTimer), this.timerOutputs[cpu] === true)
  }

  /** A vCPU has left the guest: what KVM does between kvm_vgic_sync_hwstate() and the next entry. */
  vcpuExits(cpu: number): void {
    this.interfaces.vcpuExits(cpu)
    this.state.vcpuExits(cpu)
  }

  /** The index of the CPU with this affinity. */
  lookup(affinity: Affinity): number | undefined {
    return this.addresses.find(affinity)
  }

  /** To be told of every change of an MPIDR_EL1, whoever makes it. */
  mpidrChanged(cpu: number): void {
    this.addresses.refresh(cpu)
  }

  /**
   * A reset of the vCPU. KVM keeps its CPU interface; only the timers' interrupts, which it owns, are forgotten
   * (arch/arm64/kvm/arch_timer.c: kvm_timer_vcpu_reset()).
   */
  cpuReset(cpu: number): void {
    for (const intid of Object.values(PPI)) {
      const irq = this.state.privateIrq(cpu, intid)
      if (irq !== undefined) this.state.forget(irq)
    }
    this.interfaces.resignal(cpu)
  }

  /** debugfs vgic-state. */
  vgicState(): string {
    const { rules, model, state } = this
    return vgicState({
      rules,
      model,
      state,
      cpuCount: this.cpus.length,
      id: (cpu) => this.idOf(cpu),
      affinity: (cpu) => this.addresses.affinity(cpu),
    })
  }

  /** What is on a CPU's list, first one first. */
  queued(cpu: number): readonly Readonly<VgicIrq>[] {
    return this.state.list(cpu).all
  }

  /** An interrupt's record as it is now. */
  irq(cpu: number, intid: number): Readonly<VgicIrq> | undefined {
    return this.state.irq(cpu, intid)
  }

  protected idOf(cpu: number): number {
    return this.cpus[cpu]?.id ?? cpu
  }
}
