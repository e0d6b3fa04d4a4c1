/** Who may have written a register, and who of them did it last. */
import { callText } from '../../../pure/uapi/calls.ts'
import type { KvmCall } from '../../../pure/uapi/calls.ts'
import type { BookRow } from '../../../pure/uapi/registers/row.ts'
import type { CallRecord } from '../../session/state.ts'

export interface Writer {
  /** Virtual nanoseconds. */
  readonly at: number
  readonly what: string
  readonly pc?: bigint | undefined
  /** What the guest's kernel calls that place. */
  readonly symbol?: string | undefined
}

/** What a call writes to, as text; the value apart. */
const targetOf = (call: KvmCall): string | undefined => {
  switch (call.call) {
    case 'KVM_SET_ONE_REG':
      return `vcpu ${call.vcpu} ${call.reg}`
    case 'KVM_SET_DEVICE_ATTR':
      return `its ${call.its} vcpu ${call.vcpu} ${call.group} ${call.attr}`
    default:
      return undefined
  }
}

/** The last of the calls that KVM did and that wrote any part of a register. */
export const callWriter = ({ write }: BookRow, calls: readonly CallRecord[]): Writer | undefined => {
  const targets = new Set((write?.(0n) ?? []).map(targetOf))
  const last = calls.findLast(({ call, answer }) => {
    const target = targetOf(call)
    return answer.ok && target !== undefined && targets.has(target)
  })
  return last && { at: last.at, what: callText(last.call) }
}

/** Of two, the later; of the same moment, the first that is asked. */
export const latest = (a: Writer | undefined, b: Writer | undefined): Writer | undefined =>
  a === undefined || (b !== undefined && b.at > a.at) ? b : a
