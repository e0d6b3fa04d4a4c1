/** The page as a person uses it. */
import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'

/** A boot of Linux on a slow machine. */
const BOOT_MS = 120_000

export const cpuItem = (page: Page, index: number): Locator =>
  page.getByRole('treeitem', { name: new RegExp(`^vCPU ${index},`) })

/** What the console shows now. */
export const screen = (page: Page): Locator => page.getByTestId('console').locator('.xterm-rows')

export const ready = async (page: Page): Promise<void> => {
  await expect(screen(page)).toContainText('guest: ready', { timeout: BOOT_MS })
}

export const reboot = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Reboot', exact: true }).click()
}

export const type = async (page: Page, text: string): Promise<void> => {
  await page.getByRole('textbox', { name: 'Serial console of the guest' }).focus()
  await page.keyboard.type(text)
  await page.keyboard.press('Enter')
}

/** Serves the embedded guest alone, which boots in a moment. */
export const withoutLinux = async (page: Page): Promise<void> => {
  await page.route('**/guests/linux/**', (route) => route.fulfill({ status: 404 }))
}

/** Serves no guests: the page is there, and nothing boots. */
export const withoutGuests = async (page: Page): Promise<void> => {
  await page.route('**/guests/**', (route) => route.fulfill({ status: 404 }))
}

export const shots = async (page: Page, name: string): Promise<void> => {
  for (const [width, height] of [
    [1280, 800],
    [1920, 1080],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height })
    for (const theme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      await page.screenshot({ path: `test-results/${name}-${theme}-${width}x${height}.png` })
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.emulateMedia({ colorScheme: 'dark' })
}
