/** What a profile is, and the tables it is printed as. */
import type { MeterReading } from '../../src/engine/cpu/meter.ts'
import type { VmmStats } from '../../src/engine/vmm/vmm.ts'
import { printTable } from '../bench/figures.ts'
import type { GuestFunction } from './guest-time.ts'
import { STEP_NS } from './guest-run.ts'
import type { HostTime } from './host-time.ts'

export interface Profile {
  /** Of the guest, as they were given. */
  readonly options: readonly string[]
  readonly host: HostTime
  readonly guest: readonly GuestFunction[]
  readonly stats: VmmStats
  readonly counted: MeterReading
  /** Exits by cause. */
  readonly causes: ReadonlyMap<string, number>
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`
const count = (value: number): string => Math.round(value).toLocaleString('en').replaceAll(',', ' ')
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)
const descending = (counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...counts].toSorted(([, a], [, b]) => b - a)

const table = (title: string, head: readonly string[], rows: readonly (readonly string[])[]): void => {
  console.log(`\n${title}`)
  printTable([head, ...rows])
}

/** `rows`: at most so many of each list. */
export const printProfile = ({ host, guest, stats, counted, causes }: Profile, rows: number): void => {
  const total = sum(host.parts.values())
  const { instructions } = stats
  const perMillion = (value: number): string => ((value / instructions) * 1e6).toFixed(1)
  table(
    `Processor time of the thread: ${(total / 1000).toFixed(2)} s for ${count(instructions)} instructions, ${(instructions / total / 1000).toFixed(0)} MIPS`,
    ['part', 'ms', 'share', 'ns per instruction'],
    descending(host.parts).map(([part, ms]) => [
      part,
      count(ms),
      percent(ms, total),
      ((ms * 1e6) / instructions).toFixed(3),
    ]),
  )
  table(
    'Functions of the engine, by their own time',
    ['function', 'part', 'ms', 'share'],
    host.functions.slice(0, rows).map(({ name, part, ms }) => [name, part, count(ms), percent(ms, total)]),
  )
  const samples = sum(guest.map((f) => f.samples))
  table(
    `Functions of the guest, by host time (looked at every ${STEP_NS} instructions)`,
    ['function', 'host ms', 'share', 'instructions', 'ns per instruction'],
    guest
      .slice(0, rows)
      .map((f) => [
        f.name,
        count(f.ms * host.share),
        percent(f.ms * host.share, total),
        percent(f.samples, samples),
        ((f.ms * host.share * 1e6) / (f.samples * STEP_NS)).toFixed(2),
      ]),
  )
  const translating = sum(
    [...host.parts].flatMap(([part, ms]) => (part === 'translator' || part === 'WebAssembly compile' ? [ms] : [])),
  )
  table(
    'Translation',
    ['', 'value', ''],
    [
      ['instructions run in regions', count(counted.translated), percent(counted.translated, instructions)],
      ['regions', count(stats.translatedRegions), ''],
      ['instructions translated', count(stats.translatedInstructions), ''],
      ['µs to translate one', ((translating * 1000) / Math.max(1, stats.translatedInstructions)).toFixed(2), ''],
      ['regions dropped, as their code changed', count(stats.droppedRegions), ''],
      ['modules made', count(stats.modules), ''],
      ['modules that live', count(stats.liveModules), ''],
      ['evictions of all', count(stats.evictions), ''],
      ['bytes of WebAssembly', count(stats.moduleBytes), ''],
      ['instructions decoded', count(stats.decodedInstructions), ''],
    ],
  )
  const head = ['', 'number', 'per million instructions']
  const counts = (title: string, list: readonly (readonly [string, number])[]): void =>
    table(
      title,
      head,
      list.slice(0, rows).map(([name, value]) => [name, count(value), perMillion(value)]),
    )
  counts('Regions that the interpreter entered, by how they came back', Object.entries(counted.regionEnds))
  counts('Memory', [
    ['page walks', stats.pageWalks],
    ['TLB flushes of more than a page', stats.tlbFlushes],
    ['device accesses', stats.mmioExits],
  ])
  counts('Exits by cause', descending(causes))
  counts('Calls out of WebAssembly', descending(counted.calls))
}
