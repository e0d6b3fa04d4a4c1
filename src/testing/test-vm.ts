/** A VM on a test machine, and short words for what a VMM and a guest do to it. */
import { resetAffinity } from '../pure/arch/affinity.ts'
import type { Affinity } from '../pure/arch/affinity.ts'
import { ICC } from '../pure/arch/sysregs/gic-cpu.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import type { HostProfile, KernelBase, RuleSetId } from '../pure/blueprint/host.ts'
import { rulesFor } from '../pure/rules/rule-sets.ts'
import type { KvmAnswer, VcpuFeature } from '../pure/uapi/calls.ts'
import { ONE_REG } from '../pure/uapi/one-reg.ts'
import {
  DEVICE_TYPE,
  VGIC_ADDR,
  VGIC_CTRL,
  VGIC_GROUP,
  encodeRedistRegion,
  registerAttr,
} from '../pure/uapi/vgic-attr.ts'
import { Kvm } from '../engine/kvm/kvm.ts'
import { TestMachine } from './test-machine.ts'

export const GICD = 0x0800_0000
export const GICR = 0x080a_0000
const FRAME = 0x20000
/** KVM_DEV_ARM_VGIC's IROUTER offset of an SPI. */
export const irouter = (intid: number): number => 0x6000 + 8 * intid

export interface TestVmOptions {
  readonly ruleSet: RuleSetId
  readonly base?: KernelBase
  readonly host?: HostProfile
  /** KVM_CREATE_VM's: the size of the guest's physical address space in bits. 40, if not given. */
  readonly type?: number
  /** vCPU ids in creation order. */
  readonly ids?: readonly number[]
  /** Ids that start powered off. */
  readonly off?: readonly number[]
  readonly el1?: 32 | 64
  /** Which GIC; `none` stops after the vCPUs. */
  readonly gic?: 'none' | 2 | 3
  /** What comes between the vCPUs and the GIC. */
  readonly beforeGic?: (vm: TestVm) => void
  /** Redistributor regions, [count, base]; without them the one legacy region. */
  readonly regions?: readonly (readonly [number, number])[]
  readonly init?: boolean
  /** Bytes of RAM; none, if not given. */
  readonly ram?: number
}

/** What strace would print: 0, or the error. */
export const outcome = (answer: KvmAnswer): string => (answer.ok ? '0' : answer.errno)

export class TestVm {
  readonly machine: TestMachine
  readonly kvm: Kvm

  constructor(o: TestVmOptions) {
    const host = o.host ?? HOST_PRESETS.H1
    this.machine = new TestMachine(o.ram)
    this.kvm = new Kvm({ hardware: this.machine, rules: rulesFor(o.ruleSet, o.base ?? '6.12'), host })
    this.must(this.kvm.execute({ call: 'KVM_CREATE_VM', type: o.type ?? 0 }))
    const ids = o.ids ?? [0, 1, 2, 3]
    for (const [vcpu, id] of ids.entries()) {
      this.must(this.kvm.execute({ call: 'KVM_CREATE_VCPU', id }))
      const features: VcpuFeature[] = ['PSCI_0_2']
      if (o.off?.includes(id) === true) features.push('POWER_OFF')
      if (o.el1 === 32) features.push('EL1_32BIT')
      this.must(this.kvm.execute({ call: 'KVM_ARM_VCPU_INIT', vcpu, features }))
    }
    o.beforeGic?.(this)
    const gic = o.gic ?? 3
    if (gic === 'none') return
    this.must(this.kvm.execute({ call: 'KVM_CREATE_DEVICE', type: gic === 3 ? DEVICE_TYPE.V3 : DEVICE_TYPE.V2 }))
    if (gic === 3) {
      this.must(this.setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_DIST, BigInt(GICD)))
      if (o.regions === undefined) this.must(this.setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_REDIST, BigInt(GICR)))
      for (const [index, [count, base]] of (o.regions ?? []).entries()) {
        const value = encodeRedistRegion({ index, base, count, flags: 0 })
        this.must(this.setAttr(VGIC_GROUP.ADDR, VGIC_ADDR.V3_REDIST_REGION, value))
      }
    }
    if (o.init ?? true) this.must(this.setAttr(VGIC_GROUP.CTRL, VGIC_CTRL.INIT, 0n))
  }

  /** A step of the set-up, which cannot fail in this test. */
  must(answer: KvmAnswer): void {
    if (!answer.ok) throw new Error(`${answer.errno}: ${answer.why}`)
  }

  // The VMM's hand.

  setMpidr(vcpu: number, value: bigint): KvmAnswer {
    return this.kvm.execute({ call: 'KVM_SET_ONE_REG', vcpu, reg: ONE_REG.MPIDR_EL1, value })
  }

  getMpidr(vcpu: number): string {
    const answer = this.kvm.execute({ call: 'KVM_GET_ONE_REG', vcpu, reg: ONE_REG.MPIDR_EL1 })
    return answer.ok ? (answer.value ?? 0n).toString(16) : answer.errno
  }

  setAttr(group: number, attr: bigint, value: bigint): KvmAnswer {
    return this.kvm.execute({ call: 'KVM_SET_DEVICE_ATTR', group, attr, value })
  }

  getAttr(group: number, attr: bigint): KvmAnswer {
    return this.kvm.execute({ call: 'KVM_GET_DEVICE_ATTR', group, attr })
  }

  hasAttr(group: number, attr: bigint): KvmAnswer {
    return this.kvm.execute({ call: 'KVM_HAS_DEVICE_ATTR', group, attr })
  }

  /** GICR_TYPER's low word through the device: its digits, or the error. */
  typerLow(affinity: Affinity, digits = 8): string {
    const answer = this.getAttr(VGIC_GROUP.REDIST_REGS, registerAttr(affinity, 8))
    return answer.ok ? (answer.value ?? 0n).toString(16).padStart(digits, '0') : answer.errno
  }

  typerLows(ids: readonly number[]): string {
    return ids.map((id) => this.typerLow(resetAffinity(id), 3)).join(',')
  }

  run(): this {
    this.must(this.kvm.firstRun())
    return this
  }

  /** The vCPU an SPI goes to, -1 for none. */
  target(intid: number): number {
    const irq = this.kvm.vgic?.irq(0, intid)
    if (irq === undefined) throw new Error(`there is no interrupt ${intid}`)
    return irq.target
  }

  /** The TARGET column of vgic-state. */
  targetColumn(intid: number): string {
    return this.kvm.rules.vgicDebugTarget.decide({ affinity: this.kvm.vgic?.irq(0, intid)?.affinity ?? 0 })
  }

  // The guest's hand.

  /** GICR_TYPER of the n-th frame, 64 bits. */
  guestTyper(frame: number): string {
    return this.machine
      .load(GICR + frame * FRAME + 8, 8)
      .toString(16)
      .padStart(16, '0')
  }

  readRouter(intid: number, half: 'low' | 'high' | 'all' = 'all'): string {
    const address = GICD + irouter(intid) + (half === 'high' ? 4 : 0)
    return this.machine.load(address, half === 'all' ? 8 : 4).toString(16)
  }

  writeRouter(intid: number, value: bigint, half: 'low' | 'high' | 'all' = 'all'): this {
    this.machine.store(GICD + irouter(intid) + (half === 'high' ? 4 : 0), half === 'all' ? 8 : 4, value)
    return this
  }

  /** Everything a guest opens before interrupts arrive: distributor, CPU interfaces, the SPI. */
  listen(intid: number): this {
    this.machine.store(GICD, 4, 2n)
    for (const { index } of this.machine.cpus) {
      this.machine.msr(index, ICC.ICC_PMR_EL1, 0xf8n)
      this.machine.msr(index, ICC.ICC_IGRPEN1_EL1, 1n)
    }
    return this.enable(intid)
  }

  private bankBit(bank: number, intid: number): this {
    this.machine.store(GICD + bank + 4 * Math.floor(intid / 32), 4, 1n << BigInt(intid % 32))
    return this
  }

  enable(intid: number): this {
    return this.bankBit(0x100, intid)
  }

  pend(intid: number): this {
    return this.bankBit(0x200, intid)
  }

  pendingBit(intid: number): string {
    const word = this.machine.load(GICD + 0x200 + 4 * Math.floor(intid / 32), 4)
    return `${(word >> BigInt(intid % 32)) & 1n}`
  }

  /** Who acknowledges an interrupt now, as its IRQ input says it should. */
  delivered(intid: number): string {
    for (const { index, irqLevel } of this.machine.cpus) {
      if (irqLevel && this.machine.mrs(index, ICC.ICC_IAR1_EL1) === BigInt(intid)) return `delivered to vCPU ${index}`
    }
    return 'not delivered'
  }

  complete(cpu: number, intid: number): this {
    this.machine.msr(cpu, ICC.ICC_EOIR1_EL1, BigInt(intid))
    return this
  }
}
