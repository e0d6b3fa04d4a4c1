/** Where the columns of the picture stand, in CSS pixels, for a pane of some width. */

type Level = 3 | 2 | 1 | 0

export interface Columns {
  /** The middle of each level's nodes. */
  readonly level: Readonly<Record<Level, number>>
  readonly cpu: { readonly left: number; readonly width: number }
  readonly frame: { readonly left: number; readonly width: number }
  /** Whether a frame has room for all 16 digits of GICR_TYPER. */
  readonly wide: boolean
  /** Whether levels stand too near to each other for their names. */
  readonly tight: boolean
}

export const NODE_RADIUS = 10
const EDGE = 12
/** The names of the levels are wider than their nodes. */
const LEFT = 15
const CPU_WIDTH = 72
/** The least that a line needs to be followed. */
const GAP = 44
/** And the most, before the eye loses it. */
const MAX_GAP = 440

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most)

export const columnsFor = (width: number): Columns => {
  const step = clamp(width * 0.068, 27, 56)
  const first = LEFT + NODE_RADIUS
  const cpuLeft = first + 3 * step + NODE_RADIUS + step / 3
  const frameWidth = clamp(width * 0.34, 132, 264)
  const cpuRight = cpuLeft + CPU_WIDTH
  const frameLeft = clamp(width - EDGE - frameWidth, cpuRight + GAP, cpuRight + MAX_GAP)
  return {
    level: { 3: first, 2: first + step, 1: first + 2 * step, 0: first + 3 * step },
    cpu: { left: cpuLeft, width: CPU_WIDTH },
    frame: { left: frameLeft, width: Math.max(frameWidth, 132) },
    wide: frameWidth >= 210,
    tight: step < 34,
  }
}
