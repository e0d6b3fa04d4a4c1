/** GICR_TYPER of every frame, as the guest reads it, field by field. */
import { AFFINITY_BYTES, typerAffinity } from '../../pure/arch/affinity.ts'
import { GICR_TYPER, GICR_WAKER } from '../../pure/arch/gic/gicr.ts'
import { explainRegister } from '../../pure/arch/register.ts'
import type { FrameView } from '../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { AffinityText, hexParts, HexText, WithAffinities } from '../widgets/affinity-text.tsx'
import { VirtualList } from '../widgets/virtual-list.tsx'
import '../style/typer.css'

const NONE: readonly FrameView[] = []

const TyperPane = () => {
  const frames = useSessionState((state) => state.machine?.frames ?? NONE)
  const gic = useSessionState((state) => state.running?.gic ?? state.draft.gic)
  if (frames.length === 0) {
    return (
      <p className="empty">
        {gic === 2 ? 'A GICv2 has no redistributors.' : 'The redistributors of the running machine appear here.'}
      </p>
    )
  }
  return (
    <VirtualList
      label="GICR_TYPER of every frame"
      count={frames.length}
      estimate={150}
      renderRow={(place) => {
        const frame = frames[place]
        return frame === undefined ? null : <Frame frame={frame} place={place} />
      }}
    />
  )
}

const Frame = ({ frame, place }: { readonly frame: FrameView; readonly place: number }) => {
  const session = useSession()
  return (
    <div className="typer">
      <div className="line">
        <b>frame {place}</b>
        <span className="mono dim">0x{frame.base.toString(16).padStart(8, '0')}</span>
        <HexText parts={hexParts(frame.typer, AFFINITY_BYTES.typer)} />
        <AffinityText affinity={typerAffinity.decode(frame.typer)} />
        <button className="button small quiet" onClick={() => session.select(frame.cpu)}>
          vCPU {frame.cpu}
        </button>
      </div>
      <div className="bits">
        <Fields of={GICR_TYPER} value={frame.typer} register="GICR_TYPER" />
        <Fields of={GICR_WAKER} value={BigInt(frame.waker)} register="GICR_WAKER" prefix="WAKER." />
      </div>
    </div>
  )
}

const Fields = (props: {
  readonly of: Parameters<typeof explainRegister>[0]
  readonly value: bigint
  readonly register: string
  readonly prefix?: string
}) =>
  explainRegister(props.of, props.value).map(({ field, bits, value, text }) => (
    <div
      key={field}
      className={value === 0n ? undefined : 'set'}
      title={`${props.register}.${field} [${bits}]: ${text}`}
    >
      <span>
        {props.prefix}
        {field}
      </span>
      <span className="at">{bits}</span>
      <span>
        <WithAffinities text={text} />
      </span>
    </div>
  ))

export default TyperPane
