/** How the machine runs, and where it stops. */
import { MAX_BREAKPOINTS } from '../../pure/protocol/commands.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import type { PlanCall, RunUntil } from '../../pure/protocol/commands.ts'
import type { Desk } from './desk.ts'

export interface RunControl {
  pause(): void
  resume(): void
  /** One instruction, or more, of one CPU, while the others stand still. */
  step(cpu: number, count: number): void
  runTo(until: RunUntil): void
  /** The machine begins anew as it did, and runs to a moment (virtual nanoseconds): the same run, with all that was done to it. */
  rerunTo(moment: number): Promise<void>
  freeze(cpu: number, frozen: boolean): void
  setBreakpoints(addresses: readonly bigint[]): void
  /** Virtual time per wall time, at most; `undefined`: as fast as it goes. */
  setSpeed(limit: number | undefined): void
  powerOff(): void
}

export const createRunControl = (
  { port, get, set, send, report }: Desk,
  /** A machine has begun: its document, and the calls that made it. */
  begun: (blueprint: Blueprint, calls: readonly PlanCall[]) => void,
): RunControl => ({
  pause: () => send({ command: 'pause' }),
  resume: () => send({ command: 'run' }),
  step: (cpu, count) => send({ command: 'step', cpu, count }),
  runTo: (until) => send({ command: 'runTo', until }),
  rerunTo: async (moment) => {
    const { running } = get()
    const again = await port.ask({ command: 'rerun', until: moment })
    if (!again.ok) return report(again.what)
    if (running !== undefined) begun(running, again.calls)
    set({ loading: undefined, trouble: undefined })
  },
  freeze: (cpu, frozen) => send({ command: 'freeze', cpu, frozen }),
  setBreakpoints: (addresses) => {
    const breakpoints = [...new Set(addresses)].toSorted((a, b) => (a < b ? -1 : 1))
    if (breakpoints.length > MAX_BREAKPOINTS) {
      report(`There can be ${MAX_BREAKPOINTS} breakpoints at most.`)
      return
    }
    set({ breakpoints })
    send({ command: 'breakpoints', addresses: breakpoints })
  },
  setSpeed: (limit) => {
    set({ speed: limit })
    send(limit === undefined ? { command: 'speed' } : { command: 'speed', limit })
  },
  powerOff: () => send({ command: 'power', action: 'off' }),
})
