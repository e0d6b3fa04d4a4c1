/** Recognises kernels and first root file systems, unpacks what is packed, and finds what is broken. */
import { createDecoder } from '../../pure/arch/a64/decoder.ts'
import { rows } from '../../pure/arch/a64/rows/index.ts'
import { Gunzip } from 'fflate'
import { checkCpio, isCpio } from '../../pure/blueprint/cpio.ts'

export type Found<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly what: string }

/** Bytes that belong at one place of memory, followed by zeroes up to `memorySize`. */
export interface Segment {
  readonly physical: bigint
  readonly bytes: Uint8Array
  readonly memorySize: number
}

export type Kernel =
  /** Documentation/arch/arm64/booting.rst: goes `textOffset` above a 2 MiB boundary and needs `size` bytes there. */
  | { readonly kind: 'Image'; readonly bytes: Uint8Array; readonly textOffset: number; readonly size: number }
  | { readonly kind: 'ELF'; readonly segments: readonly Segment[]; readonly entry: bigint }
  | { readonly kind: 'raw'; readonly bytes: Uint8Array }

/** More than any kernel or root file system; a small file that unpacks to more is not one. */
export const MAX_UNPACKED = 512 * 2 ** 20
const MIB = 2 ** 20

const wrong = (what: string): { ok: false; what: string } => ({ ok: false, what })
const hex = (value: number | bigint): string => `0x${value.toString(16)}`

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const startsWith = (bytes: Uint8Array, magic: readonly number[], at = 0): boolean =>
  magic.every((byte, i) => bytes[at + i] === byte)

const GZIP = [0x1f, 0x8b]
const ELF = [0x7f, 0x45, 0x4c, 0x46]

/** Compressed forms that the kernel itself may unpack (lib/decompress.c). */
const COMPRESSED = [
  { name: 'bzip2', magic: [0x42, 0x5a] },
  { name: 'lzma', magic: [0x5d, 0x00] },
  { name: 'xz', magic: [0xfd, 0x37] },
  { name: 'lzop', magic: [0x89, 0x4c] },
  { name: 'lz4', magic: [0x02, 0x21] },
  { name: 'zstd', magic: [0x28, 0xb5] },
] as const

/** Ends the unpacking from inside fflate's callback; caught in `unpack` only. */
class TooLarge extends Error {}

/** RFC 1952: the last eight bytes are a checksum and the length. */
const GZIP_TAIL = 8
const GZIP_MIN = 18
const FEED = 64 * 1024

const gunzipBounded = (packed: Uint8Array, limit: number): Uint8Array | string => {
  if (packed.length < GZIP_MIN) return `has ${packed.length} bytes, too few for gzip`
  const parts: Uint8Array[] = []
  let size = 0
  let ended = false
  const gunzip = new Gunzip((part, final) => {
    size += part.length
    if (size > limit) throw new TooLarge()
    parts.push(part)
    ended ||= final
  })
  try {
    // In pieces, so that the limit is met before all of it is unpacked.
    for (let at = 0; at < packed.length; at += FEED) {
      gunzip.push(packed.subarray(at, at + FEED), at + FEED >= packed.length)
    }
  } catch (error) {
    if (error instanceof TooLarge) return `unpacks to more than ${limit / MIB} MiB`
    return `is broken or cut short: ${error instanceof Error ? error.message : 'it does not unpack'}`
  }
  const told = viewOf(packed).getUint32(packed.length - GZIP_TAIL / 2, true)
  if (!ended || told !== size >>> 0) return `is cut short: it unpacks to ${size} bytes and says ${told}`
  const all = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Takes the gzip off, where there is one. */
export const unpack = (name: string, bytes: Uint8Array, limit = MAX_UNPACKED): Found<{ bytes: Uint8Array }> => {
  if (!startsWith(bytes, GZIP)) return { ok: true, bytes }
  const unpacked = gunzipBounded(bytes, limit)
  return typeof unpacked === 'string' ? wrong(`${name}: the gzip file ${unpacked}.`) : { ok: true, bytes: unpacked }
}

const EFI = [0x4d, 0x5a]
const EFI_ZBOOT = [0x7a, 0x69, 0x6d, 0x67]
const EFI_ZBOOT_AT = 4
const ZBOOT = { payload: 8, size: 12 } as const

/** booting.rst, "Decompressed kernel image header". */
const IMAGE = { textOffset: 0x08, imageSize: 0x10, flags: 0x18, magicAt: 0x38, headerSize: 0x40 } as const
const IMAGE_MAGIC = [0x41, 0x52, 0x4d, 0x64]
/** Kernels before v3.17 leave image_size 0 and mean this text_offset. */
const OLD_TEXT_OFFSET = 0x80000
const MAX_IMAGE = 2 ** 30

/**
 * image_size counts the memory behind the file as well (.bss), so it cannot tell a file that is cut short. A kernel
 * with an EFI stub is a PE/COFF file too, whose sections tell its size (arch/arm64/kernel/efi-header.S).
 */
const PE = { at: 0x3c, magic: [0x50, 0x45, 0, 0], sections: 6, optionalSize: 0x14, headerSize: 0x18 } as const
const PE_SECTION = { size: 40, rawSize: 0x10, rawAt: 0x14 } as const
/** Without that: a kernel whose .bss is larger than all the rest is not known. */
const LEAST_SHARE = 0.5

const peFileSize = (bytes: Uint8Array): number | undefined => {
  const view = viewOf(bytes)
  const at = view.getUint32(PE.at, true)
  if (!startsWith(bytes, EFI) || !startsWith(bytes, PE.magic, at) || at + PE.headerSize > bytes.length) return undefined
  const table = at + PE.headerSize + view.getUint16(at + PE.optionalSize, true)
  const count = view.getUint16(at + PE.sections, true)
  if (table + count * PE_SECTION.size > bytes.length) return undefined
  const ends = Array.from({ length: count }, (_, i) => {
    const section = table + i * PE_SECTION.size
    return view.getUint32(section + PE_SECTION.rawAt, true) + view.getUint32(section + PE_SECTION.rawSize, true)
  })
  return Math.max(0, ...ends)
}

const readImage = (name: string, bytes: Uint8Array): Found<{ kernel: Kernel }> => {
  const view = viewOf(bytes)
  const size = view.getBigUint64(IMAGE.imageSize, true)
  const textOffset = view.getBigUint64(IMAGE.textOffset, true)
  const bigEndian = (view.getUint8(IMAGE.flags) & 1) !== 0
  if (bigEndian) return wrong(`${name}: the Image is a big-endian kernel; this machine runs little-endian ones.`)
  if (size > MAX_IMAGE || textOffset > MAX_IMAGE) {
    return wrong(`${name}: the Image says image_size ${hex(size)} and text_offset ${hex(textOffset)}, beyond 1 GiB.`)
  }
  if (size === 0n) {
    const kernel: Kernel = { kind: 'Image', bytes, textOffset: OLD_TEXT_OFFSET, size: bytes.length }
    return { ok: true, kernel }
  }
  const told = peFileSize(bytes) ?? Math.floor(Number(size) * LEAST_SHARE)
  if (bytes.length < told) {
    return wrong(`${name}: the Image is cut short: ${bytes.length} bytes are there, at least ${told} must be.`)
  }
  return {
    ok: true,
    kernel: { kind: 'Image', bytes, textOffset: Number(textOffset), size: Math.max(Number(size), bytes.length) },
  }
}

/** ELF-64 Object File Format; ELF for the Arm 64-bit Architecture (machine 183). */
const ELF_HEADER = {
  size: 64,
  class: 4,
  data: 5,
  machine: 0x12,
  entry: 0x18,
  phoff: 0x20,
  phentsize: 0x36,
  phnum: 0x38,
} as const
const PROGRAM = { size: 56, type: 0, offset: 8, physical: 0x18, fileSize: 0x20, memorySize: 0x28 } as const
const ELFCLASS64 = 2
const ELFDATA2LSB = 1
const EM_AARCH64 = 183
const PT_LOAD = 1

const readElf = (name: string, bytes: Uint8Array): Found<{ kernel: Kernel }> => {
  if (bytes.length < ELF_HEADER.size)
    return wrong(`${name}: the ELF file has ${bytes.length} bytes, less than its header.`)
  const view = viewOf(bytes)
  const machine = view.getUint16(ELF_HEADER.machine, true)
  if (bytes[ELF_HEADER.class] !== ELFCLASS64 || bytes[ELF_HEADER.data] !== ELFDATA2LSB || machine !== EM_AARCH64) {
    return wrong(`${name}: the ELF file is not for little-endian AArch64 (machine ${machine}).`)
  }
  const table = view.getBigUint64(ELF_HEADER.phoff, true)
  const count = view.getUint16(ELF_HEADER.phnum, true)
  const stride = view.getUint16(ELF_HEADER.phentsize, true)
  if (count > 0 && stride < PROGRAM.size) return wrong(`${name}: the ELF file has program headers of ${stride} bytes.`)
  if (table + BigInt(count * stride) > BigInt(bytes.length)) {
    return wrong(`${name}: the ELF file is cut short: its program headers reach beyond its ${bytes.length} bytes.`)
  }
  const segments: Segment[] = []
  for (let i = 0; i < count; i += 1) {
    const at = Number(table) + i * stride
    if (view.getUint32(at + PROGRAM.type, true) !== PT_LOAD) continue
    const offset = view.getBigUint64(at + PROGRAM.offset, true)
    const fileSize = view.getBigUint64(at + PROGRAM.fileSize, true)
    const memorySize = view.getBigUint64(at + PROGRAM.memorySize, true)
    if (offset + fileSize > BigInt(bytes.length)) {
      return wrong(
        `${name}: the ELF file is cut short: segment ${i} reaches to ${offset + fileSize} of ${bytes.length}.`,
      )
    }
    if (memorySize < fileSize || memorySize > MAX_IMAGE) {
      return wrong(`${name}: segment ${i} of the ELF file takes ${hex(memorySize)} bytes of memory.`)
    }
    segments.push({
      physical: view.getBigUint64(at + PROGRAM.physical, true),
      bytes: bytes.subarray(Number(offset), Number(offset + fileSize)),
      memorySize: Number(memorySize),
    })
  }
  if (segments.length === 0) return wrong(`${name}: the ELF file has nothing to load.`)
  return { ok: true, kernel: { kind: 'ELF', segments, entry: view.getBigUint64(ELF_HEADER.entry, true) } }
}

const decoder = createDecoder(rows)

/** Whether a file without any header can be code: it begins with an instruction, and is no text. */
const looksLikeCode = (bytes: Uint8Array): boolean => {
  const beginning = bytes.subarray(0, 256)
  const isText = beginning.every((byte) => byte === 0x09 || byte === 0x0a || byte === 0x0d || byte >= 0x20) // UTF-8 too
  return bytes.length >= 4 && !isText && decoder.decode(viewOf(bytes).getUint32(0, true)) !== undefined
}

/** What a kernel file is. A file without any header is one only when `raw` says that such are welcome. */
export const readKernel = (name: string, file: Uint8Array, raw: boolean): Found<{ kernel: Kernel }> => {
  const unpacked = unpack(name, file)
  if (!unpacked.ok) return unpacked
  const { bytes } = unpacked
  if (bytes.length === 0) return wrong(`${name}: the file is empty.`)
  if (startsWith(bytes, ELF)) return readElf(name, bytes)
  if (bytes.length >= IMAGE.headerSize && startsWith(bytes, IMAGE_MAGIC, IMAGE.magicAt)) return readImage(name, bytes)
  if (startsWith(bytes, EFI_ZBOOT, EFI_ZBOOT_AT)) return readZboot(name, bytes)
  if (startsWith(bytes, EFI)) return wrong(`${name}: an EFI program without the header of an arm64 Image.`)
  if (raw && looksLikeCode(bytes)) return { ok: true, kernel: { kind: 'raw', bytes } }
  const kinds = raw
    ? 'neither an arm64 Image, nor gzip, nor ELF, nor A64 code'
    : 'neither an arm64 Image, nor gzip, nor ELF'
  return wrong(`${name}: ${kinds}; it begins with ${firstBytes(bytes)}.`)
}

/** drivers/firmware/efi/libstub/zboot-header.S: a compressed Image in an EFI program that unpacks it. */
const readZboot = (name: string, bytes: Uint8Array): Found<{ kernel: Kernel }> => {
  if (bytes.length < IMAGE.headerSize) return wrong(`${name}: the compressed EFI kernel is cut short.`)
  const view = viewOf(bytes)
  const start = view.getUint32(ZBOOT.payload, true)
  const size = view.getUint32(ZBOOT.size, true)
  const payload = bytes.subarray(start, start + size)
  if (payload.length < size) {
    return wrong(`${name}: the compressed EFI kernel is cut short: ${bytes.length} bytes of ${start + size} are there.`)
  }
  if (!startsWith(payload, GZIP)) {
    return wrong(`${name}: the EFI kernel is compressed in another way than gzip; unpack it first.`)
  }
  const image = unpack(name, payload)
  if (!image.ok) return image
  if (startsWith(image.bytes, IMAGE_MAGIC, IMAGE.magicAt)) return readImage(name, image.bytes)
  return wrong(`${name}: the compressed EFI kernel holds no arm64 Image.`)
}

const firstBytes = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** Looks into an initrd as far as that can be done here; the guest unpacks it. */
export const checkInitrd = (name: string, bytes: Uint8Array): Found<object> => {
  if (bytes.length === 0) return wrong(`${name}: the file is empty.`)
  if (isCpio(bytes)) {
    const cpio = checkCpio(bytes)
    return cpio.ok ? cpio : wrong(`${name}: the cpio archive is broken: ${cpio.what}.`)
  }
  if (startsWith(bytes, GZIP)) {
    const unpacked = unpack(name, bytes)
    if (!unpacked.ok) return unpacked
    const cpio = checkCpio(unpacked.bytes)
    return cpio.ok || !isCpio(unpacked.bytes)
      ? { ok: true }
      : wrong(`${name}: the cpio archive in it is broken: ${cpio.what}.`)
  }
  if (COMPRESSED.some(({ magic }) => startsWith(bytes, magic))) return { ok: true }
  return wrong(`${name}: neither a cpio archive nor a compressed one; it begins with ${firstBytes(bytes)}.`)
}
