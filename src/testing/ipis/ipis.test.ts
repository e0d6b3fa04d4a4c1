/** The guest `ipis.s`: SGIs from every CPU to every other, many at the same time, arrive once each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createVmm } from '../../engine/vmm/vmm.ts'
import { assemble } from '../../pure/arch/a64/assembler/assemble.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'

const TIMEOUT = 60_000
const COUNT = 10_000
const ORIGIN = 0x4008_0000

const guest = (): Uint8Array => {
  const result = assemble(readFileSync(join(import.meta.dirname, 'ipis.s'), 'utf8'), ORIGIN)
  if (!result.ok) throw new Error(result.errors.map(({ line, what }) => `${line}: ${what}`).join('\n'))
  return result.bytes
}

/** What it prints: each receiver's counts, by sender, and how many interrupts nobody had sent. */
const printed = (blueprint: Partial<Blueprint>, engine: 'interpreter' | 'translator'): string => {
  let text = ''
  const made = createVmm({
    blueprint: { ...defaultBlueprint, memory: 32 * 2 ** 20, ...blueprint, guest: { id: 'own', append: '' } },
    engine,
    guest: { kernel: guest(), append: '' },
    onConsole: (bytes) => {
      text += Buffer.from(bytes).toString('latin1')
    },
  })
  if (!made.ok) throw new Error(made.what)
  for (let i = 0; i < 5000 && made.vmm.run(1e6, 1e6) === 'time'; i++);
  return text
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
