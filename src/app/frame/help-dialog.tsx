/** Keys and panes, from the tables that make them. */
import { X } from 'lucide-react'
import { Dialog } from 'radix-ui'
import { COMMANDS, GROUPS } from '../commands.ts'
import { PANES } from '../panes.ts'
import { CONSOLE_KEYS } from '../panes/console/keys.ts'
import { CHART_KEYS } from '../panes/timeline/keys.ts'
import { useSession, useViewState } from '../session-context.ts'
import { keysText } from '../widgets/keys.ts'

interface KeyRow {
  readonly keys: string
  readonly says: string
}

/** What the console keeps from the guest, and the commands that are reached from there. */
const IN_CONSOLE: readonly KeyRow[] = [
  ...CONSOLE_KEYS,
  ...COMMANDS.flatMap(({ anywhere, title }) =>
    anywhere === undefined ? [] : [{ keys: anywhere, says: `${title}, from here too` }],
  ),
].map(({ keys, says }) => ({ keys: keysText(keys), says }))

const IN_TIMELINE: readonly KeyRow[] = CHART_KEYS.map(({ keys, says }) => ({ keys: keys.join(' '), says }))

const PaneKeys = ({ title, rows }: { readonly title: string; readonly rows: readonly KeyRow[] }) => (
  <>
    <h3>{title}</h3>
    <dl>
      {rows.map(({ keys, says }) => (
        <div key={keys}>
          <dt>
            <kbd>{keys}</kbd>
          </dt>
          <dd>{says}</dd>
        </div>
      ))}
    </dl>
  </>
)

export const HelpDialog = () => {
  const { view } = useSession()
  const open = useViewState((state) => state.dialog === 'help')
  return (
    <Dialog.Root open={open} onOpenChange={(to) => view.open(to ? 'help' : undefined)}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content
          className="dialog help"
          tabIndex={-1}
          onOpenAutoFocus={(event) => {
            // It is to be read, from its beginning; Tab goes on to what can be pressed.
            event.preventDefault()
            if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus()
          }}
        >
          <Dialog.Close className="button icon quiet dialog-close" aria-label="Close">
            <X size={15} aria-hidden />
          </Dialog.Close>
          <Dialog.Title asChild>
            <h2>GICscope</h2>
          </Dialog.Title>
          <Dialog.Description className="dim">
            A virtual machine with an arm64 CPU and a GIC, in this page, and a view of how its interrupts find their
            CPUs. An edit is for the next boot, or a KVM call on the running machine; KVM answers by the rule set you
            chose.
          </Dialog.Description>
          <div className="help-columns">
            <section>
              <h3>Keys</h3>
              {GROUPS.map((group) => {
                const rows = COMMANDS.filter((command) => command.group === group && command.keys !== undefined)
                return rows.length === 0 ? null : (
                  <dl key={group} aria-label={group}>
                    {rows.map(({ id, keys, title, says }) => (
                      <div key={id}>
                        <dt>
                          <kbd>{keysText(keys ?? '')}</kbd>
                        </dt>
                        <dd>
                          {group === 'Layout' && 'Layout '}
                          {title}
                          {group !== 'Layout' && says !== undefined && <span className="dim"> {says}</span>}
                        </dd>
                      </div>
                    ))}
                  </dl>
                )
              })}
              <PaneKeys title="In the console" rows={IN_CONSOLE} />
              <PaneKeys title="In the timeline" rows={IN_TIMELINE} />
            </section>
            <section>
              <h3>Panes</h3>
              <dl>
                {PANES.map(({ id, title, says }) => (
                  <div key={id} className="wide">
                    <dt>
                      <button
                        className="link-button"
                        onClick={() => {
                          view.open(undefined)
                          view.show(id)
                        }}
                      >
                        {title}
                      </button>
                    </dt>
                    <dd className="dim">{says}</dd>
                  </div>
                ))}
              </dl>
            </section>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
