/** The page in Firefox and WebKit, where their packages are there. */
import { writeFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import { hasFirefox, hasWebKit, openFirefox, openWebKit } from './drivers.ts'
import type { Driver } from './drivers.ts'

const PORT = 45_000 + (process.pid % 10_000)
const BOOT_MS = 240_000
const ALT = '\uE00A'

const LAYOUTS = ['learn', 'debug', 'compare', 'present', 'phone'] as const

const BROWSERS: readonly { readonly name: string; readonly there: boolean; open(port: number): Promise<Driver> }[] = [
  { name: 'Firefox', there: hasFirefox, open: openFirefox },
  { name: 'WebKit', there: hasWebKit, open: openWebKit },
]

for (const [place, { name, there, open }] of BROWSERS.entries()) {
  test(`${name} boots Linux, and every layout shows its panes`, async ({ baseURL }) => {
    test.skip(!there, `${name} is not installed`)
    test.setTimeout(2 * BOOT_MS)
    const browser = await open(PORT + place)
    try {
      await browser.goTo(baseURL ?? '')
      const log = "document.querySelector('[aria-label=\"Kernel log\"]')?.textContent ?? ''"
      await expect
        .poll(() => browser.evaluate(log), { timeout: BOOT_MS, intervals: [2000] })
        .toContain('Run /init as init process')
      expect(await browser.evaluate("document.querySelectorAll('.cpu.running, .cpu.waiting').length")).toBe(4)
      writeFileSync(`test-results/${name}.png`, await browser.screenshot())
      for (const [i, layout] of LAYOUTS.entries()) {
        await browser.press(`${i + 1}`, ALT)
        await expect.poll(() => browser.evaluate("document.querySelector('.page').dataset.layout")).toBe(layout)
        // Each pane in front has come, and none has broken.
        const empty =
          "[...document.querySelectorAll('.tab-body[data-state=active]')].filter((pane) => pane.childElementCount === 0).length"
        await expect.poll(() => browser.evaluate(empty)).toBe(0)
        const alarms = "[...document.querySelectorAll('[role=alert]')].map((one) => one.textContent).join('')"
        expect(await browser.evaluate(alarms)).toBe('')
      }
    } finally {
      await browser.close()
    }
  })
}
