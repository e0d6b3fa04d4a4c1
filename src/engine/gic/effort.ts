/**
 * What a guest asks of the GIC may be long: thousands of commands, tens of thousands of LPIs to look at. Real KVM takes
 * its time for that, and so does this one, in virtual time: what is expensive for the host moves the guest's clock, so
 * that no guest can keep the machine from its next turn.
 */
import type { Clock } from '../bus/clock.ts'

/** Virtual nanoseconds for looking at one entry of a table or list; about what it takes the host. */
const NS_EACH = 50

export class Effort {
  /** Entries looked at since the VM was made. */
  taken = 0
  private readonly clock: Pick<Clock, 'spend'>

  constructor(clock: Pick<Clock, 'spend'>) {
    this.clock = clock
  }

  spend(entries: number): void {
    if (entries === 0) return
    this.taken += entries
    this.clock.spend(entries * NS_EACH)
  }
}

/** For a GIC whose time does not matter. */
export const freeEffort = (): Effort => new Effort({ spend: () => {} })
