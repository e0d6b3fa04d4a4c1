/**
 * `npm run fuzz:kvm -- [--seed N] [--steps N]`: random KVM calls and guest accesses on our KVM beside a model of the
 * rules, the steps shared out among all rule sets, bases and A3V; then what was drawn how often. Exit status: 0 all the
 * same, 1 something differs, 2 usage.
 */
import { parseArgs } from 'node:util'
import { HOST_PRESETS, KERNEL_BASES, RULE_SETS } from '../src/pure/blueprint/host.ts'
import { fuzz, onTwoHosts } from '../src/testing/kvm-fuzz/fuzz.ts'
import type { Tally } from '../src/testing/kvm-fuzz/fuzz.ts'

function usage(what: string): never {
  console.error(`${what}\nnpm run fuzz:kvm -- [--seed N] [--steps N]`)
  process.exit(2)
}

const count = (name: string, text: string): number => {
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : usage(`--${name} wants a whole number, not '${text}'.`)
}

function options(): { seed: number; steps: number } {
  try {
    const { values } = parseArgs({
      options: { seed: { type: 'string', default: '1' }, steps: { type: 'string', default: '1000000' } },
    })
    return { seed: count('seed', values.seed), steps: count('steps', values.steps) }
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
}

const { seed, steps } = options()
const hosts = [true, false].map((a3v) => ({ ...HOST_PRESETS.H1, a3v, listRegs: 16 }))
const envs = RULE_SETS.flatMap((ruleSet) =>
  KERNEL_BASES.flatMap((base) => hosts.map((host) => ({ ruleSet, base, host }))),
)

// Under full-aff3 no host shows: all there is to see is compared after each step, so there are fewer.
const LIVES = Math.ceil(steps / 10_000)
const [one, other] = hosts.map((host) => ({ ruleSet: 'full-aff3' as const, base: '6.12' as const, host }))
for (let life = 0; life < LIVES; life++) {
  const differs = one && other && onTwoHosts(one, other, seed + life, 120)
  if (differs === undefined) continue
  process.exitCode = 1
  console.log(`full-aff3 on two hosts, seed ${seed + life}: ${differs}`)
}

const LAST = 12
const tally: Tally = new Map()
const share = Math.ceil(steps / envs.length)
for (const env of envs) {
  const { ruleSet, base, host } = env
  const found = fuzz(env, seed, share, { tally })
  const where = `${ruleSet} on ${base}, A3V ${Number(host.a3v)}`
  if (found === undefined) console.log(`${where}: ${share} steps, nothing found`)
  else {
    process.exitCode = 1
    console.log(`${where}: step ${found.step}: ${found.what}`)
    for (const op of found.history.slice(-LAST)) console.log('  ', op)
  }
}
console.log('drawn:')
for (const [what, times] of [...tally].toSorted()) console.log(`${`${times}`.padStart(9)}  ${what}`)
