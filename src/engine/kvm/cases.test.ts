/**
 * The cases, C01 to C120, under every rule set and on every base. What mainline answers on 6.1 and 6.12, and the patch on
 * both, is in src/testing/kvm-oracle as real kernels answered it; here stand the columns that cannot be recorded as well:
 * everything on v6.8, for which the patch was written, and full-aff3.
 */
import { describe, expect, it } from 'vitest'
import { kvmCases } from '../../testing/kvm-cases/index.ts'
import { GUEST_CASES } from '../../testing/kvm-oracle/guest-cases.ts'
import type { KvmCase } from '../../testing/kvm-cases/kvm-case.ts'
import type { KernelBase, RuleSetId } from '../../pure/blueprint/host.ts'

interface Column {
  readonly ruleSet: RuleSetId
  readonly base: KernelBase
  readonly expected: (row: KvmCase) => string
}

const full = ({ mainline, patch, full: own }: KvmCase): string => own ?? patch ?? mainline

/** Rows in which the patch's column shows its base, v6.8, and not the patch. */
const OF_THE_BASE = new Set(['C18', 'C19', 'C20', 'C89', 'C90', 'S01'])
const patched = ({ id, mainline, patch }: KvmCase): string => (OF_THE_BASE.has(id) ? mainline : (patch ?? mainline))

const COLUMNS: readonly Column[] = [
  { ruleSet: 'mainline', base: '6.12', expected: ({ mainline }) => mainline },
  {
    ruleSet: 'mainline',
    base: '6.8',
    expected: ({ id, mainline, patch }) => (OF_THE_BASE.has(id) ? (patch ?? mainline) : mainline),
  },
  { ruleSet: 'mainline', base: '6.1', expected: ({ mainline, older }) => older ?? mainline },
  { ruleSet: 'patch-v1', base: '6.12', expected: patched },
  { ruleSet: 'patch-v1', base: '6.8', expected: ({ mainline, patch }) => patch ?? mainline },
  { ruleSet: 'patch-v1', base: '6.1', expected: (row) => row.older ?? patched(row) },
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

it('are all of them: C01 to C120, two of which Linux boots for', () => {
  const known = new Set([...kvmCases.map(({ id }) => id), ...GUEST_CASES.map(({ name }) => name.toUpperCase())])
  const all = Array.from({ length: 120 }, (_, i) => `C${`${i + 1}`.padStart(2, '0')}`)
  expect(all.filter((id) => !known.has(id))).toEqual([])
})
