/** Which redistributor each CPU finds: affinities at left, frames in address order at right, a line for each match. */
import { useMemo, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import { affinityText, mpidrAffinity, typerAffinity } from '../../../pure/arch/affinity.ts'
import { GICR_TYPER } from '../../../pure/arch/gic/gicr.ts'
import { decodeField } from '../../../pure/arch/register.ts'
import type { Blueprint } from '../../../pure/blueprint/blueprint.ts'
import type { MachineView } from '../../../pure/protocol/views.ts'
import { frameBase } from '../../../pure/blueprint/frames.ts'
import { forecast } from '../../../pure/rules/forecast.ts'
import { missReason } from '../../../pure/rules/links.ts'
import type { Reason } from '../../../pure/rules/links.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { differs } from '../../session/session.ts'
import { PackedAffinity } from '../../widgets/affinity-text.tsx'
import { Segments } from '../../widgets/choice.tsx'
import { AffinityLinks } from './affinity-links.tsx'
import { CPU_BOX, FRAME_BOX } from './columns.ts'
import { layAffinities, REASON, ROW } from './map.ts'
import type { AffinityMap, CpuRow, CpuSpot, FrameRow, FrameSpot } from './map.ts'
import { useWindow } from './use-window.ts'

type Source = 'running' | 'next'

const SOURCES = [
  { value: 'running', title: 'Running' },
  { value: 'next', title: 'Next boot' },
] as const satisfies readonly { value: Source; title: string }[]

const spotsOfMachine = ({ cpus, frames }: MachineView): [CpuSpot[], FrameSpot[]] => [
  cpus.map(({ index, mpidr }) => ({ index, affinity: mpidrAffinity.decode(mpidr) })),
  frames.map(({ base, cpu, typer }) => {
    return { base, cpu, affinity: typerAffinity.decode(typer), last: decodeField(GICR_TYPER, 'Last', typer) === 1n }
  }),
]

const spotsOfBlueprint = (blueprint: Blueprint): [CpuSpot[], FrameSpot[]] => {
  const { vcpus } = forecast(blueprint)
  return [
    vcpus.map(({ index, running }) => ({ index, affinity: running })),
    vcpus.map(({ index, shown }) => {
      return { base: frameBase(index), cpu: index, affinity: shown, last: index === vcpus.length - 1 }
    }),
  ]
}

/** Lays out again only when an affinity changes, however often the machine does. */
const layOnce = () => {
  let last: { readonly key: string; readonly map: AffinityMap } | undefined
  return (cpus: readonly CpuSpot[], frames: readonly FrameSpot[]): AffinityMap => {
    const key = `${cpus.map(({ affinity }) => affinity)};${frames.map(({ affinity, base }) => `${affinity}@${base}`)}`
    if (last?.key !== key) last = { key, map: layAffinities(cpus, frames) }
    return last.map
  }
}

const useMap = (source: Source, machine: MachineView | undefined, draft: Blueprint): AffinityMap => {
  const [lay] = useState(layOnce)
  const [cpus, frames] = useMemo(
    () => (source === 'running' && machine !== undefined ? spotsOfMachine(machine) : spotsOfBlueprint(draft)),
    [source, machine, draft],
  )
  return lay(cpus, frames)
}

const AffinityPane = () => {
  const session = useSession()
  const machine = useSessionState((state) => state.machine)
  const draft = useSessionState((state) => state.draft)
  const running = useSessionState((state) => state.running)
  const selected = useSessionState((state) => state.selected)
  const edited = useSessionState(differs)
  // What was just edited is shown, until the person or the next boot says otherwise.
  const [chosen, setChosen] = useState<{ of: Blueprint; source: Source }>({ of: draft, source: 'running' })
  const source = chosen.of === draft ? chosen.source : edited ? 'next' : 'running'
  const shown = source === 'running' && machine !== undefined ? source : 'next'
  const map = useMap(shown, machine, draft)
  const rules = shown === 'running' ? (running ?? draft) : draft
  const scroller = useRef<HTMLDivElement>(null)
  const seen = useWindow(scroller)

  const visible = (y: number, below = 0): boolean => y + ROW / 2 + below >= seen.top && y - ROW / 2 <= seen.bottom
  const cpus = map.cpus.filter((row) => visible(row.y, REASON))
  const frames = map.frames.flatMap((row, place) => (visible(row.y) ? [{ row, place }] : []))
  const misses = map.cpus.filter((row) => row.frames.length === 0).length
  const focusable = cpus.some(({ index }) => index === selected) ? selected : cpus[0]?.index

  const move = (event: KeyboardEvent, row: CpuRow): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const next = map.cpus[map.cpus.indexOf(row) + step]
    if (step === 0 || next === undefined) return
    event.preventDefault()
    session.select(next.index)
    scroller.current?.scrollTo({
      top: Math.min(Math.max(next.y + ROW - (seen.bottom - seen.top), seen.top), next.y - ROW),
    })
    requestAnimationFrame(() => document.getElementById(`cpu-${next.index}`)?.focus())
  }

  const stateOf = (index: number): string => (shown === 'next' ? 'planned' : (machine?.cpus[index]?.state ?? 'off'))

  return (
    <>
      <div className="pane-bar">
        <Segments
          label="Which machine"
          value={shown}
          options={SOURCES}
          onChange={(value) => setChosen({ of: draft, source: value })}
        />
        <span className="grow" />
        <span className="aside num">
          {map.cpus.length} vCPUs, {map.frames.length} frames
          {misses > 0 && <b className="bad"> · {misses} without a frame</b>}
        </span>
      </div>
      <div className="pane-body affinities" ref={scroller}>
        <div className="affinity-canvas" style={{ height: map.height }}>
          <AffinityLinks map={map} seen={seen} stateOf={stateOf} selected={selected} />
          <div role="tree" aria-label="Affinities of the vCPUs" className="cpu-column">
            {cpus.map((row) => (
              <CpuItem
                key={row.index}
                row={row}
                state={stateOf(row.index)}
                selected={row.index === selected}
                focusable={row.index === focusable}
                place={map.cpus.indexOf(row) + 1}
                of={map.cpus.length}
                reason={row.frames.length === 0 ? missReason(rules, row.affinity) : undefined}
                onSelect={() => session.select(row.index)}
                onKey={(event) => move(event, row)}
              />
            ))}
          </div>
          <ul aria-label="Redistributor frames in address order" className="frame-column">
            {frames.map(({ row, place }) => (
              <FrameItem key={row.base} row={row} place={place} selected={row.cpu === selected} />
            ))}
          </ul>
        </div>
      </div>
    </>
  )
}

const CpuItem = (props: {
  readonly row: CpuRow
  readonly state: string
  readonly selected: boolean
  readonly focusable: boolean
  readonly place: number
  readonly of: number
  readonly reason: Reason | undefined
  readonly onSelect: () => void
  readonly onKey: (event: KeyboardEvent) => void
}) => {
  const { row, reason } = props
  const text = affinityText(row.affinity)
  const found = row.frames.length === 0 ? `no frame has affinity ${text}` : `frame ${row.frames.join(' and ')}`
  return (
    <>
      <div
        id={`cpu-${row.index}`}
        role="treeitem"
        aria-level={1}
        aria-posinset={props.place}
        aria-setsize={props.of}
        aria-selected={props.selected}
        aria-label={`vCPU ${row.index}, affinity ${text}, ${props.state}, ${found}`}
        tabIndex={props.focusable ? 0 : -1}
        className={`cpu ${props.state}${reason === undefined ? '' : ' miss'}`}
        style={{ top: row.y - 14, left: CPU_BOX.left, width: CPU_BOX.width }}
        onClick={props.onSelect}
        onKeyDown={props.onKey}
      >
        vCPU {row.index}
      </div>
      {reason !== undefined && (
        <p
          className="reason"
          style={{ top: row.y + 17, right: FRAME_BOX.width + FRAME_BOX.right + 8 }}
          title={reason.source}
        >
          <b className="bad">no frame has affinity {text}</b>: {reason.text}
        </p>
      )}
    </>
  )
}

const frameTitle = ({ cpu, affinity, claims }: FrameRow): string =>
  `GICR_TYPER of vCPU ${cpu} reads ${affinityText(affinity)}${claims === 0 ? ', and no vCPU is there' : ''}`

const FrameItem = ({ row, place, selected }: { row: FrameRow; place: number; selected: boolean }) => (
  <li
    className={`frame${row.claims === 0 ? ' unclaimed' : ''}${selected ? ' selected' : ''}`}
    style={{ top: row.y - 19, right: FRAME_BOX.right, width: FRAME_BOX.width }}
    title={frameTitle(row)}
  >
    <span className="pair dim">
      <span>0x{row.base.toString(16).padStart(8, '0')}</span>
      <span>frame {place}</span>
    </span>
    <span className="pair">
      <PackedAffinity affinity={row.affinity} />
      {row.claims === 0 ? <b className="bad">nobody’s</b> : row.last && <span className="dim">Last</span>}
    </span>
  </li>
)

export default AffinityPane
