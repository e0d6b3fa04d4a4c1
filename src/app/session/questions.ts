/** What a pane may ask about the machine. Nothing of it changes anything, and where there is no answer a pane says so. */
import type { LastWriteView } from '../../pure/protocol/commands.ts'
import type { CpuDetail } from '../../pure/protocol/cpu-detail.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import type { Peek } from '../../pure/uapi/registers/row.ts'
import type { Desk } from './desk.ts'

type Addresses =
  | { readonly ok: true; readonly addresses: readonly bigint[] }
  | { readonly ok: false; readonly what: string }

export interface Questions {
  /** A vCPU with its code and stack; `undefined` where there is none. */
  inspectCpu(cpu: number): Promise<CpuDetail | undefined>
  /** Looks at registers; nothing where there is no machine. */
  peek(cpu: number, what: readonly Peek[]): Promise<readonly KvmAnswer[]>
  /** Who wrote a system register last; `undefined`: nobody yet. */
  lastWrite(cpu: number, encoding: number): Promise<LastWriteView | undefined>
  /** KVM's text about the vGIC; `undefined` where there is no machine. */
  vgicState(): Promise<string | undefined>
  /** Names of addresses in the guest's kernel; none where it has no symbols. */
  symbolsAt(addresses: readonly bigint[]): Promise<readonly (string | undefined)[]>
  /** The addresses of a symbol, or why there is none. */
  symbol(name: string): Promise<Addresses>
}

export const createQuestions = ({ port }: Desk): Questions => ({
  inspectCpu: async (cpu) => {
    const answer = await port.ask({ command: 'cpu', cpu })
    return answer.ok ? answer.detail : undefined
  },
  peek: async (cpu, what) => {
    const answer = await port.ask({ command: 'peek', cpu, what: [...what] })
    return answer.ok ? answer.values : []
  },
  lastWrite: async (cpu, encoding) => {
    const answer = await port.ask({ command: 'lastWrite', cpu, encoding })
    return answer.ok ? answer.write : undefined
  },
  vgicState: async () => {
    const answer = await port.ask({ command: 'vgicState' })
    return answer.ok ? answer.text : undefined
  },
  symbolsAt: async (addresses) => {
    const answer = await port.ask({ command: 'symbolsAt', addresses: [...addresses] })
    return answer.ok ? answer.names : []
  },
  symbol: (name) => port.ask({ command: 'symbol', name }),
})
