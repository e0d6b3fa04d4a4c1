/** The panes that look into the engine: timeline, CPUs, registers. */
import { readFileSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { ready, reboot, screen, shots, type } from './page.ts'

const layout = async (page: Page, name: string): Promise<void> => {
  await page.keyboard.press('Control+k')
  await page.keyboard.type(name)
  await page.keyboard.press('Enter')
}

test('the timeline of a live Linux, by keyboard', async ({ page }) => {
  await page.goto('.')
  await ready(page)
  await layout(page, 'Debug')
  await type(page, 'taskset 2 true; sleep 0.2; echo don\\e')
  const chart = page.getByRole('application', { name: 'Timeline' })
  await chart.focus()
  await expect(page.locator('#timeline-summary')).toContainText(/\d{4,} events from 0\.000000000 s/)
  await expect(page.locator('#timeline-summary')).toContainText('of 4 CPUs run')

  // An SGI, found by its words, told field by field.
  await page.keyboard.press('/')
  await page.keyboard.type('sgi 0: cpu')
  await expect(page.locator('.timeline-tools .found')).toHaveText(/^\d+$/)
  await page.keyboard.press('Enter')
  const side = page.getByRole('complementary', { name: 'What is selected' })
  await expect(side).toContainText(/SGI 0: CPU \d → CPUs? \d/)
  await expect(side).toContainText('ICC_SGI1R_EL1')
  await page.keyboard.press('Escape')
  await page.keyboard.press('f')
  await page.keyboard.press('s')
  await page.keyboard.press('s')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])

  // A part of time, by dragging: the boot is at its beginning, however long the guest has idled since.
  await page.keyboard.press('Home')
  const box = await chart.boundingBox()
  if (box === null) throw new Error('no chart')
  await page.mouse.move(box.x + 106, box.y + 60)
  await page.mouse.down()
  await page.mouse.move(box.x + 400, box.y + 80, { steps: 4 })
  await page.mouse.up()
  await expect(side).toContainText('device accesses')
  await expect(side).toContainText('CPUs running')
  await shots(page, 'timeline')

  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save the trace' }).click()
  const file = await (await download).path()
  const { traceEvents }: { traceEvents: { ph: string; tid: number }[] } = JSON.parse(readFileSync(file, 'utf8'))
  const open = new Map<number, number>()
  let least = 0
  for (const { ph, tid } of traceEvents) {
    if (ph !== 'B' && ph !== 'E') continue
    open.set(tid, (open.get(tid) ?? 0) + (ph === 'B' ? 1 : -1))
    least = Math.min(least, open.get(tid) ?? 0)
  }
  expect(least).toBe(0)
  expect([...open.values()].every((count) => count === 0)).toBe(true)
  expect(traceEvents.length).toBeGreaterThan(1000)
})

test('the CPUs of a live Linux: symbols, breakpoints, steps, registers, stack', async ({ page }) => {
  await page.goto('.')
  await ready(page)
  await layout(page, 'Debug')
  await page.getByRole('tab', { name: 'CPUs' }).click()
  const detail = page.getByRole('region', { name: /^vCPU 0: / })
  await expect(detail).toContainText('EL1')
  await expect(detail.getByRole('list', { name: 'Code around PC' })).toContainText(/wfi|ret/)

  // A breakpoint by name.
  await page.getByRole('radio', { name: 'Breakpoints' }).click()
  const field = page.getByRole('textbox', { name: 'Address or symbol of a breakpoint' })
  await field.fill('no_such_symbol_1')
  await field.press('Enter')
  await expect(page.getByText('The kernel has no symbol "no_such_symbol_1".')).toBeVisible()
  await field.fill('gic_handle_irq')
  await field.press('Enter')
  await expect(page.getByTestId('run-state')).toContainText(/paused: CPU \d is at the breakpoint 0x/)
  await page.getByRole('radio', { name: 'Code' }).click()
  const cpu = /CPU (\d)/.exec(await page.getByTestId('run-state').innerText())?.[1] ?? '?'
  await page.getByRole('button', { name: `Select vCPU ${cpu}` }).click()
  const stopped = page.getByRole('region', { name: `vCPU ${cpu}: code` })
  await expect(stopped).toContainText('gic_handle_irq:')
  await expect(stopped.locator('.code-line.here .break.on')).toBeVisible()
  const before = await stopped.locator('.code-line.here').innerText()
  await page.keyboard.press('F10')
  await expect(stopped.locator('.code-line.here')).not.toHaveText(before)
  await shots(page, 'cpus')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await page.getByRole('radio', { name: 'Stack' }).click()
  await expect(page.getByRole('region', { name: `vCPU ${cpu}: stack` })).toContainText('el1h_64_irq')
  await page.getByRole('radio', { name: 'Registers' }).click()
  await expect(page.getByRole('region', { name: `vCPU ${cpu}: registers` })).toContainText('EL1h')

  // The next access to the GIC, then on.
  await page.getByRole('radio', { name: 'Breakpoints' }).click()
  // Both drivers have a function of that name.
  const breakpoints = page.getByRole('button', { name: /^Take away the breakpoint/ })
  await expect(breakpoints).toHaveCount(2)
  await breakpoints.first().click()
  await expect(breakpoints).toHaveCount(1)
  await breakpoints.first().click()
  await page.keyboard.press('F9')
  await expect(page.getByTestId('run-state')).toContainText('has read ICC_IAR1_EL1')
  await page.keyboard.press('F8')
  await expect(page.getByTestId('run-state')).toHaveText(/running/)
})

test('the registers of a live gicsh: found, explained, written by a click, refused with errno', async ({ page }) => {
  await page.goto('.')
  await page.getByLabel('Guest', { exact: true }).selectOption('gicsh')
  await reboot(page)
  await expect(screen(page)).toContainText('gicsh>')
  await layout(page, 'Debug')
  await page.getByRole('tab', { name: 'Registers' }).click()
  await page.getByRole('searchbox', { name: 'Search registers and fields' }).fill('gicd_ctlr')
  await page.getByRole('button', { name: 'GICD_CTLR' }).click()
  const detail = page.getByRole('region', { name: 'GICD_CTLR' })
  await expect(detail).toContainText('affinity routing')
  await expect(detail).toContainText(/Last written at .* CPU 0 writes GICD_CTLR/)
  await shots(page, 'registers')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])

  // KVM takes this one.
  await detail.getByRole('button', { name: 'Bit 1, EnableGrp1' }).click()
  await expect(detail).toContainText('nothing is forwarded')
  await expect(detail).toContainText('● 0')

  // And refuses that one: IIDR differs in more than its revision.
  await page.getByRole('searchbox', { name: 'Search registers and fields' }).fill('gicd_iidr')
  await page.getByRole('button', { name: 'GICD_IIDR' }).click()
  const iidr = page.getByRole('region', { name: 'GICD_IIDR' })
  await iidr.getByRole('button', { name: /^Bit 0/ }).click()
  await expect(iidr).toContainText('-EINVAL')
  await page.getByRole('radio', { name: 'EL1' }).click()
  await page.getByRole('searchbox', { name: 'Search registers and fields' }).fill('mpidr')
  await page.getByRole('button', { name: 'MPIDR_EL1' }).click()
  await expect(page.getByRole('region', { name: 'MPIDR_EL1' })).toContainText('Aff3')

  await page.getByRole('tab', { name: 'vgic-state' }).click()
  const state = page.getByRole('region', { name: "vgic-state, as KVM's debugfs has it" })
  await expect(state).toContainText('vgic_model:\tGICv3')
  await page.getByRole('button', { name: 'Compare from here' }).click()
  await expect(page.getByText(/^0 lines differ/)).toBeVisible()
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
})
