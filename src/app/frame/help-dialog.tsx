/** Keys and panes, from the tables that make them. */
import { X } from 'lucide-react'
import { Dialog } from 'radix-ui'
import { COMMANDS, GROUPS } from '../commands.ts'
import { PANES } from '../panes.ts'
import { CHART_KEYS } from '../panes/timeline/keys.ts'
import { useSession, useViewState } from '../session-context.ts'
import { keysText } from '../widgets/keys.ts'

/** What only the console does with keys; what else has keys is a command, or in the table of its pane. */
const CONSOLE_KEYS = [
  ['Ctrl F6', 'leaves the console, where Tab belongs to the guest'],
  ['Ctrl Shift F', 'searches it'],
  ['Ctrl Shift C', 'copies what is selected'],
  ['Ctrl Shift V', 'pastes'],
  ['F1', 'opens the commands from there too'],
] as const

const PaneKeys = (props: {
  readonly title: string
  readonly rows: readonly (readonly [keys: string, what: string])[]
}) => (
  <>
    <h3>{props.title}</h3>
    <dl>
      {props.rows.map(([keys, what]) => (
        <div key={keys}>
          <dt>
            <kbd>{keys}</kbd>
          </dt>
          <dd>{what}</dd>
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
              <PaneKeys title="In the console" rows={CONSOLE_KEYS} />
              <PaneKeys title="In the timeline" rows={CHART_KEYS.map(({ keys, says }) => [keys.join(' '), says])} />
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
