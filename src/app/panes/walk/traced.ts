/** What a CPU really read of the redistributors, from the trace. */
import { GICR_TYPER } from '../../../pure/arch/gic/gicr.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'
import type { Walk, WalkFrame } from '../../../pure/rules/walk.ts'

/** GICR_PIDR2 of RD_base (IHI 0069, 12.11). */
const PIDR2_OFFSET = 0xffe8

export interface FrameRead {
  readonly register: 'pidr2' | 'typer'
  /** Whose redistributor. */
  readonly owner: number
  readonly value: bigint
  /** Virtual nanoseconds. */
  readonly time: number
}

/** A read of a walk, where an event is one. */
export const readOf = (event: TraceEvent, time: number): (FrameRead & { readonly cpu: number }) | undefined => {
  if (event.kind !== 'mmio' || event.frame !== 'GICR' || event.write || event.cpu === undefined) return undefined
  const { cpu, owner, value, offset } = event
  if (offset === PIDR2_OFFSET) return { register: 'pidr2', cpu, owner, value, time }
  return offset === GICR_TYPER.offset ? { register: 'typer', cpu, owner, value, time } : undefined
}

const again = (a: FrameRead | undefined, b: FrameRead): boolean =>
  a !== undefined && a.register === b.register && a.owner === b.owner && a.value === b.value

/**
 * Of everything a CPU read, the last search: from the first frame's PIDR2 on. Linux reads each GICR_TYPER twice, in
 * gic_iterate_rdists() and in what that calls; the second is no step.
 */
export const lastSearch = (
  reads: readonly FrameRead[],
  frames: readonly { readonly cpu: number }[],
): readonly FrameRead[] => {
  const start = reads.findLastIndex(({ register, owner }) => register === 'pidr2' && owner === frames[0]?.cpu)
  return start === -1 ? [] : reads.slice(start).filter((read, i, all) => !again(all[i - 1], read))
}

export interface Confirmed {
  /** Whether the guest read what the walk says, in its order. */
  readonly same: boolean
  /** When each step of the walk was read; nothing for steps that read nothing. */
  readonly times: readonly (number | undefined)[]
}

/** Holds a walk against what was read. What is read behind its end is of no interest. */
export const confirm = (
  walk: Walk,
  frames: readonly (WalkFrame & { readonly cpu: number })[],
  search: readonly FrameRead[],
): Confirmed | undefined => {
  if (search.length === 0) return undefined
  let at = 0
  const times = walk.steps.map(({ step, place }) => {
    if (step !== 'pidr2' && step !== 'typer') return undefined
    const read = search[at++]
    const frame = frames[place]
    const value = step === 'pidr2' ? frame?.pidr2 : frame?.typer
    const is = read !== undefined && read.register === step && read.owner === frame?.cpu && read.value === value
    return is ? read.time : Number.NaN
  })
  return { same: times.every((time) => !Number.isNaN(time)), times }
}
