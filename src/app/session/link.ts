/**
 * A link is the document: the machine, the program, and how the page shows them, in the fragment of the address, which
 * no browser sends to a server. `v1.` and the base64url of a zlib stream, whose checksum tells a link that was damaged.
 */
import * as z from 'zod/mini'
import { parseBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { ENGINES } from '../../pure/protocol/views.ts'
import type { EngineId } from '../../pure/protocol/views.ts'
import { keptView } from './view.ts'
import type { KeptView } from './view.ts'

export interface LinkedDocument {
  readonly blueprint: Blueprint
  readonly engine: EngineId
  /** Where it is the library's machine. */
  readonly scenario: string | undefined
  readonly selected: number
  /** The text of the embedded program, where a person changed it. */
  readonly program: string | undefined
  readonly view: KeptView
}

export type ReadLink =
  | { readonly ok: true; readonly document: LinkedDocument }
  | { readonly ok: false; readonly what: string }

const PREFIX = 'v1.'
/** A program may be long; what unpacks to more than this is no document of ours. */
const MAX_TEXT = 4 * 2 ** 20

const rest = z.object({
  blueprint: z.unknown(),
  engine: z.enum(ENGINES),
  scenario: z.exactOptional(z.string()),
  selected: z.int().check(z.minimum(0), z.maximum(511)),
  program: z.exactOptional(z.string()),
  view: keptView,
})

type Bytes = Uint8Array<ArrayBuffer>

/** Everything that comes out of a stream, at most so much. */
const drained = async (stream: ReadableStream<Uint8Array>, most: number): Promise<Bytes> => {
  const parts: Uint8Array[] = []
  let length = 0
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > most) throw new Error('it is too large')
    parts.push(value)
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const through = (bytes: Bytes, transform: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> =>
  new Blob([bytes]).stream().pipeThrough(transform)

const toBase64Url = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const fromBase64Url = (text: string): Bytes | undefined => {
  if (!/^[\w-]*$/.test(text)) return undefined
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(binary, (letter) => letter.charCodeAt(0))
  } catch {
    return undefined
  }
}

/** The fragment without its `#`. */
export const writeLink = async ({ scenario, program, ...document }: LinkedDocument): Promise<string> => {
  const json = JSON.stringify({
    ...document,
    ...(scenario === undefined ? {} : { scenario }),
    ...(program === undefined ? {} : { program }),
  })
  const packed = await drained(through(new TextEncoder().encode(json), new CompressionStream('deflate')), MAX_TEXT)
  return PREFIX + toBase64Url(packed)
}

const damaged = (how: string): ReadLink => ({
  ok: false,
  what: `This link is damaged: ${how}. Nothing of it was taken over; perhaps it was cut off where it was copied.`,
})

export const readLink = async (fragment: string): Promise<ReadLink> => {
  const version = /^v(\d+)\./.exec(fragment)?.[1]
  if (version === undefined) return damaged('it does not begin with a version')
  if (!fragment.startsWith(PREFIX)) {
    return {
      ok: false,
      what: `This link is of version ${version}, and this page knows version 1: open it with a newer one.`,
    }
  }
  const packed = fromBase64Url(fragment.slice(PREFIX.length))
  if (packed === undefined) return damaged('it holds signs that no link has')
  let json: unknown
  try {
    const text = await drained(through(packed, new DecompressionStream('deflate')), MAX_TEXT)
    json = JSON.parse(new TextDecoder().decode(text))
  } catch (error) {
    return damaged(
      error instanceof Error && error.message === 'it is too large' ? error.message : 'its checksum is wrong',
    )
  }
  const parsed = rest.safeParse(json)
  if (!parsed.success) return damaged(`it has no usable "${parsed.error.issues[0]?.path.join('.') ?? ''}"`)
  const { blueprint: asked, scenario, program, ...others } = parsed.data
  const read = parseBlueprint(asked)
  if (!read.ok) return { ok: false, what: `The machine of this link cannot be: ${read.what}` }
  return { ok: true, document: { ...others, scenario, program, blueprint: read.blueprint } }
}
