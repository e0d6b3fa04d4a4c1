/** Where indirect branches and calls lead, so that regions can hold the tables of a switch, and small functions. */

/** Branches to one place before a round of learning ends, rounds, and places that are worth a comparison each. */
const ROUND = 256
const ROUNDS = 3
const MAX_TARGETS = 32
const MAX_BRANCHES = 1 << 12

interface Branch {
  readonly counts: Map<number, number>
  targets: readonly number[]
  seen: number
  rounds: number
}

export class BranchProfile {
  /** By the record of the branch. */
  private readonly branches = new Map<number, Branch>()

  /**
   * Notes where a branch led: to this instruction of its page, or elsewhere. `isUseful`: whether it is good to know that it
   * leads to a place. True: a region with the branch should be made anew, with what is known now.
   */
  note(at: number, target: number | undefined, isUseful: (target: number) => boolean): boolean {
    // A hostile guest could branch from everywhere.
    if (this.branches.size >= MAX_BRANCHES) this.branches.clear()
    let branch = this.branches.get(at)
    if (branch === undefined) this.branches.set(at, (branch = { counts: new Map(), targets: [], seen: 0, rounds: 0 }))
    if (branch.rounds >= ROUNDS) return false
    if (target !== undefined) branch.counts.set(target, (branch.counts.get(target) ?? 0) + 1)
    if (++branch.seen < ROUND) return false
    branch.seen = 0
    const ranked = [...branch.counts].toSorted(([, a], [, b]) => b - a).map(([index]) => index)
    branch.targets = ranked.filter(isUseful).slice(0, MAX_TARGETS)
    // Nothing to be gained: the region is made anew so that it does not ask again.
    branch.rounds = branch.targets.length === 0 ? ROUNDS : branch.rounds + 1
    return true
  }

  targets(at: number): readonly number[] {
    return this.branches.get(at)?.targets ?? []
  }

  wants(at: number): boolean {
    return (this.branches.get(at)?.rounds ?? 0) < ROUNDS
  }

  /** Code has changed: whatever was learned of these records does not hold. */
  forget(from: number, to: number): void {
    for (const at of this.branches.keys()) if (at >= from && at < to) this.branches.delete(at)
  }

  clear(): void {
    this.branches.clear()
  }
}
