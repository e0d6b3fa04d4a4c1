/** Bytes that grow, up to a bound. */

/** More than this is a slip in the source (a `.space` with an address, say), not a program. */
const LIMIT = 64 << 20

export interface Output {
  readonly length: number
  /** False when the program would grow beyond all bounds. */
  append(bytes: number, fill?: number): boolean
  write(at: number, size: number, value: bigint): void
  word(at: number, value: number): void
  bytes(at: number, bytes: Uint8Array): void
  finish(): Uint8Array
}

export function createOutput(): Output {
  let buffer = new Uint8Array(1 << 16)
  let view = new DataView(buffer.buffer)
  let length = 0
  return {
    get length() {
      return length
    },
    append: (bytes, fill = 0) => {
      if (length + bytes > LIMIT) return false
      if (length + bytes > buffer.length) {
        const larger = new Uint8Array(2 ** Math.ceil(Math.log2(length + bytes)))
        larger.set(buffer)
        buffer = larger
        view = new DataView(buffer.buffer)
      }
      if (fill !== 0) buffer.fill(fill, length, length + bytes)
      length += bytes
      return true
    },
    write: (at, size, value) => {
      for (let i = 0; i < size; i++) buffer[at + i] = Number((value >> BigInt(8 * i)) & 0xffn)
    },
    word: (at, value) => view.setUint32(at, value, true),
    bytes: (at, bytes) => buffer.set(bytes, at),
    finish: () => buffer.slice(0, length),
  }
}
