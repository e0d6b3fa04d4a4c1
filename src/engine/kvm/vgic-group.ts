/** What the attribute groups of the vGIC devices are made of. */
import { refuse } from '../../pure/rules/points.ts'
import type { Refusal } from '../../pure/rules/points.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { firstIrqAt, registerAt } from '../../pure/arch/register.ts'
import type { Register } from '../../pure/arch/register.ts'
import { withValue } from './kvm-answer.ts'

export const DEVICE = 'arch/arm64/kvm/vgic/vgic-kvm-device.c'

/** One attribute group. */
export interface Group {
  /** Of a group of registers: why there is no CPU whose register it could be. KVM looks at that first. */
  owner?(attr: bigint): Refusal | undefined
  /** Whether the group has the attribute, or why nobody could say. */
  has(attr: bigint): boolean | Refusal
  get(attr: bigint, preset: bigint): KvmAnswer
  set(attr: bigint, value: bigint): KvmAnswer
}

export const badPointer = refuse('EFAULT', 'The address of the value is not one of the VMM.', DEVICE)

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`

export const noAttr = (text: string, source = DEVICE): Refusal => refuse('ENXIO', `The device has no ${text}.`, source)

/** The low word of a value: registers are 32 bits wide here. */
export const low = (value: bigint): number => Number(BigInt.asUintN(32, value))

export const word = (answer: { readonly ok: true; readonly value: number } | Refusal): KvmAnswer =>
  answer.ok ? withValue(BigInt(answer.value >>> 0)) : answer

/** Whether a frame has a register at an offset; before the GIC is there, its table answers alone. */
export const frameHas = (frame: readonly Register[], offset: number, irqs: number): boolean => {
  if (offset % 4 !== 0) return false
  const register = registerAt(frame, offset)
  if (register === undefined || !register.access.some((width) => width === 4)) return false
  return register.perIrq === undefined || firstIrqAt(register, offset) < irqs
}

export const UNSET_BASE = 0xffff_ffff_ffff_ffffn

export interface BaseCheck {
  /** Bytes. */
  readonly align: number
  readonly size: number
  /** Whether it has been set. */
  readonly taken: boolean
  /** The first guest physical address that does not exist. */
  readonly ipaEnd: number
}

/** Whether an area would wrap around the 64-bit address space. */
export const wraps = (base: bigint, size: number): boolean => base + BigInt(size) > 2n ** 64n - 1n

/** vgic_check_iorange(), and that a base is set once. */
export const checkBase = (value: bigint, { align, size, taken, ipaEnd }: BaseCheck): Refusal | undefined => {
  const source = `${DEVICE}: vgic_check_iorange()`
  if (taken) return refuse('EEXIST', 'The base has been set.', source)
  if (value % BigInt(align) !== 0n) return refuse('EINVAL', `${hex(value)} is not a multiple of ${hex(align)}.`, source)
  if (wraps(value, size)) return refuse('EINVAL', `${hex(value)} has no room for ${hex(size)} bytes.`, source)
  if (value + BigInt(size) > BigInt(ipaEnd)) {
    return refuse('E2BIG', `${hex(value)} lies beyond the guest's physical address space.`, source)
  }
  return undefined
}
