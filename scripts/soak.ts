/**
 * `npm run soak -- [--minutes N] [--busy PER-CENT] [--seed S] [--smp N] [--engine interpreter|translator]`: loads Linux with
 * work of many kinds (scripts/bench/linux/soak.c) for so much of its own time, of which it sleeps what it is not busy, and looks
 * whether memory stays flat, modules stay few and no step takes long. Exit status: 0, 1 a limit was passed or the guest failed,
 * 2 usage.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Pacing } from '../src/engine/worker/pacing.ts'
import { createVmm } from '../src/engine/vmm/vmm.ts'
import type { RunEnd } from '../src/engine/vmm/vmm.ts'
import { defaultBlueprint } from '../src/pure/blueprint/blueprint.ts'
import { ownMs } from './bench/places/cpu-clock.ts'
import { printTable } from './bench/figures.ts'
import { prepareSoak } from './bench/linux-guest.ts'

const LIMITS = {
  /** Processor milliseconds in which the worker would not have looked at its messages, once the engine is warm. */
  stallMs: 100,
  modules: 2000,
  /** The most resident memory of the second half of the time, times that of the first: modules come, and go all at once. */
  growth: 1.15,
} as const
const MIB = 2 ** 20

function usage(what: string): never {
  console.error(
    `${what}\nnpm run soak -- [--minutes N] [--busy PER-CENT] [--seed S] [--smp N] [--engine interpreter|translator]`,
  )
  process.exit(2)
}

interface Options {
  readonly minutes: number
  readonly busy: number
  readonly seed: number
  readonly smp: number
  readonly engine: 'interpreter' | 'translator'
}

const options = (): Options => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      busy: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      smp: { type: 'string', default: '4' },
      engine: { type: 'string', default: 'translator' },
    },
  })
  const number = (name: string, text: string): number => {
    const value = Number(text)
    return value > 0 ? value : usage(`--${name} wants a number over 0, not "${text}".`)
  }
  const { engine } = values
  if (engine !== 'interpreter' && engine !== 'translator') return usage(`There is no engine "${engine}".`)
  return {
    minutes: number('minutes', values.minutes),
    busy: Math.min(100, number('busy', values.busy)),
    seed: number('seed', values.seed),
    smp: number('smp', values.smp),
    engine,
  }
}

const { minutes, busy, seed, smp, engine } = options()
const folder = mkdtempSync(join(tmpdir(), 'gicscope-soak-'))
const guest = prepareSoak(folder, { vcpus: smp, seconds: Math.round(minutes * 60), busy, seed })
let unfinished = ''
let last = ''
const made = createVmm({
  blueprint: { ...defaultBlueprint, vcpus: smp, guest: { id: 'own', append: '' } },
  engine,
  guest: { kernel: readFileSync(guest.kernel), initrd: readFileSync(guest.initrd), append: guest.append },
  onConsole: (bytes) => {
    unfinished += Buffer.from(bytes).toString('latin1')
    const lines = unfinished.split('\n')
    unfinished = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('soak') || line.includes('panic')) last = line.trim()
  },
})
rmSync(folder, { recursive: true })
if (!made.ok) usage(made.what)
const { vmm } = made

interface Row {
  readonly minute: number
  readonly rss: number
  readonly modules: number
  readonly moduleBytes: number
  readonly evictions: number
  readonly stall: number
}
const rows: Row[] = []
const faults: string[] = []
const every = (minutes / 10) * 60e9
let next = every
let stall = 0
const pacing = new Pacing()
for (let end: RunEnd = 'time'; end === 'time';) {
  // As the worker goes about it, by a clock that stands still while other programs run; but time skips as far as it likes.
  const before = { ms: ownMs(), ns: vmm.now(), instructions: vmm.stats().instructions }
  const { maxNs } = pacing.begin(before.ms)
  end = vmm.run(maxNs, Infinity)
  const after = ownMs()
  pacing.end(after, vmm.now() - before.ns, vmm.stats().instructions - before.instructions > maxNs / 2)
  stall = Math.max(stall, after - before.ms)
  // The host frees modules when nothing else runs.
  await setImmediate()
  if (vmm.now() >= next || end !== 'time') {
    const { liveModules, moduleBytes, evictions } = vmm.stats()
    const row = {
      minute: vmm.now() / 60e9,
      rss: process.memoryUsage().rss / MIB,
      modules: liveModules,
      moduleBytes,
      evictions,
      stall,
    }
    rows.push(row)
    console.log(`${row.minute.toFixed(1)} min: ${row.rss.toFixed(0)} MiB, ${liveModules} modules; ${last}`)
    next += every
    stall = 0
  }
}
if (!last.includes('done')) faults.push(`The guest has not come to its end; it said: ${last}`)
const half = Math.ceil(rows.length / 2)
const most = (of: readonly Row[]): number => Math.max(...of.map(({ rss }) => rss))
if (most(rows.slice(half)) > most(rows.slice(0, half)) * LIMITS.growth)
  faults.push(
    `Memory has grown from ${most(rows.slice(0, half)).toFixed(0)} to ${most(rows.slice(half)).toFixed(0)} MiB.`,
  )
const later = rows.slice(Math.ceil(rows.length / 4))
for (const row of later)
  if (row.stall > LIMITS.stallMs)
    faults.push(`A turn took ${row.stall.toFixed(0)} ms before minute ${row.minute.toFixed(1)}.`)
for (const row of rows) {
  if (row.modules > LIMITS.modules) faults.push(`${row.modules} modules lived at minute ${row.minute.toFixed(1)}.`)
}
printTable([
  ['minute', 'MiB', 'modules', 'made, MB', 'evictions', 'longest turn, ms'],
  ...rows.map((r) => [
    r.minute.toFixed(1),
    r.rss.toFixed(0),
    String(r.modules),
    (r.moduleBytes / 1e6).toFixed(1),
    String(r.evictions),
    r.stall.toFixed(0),
  ]),
])
console.log(`${(ownMs() / 1000).toFixed(0)} s of processor time, ${vmm.stats().instructions} instructions`)
for (const fault of faults) console.error(fault)
process.exitCode = faults.length > 0 ? 1 : 0
