/**
 * `npm run fuzz -- --seconds N --seed S [--class NAME] [--tier both|interpreter|translator]`: random instructions on our
 * CPU and on QEMU, until the time is over or so many differ (`--mismatches`). `--record N` writes the recorded vectors anew
 * instead, N batches of them. Exit status: 0 all the same, 1 something differs, 2 usage.
 */
import { parseArgs } from 'node:util'
import { classes } from '../src/pure/arch/a64/rows/index.ts'
import type { ClassName } from '../src/pure/arch/a64/rows/index.ts'
import { buildDriver } from '../src/testing/fuzz/driver.ts'
import { EXCLUDED } from '../src/testing/fuzz/exclusions.ts'
import { Fuzzer } from '../src/testing/fuzz/fuzz.ts'
import { record } from '../src/testing/fuzz/recorded.ts'
import type { Tier } from '../src/testing/fuzz/runners.ts'
import { missingTools } from '../src/testing/oracle/run-instruction.ts'

function usage(what: string): never {
  console.error(`${what}\nnpm run fuzz -- --seconds N --seed S [--class NAME] [--tier both|interpreter|translator]`)
  console.error(`Classes: ${Object.keys(classes).join(', ')}`)
  process.exit(2)
}

const isClass = (name: string): name is ClassName => name in classes

function options(): {
  seconds: number
  seed: number
  class: ClassName | undefined
  tiers: Tier[]
  give: number
  batches: number
} {
  let values
  try {
    ;({ values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: '1' },
        class: { type: 'string' },
        tier: { type: 'string', default: 'both' },
        mismatches: { type: 'string', default: '20' },
        record: { type: 'string', default: '0' },
      },
    }))
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
  const number = (name: string, text: string): number => {
    const value = Number(text)
    return Number.isFinite(value) && value >= 0 ? value : usage(`--${name} wants a number, not '${text}'.`)
  }
  if (values.class !== undefined && !isClass(values.class)) return usage(`There is no class '${values.class}'.`)
  if (!['both', 'interpreter', 'translator'].includes(values.tier)) return usage(`There is no tier '${values.tier}'.`)
  return {
    seconds: number('seconds', values.seconds),
    seed: number('seed', values.seed),
    class: values.class,
    tiers: (['interpreter', 'translator'] as const).filter((tier) => values.tier === 'both' || values.tier === tier),
    give: number('mismatches', values.mismatches),
    batches: number('record', values.record),
  }
}

const { seconds, batches, ...wanted } = options()
const missing = missingTools()
if (missing.length > 0) usage(`The fuzzer needs ${missing.join(', ')}.`)
const driver = buildDriver()
if (batches > 0) {
  record(driver, batches, wanted.seed)
  driver.dispose()
  process.exit(0)
}
const start = performance.now()
const elapsed = (): number => (performance.now() - start) / 1000
const fuzzer = new Fuzzer(driver, wanted)
while (elapsed() < seconds && !fuzzer.done) fuzzer.step()
driver.dispose()

for (const { tier, row, text, word, what, from } of fuzzer.mismatches) {
  console.log(`${row}: 0x${word.toString(16)} ${text} (${tier})`)
  console.log(`  ${what.slice(0, 6).join('\n  ')}\n  from ${from}`)
}
for (const [name, count] of fuzzer.known) console.log(`Known: ${name}: ${count} times`)
const { hit } = fuzzer
console.log(
  `Seed ${wanted.seed}: ${fuzzer.instructions} instructions in ${elapsed().toFixed(1)} s, ${Math.round(fuzzer.instructions / elapsed())} a second; rows hit ${hit.rows} of ${hit.of}; ${fuzzer.mismatches.length} mismatches`,
)
if (hit.without.length > 0) console.log(`Not drawn: ${hit.without.join(', ')}`)
for (const { rows, why } of EXCLUDED) console.log(`Left out: ${rows.source}: ${why}`)
process.exitCode = fuzzer.mismatches.length === 0 ? 0 : 1
