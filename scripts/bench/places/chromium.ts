/** Ours in Chromium: the worker that the page ships, without the page. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { defaultBlueprint } from '../../../src/pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../../src/pure/blueprint/blueprint.ts'
import type { Command } from '../../../src/pure/protocol/commands.ts'
import { ROOT } from '../../lib/steps.mjs'
import { clockOfNext } from './cpu-clock.ts'
import type { Threads } from './cpu-clock.ts'
import type { Hearer } from './listener.ts'
import type { BuiltPage } from './page.ts'
import { MEMORY, SILENCE_MS } from './place.ts'
import type { BenchGuest } from './place.ts'

const isWorker: Threads = ({ name }) => name === 'DedicatedWorker'

export const inChromium = async (
  built: BuiltPage,
  { vcpus, memory = MEMORY, kernel, initrd, append = '' }: BenchGuest,
  hearer: Hearer,
): Promise<void> => {
  const [entry] = readdirSync(join(ROOT, 'dist/assets')).filter((name) => name.startsWith('entry-'))
  const page = await built.blank()
  const clock = clockOfNext(isWorker)
  await page.exposeFunction('heard', (text: string) => {
    hearer.feed(text, clock())
    return hearer.done
  })
  const blueprint: Blueprint = {
    ...defaultBlueprint,
    vcpus,
    memory: memory * 2 ** 20,
    guest: { id: 'own', append: '' },
  }
  const base64 = (file: string): string => readFileSync(file).toString('base64')
  const files = { kernel: base64(kernel), initrd: initrd === undefined ? undefined : base64(initrd), append }
  const running = page.evaluate(
    ([url, guest, machine, silence]) =>
      new Promise<void>((resolve, reject) => {
        const bytes = (coded: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(coded), (c) => c.charCodeAt(0))
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
        const send = (command: Command): void => worker.postMessage({ id: 0, command })
        const keep = (name: string, file: string): string => {
          send({ command: 'keepFile', name, bytes: bytes(file) })
          return name
        }
        const named = {
          kernel: keep('kernel', guest.kernel),
          ...(guest.initrd === undefined ? {} : { initrd: keep('initrd', guest.initrd) }),
          append: guest.append,
        }
        send({ command: 'build', blueprint: machine, guest: named, engine: 'translator', run: true })
      }),
    [`assets/${entry}`, files, blueprint, SILENCE_MS] as const,
  )
  try {
    await running
  } catch (error) {
    throw new Error(`Chromium, after\n${hearer.tail}`, { cause: error })
  }
  await page.context().close()
}
