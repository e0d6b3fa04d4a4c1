/** Which redistributor each CPU finds: affinities at left, frames in address order at right, a line for each match. */
import { useCallback, useMemo, useRef, useState } from 'react'
import type { KeyboardEvent, SyntheticEvent } from 'react'
import type { Blueprint } from '../../../pure/blueprint/blueprint.ts'
import { missReason } from '../../../pure/rules/links.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { differs } from '../../session/session.ts'
import { Segments } from '../../widgets/choice.tsx'
import { spotsOf } from '../shared/spots.ts'
import type { Spots } from '../shared/spots.ts'
import { AffinityLinks } from './affinity-links.tsx'
import { columnsFor } from './columns.ts'
import { CpuItem, EditMark, GroupItem, rowId } from './cpu-items.tsx'
import { Editor } from './editor.tsx'
import type { Edited } from './editor.tsx'
import { Flights } from './flights.tsx'
import { FrameItem, FramesItem, RegionItem } from './frame-items.tsx'
import { closedGroups, groupKey } from './groups.ts'
import type { Toggled } from './groups.ts'
import { layAffinities, REASON, ROW } from './map.ts'
import type { AffinityMap, LevelNode, Row } from './map.ts'
import { useWindow } from './use-window.ts'

type Source = 'running' | 'next'

const SOURCES = [
  { value: 'running', title: 'Running' },
  { value: 'next', title: 'Next boot' },
] as const satisfies readonly { value: Source; title: string }[]

/** Of a machine with many things wrong, not all can be open. */
const WRONG_OPEN = 8

/** What is open whatever the size of the machine: the selected CPU, and those that stand out. */
const notable = ({ cpus, frames }: Spots, selected: number): ReadonlySet<number> => {
  const there = new Map<number, number>()
  for (const { affinity } of frames) there.set(affinity, (there.get(affinity) ?? 0) + 1)
  const wrong = cpus.filter(({ affinity }) => there.get(affinity) !== 1)
  return new Set([selected, ...(wrong.length <= WRONG_OPEN ? wrong.map(({ index }) => index) : [])])
}

/** Lays out again only when an affinity or a group changes, however often the machine does. */
const layOnce = () => {
  let last: { readonly key: string; readonly map: AffinityMap } | undefined
  return (spots: Spots, closed: ReadonlySet<string>, room: number): AffinityMap => {
    const { cpus, frames } = spots
    const key = [
      cpus.map(({ affinity }) => affinity).join(),
      frames.map(({ typer, base }) => `${typer}@${base}`).join(),
      [...closed].join(),
      room,
    ].join(';')
    if (last?.key !== key) last = { key, map: layAffinities(cpus, frames, closed, room) }
    return last.map
  }
}

const idOf = (row: Row): number | string => (row.kind === 'cpu' ? row.index : row.key)

/** In which row each CPU stands. */
const placesOf = (rows: readonly Row[]): ReadonlyMap<number, number> =>
  new Map(
    rows.flatMap((row, place) =>
      (row.kind === 'cpu' ? [row.index] : row.cpus).map((cpu): [number, number] => [cpu, place]),
    ),
  )

const AffinityPane = () => {
  const session = useSession()
  const machine = useSessionState((state) => state.machine)
  const draft = useSessionState((state) => state.draft)
  const running = useSessionState((state) => state.running)
  const selected = useSessionState((state) => state.selected)
  const planned = useSessionState(differs)
  // What was just edited is shown, until the person or the next boot says otherwise.
  const [chosen, setChosen] = useState<{ of: Blueprint; source: Source } | undefined>(undefined)
  const source = chosen?.of === draft ? chosen.source : planned ? 'next' : 'running'
  const shown = source === 'running' && machine !== undefined ? source : 'next'
  const rules = shown === 'running' ? (running ?? draft) : draft

  const [lay] = useState(layOnce)
  const [toggled, setToggled] = useState<Toggled>({})
  const [edited, setEdited] = useState<Edited | undefined>(undefined)
  const spots = useMemo(() => spotsOf(shown === 'running' ? machine : undefined, draft), [shown, machine, draft])
  const closed = closedGroups(spots.cpus, notable(spots, selected), toggled)
  const toggle = useCallback((key: string, close: boolean): void => setToggled((all) => ({ ...all, [key]: close })), [])
  const toggleNode = useCallback(
    ({ key, closed: is }: LevelNode): void => {
      if (key !== undefined) toggle(key, !is)
    },
    [toggle],
  )
  const toggleAll = (close: boolean): void =>
    setToggled(Object.fromEntries(spots.cpus.map(({ affinity }) => [groupKey(affinity, 1), close])))

  const scroller = useRef<HTMLDivElement>(null)
  const seen = useWindow(scroller)
  const columns = useMemo(() => columnsFor(seen.width), [seen.width])
  const map = lay(spots, closed, seen.bottom - seen.top)
  const visible = (y: number, below = 0): boolean => y + ROW / 2 + below >= seen.top && y - ROW / 2 <= seen.bottom
  const placed = useMemo(() => placesOf(map.rows), [map])
  const rows = map.rows.filter((row) => visible(row.y, REASON))
  const chosenRow = map.rows[placed.get(selected) ?? -1]
  const isChosen = (of: number | string): boolean => chosenRow !== undefined && idOf(chosenRow) === of
  const focusable = rows.find((row) => row === chosenRow) ?? rows[0]

  const go = (row: Row | undefined): void => {
    if (row === undefined) return
    if (row.kind === 'cpu') session.select(row.index)
    scroller.current?.scrollTo({
      top: Math.min(Math.max(row.y + ROW - (seen.bottom - seen.top), seen.top), row.y - ROW),
    })
    requestAnimationFrame(() => document.getElementById(rowId(idOf(row)))?.focus())
  }
  const rowAt = ({ target }: SyntheticEvent): Row | undefined => {
    const item = target instanceof Element ? target.closest('[role="treeitem"]') : null
    return item === null ? undefined : rows.find((row) => rowId(idOf(row)) === item.id)
  }
  const onKey = (event: KeyboardEvent): void => {
    const row = rowAt(event)
    if (row === undefined) return
    const at = map.rows.indexOf(row)
    if (event.key === 'ArrowDown') go(map.rows[at + 1])
    else if (event.key === 'ArrowUp') go(map.rows[at - 1])
    else if (event.key === 'Home') go(map.rows[0])
    else if (event.key === 'End') go(map.rows.at(-1))
    else if (event.key === 'ArrowRight' && row.kind === 'group') toggle(row.key, false)
    else if (event.key === 'ArrowLeft' && row.kind === 'cpu') toggle(groupKey(row.affinity, 1), true)
    else if (event.key === 'Enter' && row.kind === 'cpu') setEdited({ at: 'cpu', cpu: row.index })
    else if (event.key === 'Enter' && row.kind === 'group') toggle(row.key, false)
    else return
    event.preventDefault()
  }
  const onClick = (event: SyntheticEvent): void => {
    const row = rowAt(event)
    if (row?.kind === 'cpu') session.select(row.index)
    if (row?.kind === 'group') toggle(row.key, false)
  }
  const onDoubleClick = (event: SyntheticEvent): void => {
    const row = rowAt(event)
    if (row?.kind === 'cpu') setEdited({ at: 'cpu', cpu: row.index })
  }
  const pressFrame = useCallback(
    (cpu: number): void => {
      if (session.store.getState().selected === cpu) setEdited({ at: 'frame', cpu })
      else session.select(cpu)
    },
    [session],
  )
  const stateOf = (of: number | string): string =>
    shown === 'next' || typeof of === 'string' ? 'planned' : (machine?.cpus[of]?.state ?? 'off')
  const heightOf = (cpu: number): number | undefined => map.rows[placed.get(cpu) ?? -1]?.y
  const large = spots.cpus.length > 16

  if (rules.gic === 2) {
    return (
      <p className="empty">A GICv2 has no redistributors: its SPIs and SGIs name CPUs by number, not by affinity.</p>
    )
  }
  return (
    <>
      <div className="pane-bar">
        <Segments
          label="Which machine"
          value={shown}
          options={SOURCES}
          onChange={(value) => setChosen({ of: draft, source: value })}
        />
        {large && (
          <button className="button small quiet" onClick={() => toggleAll(closed.size === 0)}>
            {closed.size === 0 ? 'Close clusters' : 'Open all'}
          </button>
        )}
        <span className="grow" />
        <span className="aside num">
          {spots.cpus.length} vCPUs, {spots.frames.length} frames
          <Verdict map={map} />
        </span>
      </div>
      <div className="pane-body affinities" ref={scroller}>
        <div className="affinity-canvas" style={{ height: map.height }}>
          <AffinityLinks
            map={map}
            seen={seen}
            columns={columns}
            stateOf={stateOf}
            isChosen={isChosen}
            onToggle={toggleNode}
          />
          {shown === 'running' && <Flights columns={columns} heightOf={heightOf} height={map.height} />}
          <div
            role="tree"
            aria-label="Affinities of the vCPUs"
            className="cpu-column"
            onKeyDown={onKey}
            onClick={onClick}
            onDoubleClick={onDoubleClick}
          >
            {rows.map((row) => {
              const shared = {
                columns,
                selected: row === chosenRow,
                focusable: row === focusable,
                place: map.rows.indexOf(row) + 1,
                of: map.rows.length,
              }
              return row.kind === 'group' ? (
                <GroupItem key={row.key} {...shared} row={row} />
              ) : (
                <CpuItem
                  key={row.index}
                  {...shared}
                  row={row}
                  state={stateOf(row.index)}
                  reason={row.frames.length === 0 ? missReason(rules, row.affinity) : undefined}
                />
              )
            })}
          </div>
          {chosenRow?.kind === 'cpu' && visible(chosenRow.y) && (
            <EditMark row={chosenRow} columns={columns} onEdit={() => setEdited({ at: 'cpu', cpu: chosenRow.index })} />
          )}
          <ul aria-label="Redistributor frames in address order" className="frame-column">
            {map.regions.map((head) =>
              visible(head.y) ? <RegionItem key={`region-${head.region}`} head={head} columns={columns} /> : null,
            )}
            {map.frames.map((row) => {
              if (!visible(row.y)) return null
              if (row.kind === 'frames') return <FramesItem key={row.base} row={row} columns={columns} />
              return (
                <FrameItem
                  key={row.base}
                  row={row}
                  columns={columns}
                  selected={row.cpu === selected}
                  onPress={pressFrame}
                />
              )
            })}
          </ul>
        </div>
      </div>
      {edited !== undefined && <Editor edited={edited} onClose={() => setEdited(undefined)} />}
    </>
  )
}

/** The answer of the whole picture. */
const Verdict = ({ map: { misses, links } }: { readonly map: AffinityMap }) => {
  if (misses > 0) return <b className="bad"> ✕ {misses} without a frame</b>
  if (links.some(({ kind }) => kind === 'shared')) return <b className="bad"> ✕ some share one</b>
  return <b className="ok"> ● each finds its own</b>
}

export default AffinityPane
