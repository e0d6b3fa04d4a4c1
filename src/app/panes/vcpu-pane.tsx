/** One vCPU: its affinity in all its layouts, and the form that changes it. */
import { mpidrAffinity } from '../../pure/arch/affinity.ts'
import { AFFINITY_FORMS } from '../../pure/arch/affinity-forms.ts'
import { affinityIn } from '../../pure/blueprint/blueprint.ts'
import { forecast } from '../../pure/rules/forecast.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { AffinityText, hexParts, HexText } from '../widgets/affinity-text.tsx'
import { AffinityEditor } from './shared/affinity-editor.tsx'
import { lostIn } from './shared/lost-levels.ts'

const STATES = { off: '○ off', waiting: '◐ waits', running: '● runs' } as const

const VcpuPane = () => {
  const session = useSession()
  const cpu = useSessionState((state) => state.selected)
  const vcpus = useSessionState((state) => state.draft.vcpus)
  return (
    <>
      <div className="pane-bar">
        <label className="labelled">
          vCPU
          <input
            className="field vcpus"
            type="number"
            min={0}
            max={vcpus - 1}
            value={cpu}
            onChange={({ target }) => {
              const index = target.valueAsNumber
              if (Number.isInteger(index) && index >= 0 && index < vcpus) session.select(index)
            }}
          />
        </label>
        <State cpu={cpu} />
      </div>
      <div className="pane-body" tabIndex={0} role="region" aria-label={`vCPU ${cpu}`}>
        <div className="part">
          <h2>Affinity</h2>
          <AffinityEditor key={cpu} cpu={cpu} />
        </div>
        <Layouts cpu={cpu} />
      </div>
    </>
  )
}

const State = ({ cpu }: { readonly cpu: number }) => {
  const view = useSessionState((state) => state.machine?.cpus[cpu])
  if (view === undefined) return null
  return (
    <span className="aside" title={`EL${view.el}, PC 0x${view.pc.toString(16)}`}>
      {STATES[view.state]} at <AffinityText affinity={mpidrAffinity.decode(view.mpidr)} />
    </span>
  )
}

const Layouts = ({ cpu }: { readonly cpu: number }) => {
  const { view } = useSession()
  const draft = useSessionState((state) => state.draft)
  const wanted = affinityIn(draft, cpu)
  const lost = lostIn(forecast(draft), cpu)
  return (
    <div className="part">
      <h2>One affinity, five layouts</h2>
      <dl className="facts">
        {AFFINITY_FORMS.map((form) => {
          const less = lost[form.name]
          return (
            <div key={form.name} style={{ display: 'contents' }}>
              <dt>{form.name}</dt>
              <dd title={less?.why}>
                <HexText
                  parts={hexParts(form.encode(less?.affinity ?? wanted), form.bytes)}
                  lost={less === undefined ? undefined : 3}
                />
                {less !== undefined && (
                  <span className="bad" role="img" aria-label="Aff3 is lost">
                    {' '}
                    ✕
                  </span>
                )}
              </dd>
            </div>
          )
        })}
      </dl>
      <div className="cures">
        <button className="button small quiet" onClick={() => view.show('ruler')}>
          Edit as bits
        </button>
        <button className="button small quiet" onClick={() => view.show('walk')}>
          Show its walk
        </button>
      </div>
    </div>
  )
}

export default VcpuPane
