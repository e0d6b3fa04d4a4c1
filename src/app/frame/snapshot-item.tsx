/** One machine that is kept: what it is, how it differs from the one that runs, and how to go on with it. */
import { Download, Trash2 } from 'lucide-react'
import { Fragment } from 'react'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { HOSTS, presetOf } from '../../pure/blueprint/host.ts'
import { differenceText } from '../../pure/image/diff.ts'
import type { RestoreStopView } from '../../pure/protocol/commands.ts'
import { callText } from '../../pure/uapi/calls.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { isElsewhere } from '../session/snapshots.ts'
import type { SpoiltSlot } from '../session/slot-store.ts'
import type { Slot } from '../session/state.ts'
import { Answer } from '../widgets/answer.tsx'
import { saveFile } from '../widgets/save-file.ts'
import { chosenOrder } from './restore-order.tsx'

const KIB = 2 ** 10
const MIB = 2 ** 20

export const sizeText = (bytes: number): string =>
  bytes < MIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`

/** `mainline on Linux 6.12, GICv3, A3V = 1`. */
const placeText = ({ ruleSet, base, host }: Blueprint): string => {
  const preset = presetOf(host)
  return `${ruleSet} on Linux ${base}, ${preset === undefined ? 'another host' : HOSTS[preset].title}`
}

export const SnapshotItem = ({ slot }: { readonly slot: Slot }) => {
  const session = useSession()
  const draft = useSessionState((state) => state.draft)
  const order = useSessionState((state) => state.order)
  const refused = useSessionState(({ refusedRestore }) =>
    refusedRestore?.slot === slot.id ? refusedRestore.stop : undefined,
  )
  const { id, name, file, blueprint, virtualNs, unkept } = slot
  const chosen = chosenOrder(order, blueprint.gic)
  const restore = (onto: boolean): void => {
    if (!chosen.ok) return
    session.restoreSnapshot(id, { onto, order: chosen.text }).catch((error: unknown) => session.report(String(error)))
  }
  return (
    <li className="slot" aria-label={name}>
      <div className="line">
        <b>{name}</b>
        <span className="grow" />
        <button className="button small" disabled={!chosen.ok} onClick={() => restore(false)}>
          Restore
        </button>
        {isElsewhere(slot, draft) && (
          <button
            className="button small"
            disabled={!chosen.ok}
            title={`On ${placeText(draft)}, as the form has it`}
            onClick={() => restore(true)}
          >
            Restore onto the form’s host
          </button>
        )}
        <button
          className="button icon tiny quiet"
          aria-label={`Save ${name}`}
          onClick={() => saveFile(`${name}.gicscope`, file)}
        >
          <Download size={13} aria-hidden />
        </button>
        <Forget slot={slot} />
      </div>
      <p className="dim">
        {blueprint.vcpus} vCPUs, GICv{blueprint.gic}, {placeText(blueprint)}; {(virtualNs / 1e9).toFixed(6)} s of
        virtual time; {sizeText(file.size)}
      </p>
      {!chosen.ok && <p className="bad">✕ {chosen.what}</p>}
      {refused !== undefined && <Refusal stop={refused} />}
      {unkept !== undefined && (
        <p>
          <span className="warn">▲</span> It is here until the page is closed: the browser does not keep it ({unkept}).
        </p>
      )}
      <Differences slot={slot} />
    </li>
  )
}

const hex = (value: bigint | undefined): string =>
  value === undefined ? 'nothing that can be read' : `0x${value.toString(16)}`

/** Where KVM ended a restore, and what it had against it. */
const Refusal = ({ stop: { what, call, answer, wanted, had } }: { readonly stop: RestoreStopView }) => {
  const rows = [
    ['refused', what],
    ...(wanted === undefined
      ? []
      : [
          ['wanted', hex(wanted)],
          ['had', hex(had)],
        ]),
    ['call', callText(call)],
  ]
  return (
    <div className="restore-refusal">
      <p>It cannot be restored here:</p>
      <dl>
        {rows.map(([term, text]) => (
          <Fragment key={term}>
            <dt>{term}</dt>
            <dd className="mono">{text}</dd>
          </Fragment>
        ))}
      </dl>
      <Answer answer={answer} />
    </div>
  )
}

const Differences = ({ slot: { differences, total } }: { readonly slot: Slot }) => {
  if (differences === undefined) return null
  if (total === 0) return <p className="dim">Every register is as in the machine that runs.</p>
  return (
    <details>
      <summary>
        {total} {total === 1 ? 'register differs' : 'registers differ'} from the machine that runs
      </summary>
      <ul className="mono differences" tabIndex={0} aria-label="Registers that differ: running, saved">
        {differences.map(({ what, before, after }) => (
          <li key={what}>{differenceText({ what, before, after })}</li>
        ))}
        {total > differences.length && <li>and {total - differences.length} more</li>}
      </ul>
    </details>
  )
}

/** What is kept, and cannot be gone on with. */
export const SpoiltItem = ({ slot }: { readonly slot: SpoiltSlot }) => (
  <li className="slot" aria-label={slot.name}>
    <div className="line">
      <b>{slot.name}</b>
      <span className="grow" />
      <Forget slot={slot} />
    </div>
    <p>
      <span className="bad">✕</span> {slot.what}
    </p>
  </li>
)

const Forget = ({ slot: { id, name } }: { readonly slot: Pick<Slot, 'id' | 'name'> }) => {
  const session = useSession()
  return (
    <button
      className="button icon tiny quiet"
      aria-label={`Forget ${name}`}
      onClick={() => {
        session.forgetSnapshot(id).catch((error: unknown) => session.report(String(error)))
      }}
    >
      <Trash2 size={13} aria-hidden />
    </button>
  )
}
