/**
 * Where a guest of a benchmark runs: in QEMU, and in ours under Node and in Chromium, each as it is shipped, in a process or
 * page of its own. All three have the same files and the same machine; what the guest says is timed by the
 * processor time of the threads that run it.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultBlueprint } from '../../src/pure/blueprint/blueprint.ts'
import { installTools } from '../lib/debian.mjs'
import { ROOT, run as runProgram } from '../lib/steps.mjs'
import { cpuMs, isMainThread } from './cpu-clock.ts'
import type { Threads } from './cpu-clock.ts'
import { Listener } from './listener.ts'
import type { Hearer } from './listener.ts'
import { hasChromium, openBuiltPage } from './page.ts'
import type { BuiltPage } from './page.ts'
import { processesOf } from './processes.ts'

const QEMU = 'qemu-system-aarch64'
export const GCC = 'aarch64-linux-gnu-gcc'
/** A guest that has said nothing new for so long hangs. */
const SILENCE_MS = 120_000

const MEMORY = 256

export interface BenchGuest {
  readonly vcpus: number
  /** MiB of RAM. Default: 256. */
  readonly memory?: number
  /** Files: a kernel Image or an ELF, and where there is one the first root file system. */
  readonly kernel: string
  readonly initrd?: string
  readonly append?: string
}

export const PLACES = ['QEMU', 'Node', 'Chromium'] as const
export type Place = (typeof PLACES)[number]

/** Has somebody listen to a program until it ends or enough was heard, by the time that some of its threads have had. */
const listenTo = (hearer: Hearer, command: string, args: readonly string[], threads: Threads): Promise<void> =>
  new Promise((resolve, reject) => {
    const program = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const fail = (error: unknown): void => {
      program.kill('SIGKILL')
      reject(error)
    }
    const hangs = (): void =>
      fail(new Error(`${command} said nothing for ${SILENCE_MS / 1000} s after\n${hearer.tail}`))
    let timer = setTimeout(hangs, SILENCE_MS)
    program.stdout.on('data', (bytes: Buffer) => {
      clearTimeout(timer)
      timer = setTimeout(hangs, SILENCE_MS)
      try {
        hearer.feed(bytes.toString('latin1'), cpuMs(program.pid ?? 0, threads))
      } catch (error) {
        fail(error)
      }
      if (hearer.done) program.kill('SIGKILL')
    })
    program.on('error', reject)
    program.on('close', (status) => {
      clearTimeout(timer)
      if (status === 0 || hearer.done) resolve()
      else reject(new Error(`${command} ended with ${status} after\n${hearer.tail}`))
    })
  })

const inQemu = ({ vcpus, memory = MEMORY, kernel, initrd, append }: BenchGuest, hearer: Hearer): Promise<void> => {
  const machine = ['-M', 'virt,gic-version=3', '-cpu', 'cortex-a57', '-nographic', '-nic', 'none']
  const root = initrd === undefined ? [] : ['-initrd', initrd]
  const parameters = append === undefined ? [] : ['-append', append]
  const guest = ['-smp', String(vcpus), '-m', `${memory}M`, '-kernel', kernel, ...root, ...parameters]
  return listenTo(hearer, QEMU, [...machine, ...guest], () => true)
}

const inNode = ({ vcpus, memory = MEMORY, kernel, initrd, append }: BenchGuest, hearer: Hearer): Promise<void> => {
  const root = initrd === undefined ? [] : ['--initrd', initrd]
  const parameters = append === undefined ? [] : ['--append', append]
  const options = ['--smp', String(vcpus), '--memory', `${memory}M`, '--kernel', kernel, ...root, ...parameters]
  const program = ['--import', 'tsx', join(ROOT, 'src/cli/main.ts'), ...options]
  return listenTo(hearer, process.execPath, program, isMainThread)
}

const isWorker: Threads = ({ name }) => name === 'DedicatedWorker'

/** In the worker that the page ships, without the page. */
const inChromium = async (
  built: BuiltPage,
  { vcpus, memory = MEMORY, kernel, initrd, append = '' }: BenchGuest,
  hearer: Hearer,
): Promise<void> => {
  const [entry] = readdirSync(join(ROOT, 'dist/assets')).filter((name) => name.startsWith('entry-'))
  const page = await built.blank()
  let workers: readonly number[] = []
  await page.exposeFunction('heard', (text: string) => {
    if (workers.length === 0) workers = processesOf(process.pid).filter((id) => cpuMs(id, isWorker) > 0)
    hearer.feed(text, Math.max(0, ...workers.map((id) => cpuMs(id, isWorker))))
    return hearer.done
  })
  const blueprint = { ...defaultBlueprint, vcpus, memory: memory * 2 ** 20, guest: { id: 'own', append: '' } }
  const base64 = (file: string): string => readFileSync(file).toString('base64')
  const files = { kernel: base64(kernel), initrd: initrd === undefined ? undefined : base64(initrd), append }
  await page.evaluate(
    ([url, guest, machine, silence]) =>
      new Promise<void>((resolve, reject) => {
        const bytes = (coded: string): Uint8Array => Uint8Array.from(atob(coded), (c) => c.charCodeAt(0))
        const worker = new Worker(url, { type: 'module' })
        const hangs = (): void => reject(new Error(`no word for ${silence} ms`))
        let timer = setTimeout(hangs, silence)
        worker.addEventListener('error', ({ message }) => reject(new Error(message)))
        worker.addEventListener('message', ({ data }) => {
          if (data.kind === 'console') {
            clearTimeout(timer)
            timer = setTimeout(hangs, silence)
            const heard = Reflect.get(window, 'heard')(String.fromCharCode(...data.bytes))
            heard.then((done: boolean) => done && resolve(), reject)
          }
          if (data.kind === 'answer' && !data.answer.ok) reject(new Error(data.answer.what))
          if (data.kind === 'run' && data.run.state === 'off') resolve()
        })
        const loaded = {
          kernel: bytes(guest.kernel),
          ...(guest.initrd === undefined ? {} : { initrd: bytes(guest.initrd) }),
          append: guest.append,
        }
        const command = { command: 'build', blueprint: machine, guest: loaded, engine: 'translator', run: true }
        worker.postMessage({ id: 1, command })
      }),
    [`assets/${entry}`, files, blueprint, SILENCE_MS] as const,
  )
  await page.context().close()
}

export interface Places {
  /** Those that are there. */
  readonly names: readonly Place[]
  /** A folder for files, gone at the end. */
  readonly folder: string
  /** Until the guest is off, or enough was heard. */
  run(place: Place, guest: BenchGuest, hearer: Hearer): Promise<void>
  /** What a guest says of its parts. */
  parts(place: Place, guest: BenchGuest): Promise<Listener>
}

/** Has `use` measure in every place; installs and builds what that needs. */
export const withPlaces = async <T>(use: (places: Places) => Promise<T>): Promise<T> => {
  const missing = installTools({ [GCC]: 'gcc-aarch64-linux-gnu', [QEMU]: 'qemu-system-arm' })
  if (missing.length > 0) throw new Error(`${missing.join(', ')} must be installed for this benchmark`)
  if (!hasChromium) console.log('Chromium is not installed (Debian: chromium): Node only.')
  if (hasChromium && !runProgram('npm', ['run', '--silent', 'build', '--', '--logLevel', 'error']))
    throw new Error('the page could not be built')
  const folder = mkdtempSync(join(tmpdir(), 'gicscope-bench-'))
  const built = hasChromium ? await openBuiltPage() : undefined
  try {
    const run: Places['run'] = (place, guest, hearer) => {
      if (place === 'QEMU') return inQemu(guest, hearer)
      if (place === 'Node' || built === undefined) return inNode(guest, hearer)
      return inChromium(built, guest, hearer)
    }
    return await use({
      names: PLACES.filter((place) => place !== 'Chromium' || built !== undefined),
      folder,
      run,
      parts: async (place, guest) => {
        const listener = new Listener()
        await run(place, guest, listener)
        return listener
      },
    })
  } finally {
    await built?.close()
    rmSync(folder, { recursive: true })
  }
}
