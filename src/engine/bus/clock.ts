/**
 * Virtual time. One executed instruction is one nanosecond, on whichever CPU it ran; when every
 * CPU waits, time skips to the next deadline. No wall clock is involved.
 */
export interface Clock {
  /** Virtual nanoseconds since the machine was built: an integer below 2^53. */
  now(): number
  /** Calls `fire` once when virtual time reaches `at` (at once, on the next turn, if it has passed). */
  schedule(at: number, fire: () => void): Cancel
  /** Moves time on by so many whole nanoseconds at once: a guest asked for work that is not an instruction's. */
  spend(nanoseconds: number): void
}

export type Cancel = () => void
