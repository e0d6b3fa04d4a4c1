/** Takes the gzip off a file by the host's own means, ten times faster than by ours. */
import { MAX_UNPACKED } from '../vmm/image.ts'

const GZIP = { first: 0x1f, second: 0x8b, least: 18 } as const

/**
 * The unpacked file, or, where that is all but plain, the file as it is: whoever uses it unpacks it then, and says what is
 * wrong with it.
 */
export async function unpackAhead(file: Uint8Array): Promise<Uint8Array> {
  if (file[0] !== GZIP.first || file[1] !== GZIP.second || file.length < GZIP.least) return file
  // RFC 1952: the last four bytes are the length.
  const length = new DataView(file.buffer, file.byteOffset + file.length - 4).getUint32(0, true)
  if (length > MAX_UNPACKED) return file
  const unpacked = new Uint8Array(length)
  let at = 0
  try {
    for await (const part of new Blob([file.slice()]).stream().pipeThrough(new DecompressionStream('gzip'))) {
      if (at + part.length > length) return file
      unpacked.set(part, at)
      at += part.length
    }
  } catch {
    return file
  }
  return at === length ? unpacked : file
}
