/** The built page in Chromium, as shipped, and when its guest came to which point. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { chromium } from '@playwright/test'
import type { Browser, Page } from '@playwright/test'
import { ROOT } from '../lib/steps.mjs'

const CHROMIUM = '/usr/bin/chromium'
const PORT = Number(process.env['BENCH_PORT'] ?? 4188)
const ADDRESS = `http://127.0.0.1:${PORT}/`
const READY = 'guest: ready'

export const hasChromium = existsSync(CHROMIUM)

export interface BuiltPage {
  /** A page of its own, with nothing in its caches. */
  open(): Promise<Page>
  close(): Promise<void>
}

const serving = async (): Promise<void> => {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(ADDRESS).catch(() => undefined)
    if (answer?.ok === true) return
    await setTimeout(100)
  }
  throw new Error(`the file server of ${ROOT}/dist did not start`)
}

/**
 * Marks when the page asked its worker for a machine (`build`) and when the console first said that the guest is ready
 * (`ready`); measures from a key's way to the worker to the frame after its echo came back (`echo`).
 */
const watchWorker = (ready: string): void => {
  const Plain = globalThis.Worker
  globalThis.Worker = class extends Plain {
    private text = ''
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options)
      this.addEventListener('message', ({ data }: MessageEvent<{ kind?: string; bytes?: Uint8Array }>) => {
        if (data.kind !== 'console' || data.bytes === undefined) return
        const typed = performance.getEntriesByName('typed').at(-1)
        if (typed !== undefined) {
          performance.clearMarks('typed')
          requestAnimationFrame(() => performance.measure('echo', { start: typed.startTime }))
        }
        this.text = (this.text + String.fromCharCode(...data.bytes)).slice(-4096)
        if (!this.text.includes(ready)) return
        this.text = ''
        performance.mark('ready')
      })
    }
    override postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
      const text = JSON.stringify(message, (key, value: unknown) => (key === 'guest' ? undefined : value))
      if (text.includes('"build"')) performance.mark('build')
      if (text.includes('"input"')) performance.mark('typed')
      if (Array.isArray(transfer)) super.postMessage(message, transfer)
      else super.postMessage(message, transfer)
    }
  }
}

export async function openBuiltPage(): Promise<BuiltPage> {
  const server: ChildProcess = spawn('npx', ['tsx', 'e2e/static-server.ts', 'dist', '/', String(PORT)], {
    cwd: ROOT,
    stdio: 'ignore',
    detached: true,
  })
  await serving()
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Without WebGL the console is drawn as text, which can be read.
    args: ['--no-sandbox', '--disable-gpu', '--disable-software-rasterizer', '--disable-background-networking'],
  })
  return {
    open: async () => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      const page = await context.newPage()
      // What runs this file wraps named functions so; in the page nobody defines it.
      await page.addInitScript('globalThis.__name = (named) => named')
      await page.addInitScript(watchWorker, READY)
      await page.goto(ADDRESS)
      return page
    },
    close: async () => {
      await browser.close()
      if (server.pid !== undefined) process.kill(-server.pid)
    },
  }
}

/** Seconds from the last `build` to the `ready` after it. */
export const secondsToReady = async (page: Page): Promise<number> => {
  const handle = await page.waitForFunction(
    () => {
      const at = (name: string): number => performance.getEntriesByName(name).at(-1)?.startTime ?? -1
      return at('ready') > at('build') && at('build') >= 0 ? at('ready') - at('build') : undefined
    },
    undefined,
    { timeout: 120_000 },
  )
  return ((await handle.jsonValue()) ?? 0) / 1000
}
