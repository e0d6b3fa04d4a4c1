import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { received } from './guests.ts'

const TEXT = 'a guest, '.repeat(10_000)
const PACKED = new Uint8Array(gzipSync(TEXT))
const PIECE = 100

/** A file that comes in pieces, and breaks off after some of them. */
const incoming = (bytes: Uint8Array<ArrayBuffer>, breaksAfter = Infinity) => {
  let at = 0
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (to) => {
      if (at >= breaksAfter) to.error(new Error('the network is gone'))
      else if (at >= bytes.length) to.close()
      else to.enqueue(bytes.slice(at, (at += PIECE)))
    },
  })
  return { name: 'Image', stream, length: bytes.length }
}

describe('a file that is received', () => {
  it('is unpacked while it comes, and tells how much has come', async () => {
    const told: number[] = []
    const file = await received(incoming(PACKED), (loaded, total) => {
      expect(total).toBe(PACKED.length)
      told.push(loaded)
    })
    expect(file.ok && new TextDecoder().decode(file.value)).toBe(TEXT)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    expect(told.at(-1)).toBe(PACKED.length)
    expect(told.length).toBeGreaterThan(PACKED.length / PIECE)
  })

  it('stays as it is where it is not packed', async () => {
    const file = await received(incoming(new TextEncoder().encode(TEXT)))
    expect(file.ok && new TextDecoder().decode(file.value)).toBe(TEXT)
  })

  it('may be empty', async () => {
    expect(await received(incoming(new Uint8Array()))).toEqual({ ok: true, value: new Uint8Array() })
  })

  it.each([
    ['that breaks off is refused with how much came', incoming(PACKED, 200), 'Image broke off after 200 bytes.'],
    [
      'that is cut off is refused by name',
      incoming(PACKED.slice(0, -20)),
      'Image begins like a gzip file and is not one.',
    ],
    [
      'that only begins like gzip is refused by name',
      incoming(Uint8Array.from(PACKED, (byte, i) => (i < 2 ? byte : 0x55))),
      'Image begins like a gzip file and is not one.',
    ],
  ])('%s', async (_, file, what) => {
    expect(await received(file)).toEqual({ ok: false, what })
  })
})
