/** Makes the worker and hands its port to the page: the only file that knows of both. */
import { createSession } from './app/session/session.ts'
import { followAddress } from './app/session/address.ts'
import { createSlotStore } from './app/session/slot-store.ts'
import { keepView } from './app/session/view.ts'
import { openPort } from './app/session/worker-port.ts'
import { applyKeptTheme } from './app/widgets/theme.ts'
import './app/style/layers.css'
import './app/style/tokens.css'
import './app/style/base.css'
import './app/style/bars.css'
import './app/style/slots.css'
import './app/style/panes.css'
import './app/style/overlays.css'
import './app/style/affinity.css'
import './app/style/dialogs.css'
import './app/style/phone.css'
import './app/style/print.css'

applyKeptTheme()

const worker = new Worker(new URL('./engine/worker/entry.ts', import.meta.url), { type: 'module' })
/** Fetched with this file (vite.config.ts): to evaluate both at once would hold up the page. */
const page = import('./app/page.tsx')
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

const open = async (): Promise<void> => {
  // First, so that the first paint shows what the address says.
  await followAddress(session, {
    hash: () => location.hash,
    replace: (fragment) => history.replaceState(undefined, '', `#${fragment}`),
    onChange: (changed) => window.addEventListener('hashchange', changed),
  })
  const { openPage } = await page
  await openPage(root, session)
}
open().catch((error: unknown) => session.report(String(error)))
