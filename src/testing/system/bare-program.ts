/** Programs for a CPU with nothing but RAM that end at their first exception, and tell of it. */
import { RAM } from '../bare-core.ts'

/** Every exception leaves its vector in X20, ESR_EL1 in X21, FAR_EL1 in X22 and SPSR_EL1 in X23, and ends the program. */
const VECTORS = `
  .balign 2048
vectors:
${Array.from({ length: 16 }, (_, i) => `  mov x20, #${(i * 0x80).toString()}\n  mrs x21, esr_el1\n  mrs x22, far_el1\n  mrs x23, spsr_el1\n  hvc #0\n  .balign 128`).join('\n')}`

/** What X20 is when there was no exception. */
export const NO_EXCEPTION = 0xfffn
/** An exception of an instruction at EL1 with its own stack pointer. */
export const SYNCHRONOUS = 0x200n

/** Where a program has memory of its own. */
export const DATA = RAM + 0x1_0000

export const bareProgram = (code: string): string => `
  ldr x0, =vectors
  msr vbar_el1, x0
  mov x20, #${NO_EXCEPTION}
  ${code}
  hvc #0
  .ltorg
  ${VECTORS}`
