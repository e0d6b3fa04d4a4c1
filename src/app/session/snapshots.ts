/** Machines kept in the page: taken of the one that runs, or dropped as a file, to go on with later. */
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import type { PlanCall } from '../../pure/protocol/commands.ts'
import { sentence } from './desk.ts'
import type { Desk } from './desk.ts'
import type { Slot } from './state.ts'
import type { View } from './view.ts'

/** Each has some ten megabytes. */
export const SLOTS = 4
const MAGIC = new TextEncoder().encode('GICscope snapshot\n')

/** Whether a file says that it is one. */
export const isSnapshot = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte)

export interface Snapshots {
  /** Keeps the machine as it is now. */
  takeSnapshot(): Promise<void>
  /** Keeps a file, and shows what is in it. */
  addSnapshot(name: string, file: Uint8Array): Promise<void>
  forgetSnapshot(id: number): void
  /** Compares what is kept with the machine as it is now. */
  compareSnapshots(): Promise<void>
  /** Goes on with a machine that is kept: where it was saved, or `onto` the host and under the rules of the form. */
  restoreSnapshot(id: number, onto: boolean): Promise<void>
}

/** What decides whether a machine can go on, apart from what it is itself. */
const placeOf = ({ ruleSet, base, host }: Blueprint): string => JSON.stringify({ ruleSet, base, host })

/** Whether a machine was saved elsewhere than the form has it. */
export const isElsewhere = (slot: Slot, draft: Blueprint): boolean => placeOf(slot.blueprint) !== placeOf(draft)

export const createSnapshots = (
  { port, get, set, report }: Desk,
  view: View,
  /** A machine has begun: its document, and the calls that made it. */
  begun: (blueprint: Blueprint, calls: readonly PlanCall[]) => void,
): Snapshots => {
  let last = 0

  const keep = async (name: string, file: Uint8Array): Promise<boolean> => {
    const read = await port.ask({ command: 'readSnapshot', file })
    if (!read.ok) {
      report(`${name}: ${read.what}`)
      return false
    }
    const { blueprint, virtualNs, differences, total } = read
    const slot: Slot = { id: ++last, name, file, blueprint, virtualNs, differences, total }
    set(({ slots }) => ({ slots: [slot, ...slots].slice(0, SLOTS), trouble: undefined }))
    return true
  }

  const refresh = async (slot: Slot): Promise<Slot> => {
    const read = await port.ask({ command: 'readSnapshot', file: slot.file })
    return read.ok ? { ...slot, differences: read.differences, total: read.total } : slot
  }

  return {
    takeSnapshot: async () => {
      const saved = await port.ask({ command: 'snapshot' })
      if (!saved.ok) return report(saved.what)
      const { machine, running } = get()
      const at = ((machine?.virtualNs ?? 0) / 1e9).toFixed(2)
      await keep(`${running?.guest.id ?? 'machine'} at ${at} s`, saved.file)
      view.open('snapshots')
    },
    addSnapshot: async (name, file) => {
      if (await keep(name, file)) view.open('snapshots')
    },
    forgetSnapshot: (id) => set(({ slots }) => ({ slots: slots.filter((slot) => slot.id !== id) })),
    compareSnapshots: async () => {
      for (const { id } of get().slots) {
        const slot = get().slots.find((one) => one.id === id)
        const now = slot === undefined ? undefined : await refresh(slot)
        if (now !== undefined) set(({ slots }) => ({ slots: slots.map((one) => (one.id === id ? now : one)) }))
      }
    },
    restoreSnapshot: async (id, onto) => {
      const { slots, draft, engine } = get()
      const slot = slots.find((one) => one.id === id)
      if (slot === undefined) return
      set({ trouble: undefined, loading: { stage: 'restore', loaded: 0, total: 0 } })
      try {
        const place = onto ? { onto: draft } : {}
        const restored = await port.ask({ command: 'restore', file: slot.file, engine, ...place })
        set({ loading: undefined })
        if (!restored.ok) return set({ trouble: restored.what, refusedPlan: restored.calls })
        begun(restored.blueprint, restored.calls)
        view.open(undefined)
      } catch (error) {
        set({ loading: undefined, trouble: `The snapshot could not be restored: ${sentence(error)}` })
      }
    },
  }
}
