/** An SGI by hand, as if a CPU wrote the register. */
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { SgiRegisterName } from '../../pure/arch/sysregs/gic-cpu.ts'
import { eventText } from '../../pure/trace/events.ts'
import type { TraceEvent } from '../bus/trace-sink.ts'
import type { Vgic } from '../gic/vgic.ts'

export type SentSgi = { readonly ok: true; readonly what: string } | { readonly ok: false; readonly what: string }

/** Says who got it and who did not, and why. The trace hears of it as of any other. */
export const sendSgi = (vgic: Vgic, cpu: number, register: SgiRegisterName, value: bigint): SentSgi => {
  const heard = vgic.onEvent
  let sent: TraceEvent | undefined
  vgic.onEvent = (event) => {
    if (event.kind === 'sgiSent') sent = event
    heard?.(event)
  }
  const written = vgic.sysregs.write(cpu, ICC[register], value, 1)
  vgic.onEvent = heard
  if (!written || sent === undefined)
    return { ok: false, what: `CPU ${cpu} has no ${register}: writing it is UNDEFINED.` }
  return { ok: true, what: eventText(sent) }
}
