/** One vCPU: its affinity in all its layouts, and the form that changes it. */
import {
  AFFINITY_BYTES,
  attributeAffinity,
  encodeSgi,
  irouterAffinity,
  mpidrAffinity,
  mpidrOf,
  sgiAffinity,
  typerAffinity,
} from '../../pure/arch/affinity.ts'
import { forecast } from '../../pure/rules/forecast.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { AffinityText, hexParts, HexText } from '../widgets/affinity-text.tsx'
import { AffinityEditor } from './shared/affinity-editor.tsx'

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

const SGI_BITS = 0xf

const Layouts = ({ cpu }: { readonly cpu: number }) => {
  const draft = useSessionState((state) => state.draft)
  const all = forecast(draft)
  const vcpu = all.vcpus[cpu]
  if (vcpu === undefined) return null
  const { wanted, shown, running } = vcpu
  const routed = all.rules.irouterWrite.decide({
    vm: all.vm,
    stored: 0,
    value: irouterAffinity.encode(wanted),
    width: 8,
    half: 'low',
  }).stored
  const sgi = encodeSgi({
    cluster: sgiAffinity.decode(sgiAffinity.encode(wanted)),
    targetList: 1 << (wanted & SGI_BITS),
    intid: 0,
    allButSelf: false,
    rangeSelector: 0,
  })
  const rows = [
    { where: 'MPIDR_EL1', parts: hexParts(mpidrOf(running), AFFINITY_BYTES.mpidr), lost: running !== wanted },
    { where: 'GICR_TYPER', parts: hexParts(typerAffinity.encode(shown), AFFINITY_BYTES.typer), lost: shown !== wanted },
    {
      where: 'GICD_IROUTER',
      parts: hexParts(irouterAffinity.encode(routed), AFFINITY_BYTES.irouter),
      lost: routed !== wanted,
    },
    { where: 'ICC_SGI1R_EL1', parts: hexParts(sgi, AFFINITY_BYTES.sgi1r), lost: false },
    { where: 'KVM attribute', parts: hexParts(attributeAffinity.encode(wanted), AFFINITY_BYTES.typer), lost: false },
  ]
  return (
    <div className="part">
      <h2>One affinity, five layouts</h2>
      <dl className="facts">
        {rows.map(({ where, parts, lost }) => (
          <div key={where} style={{ display: 'contents' }}>
            <dt>{where}</dt>
            <dd>
              <HexText parts={parts} lost={lost ? 3 : undefined} />
              {lost && (
                <span className="bad" role="img" aria-label="Aff3 is lost" title="Aff3 is lost">
                  {' '}
                  ✕
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

export default VcpuPane
