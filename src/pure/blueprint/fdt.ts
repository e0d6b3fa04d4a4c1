/**
 * Flattened device trees: writing one for the guest, reading one that a person brings.
 * Devicetree Specification v0.4, chapter 5.
 */

export interface FdtProperty {
  readonly name: string
  readonly value: Uint8Array
}

export interface FdtNode {
  /** With its unit address; the root's is empty. */
  readonly name: string
  readonly properties: readonly FdtProperty[]
  readonly children: readonly FdtNode[]
}

const MAGIC = 0xd00d_feed
const VERSION = 17
const LAST_COMPATIBLE_VERSION = 16
const CELL = 4
/** The memory reservation block is a list of 64-bit pairs, ended by a pair of zeroes. */
const RESERVATION_ALIGN = 8
const RESERVATION_END = 16

/** The structure block's tokens (5.4.1). */
const TOKEN = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const

/** The header's words, in order (5.2). */
const HEADER = [
  'magic',
  'totalsize',
  'off_dt_struct',
  'off_dt_strings',
  'off_mem_rsvmap',
  'version',
  'last_comp_version',
  'boot_cpuid_phys',
  'size_dt_strings',
  'size_dt_struct',
] as const
type HeaderField = (typeof HEADER)[number]
const HEADER_SIZE = HEADER.length * CELL

/** No tree of a machine is near these; a blob that goes beyond them is broken or hostile. */
const MAX_SIZE = 2 ** 21
const MAX_DEPTH = 64

const aligned = (length: number, to: number = CELL): number => Math.ceil(length / to) * to

const bytesOf = (text: string): number[] =>
  Array.from(text, (letter) => (letter.charCodeAt(0) < 0x80 ? letter.charCodeAt(0) : 0x3f))

/** A list of 32-bit cells. */
export const cells = (name: string, ...values: readonly number[]): FdtProperty => {
  const value = new Uint8Array(values.length * CELL)
  const view = new DataView(value.buffer)
  for (const [i, cell] of values.entries()) view.setUint32(i * CELL, cell)
  return { name, value }
}

/** A number of up to 53 bits as the two cells of a 64-bit address or size. */
export const wide = (value: number): readonly [number, number] => [Math.floor(value / 2 ** 32), value >>> 0]

/** One string, or a list of them. */
export const strings = (name: string, ...values: readonly string[]): FdtProperty => ({
  name,
  value: Uint8Array.from(values.flatMap((value) => [...bytesOf(value), 0])),
})

/** A property that tells by being there. */
export const flag = (name: string): FdtProperty => ({ name, value: new Uint8Array(0) })

class Writer {
  readonly #bytes: number[] = []

  word(value: number): void {
    this.#bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
  }

  raw(value: Iterable<number>): void {
    for (const byte of value) this.#bytes.push(byte)
    while (this.#bytes.length % CELL !== 0) this.#bytes.push(0)
  }

  get bytes(): readonly number[] {
    return this.#bytes
  }
}

/** Writes a blob without padding: Linux reads all of it (a checksum) at each boot. */
export const writeFdt = (root: FdtNode): Uint8Array => {
  const structure = new Writer()
  const names: number[] = []
  const places = new Map<string, number>()

  const placeOf = (name: string): number => {
    const before = places.get(name)
    if (before !== undefined) return before
    const place = names.length
    places.set(name, place)
    names.push(...bytesOf(name), 0)
    return place
  }

  const write = (node: FdtNode): void => {
    structure.word(TOKEN.beginNode)
    structure.raw([...bytesOf(node.name), 0])
    for (const { name, value } of node.properties) {
      structure.word(TOKEN.property)
      structure.word(value.length)
      structure.word(placeOf(name))
      structure.raw(value)
    }
    for (const child of node.children) write(child)
    structure.word(TOKEN.endNode)
  }
  write(root)
  structure.word(TOKEN.end)

  const reservations = aligned(HEADER_SIZE, RESERVATION_ALIGN)
  const offset = reservations + RESERVATION_END
  const namesOffset = offset + structure.bytes.length
  const header: Record<HeaderField, number> = {
    magic: MAGIC,
    totalsize: namesOffset + names.length,
    off_dt_struct: offset,
    off_dt_strings: namesOffset,
    off_mem_rsvmap: reservations,
    version: VERSION,
    last_comp_version: LAST_COMPATIBLE_VERSION,
    boot_cpuid_phys: 0,
    size_dt_strings: names.length,
    size_dt_struct: structure.bytes.length,
  }
  const blob = new Uint8Array(header.totalsize)
  const view = new DataView(blob.buffer)
  for (const [i, field] of HEADER.entries()) view.setUint32(i * CELL, header[field])
  blob.set(structure.bytes, offset)
  blob.set(names, namesOffset)
  return blob
}

export type ParsedFdt =
  | { readonly ok: true; readonly root: FdtNode; /** Bytes of the blob that count. */ readonly size: number }
  | { readonly ok: false; readonly what: string }

/** Thrown and caught in this file only. */
class Broken extends Error {}

const hex = (value: number): string => `0x${value.toString(16)}`

/** A place in the structure block, and what can be read from there. */
class Reader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  readonly #end: number
  at: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = start
    this.#end = end
  }

  word(what: string): number {
    if (this.at + CELL > this.#end) throw new Broken(`ends at ${hex(this.#end)}, where ${what} must be`)
    const value = this.#view.getUint32(this.at)
    this.at += CELL
    return value
  }

  raw(length: number, what: string): Uint8Array {
    if (this.at + length > this.#end) {
      throw new Broken(`ends at ${hex(this.#end)}, but ${what} reaches to ${hex(this.at + length)}`)
    }
    const value = this.#bytes.slice(this.at, this.at + length)
    this.at = Math.min(aligned(this.at + length), this.#end)
    return value
  }

  text(what: string): string {
    const text = textAt(this.#bytes, this.at, this.#end)
    if (text === undefined) throw new Broken(`has ${what} at ${hex(this.at)} that does not end`)
    this.raw(text.length + 1, what)
    return text
  }
}

const textAt = (bytes: Uint8Array, start: number, end: number): string | undefined => {
  const zero = bytes.subarray(0, end).indexOf(0, start)
  return zero < 0 ? undefined : Array.from(bytes.subarray(start, zero), (code) => String.fromCharCode(code)).join('')
}

const readNode = (reader: Reader, nameAt: (offset: number) => string, depth: number): FdtNode => {
  if (depth > MAX_DEPTH) throw new Broken(`has nodes in nodes ${depth} deep`)
  const name = reader.text('the name of a node')
  const properties: FdtProperty[] = []
  const children: FdtNode[] = []
  for (;;) {
    const place = reader.at
    const token = reader.word(`the end of node "${name}"`)
    if (token === TOKEN.endNode) return { name, properties, children }
    if (token === TOKEN.beginNode) children.push(readNode(reader, nameAt, depth + 1))
    else if (token === TOKEN.property) {
      const length = reader.word('the length of a property')
      const property = nameAt(reader.word('the name of a property'))
      properties.push({ name: property, value: reader.raw(length, `property "${property}" of node "${name}"`) })
    } else if (token !== TOKEN.nop) throw new Broken(`has token ${hex(token)} at ${hex(place)}, which is none`)
  }
}

const readHeader = (bytes: Uint8Array): Record<HeaderField, number> => {
  if (bytes.length < HEADER_SIZE) throw new Broken(`has ${bytes.length} bytes, less than its header of ${HEADER_SIZE}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const field = (name: HeaderField): number => view.getUint32(HEADER.indexOf(name) * CELL)
  const header = {
    magic: field('magic'),
    totalsize: field('totalsize'),
    off_dt_struct: field('off_dt_struct'),
    off_dt_strings: field('off_dt_strings'),
    off_mem_rsvmap: field('off_mem_rsvmap'),
    version: field('version'),
    last_comp_version: field('last_comp_version'),
    boot_cpuid_phys: field('boot_cpuid_phys'),
    size_dt_strings: field('size_dt_strings'),
    size_dt_struct: field('size_dt_struct'),
  }
  if (header.magic !== MAGIC) throw new Broken(`begins with ${hex(header.magic)}, not with ${hex(MAGIC)}`)
  if (header.totalsize > bytes.length) {
    throw new Broken(`is cut short: its header says ${header.totalsize} bytes, ${bytes.length} are there`)
  }
  if (header.totalsize > MAX_SIZE) throw new Broken(`has ${header.totalsize} bytes; at most ${MAX_SIZE} are accepted`)
  if (header.version < VERSION || header.last_comp_version > VERSION) {
    throw new Broken(`has version ${header.version}; version ${VERSION} is understood`)
  }
  for (const [start, size] of [
    ['off_dt_struct', 'size_dt_struct'],
    ['off_dt_strings', 'size_dt_strings'],
  ] as const) {
    const end = header[start] + header[size]
    if (end > header.totalsize) throw new Broken(`has ${start} + ${size} = ${hex(end)}, beyond its end`)
  }
  if (header.off_dt_struct % CELL !== 0) throw new Broken(`has off_dt_struct ${hex(header.off_dt_struct)}, not aligned`)
  return header
}

/** Reads a blob; says in one sentence what is wrong with a bad one. */
export const parseFdt = (bytes: Uint8Array): ParsedFdt => {
  try {
    const header = readHeader(bytes)
    const namesEnd = header.off_dt_strings + header.size_dt_strings
    const nameAt = (offset: number): string => {
      const name = textAt(bytes, header.off_dt_strings + offset, namesEnd)
      if (name === undefined)
        throw new Broken(`has a property whose name is at ${hex(offset)} of its strings, where none is`)
      return name
    }
    const reader = new Reader(bytes, header.off_dt_struct, header.off_dt_struct + header.size_dt_struct)
    let token = reader.word('the root')
    while (token === TOKEN.nop) token = reader.word('the root')
    if (token !== TOKEN.beginNode) throw new Broken(`has token ${hex(token)} where its root must begin`)
    const root = readNode(reader, nameAt, 0)
    const last = reader.word('its end')
    if (last !== TOKEN.end) throw new Broken(`has token ${hex(last)} after its root, not its end`)
    return { ok: true, root, size: header.totalsize }
  } catch (error) {
    if (error instanceof Broken) return { ok: false, what: `The device tree ${error.message}.` }
    throw error
  }
}
