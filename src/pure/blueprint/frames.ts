/** Where the redistributors of a machine lie. */
import { GICR_SIZE } from '../arch/gic/gicr.ts'
import { memoryMap } from './memory-map.ts'

/** The redistributor of the n-th vCPU: the regions are filled in address order. */
export const frameBase = (index: number): number => {
  let rest = index
  for (const { base, frames } of memoryMap.redistributors) {
    if (rest < frames) return base + rest * GICR_SIZE
    rest -= frames
  }
  throw new Error(`vCPU ${index} is outside all redistributor regions`)
}

/** Which redistributor region an address lies in; -1 outside of all. */
export const regionOf = (base: number): number =>
  memoryMap.redistributors.findIndex((region) => base >= region.base && base < region.base + region.frames * GICR_SIZE)
