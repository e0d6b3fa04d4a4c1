/** One CPU as a debugger shows it: what the page is answered when it asks. */
import * as z from 'zod/mini'

const named = z.object({ symbol: z.optional(z.string()) })

export const cpuDetail = z.object({
  cpu: z.number(),
  /** By the names of struct kvm_regs. */
  registers: z.record(z.string(), z.bigint()),
  /** Around PC; a word is missing where nothing is mapped. */
  code: z.array(z.extend(named, { address: z.bigint(), word: z.optional(z.number()) })),
  /** Innermost first; the CPU's own PC has no frame record. */
  stack: z.array(z.extend(named, { pc: z.bigint(), fp: z.optional(z.bigint()) })),
  /** Why addresses have no names, where they have none. */
  noSymbols: z.optional(z.string()),
})
export type CpuDetail = z.infer<typeof cpuDetail>
