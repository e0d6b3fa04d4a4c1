/// <reference types="vite/client" />
/** The page with a worker that has no engine, for looking at it while the engine is elsewhere: `npx vite` and /e2e/story/. */
import { createRoot } from 'react-dom/client'
import { App } from '../../src/app/app.tsx'
import { createSession } from '../../src/app/session/session.ts'
import { createSlotStore } from '../../src/app/session/slot-store.ts'
import { openPort } from '../../src/app/session/worker-port.ts'
import { applyKeptTheme } from '../../src/app/widgets/theme.ts'
import { fakeWorker } from './fake-worker.ts'

applyKeptTheme()
const session = createSession(
  openPort(fakeWorker()),
  new URL('../../', document.baseURI).href,
  createSlotStore(() => indexedDB),
)
const file = new File([new Uint8Array([...new Uint8Array(56), 0x41, 0x52, 0x4d, 0x64])], 'Image')
const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no element "root"')
createRoot(root).render(<App session={session} />)
await session.dropFiles([file])
const scenario = new URLSearchParams(location.search)
if (scenario.has('aff3')) session.edit({ edit: 'setAffinity', vcpu: 2, affinity: 0x0100_0002 })
if (scenario.has('vcpus')) session.edit({ edit: 'setVcpus', vcpus: Number(scenario.get('vcpus')) })
await session.start()
session.select(2)
