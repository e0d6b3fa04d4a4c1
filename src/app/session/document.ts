/** The machine of the next boot, as a person edits it; every edit can be undone, and so can calls that have an inverse. */
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { applyEdit } from '../../pure/blueprint/edits.ts'
import type { Edit } from '../../pure/blueprint/edits.ts'
import type { EngineId } from '../../pure/protocol/views.ts'
import { SCENARIOS } from '../../pure/scenarios/library.ts'
import type { ScenarioId } from '../../pure/scenarios/library.ts'
import { sentence } from './desk.ts'
import type { Desk } from './desk.ts'
import type { KvmCalls } from './kvm-calls.ts'
import type { LinkedDocument } from './link.ts'
import type { Step } from './state.ts'
import type { View } from './view.ts'

export interface DocumentActions {
  /** `false`: it was not possible, and why is told. */
  edit(edit: Edit): boolean
  /** Puts something that was done on the pile of what can be taken back. */
  done(step: Step): void
  /** Work that ends in a step, or in none: whoever takes something back until then means this one. */
  during<Result>(work: Promise<Result>): Promise<Result>
  undo(): void
  redo(): void
  choose(scenario: ScenarioId): void
  /** Takes over a document from a link. */
  open(document: LinkedDocument): void
  chooseEngine(engine: EngineId): void
}

export const createDocumentActions = (
  { get, set, report }: Desk,
  view: View,
  call: KvmCalls['call'],
): DocumentActions => {
  const apply = (edit: Edit): Step | undefined => {
    const edited = applyEdit(get().draft, edit)
    if (!edited.ok) {
      report(edited.what)
      return undefined
    }
    const selected = Math.min(get().selected, edited.blueprint.vcpus - 1)
    set({ draft: edited.blueprint, trouble: undefined, selected })
    return { kind: 'edit', edit: edited.inverse }
  }
  /** Takes a step; answers with the one that takes it back. */
  const take = (step: Step): Step | undefined => {
    if (step.kind === 'edit') return apply(step.edit)
    const { calls, inverse } = step
    call(inverse).catch((error: unknown) => report(sentence(error)))
    return { kind: 'calls', calls: inverse, inverse: calls }
  }
  let pending: Promise<unknown> | undefined
  /** After what is under way. */
  const soon = (act: () => void): void => {
    if (pending === undefined) act()
    else void pending.then(act, act)
  }
  const done = (step: Step): void => set(({ undo }) => ({ undo: [...undo, step], redo: [] }))
  const undo = (): void => {
    const step = get().undo.at(-1)
    const back = step === undefined ? undefined : take(step)
    if (back !== undefined) set(({ undo: steps, redo }) => ({ undo: steps.slice(0, -1), redo: [...redo, back] }))
  }
  const redo = (): void => {
    const step = get().redo.at(-1)
    const back = step === undefined ? undefined : take(step)
    if (back !== undefined)
      set(({ undo: steps, redo: undone }) => ({ redo: undone.slice(0, -1), undo: [...steps, back] }))
  }
  return {
    done,
    during: async (work) => {
      pending = work
      try {
        return await work
      } finally {
        if (pending === work) pending = undefined
      }
    },
    edit: (edit) => {
      const step = apply(edit)
      if (step === undefined) return false
      done(step)
      set({ scenario: undefined })
      return true
    },
    undo: () => soon(undo),
    redo: () => soon(redo),
    choose: (id) => {
      const scenario = SCENARIOS.find((one) => one.id === id)
      if (scenario === undefined) return
      const { guest } = get().draft
      // A scenario says what the machine is like, not which Linux a person prefers to run on it.
      const before = { ...defaultBlueprint, guest: { id: guest.id, append: '' } }
      const edited = applyEdit(before, { edit: 'several', edits: scenario.edits })
      if (!edited.ok) {
        report(edited.what)
        return
      }
      const draft = { ...edited.blueprint, guest: { ...edited.blueprint.guest, id: guest.id } }
      set({ draft, scenario: id, selected: scenario.cpu, undo: [], redo: [] })
    },
    open: ({ blueprint, engine, scenario, selected, program, view: kept }) => {
      set({
        draft: blueprint,
        engine,
        program,
        scenario: SCENARIOS.find(({ id }) => id === scenario)?.id,
        selected: Math.min(selected, blueprint.vcpus - 1),
        undo: [],
        redo: [],
        trouble: undefined,
      })
      view.restore(kept)
    },
    chooseEngine: (engine) => set({ engine }),
  }
}
