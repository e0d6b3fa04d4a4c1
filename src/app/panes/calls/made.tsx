/** What the VMM asked of KVM, and what KVM answered: the plan first, then every edit on the running machine. */
import { callText } from '../../../pure/uapi/calls.ts'
import { ERRNO } from '../../../pure/uapi/errno.ts'
import type { CallRecord } from '../../session/state.ts'
import { VirtualList } from '../../widgets/virtual-list.tsx'

/** What was asked and what was answered. */
export const Made = ({ calls }: { readonly calls: readonly CallRecord[] }) => {
  if (calls.length === 0) return <p className="empty">The calls that build the machine appear here.</p>
  return (
    <VirtualList
      label="KVM calls"
      count={calls.length}
      estimate={24}
      follow
      renderRow={(place) => {
        const call = calls[place]
        return call === undefined ? null : <Call record={call} />
      }}
    />
  )
}

const Call = ({ record }: { readonly record: CallRecord }) => {
  const { call, answer, effective, by, at } = record
  return (
    <div className={`call ${by}`}>
      <div className="line">
        <span className="what">{callText(call)}</span>
        <span className={answer.ok ? 'ok' : 'bad'}>
          {answer.ok ? `= ${hex(answer.value)}` : `= -1 ${answer.errno} (${ERRNO[answer.errno]})`}
        </span>
      </div>
      <Why record={record} />
      {by === 'you' && (
        <div className="why">
          at {(at / 1e9).toFixed(6)} s{effective !== undefined && <> · in effect: {hex(effective)}</>}
        </div>
      )}
    </div>
  )
}

const Why = ({ record: { answer } }: { readonly record: CallRecord }) => {
  if (answer.ok) return answer.note === undefined ? null : <div className="why">{answer.note}</div>
  return (
    <div className="why">
      {answer.why} <span className="source">{answer.source}</span>
    </div>
  )
}

const hex = (value: bigint | undefined): string => (value === undefined ? '0' : `0x${value.toString(16)}`)
