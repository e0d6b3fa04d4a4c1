/**
 * What QEMU made of blocks, recorded: the instructions, a seed for the states, and digests of the states after them. So
 * instructions are compared where QEMU is not installed too. `npm run fuzz -- --record N` writes the file anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDecoder } from '../../pure/arch/a64/decoder.ts'
import { rowsWith } from '../../pure/arch/a64/rows/index.ts'
import { CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import { Random } from '../oracle/operands.ts'
import { dataOf, makeBatch, stateOf } from './batch.ts'
import type { Batch } from './batch.ts'
import type { Driver, DriverImage } from './driver.ts'
import { KNOWN } from './known.ts'
import { MAX_BLOCKS } from './layout.ts'
import { ProgramMaker } from './program.ts'
import { runOnQemu } from './runners.ts'
import { StateMaker } from './states.ts'

const FILE = join(import.meta.dirname, 'recorded.json')
const LENGTH = 12
const CASES_OF_A_BLOCK = 4

interface Recorded {
  readonly entry: number
  /** Base64 of little-endian bytes, here and below. */
  readonly driver: string
  readonly seed: number
  readonly batches: readonly { readonly words: string; readonly digests: string }[]
}

const base64 = (bytes: ArrayBufferView): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
const words = (text: string): Uint32Array => {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
  return new Uint32Array(bytes.buffer)
}

/** FNV-1a of 32 bits. */
function digest(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** One for each state, and one for the memory. */
export const digests = (batch: Batch, after: Uint8Array): Uint32Array =>
  Uint32Array.from([
    ...batch.cases.map((_, i) => {
      const { buffer, byteOffset, byteLength } = stateOf(after, i)
      return digest(new Uint8Array(buffer, byteOffset, byteLength))
    }),
    digest(dataOf(after)),
  ])

function batchOf(blocks: readonly (readonly number[])[], seed: number): Batch {
  const states = new StateMaker(new Random(seed))
  const cases = blocks.flatMap((_, block) => Array<number>(CASES_OF_A_BLOCK).fill(block))
  return makeBatch(blocks, cases, states.data(), (view) => states.write(view))
}

export interface RecordedBatch {
  readonly batch: Batch
  readonly digests: Uint32Array
}

export function readRecorded(): { readonly image: DriverImage; readonly batches: readonly RecordedBatch[] } {
  // Checked in beside this file, and compared with what it says: nothing else writes it.
  const recorded: Recorded = JSON.parse(readFileSync(FILE, 'utf8'))
  const image = new Uint8Array(words(recorded.driver).buffer)
  const batches = recorded.batches.map((one, i) => {
    const all = [...words(one.words)]
    const blocks = Array.from({ length: all.length / LENGTH }, (_, b) => all.slice(b * LENGTH, (b + 1) * LENGTH))
    return { batch: batchOf(blocks, recorded.seed + i), digests: words(one.digests) }
  })
  return { image: { bytes: image, entry: recorded.entry }, batches }
}

/** So many batches, as QEMU has them now. */
export function record(driver: Driver, count: number, seed: number): void {
  const rows = rowsWith(CPU_MODELS.max.features).filter((row) => !KNOWN.some((known) => known.row === row.name))
  const programs = new ProgramMaker(rows, createDecoder(rows), new Random(seed))
  const batches = Array.from({ length: count }, (_, i) => {
    const blocks = Array.from({ length: MAX_BLOCKS / 2 }, (_unused, b) => programs.block(b, LENGTH))
    const batch = batchOf(blocks, seed + i)
    const run = runOnQemu(driver.program, batch)
    if ('failed' in run) throw new Error(run.failed)
    return { words: base64(Uint32Array.from(blocks.flat())), digests: base64(digests(batch, run.bytes)) }
  })
  const recorded: Recorded = { entry: driver.image.entry, driver: base64(driver.image.bytes), seed, batches }
  writeFileSync(FILE, JSON.stringify(recorded, undefined, 1) + '\n')
}
