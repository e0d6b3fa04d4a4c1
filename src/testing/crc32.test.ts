/** CRC32 and CRC32C of bytes and of longer pieces, against the check values that catalogues of CRCs give for "123456789". */
import { describe, expect, it } from 'vitest'
import { BareCore } from './bare-core.ts'
import { EAGER } from './eager.ts'

const TEXT = 0x3837_3635_3433_3231n
const LAST = 0x39n

/** Eight characters in pieces of one instruction's size, then the ninth; X1 is the accumulator, X2 and X3 the text. */
const pieces = (name: string, suffix: string, register: string, bits: number): string =>
  Array.from({ length: 64 / bits }, (_, i) => `lsr x4, x2, #${bits * i}\n ${name}${suffix} w1, w1, ${register}4`).join(
    '\n ',
  )
const SIZES = [
  ['b', 'w', 8],
  ['h', 'w', 16],
  ['w', 'w', 32],
  ['x', 'x', 64],
] as const

describe.each([
  ['crc32', 0xcbf4_3926n],
  ['crc32c', 0xe306_9283n],
])('%s', (name, check) => {
  it.each(SIZES)('%s', (suffix, register, bits) => {
    const program = `
      mov x5, #50
    1: mov w1, #-1
      ${pieces(name, suffix, register, bits)}
      ${name}b w1, w1, w3
      mvn w1, w1
      subs x5, x5, #1
      b.ne 1b
      hvc #0`
    for (const translate of [false, EAGER]) {
      const [, sum] = new BareCore('max', translate).load(program, [0n, 0n, TEXT, LAST]).run()
      expect(sum).toBe(check)
    }
  })
})
