/**
 * A VM in the words of the oracle's program (src/testing/kvm-oracle/oracle.h): the same calls in the same order, and
 * answers written as it prints them, so that a line recorded on real KVM can be compared byte for byte.
 */
import { resetAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import type { CpuModelId } from '../../pure/arch/cpu/models.ts'
import { SPURIOUS } from '../../pure/arch/intid.ts'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { IccName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import type { KvmAnswer, KvmCall, VcpuFeature } from '../../pure/uapi/calls.ts'
import { encodeIrqLine } from '../../pure/uapi/irq-line.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import { DEVICE_TYPE, VGIC_CTRL } from '../../pure/uapi/vgic-attr.ts'
import type { AccessWidth } from '../../engine/bus/device.ts'
import { Kvm } from '../../engine/kvm/kvm.ts'
import { TestMachine } from '../test-machine.ts'
import { ename, failed, gv, hex } from './answers.ts'
import type { Got } from './answers.ts'
import type { Env } from './kvm-case.ts'
import { A, AT, G, GICC, GICD, GICR, RAM } from './places.ts'

/** Nothing answers: an MMIO exit, which the program serves with these bytes. */
const UNBACKED = 0xa5a5_a5a5_a5a5_a5a5n

export class CaseVm {
  readonly machine: TestMachine
  readonly kvm: Kvm
  /** What was given to KVM_CREATE_VCPU, in creation order. */
  readonly ids: number[] = []

  /** `ram`: bytes of memory at RAM. `cpu`: of the host; a Cortex-A57, if not given. */
  constructor(env: Env, ram = 0, cpu?: CpuModelId) {
    this.machine = new TestMachine(ram, cpu)
    this.kvm = new Kvm({ hardware: this.machine, rules: rulesFor(env.ruleSet, env.base), host: env.host })
    this.must(ename(this.call({ call: 'KVM_CREATE_VM' })))
  }

  call(call: KvmCall): KvmAnswer {
    return this.kvm.execute(call)
  }

  /** A step of the set-up. */
  must(error: string): this {
    if (error !== '0') throw new Error(`the set-up failed: ${error}`)
    return this
  }

  // The VMM's hand

  create(id: number): string {
    const answer = this.call({ call: 'KVM_CREATE_VCPU', id })
    if (answer.ok) this.ids.push(id)
    return ename(answer)
  }

  init(vcpu: number, ...features: readonly VcpuFeature[]): string {
    const answer = this.call({ call: 'KVM_ARM_VCPU_INIT', vcpu, features: ['PSCI_0_2', ...features] })
    if (!answer.ok || features.includes('POWER_OFF')) return ename(answer)
    return this.setReg(vcpu, ONE_REG.PC, RAM)
  }

  add(id: number, ...features: readonly VcpuFeature[]): string {
    const created = this.create(id)
    return created === '0' ? this.init(this.ids.length - 1, ...features) : created
  }

  setReg(vcpu: number, reg: bigint, value: bigint): string {
    return ename(this.call({ call: 'KVM_SET_ONE_REG', vcpu, reg, value }))
  }

  setMpidr(vcpu: number, value: bigint): string {
    return this.setReg(vcpu, ONE_REG.MPIDR_EL1, value)
  }

  mpidrValue(vcpu: number): bigint {
    const answer = this.call({ call: 'KVM_GET_ONE_REG', vcpu, reg: ONE_REG.MPIDR_EL1 })
    return answer.ok ? (answer.value ?? 0n) : failed(answer)
  }

  mpidr(vcpu: number): string {
    return hex(this.mpidrValue(vcpu))
  }

  gic(type: number): string {
    return ename(this.call({ call: 'KVM_CREATE_DEVICE', type }))
  }

  set(group: number, attr: bigint | number, value: bigint | number): string {
    return ename(this.call({ call: 'KVM_SET_DEVICE_ATTR', group, attr: BigInt(attr), value: BigInt(value) }))
  }

  /** The error, and the value (0 with an error). */
  get(group: number, attr: bigint | number, value = 0n): { readonly error: string; readonly value: bigint } {
    const answer = this.call({ call: 'KVM_GET_DEVICE_ATTR', group, attr: BigInt(attr), value })
    return { error: ename(answer), value: answer.ok ? (answer.value ?? 0n) : 0n }
  }

  has(group: number, attr: bigint | number): string {
    return ename(this.call({ call: 'KVM_HAS_DEVICE_ATTR', group, attr: BigInt(attr) }))
  }

  private attr(group: number, attr: bigint): bigint {
    const answer = this.call({ call: 'KVM_GET_DEVICE_ATTR', group, attr })
    return answer.ok ? (answer.value ?? 0n) : failed(answer)
  }

  /** Userspace's view of a register of the distributor, of a redistributor, and of the CPU interface. */
  ud(offset: number): bigint {
    return this.attr(G.DIST_REGS, AT(0, offset))
  }

  ur(affinity: Affinity, offset: number): bigint {
    return this.attr(G.REDIST_REGS, AT(affinity, offset))
  }

  us(affinity: Affinity, encoding: number): bigint {
    return this.attr(G.CPU_SYSREGS, AT(affinity, encoding))
  }

  setCtlr(value: number): string {
    return this.set(G.CPU_SYSREGS, AT(0, ICC.ICC_CTLR_EL1), value)
  }

  ctlr(): string {
    return hex(this.us(0, ICC.ICC_CTLR_EL1), 4)
  }

  /** GICR_TYPER's low word, as the program's typ() has it. */
  typ(affinity: Affinity): string {
    const { error, value } = this.get(G.REDIST_REGS, AT(affinity, 8))
    return error === '0' ? `0 (${hex(value)})` : error
  }

  typerLow(id: number): string {
    return hex(this.ur(resetAffinity(id), 8), 3)
  }

  region(count: number, base: number, index: number): string {
    return this.set(G.ADDR, A.V3_REDIST_REGION, (BigInt(count) << 52n) | BigInt(base) | BigInt(index))
  }

  initGic(): string {
    return this.set(G.CTRL, VGIC_CTRL.INIT, 0)
  }

  v3(): string {
    return this.all(
      () => this.gic(DEVICE_TYPE.V3),
      () => this.set(G.ADDR, A.V3_DIST, GICD),
      () => this.set(G.ADDR, A.V3_REDIST, GICR),
      () => this.initGic(),
    )
  }

  v2(): string {
    return this.all(
      () => this.gic(DEVICE_TYPE.V2),
      () => this.set(G.ADDR, A.V2_DIST, GICD),
      () => this.set(G.ADDR, A.V2_CPU, GICC),
      () => this.initGic(),
    )
  }

  /** The first error. */
  all(...steps: readonly (() => string)[]): string {
    for (const step of steps) {
      const error = step()
      if (error !== '0') return error
    }
    return '0'
  }

  irqLine(type: number, vcpu: number, number: number, level: boolean): string {
    return ename(this.call({ call: 'KVM_IRQ_LINE', irq: encodeIrqLine(type, vcpu, number), level }))
  }

  run(vcpu: number): string {
    return ename(this.call({ call: 'KVM_RUN', vcpu }))
  }

  /** A thread of the VMM goes into KVM_RUN and does not come back. */
  runAndStay(vcpu: number): string {
    return ename(this.call({ call: 'KVM_RUN', vcpu, stay: true }))
  }

  runAll(): this {
    for (const vcpu of this.ids.keys()) this.must(this.run(vcpu))
    return this
  }

  // The guest's hand: one operation of a vCPU, which enters KVM_RUN for it, and leaves it to tell what came of it.

  private enter(vcpu: number, operation: () => Got): Got {
    const error = this.run(vcpu)
    if (error !== '0') return error
    if (!this.machine.cpu(vcpu).powered) return 'BLOCKED'
    const got = operation()
    this.kvm.vgic?.vcpuExits(vcpu)
    return got
  }

  nop(vcpu: number): string {
    return gv(this.enter(vcpu, () => 0n))
  }

  load(vcpu: number, width: AccessWidth, address: number): Got {
    return this.enter(vcpu, () =>
      this.machine.has(address) ? this.machine.load(address, width, vcpu) : BigInt.asUintN(8 * width, UNBACKED),
    )
  }

  /** A load by a vCPU that runs. */
  read(vcpu: number, width: AccessWidth, address: number): bigint {
    const got = this.load(vcpu, width, address)
    if (typeof got === 'string') throw new Error(`vCPU ${vcpu}: ${got}`)
    return got
  }

  write(vcpu: number, width: AccessWidth, address: number, value: bigint | number): this {
    this.enter(vcpu, () => {
      if (this.machine.has(address)) this.machine.store(address, width, BigInt.asUintN(8 * width, BigInt(value)), vcpu)
      return 0n
    })
    return this
  }

  r32(vcpu: number, address: number): bigint {
    return this.read(vcpu, 4, address)
  }

  r64(vcpu: number, address: number): bigint {
    return this.read(vcpu, 8, address)
  }

  w32(vcpu: number, address: number, value: bigint | number): this {
    return this.write(vcpu, 4, address, value)
  }

  w64(vcpu: number, address: number, value: bigint | number): this {
    return this.write(vcpu, 8, address, value)
  }

  mrs(vcpu: number, name: IccName): Got {
    return this.enter(vcpu, () => this.machine.mrs(vcpu, ICC[name]) ?? 'UNDEF')
  }

  msr(vcpu: number, name: IccName, value: bigint | number): Got {
    return this.enter(vcpu, () => (this.machine.msr(vcpu, ICC[name], BigInt(value)) ? 0n : 'UNDEF'))
  }

  guestMpidr(vcpu: number): Got {
    return this.enter(vcpu, () => {
      const { mpidr } = this.machine.cpu(vcpu)
      return this.kvm.vcpus[vcpu]?.el1 === 32 ? BigInt.asUintN(32, mpidr) : mpidr
    })
  }

  /** X0 as the guest has it afterwards. */
  hvc(vcpu: number, fn: number, a: bigint | number = 0, b: bigint | number = 0): Got {
    return this.enter(vcpu, () => unsigned(this.machine.hvc(vcpu, fn, BigInt(a), BigInt(b))))
  }

  smc(vcpu: number, fn: number): Got {
    return this.enter(vcpu, () => unsigned(this.machine.smc(vcpu, fn)))
  }

  openInterfaces(): this {
    for (const vcpu of this.ids.keys()) {
      this.msr(vcpu, 'ICC_PMR_EL1', 0xff)
      this.msr(vcpu, 'ICC_IGRPEN1_EL1', 1)
    }
    return this
  }

  /** Every CPU interface open and the distributor on. */
  listening(): this {
    return this.openInterfaces().w32(0, GICD, 2)
  }

  /** Acknowledges on a vCPU and completes it at once: the INTID, or 1023. */
  ack(vcpu: number): number {
    const got = this.mrs(vcpu, 'ICC_IAR1_EL1')
    const intid = typeof got === 'string' ? SPURIOUS : Number(got)
    if (intid !== SPURIOUS) this.msr(vcpu, 'ICC_EOIR1_EL1', intid)
    return intid
  }

  /** The vCPUs that take an interrupt. */
  takers(intid: number): readonly number[] {
    return [...this.ids.keys()].filter((vcpu) => this.ack(vcpu) === intid)
  }

  spiOn(intid: number): this {
    return this.w32(0, GICD + 0x100 + 4 * Math.floor(intid / 32), 1n << BigInt(intid % 32))
  }

  spiPend(intid: number): this {
    return this.w32(0, GICD + 0x200 + 4 * Math.floor(intid / 32), 1n << BigInt(intid % 32))
  }

  spiPending(intid: number): string {
    return `${(this.r32(0, GICD + 0x200 + 4 * Math.floor(intid / 32)) >> BigInt(intid % 32)) & 1n}`
  }

  // debugfs

  /** The columns of an interrupt's row in vgic-state. */
  row(
    intid: number,
    vcpu = 0,
  ): { readonly tgt: number; readonly apList: number; readonly active: boolean; readonly target: string } {
    const irq = this.kvm.vgic?.irq(vcpu, intid)
    if (irq === undefined) throw new Error(`there is no interrupt ${intid}`)
    const target = this.kvm.rules.vgicDebugTarget.decide({ affinity: irq.affinity })
    return { tgt: irq.target, apList: irq.queuedOn, active: irq.active, target: target.trim() }
  }

  /** The file, and an SPI's line in it. */
  state(): string {
    const { vgic } = this.kvm
    if (vgic === undefined) throw new Error('there is no vgic-state before the GIC is initialised')
    return vgic.vgicState()
  }

  stateLine(intid: number): string {
    return this.state()
      .split('\n')
      .filter((line) => line.slice(7, 15) === `SPI ${`${intid}`.padStart(4)}`)
      .join()
  }

  /** The program's its_create(). */
  its(base: number): string {
    const its = { its: 0, value: BigInt(base) }
    return this.all(
      () => this.gic(DEVICE_TYPE.ITS),
      () => ename(this.call({ call: 'KVM_SET_DEVICE_ATTR', group: G.ADDR, attr: A.ITS, ...its })),
      () => ename(this.call({ call: 'KVM_SET_DEVICE_ATTR', group: G.CTRL, attr: VGIC_CTRL.INIT, ...its })),
    )
  }

  itsReg(offset: number): bigint {
    const answer = this.call({ call: 'KVM_GET_DEVICE_ATTR', group: G.ITS_REGS, attr: BigInt(offset), its: 0 })
    return answer.ok ? (answer.value ?? 0n) : failed(answer)
  }

  tgt(intid: number): number {
    return this.row(intid).tgt
  }
}

const unsigned = (value: bigint | undefined): Got => (value === undefined ? 'GONE' : BigInt.asUintN(64, value))
