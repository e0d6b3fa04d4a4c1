/** KVM calls on the running machine: made one by one, written down with their answers. */
import { mpidrOf } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import type { SgiRegisterName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { mpidrCall, routeCalls } from '../../pure/blueprint/plan.ts'
import type { AnswerTo, PlanCall } from '../../pure/protocol/commands.ts'
import type { KvmAnswer, KvmCall } from '../../pure/uapi/calls.ts'
import { ONE_REG } from '../../pure/uapi/one-reg.ts'
import type { Desk } from './desk.ts'
import type { CallRecord } from './state.ts'

const CALLS_KEPT = 4000

export interface KvmCalls {
  /** KVM calls on the running machine, in order; ends at the first refusal. */
  call(calls: readonly KvmCall[], readBack?: KvmCall): Promise<KvmAnswer | undefined>
  setAffinityNow(vcpu: number, affinity: Affinity): Promise<KvmAnswer | undefined>
  setRouteNow(intid: number, affinity: Affinity): Promise<KvmAnswer | undefined>
  /** Reads, and makes the call that follows from what was read. */
  amend(read: KvmCall, then: (value: bigint) => KvmCall): Promise<KvmAnswer | undefined>
  /** No call, but what a guest does: an SGI, as if a CPU wrote the register. Says who got it, or why it cannot be. */
  sendSgi(cpu: number, register: SgiRegisterName, value: bigint): Promise<AnswerTo<'sendSgi'>>
}

/** `built`: begins the record of a new machine with the calls of its plan. */
export const createKvmCalls = ({
  port,
  get,
  set,
  report,
}: Desk): { readonly calls: KvmCalls; readonly built: (plan: readonly PlanCall[]) => void } => {
  let last = 0
  const numbered = (entry: Omit<CallRecord, 'id'>): CallRecord => ({ ...entry, id: ++last })

  const call: KvmCalls['call'] = async (calls, readBack) => {
    let answer: KvmAnswer | undefined
    for (const one of calls) {
      const answered = await port.ask({ command: 'call', call: one })
      if (!answered.ok) {
        report(answered.what)
        return undefined
      }
      answer = answered.answer
      const ends = one === calls.at(-1) || !answer.ok
      const read = ends && readBack !== undefined ? await port.ask({ command: 'call', call: readBack }) : undefined
      const effective = read?.ok === true && read.answer.ok ? read.answer.value : undefined
      const at = get().machine?.virtualNs ?? 0
      const made = numbered({ by: 'you', at, call: one, answer, ...(effective === undefined ? {} : { effective }) })
      set((state) => ({ calls: [...state.calls, made].slice(-CALLS_KEPT) }))
      if (!answer.ok) break
    }
    return answer
  }

  return {
    calls: {
      call,
      setAffinityNow: (vcpu, affinity) =>
        call([mpidrCall(vcpu, mpidrOf(affinity))], { call: 'KVM_GET_ONE_REG', vcpu, reg: ONE_REG.MPIDR_EL1 }),
      setRouteNow: (intid, affinity) => call(routeCalls(intid, affinity)),
      amend: async (read, then) => {
        const answered = await port.ask({ command: 'call', call: read })
        if (!answered.ok) report(answered.what)
        const value = answered.ok && answered.answer.ok ? answered.answer.value : undefined
        if (value !== undefined) return call([then(value)])
        return answered.ok ? answered.answer : undefined
      },
      sendSgi: (cpu, register, value) => port.ask({ command: 'sendSgi', cpu, register, value }),
    },
    built: (plan) => set({ calls: plan.map((made) => numbered({ by: 'plan', at: 0, ...made })).slice(-CALLS_KEPT) }),
  }
}
