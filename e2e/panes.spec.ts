/** Every pane beside a guest that runs, by keyboard alone. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { cpuItem, ready, screen, withoutLinux } from './page.ts'

/** What a pane must show of a machine with four vCPUs, and of Linux where it runs. */
const SHOWS: readonly { readonly pane: string; readonly text: RegExp; readonly linux?: RegExp }[] = [
  { pane: 'Affinity', text: /4 vCPUs, 4 frames/ },
  { pane: 'Walk', text: /GICR_TYPER says 0\.0\.0\.1: this is the one/, linux: /As the guest read it/ },
  { pane: 'GICR_TYPER', text: /Affinity_Value/ },
  { pane: 'IROUTER', text: /PL011/ },
  { pane: 'Interrupts', text: /list registers/, linux: /EL1 virtual timer/ },
  { pane: 'Program', text: /gicsh\.s/ },
  { pane: 'Which path sees Aff3?', text: /architecture/ },
  { pane: 'Ruler', text: /KVM attribute/ },
  { pane: 'Compare', text: /register or question/ },
  { pane: 'Timeline', text: /of 4 CPUs run/ },
  { pane: 'Findings', text: /Every vCPU finds its redistributor/ },
  { pane: 'vCPU', text: /One affinity, five layouts/ },
  // The last of them are in sight.
  { pane: 'KVM calls', text: /KVM_SET_ONE_REG vcpu 0 PC = 0x/ },
  { pane: 'Kernel log', text: /./, linux: /Run \/init as init process/ },
]

/** As the palette does it: Ctrl K, some letters, Enter. */
const command = async (page: Page, name: string): Promise<void> => {
  await page.keyboard.press('F1')
  await page.getByRole('combobox', { name: 'Command' }).fill(name)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toHaveCount(0)
}

const look = async (page: Page, linux: boolean): Promise<void> => {
  await command(page, 'Select the next vCPU')
  for (const { pane, text, linux: more } of SHOWS) {
    await command(page, `${pane} pane`)
    const tab = page.getByRole('tab', { name: pane, exact: false }).and(page.locator('[data-state="active"]')).first()
    await expect(tab).toBeFocused()
    const panel = page.locator(`[role="tabpanel"][aria-labelledby="${await tab.getAttribute('id')}"]`)
    await expect(panel, pane).toContainText(text)
    if (linux && more !== undefined) await expect(panel, pane).toContainText(more, { timeout: 30_000 })
  }
}

test('every pane shows the bare-metal guest, reached by keyboard alone', async ({ page }) => {
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await look(page, false)
  expect(complaints).toEqual([])
})

test('every pane shows Linux, reached by keyboard alone', async ({ page }) => {
  test.setTimeout(300_000)
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  await page.goto('.')
  await ready(page)
  await look(page, true)
  expect(complaints).toEqual([])
})

test('a machine is broken, what is wrong is read, cured and gone, by keyboard alone', async ({ page }) => {
  test.setTimeout(120_000)
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await command(page, 'Aff3 without a redistributor')
  await expect(screen(page)).toContainText('3 of 4 CPUs have a redistributor', { timeout: 30_000 })
  await command(page, 'findings pane')
  const findings = page.getByRole('region', { name: 'Findings' })
  await expect(findings).toContainText('vCPU 2 will find no redistributor')
  const cure = findings.getByRole('button', { name: 'Use full-aff3', exact: true }).first()
  for (let presses = 0; presses < 6 && !(await cure.evaluate((one) => one === document.activeElement)); presses++)
    await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(findings).not.toContainText('vCPU 2 will find no redistributor')
  await page.keyboard.press('Control+Enter')
  await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor', { timeout: 30_000 })
})

test('an affinity is edited in the picture by keys, taken back and done again', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await cpuItem(page, 0).press('ArrowDown')
  await cpuItem(page, 1).press('Enter')
  const field = page.getByRole('dialog').getByRole('textbox')
  await field.fill('1.0.0.1')
  await field.press('Enter')
  await expect(cpuItem(page, 1)).toHaveAccessibleName(/planned, no frame has affinity 1\.0\.0\.1/)
  await page.getByRole('button', { name: 'Reboot', exact: true }).focus()
  await page.keyboard.press('Control+z')
  await expect(cpuItem(page, 1)).toHaveAccessibleName(/affinity 0\.0\.0\.1/)
  await page.keyboard.press('Control+Shift+z')
  await expect(cpuItem(page, 1)).toHaveAccessibleName(/affinity 1\.0\.0\.1/)
})

test('the address is the document: it comes back as it was, and a damaged one is refused', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await page.getByRole('textbox', { name: /^Affinity of vCPU 0/ }).fill('3.0.0.0')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Alt+2')
  await expect(page).toHaveURL(/#v1\./)
  await page.waitForTimeout(600)
  const link = page.url()
  await page.goto('about:blank')
  await page.goto(link)
  await expect(cpuItem(page, 0)).toHaveAccessibleName(/affinity 3\.0\.0\.0/)
  await expect(page.getByRole('button', { name: 'Layout: Debug' })).toBeVisible()
  await page.goto('about:blank')
  await page.goto(`${link.slice(0, -20)}`)
  await expect(page.getByRole('alert').first()).toContainText('This link is damaged')
})

test('a plan is reordered by keys; a refusal stands in its line, and the machine before it goes on', async ({
  page,
}) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await page.getByRole('tab', { name: 'KVM calls' }).click()
  await page.getByRole('radio', { name: 'Plan' }).click()
  await page.getByRole('textbox', { name: 'Line 10 of the plan' }).press('Alt+ArrowDown')
  await expect(page.getByRole('textbox', { name: 'Line 11 of the plan' })).toHaveValue(/KVM_CREATE_DEVICE/)
  await page.getByRole('button', { name: 'Rebuild' }).click()
  await expect(page.getByRole('alert').first()).toContainText('answered EBADF')
  await page.getByRole('radio', { name: 'Made' }).click()
  await expect(page.getByRole('region', { name: 'KVM calls' })).toContainText('EBADF (9)')
  await expect(page.getByTestId('run-state')).toContainText('running')
  await page.getByRole('radio', { name: 'Plan' }).click()
  await page.getByRole('button', { name: 'Follow the form' }).click()
  await page.getByRole('button', { name: 'Rebuild' }).click()
  await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor')
})

test('a layout is kept; one of another version is refused with a sentence', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await page.keyboard.press('Alt+2')
  await page.waitForTimeout(600)
  await page.goto('about:blank')
  await page.goto('.')
  await expect(page.getByRole('button', { name: 'Layout: Debug' })).toBeVisible()
  await page.evaluate(() => localStorage.setItem('gicscope-view', '{"version":99}'))
  await page.goto('about:blank')
  await page.goto('.')
  await expect(page.getByRole('alert').first()).toContainText('version 99, and this page knows version 1')
  await expect(page.getByRole('button', { name: 'Layout: Learn' })).toBeVisible()
})

test('a layout is saved under a name, found again by it, and forgotten, by keyboard alone', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await ready(page)
  await page.keyboard.press('Alt+2')
  await command(page, 'Registers pane')
  await page.keyboard.press('F1')
  await page.getByRole('combobox', { name: 'Command' }).fill('Save this layout')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Save this layout' })
  await dialog.getByRole('textbox', { name: 'Name of the layout' }).press('Enter')
  await expect(dialog.getByRole('alert')).toHaveText('A layout needs a name.')
  await page.keyboard.type('registers over time')
  await page.keyboard.press('Enter')
  await expect(dialog).toHaveCount(0)
  await page.keyboard.press('Alt+1')
  await page.waitForTimeout(600)
  await page.reload()
  await ready(page)
  await command(page, 'registers over time')
  await expect(page.getByRole('button', { name: 'Layout: Debug' })).toBeVisible()
  await expect(page.getByRole('tab', { name: 'Registers', exact: true })).toHaveAttribute('data-state', 'active')
  await page.keyboard.press('F1')
  await page.getByRole('combobox', { name: 'Command' }).fill('Save this layout')
  await page.keyboard.press('Enter')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await dialog.getByRole('button', { name: 'Forget registers over time' }).press('Enter')
  await expect(dialog.getByText('registers over time')).toHaveCount(0)
})
