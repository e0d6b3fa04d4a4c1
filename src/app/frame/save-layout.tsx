/** Gives the present arrangement of panes a name, and forgets those that have one. */
import { Trash2 } from 'lucide-react'
import { Dialog } from 'radix-ui'
import { useState } from 'react'
import type { SyntheticEvent } from 'react'
import { useSession, useViewState } from '../session-context.ts'
import { LAYOUTS } from '../session/layouts.ts'
import { LONGEST_NAME } from '../session/view.ts'

export const SaveLayout = () => {
  const { view } = useSession()
  const open = useViewState((state) => state.dialog === 'save-layout')
  return (
    <Dialog.Root open={open} onOpenChange={(to) => view.open(to ? 'save-layout' : undefined)}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog">
          <Dialog.Title asChild>
            <h2>Save this layout</h2>
          </Dialog.Title>
          <Dialog.Description className="dim">
            Which panes stand where, and how wide: kept by this browser, and found in the menu of layouts.
          </Dialog.Description>
          <NameForm />
          <Saved />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

const NameForm = () => {
  const { view } = useSession()
  const named = useViewState((state) => state.named)
  const [name, setName] = useState('')
  const [fault, setFault] = useState<string | undefined>(undefined)
  const replaces = Object.hasOwn(named, name.trim())
  const save = (event: SyntheticEvent): void => {
    event.preventDefault()
    const why = view.save(name)
    setFault(why)
    if (why === undefined) view.open(undefined)
  }
  return (
    <form className="save-layout" onSubmit={save}>
      <input
        className="field"
        aria-label="Name of the layout"
        aria-invalid={fault !== undefined}
        placeholder="name"
        maxLength={LONGEST_NAME}
        value={name}
        onChange={({ target }) => {
          setName(target.value)
          setFault(undefined)
        }}
      />
      <button className="button accent">{replaces ? 'Replace' : 'Save'}</button>
      {fault !== undefined && (
        <p className="bad" role="alert">
          {fault}
        </p>
      )}
    </form>
  )
}

const Saved = () => {
  const { view } = useSession()
  const named = Object.entries(useViewState((state) => state.named))
  if (named.length === 0) return null
  return (
    <>
      <h3>Saved</h3>
      <ul className="saved-layouts">
        {named.map(([name, { layout }]) => (
          <li key={name}>
            <span>
              {name} <span className="dim">from {LAYOUTS[layout].title}</span>
            </span>
            <button className="button icon tiny quiet" aria-label={`Forget ${name}`} onClick={() => view.forget(name)}>
              <Trash2 size={13} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
