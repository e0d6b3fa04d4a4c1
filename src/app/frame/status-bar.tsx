import { useSession, useSessionState } from '../session-context.ts'
import { stageText } from '../session/guests.ts'
import type { SessionState } from '../session/state.ts'

const STATES = {
  empty: { mark: '○', className: 'dim', title: 'no machine' },
  running: { mark: '●', className: 'ok', title: 'running' },
  paused: { mark: '❚❚', className: 'warn', title: 'paused' },
  off: { mark: '○', className: 'dim', title: 'off' },
  stuck: { mark: '✕', className: 'bad', title: 'stopped: nothing can wake it' },
} as const

const countText = ({ machine }: SessionState): string => {
  if (machine === undefined) return ''
  let [running, waiting, off] = [0, 0, 0]
  for (const { state } of machine.cpus) {
    if (state === 'running') running++
    else if (state === 'waiting') waiting++
    else off++
  }
  return `vCPUs: ${running} run, ${waiting} wait, ${off} off`
}

export const StatusBar = () => {
  const state = useSessionState((all) => all.run?.state ?? 'empty')
  const counts = useSessionState(countText)
  const running = useSessionState((all) => all.running)
  const engine = useSessionState((all) => all.run?.engine)
  const session = useSession()
  const loading = useSessionState((all) => all.loading)
  const stop = useSessionState((all) => all.run?.stop)
  const { mark, className, title } = STATES[state]
  return (
    <footer className="status">
      <span data-testid="run-state">
        <span className={className}>{mark}</span> {stop === undefined ? title : `${title}: ${stop}`}
      </span>
      <span role="status">
        {loading !== undefined && (
          <>
            {stageText(loading)} …{' '}
            <button className="link-button" onClick={session.cancel}>
              cancel
            </button>
          </>
        )}
      </span>
      <span className="num">{counts}</span>
      {running !== undefined && (
        <span className="machine">
          {running.ruleSet} on Linux {running.base}, host A3V = {Number(running.host.a3v)}, {running.vcpus} vCPUs,{' '}
          {running.memory / 2 ** 20} MiB, {engine}
        </span>
      )}
      <span className="grow" />
      <span className="promise">Everything runs in this page; nothing leaves it.</span>
    </footer>
  )
}
