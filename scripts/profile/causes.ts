/** Why a guest left its compiled code for the engine's, counted by the trace. */
import { syndromeText } from '../../src/pure/arch/syndrome.ts'
import { registerName } from '../../src/pure/arch/frames.ts'
import { systemRegisterName } from '../../src/pure/arch/sysregs/names.ts'
import type { EventName, TraceEvent } from '../../src/pure/trace/events.ts'
import { eventAt } from '../../src/pure/trace/read.ts'
import type { Vmm } from '../../src/engine/vmm/vmm.ts'

const causeOf = (event: TraceEvent): string | undefined => {
  switch (event.kind) {
    case 'exceptionTaken':
      return `exception: ${event.vector === 'sync' ? syndromeText(event.esr) : event.vector.toUpperCase()}`
    case 'mmio':
      return `device ${event.write ? 'write' : 'read'}: ${registerName(event.frame, event.offset)}`
    case 'sysregWritten':
      return `GIC register write: ${systemRegisterName(event.encoding)}`
    case 'hypercall':
      return 'hypercall'
    case 'sgiSent':
      return 'SGI sent'
    case 'cpuState':
      return event.state === 'waiting' ? 'WFI or WFE waits' : undefined
    default:
      return undefined
  }
}

const COUNTED: ReadonlySet<EventName> = new Set([
  'exceptionTaken',
  'mmio',
  'sysregWritten',
  'hypercall',
  'sgiSent',
  'cpuState',
])

export class Causes {
  readonly counts = new Map<string, number>()

  watch(vmm: Vmm): void {
    vmm.watchTrace((name) => COUNTED.has(name))
  }

  take(vmm: Vmm): void {
    const batch = vmm.takeTrace()
    for (let i = 0; i < (batch?.times.length ?? 0); i++) {
      const cause = batch && causeOf(eventAt(batch, i))
      if (cause !== undefined) this.counts.set(cause, (this.counts.get(cause) ?? 0) + 1)
    }
  }
}
