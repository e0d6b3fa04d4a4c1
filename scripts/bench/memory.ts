/**
 * Memory under a load of many kinds (linux/soak.c): the largest process of each place, which is the one that the guest is in,
 * while the guest counts its seconds. BENCH_MEMORY_SECONDS says how many; an hour is 3600.
 */
import type { Benchmark } from './figures.ts'
import { printTable } from './figures.ts'
import { prepareSoak } from './linux-guest.ts'
import { Hearer } from './places/listener.ts'
import { withPlaces } from './places/index.ts'
import { processesOf, residentMiB } from './places/processes.ts'

const SECONDS = Number(process.env['BENCH_MEMORY_SECONDS'] ?? 30)
/** Parts of the time at which memory is told. */
const SHARES = [0, 0.25, 0.5, 0.75, 1] as const

class MemoryListener extends Hearer {
  /** It ends by itself. */
  readonly done = false
  private readonly seen: { readonly second: number; readonly mib: number }[] = []

  protected line(line: string): void {
    const [, second] = /^soak (\d+) /.exec(line) ?? []
    if (second === undefined) return
    const mib = Math.max(...processesOf(process.pid).slice(1).map(residentMiB))
    this.seen.push({ second: Number(second), mib })
  }

  /** MiB when this much of the guest's time was over. */
  at(second: number): number {
    const found = this.seen.find((each) => each.second >= second)
    if (found === undefined) throw new Error(`the guest did not come to second ${second}:\n${this.tail}`)
    return found.mib
  }
}

const run: Benchmark['run'] = () =>
  withPlaces(async (places) => {
    const guest = prepareSoak(places.folder, { vcpus: 4, seconds: SECONDS, seed: 1 })
    const figures: Record<string, number> = {}
    const rows: string[][] = []
    for (const place of places.names) {
      const listener = new MemoryListener()
      await places.run(place, guest, listener)
      const row = SHARES.map((share) => listener.at(Math.max(1, Math.floor(share * SECONDS))))
      SHARES.forEach((share, i) => (figures[`${place}, MiB after ${share * SECONDS} s`] = row[i] ?? 0))
      rows.push([place, ...row.map((mib) => mib.toFixed(0))])
    }
    printTable([['MiB after, s', ...SHARES.map((share) => (share * SECONDS).toFixed(0))], ...rows])
    return figures
  })

export const memory: Benchmark = { title: 'memory under load', rounds: 1, run }
