/**
 * How fast virtual time may pass beside wall time. A busy guest runs as fast as it can. While every CPU waits,
 * time may skip only as far as wall time has gone, so that `sleep 1` takes a second.
 */

const NS_PER_MS = 1e6
/** How long the worker stays in the guest before it looks at its messages. */
const CHUNK_MS = 8
const CHUNK_NS = { first: 1e6, least: 1e5, most: 2e8 } as const
/** What an interactive guest may catch up after it was busy: more would make the next `sleep` too short. */
const CATCH_UP_NS = 100 * NS_PER_MS

/** After a pause of the host, a slow machine makes up for no more than this. */
const LONGEST_STEP_MS = 50

export class Pacing {
  private chunkNs: number = CHUNK_NS.first
  /** Wall time that has passed and that virtual time has not yet taken. */
  private credit = 0
  private interactive = false
  /** Virtual nanoseconds a wall nanosecond, at most. */
  private limit = Infinity
  /** What may pass of virtual time by that limit. */
  private allowance = 0
  private lastMs: number | undefined

  /** Time stood still: what passed on the wall does not count. */
  hold(): void {
    this.lastMs = undefined
  }

  /** Someone is typing: from now on waits are as long as they say, where before a boot could make up for lost time. */
  touch(): void {
    this.interactive = true
  }

  /** Virtual time passes at most this many times as fast as wall time. */
  setLimit(limit: number): void {
    this.limit = limit
    this.allowance = 0
  }

  /** What to run now; `exact` where a slice more would be too much. */
  begin(wallMs: number): { maxNs: number; skipNs: number; exact: boolean } {
    const passed = this.lastMs === undefined ? 0 : (wallMs - this.lastMs) * NS_PER_MS
    this.credit += passed
    this.lastMs = wallMs
    if (this.interactive) this.credit = Math.min(this.credit, CATCH_UP_NS)
    const skipNs = Math.floor(this.credit)
    if (this.limit === Infinity) return { maxNs: this.chunkNs, skipNs, exact: false }
    this.allowance = Math.min(this.allowance + passed * this.limit, LONGEST_STEP_MS * NS_PER_MS * this.limit + 1)
    const maxNs = Math.min(this.chunkNs, Math.floor(this.allowance))
    return { maxNs, skipNs: Math.min(skipNs, maxNs), exact: true }
  }

  /** What it came to: `busy` where the guest did not wait for wall time. */
  end(wallMs: number, virtualNs: number, busy: boolean): void {
    this.credit = Math.max(0, this.credit - virtualNs)
    if (this.limit !== Infinity) this.allowance -= virtualNs
    if (!busy || this.lastMs === undefined) return
    const factor = CHUNK_MS / Math.max(wallMs - this.lastMs, 0.1)
    const next = this.chunkNs * Math.min(2, Math.max(0.25, factor))
    this.chunkNs = Math.round(Math.min(CHUNK_NS.most, Math.max(CHUNK_NS.least, next)))
  }
}
