import { useSessionState } from '../session-context.ts'
import { stageText } from '../session/guests.ts'

/** On the hairline under the bars: takes no room when there is nothing to wait for. */
export const Progress = () => {
  const loading = useSessionState((state) => state.loading)
  if (loading === undefined) return null
  const known = loading.stage === 'download' && loading.total > 0
  const share = known ? Math.min(1, loading.loaded / loading.total) : 0
  return (
    <div
      className={known ? 'progress' : 'progress endless'}
      role="progressbar"
      aria-label={stageText(loading)}
      {...(known ? { 'aria-valuenow': Math.round(share * 100), 'aria-valuemin': 0, 'aria-valuemax': 100 } : {})}
    >
      <span style={known ? { width: `${share * 100}%` } : undefined} />
    </div>
  )
}
