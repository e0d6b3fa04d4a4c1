/** What the rules say about the machine of the next boot, each with a cure at hand. */
import { useEffect, useMemo, useState } from 'react'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { findings } from '../../pure/rules/check.ts'
import { curesOf, isSmall, liveCuresOf, lookAhead } from '../../pure/rules/cures.ts'
import type { Cure, Finding } from '../../pure/rules/finding.ts'
import { liveFindings } from '../../pure/rules/check-live.ts'
import { forecast } from '../../pure/rules/forecast.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { WithAffinities } from '../widgets/affinity-text.tsx'
import type { SessionState } from '../session/state.ts'
import '../style/findings.css'

const SHOWN = 40

const MARKS = {
  error: { mark: '✕', className: 'bad' },
  warning: { mark: '▲', className: 'warn' },
  info: { mark: '●', className: 'dim' },
} as const

/** What of a machine its findings depend on: most of its updates change none of it. */
const keyOf = ({ machine }: SessionState): string => {
  if (machine === undefined) return ''
  const { cpus, frames, spis, its, gicdCtlr, gicdTyper } = machine
  return [
    gicdCtlr,
    gicdTyper,
    cpus.map(({ mpidr, state }) => `${mpidr}${state === 'off' ? ' off' : ''}`).join(),
    its?.collections.map(({ its: unit, id, cpu }) => `${unit}/${id}/${cpu}`).join(),
    // Pending PPIs and SGIs come and go, and only behind a redistributor that sleeps do they matter.
    frames.map(({ cpu, typer, waker }) => `${typer}/${waker}${waker === 0 ? '' : cpus[cpu]?.pending.join(' ')}`).join(),
    spis
      .map(({ intid, enabled, pending, irouter, target }) => [intid, enabled, pending, irouter, target].join('/'))
      .join(),
  ].join(';')
}

const useLiveFindings = (): readonly Finding[] => {
  const { store } = useSession()
  const key = useSessionState(keyOf)
  const running = useSessionState((state) => state.running)
  // What the device tree says of each CPU, as long as this machine runs.
  const described = useMemo(() => (running === undefined ? [] : forecast(running).vcpus), [running])
  return useMemo(() => {
    const { machine } = store.getState()
    if (key === '' || machine === undefined) return []
    return liveFindings({ ...machine, described: (cpu) => described[cpu]?.stored })
  }, [key, described, store])
}

/** Looks for cures a step a task, so that none is long; true when they are known. */
const useCuresKnown = (draft: Blueprint): boolean => {
  const [known, setKnown] = useState<Blueprint | undefined>(undefined)
  useEffect(() => {
    if (isSmall(draft)) return
    const steps = lookAhead(draft)
    let timer: ReturnType<typeof setTimeout> | undefined
    const step = (): void => {
      if (steps.next().done === true) setKnown(draft)
      else timer = setTimeout(step)
    }
    timer = setTimeout(step)
    return () => clearTimeout(timer)
  }, [draft])
  return isSmall(draft) || known === draft
}

const FindingsPane = () => {
  const next = useSessionState(({ draft }) => findings(draft))
  const live = useLiveFindings()
  const gic = useSessionState(({ draft }) => draft.gic)
  const known = useCuresKnown(useSessionState(({ draft }) => draft))
  return (
    <div className="pane-body" tabIndex={0} role="region" aria-label="Findings">
      <h2 className="findings-head">Next boot</h2>
      {next.length === 0 && (
        <p className="empty">
          <span className="ok">●</span>{' '}
          {gic === 2
            ? 'A GICv2 knows no affinities: there is nothing to lose.'
            : 'Every vCPU finds its redistributor, and every route has a target. Give a vCPU an Aff3, or choose another scenario: what goes wrong then is said here, with its cure.'}
        </p>
      )}
      <List all={next} live={false} known={known} />
      {live.length > 0 && (
        <>
          <h2 className="findings-head">Running machine</h2>
          <List all={live} live known={known} />
        </>
      )}
    </div>
  )
}

interface Told {
  readonly live: boolean
  /** Whether cures are known. */
  readonly known: boolean
}

const List = ({ all, ...told }: { readonly all: readonly Finding[] } & Told) => (
  <>
    <ul className="findings">
      {all.slice(0, SHOWN).map((finding) => (
        <Item key={finding.text} finding={finding} {...told} />
      ))}
    </ul>
    {all.length > SHOWN && <p className="empty">and {all.length - SHOWN} more like these</p>}
  </>
)

const NONE: readonly Cure[] = []

const Item = ({ finding, live, known }: { readonly finding: Finding } & Told) => {
  const session = useSession()
  const draft = useSessionState((state) => state.draft)
  const { mark, className } = MARKS[finding.severity]
  const { kind, index } = finding.where
  const cures = useMemo(
    () => (known ? (live ? liveCuresOf : curesOf)(finding, draft) : NONE),
    [finding, draft, live, known],
  )
  const cure = (one: Cure): void => {
    const boots = 'boot' in one || ('edit' in one && session.edit(one.edit) && live)
    const done = 'calls' in one ? session.make(one) : boots ? session.boot() : undefined
    done?.catch((error: unknown) => session.report(String(error)))
  }
  return (
    <li className={`finding ${finding.severity}`}>
      <p>
        <span className={`mark ${className}`} role="img" aria-label={finding.severity}>
          {mark}
        </span>
        <WithAffinities text={finding.text} />
      </p>
      <div className="source">{finding.source}</div>
      {known && cures.length === 0 && finding.noCure !== undefined && <p className="dim">{finding.noCure}</p>}
      <div className="cures">
        {!known && <span className="dim">◌ cures are being looked for</span>}
        {cures.map((one) => (
          <button key={one.title} className="button small" onClick={() => cure(one)}>
            {/* What runs is past an edit of the document: then it takes another boot. */}
            {one.title} {live && 'edit' in one && 'and reboot'}
          </button>
        ))}
        {kind === 'vcpu' && (
          <>
            <button className="button small quiet" onClick={() => session.select(index)}>
              Show vCPU {index}
            </button>
            <button
              className="button small quiet"
              onClick={() => {
                session.select(index)
                session.view.show('walk')
              }}
            >
              Show walk
            </button>
          </>
        )}
        {kind === 'spi' && (
          <button
            className="button small quiet"
            onClick={() => {
              session.lookAtIrq(index)
              session.view.show(live ? 'interrupts' : 'irouter')
            }}
          >
            {live ? 'Show the interrupt' : 'Show routes'}
          </button>
        )}
        {kind === 'plan' && (
          <button className="button small quiet" onClick={() => session.view.show('calls')}>
            Show the plan
          </button>
        )}
        {kind === 'its' && (
          <button
            className="button small quiet"
            onClick={() => {
              session.lookAtRegisters({ book: 'GITS', words: '', selected: undefined })
              session.view.show('registers')
            }}
          >
            Show its registers
          </button>
        )}
      </div>
    </li>
  )
}

export default FindingsPane
