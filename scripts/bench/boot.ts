/**
 * Debian to the shell marker: ours in Chromium and in Node beside QEMU, on the same kernel, initramfs and command line.
 * Also how soon the page answers a key while the guest is busy, and how fast each tier runs a boot.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { z } from 'zod'
import { ROOT } from '../lib/steps.mjs'
import type { Benchmark, Figures } from './figures.ts'
import { Samples, least, median, printTable } from './figures.ts'
import { defaultGuest } from './linux-guest.ts'
import { buildAndOpenPage, secondsToFirstInstruction, secondsToReady } from './places/page.ts'
import type { BuiltPage } from './places/page.ts'
import type { Page } from '@playwright/test'

const VCPUS = [1, 4] as const
const READY = 'guest: ready'
const LETTERS = 16
const FIRST = 'page to first instruction'
const hasQemu = spawnSync('qemu-system-aarch64', ['--version']).status === 0

const statistics = z.object({ wallSeconds: z.number(), mips: z.number(), instructions: z.number() })

/** The default guest as QEMU takes it. */
const qemuGuest = (folder: string): readonly string[] => {
  const { kernel, initrd, append } = defaultGuest(folder)
  return ['-kernel', kernel, '-initrd', initrd, '-append', append]
}

/** Seconds from the start of QEMU to the marker. */
const qemuBoot = (vcpus: number, guest: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const machine = ['-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '256M', '-nographic', '-nic', 'none']
    const started = performance.now()
    const qemu = spawn('qemu-system-aarch64', [...machine, '-smp', String(vcpus), ...guest])
    let text = ''
    qemu.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      if (!text.includes(READY)) return
      resolve((performance.now() - started) / 1000)
      qemu.kill()
    })
    qemu.on('exit', (status) => reject(new Error(`QEMU ended with ${status}: ${text.slice(-200)}`)))
  })

const nodeBoot = (folder: string, vcpus: number, engine: string): z.infer<typeof statistics> => {
  const file = join(folder, 'stats.json')
  const options = ['--smp', String(vcpus), '--engine', engine, '--until', READY, '--timeout', '120', '--stats', file]
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'src/cli/main.ts'), ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`the headless runner ended with ${status}`)
  return statistics.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** How soon a typed letter is on the screen while the guest computes. */
const measureEcho = async (page: Page, samples: Samples): Promise<void> => {
  await page.getByRole('textbox', { name: 'Serial console of the guest' }).focus()
  await page.keyboard.type('while :; do :; done &')
  await page.keyboard.press('Enter')
  await page.waitForTimeout(500)
  await page.evaluate(() => performance.clearMeasures('echo'))
  for (let i = 1; i <= LETTERS; i += 1) {
    await page.keyboard.press('x')
    await page.waitForFunction((n) => performance.getEntriesByName('echo').length >= n, i)
  }
  const echoes = await page.evaluate(() => performance.getEntriesByName('echo').map(({ duration }) => duration))
  for (const ms of echoes) samples.add('echo ms', ms)
}

const chromiumBoot = async (built: BuiltPage, vcpus: number, samples: Samples): Promise<void> => {
  const page = await built.open()
  samples.add(FIRST, await secondsToFirstInstruction(page))
  if (vcpus !== 4) {
    await page.getByRole('textbox', { name: 'vCPUs' }).fill(String(vcpus))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Reboot', exact: true }).click()
  }
  samples.add(`chromium ${vcpus}`, await secondsToReady(page))
  // The host's compiler has seen the engine now, as it has after any earlier boot of a session.
  await page.getByRole('button', { name: 'Reboot', exact: true }).click()
  samples.add(`chromium again ${vcpus}`, await secondsToReady(page))
  await measureEcho(page, samples)
  await page.context().close()
}

const report = (samples: Samples): void => {
  const time = (name: string): string => (samples.has(name) ? `${median(samples.of(name)).toFixed(2)} s` : '-')
  const best = (name: string): string => (samples.has(name) ? `${least(samples.of(name)).toFixed(2)} s` : '-')
  const ratio = (name: string, to: string): string =>
    samples.has(name) && samples.has(to) ? (median(samples.of(name)) / median(samples.of(to))).toFixed(2) : '-'
  printTable([
    ['start to shell', 'vCPUs', 'median', 'least', 'times QEMU'],
    ...VCPUS.flatMap((vcpus) =>
      ['qemu', 'node', 'node interpreter', 'chromium', 'chromium again'].map((name) => [
        name,
        String(vcpus),
        time(`${name} ${vcpus}`),
        best(`${name} ${vcpus}`),
        ratio(`${name} ${vcpus}`, `qemu ${vcpus}`),
      ]),
    ),
  ])
  console.log()
  printTable([
    ['through a boot in Node, 1 vCPU', 'MIPS'],
    ...['translator', 'interpreter'].map((engine) => [engine, median(samples.of(`${engine} MIPS`)).toFixed(0)]),
  ])
  if (!samples.has('echo ms')) return
  console.log(
    `\nfrom the page's address to the guest's first instruction in Chromium: ${time(FIRST)}, least ${best(FIRST)}`,
  )
  const echo = samples.of('echo ms').toSorted((a, b) => a - b)
  const slow = echo[Math.floor(echo.length * 0.95)] ?? 0
  console.log(
    `key to echo in Chromium, guest busy: median ${median(echo).toFixed(0)} ms, 95 % within ${slow.toFixed(0)} ms`,
  )
}

const run: Benchmark['run'] = async ({ rounds }): Promise<Figures> => {
  const samples = new Samples()
  if (!hasQemu) console.log('QEMU is not installed (Debian: qemu-system-arm): no ratios.')
  const folder = mkdtempSync(join(tmpdir(), 'gicscope-bench-'))
  const built = await buildAndOpenPage()
  try {
    const guest = qemuGuest(folder)
    for (let round = 0; round < rounds; round += 1) {
      for (const vcpus of VCPUS) {
        if (hasQemu) samples.add(`qemu ${vcpus}`, await qemuBoot(vcpus, guest))
        if (built !== undefined) await chromiumBoot(built, vcpus, samples)
        const translated = nodeBoot(folder, vcpus, 'translator')
        samples.add(`node ${vcpus}`, translated.wallSeconds)
        const interpreted = nodeBoot(folder, vcpus, 'interpreter')
        samples.add(`node interpreter ${vcpus}`, interpreted.wallSeconds)
        if (vcpus !== 1) continue
        samples.add('translator MIPS', translated.mips)
        samples.add('interpreter MIPS', interpreted.mips)
      }
    }
  } finally {
    await built?.close()
    rmSync(folder, { recursive: true })
  }
  report(samples)
  return samples.figures()
}

export const boot: Benchmark = { title: 'Debian 6.1 to the shell', rounds: 3, run }
