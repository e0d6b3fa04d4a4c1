/** KVM's vGICv2, put together. */
import { GICC_SIZE, GICV_PRIORITY_BITS } from '../../pure/arch/gic/gicc.ts'
import { GIC_V2_MAX_CPUS, GICD_V2_SIZE } from '../../pure/arch/gic/gicd-v2.ts'
import type { MmioRegion } from '../bus/device.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import { distributorV2Frame, readGicdV2Ctlr, readGicdV2Typer } from './distributor-v2.ts'
import type { GicV2Parts } from './distributor-v2.ts'
import { giccGuestFrame, giccUserFrame } from './gicc.ts'
import { inspectGic } from './inspect.ts'
import type { GicInspection } from './inspect.ts'
import type { RegisterFrame } from './register-frame.ts'
import { Vgic } from './vgic.ts'
import type { VgicOptions } from './vgic.ts'

export class VgicV2 extends Vgic {
  /** KVM has every ICC_*_EL1 UNDEFINED in a VM without a vGICv3. */
  readonly sysregs: SysregPort = { registers: [], read: () => undefined, write: () => false }
  /** KVM_DEV_ARM_VGIC_GRP_DIST_REGS; a CPU's private interrupts are seen through its eyes. */
  readonly distributorRegisters: RegisterFrame<string>
  /** KVM_DEV_ARM_VGIC_GRP_CPU_REGS. */
  readonly interfaceRegisters: RegisterFrame<string>
  private readonly guestInterface: RegisterFrame<string>
  private readonly parts: GicV2Parts

  constructor(options: VgicOptions) {
    if (options.cpus.length > GIC_V2_MAX_CPUS) throw new Error(`a GICv2 has no room for ${options.cpus.length} CPUs`)
    super(options, { model: 2, priBits: GICV_PRIORITY_BITS, fiqEn: false })
    const { rules, vm, state, interfaces, addresses } = this
    this.parts = {
      rules,
      vm,
      lookup: addresses,
      state,
      cpuCount: this.cpus.length,
      id: (cpu) => this.idOf(cpu),
      sgiSent: (cpu, value, intid, targets) => this.sgiSent(cpu, value, intid, targets),
    }
    this.distributorRegisters = distributorV2Frame(this.parts)
    this.guestInterface = giccGuestFrame(interfaces)
    this.interfaceRegisters = giccUserFrame(interfaces)
  }

  /** The distributor's frame, 4 KiB. */
  distributor(base: number): MmioRegion {
    const frame = this.distributorRegisters
    return {
      name: 'GICv2 distributor',
      base,
      size: GICD_V2_SIZE,
      registers: { frame: 'GICDv2' },
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

  /** The CPU interface's frame, 8 KiB: each CPU finds its own there. */
  cpuInterface(base: number): MmioRegion {
    const frame = this.guestInterface
    return {
      name: 'GICv2 CPU interface',
      base,
      size: GICC_SIZE,
      registers: { frame: 'GICC' },
      // The host's hardware answers: the vCPU stays in the guest.
      read: (offset, width, cpu) => frame.read(offset, width, cpu),
      write: (offset, width, value, cpu) => frame.write(offset, width, value, cpu),
    }
  }

  inspect(): GicInspection {
    return inspectGic({
      state: this.state,
      interfaces: this.interfaces,
      cpuCount: this.cpus.length,
      frames: [],
      irouter: () => 0n,
      gicdCtlr: Number(readGicdV2Ctlr(this.parts)),
      gicdTyper: Number(readGicdV2Typer(this.parts)),
      trapsCommon: this.trapsCommon,
    })
  }

  private sgiSent(cpu: number, value: bigint, intid: number, bits: number): void {
    if (this.onEvent === undefined) return
    const targets = this.cpus.flatMap(({ index }) => (((bits >>> index) & 1) === 1 ? [index] : []))
    this.onEvent({ kind: 'sgiSent', cpu, register: 'GICD_SGIR', value, intid, targets, misses: [] })
  }
}
