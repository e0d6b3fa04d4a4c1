/** Mistakes to make on purpose, with the vCPU and the interrupt that are selected, and how the last one went. */
import { Zap } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import { FAULTS } from '../../../pure/scenarios/faults.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { injectionOf } from '../../session/injection.ts'
import { Answer } from '../../widgets/answer.tsx'

export const FaultMenu = () => {
  const cpu = useSessionState((state) => state.selected)
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="button small" aria-label={`Inject a fault at vCPU ${cpu}`}>
        <Zap size={13} aria-hidden />
        Inject fault
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="popover faults" align="end" sideOffset={4}>
          <DropdownMenu.Label className="popover-label">vCPU {cpu}</DropdownMenu.Label>
          <Items />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

/** While the menu is open: what each would do, of the machine as it was then. */
const Items = () => {
  const session = useSession()
  const state = session.store.getState()
  return FAULTS.map(({ id, title, says }) => {
    const { kind, what } = injectionOf(state, id)
    return (
      <DropdownMenu.Item
        key={id}
        className="item"
        disabled={kind === 'impossible'}
        onSelect={() => {
          session.inject(id).catch((error: unknown) => session.report(String(error)))
        }}
      >
        <span className="title">
          {title} {kind === 'next boot' && <span className="dim">and reboot</span>}
        </span>
        <p>{kind === 'impossible' ? what : says}</p>
      </DropdownMenu.Item>
    )
  })
}

export const LastFault = () => {
  const session = useSession()
  const injected = useSessionState((state) => state.injected)
  // Something else may have been done since: that is taken back first, by undo.
  const isLast = useSessionState(({ undo, injected: { step } = {} }) => step !== undefined && undo.at(-1) === step)
  if (injected === undefined) return null
  const { what, answer } = injected
  return (
    <div className="last-fault" role="status">
      <span>
        {answer === undefined ? <b className="bad">✕</b> : <Zap size={12} aria-hidden />} {what}
      </span>
      <Answer answer={answer} />
      {isLast && (
        <button
          className="button small quiet"
          onClick={() => {
            session.undo()
            session.forgetInjected()
          }}
        >
          Take it back
        </button>
      )}
    </div>
  )
}
