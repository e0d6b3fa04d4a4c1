/** Who wrote a register last, as the trace told. */
import type { RegisterPlace } from '../../../pure/uapi/register-book.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'

const WORD = 4

const key = (place: RegisterPlace, owner: number): string =>
  'frame' in place ? `${place.frame} ${owner} ${place.offset}` : `${owner} ${place.encoding}`

export class Writers {
  /** Numbers of events. */
  private readonly last = new Map<string, number>()

  add(number: number, event: TraceEvent): void {
    if (event.kind === 'sysregWritten') this.last.set(key({ encoding: event.encoding }, event.cpu ?? 0), number)
    if (event.kind !== 'mmio' || !event.write) return
    const { frame } = event
    const first = event.offset - (event.offset % WORD)
    for (let offset = first; offset < event.offset + event.width; offset += WORD) {
      this.last.set(key({ frame, offset }, frame === 'GICR' ? event.owner : 0), number)
    }
  }

  clear(): void {
    this.last.clear()
  }

  /** The number of the event that wrote any word of a register last. `cpu`: whose it is, where each CPU has one. */
  of(place: RegisterPlace, bytes: number, cpu: number): number | undefined {
    if (!('frame' in place)) return this.last.get(key(place, cpu))
    const owner = place.frame === 'GICR' ? cpu : 0
    const numbers = Array.from({ length: bytes / WORD }, (_, i) =>
      this.last.get(key({ frame: place.frame, offset: place.offset + WORD * i }, owner)),
    ).filter((number) => number !== undefined)
    return numbers.length === 0 ? undefined : Math.max(...numbers)
  }
}
