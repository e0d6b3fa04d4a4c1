/** Widths of the picture, in CSS pixels. */

/** Where the nodes of a level stand, Aff3 first. */
export const LEVEL_X = { 3: 22, 2: 56, 1: 90, 0: 124 } as const
export const NODE_RADIUS = 10
export const CPU_BOX = { left: 146, width: 64 } as const
export const FRAME_BOX = { right: 10, width: 168 } as const
