/** The logs of several kernels beside each other: the same line of each in one row. */
import { alignLines } from '../shared/diff.ts'
import type { Pair } from '../shared/diff.ts'

type Places = readonly (number | undefined)[]

export interface AlignedRow {
  /** The place in each log; `undefined` where a kernel did not say it. */
  readonly places: Places
  /** Not all of them say the same. */
  readonly differs: boolean
}

/** The same sentence about other numbers: addresses, affinities, counts. */
const sentenceOf = (line: string): string => line.replace(/0x[0-9a-f]+|[0-9a-f]{8,}|\d+/g, '#')

/** Among what only one of two logs has between lines that both have, the same sentences belong together as well. */
const withSentences = (
  pairs: readonly Pair[],
  before: readonly string[],
  after: readonly string[],
): readonly Pair[] => {
  const all: Pair[] = []
  let [olds, nows]: [number[], number[]] = [[], []]
  const close = (): void => {
    const sentences = alignLines(
      olds.map((i) => sentenceOf(before[i] ?? '')),
      nows.map((j) => sentenceOf(after[j] ?? '')),
    )
    for (const [i, j] of sentences)
      all.push([i === undefined ? undefined : olds[i], j === undefined ? undefined : nows[j]])
    olds = []
    nows = []
  }
  for (const pair of pairs) {
    const [i, j] = pair
    if (i !== undefined && j !== undefined) {
      close()
      all.push(pair)
    } else if (i !== undefined) olds.push(i)
    else if (j !== undefined) nows.push(j)
  }
  close()
  return all
}

/** What one kernel alone has said stands where its time has it, as far as each log keeps its order. */
const byTime = (rows: readonly Places[], timeOf: (row: Places) => number): readonly Places[] => {
  const meet = (a: Places, b: Places): boolean => a.some((place, log) => place !== undefined && b[log] !== undefined)
  const all: Places[] = []
  for (const row of rows) {
    let at = all.length
    for (let before = all[at - 1]; before !== undefined && !meet(before, row); before = all[at - 1]) {
      if (timeOf(before) <= timeOf(row)) break
      at--
    }
    all.splice(at, 0, row)
  }
  return all
}

export const alignLogs = (
  logs: readonly (readonly { readonly text: string; readonly seconds: number }[])[],
): readonly AlignedRow[] => {
  const linesOf = (row: Places) =>
    row.flatMap((place, log) => (place === undefined ? [] : [logs[log]?.[place]])).filter((line) => line !== undefined)
  let rows: readonly Places[] = []
  for (const [log, lines] of logs.entries()) {
    // A row is met by what the first of the kernels so far says in it.
    const said = rows.map((row) => linesOf(row)[0]?.text ?? '')
    const texts = lines.map(({ text }) => text)
    const nobody = Array.from({ length: log }, () => undefined)
    rows = withSentences(alignLines(said, texts), said, texts).map(([row, place]) => [
      ...(row === undefined ? nobody : (rows[row] ?? nobody)),
      place,
    ])
  }
  const ordered = byTime(rows, (row) => Math.min(...linesOf(row).map(({ seconds }) => seconds)))
  return ordered.map((places) => {
    const lines = linesOf(places)
    return { places, differs: lines.length < logs.length || new Set(lines.map(({ text }) => text)).size > 1 }
  })
}
