/**
 * How much processor time the threads that run a guest have had, by Linux's /proc (proc_pid_schedstat: nanoseconds on the CPU
 * come first). Beside other jobs on the same machine it says more than the wall's clock, and not for one of the measured alone.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

/** Which threads of a process count, by their number or name. */
export type Threads = (thread: { readonly process: number; readonly id: number; readonly name: string }) => boolean

/** Without those on which the host compiles and collects garbage: they have the second core for themselves. */
export const isMainThread: Threads = ({ process, id }) => id === process

/** Empty where the file or folder has just gone. */
const gone = <T>(read: () => T, otherwise: T): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return otherwise
    throw error
  }
}

const text = (path: string): string => gone(() => readFileSync(path, 'utf8'), '')
const numbersIn = (folder: string): readonly number[] =>
  gone(() => readdirSync(folder), [])
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/** Whether processor time can be had here. */
export const hasCpuClock = text('/proc/self/schedstat') !== ''

/** Milliseconds that these threads of a process have had; of the wall, where processor time cannot be had. */
export const cpuMs = (process: number, threads: Threads): number => {
  if (!hasCpuClock) return performance.now()
  let ns = 0
  for (const id of numbersIn(`/proc/${process}/task`)) {
    const thread = `/proc/${process}/task/${id}`
    if (threads({ process, id, name: text(`${thread}/comm`).trim() }))
      ns += Number(text(`${thread}/schedstat`).split(' ')[0])
  }
  return ns / 1e6
}

/** A process and all that it and its children have started. */
export const processesOf = (root: number): readonly number[] => {
  const children = new Map<number, number[]>()
  for (const id of numbersIn('/proc')) {
    // The name may hold anything but ends at the last bracket; state and parent follow.
    const parent = Number(text(`/proc/${id}/stat`).split(') ').at(-1)?.split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), id])
  }
  const found = [root]
  for (const id of found) found.push(...(children.get(id) ?? []))
  return found
}
