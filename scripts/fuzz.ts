/**
 * `npm run fuzz -- --seconds N --seed S [--class NAME] [--tier both|interpreter|translator]`: random instructions on our
 * CPU and on QEMU, until the time is over or so many differ (`--mismatches`); `--batches N` runs so many, however long that
 * takes. `--words` runs random words in both tiers instead, and `--record N` writes the recorded vectors anew, N batches of
 * them. Exit status: 0 all the same, 1 something differs, 2 usage.
 */
import { parseArgs } from 'node:util'
import { fusesMultiplyAdd } from '../src/engine/wasm/host.ts'
import { classNames, isClassName } from '../src/pure/arch/a64/rows/index.ts'
import { CPU_MODEL_IDS } from '../src/pure/arch/cpu/models.ts'
import { buildDriver } from '../src/testing/fuzz/driver.ts'
import { EXCLUDED } from '../src/testing/fuzz/exclusions.ts'
import { Fuzzer } from '../src/testing/fuzz/fuzz.ts'
import type { Coverage, FuzzOptions } from '../src/testing/fuzz/fuzz.ts'
import { record } from '../src/testing/fuzz/recorded.ts'
import { missingTools } from '../src/testing/oracle/run-instruction.ts'
import { WordFuzzer } from '../src/testing/random-words/word-fuzzer.ts'

function usage(what: string): never {
  console.error(
    `${what}\nnpm run fuzz -- --seconds N --seed S [--class NAME] [--tier both|interpreter|translator] [--batches N] [--words]`,
  )
  console.error(`Classes: ${classNames.join(', ')}`)
  process.exit(2)
}

interface Options extends FuzzOptions {
  readonly seconds: number
  /** Instead of a time; 0: the time counts. */
  readonly batches: number
  readonly words: boolean
  /** Batches to record. */
  readonly recorded: number
}

function options(): Options {
  let values
  try {
    ;({ values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: '1' },
        class: { type: 'string' },
        tier: { type: 'string', default: 'both' },
        mismatches: { type: 'string', default: '20' },
        batches: { type: 'string', default: '0' },
        words: { type: 'boolean', default: false },
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
  if (values.class !== undefined && !isClassName(values.class)) return usage(`There is no class '${values.class}'.`)
  if (!['both', 'interpreter', 'translator'].includes(values.tier)) return usage(`There is no tier '${values.tier}'.`)
  return {
    seconds: number('seconds', values.seconds),
    seed: number('seed', values.seed),
    class: values.class,
    tiers: (['interpreter', 'translator'] as const).filter((tier) => values.tier === 'both' || values.tier === tier),
    give: number('mismatches', values.mismatches),
    batches: number('batches', values.batches),
    words: values.words,
    recorded: number('record', values.record),
  }
}

const start = performance.now()
const elapsed = (): number => (performance.now() - start) / 1000
/** Whether there is more to do after so many batches. */
const goesOn = ({ batches, seconds }: Options, done: number): boolean =>
  batches > 0 ? done < batches : elapsed() < seconds

const HEADING = ['Class', 'instructions', 'rows hit']
const line = ([name = '', count = '', hit = '']: readonly string[], missed: readonly string[] = []): string =>
  name.padEnd(16) +
  count.padStart(14) +
  hit.padStart(10) +
  (missed.length > 0 ? `  not drawn: ${missed.join(', ')}` : '')

/** What was compared, class by class. */
function table(coverage: readonly Coverage[]): string {
  const cells = (name: string, of: readonly Coverage[]): string[] => {
    const sum = (value: (one: Coverage) => number): number => of.reduce((total, one) => total + value(one), 0)
    const rows = sum((one) => one.rows)
    return [name, String(sum((one) => one.instructions)), `${rows - sum((one) => one.without.length)}/${rows}`]
  }
  return [
    line(HEADING),
    ...coverage.map((one) => line(cells(one.name, [one]), one.without)),
    line(cells('all', coverage)),
  ].join('\n')
}

/** Instructions beside QEMU: how many differ. */
function fuzzInstructions(wanted: Options): number {
  const driver = buildDriver()
  const fuzzer = new Fuzzer(driver, wanted)
  for (let done = 0; goesOn(wanted, done) && !fuzzer.done; done++) fuzzer.step()
  driver.dispose()
  for (const { tier, row, text, word, what, from } of fuzzer.mismatches) {
    console.log(`${row}: 0x${word.toString(16)} ${text} (${tier})`)
    console.log(`  ${what.slice(0, 6).join('\n  ')}\n  from ${from}`)
  }
  for (const [name, count] of fuzzer.known) console.log(`Known: ${name}: ${count} times`)
  for (const { rows, why } of EXCLUDED) console.log(`Left out: ${rows.source}: ${why}`)
  console.log(table(fuzzer.coverage))
  console.log(`Multiply-add is ${fusesMultiplyAdd() ? "the host's" : 'made of products and sums'}.`)
  console.log(`Each with ${wanted.tiers.join(' and ')}; seed ${wanted.seed}, ${elapsed().toFixed(0)} s`)
  return fuzzer.mismatches.length
}

/** The translator takes ten times as long for a page as the interpreter. No multiple of the number of models. */
const COMPARE_EVERY = 8
/** Random words between two lines that say how far it is. */
const PROGRESS = 1_000_000

/** Pages of random words, on each CPU model in its turn, tier beside tier: how many differ. */
function fuzzWords(wanted: Options): number {
  const { seed, give } = wanted
  const fuzzers = CPU_MODEL_IDS.map((model) => ({
    model,
    fuzzer: new WordFuzzer(model, { compareEvery: COMPARE_EVERY }),
  }))
  const sum = (value: (fuzzer: WordFuzzer) => number): number =>
    fuzzers.reduce((total, { fuzzer }) => total + value(fuzzer), 0)
  let differ = 0
  let told = 0
  for (let done = 0; goesOn(wanted, done) && differ < give; done++) {
    const turn = fuzzers[done % fuzzers.length]
    const how = turn?.fuzzer.step(seed + done)
    if (how !== undefined) {
      differ++
      console.log(`${turn?.model}: ${how}`)
    }
    const drawn = sum(({ count }) => count.drawn)
    if (drawn - told < PROGRESS) continue
    told = drawn
    console.log(`${drawn} random words, up to seed ${seed + done}, ${elapsed().toFixed(0)} s, ${differ} mismatches`)
  }
  for (const { model, fuzzer } of fuzzers) {
    const { drawn, lookedUp, executed, compared, entries } = fuzzer.count
    console.log(
      `${model}: ${drawn} random words, ${lookedUp} of them no instruction and looked up only; ` +
        `${executed} words executed (an eighth drawn by their rows), ${compared} of them in both tiers; ` +
        `${entries} entries, ${fuzzer.exceptions} exceptions, ${fuzzer.translated} instructions translated`,
    )
  }
  const cpu = process.cpuUsage()
  console.log(
    `Seed ${seed}, ${sum(({ count }) => count.drawn)} random words, ${elapsed().toFixed(0)} s, of which ${((cpu.user + cpu.system) / 1e6).toFixed(0)} s on a processor`,
  )
  return differ
}

const wanted = options()
const missing = missingTools()
if (missing.length > 0 && !wanted.words) usage(`The fuzzer needs ${missing.join(', ')}.`)
if (wanted.recorded > 0) {
  const driver = buildDriver()
  record(driver, wanted.recorded, wanted.seed)
  driver.dispose()
} else {
  const differ = wanted.words ? fuzzWords(wanted) : fuzzInstructions(wanted)
  console.log(`${differ} mismatches`)
  process.exitCode = differ === 0 ? 0 : 1
}
