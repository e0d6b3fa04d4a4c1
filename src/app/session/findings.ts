/** The findings of a document, computed once however many ask. */
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { findings } from '../../pure/rules/check.ts'
import type { Finding } from '../../pure/rules/finding.ts'

const known = new WeakMap<Blueprint, readonly Finding[]>()

export const findingsOf = (blueprint: Blueprint): readonly Finding[] => {
  const before = known.get(blueprint)
  if (before !== undefined) return before
  const all = findings(blueprint)
  known.set(blueprint, all)
  return all
}
