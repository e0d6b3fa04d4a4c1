/** Makes the worker and hands its port to the page: the only file that knows of both. */
import { startTransition, StrictMode, useEffect } from 'react'
import type { ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { createSession } from './app/session/session.ts'
import { followAddress } from './app/session/address.ts'
import { createSlotStore } from './app/session/slot-store.ts'
import { turnOfPage } from './app/session/turn.ts'
import { keepView } from './app/session/view.ts'
import { openPort } from './app/session/worker-port.ts'
import { applyKeptTheme } from './app/widgets/theme.ts'

applyKeptTheme()

const worker = new Worker(new URL('./engine/worker/entry.ts', import.meta.url), { type: 'module' })
const port = openPort({
  post: (message, buffers) => worker.postMessage(message, [...buffers]),
  listen: (hear) => worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => hear(data)),
})
const session = createSession(
  port,
  document.baseURI,
  createSlotStore(() => indexedDB),
)
keepView(session.view, () => localStorage, session.notice)
worker.addEventListener('error', ({ message }) => session.report(`The worker stopped: ${message}`))

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element "root"')

/** Starts the session when the page is there: a change while it is rendered would have it rendered again in one piece. */
const Started = ({ children }: { readonly children: ReactNode }): ReactNode => {
  useEffect(() => {
    session.start().catch((error: unknown) => session.report(String(error)))
  }, [])
  return children
}

const open = async (): Promise<void> => {
  // First, so that the first paint shows what the address says.
  await followAddress(session, {
    hash: () => location.hash,
    replace: (fragment) => history.replaceState(undefined, '', `#${fragment}`),
    onChange: (changed) => window.addEventListener('hashchange', changed),
  })
  // What was loaded has taken its time already.
  await turnOfPage()
  // A transition is rendered in slices: the page answers while it comes.
  startTransition(() => {
    createRoot(root).render(
      <Started>
        <StrictMode>
          <App session={session} />
        </StrictMode>
      </Started>,
    )
  })
}
open().catch((error: unknown) => session.report(String(error)))
