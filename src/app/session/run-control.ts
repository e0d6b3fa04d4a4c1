/** How the machine runs, and where it stops. */
import { MAX_BREAKPOINTS } from '../../pure/protocol/commands.ts'
import type { RunUntil } from '../../pure/protocol/commands.ts'
import type { Desk } from './desk.ts'

export interface RunControl {
  pause(): void
  resume(): void
  /** One instruction, or more, of one CPU, while the others stand still. */
  step(cpu: number, count: number): void
  runTo(until: RunUntil): void
  freeze(cpu: number, frozen: boolean): void
  setBreakpoints(addresses: readonly bigint[]): void
  /** Virtual time per wall time, at most; `undefined`: as fast as it goes. */
  setSpeed(limit: number | undefined): void
  powerOff(): void
}

export const createRunControl = ({ set, send, report }: Desk): RunControl => ({
  pause: () => send({ command: 'pause' }),
  resume: () => send({ command: 'run' }),
  step: (cpu, count) => send({ command: 'step', cpu, count }),
  runTo: (until) => send({ command: 'runTo', until }),
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
