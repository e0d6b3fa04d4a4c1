/**
 * How much processor time the threads that run a guest have had, by Linux's /proc (proc_pid_schedstat: nanoseconds on the CPU
 * come first). Beside other jobs on the same machine it says more than the wall's clock, and not for one of the measured alone.
 */
import { performance } from 'node:perf_hooks'
import { numbersIn, processesOf, procText } from './processes.ts'

/** Which threads of a process count, by their number or name. */
export type Threads = (thread: { readonly process: number; readonly id: number; readonly name: string }) => boolean

/** Without those on which the host compiles and collects garbage: they have the second core for themselves. */
export const isMainThread: Threads = ({ process, id }) => id === process

/** Whether processor time can be had here. */
export const hasCpuClock = procText('/proc/self/schedstat') !== ''

const threadMs = (thread: string): number => Number(procText(`${thread}/schedstat`).split(' ')[0]) / 1e6

/** Milliseconds that this process' own main thread has had: cheaper than `cpuMs`. */
export const ownMs = (): number => (hasCpuClock ? threadMs(`/proc/self/task/${process.pid}`) : performance.now())

/** Milliseconds that these threads of a process have had; of the wall, where processor time cannot be had. */
export const cpuMs = (process: number, threads: Threads): number => {
  if (!hasCpuClock) return performance.now()
  let ms = 0
  for (const id of numbersIn(`/proc/${process}/task`)) {
    const thread = `/proc/${process}/task/${id}`
    if (threads({ process, id, name: procText(`${thread}/comm`).trim() })) ms += threadMs(thread)
  }
  return ms
}

/**
 * A clock of these threads that a page is about to start, in whichever process of a browser below this one: the process in
 * which they have had most since now, of those where they had any when it was first looked at.
 */
export const clockOfNext = (threads: Threads): (() => number) => {
  const before = new Map(processesOf(process.pid).map((id) => [id, cpuMs(id, threads)]))
  const since = (id: number): number => cpuMs(id, threads) - (before.get(id) ?? 0)
  let found: readonly number[] = []
  return () => {
    if (found.length === 0) found = processesOf(process.pid).filter((id) => since(id) > 0)
    return Math.max(0, ...found.map(since))
  }
}
