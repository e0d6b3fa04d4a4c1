/** What the rules say about the machine of the next boot, each with a cure at hand. */
import { useMemo } from 'react'
import { aff3Of, withoutAff3 } from '../../pure/arch/affinity.ts'
import { affinityIn } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { chooseGic } from '../../pure/blueprint/edits.ts'
import type { Edit } from '../../pure/blueprint/edits.ts'
import { HOST_PRESETS, canRunGicV2, hasGicV3 } from '../../pure/blueprint/host.ts'
import type { Finding } from '../../pure/rules/check.ts'
import { liveFindings } from '../../pure/rules/check-live.ts'
import { forecast } from '../../pure/rules/forecast.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { findingsOf } from '../session/findings.ts'
import type { SessionState } from '../session/state.ts'

const SHOWN = 40

const MARKS = {
  error: { mark: '✕', className: 'bad' },
  warning: { mark: '▲', className: 'warn' },
  info: { mark: '●', className: 'dim' },
} as const

interface Cure {
  readonly title: string
  readonly edit: Edit
}

/** The nearest machines without the finding; which of them helps, the findings of the next moment tell. */
const curesOf = ({ where, severity }: Finding, blueprint: Blueprint): readonly Cure[] => {
  if (severity === 'info') return []
  const cures: Cure[] = []
  if (where.kind === 'host') {
    if (blueprint.gic === 2) {
      const able = canRunGicV2(blueprint.host)
      if (!able) cures.push({ title: 'Use a host that can', edit: chooseGic(blueprint, 2) })
      cures.push({ title: 'Use a GICv3', edit: chooseGic(blueprint, 3) })
    }
    if (blueprint.gic === 3 && !hasGicV3(blueprint.host)) {
      cures.push({ title: 'Use a GICv3 host', edit: { edit: 'setHost', host: HOST_PRESETS.H1 } })
    }
  } else if (where.kind === 'spi') {
    cures.push({ title: 'Remove the route', edit: { edit: 'setRoute', intid: where.index, affinity: undefined } })
  } else {
    const affinity = affinityIn(blueprint, where.index)
    if (aff3Of(affinity) !== 0) {
      const edit: Edit = { edit: 'setAffinity', vcpu: where.index, affinity: withoutAff3(affinity) }
      cures.push({ title: 'Set Aff3 to 0', edit })
    } else if (blueprint.affinities[where.index] !== undefined) {
      const edit: Edit = { edit: 'setAffinity', vcpu: where.index, affinity: undefined }
      cures.push({ title: "Use KVM's affinity", edit })
    }
  }
  if (severity === 'error' && blueprint.ruleSet !== 'full-aff3' && where.kind !== 'host') {
    cures.unshift({ title: 'Use full-aff3', edit: { edit: 'setRuleSet', ruleSet: 'full-aff3' } })
  }
  return cures
}

/** What of a machine its findings depend on: most of its updates change none of it. */
const keyOf = ({ machine }: SessionState): string => {
  if (machine === undefined) return ''
  const { cpus, frames, spis, gicdTyper } = machine
  return [
    gicdTyper,
    cpus.map(({ mpidr }) => mpidr).join(),
    frames.map(({ typer, waker }) => `${typer}/${waker}`).join(),
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

const FindingsPane = () => {
  const next = useSessionState(({ draft }) => findingsOf(draft))
  const live = useLiveFindings()
  const gic = useSessionState(({ draft }) => draft.gic)
  return (
    <div className="pane-body" tabIndex={0} role="region" aria-label="Findings">
      <h2 className="findings-head">Next boot</h2>
      {next.length === 0 && (
        <p className="empty">
          <span className="ok">●</span>{' '}
          {gic === 2
            ? 'A GICv2 knows no affinities: there is nothing to lose.'
            : 'Every vCPU finds its redistributor, and every route has a target.'}
        </p>
      )}
      <List findings={next} live={false} />
      {live.length > 0 && (
        <>
          <h2 className="findings-head">Running machine</h2>
          <List findings={live} live />
        </>
      )}
    </div>
  )
}

const List = ({ findings, live }: { readonly findings: readonly Finding[]; readonly live: boolean }) => (
  <>
    <ul className="findings">
      {findings.slice(0, SHOWN).map((finding) => (
        <Item key={finding.text} finding={finding} live={live} />
      ))}
    </ul>
    {findings.length > SHOWN && <p className="empty">and {findings.length - SHOWN} more like these</p>}
  </>
)

const Item = ({ finding, live }: { readonly finding: Finding; readonly live: boolean }) => {
  const session = useSession()
  const draft = useSessionState((state) => state.draft)
  const { mark, className } = MARKS[finding.severity]
  const { kind, index } = finding.where
  // What runs is past an edit of the document: its cure is another boot.
  const cure = (edit: Edit): void => {
    if (session.edit(edit) && live) void session.boot()
  }
  return (
    <li className={`finding ${finding.severity}`}>
      <p>
        <span className={`mark ${className}`} role="img" aria-label={finding.severity}>
          {mark}
        </span>
        {finding.text}
      </p>
      <div className="source">{finding.source}</div>
      <div className="cures">
        {curesOf(finding, draft).map(({ title, edit }) => (
          <button key={title} className="button small" onClick={() => cure(edit)}>
            {live ? `${title} and reboot` : title}
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
          <button className="button small quiet" onClick={() => session.view.show('irouter')}>
            Show routes
          </button>
        )}
      </div>
    </li>
  )
}

export default FindingsPane
