/** The guest's own log, read from its memory: there even when the console is silent. */
import { useEffect } from 'react'
import type { LogLine } from '../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { LOST } from '../session/session.ts'
import { VirtualList } from '../widgets/virtual-list.tsx'
import { cutLine } from './shared/mentions.ts'
import { useMention } from './shared/use-mention.ts'

const REFRESH_MS = 1000
/** Finding the log takes the worker's time: it is asked for this many times less often than it takes. */
const PATIENCE = 12

/** KERN_ERR and KERN_WARNING (include/linux/kern_levels.h). */
const LEVEL = { error: 3, warning: 4 } as const

const styleOf = ({ level, text }: LogLine): string => {
  if (text.includes(LOST)) return 'log-line lost'
  if (level <= LEVEL.error) return 'log-line severe'
  return level === LEVEL.warning ? 'log-line warning' : 'log-line'
}

const LineText = ({ text }: { readonly text: string }) => {
  const go = useMention()
  return cutLine(text).map((part) =>
    typeof part === 'string' ? (
      part
    ) : (
      <button key={part.at} className="mention" title="Shows what the line speaks of" onClick={() => go(part.of)}>
        {part.text}
      </button>
    ),
  )
}

const KernelLogPane = () => {
  const session = useSession()
  const log = useSessionState((state) => state.log)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let gone = false
    const refresh = async (): Promise<void> => {
      const asked = performance.now()
      await session.refreshLog().catch((error: unknown) => session.report(String(error)))
      const took = performance.now() - asked
      if (!gone) timer = setTimeout(refresh, Math.max(REFRESH_MS, took * PATIENCE))
    }
    void refresh()
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [session])

  if (log === undefined) return <p className="empty">The log of a Linux guest appears here as soon as it has one.</p>
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
        if (line === undefined) return null
        return (
          <div className={styleOf(line)} style={{ position: 'static' }}>
            <span className="faint">[{line.seconds.toFixed(6).padStart(12)}]</span> <LineText text={line.text} />
          </div>
        )
      }}
    />
  )
}

export default KernelLogPane
