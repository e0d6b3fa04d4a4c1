/** What several places measured of the same parts, in several rounds: they have to compute the same. */
import { geometricMean, least, median, printTable } from './figures.ts'
import type { Figures } from './figures.ts'
import type { Listener } from './listener.ts'
import { PLACES } from './places.ts'
import type { Place } from './places.ts'

interface Measured {
  /** The first repetition of each round, and the fastest of the others; seconds. */
  readonly cold: number[]
  readonly warm: number[]
}

interface Part {
  readonly work: number
  readonly sum: string
  readonly at: Map<Place, Measured>
}

const OURS = PLACES.filter((place) => place !== 'QEMU')

export class Comparison {
  private readonly parts = new Map<string, Part>()

  /** `prefix`: tells parts of this run from those of the same name in another. */
  add(place: Place, { parts }: Listener, prefix = ''): void {
    if (parts.size === 0) throw new Error(`the guest ran no part in ${place}`)
    for (const [short, { work, sum, seconds }] of parts) {
      const name = prefix + short
      const part = this.parts.get(name) ?? { work, sum, at: new Map<Place, Measured>() }
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
  private seconds(name: string, place: Place, state: keyof Measured): number | undefined {
    const measured =
      this.parts
        .get(name)
        ?.at.get(place)
        ?.[state].filter((seconds) => seconds > 0) ?? []
    if (measured.length === 0) return undefined
    return state === 'cold' ? median(measured) : least(measured)
  }

  private speed(name: string, place: Place, state: keyof Measured): number | undefined {
    const [theirs, ours] = [this.seconds(name, 'QEMU', state), this.seconds(name, place, state)]
    return theirs === undefined || ours === undefined ? undefined : theirs / ours
  }

  /** Prints the speed of each part beside QEMU's; the figures are the same, and the means. */
  printSpeeds(): Figures {
    const columns = (['warm', 'cold'] as const).flatMap((state) => OURS.map((place) => ({ place, state })))
    const title = ({ place, state }: (typeof columns)[number]): string => (state === 'cold' ? `${place}, cold` : place)
    const figures: Record<string, number> = {}
    const rows = [...this.parts.keys()].map((name) => [
      name,
      milliseconds(this.seconds(name, 'QEMU', 'warm')),
      ...columns.map((column) => {
        const speed = this.speed(name, column.place, column.state)
        if (speed !== undefined) figures[`${name}, ${title(column)}`] = speed
        return speed?.toFixed(2) ?? '-'
      }),
    ])
    const means = columns.map((column) => {
      const speeds = [...this.parts.keys()].flatMap((name) => this.speed(name, column.place, column.state) ?? [])
      if (speeds.length === 0) return '-'
      const mean = geometricMean(speeds)
      figures[`geometric mean, ${title(column)}`] = mean
      return mean.toFixed(2)
    })
    printTable([["times QEMU's speed", 'QEMU, ms', ...columns.map(title)], ...rows, ['geometric mean', '', ...means]])
    return figures
  }

  /** Prints nanoseconds an operation, less those of the part `empty`, which only loops. */
  printOperations(empty?: string): Figures {
    const figures: Record<string, number> = {}
    const each = (name: string, place: Place): number | undefined => {
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
