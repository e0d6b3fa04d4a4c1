/** What a host needs of the machine that it serves, and of the world around it. */
import type { FromWorker } from '../../pure/protocol/messages.ts'
import type { RestoreOptions } from '../vmm/restore-vmm.ts'
import type { Made, Vmm, VmmOptions } from '../vmm/vmm.ts'
import type { Asked } from './questions.ts'

type RunControl = 'stop' | 'step' | 'freeze' | 'setBreakpoints' | 'breakAtGic' | 'breakAtEvent'

/** What is asked of a virtual machine, and done to it. */
export type Hosted = Asked &
  Pick<
    Vmm,
    | 'run'
    | 'now'
    | 'input'
    | 'call'
    | 'sendSgi'
    | 'planCalls'
    | 'inspect'
    | 'inspectInterrupts'
    | RunControl
    | 'watchTrace'
    | 'takeTrace'
    | 'image'
    | 'snapshot'
  >

export type HostedMade = { readonly ok: true; readonly vmm: Hosted } | Extract<Made, { ok: false }>

export interface HostPorts {
  readonly create: (o: VmmOptions) => HostedMade
  readonly restore: (o: RestoreOptions) => HostedMade
  /** Wall time, in milliseconds. */
  readonly now: () => number
  /** Seconds since 1970, for the guest's real-time clock. */
  readonly date: () => number
  readonly post: (message: FromWorker) => void
}
