/** Random KVM calls and guest accesses beside the model. `npm run fuzz:kvm` does the same for longer. */
import { describe, expect, it } from 'vitest'
import { HOST_PRESETS, KERNEL_BASES, RULE_SETS } from '../../pure/blueprint/host.ts'
import { fuzz } from './fuzz.ts'
import { SEEDS } from './seeds.ts'

const envs = RULE_SETS.flatMap((ruleSet) =>
  KERNEL_BASES.flatMap((base) =>
    [true, false].map((a3v) => ({ ruleSet, base, host: { ...HOST_PRESETS.H1, a3v, listRegs: 16 } })),
  ),
)
const STEPS = 600

describe.each(envs)('$ruleSet on $base, A3V $host.a3v', (env) => {
  it.each(SEEDS)('does what the model does, and keeps its invariants, from seed %i', (seed) => {
    expect(fuzz(env, seed, STEPS)).toBeUndefined()
  })
})

it('finds a rule that is not as described', () => {
  const env = { ruleSet: 'mainline', base: '6.12', host: { ...HOST_PRESETS.H1, listRegs: 16 } } as const
  const wrong = [
    { ...env, base: '6.1' },
    { ...env, base: '6.8' },
    { ...env, ruleSet: 'patch-v1' },
    { ...env, ruleSet: 'full-aff3' },
    { ...env, host: { ...env.host, a3v: false } },
  ] as const
  expect(wrong.map((modelled) => fuzz(env, 1, 3000, { modelled }) !== undefined)).toEqual(wrong.map(() => true))
})
