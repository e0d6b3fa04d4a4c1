/** The order in which a saved VM is put together again, as data. Banks are named, and stand for all their words. */

/** A bank that is written, and with what. */
export type Write =
  /** Its saved value. */
  | string
  /** The bank that clears what this one sets: with all ones, or with the value that was saved, as it reads the same. */
  | { readonly clear: string; readonly with: 'ones' | 'saved' }
  /** Its saved value, where this holds. (GICR_PROPBASER is 0 until something is written; 0 does not read back as 0.) */
  | { readonly bank: string; readonly where: 'LPIs' | 'not 0' }

export type Stage =
  /** KVM_CREATE_VCPU and KVM_ARM_VCPU_INIT. */
  | { readonly do: 'vcpus' }
  /** KVM_SET_ONE_REG(MPIDR_EL1) of each. */
  | { readonly do: 'affinities' }
  /** The device, its number of interrupts and its addresses; then its initialisation. */
  | { readonly do: 'gic' }
  | { readonly do: 'distributor'; readonly writes: readonly Write[] }
  /** Each ITS: its registers, its tables from guest RAM, GITS_CTLR last. */
  | { readonly do: 'its' }
  /** For one vCPU after the other, these parts of it. */
  | { readonly do: 'each vcpu'; readonly parts: readonly VcpuPart[] }

export type VcpuPart =
  | { readonly part: 'redistributor' | 'interface'; readonly writes: readonly Write[] }
  /** KVM_GET_REG_LIST's registers. */
  | { readonly part: 'registers' }
  /** KVM_SET_MP_STATE. */
  | { readonly part: 'power' }

export interface Order {
  readonly title: string
  /** Where it can be read, or who chose it. */
  readonly source: string
  readonly stages: readonly Stage[]
}

/** What every VMM but Firecracker begins with. */
export const create: readonly Stage[] = [{ do: 'vcpus' }, { do: 'affinities' }, { do: 'gic' }]

/** What most of them end with. */
export const finish: Stage = { do: 'each vcpu', parts: [{ part: 'registers' }, { part: 'power' }] }

/** What can only be set is cleared first. */
export const cleared = (...banks: readonly string[]): readonly Write[] =>
  banks.flatMap((bank) => [{ clear: bank, with: 'ones' } as const, bank])
