/** Draws the page of a session: loaded and evaluated in a task of its own, beside what the session is made of. */
import { startTransition, StrictMode, useEffect } from 'react'
import type { ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import type { Session } from './session/session.ts'
import { turnOfPage } from './session/turn.ts'

interface StartedProps {
  readonly session: Session
  readonly children: ReactNode
}

/** Starts the session when the page is there: a change while it is rendered would have it rendered again in one piece. */
const Started = ({ session, children }: StartedProps): ReactNode => {
  useEffect(() => {
    session.start().catch((error: unknown) => session.report(String(error)))
  }, [session])
  return children
}

export const openPage = async (root: HTMLElement, session: Session): Promise<void> => {
  // What was loaded has taken its time already.
  await turnOfPage()
  // A transition is rendered in slices: the page answers while it comes.
  startTransition(() => {
    createRoot(root).render(
      <Started session={session}>
        <StrictMode>
          <App session={session} />
        </StrictMode>
      </Started>,
    )
  })
}
