import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { ERRNO } from '../../pure/uapi/errno.ts'

const hex = (value: bigint): string => `0x${value.toString(16)}`

/** What KVM answered, with the reason. */
export const Answer = (props: { readonly answer: KvmAnswer | undefined; readonly effective?: bigint | undefined }) => {
  const { answer, effective } = props
  return (
    <div className="answer" role="status">
      {answer?.ok === true && (
        <>
          <span className="ok">● 0</span>
          {answer.note !== undefined && <span className="warn"> ▲ {answer.note}</span>}
        </>
      )}
      {answer?.ok === false && (
        <>
          <span className="bad">
            ✕ -{answer.errno} ({ERRNO[answer.errno]})
          </span>{' '}
          {answer.why}
          <div className="source">{answer.source}</div>
        </>
      )}
      {answer !== undefined && effective !== undefined && <div className="mono">in effect {hex(effective)}</div>}
    </div>
  )
}
