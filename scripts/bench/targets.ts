/** What the benchmarks are to show, and whether they did: each target is a figure of one of them, in Chromium where there is a choice. */
import type { Figures } from './figures.ts'

interface Target {
  readonly what: string
  readonly benchmark: string
  /** Nothing where it was not measured. */
  readonly figure: (figures: Figures) => number | undefined
  readonly least?: number
  readonly most?: number
}

const named =
  (name: string): Target['figure'] =>
  (figures) =>
    figures[name]

/** The least of the parts of a comparison, of which one may not be far behind whatever the mean is. */
const slowest =
  (pair: string): Target['figure'] =>
  (figures) => {
    const parts = Object.entries(figures).filter(
      ([name]) => name.endsWith(`, ${pair}`) && !name.startsWith('geometric'),
    )
    return parts.length === 0 ? undefined : Math.min(...parts.map(([, speed]) => speed))
  }

const ratio =
  (of: string, to: string): Target['figure'] =>
  (figures) => {
    const [value, unit] = [figures[of], figures[to]]
    return value === undefined || unit === undefined ? undefined : value / unit
  }

const bootOf = (vcpus: number, most: number): Target => ({
  what: `boot of ${vcpus} CPUs, times that of one`,
  benchmark: 'boot-sizes',
  figure: ratio(`Chromium, ${vcpus}`, 'Chromium, 1'),
  most,
})

const TARGETS: readonly Target[] = [
  {
    what: "kernels, mean, times QEMU's speed",
    benchmark: 'kernels',
    figure: named('geometric mean, Chromium / QEMU'),
    least: 1.5,
  },
  { what: 'the slowest kernel', benchmark: 'kernels', figure: slowest('Chromium / QEMU'), least: 1 },
  {
    what: "Linux, mean, times QEMU's speed",
    benchmark: 'linux',
    figure: named('geometric mean, Chromium / QEMU'),
    least: 2,
  },
  { what: 'the slowest part under Linux', benchmark: 'linux', figure: slowest('Chromium / QEMU'), least: 1 },
  {
    what: 'Linux, mean, cold',
    benchmark: 'linux',
    figure: named('geometric mean, Chromium / QEMU, cold'),
    least: 1,
  },
  {
    what: "the slowest part, times v86's speed",
    benchmark: 'v86',
    figure: slowest('Chromium / v86 in Chromium'),
    least: 2,
  },
  { what: "boot of 1 CPU, times QEMU's time", benchmark: 'boot', figure: ratio('chromium 1', 'qemu 1'), most: 1 },
  { what: 'MIPS of the interpreter in a boot', benchmark: 'boot', figure: named('interpreter MIPS'), least: 100 },
  bootOf(8, 1.3),
  bootOf(64, 4),
  bootOf(255, 15),
  {
    what: 'getppid under KPTI, ns',
    benchmark: 'interrupts',
    figure: named('kpti on: syscall, Chromium, ns'),
    most: 1500,
  },
  {
    what: 'SGI there and back, both CPUs in WFI, ns',
    benchmark: 'interrupts',
    figure: named('sgi-round-trip-wfi, Chromium, ns'),
    most: 2000,
  },
  {
    what: "read of the distributor's register, ns",
    benchmark: 'interrupts',
    figure: named('gicd-read, Chromium, ns'),
    most: 100,
  },
  { what: '512 vCPUs, MiB', benchmark: 'memory', figure: named('Chromium, MiB for 512 vCPUs'), most: 64 },
]

/** A row for each target of which something was measured, below a title; without any, no rows. */
export const judged = (all: Readonly<Record<string, Figures>>): readonly (readonly string[])[] => {
  const rows = TARGETS.flatMap(({ what, benchmark, figure, least = -Infinity, most = Infinity }) => {
    const value = figure(all[benchmark] ?? {})
    if (value === undefined) return []
    const target = most === Infinity ? `at least ${least}` : `at most ${most}`
    return [[what, value.toFixed(value < 100 ? 2 : 0), target, value >= least && value <= most ? 'met' : 'MISSED']]
  })
  return rows.length === 0 ? [] : [['target', 'measured', '', ''], ...rows]
}
