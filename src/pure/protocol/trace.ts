/** A batch of the trace, as it crosses: columns, whose contents are looked at before anybody reads them. */
import * as z from 'zod/mini'
import { batchFault } from '../trace/read.ts'
import type { TraceBatch } from '../trace/ring.ts'

const isBatch = (value: unknown): value is TraceBatch =>
  typeof value === 'object' &&
  value !== null &&
  'first' in value &&
  typeof value.first === 'number' &&
  'times' in value &&
  value.times instanceof Float64Array &&
  'kinds' in value &&
  value.kinds instanceof Uint8Array &&
  'cpus' in value &&
  value.cpus instanceof Int16Array &&
  'starts' in value &&
  value.starts instanceof Uint32Array &&
  'words' in value &&
  value.words instanceof Uint32Array

export const traceBatch = z.custom<TraceBatch>((value) => isBatch(value) && batchFault(value) === undefined, {
  error: ({ input }) => (isBatch(input) ? (batchFault(input) ?? '') : 'not the columns of a trace'),
})
