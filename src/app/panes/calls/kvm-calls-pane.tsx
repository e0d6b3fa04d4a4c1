/** What the VMM asks of KVM: the calls that were made with their answers, and the plan of the next build. */
import { useMemo } from 'react'
import { useSession, useSessionState } from '../../session-context.ts'
import type { CallRecord } from '../../session/state.ts'
import { Segments } from '../../widgets/choice.tsx'
import { usePart } from '../shared/use-part.ts'
import { Made } from './made.tsx'
import { PlanEditor } from './plan-editor.tsx'
import '../../style/calls.css'

const VIEWS = [
  { value: 'made', title: 'Made' },
  { value: 'plan', title: 'Plan' },
] as const

const KvmCallsPane = () => {
  const session = useSession()
  const calls = useSessionState((state) => state.calls)
  const refused = useSessionState((state) => state.refusedPlan)
  const [view, setView] = usePart('calls', VIEWS)
  const shown = useMemo(
    () => refused?.map(({ call, answer }, id): CallRecord => ({ id, by: 'plan', at: 0, call, answer })) ?? calls,
    [refused, calls],
  )
  return (
    <>
      <div className="pane-bar">
        <Segments label="KVM calls" value={view} options={VIEWS} onChange={setView} />
        {view === 'made' && refused !== undefined && (
          <>
            <span className="aside bad" title="This plan ended at a refusal; the machine before it goes on.">
              ✕ This plan ended at a refusal; the machine before it goes on.
            </span>
            <button className="button small quiet" onClick={session.forgetRefusedPlan}>
              Show the machine’s
            </button>
          </>
        )}
      </div>
      {view === 'made' ? <Made calls={shown} /> : <PlanEditor />}
    </>
  )
}

export default KvmCallsPane
