/** The files of the guest: prepared ones from where set-up puts them, own ones from where the options say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { MAX_UNPACKED } from '../engine/vmm/image.ts'
import type { GuestFiles } from '../engine/vmm/vmm.ts'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import type { Blueprint } from '../pure/blueprint/blueprint.ts'
import { memoryMap } from '../pure/blueprint/memory-map.ts'
import type { Options } from './options.ts'

export type FoundFiles =
  | { readonly ok: true; readonly files: GuestFiles }
  | { readonly ok: false; readonly what: string }

const GUESTS = join(import.meta.dirname, '../../public/guests')
const LINUX = join(GUESTS, 'linux')
const MANIFEST = join(LINUX, 'manifest.json')
const GICSH = join(GUESTS, 'gicsh.s')
/** Where a binary without a header goes (Documentation/arch/arm64/booting.rst before v3.17). */
const RAW_OFFSET = 0x80000

/** Thrown and caught in this file only. */
class Missing extends Error {}

const bytesOf = (what: string, file: string): Uint8Array => {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Missing(`${what} ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Takes the gzip off by Node's own means, many times faster; what it cannot unpack, the engine says what is wrong with. */
const unpacked = (bytes: Uint8Array): Uint8Array => {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED })
  } catch {
    return bytes
  }
}

const guest = z.object({ id: z.string(), kernel: z.string(), initrd: z.string(), append: z.string() })
const manifestSchema = z.object({ guests: z.array(guest) })

/** One guest of `manifest.json`, which set-up writes. */
const preparedLinux = (id: string): z.infer<typeof guest> => {
  const hint = 'run "npm run setup", or name a kernel with --kernel.'
  let json: unknown
  try {
    json = JSON.parse(readFileSync(MANIFEST, 'utf8'))
  } catch {
    throw new Missing(`--guest ${id}: no Linux guest is prepared; ${hint}`)
  }
  const manifest = manifestSchema.safeParse(json)
  const entry = manifest.data?.guests.find((each) => each.id === id)
  if (entry === undefined) throw new Missing(`--guest ${id}: ${MANIFEST} does not list it; ${hint}`)
  return entry
}

const gicsh = (): Uint8Array => {
  const source = new TextDecoder().decode(bytesOf('The program', GICSH))
  const assembled = assemble(source, memoryMap.ram.base + RAW_OFFSET)
  if (assembled.ok) return assembled.bytes
  const [first] = assembled.errors
  throw new Missing(`${GICSH}:${first?.line}:${first?.column}: ${first?.what}`)
}

const find = (blueprint: Blueprint, options: Options): GuestFiles => {
  const { id } = blueprint.guest
  const initrd = options.initrd === undefined ? undefined : bytesOf('--initrd', options.initrd)
  const dtb = options.dtb === undefined ? undefined : bytesOf('--dtb', options.dtb)
  if (id === 'own') {
    if (options.kernel === undefined) throw new Missing('The blueprint has a guest of its own: name it with --kernel.')
    return { kernel: unpacked(bytesOf('--kernel', options.kernel)), initrd, dtb, append: '' }
  }
  if (id === 'gicsh') return { kernel: gicsh(), initrd, dtb, append: '' }
  const prepared = preparedLinux(id)
  return {
    kernel: unpacked(bytesOf('The kernel', join(LINUX, prepared.kernel))),
    initrd: initrd ?? bytesOf('The initrd', join(LINUX, prepared.initrd)),
    dtb,
    append: prepared.append,
  }
}

export const guestFiles = (blueprint: Blueprint, options: Options): FoundFiles => {
  try {
    return { ok: true, files: find(blueprint, options) }
  } catch (error) {
    if (error instanceof Missing) return { ok: false, what: error.message }
    throw error
  }
}
