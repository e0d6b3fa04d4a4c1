/** What the parts of a session share: its state, the worker, and a way to say that something went wrong. */
import type { StoreApi } from 'zustand/vanilla'
import type { SessionState } from './state.ts'
import type { WorkerPort } from './worker-port.ts'

export interface Desk {
  readonly port: WorkerPort
  readonly get: () => SessionState
  readonly set: StoreApi<SessionState>['setState']
  /** Says what went wrong, as a sentence; `undefined`: nothing any more. */
  readonly report: (trouble: string | undefined) => void
  /** Sends a command whose answer is only of interest when it is a complaint. */
  readonly send: (command: Parameters<WorkerPort['ask']>[0]) => void
}

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const createDesk = (port: WorkerPort, { getState: get, setState: set }: StoreApi<SessionState>): Desk => {
  const report = (trouble: string | undefined): void => set({ trouble })
  const send: Desk['send'] = (command) => {
    port.ask(command).then(
      (answer) => {
        if (!answer.ok) report(answer.what)
      },
      (error: unknown) => report(sentence(error)),
    )
  }
  return { port, get, set, report, send }
}
