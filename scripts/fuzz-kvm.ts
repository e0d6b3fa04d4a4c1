/**
 * `npm run fuzz:kvm -- [--seed N] [--steps N]`: random KVM calls and guest accesses on our KVM beside a model of the
 * rules, under every rule set, base and A3V. Exit status: 0 all the same, 1 something differs, 2 usage.
 */
import { parseArgs } from 'node:util'
import { HOST_PRESETS, KERNEL_BASES, RULE_SETS } from '../src/pure/blueprint/host.ts'
import { fuzz, onTwoHosts } from '../src/testing/kvm-fuzz/fuzz.ts'

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

// Under full-aff3 no host shows: all there is to see is compared after each step, so there are fewer.
const LIVES = Math.ceil(steps / 10_000)
for (let life = 0; life < LIVES; life++) {
  const [one, other] = [true, false].map((a3v) => ({
    ruleSet: 'full-aff3' as const,
    base: '6.12' as const,
    host: { ...HOST_PRESETS.H1, a3v },
  }))
  const differs = one && other && onTwoHosts(one, other, seed + life, 120)
  if (differs === undefined) continue
  process.exitCode = 1
  console.log(`full-aff3 on two hosts, seed ${seed + life}: ${differs}`)
}
const LAST = 12
for (const ruleSet of RULE_SETS) {
  for (const base of KERNEL_BASES) {
    for (const a3v of [true, false]) {
      const found = fuzz({ ruleSet, base, host: { ...HOST_PRESETS.H1, a3v, listRegs: 16 } }, seed, steps)
      const where = `${ruleSet} on ${base}, A3V ${Number(a3v)}`
      if (found === undefined) console.log(`${where}: ${steps} steps, nothing found`)
      else {
        process.exitCode = 1
        console.log(`${where}: step ${found.step}: ${found.what}`)
        for (const op of found.history.slice(-LAST)) console.log('  ', op)
      }
    }
  }
}
