/** What a guest's CPU read while it looked for its redistributor, from the trace: nothing is supposed. */
import { GICR_TYPER } from '../../../pure/arch/gic/gicr.ts'
import type { TraceLog } from './log.ts'

/** A read of an identification register of a redistributor. */
export interface SearchRead {
  /** Number of the event in the trace. */
  readonly event: number
  /** Virtual nanoseconds. */
  readonly time: number
  /** The CPU whose frame was read. */
  readonly frameOf: number
  readonly register: 'PIDR2' | 'TYPER'
  /** 4: half of GICR_TYPER, from its `half` on. */
  readonly width: number
  readonly half: 'low' | 'high'
  readonly value: bigint
}

/** GICR_PIDR2, from RD_base (GIC architecture IHI 0069, 12.11). */
const PIDR2 = 0xffe8
const HALF = 4

/** In the order in which they happened; later reads of the same frames, by tools, are among them. */
export const searchReads = (log: TraceLog, cpu: number): readonly SearchRead[] => {
  const reads: SearchRead[] = []
  for (const { number, kind, cpu: by } of log.kinds(log.first, log.end)) {
    if (kind !== 'mmio' || by !== cpu) continue
    const found = log.at(number)
    if (found?.event.kind !== 'mmio' || found.event.frame !== 'GICR' || found.event.write) continue
    const { offset, owner, width, value } = found.event
    const register =
      offset === PIDR2
        ? 'PIDR2'
        : offset >= GICR_TYPER.offset && offset < GICR_TYPER.offset + 2 * HALF
          ? 'TYPER'
          : undefined
    if (register === undefined) continue
    const half = register === 'TYPER' && offset === GICR_TYPER.offset + HALF ? 'high' : 'low'
    reads.push({ event: number, time: found.time, frameOf: owner, register, width, half, value })
  }
  return reads
}
