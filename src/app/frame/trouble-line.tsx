import { X } from 'lucide-react'
import { useSession, useSessionState } from '../session-context.ts'

/** The last thing that went wrong, until it is put away or mended. */
export const TroubleLine = () => {
  const session = useSession()
  const trouble = useSessionState((state) => state.trouble)
  return (
    <div role="alert">
      {trouble !== undefined && (
        <div className="trouble-line">
          <span className="bad">✕</span>
          <span className="what">{trouble}</span>
          <button
            className="button icon quiet"
            aria-label="Put the message away"
            onClick={() => session.report(undefined)}
          >
            <X size={14} aria-hidden />
          </button>
        </div>
      )}
    </div>
  )
}
