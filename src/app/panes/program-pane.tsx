/** The embedded program in A64 assembly: change it, and it runs a moment later. */
import { useEffect, useState } from 'react'
import { useSession, useSessionState } from '../session-context.ts'

const ProgramPane = () => {
  const session = useSession()
  const program = useSessionState((state) => state.program)
  const chosen = useSessionState((state) => state.draft.guest.id === 'gicsh')
  const [original, setOriginal] = useState<string | undefined>(undefined)
  useEffect(() => {
    void session.originalProgram().then(setOriginal)
  }, [session])
  const text = program ?? original

  const run = (): void => {
    const { guest } = session.store.getState().draft
    if (guest.id !== 'gicsh') session.edit({ edit: 'setGuest', guest: { id: 'gicsh', append: '' } })
    void session.boot()
  }

  return (
    <>
      <div className="pane-bar">
        <span className="aside">guests/gicsh.s{program === undefined ? '' : ', changed'}</span>
        <span className="grow" />
        <button
          className="button small"
          disabled={program === undefined}
          onClick={() => session.writeProgram(undefined)}
        >
          Original
        </button>
        <button className="button small accent" disabled={text === undefined} onClick={run}>
          {chosen ? 'Assemble and run' : 'Run instead of Linux'}
        </button>
      </div>
      {text !== undefined && (
        <textarea
          className="program"
          aria-label="The program in A64 assembly"
          spellCheck={false}
          wrap="off"
          value={text}
          onChange={({ target }) => session.writeProgram(target.value === original ? undefined : target.value)}
        />
      )}
    </>
  )
}

export default ProgramPane
