/** Answers, put together in one place. */
import type { KvmAnswer } from '../../pure/uapi/calls.ts'

export const done: KvmAnswer = { ok: true }

export const withNote = (note: string | undefined): KvmAnswer => (note === undefined ? done : { ok: true, note })

export const withValue = (value: bigint): KvmAnswer => ({ ok: true, value })
