/** The keys of the timeline, by what they do: Perfetto's, and the arrows. */
import type { Chart } from './chart.ts'

const NEARER = 0.75
const STEP = 0.12

interface ChartKey {
  /** As `KeyboardEvent.key` has them, letters in capitals. */
  readonly keys: readonly string[]
  readonly says: string
  readonly act: (chart: Chart) => void
}

export const CHART_KEYS: readonly ChartKey[] = [
  { keys: ['W', '+'], says: 'looks nearer', act: (chart) => chart.zoom(NEARER) },
  { keys: ['S', '-'], says: 'sees more', act: (chart) => chart.zoom(1 / NEARER) },
  { keys: ['A', 'ArrowLeft'], says: 'goes back in time', act: (chart) => chart.pan(-STEP) },
  { keys: ['D', 'ArrowRight'], says: 'goes on in time', act: (chart) => chart.pan(STEP) },
  { keys: ['F'], says: 'fits what is selected', act: (chart) => chart.fit() },
  { keys: ['Home'], says: 'shows all of time', act: (chart) => chart.all() },
  { keys: ['End'], says: 'stays at the end of time', act: (chart) => chart.live() },
  { keys: ['.'], says: 'selects the next event', act: (chart) => chart.step(1) },
  { keys: [','], says: 'selects the event before', act: (chart) => chart.step(-1) },
  { keys: ['/'], says: 'searches', act: (chart) => chart.search() },
  { keys: ['Escape'], says: 'lets go of what is selected', act: (chart) => chart.clear() },
]

export const chartKey = (key: string): ChartKey | undefined =>
  CHART_KEYS.find(({ keys }) => keys.includes(key.length === 1 ? key.toUpperCase() : key))

/** For whoever does not see the lanes. */
export const CHART_KEYS_TEXT = `${CHART_KEYS.map(({ keys, says }) => `${keys.join(' or ')} ${says}`).join(', ')}. Dragging selects a part of time, with Shift it moves; the wheel zooms with Ctrl.`
