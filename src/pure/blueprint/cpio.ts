/**
 * cpio archives in the "newc" form, as Linux unpacks them into its first root file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst, init/initramfs.c).
 */

interface Named {
  /** Without a leading slash. */
  readonly name: string
  /** Permission bits; 0755 for directories and 0644 for files when left out. */
  readonly mode?: number
}

export type CpioEntry =
  | (Named & { readonly kind: 'directory' })
  | (Named & { readonly kind: 'file'; readonly bytes: Uint8Array })
  | (Named & { readonly kind: 'link'; readonly target: string })
  | (Named & { readonly kind: 'character'; readonly major: number; readonly minor: number })

/** The file type bits of a mode (include/uapi/linux/stat.h) and the usual permissions. */
const KINDS = {
  directory: { type: 0o040000, mode: 0o755 },
  file: { type: 0o100000, mode: 0o644 },
  link: { type: 0o120000, mode: 0o777 },
  character: { type: 0o020000, mode: 0o600 },
} as const

/** The thirteen fields after the magic, in order, each of eight hexadecimal digits. */
const FIELDS = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'filesize',
  'major',
  'minor',
  'rmajor',
  'rminor',
  'namesize',
  'chksum',
] as const
type Field = (typeof FIELDS)[number]

const MAGIC = '070701'
const MAGIC_WITH_SUMS = '070702'
const DIGITS = 8
const HEADER = MAGIC.length + DIGITS * FIELDS.length
const TRAILER = 'TRAILER!!!'
const ALIGN = 4
/** An archive's end is filled up to a whole block, as cpio(1) does. */
const BLOCK = 512
/** PATH_MAX; init/initramfs.c gives up on longer names. */
const MAX_NAME = 4096

const aligned = (length: number, to: number = ALIGN): number => Math.ceil(length / to) * to

const contentOf = (entry: CpioEntry): Uint8Array => {
  if (entry.kind === 'file') return entry.bytes
  return ascii(entry.kind === 'link' ? entry.target : '')
}

/** Names and targets of ours are ASCII; anything else would be written as a question mark. */
const ascii = (text: string): Uint8Array =>
  Uint8Array.from(text, (letter) => {
    const code = letter.charCodeAt(0)
    return code < 0x80 ? code : 0x3f
  })

const record = (name: string, fields: Partial<Record<Field, number>>, content: Uint8Array): Uint8Array => {
  const namesize = name.length + 1
  const all: Partial<Record<Field, number>> = { ...fields, filesize: content.length, namesize }
  const header = MAGIC + FIELDS.map((field) => (all[field] ?? 0).toString(16).padStart(DIGITS, '0')).join('')
  const start = aligned(HEADER + namesize)
  const bytes = new Uint8Array(start + aligned(content.length))
  bytes.set(ascii(header + name), 0)
  bytes.set(content, start)
  return bytes
}

/** Writes an archive; the same entries give the same bytes. */
export const writeCpio = (entries: readonly CpioEntry[]): Uint8Array => {
  const records = entries.map((entry, index) => {
    const { type, mode } = KINDS[entry.kind]
    const device = entry.kind === 'character' ? { rmajor: entry.major, rminor: entry.minor } : {}
    const nlink = entry.kind === 'directory' ? 2 : 1
    return record(entry.name, { ino: index + 1, mode: type | (entry.mode ?? mode), nlink, ...device }, contentOf(entry))
  })
  records.push(record(TRAILER, { nlink: 1 }, new Uint8Array(0)))
  const length = records.reduce((sum, { length: size }) => sum + size, 0)
  const archive = new Uint8Array(aligned(length, BLOCK))
  let at = 0
  for (const bytes of records) {
    archive.set(bytes, at)
    at += bytes.length
  }
  return archive
}

export type CpioCheck =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly what: string }

const textAt = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length))

export const isCpio = (bytes: Uint8Array): boolean => {
  const magic = textAt(bytes, 0, MAGIC.length)
  return magic === MAGIC || magic === MAGIC_WITH_SUMS
}

const fieldAt = (bytes: Uint8Array, at: number, field: Field): number => {
  const digits = textAt(bytes, at + MAGIC.length + DIGITS * FIELDS.indexOf(field), DIGITS)
  return /^[0-9a-fA-F]{8}$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN
}

const hex = (value: number): string => `0x${value.toString(16)}`

interface Step {
  readonly name: string
  readonly next: number
}

const stepAt = (bytes: Uint8Array, at: number): Step | string => {
  if (at + HEADER > bytes.length) return `it ends at byte ${bytes.length}, inside the header at ${hex(at)}`
  if (!isCpio(bytes.subarray(at))) return `no header where one must be, at ${hex(at)}`
  const namesize = fieldAt(bytes, at, 'namesize')
  const filesize = fieldAt(bytes, at, 'filesize')
  if (Number.isNaN(namesize) || Number.isNaN(filesize)) return `the header at ${hex(at)} has a size that is no number`
  if (namesize < 1 || namesize > MAX_NAME) return `the header at ${hex(at)} has a name of ${namesize} bytes`
  const content = aligned(at + HEADER + namesize)
  if (content > bytes.length) return `it ends at byte ${bytes.length}, inside the name at ${hex(at + HEADER)}`
  const name = textAt(bytes, at + HEADER, namesize - 1)
  if (content + filesize > bytes.length) {
    return `it ends at byte ${bytes.length}, inside "${name}", which reaches to ${content + filesize}`
  }
  return { name, next: aligned(content + filesize) }
}

/** Walks an archive to its trailer. More archives may follow it (init/initramfs.c); they are left alone. */
export const checkCpio = (bytes: Uint8Array): CpioCheck => {
  const names: string[] = []
  for (let at = 0; ;) {
    const step = stepAt(bytes, at)
    if (typeof step === 'string') return { ok: false, what: step }
    if (step.name === TRAILER) return { ok: true, names }
    names.push(step.name)
    at = step.next
  }
}
