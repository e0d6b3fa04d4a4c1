/** Which levels of the tree are drawn as one row, so that 512 CPUs fit an eye. */
import type { Affinity } from '../../../pure/arch/affinity.ts'
import type { CpuSpot } from '../shared/spots.ts'

/** A level above the CPUs themselves. */
export type GroupLevel = 3 | 2 | 1
export const GROUP_LEVELS: readonly GroupLevel[] = [3, 2, 1]

/** From here on the clusters of Aff1 are closed at first. */
export const CLOSED_FROM = 48

/** Names the group of an affinity at a level: everything above the level's last bit. */
export const groupKey = (affinity: Affinity, level: GroupLevel): string => `${level}:${affinity >>> (8 * level)}`

/** The affinity of a group with zeros for what differs in it. */
export const groupPrefix = (affinity: Affinity, level: GroupLevel): Affinity =>
  ((affinity >>> (8 * level)) << (8 * level)) >>> 0

/** What a person opened and closed, on top of how it is at first. */
export type Toggled = Readonly<Record<string, boolean>>

/** The closed groups of some CPUs: large machines by cluster, but never what is wrong or selected; then the person's wish. */
export const closedGroups = (
  cpus: readonly CpuSpot[],
  open: ReadonlySet<number>,
  toggled: Toggled,
): ReadonlySet<string> => {
  const closed = new Set<string>()
  if (cpus.length >= CLOSED_FROM) {
    for (const { affinity } of cpus) closed.add(groupKey(affinity, 1))
    for (const { index, affinity } of cpus) if (open.has(index)) closed.delete(groupKey(affinity, 1))
  }
  for (const [key, isClosed] of Object.entries(toggled)) {
    if (isClosed) closed.add(key)
    else closed.delete(key)
  }
  return closed
}

/** The widest closed group an affinity lies in. */
export const closedIn = (affinity: Affinity, closed: ReadonlySet<string>): GroupLevel | undefined =>
  GROUP_LEVELS.find((level) => closed.has(groupKey(affinity, level)))
