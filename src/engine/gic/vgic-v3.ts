/** KVM's vGICv3, put together. */
import { decodeSgi } from '../../pure/arch/affinity.ts'
import { GICD_SIZE } from '../../pure/arch/gic/gicd.ts'
import { GICR_SIZE } from '../../pure/arch/gic/gicr.ts'
import type { MmioRegion } from '../bus/device.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { SgiMiss } from '../bus/trace-sink.ts'
import { distributorFrame, readGicdCtlr, readGicdTyper } from './distributor.ts'
import type { GicParts } from './distributor.ts'
import { guestSysregs } from './guest-sysregs.ts'
import type { SgiRegisterName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { IccControls } from './icc-control.ts'
import type { LpiWorld } from './its/translation.ts'
import { inspectGic } from './inspect.ts'
import type { GicInspection } from './inspect.ts'
import { levelInfo } from './level-info.ts'
import type { LevelInfo } from './level-info.ts'
import { Lpis } from './lpis.ts'
import { Redistributors } from './redistributor.ts'
import type { RedistributorRegion } from './redistributor.ts'
import type { ReadBack, RegisterFrame, Written } from './register-frame.ts'
import { Routing } from './routing.ts'
import { forEachSgiTarget, noSuchCpu, wrongGroup } from './sgi.ts'
import type { SgiWorld } from './sgi.ts'
import { userSysregs } from './user-sysregs.ts'
import type { SysregReadBack, UserSysregs } from './user-sysregs.ts'
import { Vgic } from './vgic.ts'
import type { VgicOptions } from './vgic.ts'

/** GICR_STATUSR is out of order in KVM's table, so its binary search never finds it. */
const GICR_STATUSR_OFFSET = 0x10

export class VgicV3 extends Vgic {
  readonly sysregs: SysregPort
  /** KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO. */
  readonly levelInfo: LevelInfo
  private readonly parts: GicParts
  private readonly distributorRegisters: RegisterFrame<string>
  private readonly redistributorRegisters: Redistributors
  private readonly user: UserSysregs
  private readonly sgiWorld: SgiWorld

  constructor(options: VgicOptions) {
    super(options, { model: 3, priBits: options.vm.host.priBits, fiqEn: true })
    const { rules, vm, state, interfaces, addresses } = this
    const { length: cpuCount } = this.cpus
    const routing = new Routing(rules, vm, addresses, state)
    const lpis = new Lpis({ vm, state, memory: this.memory, effort: this.effort })
    this.parts = { rules, vm, lookup: addresses, state, routing, lpis }
    this.distributorRegisters = distributorFrame(this.parts)
    this.redistributorRegisters = new Redistributors(this.parts, (cpu) => this.idOf(cpu))
    const controls = new IccControls(rules, vm, interfaces, cpuCount)
    this.sysregs = guestSysregs(interfaces, controls, (cpu, register, value) => this.sendSgi(cpu, register, value))
    this.user = userSysregs({ rules, vm, cpus: interfaces, controls, lookup: addresses, routing })
    this.levelInfo = levelInfo(state)
    this.sgiWorld = { rules, lookup: addresses, cpuCount, id: (cpu) => this.idOf(cpu) }
  }

  override mpidrChanged(cpu: number): void {
    super.mpidrChanged(cpu)
    this.parts.routing.retarget()
  }

  /** What ITSes act on. */
  get lpiWorld(): LpiWorld {
    return this.parts
  }

  /** The VM has an ITS from now on. */
  itsCreated(): void {
    this.parts.lpis.itsCreated()
  }

  /** KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES. */
  savePendingTables(): Refusal | undefined {
    return this.parts.lpis.savePending()
  }

  /** The distributor's frame, 64 KiB. */
  distributor(base: number): MmioRegion {
    const frame = this.distributorRegisters
    return {
      name: 'GIC distributor',
      registers: { frame: 'GICD' },
      base,
      size: GICD_SIZE,
      read: (offset, width, cpu) => {
        this.vcpuExits(cpu)
        return frame.read(offset, width, cpu)
      },
      write: (offset, width, value, cpu) => {
        this.vcpuExits(cpu)
        frame.write(offset, width, value, cpu)
      },
    }
  }

  /** Consecutive redistributors, whose place and number GICR_TYPER.Last depends on. */
  addRedistributors(region: RedistributorRegion): void {
    this.redistributorRegisters.regions.push(region)
  }

  /** The frames of `count` CPUs from `first` on, as a guest sees them. */
  redistributors({ base, first, count }: Omit<RedistributorRegion, 'slots'>): MmioRegion {
    const { frame } = this.redistributorRegisters
    return {
      name: `GIC redistributors of CPUs ${first} to ${first + count - 1}`,
      base,
      size: count * GICR_SIZE,
      registers: { frame: 'GICR', stride: GICR_SIZE, first },
      read: (offset, width, cpu) => {
        this.vcpuExits(cpu)
        return frame.read(offset % GICR_SIZE, width, first + Math.floor(offset / GICR_SIZE))
      },
      write: (offset, width, value, cpu) => {
        this.vcpuExits(cpu)
        frame.write(offset % GICR_SIZE, width, value, first + Math.floor(offset / GICR_SIZE))
      },
    }
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

  cpuSysregRead(cpu: number, encoding: number): SysregReadBack {
    return this.user.get(cpu, encoding)
  }

  cpuSysregWrite(cpu: number, encoding: number, value: bigint): Written {
    return this.user.set(cpu, encoding, value)
  }

  inspect(): GicInspection {
    const { parts, interfaces } = this
    return inspectGic({
      state: this.state,
      interfaces,
      cpuCount: this.cpus.length,
      frames: this.redistributorRegisters.inspect(),
      irouter: (irq) => parts.routing.read(irq, 8, 'low'),
      gicdCtlr: Number(readGicdCtlr(parts)),
      gicdTyper: Number(readGicdTyper(parts)),
      trapsCommon: this.trapsCommon,
    })
  }

  /** Only ICC_SGI1R_EL1 raises SGIs of either group; the others those of Group 0 (12.2.20, with GICD_CTLR.DS = 1). */
  private sendSgi(writer: number, register: SgiRegisterName, value: bigint): void {
    // These registers are always trapped.
    this.vcpuExits(writer)
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
