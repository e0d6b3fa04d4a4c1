/** Where guests come from: the prepared ones are fetched from beside the page, own ones are dropped onto it. */
import * as z from 'zod/mini'
import { BOOT_STAGES } from './boot-stages.ts'
import { turnOfPage } from './turn.ts'

const manifestSchema = z.object({
  guests: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      kernel: z.string(),
      initrd: z.optional(z.string()),
      append: z.string(),
    }),
  ),
})

export type GuestEntry = z.infer<typeof manifestSchema>['guests'][number]

export interface Loading {
  readonly stage: 'download' | 'build' | 'boot' | 'restore'
  /** Bytes, where they are known. */
  readonly loaded: number
  readonly total: number
  /** How far a boot has come: a place in BOOT_STAGES. */
  readonly step?: number
}

const STAGES: Record<Loading['stage'], string> = {
  download: 'Fetching the guest',
  build: 'Building the machine',
  boot: 'The guest boots',
  restore: 'The machine goes on',
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)

/** How much of it is done, from 0 to 1, where that is known. */
export const shareOf = ({ stage, loaded, total, step }: Loading): number | undefined => {
  if (stage === 'boot') return step === undefined ? undefined : (step + 1) / (BOOT_STAGES.length + 1)
  return stage === 'download' && total > 0 ? Math.min(1, loaded / total) : undefined
}

export const stageText = ({ stage, loaded, total, step }: Loading): string => {
  if (stage === 'boot') return BOOT_STAGES[step ?? -1]?.title ?? STAGES.boot
  if (stage !== 'download' || total === 0) return STAGES[stage]
  return `${STAGES[stage]}: ${mib(loaded)} of ${mib(total)} MiB`
}

export type Loaded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly what: string }

const wrong = (what: string): { ok: false; what: string } => ({ ok: false, what })

const MANIFEST = 'guests/linux/manifest.json'

const reach = async (url: URL, signal?: AbortSignal): Promise<Loaded<Response>> => {
  try {
    const response = await fetch(url, signal === undefined ? {} : { signal })
    if (response.ok) return { ok: true, value: response }
    return wrong(`${url.pathname} could not be fetched: the server answers ${response.status}.`)
  } catch {
    return wrong(`${url.pathname} could not be fetched: the server does not answer.`)
  }
}

export const manifestUrl = (page: string): URL => new URL(MANIFEST, page)

export const loadManifest = async (url: URL): Promise<Loaded<readonly GuestEntry[]>> => {
  const reached = await reach(url)
  if (!reached.ok) return reached
  // A server that answers everything with its start page is no server of guests.
  const json: unknown = await reached.value.json().catch(() => undefined)
  const parsed = manifestSchema.safeParse(json)
  return parsed.success ? { ok: true, value: parsed.data.guests } : wrong(`${url.pathname} is not a list of guests.`)
}

/** A file that may come packed, as it comes; `length` of it will come, 0 where that is not known. */
export interface Incoming {
  /** For sentences. */
  readonly name: string
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly length: number
}

export const fetchFile = async (url: URL, signal?: AbortSignal): Promise<Loaded<Incoming>> => {
  const reached = await reach(url, signal)
  if (!reached.ok) return reached
  const { body, headers } = reached.value
  if (body === null) return wrong(`${url.pathname} is empty.`)
  return { ok: true, value: { name: url.pathname, stream: body, length: Number(headers.get('content-length') ?? 0) } }
}

type Bytes = Uint8Array<ArrayBuffer>

/** RFC 1952, 2.3.1. What comes in pieces of one byte is left to the engine, which looks again. */
const isGzip = (bytes: Bytes): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** How long pieces of a file may follow one another before the page has its turn. */
const TURN_MS = 10
/** A fast network brings megabytes at a time, which take longer than that to unpack. */
const PIECE = 2 ** 16

/**
 * Receives a file, and unpacks gzip while it comes: here, where it takes milliseconds, and not in the guest. Piece by
 * piece, so that the page stays awake. Anything else stays as it is.
 */
export const received = async (
  { name, stream, length }: Incoming,
  progress: (loaded: number, total: number) => void = () => {},
): Promise<Loaded<Bytes>> => {
  const reader = stream.getReader()
  let loaded = 0
  let broken = false
  const next = async (): Promise<Bytes | undefined> => {
    try {
      const { value } = await reader.read()
      loaded += value?.length ?? 0
      progress(loaded, length)
      return value
    } catch (error) {
      broken = true
      throw error
    }
  }
  try {
    const first = await next()
    let ahead = first
    let since = performance.now()
    const pieces = new ReadableStream<Bytes>({
      pull: async (to) => {
        if (performance.now() - since > TURN_MS) {
          await turnOfPage()
          since = performance.now()
        }
        const all = ahead ?? (await next())
        ahead = all === undefined || all.length <= PIECE ? undefined : all.subarray(PIECE)
        if (all === undefined) to.close()
        else to.enqueue(all.subarray(0, PIECE))
      },
    })
    const packed = first !== undefined && isGzip(first)
    const plain = packed ? pieces.pipeThrough(new DecompressionStream('gzip')) : pieces
    return { ok: true, value: new Uint8Array(await new Response(plain).arrayBuffer()) }
  } catch {
    return wrong(
      broken ? `${name} broke off after ${loaded} bytes.` : `${name} begins like a gzip file and is not one.`,
    )
  }
}

export type FileRole = 'kernel' | 'initrd' | 'dtb'

const hasText = (bytes: Uint8Array, at: number, text: string): boolean =>
  [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0))

/** What an unpacked file is, by what its format says at its beginning. */
export const roleOf = (bytes: Uint8Array): FileRole | undefined => {
  // Documentation/arch/arm64/booting.rst: "ARM\x64" at byte 56. ELF: "\x7fELF".
  if (hasText(bytes, 56, 'ARM\x64') || hasText(bytes, 0, '\x7fELF')) return 'kernel'
  if (hasText(bytes, 0, '\xd0\x0d\xfe\xed')) return 'dtb'
  if (hasText(bytes, 0, '070701') || hasText(bytes, 0, '070702')) return 'initrd'
  return undefined
}
