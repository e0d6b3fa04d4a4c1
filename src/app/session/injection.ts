/** Mistakes made on purpose: on the machine that runs, or by building another. Each can be taken back. */
import { FAULTS } from '../../pure/scenarios/faults.ts'
import type { FaultId, FaultPlace, Injection } from '../../pure/scenarios/faults.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import type { Desk } from './desk.ts'
import type { DocumentActions } from './document.ts'
import type { KvmCalls } from './kvm-calls.ts'
import type { SessionState, Step } from './state.ts'

export interface Reversible {
  readonly calls: readonly KvmCall[]
  readonly inverse: readonly KvmCall[]
}

export interface Injections {
  /** Makes the mistake with the vCPU and the interrupt that are selected, and says how that went. */
  inject(fault: FaultId): Promise<void>
  /** Calls that can be taken back, as a whole or not at all. */
  make(calls: Reversible): Promise<KvmAnswer | undefined>
  /** How the last one went is of no interest any more. */
  forgetInjected(): void
}

const placeOf = ({ draft, machine, selected, intid }: SessionState): FaultPlace => ({
  blueprint: draft,
  machine,
  cpu: selected,
  intid,
})

/** What a fault would do now, or why it cannot be. */
export const injectionOf = (state: SessionState, id: FaultId): Injection => {
  const fault = FAULTS.find((one) => one.id === id)
  if (fault === undefined) throw new Error(`there is no fault ${id}`)
  return fault.inject(placeOf(state))
}

export const createInjections = (
  { get, set }: Desk,
  { call }: KvmCalls,
  { edit, done, during }: Pick<DocumentActions, 'edit' | 'done' | 'during'>,
  boot: () => Promise<void>,
): Injections => {
  const made = async ({ calls, inverse }: Reversible): Promise<KvmAnswer | undefined> => {
    const answer = await call(calls)
    if (answer?.ok === true) done({ kind: 'calls', calls, inverse })
    // What was done before the refusal is taken back.
    else if (calls.length > 1) await call(inverse)
    return answer
  }
  const make = (step: Reversible): Promise<KvmAnswer | undefined> => during(made(step))
  return {
    make,
    forgetInjected: () => set({ injected: undefined }),
    inject: async (id) => {
      const injection = injectionOf(get(), id)
      const { kind, what } = injection
      const told = (answer: KvmAnswer | undefined, step: Step | undefined): void =>
        set({ injected: { what, answer, step } })
      if (kind === 'impossible') told(undefined, undefined)
      else if (kind === 'next boot') {
        if (!edit(injection.edit)) return
        const step = get().undo.at(-1)
        await boot()
        told({ ok: true }, step)
      } else {
        const answer = await make(injection)
        told(answer, answer?.ok === true ? get().undo.at(-1) : undefined)
      }
    },
  }
}
