/** What a person does to the interrupts of a machine that runs, and where its logs lead. */
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { ready, screen, shots, withoutLinux } from './page.ts'

const command = async (page: Page, words: string): Promise<void> => {
  await page.keyboard.press('Control+k')
  await page.keyboard.type(words)
  await page.keyboard.press('Enter')
}

test('an SGI is sent as another CPU sends it, a fault is injected and taken back, by keyboard', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor')
  await page.getByRole('button', { name: 'Put the message away' }).click()
  await command(page, 'Debug layout')
  await command(page, 'Interrupts pane')
  await page.getByRole('button', { name: '3 SGI 3' }).focus()
  await page.keyboard.press('Enter')
  const sgi = page.getByRole('group', { name: 'INTID 3' })
  await sgi.getByRole('combobox', { name: 'The vCPU that sends' }).selectOption('2')
  await sgi.getByRole('button', { name: 'Write ICC_SGI1R_EL1' }).focus()
  await page.keyboard.press('Enter')
  await expect(sgi).toContainText('SGI 3: CPU 2 → CPU 0')
  await expect(sgi).toContainText('0x3000001')
  await sgi.getByRole('combobox', { name: 'Who gets it' }).selectOption('others')
  await sgi.getByRole('button', { name: 'Write ICC_SGI1R_EL1' }).click()
  await expect(sgi).toContainText('SGI 3: CPU 2 → CPUs 0, 1, 3')
  await sgi.getByRole('button', { name: 'Set pending' }).click()
  await expect(sgi).toContainText('● 0')
  await shots(page, 'sgi')

  await page.getByRole('button', { name: '33 SPI 1' }).click()
  const spi = page.getByRole('group', { name: 'INTID 33' })
  await expect(spi).toContainText('vCPU 0 has the affinity 0.0.0.0, and no other has it.')
  await command(page, 'Route an SPI to nobody')
  await expect(spi).toContainText('No vCPU has the affinity 0.0.1.0.')
  await expect(page.getByText(/SPI 1 \(INTID 33\) is routed to 0\.0\.1\.0, where no vCPU was found/)).toBeVisible()
  await page.getByRole('button', { name: /^Inject a fault/ }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menuitem', { name: /^Drop Aff3/ })).toBeDisabled()
  // An open menu is a layer above the page, outside of its landmarks.
  expect((await new AxeBuilder({ page }).disableRules('region').analyze()).violations).toEqual([])
  await page.keyboard.press('Escape')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  // The finding has a cure, which can be taken back like the fault itself.
  await page.getByRole('button', { name: 'Route it to vCPU 0' }).click()
  await expect(spi).toContainText('vCPU 0 has the affinity 0.0.0.0, and no other has it.')
  await page.keyboard.press('Control+z')
  await expect(spi).toContainText('No vCPU has the affinity 0.0.1.0.')
  await page.getByRole('button', { name: 'Take it back' }).click()
  await expect(spi).toContainText('vCPU 0 has the affinity 0.0.0.0, and no other has it.')

  // A fault of the next machine builds it, and undo with a reboot brings the old one back.
  await command(page, 'too small')
  await expect(page.getByRole('alert')).toContainText(/answered E/)
  await page.keyboard.press('Control+z')
  await command(page, 'Boot the machine')
  await expect(page.getByRole('alert')).toHaveText('')
})

test('registers of the host, of EL1 and of an ITS: what they mean, who wrote them, and a bit to click', async ({
  page,
}) => {
  await withoutLinux(page)
  await page.goto('.')
  await page.getByRole('combobox', { name: 'Version of the interrupt controller' }).selectOption('3 + ITS')
  await page.getByRole('button', { name: 'Reboot', exact: true }).click()
  await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor')
  await command(page, 'Debug layout')
  await command(page, 'Registers pane')
  const show = async (book: string, register: string) => {
    await page.getByRole('radio', { name: book, exact: true }).click()
    await page.getByRole('searchbox', { name: 'Search registers and fields' }).fill(register)
    await page.getByRole('button', { name: register, exact: true }).click()
    return page.getByRole('region', { name: register, exact: true })
  }
  const vtr = await show('ICH', 'ICH_VTR_EL2')
  await expect(vtr).toContainText('4 list registers')
  await expect(vtr).toContainText('KVM writes it by itself')
  const vbar = await show('EL1', 'VBAR_EL1')
  await expect(vbar).toContainText(/Last written at .*: CPU 0 writes VBAR_EL1, PC 0x/)
  const pfr = await show('EL1', 'ID_AA64PFR0_EL1')
  await expect(pfr).toContainText('ICC_*_EL1')
  const ring = await show('GITS', 'GITS_CBASER')
  await ring.getByRole('button', { name: 'Bit 63, Valid' }).click()
  await expect(ring).toContainText('● 0')
  await expect(ring).toContainText(/Last written at .*: KVM_SET_DEVICE_ATTR/)
  await shots(page, 'registers-its')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
})

test('a plan is reordered and changed by keyboard, and what comes of it is told at once', async ({ page }) => {
  await withoutLinux(page)
  await page.goto('.')
  await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor')
  await command(page, 'KVM calls pane')
  await page.getByRole('radio', { name: 'Plan' }).click()
  const line = (number: number) => page.getByRole('textbox', { name: `Line ${number} of the plan` })
  await expect(line(2)).toHaveValue('KVM_CREATE_VCPU id 0')
  await line(2).focus()
  await page.keyboard.press('Alt+ArrowDown')
  await expect(line(3)).toHaveValue('KVM_CREATE_VCPU id 0')
  await expect(line(3)).toBeFocused()
  await page.keyboard.press('Alt+ArrowUp')
  await expect(line(2)).toBeFocused()
  await expect(line(2)).toHaveValue('KVM_CREATE_VCPU id 0')

  // vCPU ids in another order are no mistake; an affinity that mainline does not show is.
  await page.getByRole('button', { name: 'Add a line after line 9' }).click()
  await line(10).fill('KVM_SET_ONE_REG vcpu 3 MPIDR_EL1 = 0x180000003')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: /finding/ })).toHaveAttribute(
    'title',
    /vCPU 3 will find no redistributor/,
  )
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await page.getByRole('button', { name: 'Rebuild' }).click()
  await expect(screen(page)).toContainText('3 of 4 CPUs have a redistributor')
  await page.getByRole('button', { name: 'Follow the form again' }).first().click()
  await expect(page.getByText('Every vCPU finds its redistributor')).toBeVisible()
})

test('the logs of a live Linux lead to the CPU and the moment they speak of', async ({ page }) => {
  await page.goto('.')
  await ready(page)
  await command(page, 'Debug layout')
  const log = page.getByRole('region', { name: 'Kernel log' })
  const mention = log.getByRole('button', { name: 'CPU1', exact: true }).first()
  // Only what can be seen of a long log is there: back from its end, as a person scrolls.
  await log.hover()
  for (let turns = 0; turns < 100 && (await mention.count()) === 0; turns++) {
    await page.mouse.wheel(0, -200)
    await page.waitForTimeout(50)
  }
  // Rows are measured when they come into sight, and may move once more under the pointer: a person would press again.
  await expect(async () => {
    await mention.click({ timeout: 5_000 })
    await expect(page.getByRole('region', { name: 'vCPU 1' })).toBeVisible({ timeout: 5_000 })
  }).toPass()
  await expect(page.getByRole('button', { name: 'live', exact: true })).toHaveAttribute('aria-pressed', 'false')
  await shots(page, 'log-line')
})
