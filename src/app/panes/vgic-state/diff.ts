/** What has changed between two dumps, line by line. */

export interface DiffLine {
  readonly mark: ' ' | '+' | '-'
  readonly text: string
}

/** More lines than this are compared place by place: the dumps of many CPUs are long, and their lines stay in place. */
const ALIGNED = 1500

/** The longest common lines stay, what is only in one of them is marked. */
export const diffLines = (before: readonly string[], after: readonly string[]): readonly DiffLine[] => {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let same = 0
  while (same < before.length - start && same < after.length - start && before.at(-1 - same) === after.at(-1 - same))
    same++
  const kept = (lines: readonly string[]): readonly DiffLine[] => lines.map((text) => ({ mark: ' ', text }))
  return [
    ...kept(after.slice(0, start)),
    ...changed(before.slice(start, before.length - same), after.slice(start, after.length - same)),
    ...kept(after.slice(after.length - same)),
  ]
}

const changed = (before: readonly string[], after: readonly string[]): readonly DiffLine[] => {
  if (before.length > ALIGNED || after.length > ALIGNED) return placeByPlace(before, after)
  // The length of the longest common sequence of what is left from each pair of places on.
  const width = after.length + 1
  const longest = new Uint16Array((before.length + 1) * width)
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--) {
      const at = i * width + j
      longest[at] =
        before[i] === after[j]
          ? (longest[at + width + 1] ?? 0) + 1
          : Math.max(longest[at + width] ?? 0, longest[at + 1] ?? 0)
    }
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]]
    const at = i * width + j
    if (old !== undefined && old === now) {
      lines.push({ mark: ' ', text: old })
      i++
      j++
    } else if (old !== undefined && (now === undefined || (longest[at + width] ?? 0) >= (longest[at + 1] ?? 0))) {
      lines.push({ mark: '-', text: old })
      i++
    } else {
      lines.push({ mark: '+', text: now ?? '' })
      j++
    }
  }
  return lines
}

const placeByPlace = (before: readonly string[], after: readonly string[]): readonly DiffLine[] =>
  Array.from({ length: Math.max(before.length, after.length) }, (_, i) => i).flatMap((i): DiffLine[] => {
    const [old, now] = [before[i], after[i]]
    if (old === now) return [{ mark: ' ', text: now ?? '' }]
    return [
      ...(old === undefined ? [] : [{ mark: '-' as const, text: old }]),
      ...(now === undefined ? [] : [{ mark: '+' as const, text: now }]),
    ]
  })
