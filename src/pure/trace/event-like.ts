/** What two events have in common that are alike to a person: their row, and what they are about. */
import type { EventName, TraceEvent } from './events.ts'

/** Fields that say what an event is about. Who did it, with which value and when, may be other. */
const ABOUT = ['intid', 'frame', 'offset', 'write', 'register', 'encoding', 'vector', 'state', 'fn'] as const

export interface EventLike {
  readonly kind: EventName
  /** By the field. */
  readonly about: Readonly<Record<string, string | number | boolean>>
}

const aboutOf = (event: TraceEvent): EventLike['about'] => {
  const about: Record<string, string | number | boolean> = {}
  const fields = new Map<string, unknown>(Object.entries(event))
  for (const name of ABOUT) {
    const value = fields.get(name)
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') about[name] = value
  }
  return about
}

export const likeOf = (event: TraceEvent): EventLike => ({ kind: event.kind, about: aboutOf(event) })

export const isLike = (event: TraceEvent, { kind, about }: EventLike): boolean => {
  if (event.kind !== kind) return false
  const its = aboutOf(event)
  return Object.entries(about).every(([name, value]) => its[name] === value)
}
