/** The interpreters that have been made, one for each model of CPU: to emit one takes as long as a good part of a boot. */
import { rowsWith } from '../../../pure/arch/a64/rows/index.ts'
import type { CpuModel } from '../../../pure/arch/cpu/models.ts'
import { buildInterpreter } from './interpreter.ts'
import type { Interpreter } from './interpreter.ts'

const made = new WeakMap<CpuModel, Interpreter>()

/** `metered`: one that counts what it calls, for profiles; it is made anew each time. */
export function interpreterOf(model: CpuModel, metered: boolean): Interpreter {
  const known = metered ? undefined : made.get(model)
  if (known !== undefined) return known
  const interpreter = buildInterpreter(rowsWith(model.features), metered)
  if (!metered) made.set(model, interpreter)
  return interpreter
}
