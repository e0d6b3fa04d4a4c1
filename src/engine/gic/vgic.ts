/** KVM's vGICv3, put together: one per VM, made when userspace initialises it. */
import { decodeSgi } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { GICD_SIZE } from '../../pure/arch/gic/gicd.ts'
import { GICR_SIZE } from '../../pure/arch/gic/gicr.ts'
import { FIRST_SPI, LAST_SPI, PPI } from '../../pure/arch/intid.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
import type { MmioRegion } from '../bus/device.ts'
import { unconnected } from '../bus/irq-line.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import type { SgiMiss, TraceSink } from '../bus/trace-sink.ts'
import { CpuInterfaces } from './cpu-interface-v3.ts'
import { distributorFrame } from './distributor.ts'
import type { GicParts } from './distributor.ts'
import { guestSysregs } from './guest-sysregs.ts'
import type { SgiRegisterName } from './guest-sysregs.ts'
import { inspectGic } from './inspect.ts'
import type { GicInspection } from './inspect.ts'
import { NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import { levelInfo } from './level-info.ts'
import type { LevelInfo } from './level-info.ts'
import { CpuLookup } from './lookup.ts'
import { Redistributors } from './redistributor.ts'
import type { ReadBack, RegisterFrame, Written } from './register-frame.ts'
import { Routing } from './routing.ts'
import { forEachSgiTarget, noSuchCpu, wrongGroup } from './sgi.ts'
import type { SgiWorld } from './sgi.ts'
import { InterruptState } from './state.ts'
import { userSysregs } from './user-sysregs.ts'
import type { SysregReadBack, UserSysregs } from './user-sysregs.ts'

export interface VgicCpu {
  /** Creation order, from 0. */
  readonly index: number
  /** The id it was created with: GICR_TYPER.Processor_Number. The index, if not given. */
  readonly id?: number
  mpidr(): bigint
  readonly irq: IrqLine
  readonly fiq?: IrqLine
}

export interface VgicOptions {
  readonly rules: VgicRules
  /** Changed in place: hasRun, revision, guestA3v, pinned. */
  readonly vm: VmFacts
  /** 64 to 1024, a multiple of 32. */
  readonly nrIrqs: number
  /** All there are, in creation order. */
  readonly cpus: readonly VgicCpu[]
}

/** GICR_STATUSR is out of order in KVM's table, so its binary search never finds it. */
const GICR_STATUSR_OFFSET = 0x10

export class Vgic {
  readonly sysregs: SysregPort
  /** KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO. */
  readonly levelInfo: LevelInfo
  onEvent: TraceSink | undefined
  private readonly vm: VmFacts
  private readonly cpus: readonly VgicCpu[]
  private readonly addresses: CpuLookup
  private readonly state: InterruptState
  private readonly interfaces: CpuInterfaces
  private readonly parts: GicParts
  private readonly distributorRegisters: RegisterFrame<string>
  private readonly redistributorRegisters: Redistributors
  private readonly user: UserSysregs
  private readonly sgiWorld: SgiWorld

  constructor({ rules, vm, nrIrqs, cpus }: VgicOptions) {
    if (nrIrqs < 64 || nrIrqs > 1024 || nrIrqs % 32 !== 0) throw new Error(`nrIrqs is ${nrIrqs}`)
    if (cpus.some(({ index }, i) => index !== i)) throw new Error('the CPUs are not in creation order')
    this.vm = vm
    this.cpus = cpus
    this.addresses = new CpuLookup(
      rules.lookupAffinity.decide(),
      cpus.map((cpu) => () => cpu.mpidr()),
    )
    this.state = new InterruptState(
      cpus.map(({ index }) => this.addresses.affinity(index)),
      nrIrqs,
      (cpu) => this.interfaces.signal(cpu),
    )
    this.interfaces = new CpuInterfaces({
      rules,
      vm,
      ports: cpus.map(({ irq, fiq }) => ({ irq, fiq: fiq ?? unconnected })),
      state: () => this.state,
      event: () => this.onEvent,
    })
    const routing = new Routing(rules, vm, this.addresses, this.state)
    this.parts = { rules, vm, state: this.state, routing }
    this.distributorRegisters = distributorFrame(this.parts)
    this.redistributorRegisters = new Redistributors(this.parts, this.addresses, (cpu) => this.idOf(cpu))
    this.sysregs = guestSysregs(this.interfaces, (cpu, register, value) => this.sendSgi(cpu, register, value))
    this.user = userSysregs(rules, vm, this.interfaces, this.addresses)
    this.levelInfo = levelInfo(this.state)
    this.sgiWorld = { rules, lookup: this.addresses, cpuCount: cpus.length, id: (cpu) => this.idOf(cpu) }
  }

  /** The distributor's frame, 64 KiB. */
  distributor(base: number): MmioRegion {
    const frame = this.distributorRegisters
    return {
      name: 'GIC distributor',
      registers: { frame: 'GICD' },
      base,
      size: GICD_SIZE,
      read: (offset, width, cpu) => frame.read(offset, width, cpu),
      write: (offset, width, value, cpu) => frame.write(offset, width, value, cpu),
    }
  }

  /**
   * `count` redistributors, 128 KiB each, of the CPUs from index `first`. `slots`: how many frames the region was
   * made for; 0 for one that grows with the CPUs.
   */
  redistributors(base: number, first: number, count: number, slots = 0): MmioRegion {
    const { frame, regions } = this.redistributorRegisters
    regions.push({ base, first, count, slots })
    return {
      name: `GIC redistributors of CPUs ${first} to ${first + count - 1}`,
      base,
      size: count * GICR_SIZE,
      registers: { frame: 'GICR', stride: GICR_SIZE, first },
      read: (offset, width) => frame.read(offset % GICR_SIZE, width, first + Math.floor(offset / GICR_SIZE)),
      write: (offset, width, value) =>
        frame.write(offset % GICR_SIZE, width, value, first + Math.floor(offset / GICR_SIZE)),
    }
  }

  spi(intid: number): IrqLine {
    const irq = intid >= FIRST_SPI && intid <= LAST_SPI ? this.state.spi(intid) : undefined
    if (irq === undefined) throw new Error(`there is no SPI with INTID ${intid}`)
    return this.wire(irq)
  }

  ppi(cpu: number, intid: number): IrqLine {
    const irq = this.state.privateIrq(cpu, intid)
    if (irq === undefined) throw new Error(`CPU ${cpu} has no interrupt ${intid}`)
    return this.wire(irq)
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

  /** The index of the CPU with this affinity. */
  lookup(affinity: Affinity): number | undefined {
    return this.addresses.find(affinity)
  }

  /** To be told of every change of an MPIDR_EL1, whoever makes it. */
  mpidrChanged(cpu: number): void {
    this.addresses.refresh(cpu)
    this.parts.routing.mpidrChanged()
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

  // Userspace: KVM_DEV_ARM_VGIC_GRP_DIST_REGS, REDIST_REGS and CPU_SYSREGS.

  distHas(offset: number): boolean {
    return this.distributorRegisters.has(offset)
  }

  distRead(offset: number): ReadBack {
    return this.distributorRegisters.userRead(offset, 0)
  }

  distWrite(offset: number, value: number): Written {
    return this.distributorRegisters.userWrite(offset, value, 0)
  }

  redistHas(offset: number): boolean {
    return offset !== GICR_STATUSR_OFFSET && this.redistributorRegisters.frame.has(offset)
  }

  redistRead(cpu: number, offset: number): ReadBack {
    return this.redistributorRegisters.frame.userRead(offset, cpu)
  }

  redistWrite(cpu: number, offset: number, value: number): Written {
    return this.redistributorRegisters.frame.userWrite(offset, value, cpu)
  }

  cpuSysregHas(encoding: number): boolean {
    return this.user.has(encoding)
  }

  cpuSysregRead(cpu: number, encoding: number): SysregReadBack {
    return this.user.get(cpu, encoding)
  }

  cpuSysregWrite(cpu: number, encoding: number, value: bigint): Written {
    return this.user.set(cpu, encoding, value)
  }

  inspect(): GicInspection {
    return inspectGic(this.parts, this.redistributorRegisters, this.interfaces, this.cpus.length)
  }

  /** An interrupt's record as it is now, for vgic-state. */
  irq(cpu: number, intid: number): Readonly<VgicIrq> | undefined {
    return this.state.irq(cpu, intid)
  }

  private idOf(cpu: number): number {
    return this.cpus[cpu]?.id ?? cpu
  }

  /** Only ICC_SGI1R_EL1 raises SGIs of either group; the others those of Group 0 (12.2.20, with GICD_CTLR.DS = 1). */
  private sendSgi(writer: number, register: SgiRegisterName, value: bigint): void {
    const { onEvent } = this
    const sgi = decodeSgi(value)
    const { intid } = sgi
    const targets: number[] = []
    const misses: SgiMiss[] = []
    forEachSgiTarget(
      this.sgiWorld,
      writer,
      sgi,
      (cpu) => {
        const irq = this.state.privateIrq(cpu, intid)
        if (irq === undefined) return
        if (irq.group === 1 && register !== 'ICC_SGI1R_EL1') {
          if (onEvent !== undefined) misses.push(wrongGroup(this.addresses.affinity(cpu), cpu))
          return
        }
        if (onEvent !== undefined) targets.push(cpu)
        this.state.pend(irq)
      },
      (affinity) => {
        if (onEvent !== undefined) misses.push(noSuchCpu(affinity))
      },
    )
    onEvent?.({ kind: 'sgiSent', cpu: writer, register, value, intid, targets, misses })
  }
}
