/**
 * What the page costs beside the engine: how much JavaScript comes before the first paint, when there is something to
 * see, how long its thread is away while Linux boots, whether 512 vCPUs move with the screen, and whether memory grows.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from '@playwright/test'
import { ROOT, run as runProgram } from '../lib/steps.mjs'
import { printTable, Samples } from './figures.ts'
import type { Benchmark, Figures } from './figures.ts'
import { hasChromium, openBuiltPage, secondsToReady } from './page.ts'

const KB = 1000
const MB = 1e6
/** The numbers that the page is held to; what is larger is marked. */
const BUDGETS: Readonly<Record<string, number>> = {
  'JS before the first paint, kB gzip': 250,
  'longest task while Linux boots, ms': 50,
  'frame while 512 vCPUs scroll, ms, median': 1000 / 60 + 1,
  'frame while 512 vCPUs run, ms, median': 1000 / 60 + 1,
}
/** How long the memory is watched. Ten minutes are asked for with UI_MEMORY_SECONDS=600. */
const MEMORY_SECONDS = Number(process.env['UI_MEMORY_SECONDS'] ?? 20)
const FRAMES = 120
const FRAME_STEP = 60

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

/** Milliseconds between frames while something happens in each of them. */
const frameTimes = (page: Page, scroll: boolean): Promise<readonly number[]> =>
  page.evaluate(
    async ([frames, step]) => {
      const pane = document.querySelector('.affinities')
      if (pane === null) throw new Error('no picture of affinities')
      const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve))
      const took: number[] = []
      let before = await frame()
      for (let i = 0; i < (frames ?? 0); i += 1) {
        pane.scrollTop += step ?? 0
        const now = await frame()
        took.push(now - before)
        before = now
      }
      return took
    },
    [FRAMES, scroll ? FRAME_STEP : 0],
  )

/** Tasks over 50 ms from when the machine is asked for. */
const longTasks = (page: Page): Promise<readonly number[]> =>
  page.evaluate(
    () =>
      new Promise<readonly number[]>((resolve) => {
        const build = performance.getEntriesByName('build')[0]?.startTime ?? 0
        const observer = new PerformanceObserver((list) =>
          resolve(list.getEntries().flatMap(({ startTime, duration }) => (startTime >= build ? [duration] : []))),
        )
        observer.observe({ type: 'longtask', buffered: true })
        // No entries, no call.
        setTimeout(() => resolve([]), 200)
      }),
  )

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

const heap = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return usedSize / MB
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0

const measure = async (page: Page, samples: Samples): Promise<void> => {
  await secondsToReady(page)
  samples.add('first contentful paint, ms', await firstPaint(page))
  samples.add('panes there, ms', await panesThere(page))
  const tasks = await longTasks(page)
  samples.add('longest task while Linux boots, ms', Math.max(0, ...tasks))
  samples.add('tasks over 50 ms while Linux boots', tasks.filter((ms) => ms > 50).length)

  await page.getByRole('textbox', { name: 'Serial console of the guest' }).focus()
  await page.keyboard.type('while :; do cat /proc/interrupts; sleep 0.1; done')
  await page.keyboard.press('Enter')
  await page.waitForTimeout(5000)
  const before = await heap(page)
  await page.waitForTimeout(MEMORY_SECONDS * 1000)
  samples.add('heap, MB', before)
  samples.add('heap grows, MB a minute', ((await heap(page)) - before) / (MEMORY_SECONDS / 60))

  await page.getByRole('combobox', { name: 'Guest', exact: true }).selectOption('gicsh')
  await page.getByRole('textbox', { name: 'vCPUs' }).fill('512')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Open all' }).click()
  const scrolling = await frameTimes(page, true)
  samples.add('frame while 512 vCPUs scroll, ms, median', percentile(scrolling, 0.5))
  samples.add('frame while 512 vCPUs scroll, ms, 95 %', percentile(scrolling, 0.95))
  await page.getByRole('button', { name: 'Reboot', exact: true }).click()
  await page.keyboard.press('Alt+2')
  await page.getByText('512 of 512 CPUs have a redistributor').waitFor({ timeout: 120_000 })
  const running = await frameTimes(page, true)
  samples.add('frame while 512 vCPUs run, ms, median', percentile(running, 0.5))
  samples.add('frame while 512 vCPUs run, ms, 95 %', percentile(running, 0.95))
}

const mark = (name: string, value: number): string => {
  const budget = BUDGETS[name]
  if (budget === undefined) return ''
  return value <= budget ? `within ${Math.round(budget)}` : `OVER ${Math.round(budget)}`
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
        const page = await built.open()
        await measure(page, samples)
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
