import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import { cpuItem, ready, reboot, screen, shots, type } from './page.ts'

/** Three boots of Linux. */
test.setTimeout(900_000)

const LOST = 'has no re-distributor!'

test('a guest boots, loses a redistributor with Aff3 under mainline, and finds it under full-aff3', async ({
  page,
}) => {
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))

  await test.step('the page opens on a machine that boots to its shell', async () => {
    await page.goto('.')
    await ready(page)
    await expect(page.getByTestId('run-state')).toContainText('running')
  })

  await test.step('the shell answers what is typed', async () => {
    await type(page, 'echo cpus $(grep -c ^processor /proc/cpuinfo)')
    await expect(screen(page)).toContainText('cpus 4')
  })

  await test.step('every vCPU has its frame', async () => {
    await expect(page.getByRole('treeitem')).toHaveCount(4)
    for (const index of [0, 1, 2, 3]) {
      await expect(cpuItem(page, index)).toHaveAccessibleName(
        new RegExp(`affinity 0\\.0\\.0\\.${index}.*frame ${index}`),
      )
    }
    await shots(page, 'whole')
  })

  await test.step('Aff3 of vCPU 2 is set for the next boot; the picture follows at once', async () => {
    await cpuItem(page, 2).click()
    const field = page.getByRole('textbox', { name: /^Affinity of vCPU 2/ })
    await field.fill('1.0.0')
    await expect(page.getByText('"1.0.0" has 3 fields')).toBeVisible()
    await field.fill('1.0.0.2')
    await page.getByRole('region', { name: 'vCPU 2' }).getByRole('button', { name: 'next boot', exact: true }).click()
    await expect(cpuItem(page, 2)).toHaveAccessibleName(/planned, no frame has affinity 1\.0\.0\.2/)
    await expect(page.getByText(/vCPU 2 will find no redistributor/)).toBeVisible()
  })

  await test.step('the guest finds no redistributor under mainline and says so', async () => {
    await reboot(page)
    await expect(page.getByRole('region', { name: 'Kernel log' })).toContainText(`CPU2: mpidr 100000002 ${LOST}`, {
      timeout: 120_000,
    })
    await expect(cpuItem(page, 2)).toHaveAccessibleName(/no frame has affinity 1\.0\.0\.2/)
    await expect(page.getByText(/no frame has affinity 1\.0\.0\.2: its GICR_TYPER reads 0\.0\.0\.2/)).toBeVisible()
    await shots(page, 'broken')
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
    }
    if (process.env['DOCS_SCREENSHOT'] !== undefined) {
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.screenshot({ path: 'docs/screenshot.png' })
      await page.setViewportSize({ width: 1280, height: 800 })
    }
  })

  await test.step('it is whole again under full-aff3', async () => {
    await page.getByRole('radio', { name: 'full-aff3' }).click()
    await reboot(page)
    await ready(page)
    await expect(cpuItem(page, 2)).toHaveAccessibleName(/affinity 1\.0\.0\.2, (running|waiting), frame 2/)
    await type(page, 'echo cpus $(grep -c ^processor /proc/cpuinfo)')
    await expect(screen(page)).toContainText('cpus 4')
  })

  await test.step('the logs of both boots stand side by side, and what only one kernel said is marked', async () => {
    await page.getByRole('tab', { name: 'Compare' }).click()
    await page.getByRole('radio', { name: 'Boot logs' }).click()
    const logs = page.getByRole('region', { name: 'Boot logs compared' })
    await expect(logs).toContainText('before mainline')
    await expect(logs).toContainText(`CPU2: mpidr 100000002 ${LOST}`)
    await expect(logs).toContainText('GICv3: CPU2: found redistributor 100000002')
    await shots(page, 'compared-logs')
  })

  await test.step('an edit of now is answered with an errno and its reason', async () => {
    const vcpu = page.getByRole('region', { name: 'vCPU 2' })
    await page.getByRole('textbox', { name: /^Affinity of vCPU 2/ }).fill('2.0.0.2')
    await vcpu.getByRole('button', { name: 'now', exact: true }).click()
    await expect(vcpu).toContainText('-EBUSY (16)')
    await expect(vcpu).toContainText('in effect 0x180000002')
    await expect(page.getByRole('log', { name: 'Refusals of KVM' })).toContainText('-EBUSY (16)')
  })

  expect(complaints).toEqual([])
})

test('Linux boots with a GICv2 on a host that the page takes for it', async ({ page }) => {
  await page.goto('.')
  await page.getByRole('combobox', { name: 'Version of the interrupt controller' }).selectOption('2')
  await expect(page.getByRole('combobox', { name: 'Host' })).toHaveValue('HC')
  await reboot(page)
  await ready(page)
  await type(page, "grep -c 'GIC-0.*arch_timer' /proc/interrupts")
  await expect(screen(page)).toContainText(/arch_timer' \/proc\/interrupts\s*1/)
  await expect(page.getByText('A GICv2 has no redistributors')).toBeVisible()
})

test('the embedded program runs, is changed and runs again, and its mistakes are named', async ({ page }) => {
  await page.route('**/guests/linux/**', (route) => route.fulfill({ status: 404 }))
  await page.goto('.')
  await ready(page)
  await expect(screen(page)).toContainText('4 of 4 CPUs have a redistributor')
  await expect(page.getByRole('alert')).toContainText('No Linux is prepared here')
  await page.getByRole('tab', { name: 'Program' }).click()
  const program = page.getByRole('textbox', { name: 'The program in A64 assembly' })
  await expect(program).toHaveValue(/^\/\/ gicsh/)
  const said = 'mine'
  const put = Array.from(said, (letter) => `mov w0, #${letter.charCodeAt(0)}\nstr w0, [x1]`)
  await program.fill(['ldr x1, =0x09000000', ...put, 'b .'].join('\n'))
  await page.getByRole('button', { name: 'Assemble and run' }).click()
  await expect(screen(page)).toContainText(said)
  await program.fill('frobnicate x0')
  await page.getByRole('button', { name: 'Assemble and run' }).click()
  await expect(page.getByRole('alert')).toContainText('Line 1, column 1')
  await expect(page.getByTestId('run-state')).toContainText('running')
})
