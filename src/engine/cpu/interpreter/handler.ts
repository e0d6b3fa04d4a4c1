/** The interpreter's handlers: one for each variant of each instruction row. */
import type { Operand } from '../../../pure/arch/a64/ops.ts'
import type { Row } from '../../../pure/arch/a64/row.ts'

/** What a record's opcode says when it is not the number of a handler. */
export const special = {
  /** Not decoded yet. */
  DECODE: 0,
  /** Behind the last instruction of a page. */
  PAGE_END: 1,
  /** An unallocated encoding. */
  UNDEFINED: 2,
  COUNT: 3,
} as const

/** What a handler that is a function of its own answers: go on with the next instruction, or at the address in scratch.TARGET, or leave. */
export const HANDLER_RESULT = { NEXT: 0, LEAVE: 1, TARGET: 2 } as const

export interface Handler {
  readonly row: Row
  readonly variant: number
  /** A word of this variant. */
  readonly word: number
  /** Of a direct branch: the target lies in its own page. */
  readonly near: boolean
  readonly operands: Record<string, Operand>
}
