/** What happened in a run of a guest, so that two runs can be told to be the same. */
import { createHash } from 'node:crypto'
import type { EventName } from '../pure/trace/events.ts'
import { kindAt } from '../pure/trace/read.ts'
import { GuestMachine } from './guest-machine.ts'
import type { GuestOptions } from './guest-machine.ts'

export interface ObservedRun {
  readonly console: string
  readonly instructions: number
  readonly byCpu: readonly number[]
  readonly virtualNs: number
  readonly exceptions: number
  /** Over every byte of the trace: what happened on which CPU, when, with which values. */
  readonly trace: string
  readonly kinds: readonly EventName[]
  readonly rest: unknown
}

/** Does `work` with a machine, and says what happened in it. */
export function observe(o: GuestOptions, work: (machine: GuestMachine) => void): ObservedRun {
  // Each column by itself: where a batch ends is the host's affair.
  const columns = [0, 1, 2, 3].map(() => createHash('sha256'))
  let exceptions = 0
  const seen = new Set<EventName>()
  const machine = new GuestMachine({
    ...o,
    onTrace: (batch) => {
      const { times, kinds, cpus: of, words } = batch
      for (const [i, column] of [times, kinds, of, words].entries()) columns[i]?.update(column)
      batch.kinds.forEach((_, i) => {
        const kind = kindAt(batch, i)
        seen.add(kind)
        if (kind === 'exceptionTaken') exceptions += 1
      })
    },
  })
  work(machine)
  const { virtualNs, cpus, ...gic } = machine.vmm.inspect()
  const { instructions, mmioExits } = machine.vmm.stats()
  return {
    console: machine.console,
    instructions,
    byCpu: cpus.map((cpu) => cpu.instructions),
    virtualNs,
    exceptions,
    trace: columns.map((column) => column.digest('hex')).join(),
    kinds: [...seen].toSorted(),
    rest: { cpus, gic, mmioExits },
  }
}
