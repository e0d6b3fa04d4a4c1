/** Widths of the picture, in CSS pixels. */

/** Where the nodes of a level stand, Aff3 first. */
export const LEVEL_X = { 3: 20, 2: 56, 1: 92, 0: 128 } as const
export const NODE_RADIUS = 11
export const CPU_BOX = { left: 152, width: 68 } as const
export const FRAME_BOX = { right: 8, width: 194 } as const
