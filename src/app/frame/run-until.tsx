/** Lets the machine run until something happens: a moment, an interrupt that a CPU takes, a line of the console. */
import { ListEnd } from 'lucide-react'
import { Popover } from 'radix-ui'
import { useState } from 'react'
import type { RunUntil } from '../../pure/protocol/commands.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { Hint } from '../widgets/hint.tsx'

const NS_PER_S = 1e9

interface Way {
  readonly id: string
  readonly title: string
  readonly placeholder: string
  /** What is meant, or nothing where it cannot be read. */
  read(text: string): RunUntil | undefined
}

const number = (text: string): number | undefined => {
  const value = Number(text)
  return text.trim() === '' || !Number.isFinite(value) || value < 0 ? undefined : value
}

export const WAYS: readonly Way[] = [
  {
    id: 'intid',
    title: 'a CPU takes INTID',
    placeholder: '27',
    read: (text) => {
      const intid = number(text)
      return intid === undefined || !Number.isInteger(intid) ? undefined : { intid }
    },
  },
  {
    id: 'line',
    title: 'the console has a line with',
    placeholder: 'redistributor',
    read: (text) => (text === '' ? undefined : { line: text }),
  },
  {
    id: 'moment',
    title: 'it is, in virtual seconds',
    placeholder: '0.25',
    read: (text) => {
      const seconds = number(text)
      return seconds === undefined ? undefined : seconds * NS_PER_S
    },
  },
]

export const RunUntilMenu = () => {
  const on = useSessionState(({ run }) => run?.state === 'running' || run?.state === 'paused')
  const [open, setOpen] = useState(false)
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Hint text="Run until a CPU takes an interrupt, the console says something, or a moment has come">
        <Popover.Trigger className="button icon rare" aria-label="Run until" disabled={!on}>
          <ListEnd size={14} aria-hidden />
        </Popover.Trigger>
      </Hint>
      <Popover.Portal>
        <Popover.Content className="popover run-until" align="end" sideOffset={4} aria-label="Run until">
          <h2>Run until</h2>
          {WAYS.map((way) => (
            <Row key={way.id} way={way} onDone={() => setOpen(false)} />
          ))}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}

const Row = ({ way, onDone }: { readonly way: Way; readonly onDone: () => void }) => {
  const session = useSession()
  const [text, setText] = useState('')
  const until = way.read(text)
  return (
    <form
      className="row-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (until === undefined) return
        session.runTo(until)
        onDone()
      }}
    >
      <label className="labelled">
        {way.title}
        <input
          className="field"
          spellCheck={false}
          placeholder={way.placeholder}
          aria-invalid={text !== '' && until === undefined}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <button className="button small" disabled={until === undefined}>
        Run
      </button>
    </form>
  )
}
