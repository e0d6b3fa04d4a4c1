/** What KVM refused a moment ago: the errno, why, and the rule it follows. They go by themselves, unless someone reads. */
import { X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { callText } from '../../pure/uapi/calls.ts'
import { useSession, useSessionState } from '../session-context.ts'
import type { CallRecord } from '../session/state.ts'
import { Answer } from '../widgets/answer.tsx'

const SHOWN = 3
const STAYS_MS = 12_000

/** The refusals among the calls after one: each call the person made, and the plan's as one. */
export const refusedSince = (calls: readonly CallRecord[], seen: number): readonly CallRecord[] => {
  const refused = calls.filter(({ id, answer }) => id > seen && !answer.ok)
  const firstOfPlan = refused.find(({ by }) => by === 'plan')
  return refused.filter((record) => record.by === 'you' || record === firstOfPlan).slice(-SHOWN)
}

export const Toasts = () => {
  const { view } = useSession()
  const calls = useSessionState((state) => state.calls)
  const [seen, setSeen] = useState(0)
  const [held, setHeld] = useState(false)
  const shown = refusedSince(calls, seen)
  const last = shown.at(-1)?.id
  useEffect(() => {
    if (last === undefined || held) return
    const timer = setTimeout(() => setSeen(last), STAYS_MS)
    return () => clearTimeout(timer)
  }, [last, held])
  return (
    <div
      className="toasts"
      role="log"
      aria-label="Refusals of KVM"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {shown.map(({ id, by, call, answer }) => (
        <div key={id} className="toast">
          <div className="line">
            <b>{by === 'plan' ? 'KVM refused a call of the plan' : 'KVM refused the call'}</b>
            <button className="button icon tiny quiet" aria-label="Put the refusal away" onClick={() => setSeen(id)}>
              <X size={13} aria-hidden />
            </button>
          </div>
          <div className="mono">{callText(call)}</div>
          <Answer answer={answer} />
          <button className="button small" onClick={() => view.show('calls')}>
            Show all calls
          </button>
        </div>
      ))}
    </div>
  )
}
