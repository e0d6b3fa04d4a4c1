/**
 * `npm run tiers -- [--seed S] [--runs N] [--seconds N] [--pages N]`: whether the tiers run the same to the bit whenever code is
 * compiled. Debian's boot, a mixed load of so many seconds of the guest's time (scripts/bench/linux/soak.c), and pages of
 * random words run in the interpreter, and then N times in the translator, each time with thresholds that the seed draws.
 * Compared are a hash of the trace, registers, counts, and what was printed; of random words registers and RAM. Exit status:
 * 0 all the same, 1 something differs, 2 usage.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { enableWebAssemblyFeatures } from '../src/cli/webassembly.ts'
import type { Thresholds } from '../src/engine/cpu/translator/translator.ts'
import { CPU_MODEL_IDS } from '../src/pure/arch/cpu/models.ts'
import type { GuestMachine, GuestOptions } from '../src/testing/guest-machine.ts'
import { observe } from '../src/testing/observed-run.ts'
import { WordFuzzer } from '../src/testing/random-words/word-fuzzer.ts'
import { seeded } from '../src/testing/seeded.ts'
import { compileForLinux } from './bench/compile.ts'
import { printTable } from './bench/figures.ts'

const VCPUS = 4
/** Of a thousand nanoseconds, how many the load works: the interpreter runs it too. */
const BUSY = 2
const NO_LIMIT = 1e15

function usage(what: string): never {
  console.error(`${what}\nnpm run tiers -- [--seed S] [--runs N] [--seconds N] [--pages N]`)
  process.exit(2)
}

const options = (): Readonly<Record<'seed' | 'runs' | 'seconds' | 'pages', number>> => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '600' },
      pages: { type: 'string', default: '50' },
    },
  })
  const number = (name: keyof typeof values): number => {
    const value = Number(values[name])
    return Number.isInteger(value) && value > 0 ? value : usage(`--${name} wants a whole number over 0.`)
  }
  return { seed: number('seed'), runs: number('runs'), seconds: number('seconds'), pages: number('pages') }
}

/** From all at once to hardly anything; few modules have to make room for each other. */
const draw = (below: (limit: number) => number): Thresholds => ({
  hot: 2 ** below(9),
  called: 2 ** below(8),
  batch: 2 ** below(7),
  patience: 2 ** below(10),
  modules: 40 * 2 ** below(6),
})
const text = (thresholds: Thresholds): string =>
  Object.entries(thresholds)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

interface Program {
  readonly name: string
  readonly guest: Omit<GuestOptions, 'guest'>
  readonly work: (machine: GuestMachine) => void
}

const boot: Program = { name: 'boot', guest: {}, work: (machine) => machine.boot() }

const load = (seconds: number, seed: number): Program => {
  const folder = mkdtempSync(join(tmpdir(), 'gicscope-tiers-'))
  const bytes = readFileSync(compileForLinux(join(folder, 'bench'), ['linux/soak.c']))
  rmSync(folder, { recursive: true })
  return {
    name: `load, ${seconds} s`,
    guest: {
      files: [{ kind: 'file', name: 'bench', mode: 0o755, bytes }],
      append: `rdinit=/bench quiet seconds=${seconds} busy=${BUSY} seed=${seed}`,
    },
    work: (machine) => {
      machine.untilEnd(seconds + 60)
      if (!machine.console.includes('soak done')) throw new Error(`the load failed:\n${machine.console.slice(-500)}`)
    },
  }
}

enableWebAssemblyFeatures()
const { seed, runs, seconds, pages } = options()
const below = seeded(seed)
const rows: string[][] = [['program', 'thresholds', 'instructions', 'trace', '']]
let differ = 0
const tell = (name: string, how: string, instructions: number, hash: string, same: boolean): void => {
  if (!same) differ++
  const row = [name, how, String(instructions), hash, same ? 'the same' : 'DIFFERS']
  console.log(row.join('; '))
  rows.push(row)
}

for (const { name, guest, work } of [boot, load(seconds, seed)]) {
  const run = (more: Pick<GuestOptions, 'engine' | 'thresholds'>): ReturnType<typeof observe> =>
    observe({ guest: 'linux-6.1', blueprint: { vcpus: VCPUS }, maxInstructions: NO_LIMIT, ...guest, ...more }, work)
  const short = (trace: string): string => createHash('sha256').update(trace).digest('hex').slice(0, 16)
  const reference = run({ engine: 'interpreter' })
  tell(name, 'interpreter', reference.instructions, short(reference.trace), true)
  for (let i = 0; i < runs; i++) {
    const thresholds = draw(below)
    const got = run({ engine: 'translator', thresholds })
    tell(name, text(thresholds), got.instructions, short(got.trace), isDeepStrictEqual(got, reference))
  }
}
for (const model of CPU_MODEL_IDS) {
  const thresholds = draw(below)
  const fuzzer = new WordFuzzer(model, { thresholds })
  let how: string | undefined
  for (let page = 0; page < pages && how === undefined; page++) how = fuzzer.step(seed + page)
  if (how !== undefined) console.log(how)
  tell(`random words, ${model}`, text(thresholds), fuzzer.translated, '-', how === undefined)
}
printTable(rows)
process.exitCode = differ > 0 ? 1 : 0
