import { X } from 'lucide-react'
import { useSession, useSessionState } from '../session-context.ts'

/** What went wrong, until it is put away or mended: what the page opened with, and the last thing since. */
export const TroubleLine = () => {
  const session = useSession()
  const trouble = useSessionState((state) => state.trouble)
  const notices = useSessionState((state) => state.notices)
  return (
    <div role="alert">
      {notices.length > 0 && <Line text={notices.join(' ')} mark="▲" onClose={session.forgetNotices} />}
      {trouble !== undefined && <Line text={trouble} mark="✕" onClose={() => session.report(undefined)} />}
    </div>
  )
}

const Line = (props: { readonly text: string; readonly mark: '▲' | '✕'; readonly onClose: () => void }) => (
  <div className={props.mark === '▲' ? 'trouble-line notice' : 'trouble-line'}>
    <span className={props.mark === '▲' ? 'warn' : 'bad'}>{props.mark}</span>
    <span className="what">{props.text}</span>
    <button className="button icon quiet" aria-label="Put the message away" onClick={props.onClose}>
      <X size={14} aria-hidden />
    </button>
  </div>
)
