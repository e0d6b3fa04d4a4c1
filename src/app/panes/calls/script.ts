/** A plan as lines to edit. Each keeps a number of its own, so that a line that moves stays the same line. */
import { isOff } from '../../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../../pure/blueprint/blueprint.ts'
import { derivedLines, PLAN_ORDER_IDS } from '../../../pure/blueprint/plan.ts'
import type { PlanOrder } from '../../../pure/blueprint/plan.ts'
import { parseCall } from '../../../pure/uapi/call-parser.ts'

/** Whose order some lines are in; none, where a person changed them. */
export const orderOf = (blueprint: Blueprint): PlanOrder | undefined => {
  if (blueprint.plan === undefined) return 'qemu'
  const text = blueprint.plan.join('\n')
  return PLAN_ORDER_IDS.find((order) => derivedLines(blueprint, order).join('\n') === text)
}

/** Why a line cannot be called; nothing where it can, or is out of use. */
export const faultOf = (line: string): string | undefined => {
  if (isOff(line)) return undefined
  const parsed = parseCall(line)
  return parsed.ok ? undefined : parsed.what
}

export const moved = (lines: readonly string[], from: number, to: number): readonly string[] => {
  const line = lines[from]
  if (line === undefined || to < 0 || to >= lines.length) return lines
  const rest = lines.toSpliced(from, 1)
  return rest.toSpliced(to, 0, line)
}

/** A line out of use keeps its text behind a `#`. */
export const switched = (line: string): string => (isOff(line) ? line.replace(/^\s*#\s?/, '') : `# ${line}`)
