/** What a run waits for, and why it stopped. */
import type { RunUntil } from '../../pure/protocol/commands.ts'
import { isLike } from '../../pure/trace/event-like.ts'
import type { TraceEvent } from '../../pure/trace/events.ts'
import type { Stop } from '../vmm/vmm.ts'

/** Why a machine has stopped by itself, as a sentence. */
export const stopText = (stop: Stop | undefined): string => {
  if (stop === undefined) return 'It has stopped.'
  if (stop.kind === 'breakpoint') return `CPU ${stop.cpu} is at the breakpoint 0x${stop.pc.toString(16)}.`
  if (stop.kind === 'event') return `${stop.what}.`
  const { cpu, write, register, value } = stop
  return `CPU ${cpu} has ${write ? 'written' : 'read'} ${register}: 0x${value.toString(16)}.`
}

/** Whether an event is the one that a run waits for. */
export const isWanted =
  (until: Extract<RunUntil, object>) =>
  (event: TraceEvent): boolean =>
    'like' in until
      ? isLike(event, until.like)
      : 'intid' in until
        ? event.kind === 'acknowledged' && event.intid === until.intid
        : event.kind === 'consoleLine' && event.line.includes(until.line)
