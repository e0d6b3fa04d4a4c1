/**
 * `npm run bench -- NAME [--rounds N] [--json FILE]`: measures, prints ratios, and holds them against the targets. Each
 * benchmark is a file of scripts/bench; rounds interleave the measured machines, so that a host that is busy for a while slows
 * them all.
 */
import { enableWebAssemblyFeatures } from '../src/cli/webassembly.ts'
import { writeFileSync } from 'node:fs'
import { printTable } from './bench/figures.ts'
import type { Benchmark, Figures } from './bench/figures.ts'
import { bootSizes } from './bench/boot-sizes.ts'
import { boot } from './bench/boot.ts'
import { interrupts } from './bench/interrupts.ts'
import { kernels } from './bench/kernels.ts'
import { linux } from './bench/linux.ts'
import { memory } from './bench/memory.ts'
import { judged } from './bench/targets.ts'
import { ui } from './bench/ui.ts'
import { v86 } from './bench/v86.ts'

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  kernels,
  interrupts,
  linux,
  v86,
  boot,
  'boot-sizes': bootSizes,
  memory,
  ui,
}

const usage = (what: string): never => {
  console.error(what)
  console.error(`npm run bench -- [${Object.keys(BENCHMARKS).join('|')}] [--rounds N] [--json FILE]`)
  process.exit(2)
}

enableWebAssemblyFeatures()
const names: string[] = []
let rounds: number | undefined
let json: string | undefined
for (const words = process.argv.slice(2); words.length > 0;) {
  const word = words.shift() ?? ''
  if (word === '--rounds') rounds = Number(words.shift())
  else if (word === '--json') json = words.shift() ?? usage('--json needs a file.')
  else if (Object.hasOwn(BENCHMARKS, word)) names.push(word)
  else usage(`"${word}" is no benchmark.`)
}
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) usage('--rounds needs a whole number.')

const all: Record<string, Figures> = {}
for (const [name, { title, run, rounds: usual }] of Object.entries(BENCHMARKS)) {
  if (names.length > 0 && !names.includes(name)) continue
  console.log(`\n== ${name}: ${title}`)
  all[name] = await run({ rounds: rounds ?? usual })
}
const targets = judged(all)
if (targets.length > 0) console.log()
printTable(targets)
if (json !== undefined) writeFileSync(json, `${JSON.stringify(all, undefined, 2)}\n`)
