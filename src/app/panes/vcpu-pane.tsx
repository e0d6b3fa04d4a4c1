/** One vCPU: its affinity in all its layouts, and the form that changes it. */
import { useState } from 'react'
import {
  affinityText,
  attributeAffinity,
  encodeSgi,
  irouterAffinity,
  mpidrAffinity,
  mpidrOf,
  resetAffinity,
  sgiAffinity,
  typerAffinity,
} from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { affinityIn } from '../../pure/blueprint/blueprint.ts'
import { forecast } from '../../pure/rules/forecast.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { AffinityField } from '../widgets/affinity-field.tsx'
import { AffinityText, hexParts, HexText } from '../widgets/affinity-text.tsx'
import { Answer } from '../widgets/answer.tsx'

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
        <Edit key={cpu} cpu={cpu} />
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

/** The answer of an edit and the value it asked for. */
interface Outcome {
  readonly asked: Affinity
  readonly answer: KvmAnswer | undefined
}

const Edit = ({ cpu }: { readonly cpu: number }) => {
  const session = useSession()
  const affinity = useSessionState((state) => affinityIn(state.draft, cpu))
  const built = useSessionState((state) => state.running !== undefined && cpu < state.running.vcpus)
  const last = useSessionState((state) => state.calls.findLast(({ by }) => by === 'you'))
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined)

  const now = (asked: Affinity): void => {
    session.setAffinityNow(cpu, asked).then(
      (answer) => setOutcome({ asked, answer }),
      (error: unknown) => session.report(String(error)),
    )
  }

  return (
    <div className="part">
      <h2>Affinity</h2>
      <AffinityField
        label={`Affinity of vCPU ${cpu}: Aff3.Aff2.Aff1.Aff0`}
        value={affinity}
        actions={[
          {
            title: 'next boot',
            hint: 'The VMM sets it before the machine runs; applies at the next Reboot',
            accent: true,
            act: (to) => session.edit({ edit: 'setAffinity', vcpu: cpu, affinity: to }),
          },
          {
            title: 'now',
            hint: 'KVM_SET_ONE_REG(MPIDR_EL1) on the running machine',
            enabled: built,
            act: now,
          },
          {
            title: '↺',
            label: "KVM's affinity at the next boot",
            hint: `What KVM gives it, ${affinityText(resetAffinity(cpu))}, at the next boot`,
            enabled: affinity !== resetAffinity(cpu),
            act: () => session.edit({ edit: 'setAffinity', vcpu: cpu, affinity: undefined }),
          },
        ]}
      />
      {outcome !== undefined && (
        <dl className="facts" style={{ marginTop: 8 }}>
          <dt>call</dt>
          <dd className="mono">KVM_SET_ONE_REG vcpu {cpu} MPIDR_EL1</dd>
          <dt>asked</dt>
          <dd className="mono">0x{mpidrOf(outcome.asked).toString(16)}</dd>
          <dt>answer</dt>
          <dd>
            <Answer answer={outcome.answer} effective={last?.effective} />
          </dd>
        </dl>
      )}
    </div>
  )
}

const LSB = {
  mpidr: { aff3: 32, aff2: 16, aff1: 8, aff0: 0 },
  typer: { aff3: 56, aff2: 48, aff1: 40, aff0: 32 },
  irouter: { aff3: 32, aff2: 16, aff1: 8, aff0: 0 },
  sgi: { aff3: 48, aff2: 32, aff1: 16 },
} as const

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
    { where: 'MPIDR_EL1', parts: hexParts(mpidrOf(running), LSB.mpidr), lost: running !== wanted },
    { where: 'GICR_TYPER', parts: hexParts(typerAffinity.encode(shown), LSB.typer), lost: shown !== wanted },
    { where: 'GICD_IROUTER', parts: hexParts(irouterAffinity.encode(routed), LSB.irouter), lost: routed !== wanted },
    { where: 'ICC_SGI1R_EL1', parts: hexParts(sgi, LSB.sgi), lost: false },
    { where: 'KVM attribute', parts: hexParts(attributeAffinity.encode(wanted), LSB.typer), lost: false },
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
