/** A machine is kept and gone on with, and runs until something happens. */
import { readFileSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import type { Page } from '@playwright/test'
import { reboot, screen, shots, type, withoutLinux } from './page.ts'

const gicsh = async (page: Page): Promise<void> => {
  await withoutLinux(page)
  await page.goto('.')
  await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor')
  await page.getByRole('button', { name: 'Put the message away' }).click()
}

test('a machine is kept, saved, refused elsewhere by name, and goes on where it was', async ({ page }) => {
  await gicsh(page)
  await page.keyboard.press('Alt+s')
  const dialog = page.getByRole('dialog', { name: 'Snapshots' })
  await dialog.getByRole('button', { name: 'Take one now' }).click()
  const slot = dialog.getByRole('listitem', { name: /^gicsh at / })
  await expect(slot).toContainText('4 vCPUs, GICv3, mainline on Linux 6.12, GICv3, A3V = 1')
  await shots(page, 'snapshots')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  const download = page.waitForEvent('download')
  await slot.getByRole('button', { name: /^Save / }).click()
  const file = readFileSync(await (await download).path())
  await page.keyboard.press('Escape')

  // A host without A3V cannot have this machine: KVM names the register.
  await page.getByRole('combobox', { name: 'Host' }).selectOption('H0')
  await page.keyboard.press('Alt+s')
  await slot.getByRole('button', { name: 'Restore onto the form’s host' }).click()
  await expect(slot).toContainText('refusedICC_CTLR_EL1 of vCPU 0wanted0x8400had0x400')
  await expect(slot).toContainText('-EINVAL')
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await shots(page, 'snapshots-refused')

  // In an order of one's own: a line that says nothing is named, and the order of a VMM is where it begins.
  const order = dialog.getByRole('combobox', { name: 'Order of restoring' })
  await order.selectOption('crosvm')
  await order.selectOption('an own list')
  const stages = dialog.getByRole('textbox', { name: 'The order of restoring, a stage a line' })
  await expect(stages).toHaveValue(/^# crosvm\n/)
  await stages.fill('vcpus\nhope')
  await expect(slot).toContainText('Line 2: "hope" is no stage')
  await expect(slot.getByRole('button', { name: 'Restore', exact: true })).toBeDisabled()
  await order.selectOption('Firecracker')
  await slot.getByRole('button', { name: 'Restore', exact: true }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('combobox', { name: 'Host' })).toHaveValue('H1')
  await type(page, 'help')
  await expect(screen(page)).toContainText('sgi')

  // A file of one is dropped, on a page that has another machine.
  await page.getByRole('combobox', { name: 'Model of the CPUs' }).selectOption('max')
  await page.getByRole('textbox', { name: 'vCPUs' }).fill('2')
  await page.keyboard.press('Enter')
  await reboot(page)
  await expect(screen(page)).toContainText('2 of 2 CPUs have a redistributor')
  const dropped = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], 'mine.gicscope'))
    return transfer
  }, file.toString('base64'))
  await page.dispatchEvent('body', 'drop', { dataTransfer: dropped })
  const mine = dialog.getByRole('listitem', { name: 'mine.gicscope' })
  await mine.getByText(/registers differ from the machine that runs/).click()
  await expect(mine).toContainText('number of vCPUs: 0x2, 0x4')
  await mine.getByRole('button', { name: 'Restore', exact: true }).click()
  await expect(page.getByRole('combobox', { name: 'Model of the CPUs' })).toHaveValue('cortex-a57')
  await expect(page.getByText(/vCPUs: \d run, \d wait, 0 off/)).toBeVisible()
})

/** Changes what the browser keeps, as a page of another version or a disk that fails would. */
const spoil = (page: Page, what: 'version' | 'file'): Promise<void> =>
  page.evaluate(
    (field) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open('gicscope')
        request.addEventListener('error', () => reject(request.error ?? new Error('it does not open')))
        request.addEventListener('success', () => {
          const transaction = request.result.transaction('snapshots', 'readwrite')
          transaction.addEventListener('complete', () => {
            request.result.close()
            resolve()
          })
          const cursor = transaction.objectStore('snapshots').openCursor()
          cursor.addEventListener('success', () => {
            const row: Record<string, unknown> = cursor.result?.value
            cursor.result?.update({ ...row, [field]: field === 'version' ? 99 : new Blob(['GICscope snapshot\n']) })
          })
        })
      }),
    what,
  )

test('a snapshot is there after a reload, a spoilt one is refused by name, and one that is forgotten stays away', async ({
  page,
}) => {
  await gicsh(page)
  await page.keyboard.press('Alt+s')
  const dialog = page.getByRole('dialog', { name: 'Snapshots' })
  const slot = dialog.getByRole('listitem', { name: /^gicsh at / })
  await dialog.getByRole('button', { name: 'Take one now' }).click()
  await expect(slot).toContainText('4 vCPUs, GICv3')
  await expect(dialog).toContainText('1 of 8 are kept by the browser')
  const again = async (): Promise<void> => {
    await page.reload()
    await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor')
    await page.keyboard.press('Alt+s')
  }

  await again()
  await slot.getByRole('button', { name: 'Restore', exact: true }).click()
  await expect(dialog).toBeHidden()
  await type(page, 'help')
  await expect(screen(page)).toContainText('sgi')

  await spoil(page, 'file')
  await again()
  await expect(slot).toContainText('truncated')
  await expect(slot.getByRole('button', { name: 'Restore', exact: true })).toHaveCount(0)
  await spoil(page, 'version')
  await again()
  await expect(slot).toContainText('It is of version 99, and this page knows version 1.')
  await shots(page, 'snapshots-spoilt')
  await slot.getByRole('button', { name: /^Forget / }).click()
  await expect(slot).toHaveCount(0)
  await again()
  await expect(dialog).toContainText('None is kept yet.')
})

test('where the browser keeps nothing, a snapshot is there until the page is closed, which is said', async ({
  page,
}) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new Error('storage is off')
    }
  })
  await gicsh(page)
  await page.keyboard.press('Alt+s')
  const dialog = page.getByRole('dialog', { name: 'Snapshots' })
  await dialog.getByRole('button', { name: 'Take one now' }).click()
  const slot = dialog.getByRole('listitem', { name: /^gicsh at / })
  await expect(slot).toContainText(
    'It is here until the page is closed: the browser does not keep it (storage is off).',
  )
  await slot.getByRole('button', { name: 'Restore', exact: true }).click()
  await expect(dialog).toBeHidden()
})

test('a machine runs until a CPU takes an interrupt, and until the console says something', async ({ page }) => {
  await gicsh(page)
  await page.getByRole('button', { name: 'Run until' }).click()
  const until = page.getByRole('dialog', { name: 'Run until' })
  await until.getByRole('textbox', { name: 'a CPU takes INTID' }).fill('3')
  await page.keyboard.press('Enter')
  await type(page, 'sgi 3 all')
  await expect(page.getByTestId('run-state')).toContainText(/paused: CPU \d acknowledges SGI 3 at priority/)
  await page.getByRole('button', { name: 'Run until' }).click()
  await until.getByRole('textbox', { name: 'the console has a line with' }).fill('gicsh>')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('run-state')).toHaveText(/running/)
  await type(page, 'help')
  await expect(page.getByTestId('run-state')).toContainText(/paused: .*gicsh>/)
  await page.getByRole('button', { name: 'Run until' }).click()
  await until.getByRole('textbox', { name: 'it is, in virtual seconds' }).fill('0')
  await expect(until.getByRole('textbox', { name: 'a CPU takes INTID' })).toBeVisible()
  expect((await new AxeBuilder({ page }).disableRules('region').analyze()).violations).toEqual([])
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert')).toContainText('That moment has passed')
})

test('from an event of the timeline a machine runs on to the next like it, and to the same moment again', async ({
  page,
}) => {
  await gicsh(page)
  await page.keyboard.press('Alt+2')
  await type(page, 'sgi 3 all')
  await expect(screen(page)).toContainText('SGI 3 taken by')
  await page.getByRole('searchbox', { name: 'Search events' }).fill('acknowledges SGI 3')
  const found = page.locator('.timeline-tools .found')
  await expect(found).toHaveText(/^[1-9]\d*$/)
  await page.keyboard.press('Enter')
  const details = page.getByRole('complementary', { name: 'What is selected' })
  await expect(details).toContainText('acknowledges SGI 3')
  await details.getByRole('button', { name: 'Run until the next like it' }).click()
  await type(page, 'sgi 2 all')
  await type(page, 'sgi 3 all')
  const state = page.getByTestId('run-state')
  await expect(state).toContainText(/paused: CPU \d acknowledges SGI 3 at priority/)
  await page.getByRole('application', { name: 'Timeline' }).focus()
  await page.keyboard.press('Alt+F9')
  await expect(state).toContainText('paused: The time is up.')
  // What led to it was typed again, and what came after it not.
  await expect(screen(page)).toContainText('sgi 3 all')
  await expect(screen(page)).not.toContainText('sgi 2 all')
})
