/** One CPU as a debugger shows it: what the page is answered when it asks. */
import { z } from 'zod'

const named = z.object({ symbol: z.string().optional() })

export const cpuDetail = z.object({
  cpu: z.number(),
  /** By the names of struct kvm_regs. */
  registers: z.record(z.string(), z.bigint()),
  /** Around PC; a word is missing where nothing is mapped. */
  code: z.array(named.extend({ address: z.bigint(), word: z.number().optional() })),
  /** Innermost first; the CPU's own PC has no frame record. */
  stack: z.array(named.extend({ pc: z.bigint(), fp: z.bigint().optional() })),
  /** Why addresses have no names, where they have none. */
  noSymbols: z.string().optional(),
})
export type CpuDetail = z.infer<typeof cpuDetail>
