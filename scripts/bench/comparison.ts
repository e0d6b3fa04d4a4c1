/** What several places measured of the same parts, in several rounds: they have to compute the same. */
import { geometricMean, least, median, printTable } from './figures.ts'
import type { Figures } from './figures.ts'
import type { Listener } from './places/listener.ts'
import { PLACES } from './places/place.ts'

interface Measured {
  /** The first repetition of each round, and the fastest of the others; seconds. */
  readonly cold: number[]
  readonly warm: number[]
}

interface Part {
  readonly work: number
  readonly sum: string
  /** By the name of the place. */
  readonly at: Map<string, Measured>
}

/** One of ours, and whom it is compared with. */
export interface Rivals {
  readonly ours: string
  readonly theirs: string
}

export const AGAINST_QEMU: readonly Rivals[] = [
  { ours: 'Node', theirs: 'QEMU' },
  { ours: 'Chromium', theirs: 'QEMU' },
]

export class Comparison {
  private readonly parts = new Map<string, Part>()

  /** `prefix`: tells parts of this run from those of the same name in another. */
  add(place: string, { parts }: Listener, prefix = ''): void {
    if (parts.size === 0) throw new Error(`the guest ran no part in ${place}`)
    for (const [short, { work, sum, seconds }] of parts) {
      const name = prefix + short
      const part = this.parts.get(name) ?? { work, sum, at: new Map<string, Measured>() }
      if (part.sum !== sum) throw new Error(`${name} computes ${sum} in ${place}, and ${part.sum} elsewhere`)
      const measured = part.at.get(place) ?? { cold: [], warm: [] }
      const [first = 0, ...others] = seconds
      measured.cold.push(first)
      measured.warm.push(others.length === 0 ? first : least(others.filter((each) => each > 0)))
      part.at.set(place, measured)
      this.parts.set(name, part)
    }
  }

  /**
   * Seconds of a part: cold in the middle of the rounds, warm the fastest. Where a page was too busy to hand on one line before
   * the next, nothing was measured.
   */
  private seconds(name: string, place: string, state: keyof Measured): number | undefined {
    const measured =
      this.parts
        .get(name)
        ?.at.get(place)
        ?.[state].filter((seconds) => seconds > 0) ?? []
    if (measured.length === 0) return undefined
    return state === 'cold' ? median(measured) : least(measured)
  }

  private speed(name: string, { ours, theirs }: Rivals, state: keyof Measured): number | undefined {
    const [their, own] = [this.seconds(name, theirs, state), this.seconds(name, ours, state)]
    return their === undefined || own === undefined ? undefined : their / own
  }

  /** Prints how many times as fast as their rivals ours run each part; the figures are the same, and the means. */
  printSpeeds(rivals: readonly Rivals[]): Figures {
    const columns = (['warm', 'cold'] as const).flatMap((state) => rivals.map((pair) => ({ pair, state })))
    const title = ({ pair, state }: (typeof columns)[number]): string =>
      `${pair.ours} / ${pair.theirs}${state === 'cold' ? ', cold' : ''}`
    const theirs = [...new Set(rivals.map((pair) => pair.theirs))]
    const figures: Record<string, number> = {}
    const rows = [...this.parts.keys()].map((name) => [
      name,
      ...theirs.map((place) => milliseconds(this.seconds(name, place, 'warm'))),
      ...columns.map((column) => {
        const speed = this.speed(name, column.pair, column.state)
        if (speed !== undefined) figures[`${name}, ${title(column)}`] = speed
        return speed?.toFixed(2) ?? '-'
      }),
    ])
    const means = columns.map((column) => {
      const speeds = [...this.parts.keys()].flatMap((name) => this.speed(name, column.pair, column.state) ?? [])
      if (speeds.length === 0) return '-'
      const mean = geometricMean(speeds)
      figures[`geometric mean, ${title(column)}`] = mean
      return mean.toFixed(2)
    })
    printTable([
      ['speed', ...theirs.map((place) => `${place}, ms`), ...columns.map(title)],
      ...rows,
      ['geometric mean', ...theirs.map(() => ''), ...means],
    ])
    return figures
  }

  /** Prints nanoseconds an operation, less those of the part `empty`, which only loops. */
  printOperations(empty?: string): Figures {
    const figures: Record<string, number> = {}
    const each = (name: string, place: string): number | undefined => {
      const seconds = this.seconds(name, place, 'warm')
      return seconds === undefined ? undefined : (seconds * 1e9) / (this.parts.get(name)?.work ?? 1)
    }
    const rows = [...this.parts.keys()].map((name) => [
      name,
      ...PLACES.map((place) => {
        const [own, loop] = [each(name, place), empty === undefined ? 0 : (each(empty, place) ?? 0)]
        if (own === undefined) return '-'
        const ns = name === empty ? own : Math.max(0, own - loop)
        figures[`${name}, ${place}, ns`] = ns
        return ns < 100 ? ns.toFixed(1) : ns.toFixed(0)
      }),
    ])
    printTable([['nanoseconds an operation', ...PLACES], ...rows])
    return figures
  }
}

const milliseconds = (seconds: number | undefined): string =>
  seconds === undefined ? '-' : (seconds * 1000).toFixed(0)
