/** The page under load: 512 vCPUs that make 100,000 events a second, every pane of a layout open, and a person moving about. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { ROOT } from '../lib/steps.mjs'
import { median, percentile } from './figures.ts'
import type { Samples } from './figures.ts'
import { counted, secondsToReady } from './places/page.ts'
import { cpuOf, traced } from './threads.ts'

const FRAMES = 120
/** The layout with the most panes. */
const DEBUG_KEYS = 'Alt+2'

/** What a person does in each frame, in the page. */
const MOVES = {
  'the tree scrolls': () => document.querySelector('.affinities')?.scrollBy(0, 60),
  'the timeline scrolls': () => document.querySelector('.timeline-chart')?.scrollBy(0, 30),
  'the timeline zooms': () => {
    const key = Math.floor(performance.now() / 1000) % 2 === 0 ? 'w' : 's'
    document.querySelector('.timeline-chart')?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
  },
  'the matrix shows': () => document.querySelector('.matrix')?.closest('.pane-body')?.scrollBy(0, 20),
} as const

/** Wall milliseconds of some frames, with something done in each of them. */
const frameTimes = (page: Page, move: () => void): Promise<readonly number[]> =>
  page.evaluate(
    async ([frames, source]) => {
      // Functions do not cross into the page; their text does.
      const act: unknown = new Function(`return (${source})`)()
      if (typeof act !== 'function') throw new Error('nothing to do')
      const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve))
      const took: number[] = []
      let before = await frame()
      for (let i = 0; i < frames; i += 1) {
        act()
        const now = await frame()
        took.push(now - before)
        before = now
      }
      return took
    },
    [FRAMES, move.toString()] as const,
  )

const look = async (browser: Browser, page: Page, what: keyof typeof MOVES, samples: Samples): Promise<void> => {
  const events = await counted(page, 'events')
  const { result, main } = await traced(browser, () => frameTimes(page, MOVES[what]))
  const seconds = result.reduce((all, ms) => all + ms, 0) / 1000
  samples.add('events a second, thousands', ((await counted(page, 'events')) - events) / seconds / 1000)
  samples.add(`${what}: main thread, CPU ms a frame`, cpuOf(main) / FRAMES)
  samples.add(`${what}: longest task, CPU ms`, Math.max(0, ...main.map(({ cpuMs }) => cpuMs)))
  samples.add(`${what}: frame, wall ms, median`, percentile(result, 0.5))
}

/** Runs the storm on 512 vCPUs, through the page's own forms. */
export const runStorm = async (page: Page): Promise<void> => {
  await page.getByRole('combobox', { name: 'Guest', exact: true }).selectOption('gicsh')
  await page.getByRole('textbox', { name: 'vCPUs' }).fill('512')
  await page.keyboard.press('Enter')
  await page.keyboard.press(DEBUG_KEYS)
  await page.getByRole('tab', { name: 'Program' }).click()
  const program = page.getByRole('textbox', { name: 'The program in A64 assembly' })
  await program.fill(readFileSync(join(ROOT, 'scripts/bench/storm.s'), 'utf8'))
  await page.getByRole('button', { name: 'Assemble and run' }).click()
  await secondsToReady(page)
}

export const measureLoad = async (browser: Browser, page: Page, samples: Samples): Promise<void> => {
  await runStorm(page)
  await page.getByRole('tab', { name: 'Affinity' }).click()
  await page.getByRole('button', { name: 'Open all' }).click()
  await page.waitForTimeout(2000)
  await look(browser, page, 'the tree scrolls', samples)
  await look(browser, page, 'the timeline scrolls', samples)
  await look(browser, page, 'the timeline zooms', samples)
  await page.getByRole('tab', { name: 'Which path sees Aff3?' }).click()
  await look(browser, page, 'the matrix shows', samples)
}

const WATCH_MS = 1500
const PAIRS = 8

/** Instructions that a worker's processor millisecond runs while somebody looks, or while nobody does. */
const speed = async (browser: Browser, page: Page, looks: boolean): Promise<number> => {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: hidden })
    document.dispatchEvent(new Event('visibilitychange'))
  }, !looks)
  await page.waitForTimeout(500)
  const before = await counted(page, 'instructions')
  const { workerMs } = await traced(browser, () => page.waitForTimeout(WATCH_MS))
  return ((await counted(page, 'instructions')) - before) / workerMs
}

/**
 * What looking costs a Linux that is busy: the share of its speed that is left, per processor time of the worker, in the
 * middle of several pairs of measurements.
 */
export const measureLooking = async (browser: Browser, page: Page, samples: Samples): Promise<void> => {
  await page.keyboard.press(DEBUG_KEYS)
  await page.getByRole('textbox', { name: 'Serial console of the guest' }).focus()
  await page.keyboard.type('while :; do :; done &')
  await page.keyboard.press('Enter')
  await page.waitForTimeout(1000)
  const shares: number[] = []
  for (let pair = 0; pair < PAIRS; pair += 1) {
    // The two of a pair lie beside each other, and each comes first as often: what changes slowly falls out.
    const looksFirst = pair % 2 === 0
    const first = await speed(browser, page, looksFirst)
    const second = await speed(browser, page, !looksFirst)
    shares.push(looksFirst ? (100 * first) / second : (100 * second) / first)
  }
  await speed(browser, page, true)
  samples.add('guest with all panes open, % of its speed alone', median(shares))
  samples.add('half of the pairs lie within, points', percentile(shares, 0.75) - percentile(shares, 0.25))
}
