/** One event of the trace, field by field. */
import { FRAMES, registerName } from '../../../pure/arch/frames.ts'
import { explainRegister, registerAt } from '../../../pure/arch/register.ts'
import { eventText } from '../../../pure/trace/events.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'
import type { LogEvent } from '../../session/trace/log.ts'
import { RunUntilHere } from './run-until-here.tsx'
import { momentText } from './viewport.ts'

const hex = (value: bigint | number): string => `0x${value.toString(16)}`

/** Numbers that are addresses or bits, and not counts. */
const IN_HEX: ReadonlySet<string> = new Set(['offset', 'esr', 'fn', 'priority', 'encoding'])

const fieldText = (name: string, value: unknown): string | undefined => {
  if (typeof value === 'bigint') return hex(value)
  if (typeof value === 'number') return IN_HEX.has(name) ? hex(value) : `${value}`
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value.join(', ') || 'none'
  return undefined
}

/** Every field that can be told in a word. */
export const fieldsOf = (event: TraceEvent): readonly (readonly [string, string])[] =>
  Object.entries(event).flatMap(([name, value]) => {
    const text = name === 'kind' ? undefined : fieldText(name, value)
    return text === undefined ? [] : [[name, text] as const]
  })

const Explained = ({ event }: { readonly event: Extract<TraceEvent, { kind: 'mmio' }> }) => {
  const register = registerAt(FRAMES[event.frame].registers, event.offset)
  if (register === undefined || event.offset !== register.offset || register.perIrq !== undefined) return null
  return (
    <>
      <h4>{registerName(event.frame, event.offset)}</h4>
      <dl className="facts">
        {explainRegister(register, event.value).map(({ field, bits, text }) => (
          <div key={field} style={{ display: 'contents' }}>
            <dt>
              {field} <span className="dim">{bits}</span>
            </dt>
            <dd className="mono">{text}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}

export const EventDetails = ({ event: { number, time, event } }: { readonly event: LogEvent }) => (
  <>
    <h3>{eventText(event)}</h3>
    <RunUntilHere moment={time} title="Run until here again" event={event} />
    <dl className="facts">
      <dt>when</dt>
      <dd className="mono num">{momentText(time)}</dd>
      <dt>event</dt>
      <dd className="mono num">
        {event.kind} #{number}
      </dd>
      {fieldsOf(event).map(([name, text]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd className="mono">{text}</dd>
        </div>
      ))}
    </dl>
    {event.kind === 'mmio' && <Explained event={event} />}
  </>
)
