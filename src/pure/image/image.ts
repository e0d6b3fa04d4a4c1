/** A saved VM: everything KVM holds of it, by the registers' names, and how it was put together. */
import type { HostProfile, KernelBase, RuleSetId } from '../blueprint/host.ts'
import type { VcpuFeature } from '../uapi/calls.ts'

/** Register values by name, in the order in which they were read. */
export type Values = Readonly<Record<string, bigint>>

export interface VcpuImage {
  /** What KVM_CREATE_VCPU was given. */
  readonly id: number
  readonly features: readonly VcpuFeature[]
  /** The overflow interrupt of its PMU; `undefined`: it has no PMU. */
  readonly pmuIrq?: number
  /** KVM_GET_MP_STATE: runnable, or switched off. */
  readonly on: boolean
  /** KVM_GET_REG_LIST: core and system registers, MPIDR_EL1 among them. */
  readonly registers: Values
  /** With a GICv2: its banked words of the distributor. */
  readonly redistributor: Values
  readonly interface: Values
}

export interface RegionImage {
  readonly base: number
  /** 0: the region that grows with the VM. */
  readonly count: number
}

export interface GicImage {
  readonly version: 2 | 3
  readonly irqs: number
  readonly distributorBase: number
  /** Of a GICv2; otherwise 0. */
  readonly interfaceBase: number
  /** Of a GICv3. */
  readonly regions: readonly RegionImage[]
  /** GICR_TYPER.PLPIS: the VM has an ITS. */
  readonly lpis: boolean
  readonly distributor: Values
}

/** The tables are in guest RAM, where KVM_DEV_ARM_ITS_SAVE_TABLES puts them. */
export interface ItsImage {
  readonly base: number
  readonly registers: Values
}

export interface VmImage {
  readonly version: 1
  /** Where it was saved; only told, never restored. */
  readonly savedOn: { readonly ruleSet: RuleSetId; readonly base: KernelBase; readonly host: HostProfile }
  /** In the order of their creation. */
  readonly vcpus: readonly VcpuImage[]
  readonly gic: GicImage
  /** In the order of their creation. */
  readonly its: readonly ItsImage[]
}
