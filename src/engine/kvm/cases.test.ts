/**
 * The cases, C01 to C120, under every rule set and on every base. What mainline answers on 6.1 and 6.12, and the patch on
 * both, is in src/testing/kvm-oracle as real kernels answered it; here stand the columns that cannot be recorded as well:
 * the patch on the kernel it was written for, and full-aff3.
 */
import { describe, expect, it } from 'vitest'
import { kvmCases } from '../../testing/kvm-cases/index.ts'
import type { KvmCase } from '../../testing/kvm-cases/kvm-case.ts'
import type { KernelBase, RuleSetId } from '../../pure/blueprint/host.ts'

interface Column {
  readonly ruleSet: RuleSetId
  readonly base: KernelBase
  readonly expected: (row: KvmCase) => string
}

const full = ({ mainline, patch, full: own }: KvmCase): string => own ?? patch ?? mainline

const COLUMNS: readonly Column[] = [
  { ruleSet: 'mainline', base: '6.12', expected: ({ mainline }) => mainline },
  { ruleSet: 'mainline', base: '6.1', expected: ({ mainline, older }) => older ?? mainline },
  { ruleSet: 'patch-v1', base: '6.8', expected: ({ mainline, patch }) => patch ?? mainline },
  { ruleSet: 'full-aff3', base: '6.12', expected: full },
  { ruleSet: 'full-aff3', base: '6.8', expected: full },
  { ruleSet: 'full-aff3', base: '6.1', expected: full },
]

describe.each(COLUMNS)('$ruleSet on $base', ({ ruleSet, base, expected }) => {
  for (const row of kvmCases) {
    it(`${row.id} ${row.title}`, () => {
      expect(row.run({ ruleSet, base, host: row.host })).toBe(expected(row))
    })
  }
})
