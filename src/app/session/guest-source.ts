/** The files of the chosen guest: fetched once, unpacked once, and kept for the next boot. */
import type { GuestChoice } from '../../pure/blueprint/blueprint.ts'
import type { GuestFiles } from '../../pure/protocol/commands.ts'
import { fetchBytes, manifestUrl, unpacked } from './guests.ts'
import type { FileRole, GuestEntry, Loaded, Loading } from './guests.ts'
import type { OwnFile } from './state.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface GuestSource {
  files(
    choice: GuestChoice,
    known: readonly GuestEntry[],
    own: Readonly<Partial<Record<FileRole, OwnFile>>>,
  ): Promise<Loaded<GuestFiles>>
}

const NOT_PREPARED =
  'No prepared guest is here: run "npm run setup" where the page is served from, or drop a kernel Image onto the page.'

const commandLine = (...parts: readonly string[]): string => parts.filter((part) => part.trim() !== '').join(' ')

export const createGuestSource = (page: string, tell: (loading: Loading) => void): GuestSource => {
  const kept = new Map<string, Bytes>()

  const load = async (path: string): Promise<Loaded<Bytes>> => {
    const url = new URL(path, manifestUrl(page))
    const before = kept.get(url.href)
    if (before !== undefined) return { ok: true, value: before }
    const packed = await fetchBytes(url, (loaded, total) => tell({ stage: 'download', loaded, total }))
    if (!packed.ok) return packed
    tell({ stage: 'unpack', loaded: packed.value.length, total: packed.value.length })
    const bytes = await unpacked(url.pathname, packed.value)
    if (bytes.ok) kept.set(url.href, bytes.value)
    return bytes
  }

  return {
    files: async (choice, known, own) => {
      if (choice.id === 'own') {
        if (own.kernel === undefined)
          return { ok: false, what: 'Your own guest has no kernel yet: drop an Image onto the page.' }
        const { kernel, initrd, dtb } = own
        const append = commandLine('console=ttyAMA0', choice.append)
        return {
          ok: true,
          value: {
            kernel: kernel.bytes,
            append,
            ...(initrd === undefined ? {} : { initrd: initrd.bytes }),
            ...(dtb === undefined ? {} : { dtb: dtb.bytes }),
          },
        }
      }
      const entry = known.find(({ id }) => id === choice.id)
      if (entry === undefined)
        return { ok: false, what: known.length === 0 ? NOT_PREPARED : `There is no guest "${choice.id}" here.` }
      const kernel = await load(entry.kernel)
      if (!kernel.ok) return kernel
      const initrd = entry.initrd === undefined ? undefined : await load(entry.initrd)
      if (initrd?.ok === false) return initrd
      const append = commandLine(entry.append, choice.append)
      return {
        ok: true,
        value: { kernel: kernel.value, append, ...(initrd === undefined ? {} : { initrd: initrd.value }) },
      }
    },
  }
}
