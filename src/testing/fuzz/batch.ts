/** Blocks of instructions and the states they run on, as the bytes that the driver takes. */
import { BLOCKS, BLOCK_SIZE, DATA, END, MAX_BLOCKS, MAX_CASES, MAX_LENGTH, RECORDS, record } from './layout.ts'

const RET = 0xd65f03c0

export interface Batch {
  readonly blocks: readonly (readonly number[])[]
  /** The block that each state runs. */
  readonly cases: readonly number[]
  /** From BLOCKS to the end of the records. */
  readonly bytes: Uint8Array
}

export const addressOfBlock = (block: number): number => BLOCKS + block * BLOCK_SIZE
const at = (address: number): number => address - BLOCKS
export const recordAt = (index: number): number => at(RECORDS) + index * record.SIZE

/** `data` fills the memory that instructions access, `state` writes one state into its place. */
export function makeBatch(
  blocks: readonly (readonly number[])[],
  cases: readonly number[],
  data: Uint8Array,
  state: (view: DataView, index: number) => void,
): Batch {
  if (blocks.length > MAX_BLOCKS || cases.length > MAX_CASES) throw new Error('the batch is too large')
  const bytes = new Uint8Array(recordAt(cases.length))
  const view = new DataView(bytes.buffer)
  blocks.forEach((words, block) => {
    if (words.length > MAX_LENGTH) throw new Error(`a block of ${words.length} instructions`)
    for (let i = 0; i < BLOCK_SIZE / 4; i++) view.setUint32(at(addressOfBlock(block)) + 4 * i, words[i] ?? RET, true)
  })
  bytes.set(data.subarray(0, DATA.size), at(DATA.start))
  view.setBigUint64(at(END), BigInt(RECORDS + cases.length * record.SIZE), true)
  cases.forEach((block, i) => {
    const place = new DataView(bytes.buffer, recordAt(i), record.SIZE)
    state(place, i)
    place.setUint32(record.BLOCK, addressOfBlock(block), true)
  })
  return { blocks, cases, bytes }
}

/** What a run leaves behind: the batch's bytes after it. */
export interface Result {
  readonly bytes: Uint8Array
}

export const stateOf = (bytes: Uint8Array, index: number): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset + recordAt(index), record.SIZE)

export function copyState(from: DataView, to: DataView): void {
  for (let i = 0; i < record.SIZE; i += 4) to.setUint32(i, from.getUint32(i, true), true)
}

export const dataOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(at(DATA.start), at(DATA.start) + DATA.size)

const hex = (n: bigint | number): string => `0x${n.toString(16)}`

/** How two states differ, in words; empty: not at all. */
export function differences(want: DataView, got: DataView): string[] {
  const list: string[] = []
  const check = (name: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) list.push(`${name} is ${hex(b)} instead of ${hex(a)}`)
  }
  check('FPCR', want.getUint32(record.FPCR, true), got.getUint32(record.FPCR, true))
  check('FPSR', want.getUint32(record.FPSR, true), got.getUint32(record.FPSR, true))
  check('NZCV', want.getUint32(record.NZCV, true) >>> 28, got.getUint32(record.NZCV, true) >>> 28)
  for (let x = 0; x < 29; x++)
    check(`X${x}`, want.getBigUint64(record.X + 8 * x, true), got.getBigUint64(record.X + 8 * x, true))
  check('SP', want.getBigUint64(record.SP, true), got.getBigUint64(record.SP, true))
  for (let v = 0; v < 32; v++) check(`V${v}`, vectorOf(want, v), vectorOf(got, v))
  return list
}

export const vectorOf = (state: DataView, v: number): bigint =>
  state.getBigUint64(record.V + 16 * v, true) | (state.getBigUint64(record.V + 16 * v + 8, true) << 64n)

/** The first case whose state differs, or the first byte of memory. */
export function firstDifference(
  batch: Batch,
  want: Uint8Array,
  got: Uint8Array,
): { index: number } | { byte: number } | undefined {
  if (Buffer.compare(want, got) === 0) return undefined
  const words = ({ buffer, byteOffset, byteLength }: Uint8Array): BigUint64Array =>
    new BigUint64Array(buffer.slice(byteOffset, byteOffset + byteLength))
  const [a, b] = [words(want), words(got)]
  const same = (from: number, length: number): number => {
    for (let i = from >>> 3; i < (from + length) >>> 3; i++) if (a[i] !== b[i]) return i * 8
    return -1
  }
  for (let index = 0; index < batch.cases.length; index++) if (same(recordAt(index), record.SIZE) >= 0) return { index }
  const byte = same(at(DATA.start), DATA.size)
  return byte < 0 ? undefined : { byte: byte - at(DATA.start) }
}
