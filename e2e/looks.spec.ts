/**
 * How the page looks, as far as it can be said without pixels, which depend on the fonts and the build of a browser: where
 * bars and slots stand in each layout at each size (`looks.json`; LOOKS=record writes it anew), and that nothing is cut
 * off, overlaps, or sticks out of the window.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { LAYOUT_IDS } from '../src/app/session/layouts.ts'
import { ready, withoutLinux } from './page.ts'

const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
  { width: 390, height: 844 },
] as const

const RECORDED = join(import.meta.dirname, 'looks.json')

/** Left, top, width and height of each part, in steps of 4 px: what a font changes is less. */
type Boxes = Readonly<Record<string, readonly number[]>>

const boxes = (page: Page): Promise<Boxes> =>
  page.evaluate(() => {
    const rounded = (element: Element): number[] => {
      const { left, top, width, height } = element.getBoundingClientRect()
      return [left, top, width, height].map((value) => Math.round(value / 4) * 4)
    }
    const parts = [...document.querySelectorAll('[data-slot]')].map((slot): [string, number[]] => [
      slot.getAttribute('data-slot') ?? '',
      rounded(slot),
    ])
    return Object.fromEntries([
      ...parts,
      ...['bars', 'status'].map((name): [string, number[]] => [
        name,
        rounded(document.querySelector(`.${name}`) ?? document.body),
      ]),
    ])
  })

/** Everything that does not look right, each as a line. */
const faults = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => {
    const found: string[] = []
    const nameOf = (element: Element): string =>
      `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} "${(element.getAttribute('aria-label') ?? element.textContent ?? '').slice(0, 40)}"`
    const { innerWidth, innerHeight } = window
    const root = document.documentElement
    if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) found.push('the page scrolls')

    const isShown = (element: Element): boolean =>
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    /** What lies in something that scrolls may go on where it cannot be seen. */
    const scrollerOf = (element: Element): Element | null => {
      for (let at: Element | null = element; at !== null; at = at.parentElement)
        if (/auto|scroll/.test(getComputedStyle(at).overflow)) return at
      return null
    }
    const controls = [...document.querySelectorAll('button, input, select, [role=tab], .labelled')]
      .filter((element) => isShown(element) && element.closest('.xterm') === null)
      .map((element) => ({ element, scroller: scrollerOf(element), box: element.getBoundingClientRect() }))
    for (const [i, { element, scroller, box }] of controls.entries()) {
      const { left, top, right, bottom } = box
      if (scroller === null && (left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5))
        found.push(`${nameOf(element)} sticks out of the window`)
      for (const other of controls.slice(i + 1)) {
        const across = Math.min(right, other.box.right) - Math.max(left, other.box.left)
        const down = Math.min(bottom, other.box.bottom) - Math.max(top, other.box.top)
        const apart = scroller !== other.scroller || element.contains(other.element) || other.element.contains(element)
        if (!apart && across > 1 && down > 1) found.push(`${nameOf(element)} lies over ${nameOf(other.element)}`)
      }
    }
    // Text that ends at its box without saying so.
    for (const element of document.querySelectorAll('button, label, th, td, p, h2, h3, dt, dd, .aside, .tab')) {
      const style = getComputedStyle(element)
      if (!isShown(element) || !/hidden|clip/.test(style.overflowX) || style.textOverflow === 'ellipsis') continue
      if (element.closest('.xterm, .hidden-text') === null && element.scrollWidth > element.clientWidth + 1)
        found.push(`${nameOf(element)} is cut off`)
    }
    // Where there is room, nothing to choose from is hidden, and what is chosen or told is told whole.
    if (innerWidth >= 1280)
      for (const element of document.querySelectorAll('.segments, .scenario .title, .pane-bar .aside'))
        if (isShown(element) && element.scrollWidth > element.clientWidth + 1)
          found.push(`${nameOf(element)} is shortened`)
    return [...new Set(found)]
  })

test('each layout at each size: bars and slots stand where they stood, and nothing is cut off or overlaps', async ({
  page,
}) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  const seen: Record<string, Boxes> = {}
  const wrong: string[] = []
  for (const size of SIZES) {
    await page.setViewportSize(size)
    for (const [place, layout] of LAYOUT_IDS.entries()) {
      await page.keyboard.press(`Alt+${place + 1}`)
      await page.waitForTimeout(400)
      const name = `${layout} ${size.width}x${size.height}`
      seen[name] = await boxes(page)
      wrong.push(...(await faults(page)).map((fault) => `${name}: ${fault}`))
    }
  }
  expect(wrong).toEqual([])
  if (process.env['LOOKS'] === 'record') writeFileSync(RECORDED, `${JSON.stringify(seen, undefined, 1)}\n`)
  expect(seen).toEqual(JSON.parse(readFileSync(RECORDED, 'utf8')))
})

test('each pane at each size: nothing is cut off or overlaps', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await page.keyboard.press('Alt+5')
  const wrong: string[] = []
  for (const size of SIZES) {
    await page.setViewportSize(size)
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click()
      await page.waitForTimeout(250)
      const pane = await tab.getAttribute('data-pane')
      wrong.push(...(await faults(page)).map((fault) => `${pane} ${size.width}x${size.height}: ${fault}`))
    }
  }
  expect(wrong).toEqual([])
})
