/** Where indirect branches lead, so that regions can hold the tables of a switch. */

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

  /** Notes that a branch led to this instruction of its page. True: it is time to use what is known. */
  note(at: number, target: number): boolean {
    // A hostile guest could branch from everywhere.
    if (this.branches.size >= MAX_BRANCHES) this.branches.clear()
    let branch = this.branches.get(at)
    if (branch === undefined) this.branches.set(at, (branch = { counts: new Map(), targets: [], seen: 0, rounds: 0 }))
    if (branch.rounds >= ROUNDS) return false
    branch.counts.set(target, (branch.counts.get(target) ?? 0) + 1)
    if (++branch.seen < ROUND) return false
    branch.seen = 0
    branch.rounds++
    const known = [...branch.counts].toSorted(([, a], [, b]) => b - a).slice(0, MAX_TARGETS)
    branch.targets = known.map(([index]) => index)
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
