/** Which NaN an operation hands on (Arm ARM A1.5.4 and FPProcessNaN, FPProcessNaNs, FPProcessNaNs3). */
import { exception } from './context.ts'
import type { FloatContext } from './context.ts'
import { defaultNaN } from './format.ts'
import type { Format, Unpacked } from './format.ts'

export interface Operand {
  readonly bits: bigint
  readonly value: Unpacked
}

/** The result of an operation on this NaN: quiet, or the default one. */
export function handOn(f: Format, c: FloatContext, operand: Operand): bigint {
  if (operand.value.kind === 'signalling') c.flags |= exception.invalidOperation
  return c.defaultNaN ? defaultNaN(f) : operand.bits | f.quietBit
}

/** The first signalling NaN, else the first quiet one; `undefined` when there is none. */
export function firstNaN(f: Format, c: FloatContext, operands: readonly Operand[]): bigint | undefined {
  const found = operands.find((o) => o.value.kind === 'signalling') ?? operands.find((o) => o.value.kind === 'quiet')
  return found === undefined ? undefined : handOn(f, c, found)
}

/** An operation without a meaningful result, as infinity minus infinity. */
export function invalid(f: Format, c: FloatContext): bigint {
  c.flags |= exception.invalidOperation
  return defaultNaN(f)
}
