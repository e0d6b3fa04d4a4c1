/**
 * The places where guests of benchmarks run: QEMU, ours under Node and in Chromium, each as it is shipped, in a process or page
 * of its own, with the same files and the same machine; and v86, with a guest of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installTools } from '../../lib/debian.mjs'
import { inChromium } from './chromium.ts'
import { Listener } from './listener.ts'
import type { Hearer } from './listener.ts'
import { inNode } from './node.ts'
import { buildAndOpenPage } from './page.ts'
import type { BuiltPage } from './page.ts'
import { PLACES } from './place.ts'
import type { BenchGuest, Place } from './place.ts'
import { QEMU, inQemu } from './qemu.ts'

export const GCC = 'aarch64-linux-gnu-gcc'

export interface Places {
  /** Those that are there. */
  readonly names: readonly Place[]
  /** A folder for files, gone at the end. */
  readonly folder: string
  /** The page, where Chromium is. */
  readonly built: BuiltPage | undefined
  /** Until the guest is off, or enough was heard. */
  run(place: Place, guest: BenchGuest, hearer: Hearer): Promise<void>
  /** What a guest says of its parts. */
  parts(place: Place, guest: BenchGuest): Promise<Listener>
}

/** Has `use` measure in every place; installs and builds what that needs. */
export const withPlaces = async <T>(use: (places: Places) => Promise<T>): Promise<T> => {
  const missing = installTools({ [GCC]: 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross', [QEMU]: 'qemu-system-arm' })
  if (missing.length > 0) throw new Error(`${missing.join(', ')} must be installed for this benchmark`)
  const folder = mkdtempSync(join(tmpdir(), 'gicscope-bench-'))
  const built = await buildAndOpenPage()
  try {
    const run: Places['run'] = (place, guest, hearer) => {
      if (place === 'QEMU') return inQemu(guest, hearer)
      if (place === 'Node' || built === undefined) return inNode(guest, hearer)
      return inChromium(built, guest, hearer)
    }
    return await use({
      names: PLACES.filter((place) => place !== 'Chromium' || built !== undefined),
      folder,
      built,
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
