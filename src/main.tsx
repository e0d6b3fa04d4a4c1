/** Makes the worker and hands its port to the page: the only file that knows of both. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { createSession } from './app/session/session.ts'
import { followAddress } from './app/session/address.ts'
import { keepView } from './app/session/view.ts'
import { openPort } from './app/session/worker-port.ts'
import { applyKeptTheme } from './app/widgets/theme.ts'

applyKeptTheme()

const worker = new Worker(new URL('./engine/worker/entry.ts', import.meta.url), { type: 'module' })
const port = openPort({
  post: (message) => worker.postMessage(message),
  listen: (hear) => worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => hear(data)),
})
const session = createSession(port, document.baseURI)
keepView(session.view, () => localStorage, session.notice)
worker.addEventListener('error', ({ message }) => session.report(`The worker stopped: ${message}`))

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element "root"')
createRoot(root).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
)

const start = async (): Promise<void> => {
  await followAddress(session, {
    hash: () => location.hash,
    replace: (fragment) => history.replaceState(undefined, '', `#${fragment}`),
    onChange: (changed) => window.addEventListener('hashchange', changed),
  })
  await session.start()
}
start().catch((error: unknown) => session.report(String(error)))
