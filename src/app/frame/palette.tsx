/** Every command by its name. */
import { Dialog } from 'radix-ui'
import { useId, useState } from 'react'
import type { KeyboardEvent } from 'react'
import { COMMANDS, findCommands, ownCommands } from '../commands.ts'
import type { Command } from '../commands.ts'
import { useSession, useSessionState, useViewState } from '../session-context.ts'
import { keysText } from '../widgets/keys.ts'

export const Palette = () => {
  const { view } = useSession()
  const open = useViewState((state) => state.dialog === 'palette')
  return (
    <Dialog.Root open={open} onOpenChange={(to) => view.open(to ? 'palette' : undefined)}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog palette" aria-describedby={undefined}>
          <Dialog.Title className="hidden-text">Commands</Dialog.Title>
          <Search />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

const Search = () => {
  const session = useSession()
  const state = useSessionState((all) => all)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const list = useId()
  const named = useViewState((all) => all.named)
  const found = findCommands(
    text,
    [...COMMANDS, ...ownCommands(named)].filter(({ id, enabled }) => id !== 'palette' && enabled?.(state) !== false),
  )
  const place = Math.min(at, found.length - 1)

  const run = (command: Command | undefined): void => {
    if (command === undefined) return
    session.view.open(undefined)
    // The dialog gives the focus back first, so that what the command does with it stands.
    setTimeout(() => command.run(session))
  }
  const keys = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (event.key === 'Enter') run(found[place])
    else if (step !== 0 && found.length > 0) setAt((place + step + found.length) % found.length)
    else return
    event.preventDefault()
  }

  return (
    <>
      <input
        className="palette-field"
        role="combobox"
        aria-label="Command"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={found.length === 0 ? undefined : `${list}-${place}`}
        placeholder="What do you want to do?"
        spellCheck={false}
        value={text}
        onChange={({ target }) => {
          setText(target.value)
          setAt(0)
        }}
        onKeyDown={keys}
      />
      <div id={list} role="listbox" aria-label="Commands" className="palette-list">
        {found.map((command, i) => (
          <div
            key={command.id}
            id={`${list}-${i}`}
            ref={i === place ? (row) => row?.scrollIntoView({ block: 'nearest' }) : undefined}
            role="option"
            aria-selected={i === place}
            className="palette-row"
            onClick={() => run(command)}
            onMouseMove={() => setAt(i)}
          >
            <span className="faint group">{command.group}</span>
            <span className="title">{command.title}</span>
            <span className="dim says">{command.says}</span>
            {command.keys !== undefined && <kbd>{keysText(command.keys)}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="empty">Nothing is called “{text}”.</p>}
    </>
  )
}
