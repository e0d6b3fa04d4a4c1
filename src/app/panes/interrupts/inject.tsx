/** Ways to raise an interrupt by hand: by its wire, by its pending bit, and an SGI as another CPU sends it. */
import { useState } from 'react'
import { encodeSgi, mpidrAffinity, sgiTo } from '../../../pure/arch/affinity.ts'
import { irqKind } from '../../../pure/arch/intid.ts'
import type { KvmAnswer, KvmCall } from '../../../pure/uapi/calls.ts'
import { encodeIrqLine, IRQ_TYPE } from '../../../pure/uapi/irq-line.ts'
import { pendingWord } from '../../../pure/uapi/registers/pending.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { Answer } from '../../widgets/answer.tsx'
import { Select } from '../../widgets/choice.tsx'

interface Place {
  readonly intid: number
  /** Whose interrupt it is. */
  readonly cpu: number
}

/** The wire of an interrupt, as a VMM's device drives it; SGIs and LPIs have none. */
const lineCall = ({ intid, cpu }: Place, level: boolean): KvmCall | undefined => {
  const kind = irqKind(intid)
  if (kind === 'SPI') return { call: 'KVM_IRQ_LINE', irq: encodeIrqLine(IRQ_TYPE.SPI, 0, intid), level }
  if (kind === 'PPI') return { call: 'KVM_IRQ_LINE', irq: encodeIrqLine(IRQ_TYPE.PPI, cpu, intid), level }
  return undefined
}

export const Inject = (place: Place) => {
  const session = useSession()
  const gic = useSessionState((state) => state.running?.gic ?? 3)
  const mpidr = useSessionState((state) => state.machine?.cpus[place.cpu]?.mpidr ?? 0n)
  const [answer, setAnswer] = useState<KvmAnswer | undefined>(undefined)
  const { intid, cpu } = place
  const kind = irqKind(intid)
  const [up, down] = [lineCall(place, true), lineCall(place, false)]
  const told = (asked: Promise<KvmAnswer | undefined>): void => {
    asked.then(setAnswer, (error: unknown) => session.report(String(error)))
  }
  const pend = (): void => {
    const word = pendingWord(gic, { cpu, affinity: mpidrAffinity.decode(mpidr) }, intid)
    told(session.amend(word.read, word.pend))
  }
  if (kind === 'LPI') return <p className="dim">A message has no wire: a device writes it to the ITS.</p>
  return (
    <>
      <div className="cures">
        {up !== undefined && down !== undefined && (
          <>
            <button className="button small" onClick={() => told(session.call([up]))}>
              Line up
            </button>
            <button className="button small" onClick={() => told(session.call([down]))}>
              Line down
            </button>
            <button className="button small" onClick={() => told(session.call([up, down]))}>
              Pulse
            </button>
          </>
        )}
        <button
          className="button small"
          title={`KVM_SET_DEVICE_ATTR of the ${kind === 'SPI' || gic === 2 ? 'GICD_ISPENDR' : 'GICR_ISPENDR0'} with its bit`}
          onClick={pend}
        >
          Set pending
        </button>
        {kind === 'SPI' && gic === 3 && (
          <button className="button small quiet" onClick={() => session.view.show('irouter')}>
            Route it
          </button>
        )}
      </div>
      {kind === 'SGI' && gic === 3 && <SendSgi intid={intid} cpu={cpu} mpidr={mpidr} />}
      <Answer answer={answer} />
    </>
  )
}

const TO = [
  { value: 'one', title: 'this vCPU' },
  { value: 'others', title: 'all but the sender' },
] as const

/** What another CPU writes to ICC_SGI1R_EL1 to send it. */
const SendSgi = ({ intid, cpu, mpidr }: Place & { readonly mpidr: bigint }) => {
  const session = useSession()
  const count = useSessionState((state) => state.machine?.cpus.length ?? 1)
  const [from, setFrom] = useState(cpu === 0 ? Math.min(1, count - 1) : 0)
  const [to, setTo] = useState<(typeof TO)[number]['value']>('one')
  const [said, setSaid] = useState<{ readonly ok: boolean; readonly what: string } | undefined>(undefined)
  const value = encodeSgi({ ...sgiTo(mpidrAffinity.decode(mpidr), intid), allButSelf: to === 'others' })
  const send = (): void => {
    session.sendSgi(from, 'ICC_SGI1R_EL1', value).then(setSaid, (error: unknown) => session.report(String(error)))
  }
  return (
    <>
      <div className="cures">
        <Select
          label="As"
          name="The vCPU that sends"
          value={String(from)}
          options={Array.from({ length: count }, (_, index) => ({ value: String(index), title: `vCPU ${index}` }))}
          onChange={(index) => setFrom(Number(index))}
        />
        <Select label="to" name="Who gets it" value={to} options={TO} onChange={setTo} />
        <button className="button small" onClick={send}>
          Write ICC_SGI1R_EL1
        </button>
        <span className="mono dim">0x{value.toString(16)}</span>
      </div>
      <div role="status">
        {said !== undefined && (
          <>
            <span className={said.ok ? 'ok' : 'bad'}>{said.ok ? '●' : '✕'}</span> {said.what}
          </>
        )}
      </div>
    </>
  )
}
