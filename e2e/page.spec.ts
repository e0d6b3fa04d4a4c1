import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { cpuItem, ready, withoutGuests, withoutLinux } from './page.ts'

const barred = async (page: Page): Promise<unknown> => (await new AxeBuilder({ page }).analyze()).violations

for (const theme of ['dark', 'light', 'contrast'] as const) {
  test(`nothing bars the way in any layout in ${theme}`, async ({ page }) => {
    await page.emulateMedia(theme === 'contrast' ? { contrast: 'more' } : { colorScheme: theme })
    await withoutGuests(page)
    await page.goto('.')
    await expect(page.getByRole('alert')).toContainText('guests/gicsh.s could not be fetched')
    await page.getByRole('button', { name: /^Scenario/ }).click()
    // An open menu is a layer above the page, outside of its landmarks.
    expect((await new AxeBuilder({ page }).disableRules('region').analyze()).violations).toEqual([])
    await page
      .getByRole('menuitemradio', { name: /^Aff3 without a redistributor/ })
      .first()
      .click()
    await expect(cpuItem(page, 2)).toHaveAccessibleName(/no frame has affinity 1\.0\.0\.2/)
    for (const layout of ['1', '2', '3', '4', '5']) {
      await page.keyboard.press(`Alt+${layout}`)
      expect(await barred(page), `layout ${layout}`).toEqual([])
    }
    await page.getByRole('button', { name: 'Help' }).click()
    expect(await barred(page)).toEqual([])
  })
}

test('nothing bars the way in any pane', async ({ page }) => {
  test.setTimeout(240_000)
  await withoutLinux(page)
  await page.goto('.')
  await expect(page.getByText('4 of 4 CPUs have a redistributor')).toBeVisible()
  await page.keyboard.press('Alt+5')
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click()
    expect(await barred(page), (await tab.textContent()) ?? '').toEqual([])
  }
})

test('on paper the panes stand without controls, those that were loaded late as well', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  for (const pane of ['interrupts', 'timeline']) await page.locator(`[role=tab][data-pane="${pane}"]`).click()
  await expect(page.getByRole('application', { name: 'Timeline' })).toBeVisible()
  await page.emulateMedia({ media: 'print' })
  await expect(page.getByText('GICD_IROUTER, 64-bit write')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Interrupts of vCPU 0' })).toBeVisible()
  for (const role of ['checkbox', 'searchbox', 'combobox', 'slider'] as const)
    await expect(page.getByRole(role)).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'Inject fault' })).toHaveCount(0)
})

test('512 vCPUs are drawn as far as they can be seen, and scroll at the rate of the screen', async ({ page }) => {
  await withoutGuests(page)
  await page.goto('.')
  await page.getByRole('textbox', { name: 'vCPUs' }).fill('512')
  await page.keyboard.press('Enter')
  await expect(page.getByText('512 vCPUs, 512 frames')).toBeVisible()
  // Clusters are closed, but that of the selected vCPU; the keyboard closes it too.
  await cpuItem(page, 0).press('ArrowLeft')
  await expect(page.getByRole('treeitem', { name: /^16 vCPUs from affinity 0\.0\.1\.0, closed/ })).toBeVisible()
  await page.getByRole('button', { name: 'Open all' }).click()
  await expect(page.getByRole('treeitem', { name: /^vCPU 16,/ })).toHaveCount(0)
  expect(await page.getByRole('treeitem').count()).toBeLessThan(40)
  const slow = await page.evaluate(async () => {
    const pane = document.querySelector('.affinities')
    if (pane === null) throw new Error('no picture of affinities')
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve))
    const took: number[] = []
    let before = await frame()
    for (let i = 0; i < 60; i++) {
      pane.scrollTop += 150
      const now = await frame()
      took.push(now - before)
      before = now
    }
    return took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)]
  })
  expect(slow).toBeLessThan(20)
  await expect(page.getByRole('treeitem').first()).not.toHaveAccessibleName(/^vCPU 0,/)
})

test('the cures of a large machine are there a moment after its findings', async ({ page }) => {
  await withoutGuests(page)
  await page.goto('.')
  await page.getByRole('textbox', { name: 'vCPUs' }).fill('512')
  await page.keyboard.press('Enter')
  await page.getByRole('combobox', { name: 'Host' }).selectOption('H2')
  const finding = page.getByRole('listitem').filter({ hasText: 'This host has a GICv2 only' })
  await finding.getByRole('button', { name: 'Use a GICv3 host' }).click()
  await expect(finding).toHaveCount(0)
})

test('513 vCPUs are refused with the reason', async ({ page }) => {
  await withoutGuests(page)
  await page.goto('.')
  await page.getByRole('textbox', { name: 'vCPUs' }).fill('513')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert')).toContainText('1 to 512 vCPUs; 513 is not')
})

test('a dropped file that is no guest is refused by name', async ({ page }) => {
  await withoutGuests(page)
  await page.goto('.')
  const files = await page.evaluateHandle(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File(['hello'], 'notes.txt'))
    return transfer
  })
  await page.dispatchEvent('main', 'dragenter', { dataTransfer: files })
  await expect(page.getByText('Drop a kernel (Image or ELF), an initrd')).toBeVisible()
  await page.dispatchEvent('main', 'drop', { dataTransfer: files })
  await expect(page.getByRole('alert')).toContainText('notes.txt is not a kernel')
})

test('a pane with several parts shows the one that was shown last, in another layout and after a reload', async ({
  page,
}) => {
  await withoutGuests(page)
  await page.goto('.')
  const logs = page.getByRole('radio', { name: 'Boot logs' })
  await page.getByRole('tab', { name: 'Compare' }).click()
  await logs.click()
  await page.keyboard.press('Alt+3')
  await expect(logs).toBeChecked()
  // The browser keeps the layout when nothing has changed for a moment; the address is written first.
  await expect
    .poll(() => page.evaluate(() => localStorage.getItem('gicscope-view') ?? ''))
    .toContain('"compare":"logs"')
  await page.goto('.')
  await expect(logs).toBeChecked()
})
