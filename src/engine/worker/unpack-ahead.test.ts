import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { unpackAhead } from './unpack-ahead.ts'

const text = new Uint8Array(Buffer.from('a kernel, '.repeat(100_000)))
const packed = new Uint8Array(gzipSync(text))

describe('a file that comes to the worker', () => {
  it('is unpacked', async () => {
    expect(Buffer.compare(await unpackAhead(packed), text)).toBe(0)
  })

  it.each([
    ['that is not packed', text],
    ['that is cut short', packed.slice(0, -9)],
    ['that is damaged', packed.with(packed.length >> 1, (packed[packed.length >> 1] ?? 0) ^ 0xff)],
    ['that says it is shorter than it is', packed.with(packed.length - 3, 0)],
    ['that says it is larger than a kernel can be', packed.with(packed.length - 1, 0xff)],
    ['of two parts', new Uint8Array(Buffer.concat([packed, packed]))],
    ['of two bytes', packed.slice(0, 2)],
  ])('%s is kept as it is, for the machine to judge', async (_, file) => {
    expect(await unpackAhead(file)).toBe(file)
  })
})
