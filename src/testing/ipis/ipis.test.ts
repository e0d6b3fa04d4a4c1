/** The guest `ipis.s`: SGIs from every CPU to every other, many at the same time, arrive once each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { FlatGuest } from '../flat-guest.ts'

const TIMEOUT = 120_000
const COUNT = 10_000
const SOURCE = readFileSync(join(import.meta.dirname, 'ipis.s'), 'utf8')

/** What it prints: each receiver's counts, by sender, and how many interrupts nobody had sent. */
const printed = (blueprint: Partial<Blueprint>, engine: 'interpreter' | 'translator'): string => {
  const guest = new FlatGuest({ source: SOURCE, blueprint, engine })
  guest.run(5e9)
  return guest.text
}

const all = (cpus: number): string =>
  [
    ...Array.from({ length: cpus }, (_, to) =>
      Array.from({ length: cpus }, (__, from) => `${from === to ? 0 : COUNT} `).join(''),
    ),
    '0',
    '',
  ].join('\n')

describe('10,000 IPIs for each pair of CPUs', () => {
  it.each([
    [2, 'mainline', '6.12', 'interpreter'],
    [4, 'mainline', '6.1', 'translator'],
    [4, 'patch-v1', '6.8', 'translator'],
    [8, 'full-aff3', '6.12', 'translator'],
  ] as const)(
    '%d CPUs under %s on %s: they arrive exactly once, by the %s',
    { timeout: TIMEOUT },
    (vcpus, ruleSet, base, engine) => {
      expect(printed({ vcpus, ruleSet, base }, engine)).toBe(all(vcpus))
    },
  )
})
