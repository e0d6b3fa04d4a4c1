/**
 * Bare-metal kernels: ours in Chromium and in Node beside QEMU, the same file, by the host's clock. The guest says on
 * its UART when each kernel begins and ends; the sums they compute must agree.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createVmm } from '../../src/engine/vmm/vmm.ts'
import { defaultBlueprint } from '../../src/pure/blueprint/blueprint.ts'
import { installTools } from '../lib/debian.mjs'
import { ROOT, run as runProgram } from '../lib/steps.mjs'
import type { Benchmark, Figures } from './figures.ts'
import { geometricMean, least, printTable } from './figures.ts'
import { hasChromium, openBuiltPage } from './page.ts'
import type { BuiltPage } from './page.ts'

const SOURCES = join(ROOT, 'scripts/bench/kernels')
const GCC = 'aarch64-linux-gnu-gcc'
const QEMU = 'qemu-system-aarch64'
/** The first repetition is cold; of the others the fastest counts. */
const REPEAT = 4
const FLAGS = [
  `-DREPEAT=${REPEAT}`,
  '-O2 -march=armv8-a -ffreestanding -nostdlib -static -fno-pic -fno-pie -fno-math-errno -fno-stack-protector',
  '-fno-tree-loop-distribute-patterns -mno-outline-atomics -Wl,--build-id=none -Wl,--no-warn-rwx-segments',
].flatMap((words) => words.split(' '))

const compile = (folder: string): string => {
  const elf = join(folder, 'kernels.elf')
  const files = readdirSync(SOURCES).filter((name) => /\.[cs]$/.test(name))
  const args = [
    ...FLAGS,
    `-Wl,-T,${join(SOURCES, 'kernels.ld')}`,
    '-o',
    elf,
    ...files.map((name) => join(SOURCES, name)),
  ]
  const { status, stderr } = spawnSync(GCC, args)
  if (status !== 0) throw new Error(`${GCC}: ${stderr.toString()}`)
  return elf
}

/** What the guest said, each line with the milliseconds of its arrival. */
class Listener {
  private text = ''
  private begun = { name: '', at: 0 }
  readonly seconds = new Map<string, number[]>()
  readonly sums = new Map<string, string>()

  feed(text: string, at: number): void {
    const lines = (this.text + text).split('\n')
    this.text = lines.pop() ?? ''
    for (const line of lines) {
      const [word, value = ''] = line.trim().split(' ')
      if (word === 'begin') this.begun = { name: value, at }
      if (word !== 'end') continue
      const { name } = this.begun
      this.seconds.set(name, [...(this.seconds.get(name) ?? []), (at - this.begun.at) / 1000])
      const before = this.sums.get(name)
      if (before !== undefined && before !== value) throw new Error(`${name} computes ${before}, then ${value}`)
      this.sums.set(name, value)
    }
  }
}

const onQemu = (elf: string): Promise<Listener> =>
  new Promise((resolve) => {
    const listener = new Listener()
    const machine = ['-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-m', '256M', '-nographic', '-nic', 'none']
    const qemu = spawn(QEMU, [...machine, '-kernel', elf])
    qemu.stdout.on('data', (bytes: Buffer) => listener.feed(bytes.toString('latin1'), performance.now()))
    qemu.on('exit', () => resolve(listener))
  })

const BLUEPRINT = { ...defaultBlueprint, vcpus: 1, guest: { id: 'own', append: '' } } as const

const inNode = (elf: string): Listener => {
  const listener = new Listener()
  const made = createVmm({
    blueprint: BLUEPRINT,
    engine: 'translator',
    guest: { kernel: readFileSync(elf), append: '' },
    onConsole: (bytes) => listener.feed(Buffer.from(bytes).toString('latin1'), performance.now()),
  })
  if (!made.ok) throw new Error(made.what)
  while (made.vmm.run(1e7, Infinity) === 'time');
  return listener
}

/** In the worker that the page ships, without the page. */
const inChromium = async (built: BuiltPage, elf: string): Promise<Listener> => {
  const [entry] = readdirSync(join(ROOT, 'dist/assets')).filter((name) => name.startsWith('entry-'))
  const page = await built.blank()
  const listener = new Listener()
  await page.exposeFunction('heard', (text: string, at: number) => listener.feed(text, at))
  await page.evaluate(
    ([url, kernel, blueprint]) =>
      new Promise<void>((resolve, reject) => {
        const worker = new Worker(url, { type: 'module' })
        worker.addEventListener('error', ({ message }) => reject(new Error(message)))
        worker.addEventListener('message', ({ data }) => {
          if (data.kind === 'console')
            Reflect.get(window, 'heard')(String.fromCharCode(...data.bytes), performance.now())
          if (data.kind === 'answer' && !data.answer.ok) reject(new Error(data.answer.what))
          if (data.kind === 'run' && data.run.state === 'off') resolve()
        })
        const guest = { kernel: Uint8Array.from(atob(kernel), (c) => c.charCodeAt(0)), append: '' }
        worker.postMessage({ id: 1, command: { command: 'build', blueprint, guest, engine: 'translator', run: true } })
      }),
    [`assets/${entry}`, readFileSync(elf).toString('base64'), BLUEPRINT] as const,
  )
  await page.context().close()
  return listener
}

const run: Benchmark['run'] = async ({ rounds }): Promise<Figures> => {
  const missing = installTools({ [GCC]: 'gcc-aarch64-linux-gnu', [QEMU]: 'qemu-system-arm' })
  if (missing.length > 0) throw new Error(`${missing.join(', ')} must be installed for this benchmark`)
  if (hasChromium && !runProgram('npm', ['run', '--silent', 'build', '--', '--logLevel', 'error']))
    throw new Error('the page could not be built')
  const folder = mkdtempSync(join(tmpdir(), 'gicscope-bench-'))
  const built = hasChromium ? await openBuiltPage() : undefined
  const warm = new Map<string, Map<string, number[]>>()
  const cold = new Map<string, Map<string, number[]>>()
  let sums: ReadonlyMap<string, string> | undefined
  const note = (where: string, { seconds, sums: computed }: Listener): void => {
    sums ??= computed
    for (const [kernel, all] of seconds) {
      if (sums.get(kernel) !== computed.get(kernel)) throw new Error(`${kernel} computes something else ${where}`)
      const put = (to: typeof warm, value: number): void => {
        const row = to.get(kernel) ?? new Map<string, number[]>()
        to.set(kernel, row)
        row.set(where, [...(row.get(where) ?? []), value])
      }
      put(cold, all[0] ?? 0)
      put(warm, least(all.slice(1)))
    }
  }
  try {
    const elf = compile(folder)
    for (let round = 0; round < rounds; round += 1) {
      note('in QEMU', await onQemu(elf))
      note('in Node', inNode(elf))
      if (built !== undefined) note('in Chromium', await inChromium(built, elf))
    }
  } finally {
    await built?.close()
    rmSync(folder, { recursive: true })
  }
  return report(warm, cold)
}

const report = (warm: ReadonlyMap<string, Map<string, number[]>>, cold: typeof warm): Figures => {
  const figures: Record<string, number> = {}
  const places = ['in Node', 'in Chromium'] as const
  const speed = (from: typeof warm, kernel: string, place: string): number => {
    const row = from.get(kernel)
    const ours = row?.get(place)
    return ours === undefined ? 0 : least(row?.get('in QEMU') ?? []) / least(ours)
  }
  const rows = [...warm.keys()].map((kernel) => [
    kernel,
    `${(least(warm.get(kernel)?.get('in QEMU') ?? []) * 1000).toFixed(0)} ms`,
    ...[warm, cold].flatMap((from) =>
      places.map((place) => {
        const ratio = speed(from, kernel, place)
        figures[`${kernel} ${place}${from === cold ? ', cold' : ''}`] = ratio
        return ratio === 0 ? '-' : ratio.toFixed(2)
      }),
    ),
  ])
  const means = [warm, cold].flatMap((from) =>
    places.map((place) => geometricMean([...warm.keys()].map((kernel) => speed(from, kernel, place)))),
  )
  printTable([
    ["times QEMU's speed", 'QEMU', 'Node', 'Chromium', 'Node, cold', 'Chromium, cold'],
    ...rows,
    ['geometric mean', '', ...means.map((mean) => mean.toFixed(2))],
  ])
  return figures
}

export const kernels: Benchmark = { title: 'bare-metal kernels, speed beside QEMU', rounds: 2, run }
