/** Two texts beside each other, line by line. */

export interface DiffLine {
  readonly mark: ' ' | '+' | '-'
  readonly text: string
}

/** Places of two lists that belong together; `undefined` where one has nothing like it. */
export type Pair = readonly [before: number | undefined, after: number | undefined]

/** More lines than this are compared place by place: the texts of many CPUs are long, and their lines stay in place. */
const ALIGNED = 1500

/** The longest sequence of lines that both have stays together; every place of both is in it, in its order. */
export const alignLines = (before: readonly string[], after: readonly string[]): readonly Pair[] => {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let same = 0
  while (same < before.length - start && same < after.length - start && before.at(-1 - same) === after.at(-1 - same))
    same++
  const [left, right] = [before.length - same, after.length - same]
  const middle = changed(before.slice(start, left), after.slice(start, right))
  return [
    ...Array.from({ length: start }, (_, i): Pair => [i, i]),
    ...middle.map(([i, j]): Pair => [i === undefined ? i : i + start, j === undefined ? j : j + start]),
    ...Array.from({ length: same }, (_, i): Pair => [left + i, right + i]),
  ]
}

const changed = (before: readonly string[], after: readonly string[]): readonly Pair[] => {
  if (before.length > ALIGNED || after.length > ALIGNED) return placeByPlace(before.length, after.length)
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
  const pairs: Pair[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const at = i * width + j
    const [more, other] = [i < before.length, j < after.length]
    if (more && other && before[i] === after[j]) pairs.push([i++, j++])
    else if (more && (!other || (longest[at + width] ?? 0) >= (longest[at + 1] ?? 0))) pairs.push([i++, undefined])
    else pairs.push([undefined, j++])
  }
  return pairs
}

const placeByPlace = (before: number, after: number): readonly Pair[] =>
  Array.from({ length: Math.max(before, after) }, (_, i): Pair => [
    i < before ? i : undefined,
    i < after ? i : undefined,
  ])

/** What has changed: what is in one of them alone is marked. */
export const diffLines = (before: readonly string[], after: readonly string[]): readonly DiffLine[] =>
  alignLines(before, after).flatMap(([i, j]): DiffLine[] => {
    const [old, now] = [i === undefined ? undefined : before[i], j === undefined ? undefined : after[j]]
    if (old !== undefined && old === now) return [{ mark: ' ', text: old }]
    return [
      ...(old === undefined ? [] : [{ mark: '-' as const, text: old }]),
      ...(now === undefined ? [] : [{ mark: '+' as const, text: now }]),
    ]
  })
