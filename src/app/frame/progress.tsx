import { useSessionState } from '../session-context.ts'
import { shareOf, stageText } from '../session/guests.ts'

/** On the hairline under the bars: takes no room when there is nothing to wait for. */
export const Progress = () => {
  const loading = useSessionState((state) => state.loading)
  if (loading === undefined) return null
  const share = shareOf(loading)
  const percent = share === undefined ? undefined : Math.round(share * 100)
  return (
    <div
      className={share === undefined ? 'progress endless' : 'progress'}
      role="progressbar"
      aria-label={stageText(loading)}
      {...(percent === undefined ? {} : { 'aria-valuenow': percent, 'aria-valuemin': 0, 'aria-valuemax': 100 })}
    >
      <span style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </div>
  )
}
