/**
 * How much processor time the threads that run a guest have had, by Linux's /proc (proc_pid_schedstat: nanoseconds on the CPU
 * come first). Beside other jobs on the same machine it says more than the wall's clock, and not for one of the measured alone.
 */
import { performance } from 'node:perf_hooks'
import { numbersIn, procText } from './processes.ts'

/** Which threads of a process count, by their number or name. */
export type Threads = (thread: { readonly process: number; readonly id: number; readonly name: string }) => boolean

/** Without those on which the host compiles and collects garbage: they have the second core for themselves. */
export const isMainThread: Threads = ({ process, id }) => id === process

/** Whether processor time can be had here. */
export const hasCpuClock = procText('/proc/self/schedstat') !== ''

/** Milliseconds that these threads of a process have had; of the wall, where processor time cannot be had. */
export const cpuMs = (process: number, threads: Threads): number => {
  if (!hasCpuClock) return performance.now()
  let ns = 0
  for (const id of numbersIn(`/proc/${process}/task`)) {
    const thread = `/proc/${process}/task/${id}`
    if (threads({ process, id, name: procText(`${thread}/comm`).trim() }))
      ns += Number(procText(`${thread}/schedstat`).split(' ')[0])
  }
  return ns / 1e6
}
