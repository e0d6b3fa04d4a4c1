/** A register in a book: where each view of it is read, and by which KVM calls it is written. */
import type { Affinity } from '../../arch/affinity.ts'
import type { FrameName } from '../../arch/frames.ts'
import type { Field } from '../../arch/register.ts'
import type { KvmCall } from '../calls.ts'

/** A look at one register, without a trace. */
export type Peek =
  | { readonly kind: 'mmio'; readonly frame: FrameName; readonly offset: number; readonly width: 4 | 8 }
  /** As EL1 reads it; of those that only EL2 has (ICH_*_EL2), what the host's hypervisor reads. */
  | { readonly kind: 'sysreg'; readonly encoding: number }
  /** KVM_GET_ONE_REG or KVM_GET_DEVICE_ATTR. */
  | { readonly kind: 'call'; readonly call: KvmCall }

/** Where a register is, as the trace tells of accesses to it. */
export type RegisterPlace = { readonly frame: FrameName; readonly offset: number } | { readonly encoding: number }

export interface BookRow {
  readonly name: string
  readonly bytes: 4 | 8
  readonly fields: readonly Field[]
  /** Why it has no fields. */
  readonly plain?: string | undefined
  readonly place: RegisterPlace
  /** As the guest reads it; `undefined`: it cannot be read, or not without effect. */
  readonly guest: Peek | undefined
  /** Why the guest's view cannot be shown. */
  readonly unread?: string
  /** As userspace or the host reads it: one look a word of 32 bits, the low one first, or one for all. */
  readonly user: readonly Peek[]
  /** The calls that write a value; `undefined`: KVM has none. */
  readonly write: ((value: bigint) => readonly KvmCall[]) | undefined
}

export interface BookContext {
  readonly cpu: number
  readonly affinity: Affinity
  /** SGIs and PPIs included. */
  readonly nrIrqs: number
  /** Of the host's ICH_VTR_EL2; `undefined`: the host has a GICv2. */
  readonly host: { readonly listRegs: number; readonly priBits: number } | undefined
}

/** Reading these does something. */
const READ_EFFECTS: Readonly<Record<string, string>> = {
  UARTDR: 'Reading it takes a byte from the receive FIFO.',
  GICC_IAR: 'Reading it acknowledges an interrupt.',
  GICC_AIAR: 'Reading it acknowledges an interrupt.',
  ICC_IAR0_EL1: 'Reading it acknowledges an interrupt.',
  ICC_IAR1_EL1: 'Reading it acknowledges an interrupt.',
  RNDR: 'Reading it makes a random number.',
  RNDRRS: 'Reading it makes a random number.',
}

/** What reading a register does, as a sentence; nothing where it does nothing. */
export const readEffect = (name: string): string | undefined =>
  Object.hasOwn(READ_EFFECTS, name) ? READ_EFFECTS[name] : undefined

export const setAttr = (group: number, attr: bigint, value: bigint): KvmCall => ({
  call: 'KVM_SET_DEVICE_ATTR',
  group,
  attr,
  value,
})
export const getAttr = (group: number, attr: bigint): Peek => ({
  kind: 'call',
  call: { call: 'KVM_GET_DEVICE_ATTR', group, attr },
})
