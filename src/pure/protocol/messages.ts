/**
 * Everything that crosses the worker's boundary: commands with their answers, console bytes as they come, and
 * views at most once a frame. Both sides parse what they get.
 */
import en from 'zod/v4/locales/en.js'
import * as z from 'zod/mini'
import { command } from './commands.ts'
import { traceBatch } from './trace.ts'
import { machineUpdate, runView } from './views.ts'

// Complaints are sentences of this language: the small zod has none of its own.
z.config(en())

export const toWorker = z.object({ id: z.number(), command })
export type ToWorker = z.infer<typeof toWorker>

export const fromWorker = z.discriminatedUnion('kind', [
  /** `answer` has the shape that `answers` gives for the command with this id. */
  z.object({ kind: z.literal('answer'), id: z.number(), answer: z.unknown() }),
  z.object({ kind: z.literal('console'), bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array) }),
  z.object({ kind: z.literal('machine'), update: machineUpdate }),
  z.object({ kind: z.literal('run'), run: runView }),
  /** What has happened since the last of these; `machine` as in an update. */
  z.object({ kind: z.literal('trace'), machine: z.number(), batch: traceBatch }),
  /** The worker itself failed: a mistake of ours, as one sentence. */
  z.object({ kind: z.literal('failed'), what: z.string() }),
])
export type FromWorker = z.infer<typeof fromWorker>

/** The first complaint of a failed parse, as a sentence. */
export const complaint = (what: string, error: z.core.$ZodError): string => {
  const issue = error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`
  return `${what}${where}: ${issue?.message ?? 'not understood'}`
}
