import type { FrameName } from '../../pure/arch/frames.ts'

/** The widths, in bytes, of a memory-mapped access. */
export type AccessWidth = 1 | 2 | 4 | 8

/** Which table names the registers of a region, for the trace. */
export interface RegionRegisters {
  readonly frame: FrameName
  /** Bytes from one CPU's frame to the next, in a region of several. */
  readonly stride?: number
  /** The CPU whose frame is the first. */
  readonly first?: number
}

/** A contiguous range of physical addresses that something other than RAM answers. */
export interface MmioRegion {
  readonly name: string
  /** Physical base address; regions lie below 2^53, so a number is exact. */
  readonly base: number
  /** Length in bytes. */
  readonly size: number
  /** Without it, accesses to the region are not traced. */
  readonly registers?: RegionRegisters
  /** A guest load at `offset`. `cpu` is the index of the CPU that makes the access. */
  read(offset: number, width: AccessWidth, cpu: number): bigint
  /** A guest store at `offset`. */
  write(offset: number, width: AccessWidth, value: bigint, cpu: number): void
}
