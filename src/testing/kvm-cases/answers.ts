/** Answers as the oracle's program prints them. */
import { psciReturnName } from '../../pure/arch/psci.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { ERRNO } from '../../pure/uapi/errno.ts'

/** The errors the program knows by name; the others are E and the number. */
const NAMED = new Set(
  'EPERM ENOENT EINTR EAGAIN ENXIO E2BIG ENOEXEC EFAULT EBUSY EEXIST ENODEV EINVAL ENOTTY EACCES ENOMEM'.split(' '),
)
const numberOf = (errno: keyof typeof ERRNO): number => ERRNO[errno]

export const ename = (answer: KvmAnswer): string => {
  if (answer.ok) return '0'
  return NAMED.has(answer.errno) ? answer.errno : `E${numberOf(answer.errno)}`
}

export const hex = (value: bigint | number, digits = 0): string => value.toString(16).padStart(digits, '0')

/** A guest's result: a value, or what became of the vCPU. */
export type Got = bigint | string
/** A result as the program prints it. */
export const gv = (got: Got): string => (typeof got === 'string' ? got : hex(got))
export const psci = (got: Got): string => (typeof got === 'string' ? got : (psciReturnName(got) ?? hex(got)))

/** What the program prints where a value was wanted: 0xdead0000 and the error. */
export const failed = (answer: KvmAnswer): bigint => 0xdead_0000n | BigInt(answer.ok ? 0 : numberOf(answer.errno))

export const who = (takers: readonly number[]): string =>
  takers.length === 0 ? 'not delivered' : `delivered to vCPU ${takers.join(' ')}`

export const sgis = (takers: readonly number[]): string => (takers.length === 0 ? 'none' : takers.join(' '))
