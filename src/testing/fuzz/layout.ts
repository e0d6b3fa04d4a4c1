/** Where a batch of the fuzzer lies in memory, on QEMU and on our CPU alike. `driver.s` knows the same numbers. */

export const RAM = { base: 0x4000_0000, size: 4 * 2 ** 20 } as const

/** Blocks of instructions: a slot each, of which the last instructions are RET. */
export const BLOCKS = 0x4001_0000
export const BLOCK_SIZE = 128
export const MAX_BLOCKS = 512
/** Instructions of a block, at most. */
export const MAX_LENGTH = 24

/** What instructions may load and store. The bases point to its middle. */
export const DATA = { start: 0x4002_0000, size: 0x9000, middle: 0x4002_4800 } as const

export const END = 0x4002_f000
export const RECORDS = 0x4003_0000
/** Where the runner's whole image ends: driver, blocks, data, records. */
export const MAX_CASES = 2048

/** A state as it lies in memory, little-endian. */
export const record = { SIZE: 768, FPCR: 0, FPSR: 4, NZCV: 8, BLOCK: 12, X: 16, SP: 248, V: 256 } as const

/** General registers with a purpose: a base that is 16-byte aligned, a small index, a base; X29 and X30 are the driver's. */
export const purpose = { ALIGNED: 26, INDEX: 27, BASE: 28, FIRST: 26 } as const
