/** SGIs and SPIs on their way, as the trace tells them: few at a time, and none for who asks for less motion. */
import { useEffect, useRef } from 'react'
import { FIRST_SPI, irqName } from '../../../pure/arch/intid.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'
import { useSession } from '../../session-context.ts'
import type { Columns } from './columns.ts'

export interface Flight {
  /** `undefined`: from the distributor. */
  readonly from: number | undefined
  /** `undefined`: it reaches nobody. */
  readonly to: number | undefined
  readonly text: string
}

/** What an event lets fly. */
export const flightsOf = (event: TraceEvent): readonly Flight[] => {
  if (event.kind === 'sgiSent') {
    const text = irqName(event.intid)
    const arrived = event.targets.map((to): Flight => ({ from: event.cpu, to, text }))
    return event.misses.length > 0 ? [...arrived, { from: event.cpu, to: undefined, text }] : arrived
  }
  if (event.kind === 'irqPending' && event.intid >= FIRST_SPI) {
    return [{ from: undefined, to: event.cpu, text: irqName(event.intid) }]
  }
  return []
}

/** At a time in the air, and of one batch. */
const MAX_FLYING = 14
const MAX_A_BATCH = 6
const FLIGHT_MS = 750
const BULGE = 52
const MISS_LENGTH = 64

interface Places {
  readonly columns: Columns
  /** The middle of the row a CPU stands in. */
  readonly heightOf: (cpu: number) => number | undefined
}

const pathOf = ({ from, to }: Flight, { columns, heightOf }: Places): string | undefined => {
  const right = columns.cpu.left + columns.cpu.width
  const start = from === undefined ? undefined : heightOf(from)
  const end = to === undefined ? undefined : heightOf(to)
  if (from === undefined)
    return end === undefined
      ? undefined
      : `M${columns.frame.left} 14 C${right + BULGE} 14 ${right + BULGE} ${end} ${right} ${end}`
  if (start === undefined) return undefined
  if (to === undefined) return `M${right} ${start} L${right + MISS_LENGTH} ${start}`
  if (end === undefined || start === end) return undefined
  return `M${right} ${start} C${right + BULGE} ${start} ${right + BULGE} ${end} ${right} ${end}`
}

export const Flights = (props: Places & { readonly height: number }) => {
  const { trace } = useSession()
  const sky = useRef<HTMLDivElement>(null)
  const places = useRef<Places>(props)
  useEffect(() => {
    places.current = props
  })
  useEffect(() => {
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) return
    const { log } = trace
    let seen = log.end
    const launch = (flight: Flight): void => {
      const { current } = sky
      if (current === null || current.childElementCount >= MAX_FLYING) return
      const path = pathOf(flight, places.current)
      if (path === undefined) return
      const token = document.createElement('span')
      token.className = flight.to === undefined ? 'flight lost' : 'flight'
      token.textContent = flight.text
      token.style.offsetPath = `path('${path}')`
      current.append(token)
      const flown = token.animate(
        // It grows and shrinks: fading, its text would be hard to read for a moment (WCAG 1.4.3). The property
        // "scale" would come before the path, and have it begin elsewhere (css-transforms-2, 6).
        [
          { offsetDistance: '0%', transform: 'scale(0)' },
          { transform: 'scale(1)', offset: 0.15 },
          { transform: 'scale(1)', offset: 0.8 },
          { offsetDistance: '100%', transform: 'scale(0)' },
        ],
        { duration: FLIGHT_MS, easing: 'ease-in-out' },
      )
      flown.addEventListener('finish', () => token.remove())
    }
    return trace.listen(() => {
      let left = MAX_A_BATCH
      // Another machine's trace begins anew.
      if (log.end < seen) seen = 0
      for (const { number, kind } of log.kinds(Math.max(seen, log.first), log.end)) {
        if (left === 0) break
        if (kind !== 'sgiSent' && kind !== 'irqPending') continue
        const at = log.at(number)
        for (const flight of at === undefined ? [] : flightsOf(at.event)) {
          launch(flight)
          left--
        }
      }
      seen = log.end
    })
  }, [trace])
  return <div ref={sky} className="flights" style={{ height: props.height }} aria-hidden="true" />
}
