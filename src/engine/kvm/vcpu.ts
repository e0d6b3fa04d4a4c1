/** What KVM knows of one vCPU. */
import { resetMpidr } from '../../pure/arch/affinity.ts'
import type { VcpuFeature } from '../../pure/uapi/calls.ts'
import type { CpuPort } from '../machine/hardware.ts'
import { el1Of } from './vcpu-checks.ts'

export class Vcpu {
  readonly port: CpuPort
  /** Creation order. */
  readonly index: number
  /** What KVM_CREATE_VCPU was given. */
  readonly id: number
  /** Before KVM_ARM_VCPU_INIT the stored MPIDR_EL1 is 0, and so the affinity is 0.0.0.0. */
  private stored = 0n
  /** KVM_ARM_VCPU_INIT's features, once it was called; POWER_OFF is a request and not a feature. */
  features: readonly VcpuFeature[] | undefined
  /** The interrupt of its PMU, and whether the VMM has said that it is complete. */
  readonly pmu: { irq: number | undefined; created: boolean } = { irq: undefined, created: false }
  /** What a second KVM_ARM_VCPU_INIT has to ask for as well. */
  asked: readonly VcpuFeature[] | undefined
  /** Whether KVM_RUN leaves it off until CPU_ON. */
  startsOff = false
  /** Whether KVM_RUN has started it. */
  started = false
  /** Whether a thread of the VMM is inside its KVM_RUN. */
  inside = false

  constructor(port: CpuPort, id: number) {
    this.port = port
    this.index = port.index
    this.id = id
  }

  get el1(): 32 | 64 {
    return el1Of(this.features ?? [])
  }

  get initialised(): boolean {
    return this.features !== undefined
  }

  get mpidr(): bigint {
    return this.stored
  }

  setMpidr(value: bigint): void {
    this.stored = value
    this.port.setMpidr(value)
  }

  resetMpidr(): void {
    this.setMpidr(resetMpidr(this.id))
  }

  /** KVM_MP_STATE_RUNNABLE: not switched off, whether or not the VMM has run it yet. */
  get on(): boolean {
    return this.started ? this.port.powered : !this.startsOff
  }

  /** CPU_ON: a reset, and where it starts, now or when the VMM runs it. */
  turnOn(entry: bigint, context: bigint): void {
    if (this.started) return this.port.powerOn(entry, context)
    this.port.reset()
    this.port.registers.setCore('PC', entry)
    this.port.registers.setCore('X0', context)
    this.startsOff = false
  }

  /** KVM_SET_MP_STATE, without a reset. */
  setOn(on: boolean): void {
    if (!this.started) this.startsOff = !on
    else if (on && !this.port.powered) this.port.start()
    else if (!on && this.port.powered) this.port.powerOff()
  }

  /** KVM_RUN's part for a vCPU that is not off. */
  start(): void {
    if (this.started) return
    this.started = true
    if (!this.startsOff) this.port.start()
  }
}
