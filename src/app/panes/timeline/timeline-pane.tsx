/** What happened when: a lane for each CPU and device over virtual time, with the manners of Perfetto. */
import { ChevronLeft, ChevronRight, Download, Maximize, Radio, ZoomIn, ZoomOut } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import { ChromeTrace } from '../../../pure/trace/chrome.ts'
import { eventText } from '../../../pure/trace/events.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import type { TraceFeed } from '../../session/trace/feed.ts'
import { Hint } from '../../widgets/hint.tsx'
import { saveFile } from '../../widgets/save-file.ts'
import { Chart } from './chart.ts'
import type { Area, Tip } from './chart.ts'
import { countsOf } from './counts.ts'
import { EventDetails } from './event-details.tsx'
import { CHART_KEYS_TEXT, chartKey } from './keys.ts'
import { RunUntilHere } from './run-until-here.tsx'
import { useFinder } from './use-finder.ts'
import { durationText, momentText } from './viewport.ts'
import type { Viewport } from './viewport.ts'
import '../../style/timeline.css'

const SUMMARY_MS = 1000

const TimelinePane = () => {
  const session = useSession()
  const { trace, store } = session
  const canvas = useRef<HTMLCanvasElement>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const search = useRef<HTMLInputElement>(null)
  const [chart, setChart] = useState<Chart>()
  const [tip, setTip] = useState<Tip>()
  const [area, setArea] = useState<Area>()
  const event = useSessionState((state) => state.event)
  const [view, setView] = useState<Viewport>()
  const moment = useSessionState((state) => state.moment)

  useEffect(() => trace.watchAll(), [trace])
  useEffect(() => {
    if (canvas.current === null || scroller.current === null) return undefined
    const made = new Chart(canvas.current, scroller.current, trace, {
      now: () => store.getState().machine?.virtualNs ?? 0,
      cpus: () => store.getState().machine?.cpus.length ?? 0,
      cpu: () => store.getState().selected,
      onTip: setTip,
      onArea: setArea,
      onView: setView,
      onSearch: () => search.current?.focus(),
      onSelect: (selected) => {
        session.lookAtEvent(selected)
        const of = selected !== undefined && 'cpu' in selected.event ? selected.event.cpu : undefined
        if (of !== undefined) session.select(of)
      },
    })
    setChart(made)
    // Time goes on while nothing happens.
    const stop = store.subscribe((now, before) => {
      if (now.machine?.virtualNs !== before.machine?.virtualNs || now.selected !== before.selected) made.schedule()
    })
    return () => {
      stop()
      made.dispose()
      session.lookAtEvent(undefined)
    }
  }, [trace, store, session])
  useEffect(() => {
    if (moment !== undefined) chart?.goTo(moment.at)
  }, [chart, moment])

  const finder = useFinder(trace, chart)

  const pressed = (key: KeyboardEvent): void => {
    if (chart === undefined || key.ctrlKey || key.metaKey || key.altKey) return
    const found = chartKey(key.key)
    if (found === undefined) return
    found.act(chart)
    key.preventDefault()
    key.stopPropagation()
  }

  return (
    <div className="timeline">
      <div className="timeline-tools" role="toolbar" aria-label="Timeline">
        <input
          ref={search}
          className="field"
          type="search"
          placeholder="Search"
          aria-label="Search events"
          value={finder.words}
          onChange={({ target }) => finder.search(target.value)}
          onKeyDown={(key) => {
            if (key.key === 'Enter') finder.go(key.shiftKey ? -1 : 1)
            if (key.key === 'Escape') scroller.current?.focus()
          }}
        />
        <span className="dim num found" aria-live="polite">
          {finder.says}
        </span>
        <Tool
          hint="The match before (Shift Enter)"
          label="Previous match"
          act={() => finder.go(-1)}
          disabled={finder.count === 0}
        >
          <ChevronLeft size={14} aria-hidden />
        </Tool>
        <Tool hint="The next match (Enter)" label="Next match" act={() => finder.go(1)} disabled={finder.count === 0}>
          <ChevronRight size={14} aria-hidden />
        </Tool>
        <span className="grow" />
        <Tool hint="Look nearer (W)" label="Zoom in" act={() => chart?.zoom(0.6)}>
          <ZoomIn size={14} aria-hidden />
        </Tool>
        <Tool hint="See more (S)" label="Zoom out" act={() => chart?.zoom(1 / 0.6)}>
          <ZoomOut size={14} aria-hidden />
        </Tool>
        <Tool hint="All of time (Home)" label="Show all" act={() => chart?.all()}>
          <Maximize size={14} aria-hidden />
        </Tool>
        <Hint text="Stay at the end of time as it goes on (End)">
          <button
            className="button small quiet"
            aria-pressed={view?.follows ?? true}
            onClick={() => chart?.live()}
            data-on={(view?.follows ?? true) || undefined}
          >
            <Radio size={13} aria-hidden />
            live
          </button>
        </Hint>
        <Tool
          hint="Save what is here as JSON for Perfetto or chrome://tracing"
          label="Save the trace"
          act={() => save(trace)}
        >
          <Download size={14} aria-hidden />
        </Tool>
      </div>
      <div className="timeline-body">
        <div
          className="timeline-chart"
          ref={scroller}
          tabIndex={0}
          role="application"
          aria-label="Timeline"
          aria-describedby="timeline-keys timeline-summary"
          onKeyDown={pressed}
        >
          <canvas ref={canvas} aria-hidden />
          <div aria-hidden />
          {tip !== undefined && <TipBox tip={tip} />}
        </div>
        {(event !== undefined || area !== undefined) && (
          <aside className="timeline-side" aria-label="What is selected" tabIndex={0}>
            {area === undefined ? event !== undefined && <EventDetails event={event} /> : <AreaCounts area={area} />}
          </aside>
        )}
      </div>
      <p id="timeline-keys" className="hidden-text">
        {CHART_KEYS_TEXT}
      </p>
      <Summary />
      <p className="hidden-text" aria-live="polite">
        {event === undefined ? '' : `${momentText(event.time)}: ${eventText(event.event)}`}
      </p>
    </div>
  )
}

const Tool = (props: {
  readonly hint: string
  readonly label: string
  readonly act: () => void
  readonly disabled?: boolean
  readonly children: React.ReactNode
}) => (
  <Hint text={props.hint}>
    <button
      className="button icon tiny quiet"
      aria-label={props.label}
      onClick={props.act}
      disabled={props.disabled ?? false}
    >
      {props.children}
    </button>
  </Hint>
)

const TipBox = ({ tip }: { readonly tip: Tip }) => {
  const { clientWidth: width, clientHeight: height, scrollTop } = tip.within
  const right = tip.x > width / 2
  const below = tip.y < height / 2
  return (
    <div
      className="timeline-tip"
      style={{
        [right ? 'right' : 'left']: right ? width - tip.x + 10 : tip.x + 12,
        top: scrollTop + (below ? tip.y + 14 : tip.y - 12),
        transform: below ? undefined : 'translateY(-100%)',
      }}
    >
      {tip.text}
    </div>
  )
}

const AreaCounts = ({ area }: { readonly area: Area }) => {
  const { trace, store } = useSession()
  const counts = useMemo(
    () => countsOf(trace.log, trace.lanes, area.from, area.to, store.getState().machine?.cpus.length ?? 0),
    [trace, store, area],
  )
  return (
    <>
      <h3>{durationText(area.to - area.from)}</h3>
      <p className="dim num">from {momentText(area.from)}</p>
      <RunUntilHere moment={area.to} title="Run until its end again" />
      {counts.length === 0 && <p className="dim">Nothing happened here.</p>}
      <table className="counts">
        <tbody>
          {counts.map(({ title, count, time }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td className="num">{count}</td>
              <td className="num dim">{time === undefined ? '' : durationText(time)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

/** The same in words, for whoever does not see the lanes. */
const Summary = () => {
  const { trace } = useSession()
  const cpus = useSessionState((state) => state.machine?.cpus)
  const [, again] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), SUMMARY_MS)
    return () => clearInterval(timer)
  }, [])
  const { log } = trace
  const running = (cpus ?? []).filter(({ state }) => state === 'running').length
  const last = log.at(log.end - 1)
  return (
    <p id="timeline-summary" className="hidden-text">
      {log.count === 0
        ? 'Nothing has happened yet.'
        : `${log.count} events from ${momentText(log.begins)} to ${momentText(log.ends)}; ${running} of ${cpus?.length ?? 0} CPUs run.${log.lost > 0 ? ` ${log.lost} earlier events are gone.` : ''}${last === undefined ? '' : ` The last: ${eventText(last.event)}.`}`}
    </p>
  )
}

const save = ({ log }: TraceFeed): void => {
  const pieces: string[] = []
  const chrome = new ChromeTrace((text) => pieces.push(text))
  for (const batch of log.all()) chrome.add(batch)
  chrome.finish()
  saveFile('gicscope-trace.json', new Blob(pieces, { type: 'application/json' }))
}

export default TimelinePane
