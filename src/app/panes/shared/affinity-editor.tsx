/** The form that changes a vCPU's affinity: for the next boot, or now, with KVM's answer. */
import { useState } from 'react'
import { affinityText, mpidrOf, resetAffinity } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import { affinityIn } from '../../../pure/blueprint/blueprint.ts'
import type { KvmAnswer } from '../../../pure/uapi/calls.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { AffinityField } from '../../widgets/affinity-field.tsx'
import { Answer } from '../../widgets/answer.tsx'

interface Outcome {
  readonly asked: Affinity
  readonly answer: KvmAnswer | undefined
}

export const AffinityEditor = ({ cpu, onNextBoot }: { readonly cpu: number; readonly onNextBoot?: () => void }) => {
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
  const next = (to: Affinity | undefined): void => {
    if (session.edit({ edit: 'setAffinity', vcpu: cpu, affinity: to })) onNextBoot?.()
  }

  return (
    <>
      <AffinityField
        label={`Affinity of vCPU ${cpu}: Aff3.Aff2.Aff1.Aff0`}
        value={affinity}
        actions={[
          {
            title: 'next boot',
            hint: 'The VMM sets it before the machine runs; applies at the next Reboot',
            accent: true,
            act: next,
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
            act: () => next(undefined),
          },
        ]}
      />
      {outcome !== undefined && (
        <dl className="facts outcome">
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
    </>
  )
}
