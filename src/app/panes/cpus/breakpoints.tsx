/** The breakpoints of the machine, by address or by the kernel's name for it. */
import { X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useSession, useSessionState } from '../../session-context.ts'
import { addressOf } from './pstate.ts'

const useNamesOf = (addresses: readonly bigint[]): readonly (string | undefined)[] => {
  const session = useSession()
  const [names, setNames] = useState<readonly (string | undefined)[]>([])
  useEffect(() => {
    session.symbolsAt(addresses).then(setNames, (error: unknown) => session.report(String(error)))
  }, [session, addresses])
  return names
}

export const Breakpoints = () => {
  const session = useSession()
  const breakpoints = useSessionState((state) => state.breakpoints)
  const names = useNamesOf(breakpoints)
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState<string>()

  const add = async (): Promise<void> => {
    const typed = addressOf(text)
    const found = typed === undefined ? await session.symbol(text.trim()) : { ok: true as const, addresses: [typed] }
    if (!found.ok) {
      setWrong(found.what)
      return
    }
    if (found.addresses.some((address) => address % 4n !== 0n)) {
      setWrong('An instruction has an address that is a multiple of 4.')
      return
    }
    setWrong(undefined)
    setText('')
    session.setBreakpoints([...breakpoints, ...found.addresses])
  }

  return (
    <div className="pane-body cpus-detail" tabIndex={0} role="region" aria-label="Breakpoints">
      <form
        className="labelled"
        onSubmit={(event) => {
          event.preventDefault()
          add().catch((error: unknown) => session.report(String(error)))
        }}
      >
        <input
          className="field mono"
          aria-label="Address or symbol of a breakpoint"
          placeholder="gic_handle_irq or 0xffff…"
          value={text}
          aria-invalid={wrong !== undefined}
          onChange={({ target }) => {
            setText(target.value)
            setWrong(undefined)
          }}
        />
        <button className="button small" disabled={text.trim() === ''}>
          Break there
        </button>
      </form>
      {wrong !== undefined && (
        <p className="bad" role="alert">
          {wrong}
        </p>
      )}
      {breakpoints.length === 0 && (
        <p className="dim">
          The machine stops before an instruction with a breakpoint, on whichever vCPU. It costs the guest nothing else,
          and changes nothing in what it does.
        </p>
      )}
      <ul className="stack">
        {breakpoints.map((address, i) => (
          <li key={`${address}`}>
            <button
              className="button icon tiny quiet"
              aria-label={`Take away the breakpoint at 0x${address.toString(16)}`}
              onClick={() => session.setBreakpoints(breakpoints.filter((one) => one !== address))}
            >
              <X size={13} aria-hidden />
            </button>{' '}
            <b>{names[i] ?? ''}</b> <span className="mono dim">0x{address.toString(16)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
