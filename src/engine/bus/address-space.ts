/** Which region answers a physical address. */
import type { MmioRegion } from './device.ts'

export interface AddressSpace {
  /** A region that overlaps another is a mistake of the caller and throws. */
  attach(region: MmioRegion): void
  detach(region: MmioRegion): void
  find(physical: number): MmioRegion | undefined
  /** By base address. */
  all(): readonly MmioRegion[]
}

export const createAddressSpace = (): AddressSpace => {
  /** By base address; no two overlap. */
  const regions: MmioRegion[] = []
  /** A guest talks to one device for a while. */
  let last: MmioRegion | undefined

  /** The number of regions that start at or below this address. */
  const startingBy = (physical: number): number => {
    let low = 0
    let high = regions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((regions[middle]?.base ?? Infinity) <= physical) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    all: () => regions,
    attach(region) {
      const at = startingBy(region.base)
      const before = regions[at - 1]
      const after = regions[at]
      const hit =
        before !== undefined && before.base + before.size > region.base
          ? before
          : after !== undefined && region.base + region.size > after.base
            ? after
            : undefined
      if (hit !== undefined) {
        throw new Error(
          `${region.name} at 0x${region.base.toString(16)} overlaps ${hit.name} at 0x${hit.base.toString(16)}`,
        )
      }
      regions.splice(at, 0, region)
    },
    detach(region) {
      const at = regions.indexOf(region)
      if (at < 0) throw new Error(`${region.name} is not attached`)
      regions.splice(at, 1)
      last = undefined
    },
    find(physical) {
      if (last !== undefined && physical >= last.base && physical < last.base + last.size) return last
      const region = regions[startingBy(physical) - 1]
      if (region === undefined || physical >= region.base + region.size) return undefined
      last = region
      return region
    },
  }
}
