/**
 * What the threads of a page have to do, from Chromium's own trace. Processor time tells what the page costs on a host
 * that has other things to do as well; wall time tells what a person waits for there.
 */
import type { Browser } from '@playwright/test'
import { z } from 'zod'

export interface Task {
  readonly cpuMs: number
  readonly wallMs: number
}

export interface Threads<Result> {
  readonly result: Result
  /** Tasks of the page's main thread. */
  readonly main: readonly Task[]
  /** Processor milliseconds of its worker. */
  readonly workerMs: number
}

/** "Trace Event Format": `ts`, `dur` and `tdur` (of the thread's own clock) are microseconds. */
const traceSchema = z.object({
  traceEvents: z.array(
    z.object({
      ph: z.string(),
      name: z.string(),
      pid: z.number(),
      tid: z.number(),
      dur: z.number().optional(),
      tdur: z.number().optional(),
      args: z.object({ name: z.string().optional() }).loose().optional(),
    }),
  ),
})

const MAIN = 'CrRendererMain'
const WORKER = 'DedicatedWorker thread'
/** The outermost work of a thread (base/task/sequence_manager). */
const TASK = 'ThreadControllerImpl::RunTask'
const US_PER_MS = 1000

/** Processor milliseconds of all tasks. */
export const cpuOf = (tasks: readonly Task[]): number => tasks.reduce((all, { cpuMs }) => all + cpuMs, 0)

/** Does something, and says what the busiest page of the browser did for it. */
export const traced = async <Result>(browser: Browser, act: () => Promise<Result>): Promise<Threads<Result>> => {
  await browser.startTracing(undefined, { categories: ['toplevel', '-*'] })
  let result: Result
  let text: Buffer
  try {
    result = await act()
  } finally {
    text = await browser.stopTracing()
  }
  const { traceEvents } = traceSchema.parse(JSON.parse(text.toString()))
  const names = new Map<string, string>()
  const threads = new Map<string, Task[]>()
  for (const { ph, name, pid, tid, dur = 0, tdur = 0, args } of traceEvents) {
    const thread = `${pid} ${tid}`
    if (ph === 'M' && name === 'thread_name') names.set(thread, args?.name ?? '')
    if (ph !== 'X' || name !== TASK) continue
    const tasks = threads.get(thread) ?? []
    tasks.push({ cpuMs: tdur / US_PER_MS, wallMs: dur / US_PER_MS })
    threads.set(thread, tasks)
  }
  const busiest = (name: string): readonly Task[] =>
    [...threads]
      .filter(([thread]) => names.get(thread) === name)
      .map(([, tasks]) => tasks)
      .toSorted((a, b) => cpuOf(b) - cpuOf(a))[0] ?? []
  return { result, main: busiest(MAIN), workerMs: cpuOf(busiest(WORKER)) }
}
