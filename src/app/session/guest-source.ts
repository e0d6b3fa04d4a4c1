/**
 * The files of the chosen guest: fetched once, unpacked once, and handed over to the worker, which keeps them under their
 * names for this boot and the next.
 */
import type { GuestChoice } from '../../pure/blueprint/blueprint.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import type { NamedGuest } from '../../pure/protocol/commands.ts'
import { fetchFile, manifestUrl, received } from './guests.ts'
import type { FileRole, GuestEntry, Loaded, Loading } from './guests.ts'
import type { OwnFile } from './state.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface GuestSource {
  /** Sees to it that the worker has the files, and names them. */
  guest(from: {
    readonly choice: GuestChoice
    readonly known: readonly GuestEntry[]
    readonly own: Readonly<Partial<Record<FileRole, OwnFile>>>
    /** The text of the embedded program, where a person changed it. */
    readonly program: string | undefined
    /** Ends the fetching. */
    readonly signal: AbortSignal
  }): Promise<Loaded<NamedGuest>>
  /** The text of the embedded program as it came. */
  program(): Promise<Loaded<string>>
  /** A file that a person has; another with the same role takes its place. */
  own(role: FileRole, name: string, bytes: Bytes): OwnFile
}

const PROGRAM = 'guests/gicsh.s'
/** What the worker calls the program once it is assembled. */
const ASSEMBLED = 'gicsh'
/** Where QEMU's hw/arm/boot.c puts a binary without header: 512 KiB into RAM. */
const PROGRAM_AT = memoryMap.ram.base + 0x80000

export const NOT_PREPARED =
  'No Linux is prepared here: run "npm run setup" where the page is served from, or drop a kernel Image onto the page.'

/** The assembler is of use to few visits: it is fetched when it is needed. */
const assembled = async (source: string): Promise<Loaded<Uint8Array>> => {
  const { assemble } = await import('../../pure/arch/a64/assembler/assemble.ts')
  const assembly = assemble(source, PROGRAM_AT)
  if (assembly.ok) return { ok: true, value: assembly.bytes }
  const [first] = assembly.errors
  const rest = assembly.errors.length === 1 ? '' : ` (and ${assembly.errors.length - 1} more)`
  return { ok: false, what: `Line ${first?.line}, column ${first?.column}: ${first?.what}${rest}` }
}

export const createGuestSource = (
  page: string,
  tell: (loading: Loading) => void,
  /** Hands a file over to the worker. */
  keep: (name: string, bytes: Uint8Array) => void,
): GuestSource => {
  const kept = new Set<string>()

  /** The worker's name for a file. */
  const load = async (path: string, signal: AbortSignal): Promise<Loaded<string>> => {
    const url = new URL(path, manifestUrl(page))
    const name = url.href
    if (kept.has(name)) return { ok: true, value: name }
    const file = await fetchFile(url, signal)
    if (!file.ok) return file
    const bytes = await received(file.value, (loaded, total) => tell({ stage: 'download', loaded, total }))
    if (!bytes.ok) return bytes
    keep(name, bytes.value)
    kept.add(name)
    return { ok: true, value: name }
  }

  const program = async (): Promise<Loaded<string>> => {
    const url = new URL(PROGRAM, page)
    const file = await fetchFile(url)
    const bytes = file.ok ? await received(file.value) : file
    return bytes.ok ? { ok: true, value: new TextDecoder().decode(bytes.value) } : bytes
  }

  return {
    program,
    own: (role, name, bytes) => {
      const file = { name, kept: `own ${role}` }
      keep(file.kept, bytes)
      return file
    },
    guest: async ({ choice, known, own, program: changed, signal }) => {
      if (choice.id === 'gicsh') {
        const source: Loaded<string> = changed === undefined ? await program() : { ok: true, value: changed }
        if (!source.ok) return source
        const kernel = await assembled(source.value)
        if (!kernel.ok) return kernel
        keep(ASSEMBLED, kernel.value)
        return { ok: true, value: { kernel: ASSEMBLED, append: '' } }
      }
      if (choice.id === 'own') {
        if (own.kernel === undefined)
          return { ok: false, what: 'Your own guest has no kernel yet: drop an Image onto the page.' }
        const { kernel, initrd, dtb } = own
        const append = 'console=ttyAMA0'
        return {
          ok: true,
          value: {
            kernel: kernel.kept,
            append,
            ...(initrd === undefined ? {} : { initrd: initrd.kept }),
            ...(dtb === undefined ? {} : { dtb: dtb.kept }),
          },
        }
      }
      const entry = known.find(({ id }) => id === choice.id)
      if (entry === undefined)
        return { ok: false, what: known.length === 0 ? NOT_PREPARED : `There is no guest "${choice.id}" here.` }
      const kernel = await load(entry.kernel, signal)
      if (!kernel.ok) return kernel
      const initrd = entry.initrd === undefined ? undefined : await load(entry.initrd, signal)
      if (initrd?.ok === false) return initrd
      const { append } = entry
      return {
        ok: true,
        value: { kernel: kernel.value, append, ...(initrd === undefined ? {} : { initrd: initrd.value }) },
      }
    },
  }
}
