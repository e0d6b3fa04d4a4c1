import type { Clock } from '../bus/clock.ts'
import type { MmioRegion } from '../bus/device.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'
import type { Conduit } from '../cpu/system-helpers.ts'

/** One CPU as KVM sees it: something to start, to stop, and to interrupt. */
export interface CpuPort {
  /** Creation order, from 0. */
  readonly index: number
  /** The CPU's IRQ input. */
  readonly irq: IrqLine
  /** Whether the CPU is powered on (a CPU that waits in WFI is). */
  readonly powered: boolean
  /** What MRS MPIDR_EL1 reads on this CPU from now on. */
  setMpidr(value: bigint): void
  /** Architectural reset into EL1 with the MMU off: PC = `entry`, X0 = `context`, then runs. */
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
  /** Adds a CPU, powered off. At most 512. */
  addCpu(): CpuPort
  /** Maps a region; one that overlaps RAM or another region is a mistake of the caller and throws. */
  attach(region: MmioRegion): void
  /** Removes a region mapped before. */
  detach(region: MmioRegion): void
  /** Hands system registers to an owner outside the CPU. */
  own(port: SysregPort): void
  onHypercall(handler: HypercallHandler): void
  /** Stops every CPU and ends the run with this event. */
  systemEvent(event: SystemEvent): void
  /** Guest RAM, for tables that KVM reads or writes itself; `undefined` outside RAM. */
  ram(physical: number, length: number): Uint8Array | undefined
}
