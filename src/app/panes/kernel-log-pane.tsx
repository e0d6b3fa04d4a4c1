/** The guest's own log, read from its memory: there even when the console is silent. */
import type { LogLine } from '../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { LOST } from '../session/session.ts'
import { stampText } from '../session/trace/log-clock.ts'
import { VirtualList } from '../widgets/virtual-list.tsx'
import { cutLine } from './shared/mentions.ts'
import { goTo } from './shared/go-to.ts'
import { useKernelLog } from './shared/use-kernel-log.ts'
import '../style/log.css'

/** KERN_ERR and KERN_WARNING (include/linux/kern_levels.h). */
const LEVEL = { error: 3, warning: 4 } as const

const styleOf = ({ level, text }: LogLine): string => {
  if (text.includes(LOST)) return 'log-line lost'
  if (level <= LEVEL.error) return 'log-line severe'
  return level === LEVEL.warning ? 'log-line warning' : 'log-line'
}

const Line = ({ line }: { readonly line: LogLine }) => {
  const session = useSession()
  const stamp = stampText(line.seconds)
  const at = (): number | undefined => session.trace.clock.ofLine(`${stamp} ${line.text}`)
  const show = (): void => {
    const moment = at()
    if (moment === undefined) session.report('When that was is not known: no line of the console tells it.')
    else session.showMoment(moment)
  }
  return (
    <div className={styleOf(line)} style={{ position: 'static' }}>
      <button className="stamp" title="Shows this moment on the timeline" onClick={show}>
        {stamp}
      </button>{' '}
      {cutLine(line.text).map((part) =>
        typeof part === 'string' ? (
          part
        ) : (
          <button
            key={part.at}
            className="mention"
            title="Shows what the line speaks of, and when"
            onClick={() => goTo(session, part.of, at())}
          >
            {part.text}
          </button>
        ),
      )}
    </div>
  )
}

const KernelLogPane = () => {
  const log = useKernelLog()
  const bare = useSessionState((state) => state.running?.guest.id === 'gicsh')
  if (log === undefined) return <p className="empty">The log of a Linux guest appears here as soon as it has one.</p>
  if (!log.ok && bare)
    return (
      <p className="empty">
        gicsh keeps no log: all it says is on the console. Of Linux, its log stands here, read out of its RAM.
      </p>
    )
  if (!log.ok) return <p className="empty">{log.what}</p>
  const lines = log.lines
  const lost = lines.findIndex(({ text }) => text.includes(LOST))
  return (
    <VirtualList
      label="Kernel log"
      className="log"
      count={lines.length}
      estimate={18}
      follow={lost === -1}
      show={lost === -1 ? undefined : lost}
      renderRow={(place) => {
        const line = lines[place]
        return line === undefined ? null : <Line line={line} />
      }}
    />
  )
}

export default KernelLogPane
