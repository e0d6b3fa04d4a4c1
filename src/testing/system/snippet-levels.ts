/** Snippets by the exception level that their code runs at. */
import type { Snippet } from './probe.ts'

/** Runs a piece of code at EL0. */
export const el0 = (name: string, code: string): Snippet => ({
  name: `EL0: ${name}`,
  code: `
  adr x9, 1f
  mov x10, #0x3c0
  msr elr_el1, x9
  msr spsr_el1, x10
  eret
1:
  ${code}
  svc #0x77`,
})

export const el1 = (name: string, code: string): Snippet => ({ name, code })
