/**
 * When a line of a guest's log was written, in virtual time. Linux counts from the moment at which its clock begins, some
 * time into the boot; before, it writes 0. What its clock lags behind is told by the line that came to the console
 * fastest: others wait for a console, or for those before them.
 */
import type { TraceEvent } from '../../../pure/trace/events.ts'

/** kernel/printk/printk.c: print_time(). */
const STAMP = /^\[ *(\d+)\.(\d{6})\]/
const LINES_KEPT = 4000

/** As the kernel writes its time, to the microsecond. */
export const stampText = (seconds: number): string => `[${seconds.toFixed(6).padStart(12)}]`

/** Nanoseconds by the kernel's own clock, of a line that begins with its time. */
export const stampOf = (line: string): number | undefined => {
  const [, seconds, micros] = STAMP.exec(line) ?? []
  return seconds === undefined || micros === undefined ? undefined : (Number(seconds) * 1e6 + Number(micros)) * 1e3
}

export class LogClock {
  /** What the kernel's clock lags behind virtual time, at most. */
  private lag: number | undefined
  /** When each line was on the console, the newest last. */
  private readonly lines = new Map<string, number>()

  add(time: number, event: TraceEvent): void {
    if (event.kind !== 'consoleLine') return
    const stamp = stampOf(event.line)
    if (stamp !== undefined && stamp > 0) this.lag = Math.min(this.lag ?? Infinity, time - stamp)
    const line = event.line.trimEnd()
    this.lines.delete(line)
    this.lines.set(line, time)
    const [oldest] = this.lines.keys()
    if (this.lines.size > LINES_KEPT && oldest !== undefined) this.lines.delete(oldest)
  }

  /** When a line was written, in virtual nanoseconds; `undefined` where that is not known. */
  ofLine(line: string): number | undefined {
    const stamp = stampOf(line)
    if (stamp !== undefined && stamp > 0 && this.lag !== undefined) return stamp + this.lag
    return this.lines.get(line.trimEnd())
  }

  clear(): void {
    this.lag = undefined
    this.lines.clear()
  }
}
