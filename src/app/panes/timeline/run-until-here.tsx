/** From a place of the timeline to the machine: the same run to this moment once more, or on to the next event like this. */
import { likeOf } from '../../../pure/trace/event-like.ts'
import type { TraceEvent } from '../../../pure/trace/events.ts'
import { useSession, useSessionState } from '../../session-context.ts'

export const RunUntilHere = (props: {
  /** Virtual nanoseconds. */
  readonly moment: number
  readonly title: string
  readonly event?: TraceEvent
}) => {
  const session = useSession()
  const on = useSessionState(({ run }) => run?.state === 'running' || run?.state === 'paused')
  const { moment, title, event } = props
  return (
    <p className="run-until-here">
      <button
        className="button small"
        title="The machine begins anew as it did and stops there; what you typed, called and did to its CPUs is repeated at its moments"
        onClick={() => {
          session.rerunTo(moment).catch((error: unknown) => session.report(String(error)))
        }}
      >
        {title}
      </button>
      {event !== undefined && (
        <button className="button small" disabled={!on} onClick={() => session.runTo({ like: likeOf(event) })}>
          Run until the next like it
        </button>
      )}
    </p>
  )
}
