/** The worker: the only file of the engine that knows timers and wall time. */
import { handedOver } from '../../pure/protocol/commands.ts'
import { complaint, toWorker } from '../../pure/protocol/messages.ts'
import type { FromWorker } from '../../pure/protocol/messages.ts'
import { buffersOf } from '../../pure/trace/ring.ts'
import { warmUp } from '../machine/warm-up.ts'
import { restoreVmm } from '../vmm/restore-vmm.ts'
import { createVmm } from '../vmm/vmm.ts'
import { Host } from './host.ts'
import { unpackAhead } from './unpack-ahead.ts'

/** How long to wait for wall time when the guest waits; a command ends the wait. */
const IDLE_MS = 3

/** What is only the page's from now on is handed over, and not copied. */
const post = (message: FromWorker, buffers: readonly ArrayBufferLike[] = []): void => {
  const columns = message.kind === 'trace' ? buffersOf(message.batch) : []
  self.postMessage(message, [...buffers, ...columns])
}

const host = new Host({
  create: createVmm,
  restore: restoreVmm,
  now: () => performance.now(),
  date: () => Math.floor(Date.now() / 1000),
  post,
})

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// A message to ourselves yields to the page's messages without the least delay of a timer.
const turn = new MessageChannel()
let queued = false
let timer: ReturnType<typeof setTimeout> | undefined

const now = (): void => {
  if (queued) return
  queued = true
  turn.port2.postMessage(undefined)
}

turn.port1.addEventListener('message', () => {
  queued = false
  if (timer !== undefined) clearTimeout(timer)
  timer = undefined
  try {
    const next = host.advance()
    if (next === 'now') now()
    if (next === 'soon') timer = setTimeout(now, IDLE_MS)
  } catch (error) {
    host.fail(`The emulator stopped: ${sentence(error)}`)
  }
})
turn.port1.start()

const handle = async (data: unknown): Promise<void> => {
  const parsed = toWorker.safeParse(data)
  if (!parsed.success) {
    const id = typeof data === 'object' && data !== null && 'id' in data && typeof data.id === 'number' ? data.id : -1
    post({ kind: 'answer', id, answer: { ok: false, what: complaint('A command was not understood', parsed.error) } })
    return
  }
  const { id, command } = parsed.data
  try {
    const ready = command.command === 'keepFile' ? { ...command, bytes: await unpackAhead(command.bytes) } : command
    const answer = host.handle(ready)
    post({ kind: 'answer', id, answer }, handedOver(answer))
  } catch (error) {
    post({ kind: 'answer', id, answer: { ok: false, what: `"${command.command}" failed: ${sentence(error)}` } })
  }
  now()
}

// One after the other, as they come: a machine is built when its files are there.
let commands = Promise.resolve()
self.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  commands = commands.then(() => handle(data))
})

// While the page is drawn and the guest's files come.
setTimeout(warmUp)
