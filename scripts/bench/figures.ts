/** What benchmarks share: figures of several rounds, and how they are printed. */

export interface BenchmarkOptions {
  readonly rounds: number
}

export type Figures = Readonly<Record<string, number>>

export interface Benchmark {
  readonly title: string
  /** How many rounds it takes when none are asked for. */
  readonly rounds: number
  readonly run: (options: BenchmarkOptions) => Promise<Figures>
}

/** 0 for no values. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

export const least = (values: readonly number[]): number => (values.length === 0 ? 0 : Math.min(...values))

/** The value that this share of them, 0 to 1, lies below; 0 for no values. */
export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0

/** 0 where a value is 0. */
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** What several rounds measured, by what was measured. */
export class Samples {
  private readonly byName = new Map<string, number[]>()

  add(name: string, value: number): void {
    const list = this.byName.get(name)
    if (list === undefined) this.byName.set(name, [value])
    else list.push(value)
  }

  of(name: string): readonly number[] {
    return this.byName.get(name) ?? []
  }

  has(name: string): boolean {
    return this.byName.has(name)
  }

  /** Medians. */
  figures(): Figures {
    return Object.fromEntries([...this.byName].map(([name, values]) => [name, median(values)]))
  }
}

/** A table with its first column to the left and the others to the right. */
export const printTable = (rows: readonly (readonly string[])[]): void => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
    console.log(cells.join('  '))
  }
}
