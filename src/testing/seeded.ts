/** Numbers that look random and are the same for the same seed, so that a failure repeats: from 0 to `below` - 1. */
export const seeded = (seed: number): ((below: number) => number) => {
  // Numerical Recipes' linear congruence.
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
