/** Processes, as Linux's /proc tells of them. Elsewhere there are none. */
import { readFileSync, readdirSync } from 'node:fs'

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

/** What a file of /proc says; nothing where there is none. */
export const procText = (path: string): string => gone(() => readFileSync(path, 'utf8'), '')
/** The processes or threads that a folder of /proc lists. */
export const numbersIn = (folder: string): readonly number[] =>
  gone(() => readdirSync(folder), [])
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/** A process and all that it and its children have started. */
export const processesOf = (root: number): readonly number[] => {
  const children = new Map<number, number[]>()
  for (const id of numbersIn('/proc')) {
    // The name may hold anything but ends at the last bracket; state and parent follow.
    const parent = Number(procText(`/proc/${id}/stat`).split(') ').at(-1)?.split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), id])
  }
  const found = [root]
  for (const id of found) found.push(...(children.get(id) ?? []))
  return found
}

/** Resident memory of a process; 0 where it has gone. */
export const residentMiB = (process: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(procText(`/proc/${process}/status`))?.[1] ?? 0) / 1024
