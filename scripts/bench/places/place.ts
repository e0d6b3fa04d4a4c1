/** Where a guest of a benchmark runs. What it says is timed by the processor time of the threads that run it. */
import { spawn } from 'node:child_process'
import { cpuMs } from './cpu-clock.ts'
import type { Threads } from './cpu-clock.ts'
import type { Hearer } from './listener.ts'

export const PLACES = ['QEMU', 'Node', 'Chromium'] as const
export type Place = (typeof PLACES)[number]

/** A guest that has said nothing new for so long hangs: a cold part takes minutes where other work has the machine. */
export const SILENCE_MS = 600_000

/** MiB. */
export const MEMORY = 256

export interface BenchGuest {
  readonly vcpus: number
  /** MiB of RAM. Default: `MEMORY`. */
  readonly memory?: number
  /** Files: a kernel Image or an ELF, and where there is one the first root file system. */
  readonly kernel: string
  readonly initrd?: string
  readonly append?: string
}

/** Has somebody listen to a program until it ends or enough was heard, by the time that some of its threads have had. */
export const listenTo = (hearer: Hearer, command: string, args: readonly string[], threads: Threads): Promise<void> =>
  new Promise((resolve, reject) => {
    const program = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const fail = (error: unknown): void => {
      program.kill('SIGKILL')
      reject(error)
    }
    const hangs = (): void =>
      fail(new Error(`${command} said nothing for ${SILENCE_MS / 1000} s after\n${hearer.tail}`))
    let timer = setTimeout(hangs, SILENCE_MS)
    program.stdout.on('data', (bytes: Buffer) => {
      clearTimeout(timer)
      timer = setTimeout(hangs, SILENCE_MS)
      try {
        hearer.feed(bytes.toString('latin1'), cpuMs(program.pid ?? 0, threads))
      } catch (error) {
        fail(error)
      }
      if (hearer.done) program.kill('SIGKILL')
    })
    program.on('error', reject)
    program.on('close', (status) => {
      clearTimeout(timer)
      if (status === 0 || hearer.done) resolve()
      else reject(new Error(`${command} ended with ${status} after\n${hearer.tail}`))
    })
  })
