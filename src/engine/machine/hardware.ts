import type { Feature } from '../../pure/arch/cpu/features.ts'
import type { Clock } from '../bus/clock.ts'
import type { MmioRegion } from '../bus/device.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import type { Conduit } from '../cpu/system-helpers.ts'

/** What became of a write: `invalid`, the value cannot be; `unknown`, there is no such register. */
export type RegisterWritten = 'done' | 'invalid' | 'unknown'

/** The registers of a CPU as its hypervisor reaches them while the CPU does not run. */
export interface CpuRegisters {
  /** `name` as struct kvm_regs has it: X0 to X30, SP_EL0, PC, PSTATE, SP_EL1, ELR_EL1, SPSR_EL1, V0 to V31 (128 bits), FPSR, FPCR. */
  core(name: string): bigint | undefined
  setCore(name: string, value: bigint): RegisterWritten
  /** The encodings (MRS) of all system registers that make up its state or tell what it is. */
  readonly system: readonly number[]
  readSystem(encoding: number): bigint | undefined
  writeSystem(encoding: number, value: bigint): RegisterWritten
}

/** One CPU as KVM sees it: something to start, to stop, and to interrupt. */
export interface CpuPort {
  /** Creation order, from 0. */
  readonly index: number
  /** The CPU's IRQ and FIQ inputs. */
  readonly irq: IrqLine
  readonly fiq: IrqLine
  /** While high, no WFI waits, as where a hypervisor traps it and has something for the guest. */
  readonly wake: IrqLine
  /** Whether the CPU is powered on (a CPU that waits in WFI is). */
  readonly powered: boolean
  readonly registers: CpuRegisters
  /** What MRS MPIDR_EL1 reads on this CPU from now on. */
  setMpidr(value: bigint): void
  /** Architectural reset into EL1 with the MMU off; does not run. */
  reset(): void
  /** Runs from where its registers say. */
  start(): void
  /** Reset, then runs from `entry` with X0 = `context`. */
  powerOn(entry: bigint, context: bigint): void
  powerOff(): void
}

/** What a guest asked for when it called SYSTEM_OFF or SYSTEM_RESET. */
export type SystemEvent = 'off' | 'reset'

/** X0 to X3 of an HVC (or SMC); the answer goes to X0. `undefined`: the call never returns to this CPU. */
export type HypercallHandler = (
  cpu: number,
  args: readonly [bigint, bigint, bigint, bigint],
  conduit: Conduit,
) => bigint | undefined

/** The machine under KVM: CPUs, an address space, system registers and a clock, all to be wired. */
export interface Hardware {
  readonly clock: Clock
  /** Whether its CPUs execute AArch32 at EL1. */
  readonly aarch32: boolean
  /** What its CPUs have. */
  readonly features: ReadonlySet<Feature>
  /** Adds a CPU, powered off. At most 512. */
  addCpu(): CpuPort
  /** Maps a region; one that overlaps RAM or another region is a mistake of the caller and throws. */
  attach(region: MmioRegion): void
  /** Removes a region mapped before. */
  detach(region: MmioRegion): void
  /** `handler` is told whenever a CPU has left the guest for a while, at the end of its slice. */
  onVcpuExit(handler: (cpu: number) => void): void
  /** Bits of an identification register, by its encoding, that read as 0 on every CPU. */
  hide(register: number, bits: bigint): void
  /** What the guest does not see of its CPUs from now on: neither told of nor there. */
  withhold(features: readonly Feature[]): void
  /** Hands system registers to an owner outside the CPU. */
  own(port: SysregPort): void
  onHypercall(handler: HypercallHandler): void
  /** Stops every CPU and ends the run with this event. */
  systemEvent(event: SystemEvent): void
  /** Guest RAM, for tables that KVM reads or writes itself; `undefined` outside RAM. */
  ram(physical: number, length: number): Uint8Array | undefined
}
