/** The guest's search for the redistributor of a CPU, replayed read by read. */
import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight, Pause, Play } from 'lucide-react'
import { useEffect, useMemo, useState } from 'react'
import { AFFINITY_BYTES, affinityText } from '../../../pure/arch/affinity.ts'
import { PIDR2_GICV3 } from '../../../pure/arch/gic/identification.ts'
import { affinityIn } from '../../../pure/blueprint/blueprint.ts'
import { forecast } from '../../../pure/rules/forecast.ts'
import { walkFrames } from '../../../pure/rules/walk.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { AffinityText, hexParts, HexText, WithAffinities } from '../../widgets/affinity-text.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { spotsOf } from '../shared/spots.ts'
import type { FrameSpot } from '../shared/spots.ts'
import { knowledgeAt, momentsOf } from './moments.ts'
import type { Knowledge, Moment } from './moments.ts'
import { confirm, lastSearch } from './traced.ts'
import type { Confirmed } from './traced.ts'
import { useReads } from './use-reads.ts'
import '../../style/walk.css'

/** A long walk is shown in so many seconds at most. */
const MAX_SECONDS = 12
const STEP_MS = 650

const useWalk = () => {
  const cpu = useSessionState((state) => state.selected)
  const machine = useSessionState((state) => state.machine)
  const draft = useSessionState((state) => state.draft)
  const running = useSessionState((state) => state.running)
  const live = machine !== undefined && running !== undefined && cpu < machine.cpus.length
  const { frames } = useMemo(() => spotsOf(live ? machine : undefined, draft), [live, machine, draft])
  // Linux compares what the device tree says of the CPU (cpu_logical_map()): what KVM stored when the VMM set it.
  const document = live ? running : draft
  const wanted = useMemo(() => forecast(document).vcpus[cpu]?.stored ?? affinityIn(document, cpu), [document, cpu])
  const key = `${wanted};${frames.map(({ base, typer }) => `${base}:${typer}`).join()}`
  const [kept, setKept] = useState({ key, frames })
  if (kept.key !== key) setKept({ key, frames })
  return useMemo(() => {
    const seen = kept.frames.map((frame) => ({ ...frame, pidr2: PIDR2_GICV3 }))
    const walk = walkFrames(wanted, seen)
    return { cpu, wanted, live, key, seen, walk, frames: kept.frames, moments: momentsOf(walk, wanted, seen) }
  }, [cpu, wanted, live, key, kept.frames])
}

const WalkPane = () => {
  const { cpu, wanted, live, key, seen, walk, frames, moments } = useWalk()
  const reads = useReads(cpu)
  const confirmed = live ? confirm(walk, seen, lastSearch(reads, seen)) : undefined
  const end = moments.length - 1
  const [shown, setShown] = useState({ of: key, at: end })
  const [playing, setPlaying] = useState(false)
  // Another CPU or another machine is another walk: it is shown at its end.
  const at = shown.of === key ? Math.min(shown.at, end) : end
  const go = (to: number): void => setShown({ of: key, at: Math.min(Math.max(to, 0), end) })

  useEffect(() => {
    if (!playing) return
    const wait = Math.min(STEP_MS, (MAX_SECONDS * 1000) / Math.max(moments.length, 1))
    const timer = setTimeout(() => {
      if (at >= end) setPlaying(false)
      else setShown({ of: key, at: at + 1 })
    }, wait)
    return () => clearTimeout(timer)
  }, [playing, at, end, key, moments.length])

  const knowledge = knowledgeAt(moments, at, frames.length)
  const now = moments[at]
  const play = (): void => {
    if (!playing && at === end) go(0)
    setPlaying(!playing)
  }

  return (
    <>
      <div className="pane-bar walk-bar">
        <span className="buttons">
          <Step label="To the beginning" icon={ChevronFirst} onClick={() => go(0)} />
          <Step label="One step back" icon={ChevronLeft} onClick={() => go(at - 1)} />
          <Step label={playing ? 'Stop' : 'Play'} icon={playing ? Pause : Play} onClick={play} />
          <Step label="One step on" icon={ChevronRight} onClick={() => go(at + 1)} />
          <Step label="To the end" icon={ChevronLast} onClick={() => go(end)} />
        </span>
        <input
          type="range"
          className="slider"
          aria-label="Step of the walk"
          min={0}
          max={end}
          value={at}
          onChange={({ target }) => go(target.valueAsNumber)}
        />
        <span className="aside num">
          {at + 1} of {moments.length}
        </span>
      </div>
      <p className="walk-now" data-mood={now?.mood} role="status">
        <span>
          vCPU {cpu} looks for <AffinityText affinity={wanted} />
        </span>
        <b>
          {now !== undefined && now.mood === 'bad' && '✕ '}
          {now !== undefined && now.mood === 'good' && <span className="ok">● </span>}
          <WithAffinities text={now?.text ?? ''} />
        </b>
        <ReadAt time={confirmed?.times[at]} />
      </p>
      <VirtualList
        label="Frames in the order of the walk"
        count={frames.length}
        estimate={34}
        show={now?.place ?? frames.length - 1}
        renderRow={(place) => {
          const frame = frames[place]
          if (frame === undefined) return null
          return (
            <WalkRow
              frame={frame}
              place={place}
              known={knowledge[place] ?? 'unseen'}
              fresh={place === 0 || frames[place - 1]?.region !== frame.region}
              now={now?.place === place ? now : undefined}
              over={at === end}
            />
          )
        }}
      />
      <p className="note">
        {sourceText(live, confirmed)}
        {end >= 0 && moments[end]?.mood === 'bad' && (
          <>
            {' '}
            Linux then prints “CPU{cpu}: mpidr {mpidrText(wanted)} has no re-distributor!”
          </>
        )}
      </p>
    </>
  )
}

/** Where the walk is from. */
const sourceText = (live: boolean, confirmed: Confirmed | undefined): string => {
  if (confirmed?.same === true) return 'As the guest read it: every step is in the trace.'
  if (confirmed !== undefined)
    return 'Computed from the frames as they read now; the guest has read otherwise, or not all of it yet.'
  return live
    ? 'Computed from the frames as they read now, in the order in which Linux reads them; this vCPU has not read them yet.'
    : 'Computed from what the rules forecast for the next boot, in the order in which Linux reads the frames.'
}

/** When the guest did it, and the way there on the timeline. */
const ReadAt = ({ time }: { readonly time: number | undefined }) => {
  const session = useSession()
  if (time === undefined || Number.isNaN(time)) return null
  return (
    <button className="link-button dim" onClick={() => session.showMoment(time)}>
      read by the guest at {(time / 1e9).toFixed(6)} s
    </button>
  )
}

/** As Linux prints it: MPIDR_EL1 without its flags. */
const mpidrText = (affinity: number): string =>
  ((BigInt(affinity >>> 24) << 32n) | BigInt(affinity & 0xffffff)).toString(16)

const Step = (props: { readonly label: string; readonly icon: typeof Play; readonly onClick: () => void }) => {
  const { icon: Icon } = props
  return (
    <button className="button icon tiny" aria-label={props.label} onClick={props.onClick}>
      <Icon size={14} aria-hidden />
    </button>
  )
}

const MARKS: Readonly<Record<Knowledge, { mark: string; className: string }>> = {
  unseen: { mark: '·', className: 'faint' },
  passed: { mark: '≠', className: 'dim' },
  here: { mark: '▸', className: 'a3' },
  found: { mark: '●', className: 'ok' },
}

const WalkRow = (props: {
  readonly frame: FrameSpot
  readonly place: number
  readonly known: Knowledge
  readonly fresh: boolean
  readonly now: Moment | undefined
  /** The search has ended: what was not read will not be. */
  readonly over: boolean
}) => {
  const { frame, place, known, fresh } = props
  const session = useSession()
  const { mark, className } = MARKS[known]
  return (
    <>
      {fresh && (
        <div className="walk-region">
          region {frame.region} at <span className="mono">0x{frame.base.toString(16).padStart(8, '0')}</span>
        </div>
      )}
      <div
        className={`walk-row ${known}${frame.last ? ' last' : ''}`}
        aria-current={props.now !== undefined ? 'step' : undefined}
      >
        <span className={`mark ${className}`} aria-hidden>
          {mark}
        </span>
        <span>frame {place}</span>
        <span className="mono dim">0x{frame.base.toString(16).padStart(8, '0')}</span>
        {known === 'unseen' ? (
          <span className="faint">{props.over ? 'not read' : 'not read yet'}</span>
        ) : (
          <span title={`GICR_TYPER: ${affinityText(frame.affinity)}`}>
            <HexText parts={hexParts(frame.typer, AFFINITY_BYTES.typer)} />
          </span>
        )}
        <span className="faint">{frame.last ? 'Last' : ''}</span>
        <button className="button small quiet" onClick={() => session.select(frame.cpu)}>
          vCPU {frame.cpu}
        </button>
      </div>
    </>
  )
}

export default WalkPane
