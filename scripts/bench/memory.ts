/**
 * Memory of the largest process of each place, which is the one that the guest is in: what 512 vCPUs take, and how it grows
 * under a load of many kinds (linux/soak.c) from the end of the boot on. BENCH_MEMORY_SECONDS says for how long of the guest's time;
 * under Node, which need not keep pace with the clock while the guest sleeps, it is watched for an hour of it too.
 */
import { join } from 'node:path'
import { assembleBare } from './compile.ts'
import type { Benchmark } from './figures.ts'
import { printTable } from './figures.ts'
import { prepareSoak } from './linux-guest.ts'
import type { Load } from './linux-guest.ts'
import { withPlaces } from './places/index.ts'
import type { Places } from './places/index.ts'
import { BootListener, Hearer } from './places/listener.ts'
import type { Place } from './places/place.ts'
import { processesOf, residentMiB } from './places/processes.ts'

const SECONDS = Number(process.env['BENCH_MEMORY_SECONDS'] ?? 30)
const HOUR = { seconds: 3600, busy: 2 } as const
/** Parts of the time at which memory is told. */
const SHARES = [0, 0.25, 0.5, 0.75, 1] as const
const MOST_VCPUS = 512
/** What storm.s says when all its CPUs are on. */
const ALL_ON = 'guest: ready'

const largestMiB = (): number => Math.max(...processesOf(process.pid).slice(1).map(residentMiB))

class MemoryListener extends Hearer {
  /** It ends by itself. */
  readonly done = false
  private readonly seen: { readonly second: number; readonly mib: number }[] = []

  protected line(line: string): void {
    const [, second] = /^soak (\d+)\b/.exec(line) ?? []
    if (second !== undefined) this.seen.push({ second: Number(second), mib: largestMiB() })
  }

  /** MiB when this much of the guest's time was over. */
  at(second: number): number {
    const found = this.seen.find((each) => each.second >= second)
    if (found === undefined) throw new Error(`the guest did not come to second ${second}:\n${this.tail}`)
    return found.mib
  }
}

class AllOnListener extends BootListener {
  /** 0: they are not on. */
  mib = 0

  constructor() {
    super(ALL_ON)
  }

  protected override line(line: string, at: number): void {
    super.line(line, at)
    if (this.done) this.mib = largestMiB()
  }
}

/** What a place takes for the CPUs of a guest that needs nothing else. */
const statesOf = async (places: Places): Promise<Record<string, number>> => {
  const kernel = assembleBare(join(places.folder, 'storm.elf'), 'storm.s')
  const figures: Record<string, number> = {}
  for (const place of places.names) {
    if (place === 'QEMU') continue
    const mib: number[] = []
    for (const vcpus of [1, MOST_VCPUS]) {
      const listener = new AllOnListener()
      await places.run(place, { vcpus, kernel }, listener)
      mib.push(listener.mib)
    }
    const [one = 0, all = 0] = mib
    figures[`${place}, MiB for ${MOST_VCPUS} vCPUs`] = all - one
  }
  return figures
}

const run: Benchmark['run'] = () =>
  withPlaces(async (places) => {
    const figures = await statesOf(places)
    printTable([['', 'MiB'], ...Object.entries(figures).map(([name, mib]) => [name, mib.toFixed(0)])])
    const rows: string[][] = []
    const watch = async (place: Place, load: Pick<Load, 'seconds' | 'busy'>): Promise<void> => {
      const listener = new MemoryListener()
      await places.run(place, prepareSoak(places.folder, { vcpus: 4, seed: 1, ...load }), listener)
      const row = SHARES.map((share) => listener.at(Math.floor(share * load.seconds)))
      const what = `${place}, ${load.seconds} s${load.busy === undefined ? '' : `, ${load.busy} % busy`}`
      SHARES.forEach((share, i) => (figures[`${what}: MiB at ${share * 100} %`] = row[i] ?? 0))
      rows.push([what, ...row.map((mib) => mib.toFixed(0))])
    }
    for (const place of places.names) await watch(place, { seconds: SECONDS })
    await watch('Node', HOUR)
    printTable([['MiB after this much of the load', ...SHARES.map((share) => `${share * 100} %`)], ...rows])
    return figures
  })

export const memory: Benchmark = { title: 'memory', rounds: 1, run }
