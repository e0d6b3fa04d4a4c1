/** What the bits that each interrupt has in a bank mean, in a distributor as in a redistributor (IHI 0069, 12.9, 12.11). */
import { whether } from '../register.ts'
import type { PerIrq } from '../register.ts'

export const PER_IRQ = {
  group: { bits: 1, text: whether('Group 1', 'Group 0') },
  enable: { bits: 1, text: whether('enabled', 'disabled') },
  pending: { bits: 1, text: whether('pending', 'not pending') },
  active: { bits: 1, text: whether('active', 'not active') },
  priority: { bits: 8, text: (value) => `priority 0x${value.toString(16).padStart(2, '0')}` },
  /** GICD_ITARGETSR<n>: the CPUs of a GICv2, bit by bit. */
  targets: { bits: 8, text: (value) => cpusText(value, 'no CPU') },
  /** GICD_CPENDSGIR<n>, GICD_SPENDSGIR<n>: whose SGI is pending. */
  sources: { bits: 8, text: (value) => (value === 0n ? 'not pending' : `pending from ${cpusText(value, '')}`) },
  config: { bits: 2, text: (value) => ((value & 2n) === 2n ? 'edge' : 'level') },
  groupModifier: { bits: 1 },
  /** GICR_NSACR: what Non-secure software may do to a Secure SGI. */
  nonSecureAccess: { bits: 2 },
} as const satisfies Readonly<Record<string, PerIrq>>

const cpusText = (bits: bigint, none: string): string => {
  const cpus = [0, 1, 2, 3, 4, 5, 6, 7].filter((cpu) => ((bits >> BigInt(cpu)) & 1n) === 1n)
  return cpus.length === 0 ? none : `${cpus.length === 1 ? 'CPU' : 'CPUs'} ${cpus.join(', ')}`
}
