import { describe, expect, it } from 'vitest'
import { writeCpio } from '../../pure/blueprint/cpio.ts'
import { placeGuest } from './load.ts'
import type { PlaceOptions, Range } from './load.ts'

const MIB = 2 ** 20
const RAM = 0x4000_0000

const image = (length: number, imageSize: number, textOffset = 0): Uint8Array => {
  const file = new Uint8Array(length)
  const view = new DataView(file.buffer)
  view.setBigUint64(0x08, BigInt(textOffset), true)
  view.setBigUint64(0x10, BigInt(imageSize), true)
  file.set(new TextEncoder().encode('ARM\x64'), 0x38)
  return file
}

const INITRD = writeCpio([{ kind: 'file', name: 'init', bytes: new Uint8Array(3 * MIB) }])

const place = (kernel: Uint8Array, ramSize: number, initrd?: Uint8Array, tree?: ReturnType<PlaceOptions['dtb']>) => {
  const written: Range[] = []
  let told: Range | undefined
  const placed = placeGuest({
    ramBase: RAM,
    ramSize,
    kernel,
    ...(initrd === undefined ? {} : { initrd }),
    dtb: (range) => {
      told = range
      return tree ?? { ok: true, dtb: new Uint8Array(1000) }
    },
    write: (start, bytes) => written.push({ start, end: start + bytes.length }),
  })
  return { placed, written, told }
}

describe('a guest in RAM', () => {
  it('lies where QEMU puts it: kernel at 2 MiB, initrd at 128 MiB, device tree behind', () => {
    const { placed, written, told } = place(image(5 * MIB, 6 * MIB), 256 * MIB, INITRD)
    expect(placed).toEqual({ ok: true, entry: 0x4020_0000n, dtb: 0x4840_0000n })
    expect(told).toEqual({ start: 0x4800_0000, end: 0x4800_0000 + INITRD.length })
    expect(written.map(({ start }) => start)).toEqual([0x4020_0000, 0x4800_0000, 0x4840_0000])
  })

  it.each([12, 16, 20, 64, 300, 1024])(
    'overlaps nowhere in %i MiB, the zeroed memory of the kernel included',
    (mib) => {
      const kernelSize = 4 * MIB
      const { placed, written, told } = place(image(3 * MIB, kernelSize), mib * MIB, INITRD)
      if (!placed.ok) throw new Error(placed.what)
      const start = Number(placed.entry)
      const ranges = [{ start, end: start + kernelSize }, ...written.slice(1)]
      const bounds = ranges.flatMap((range) => [range.start, range.end])
      expect(bounds).toEqual(bounds.toSorted((one, other) => one - other))
      expect(bounds.at(-1)).toBeLessThanOrEqual(RAM + mib * MIB)
      expect(told).toEqual(written[1])
      expect(placed.dtb % BigInt(2 * MIB)).toBe(0n)
    },
  )

  it('honours text_offset', () => {
    expect(place(image(1000, 1000, 0x80000), 64 * MIB).placed).toMatchObject({ entry: 0x4008_0000n })
  })

  it('without a header starts at 0x80000', () => {
    expect(place(Uint8Array.of(0x1f, 0x20, 0x03, 0xd5), 16 * MIB).placed).toMatchObject({
      ok: true,
      entry: 0x4008_0000n,
    })
  })

  it.each<[string, Uint8Array, number, Uint8Array | undefined, string]>([
    [
      'kernel',
      image(20 * MIB, 20 * MIB),
      16,
      undefined,
      'The kernel takes 0x40200000 to 0x41600000, and RAM is 0x40000000 to 0x41000000: it does not fit into 16 MiB.',
    ],
    ['initrd', image(13 * MIB, 13 * MIB), 16, INITRD, 'The initrd has 4 MiB, and 1 MiB of RAM are left for it.'],
    [
      'device tree',
      image(10.5 * MIB, 10.5 * MIB),
      16,
      INITRD,
      "The device tree does not fit: the guest's files fill 16 MiB of RAM.",
    ],
  ])('whose %s does not fit is refused before anything is written', (_, kernel, mib, initrd, what) => {
    const { placed, written } = place(kernel, mib * MIB, initrd)
    expect(placed).toEqual({ ok: false, what })
    expect(written).toEqual([])
  })

  it('with a device tree beyond 2 MiB is refused', () => {
    expect(
      place(image(1000, 1000), 64 * MIB, undefined, { ok: true, dtb: new Uint8Array(2 * MIB + 1) }).placed,
    ).toEqual({
      ok: false,
      what: 'The device tree has 2097153 bytes; Linux takes at most 2097152.',
    })
  })

  it('with a device tree that does not parse is refused before anything is written', () => {
    const tree = { ok: false, what: 'The device tree begins with 0x0, not with 0xd00dfeed.' } as const
    const { placed, written } = place(image(1000, 1000), 64 * MIB, undefined, tree)
    expect(placed).toEqual(tree)
    expect(written).toEqual([])
  })
})
