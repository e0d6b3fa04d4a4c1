/** The machines that are kept: what each is, how it differs from the one that runs, and ways to go on with it. */
import { Dialog } from 'radix-ui'
import { useEffect } from 'react'
import { useSession, useSessionState, useViewState } from '../session-context.ts'
import { bytesKept, MOST_SLOT_BYTES, MOST_SLOTS } from '../session/snapshots.ts'
import { RestoreOrderChoice } from './restore-order.tsx'
import { sizeText, SnapshotItem, SpoiltItem } from './snapshot-item.tsx'
import '../style/snapshots.css'

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
  const refusedRestore = useSessionState((state) => state.refusedRestore)
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
          {count + spoilt.length === 0
            ? 'None is kept yet. A file of one can be dropped anywhere on the page.'
            : `${count} of ${MOST_SLOTS} are kept by the browser, ${sizeText(bytesKept(slots))} of ${sizeText(MOST_SLOT_BYTES)}.`}
        </span>
      </div>
      {count > 0 && <RestoreOrderChoice />}
      {trouble !== undefined && refusedRestore === undefined && (
        <p className="bad" role="alert">
          ✕ {trouble}
        </p>
      )}
      <ul className="slots">
        {slots.map((slot) => (
          <SnapshotItem key={slot.id} slot={slot} />
        ))}
        {spoilt.map((slot) => (
          <SpoiltItem key={slot.id} slot={slot} />
        ))}
      </ul>
    </>
  )
}

export default SnapshotsDialog
