/**
 * What the page costs beside the engine: how much JavaScript comes before the first paint, when there is something to
 * see, how long its thread is away while Linux boots, what looking costs the guest, whether 512 vCPUs under load move with
 * the screen, and whether memory grows.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from '@playwright/test'
import { z } from 'zod'
import { ROOT, run as runProgram } from '../lib/steps.mjs'
import { printTable, Samples } from './figures.ts'
import type { Benchmark, Figures } from './figures.ts'
import { counted, hasChromium, openBuiltPage, secondsToReady } from './places/page.ts'
import { traced } from './threads.ts'
import type { Task } from './threads.ts'
import { measureLoad, measureLooking } from './ui-load.ts'

const KB = 1000
const MB = 1e6
const FRAME_MS = 1000 / 60

interface Budget {
  readonly of: RegExp
  readonly most?: number
  readonly least?: number
}

/** The numbers that the page is held to. Processor time is judged: wall time is that of a host that does other things too. */
const BUDGETS: readonly Budget[] = [
  { of: /^JS before the first paint/, most: 250 },
  { of: /longest task.*CPU ms$/, most: 50 },
  { of: /CPU ms a frame$/, most: FRAME_MS },
  { of: /^heap grows/, most: 1 },
  { of: /% of its speed alone$/, least: 90 },
]
/** How long the memory is watched. Ten minutes are asked for with UI_MEMORY_SECONDS=600. */
const MEMORY_SECONDS = Number(process.env['UI_MEMORY_SECONDS'] ?? 20)
/** The page keeps two million events, and its columns have grown to their full size by twice as many. */
const FULL_EVENTS = 5e6
const FULL_SECONDS = 150

/** Everything the page's HTML names, and what that imports before it runs. */
const scriptsBeforePaint = (): ReadonlySet<string> => {
  const dist = join(ROOT, 'dist')
  const html = readFileSync(join(dist, 'index.html'), 'utf8')
  const names = new Set([...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map((match) => match[1] ?? ''))
  for (const name of names) {
    const text = readFileSync(join(dist, name), 'utf8')
    for (const [, from] of text.matchAll(/(?:\bfrom|^import|;import)\s*"\.\/([^"]+\.js)"/g)) names.add(`assets/${from}`)
  }
  return names
}

const kilobytes = (names: ReadonlySet<string>): number => {
  let bytes = 0
  for (const name of names) bytes += gzipSync(readFileSync(join(ROOT, 'dist', name))).length
  return bytes / KB
}

const firstPaint = (page: Page): Promise<number> =>
  page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)

/** When the last pane of the first view had come. */
const panesThere = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const build = performance.getEntriesByName('build')[0]?.startTime ?? 0
    const scripts = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'))
    const ends = scripts.map(({ startTime, duration }) => startTime + duration)
    return Math.max(0, ...ends.filter((end) => build === 0 || end <= build))
  })

/** Chromium tells more of its heap than playwright's types know: what typed arrays hold is beside the rest. */
const usageSchema = z.object({ usedSize: z.number(), backingStorageSize: z.number().default(0) })

const heap = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize, backingStorageSize } = usageSchema.parse(await session.send('Runtime.getHeapUsage'))
  await session.detach()
  return (usedSize + backingStorageSize) / MB
}

const boot = async (browser: Browser, open: () => Promise<Page>, samples: Samples): Promise<Page> => {
  const { result: page, main } = await traced(browser, async () => {
    const opened = await open()
    await secondsToReady(opened)
    return opened
  })
  const longest = (of: (task: Task) => number): number => Math.max(0, ...main.map(of))
  samples.add('first contentful paint, ms', await firstPaint(page))
  samples.add('panes there, ms', await panesThere(page))
  samples.add(
    'Linux boots: longest task, CPU ms',
    longest(({ cpuMs }) => cpuMs),
  )
  samples.add(
    'Linux boots: longest task, wall ms',
    longest(({ wallMs }) => wallMs),
  )
  samples.add('Linux boots: tasks over 50 ms of CPU', main.filter(({ cpuMs }) => cpuMs > 50).length)
  return page
}

const measureMemory = async (page: Page, samples: Samples): Promise<void> => {
  for (let second = 0; second < FULL_SECONDS && (await counted(page, 'events')) < FULL_EVENTS; second += 1) {
    await page.waitForTimeout(1000)
  }
  const before = await heap(page)
  await page.waitForTimeout(MEMORY_SECONDS * 1000)
  samples.add('heap with two million events, MB', before)
  samples.add('heap grows, MB a minute', ((await heap(page)) - before) / (MEMORY_SECONDS / 60))
}

const mark = (name: string, value: number): string => {
  const budget = BUDGETS.find(({ of }) => of.test(name))
  if (budget === undefined) return ''
  const { most = Infinity, least = -Infinity } = budget
  const bound = most === Infinity ? `at least ${least}` : `at most ${Math.round(most)}`
  return value <= most && value >= least ? bound : `NOT ${bound}`
}

export const ui: Benchmark = {
  title: 'the page: what is shipped, when it shows, how it moves',
  rounds: 1,
  run: async ({ rounds }): Promise<Figures> => {
    if (!hasChromium) throw new Error('there is no /usr/bin/chromium: install the package chromium')
    if (!runProgram('npm', ['run', '--silent', 'build'])) throw new Error('the page does not build')
    const samples = new Samples()
    samples.add('JS before the first paint, kB gzip', kilobytes(scriptsBeforePaint()))
    const built = await openBuiltPage()
    try {
      for (let round = 0; round < rounds; round += 1) {
        const page = await boot(built.browser, built.open, samples)
        await measureLooking(built.browser, page, samples)
        await measureLoad(built.browser, page, samples)
        await measureMemory(page, samples)
        await page.context().close()
      }
    } finally {
      await built.close()
    }
    const figures = samples.figures()
    printTable(Object.entries(figures).map(([name, value]) => [name, value.toFixed(1), mark(name, value)]))
    return figures
  },
}
