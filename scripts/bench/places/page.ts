/** The built page in Chromium, as shipped, and when its guest came to which point. */
import { existsSync } from 'node:fs'
import { chromium } from '@playwright/test'
import type { Browser, Page } from '@playwright/test'
import { preview } from 'vite'
import type { FromWorker } from '../../../src/pure/protocol/messages.ts'
import { ROOT, run } from '../../lib/steps.mjs'

const CHROMIUM = '/usr/bin/chromium'
const READY = 'guest: ready'

export const hasChromium = existsSync(CHROMIUM)

export interface BuiltPage {
  readonly browser: Browser
  /** A page of its own, with nothing in its caches. */
  open(): Promise<Page>
  /** A page of the same site that runs nothing. */
  blank(): Promise<Page>
  close(): Promise<void>
}

/**
 * Marks when the page asked its worker for a machine (`build`), when it was there and its first instruction next (`built`), and
 * when the console first said that the guest is ready (`ready`); measures from a key's way to the worker to the frame after its echo came back (`echo`). Counts what the guest
 * ran (`instructions`) and told (`events`).
 */
const watchWorker = (ready: string): void => {
  const Plain = globalThis.Worker
  const count = (name: string, detail: number): void => {
    performance.clearMarks(name)
    performance.mark(name, { detail })
  }
  globalThis.Worker = class extends Plain {
    private text = ''
    private building: unknown
    private events = 0
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options)
      this.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
        if (data.kind === 'answer' && data.id === this.building) performance.mark('built')
        if (data.kind === 'run') count('instructions', data.run.instructions)
        if (data.kind === 'trace') count('events', (this.events += data.batch.times.length))
        if (data.kind !== 'console') return
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
      const text = JSON.stringify(message, (key, value: unknown) => (key === 'bytes' ? undefined : value))
      if (text.includes('"build"')) {
        performance.mark('build')
        if (typeof message === 'object' && message !== null) this.building = Reflect.get(message, 'id')
      }
      if (text.includes('"input"')) performance.mark('typed')
      if (Array.isArray(transfer)) super.postMessage(message, transfer)
      else super.postMessage(message, transfer)
    }
  }
}

/** The page as the sources are now; `undefined`: there is no Chromium, which is said. */
export const buildAndOpenPage = async (): Promise<BuiltPage | undefined> => {
  if (!hasChromium) {
    console.log('Chromium is not installed (Debian: chromium): Node only.')
    return undefined
  }
  if (!run('npm', ['run', '--silent', 'build', '--', '--logLevel', 'error']))
    throw new Error('the page could not be built')
  return openBuiltPage()
}

export async function openBuiltPage(): Promise<BuiltPage> {
  const server = await preview({ root: ROOT, logLevel: 'error', preview: { host: '127.0.0.1', port: 0 } })
  const address = server.resolvedUrls?.local[0]
  if (address === undefined) throw new Error('the built page is not served')
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Without WebGL the console is drawn as text, which can be read.
    args: ['--no-sandbox', '--disable-gpu', '--disable-software-rasterizer', '--disable-background-networking'],
  })
  return {
    browser,
    open: async () => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      const page = await context.newPage()
      // What runs this file wraps named functions so; in the page nobody defines it.
      await page.addInitScript('globalThis.__name = (named) => named')
      await page.addInitScript(watchWorker, READY)
      await page.goto(address)
      return page
    },
    blank: async () => {
      const page = await (await browser.newContext()).newPage()
      await page.addInitScript('globalThis.__name = (named) => named')
      await page.route(`${address}blank`, (route) => route.fulfill({ contentType: 'text/html', body: '' }))
      await page.goto(`${address}blank`)
      return page
    },
    close: async () => {
      await browser.close()
      await server.close()
    },
  }
}

/** The last that was counted under a name; 0 where nothing was. */
export const counted = (page: Page, name: 'instructions' | 'events'): Promise<number> =>
  page.evaluate((of) => {
    const [mark] = performance.getEntriesByName(of)
    const detail: unknown = mark instanceof PerformanceMark ? mark.detail : undefined
    return typeof detail === 'number' ? detail : 0
  }, name)

/** Seconds from when the page was asked for to its guest's first instruction. */
export const secondsToFirstInstruction = async (page: Page): Promise<number> => {
  const handle = await page.waitForFunction(() => performance.getEntriesByName('built')[0]?.startTime, undefined, {
    timeout: 120_000,
  })
  return ((await handle.jsonValue()) ?? 0) / 1000
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
