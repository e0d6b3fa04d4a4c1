/** Who wrote a register of a frame last, as the trace told. */
import type { FrameName } from '../../../pure/arch/frames.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'

const WORD = 4

interface FramePlace {
  readonly frame: FrameName
  readonly offset: number
}

const key = ({ frame, offset }: FramePlace, owner: number): string => `${frame} ${owner} ${offset}`

export class Writers {
  /** Numbers of events. */
  private readonly last = new Map<string, number>()

  add(number: number, event: TraceEvent): void {
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
  of(place: FramePlace, bytes: number, cpu: number): number | undefined {
    const owner = place.frame === 'GICR' ? cpu : 0
    const numbers = Array.from({ length: bytes / WORD }, (_, i) =>
      this.last.get(key({ frame: place.frame, offset: place.offset + WORD * i }, owner)),
    ).filter((number) => number !== undefined)
    return numbers.length === 0 ? undefined : Math.max(...numbers)
  }
}
