/** Who wrote a register last: the guest, its CPU by itself, or a KVM call. */
import { useCallback } from 'react'
import { eventText } from '../../../pure/trace/events.ts'
import type { BookRow, RegisterPlace } from '../../../pure/uapi/registers/row.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import type { Session } from '../../session/session.ts'
import { useAsked } from '../shared/use-asked.ts'
import { callWriter, latest } from './writers.ts'
import type { Writer } from './writers.ts'

/** What the trace has of a register of a frame. `cpu`: whose it is, where each CPU has one. */
const traced = async (
  session: Session,
  place: Extract<RegisterPlace, { frame: unknown }>,
  bytes: number,
  cpu: number,
): Promise<Writer | undefined> => {
  const { log, writers } = session.trace
  const number = writers.of(place, bytes, cpu)
  const last = number === undefined ? undefined : log.at(number)
  if (last === undefined || last.number !== number) return undefined
  const pc = 'pc' in last.event ? last.event.pc : undefined
  const [symbol] = pc === undefined ? [] : await session.symbolsAt([pc])
  return { at: last.time, what: eventText(last.event), pc, symbol }
}

/** A system register is written too often for the trace: the machine keeps who did it last. */
const ofSysreg = async (session: Session, name: string, encoding: number, cpu: number): Promise<Writer | undefined> => {
  const write = await session.lastWrite(cpu, encoding)
  if (write === undefined) return undefined
  const { by, pc, at, symbol } = write
  const what = by === 'MSR' ? `CPU ${cpu} writes ${name}` : `CPU ${cpu} took an exception from here`
  return { at, what, pc, symbol }
}

export const LastWriter = ({ row, cpu }: { readonly row: BookRow; readonly cpu: number }) => {
  const session = useSession()
  const calls = useSessionState((state) => state.calls)
  const { name, place, bytes } = row
  const ask = useCallback(
    async (from: Session) => ({
      writer: await ('frame' in place ? traced(from, place, bytes, cpu) : ofSysreg(from, name, place.encoding, cpu)),
    }),
    [name, place, bytes, cpu],
  )
  const guest = useAsked(ask)?.writer
  const writer = latest(guest, callWriter(row, calls))
  if (writer === undefined) return <p className="dim">Nobody has written it since the trace is watched.</p>
  const { at, what, pc, symbol } = writer
  return (
    <p className="writer">
      Last written at <span className="mono num">{(at / 1e9).toFixed(9)} s</span>: {what}
      {pc !== undefined && (
        <span className="mono dim">
          , PC 0x{pc.toString(16)}
          {symbol !== undefined && ` ${symbol}`}
        </span>
      )}{' '}
      <button className="link-button" onClick={() => session.showMoment(at)}>
        on the timeline
      </button>
    </p>
  )
}
