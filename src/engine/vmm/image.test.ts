import { gzipSync } from 'fflate'
import * as fc from '../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { writeCpio } from '../../pure/blueprint/cpio.ts'
import { checkInitrd, readKernel, unpack } from './image.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** An arm64 Image header (Documentation/arch/arm64/booting.rst) in front of zeroes. */
const image = (length: number, imageSize = length, textOffset = 0, flags = 0xa): Uint8Array => {
  const file = new Uint8Array(length)
  const view = new DataView(file.buffer)
  view.setBigUint64(0x08, BigInt(textOffset), true)
  view.setBigUint64(0x10, BigInt(imageSize), true)
  view.setBigUint64(0x18, BigInt(flags), true)
  file.set(bytes('ARM\x64'), 0x38)
  return file
}

/** An ELF file with one segment of four bytes. */
const elf = ({ machine = 183, offset = 0x78, fileSize = 4n, memorySize = 8n } = {}): Uint8Array => {
  const file = new Uint8Array(0x7c)
  const view = new DataView(file.buffer)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(0x12, machine, true)
  view.setBigUint64(0x18, 0x4000_1000n, true)
  view.setBigUint64(0x20, 64n, true)
  view.setUint16(0x36, 56, true)
  view.setUint16(0x38, 1, true)
  view.setUint32(64, 1, true)
  view.setBigUint64(64 + 8, BigInt(offset), true)
  view.setBigUint64(64 + 0x18, 0x4000_0000n, true)
  view.setBigUint64(64 + 0x20, fileSize, true)
  view.setBigUint64(64 + 0x28, memorySize, true)
  file.set([1, 2, 3, 4], 0x78)
  return file
}

const zboot = (payload: Uint8Array): Uint8Array => {
  const file = new Uint8Array(64 + payload.length)
  file.set(bytes('MZ\0\0zimg'))
  new DataView(file.buffer).setUint32(8, 64, true)
  new DataView(file.buffer).setUint32(12, payload.length, true)
  file.set(payload, 64)
  return file
}

const what = (file: Uint8Array, raw = false): string => {
  const read = readKernel('k', file, raw)
  return read.ok ? `ok: ${read.kernel.kind}` : read.what
}

describe('a kernel file', () => {
  it('is an Image by its magic, and takes image_size bytes of memory', () => {
    expect(readKernel('k', image(256, 300, 0x1000), false)).toEqual({
      ok: true,
      kernel: { kind: 'Image', bytes: image(256, 300, 0x1000), textOffset: 0x1000, size: 300 },
    })
  })

  it('with an EFI stub is cut short when its last section is', () => {
    const file = image(0x400, 0x1000)
    const view = new DataView(file.buffer)
    file.set(bytes('MZ'))
    view.setUint32(0x3c, 0x40, true)
    file.set(bytes('PE'), 0x40)
    view.setUint16(0x46, 1, true)
    view.setUint32(0x58 + 0x10, 0x100, true)
    view.setUint32(0x58 + 0x14, 0x300, true)
    expect(what(file)).toBe('ok: Image')
    expect(what(file.subarray(0, 0x3ff))).toBe(
      'k: the Image is cut short: 1023 bytes are there, at least 1024 must be.',
    )
  })

  it('from before v3.17 has no image_size and lies at 0x80000', () => {
    const read = readKernel('k', image(256, 0), false)
    expect(read).toMatchObject({ ok: true, kernel: { textOffset: 0x80000, size: 256 } })
  })

  it('is unpacked from gzip, and from an EFI program with gzip in it', () => {
    expect(what(gzipSync(image(256)))).toBe('ok: Image')
    expect(what(zboot(gzipSync(image(256))))).toBe('ok: Image')
  })

  it('is an ELF file with its segments and its entry', () => {
    expect(readKernel('k', elf(), false)).toEqual({
      ok: true,
      kernel: {
        kind: 'ELF',
        entry: 0x4000_1000n,
        segments: [{ physical: 0x4000_0000n, bytes: Uint8Array.of(1, 2, 3, 4), memorySize: 8 }],
      },
    })
  })

  it('without any header is one only where such are welcome', () => {
    const nop = Uint8Array.of(0x1f, 0x20, 0x03, 0xd5)
    expect(what(nop, true)).toBe('ok: raw')
    expect(what(nop)).toBe('k: neither an arm64 Image, nor gzip, nor ELF; it begins with 1f 20 03 d5.')
    expect(what(bytes('# a text, which begins with what could be an instruction\n'), true)).toMatch(/nor A64 code/)
    expect(what(bytes('\x00\x00\x00\x00\x01'), true)).toMatch(/nor A64 code; it begins with 00 00 00 00/)
  })

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'k: the file is empty.'],
    ['half an Image', image(256, 1000), 'k: the Image is cut short: 256 bytes are there, at least 500 must be.'],
    [
      'a big-endian Image',
      image(256, 256, 0, 0xb),
      'k: the Image is a big-endian kernel; this machine runs little-endian ones.',
    ],
    [
      'an Image of 4 GiB',
      image(256, 2 ** 32),
      'k: the Image says image_size 0x100000000 and text_offset 0x0, beyond 1 GiB.',
    ],
    ['an x86 ELF file', elf({ machine: 62 }), 'k: the ELF file is not for little-endian AArch64 (machine 62).'],
    ['half an ELF file', elf({ fileSize: 5n }), 'k: the ELF file is cut short: segment 0 reaches to 125 of 124.'],
    ['a segment without memory', elf({ memorySize: 0n }), 'k: segment 0 of the ELF file takes 0x0 bytes of memory.'],
    [
      'the start of an ELF file',
      elf().subarray(0, 70),
      'k: the ELF file is cut short: its program headers reach beyond its 70 bytes.',
    ],
    ['an EFI program', bytes('MZ and more'), 'k: an EFI program without the header of an arm64 Image.'],
    [
      'a zstd kernel',
      zboot(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)),
      'k: the EFI kernel is compressed in another way than gzip; unpack it first.',
    ],
  ])('that is %s is refused with a sentence', (_, file, sentence) => {
    expect(what(file, true)).toBe(sentence)
  })

  it('of any bytes behind the magic of an ELF file is read or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x77 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        expect(readKernel('k', elf().with(at, byte), true)).toHaveProperty('ok')
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a gzip file', () => {
  const packed = gzipSync(
    fc.sample(fc.uint8Array({ minLength: 3000, maxLength: 3000 }), { numRuns: 1, seed: 1 })[0] ?? new Uint8Array(1),
  )

  it('that is cut short anywhere is found out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: packed.length - 1 }), (length) => {
        expect(unpack('f', packed.subarray(0, length)).ok).toBe(false)
      }),
    )
  })

  it('that unpacks to more than it may is given up', () => {
    const bomb = gzipSync(new Uint8Array(8 * 2 ** 20))
    expect(bomb.length).toBeLessThan(20_000)
    expect(unpack('f', bomb, 2 ** 20)).toEqual({ ok: false, what: 'f: the gzip file unpacks to more than 1 MiB.' })
  })
})

describe('an initrd', () => {
  const archive = writeCpio([{ kind: 'file', name: 'init', bytes: new Uint8Array(900) }])

  it('is a cpio archive, packed or not, or something the kernel unpacks', () => {
    expect(checkInitrd('i', archive).ok).toBe(true)
    expect(checkInitrd('i', gzipSync(archive)).ok).toBe(true)
    expect(checkInitrd('i', Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)).ok).toBe(true)
  })

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'i: the file is empty.'],
    ['text', bytes('hello'), 'i: neither a cpio archive nor a compressed one; it begins with 68 65 6c 6c.'],
    [
      'half an archive',
      archive.subarray(0, 500),
      'i: the cpio archive is broken: it ends at byte 500, inside "init", which reaches to 1016.',
    ],
    [
      'half an archive in gzip',
      gzipSync(archive.subarray(0, 500)),
      'i: the cpio archive in it is broken: it ends at byte 500, inside "init", which reaches to 1016.',
    ],
  ])('that is %s is refused with a sentence', (_, file, sentence) => {
    expect(checkInitrd('i', file)).toEqual({ ok: false, what: sentence })
  })
})
