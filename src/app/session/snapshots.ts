/** Machines that are kept: taken of the one that runs, or dropped as a file, to go on with later, on another visit too. */
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import type { PlanCall } from '../../pure/protocol/commands.ts'
import { sentence } from './desk.ts'
import type { Desk } from './desk.ts'
import type { SlotStore } from './slot-store.ts'
import type { RestoreOrder, Slot } from './state.ts'
import type { View } from './view.ts'

/** Each has some ten megabytes. */
export const MOST_SLOTS = 8
export const MOST_SLOT_BYTES = 512 * 2 ** 20
const MAGIC = new TextEncoder().encode('GICscope snapshot\n')

/** Whether a file says that it is one. */
export const isSnapshot = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte)

export interface Restoring {
  /** Not where it was saved, but on the host and under the rules of the form. */
  readonly onto: boolean
  /** In which order, as text; none: as KVM's documentation has it. */
  readonly order?: string | undefined
}

export interface Snapshots {
  /** Shows what was kept on earlier visits. */
  recallSnapshots(): Promise<void>
  /** Keeps the machine as it is now. */
  takeSnapshot(): Promise<void>
  /** Keeps a file, and shows what is in it. */
  addSnapshot(name: string, file: Uint8Array<ArrayBuffer>): Promise<void>
  forgetSnapshot(id: number): Promise<void>
  /** Compares what is kept with the machine as it is now. */
  compareSnapshots(): Promise<void>
  /** Goes on with a machine that is kept. */
  restoreSnapshot(id: number, how: Restoring): Promise<void>
  /** In which order the next are restored. */
  chooseOrder(to: Partial<RestoreOrder>): void
}

/** What decides whether a machine can go on, apart from what it is itself. */
const placeOf = ({ ruleSet, base, host }: Blueprint): string => JSON.stringify({ ruleSet, base, host })

/** Whether a machine was saved elsewhere than the form has it. */
export const isElsewhere = (slot: Slot, draft: Blueprint): boolean => placeOf(slot.blueprint) !== placeOf(draft)

export const bytesKept = (slots: readonly Slot[]): number => slots.reduce((all, { file }) => all + file.size, 0)

const bytesOf = async ({ file }: Slot): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer())

export const createSnapshots = (
  { port, get, set, report }: Desk,
  view: View,
  store: SlotStore,
  /** A machine has begun: its document, and the calls that made it. */
  begun: (blueprint: Blueprint, calls: readonly PlanCall[]) => void,
): Snapshots => {
  /** Why there is no room for one more file. */
  const noRoom = (size: number): string | undefined => {
    const { slots } = get()
    if (slots.length >= MOST_SLOTS) return `${MOST_SLOTS} snapshots are kept, and no more can be: forget one first.`
    if (bytesKept(slots) + size > MOST_SLOT_BYTES) {
      return `Snapshots may take ${MOST_SLOT_BYTES / 2 ** 20} MiB together, and there is no room for this one: forget another first.`
    }
    return undefined
  }

  /** Says why not, where it does not keep it. */
  const keep = async (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> => {
    const full = noRoom(bytes.length)
    if (full !== undefined) return full
    const file = new Blob([bytes])
    const read = await port.ask({ command: 'readSnapshot', file: bytes })
    if (!read.ok) return `${name}: ${read.what}`
    const { blueprint, virtualNs, differences, total } = read
    const id = Math.max(Date.now(), 1 + Math.max(0, ...get().slots.map((slot) => slot.id)))
    const kept = await store.keep({ id, name, file, blueprint, virtualNs })
    const slot: Slot = {
      id,
      name,
      file,
      blueprint,
      virtualNs,
      differences,
      total,
      unkept: kept.ok ? undefined : kept.what,
    }
    set(({ slots }) => ({ slots: [slot, ...slots], trouble: undefined }))
    return undefined
  }

  /** A snapshot that turned out to be broken keeps its name, so that it can be forgotten. */
  const spoil = ({ id, name }: Slot, what: string): void =>
    set(({ slots, spoilt }) => ({
      slots: slots.filter((slot) => slot.id !== id),
      spoilt: [{ id, name, what }, ...spoilt],
    }))

  const compare = async (slot: Slot): Promise<void> => {
    const file = await bytesOf(slot).catch((error: unknown) => sentence(error))
    if (typeof file === 'string') return spoil(slot, `The browser does not give it back: ${file}`)
    const read = await port.ask({ command: 'readSnapshot', file })
    if (!read.ok) return spoil(slot, read.what)
    const { differences, total } = read
    set(({ slots }) => ({ slots: slots.map((one) => (one.id === slot.id ? { ...one, differences, total } : one)) }))
  }

  return {
    recallSnapshots: async () => {
      const all = await store.all()
      if (!all.ok) return
      const { slots, spoilt } = all.value
      set({
        slots: slots
          .toSorted((a, b) => b.id - a.id)
          .map((slot) => ({ ...slot, differences: undefined, total: 0, unkept: undefined })),
        spoilt,
      })
    },
    takeSnapshot: async () => {
      const saved = await port.ask({ command: 'snapshot' })
      if (!saved.ok) return report(saved.what)
      const { machine, running } = get()
      const at = ((machine?.virtualNs ?? 0) / 1e9).toFixed(2)
      report(await keep(`${running?.guest.id ?? 'machine'} at ${at} s`, saved.file))
      view.open('snapshots')
    },
    addSnapshot: async (name, file) => {
      const why = await keep(name, file)
      report(why)
      if (why === undefined) view.open('snapshots')
    },
    forgetSnapshot: async (id) => {
      const forgotten = await store.forget(id)
      if (!forgotten.ok) report(`The browser does not forget it: ${forgotten.what}`)
      set(({ slots, spoilt }) => ({
        slots: slots.filter((slot) => slot.id !== id),
        spoilt: spoilt.filter((slot) => slot.id !== id),
      }))
    },
    compareSnapshots: async () => {
      for (const slot of get().slots) await compare(slot)
    },
    chooseOrder: (to) => set(({ order }) => ({ order: { ...order, ...to } })),
    restoreSnapshot: async (id, { onto, order }) => {
      const { slots, draft, engine } = get()
      const slot = slots.find((one) => one.id === id)
      if (slot === undefined) return
      set({ trouble: undefined, refusedRestore: undefined, loading: { stage: 'restore', loaded: 0, total: 0 } })
      try {
        const restored = await port.ask({
          command: 'restore',
          file: await bytesOf(slot),
          engine,
          ...(onto ? { onto: draft } : {}),
          ...(order === undefined ? {} : { order }),
        })
        set({ loading: undefined })
        if (!restored.ok) {
          const { what, calls, stop } = restored
          const refusedRestore = stop === undefined ? undefined : { slot: id, stop }
          return set({ trouble: what, refusedPlan: calls, refusedRestore })
        }
        begun(restored.blueprint, restored.calls)
        view.open(undefined)
      } catch (error) {
        set({ loading: undefined, trouble: `The snapshot could not be restored: ${sentence(error)}` })
      }
    },
  }
}
