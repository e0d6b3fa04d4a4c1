/**
 * Where the fuzz begins in the tests; seeds that found something stay. 1: the line levels were saved by way of a CPU at
 * 0.0.0.0, which there need not be.
 */
export const SEEDS = [1, 2] as const
