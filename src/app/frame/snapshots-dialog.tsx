/** The machines that are kept: what each is, how it differs from the one that runs, and ways to go on with it. */
import { Download, Trash2 } from 'lucide-react'
import { Dialog } from 'radix-ui'
import { useEffect } from 'react'
import { differenceText } from '../../pure/image/diff.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { HOSTS, presetOf } from '../../pure/blueprint/host.ts'
import { useSession, useSessionState, useViewState } from '../session-context.ts'
import { bytesKept, isElsewhere, MOST_SLOT_BYTES, MOST_SLOTS } from '../session/snapshots.ts'
import type { SpoiltSlot } from '../session/slot-store.ts'
import type { Slot } from '../session/state.ts'
import { saveFile } from '../widgets/save-file.ts'
import '../style/snapshots.css'

const KIB = 2 ** 10
const MIB = 2 ** 20

const sizeText = (bytes: number): string =>
  bytes < MIB ? `${Math.ceil(bytes / KIB)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`

/** `mainline on Linux 6.12, GICv3, A3V = 1`. */
const placeText = ({ ruleSet, base, host }: Blueprint): string => {
  const preset = presetOf(host)
  return `${ruleSet} on Linux ${base}, ${preset === undefined ? 'another host' : HOSTS[preset].title}`
}

const SnapshotsDialog = () => {
  const session = useSession()
  const open = useViewState((state) => state.dialog === 'snapshots')
  return (
    <Dialog.Root open={open} onOpenChange={(to) => session.view.open(to ? 'snapshots' : undefined)}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog snapshots">
          <Dialog.Title asChild>
            <h2>Snapshots</h2>
          </Dialog.Title>
          <Dialog.Description className="dim">
            A machine goes on from one as if it had not stopped; elsewhere, KVM may refuse a register of it.
          </Dialog.Description>
          <Slots />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

const Slots = () => {
  const session = useSession()
  const slots = useSessionState((state) => state.slots)
  const on = useSessionState(({ run }) => run?.state === 'running' || run?.state === 'paused')
  const spoilt = useSessionState((state) => state.spoilt)
  const trouble = useSessionState((state) => state.trouble)
  const count = slots.length
  useEffect(() => {
    // The machine has gone on since they were looked at.
    session.compareSnapshots().catch((error: unknown) => session.report(String(error)))
  }, [session])
  return (
    <>
      <div className="cures">
        <button
          className="button"
          disabled={!on}
          onClick={() => {
            session.takeSnapshot().catch((error: unknown) => session.report(String(error)))
          }}
        >
          Take one now
        </button>
        <span className="dim">
          {count === 0
            ? 'None is kept yet. A file of one can be dropped anywhere on the page.'
            : `${count} of ${MOST_SLOTS} are kept by the browser, ${sizeText(bytesKept(slots))} of ${sizeText(MOST_SLOT_BYTES)}.`}
        </span>
      </div>
      {trouble !== undefined && (
        <p className="bad" role="alert">
          ✕ {trouble}
        </p>
      )}
      <ul className="slots">
        {slots.map((slot) => (
          <Item key={slot.id} slot={slot} />
        ))}
        {spoilt.map((slot) => (
          <SpoiltItem key={slot.id} slot={slot} />
        ))}
      </ul>
    </>
  )
}

/** What is kept, and cannot be gone on with. */
const SpoiltItem = ({ slot }: { readonly slot: SpoiltSlot }) => (
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

const Item = ({ slot }: { readonly slot: Slot }) => {
  const session = useSession()
  const draft = useSessionState((state) => state.draft)
  const { id, name, file, blueprint, virtualNs, differences, total, unkept } = slot
  const restore = (onto: boolean): void => {
    session.restoreSnapshot(id, onto).catch((error: unknown) => session.report(String(error)))
  }
  return (
    <li className="slot" aria-label={name}>
      <div className="line">
        <b>{name}</b>
        <span className="grow" />
        <button className="button small" onClick={() => restore(false)}>
          Restore
        </button>
        {isElsewhere(slot, draft) && (
          <button
            className="button small"
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
      {unkept !== undefined && (
        <p>
          <span className="warn">▲</span> It is here until the page is closed: the browser does not keep it ({unkept}).
        </p>
      )}
      {differences === undefined ? null : total === 0 ? (
        <p className="dim">Every register is as in the machine that runs.</p>
      ) : (
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
      )}
    </li>
  )
}

export default SnapshotsDialog
