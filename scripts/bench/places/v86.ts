/** v86 under Node and in Chromium: its guests are i386. It shares its thread with whatever else the page does. */
import { basename, join } from 'node:path'
import { ROOT } from '../../lib/steps.mjs'
import { clockOfNext, isMainThread } from './cpu-clock.ts'
import type { Hearer } from './listener.ts'
import type { BuiltPage } from './page.ts'
import { MEMORY, SILENCE_MS, listenTo } from './place.ts'
import type { BenchGuest } from './place.ts'

/** Files of v86 and of the firmware that it starts a guest with. */
export interface V86Files {
  readonly library: string
  readonly wasm: string
  readonly bios: string
  readonly vga: string
}

export type V86Guest = Required<Omit<BenchGuest, 'vcpus' | 'memory'>>

/** What Linux says where nothing takes the power off. */
const HALTED = 'reboot: System halted'

export const inV86UnderNode = (files: V86Files, guest: V86Guest, hearer: Hearer): Promise<void> => {
  const options = JSON.stringify({ ...files, ...guest, memory: MEMORY * 2 ** 20, halted: HALTED })
  const program = [join(ROOT, 'scripts/bench/places/v86-guest.mjs'), options]
  return listenTo(hearer, process.execPath, program, isMainThread)
}

export const inV86InChromium = async (
  built: BuiltPage,
  files: V86Files,
  guest: V86Guest,
  hearer: Hearer,
): Promise<void> => {
  const { append, ...images } = guest
  const served = { ...files, ...images }
  const clock = clockOfNext(isMainThread)
  const page = await built.blank()
  await page.route('**/v86/*', (route) => {
    const path = Object.values(served).find((file) => basename(file) === basename(route.request().url()))
    return path === undefined ? route.abort() : route.fulfill({ path })
  })
  await page.exposeFunction('heard', (text: string) => hearer.feed(text, clock()))
  const names = Object.fromEntries(Object.entries(served).map(([what, file]) => [what, `v86/${basename(file)}`]))
  const running = page.evaluate(
    async ([at, cmdline, memory, halted, silence]) => {
      const { V86 } = await import(new URL(at['library'] ?? '', location.href).href)
      return new Promise<void>((resolve, reject) => {
        const hangs = (): void => reject(new Error(`no word for ${silence} ms`))
        let timer = setTimeout(hangs, silence)
        const emulator = new V86({
          wasm_path: at['wasm'],
          memory_size: memory,
          bios: { url: at['bios'] },
          vga_bios: { url: at['vga'] },
          bzimage: { url: at['kernel'] },
          initrd: { url: at['initrd'] },
          cmdline,
          disable_speaker: true,
          autostart: true,
        })
        let line = ''
        emulator.add_listener('serial0-output-byte', (byte: number) => {
          line += String.fromCharCode(byte)
          if (byte !== 10) return
          clearTimeout(timer)
          timer = setTimeout(hangs, silence)
          Reflect.get(window, 'heard')(line).catch(reject)
          if (line.includes(halted)) resolve()
          line = ''
        })
      })
    },
    [names, append, MEMORY * 2 ** 20, HALTED, SILENCE_MS] as const,
  )
  try {
    await running
  } catch (error) {
    throw new Error(`v86 in Chromium, after\n${hearer.tail}`, { cause: error })
  }
  await page.context().close()
}
