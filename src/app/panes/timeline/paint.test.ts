/** What is drawn, seen by a canvas that writes down its rectangles. */
import * as fc from '../../../testing/property.ts'
import { describe, expect, it } from 'vitest'
import { cpuLane, stateCode } from '../../../pure/trace/lanes.ts'
import { LaneStore } from '../../session/trace/lane-store.ts'
import { GUTTER, Painter, RULER } from './paint.ts'
import type { Palette, Paper } from './paint.ts'
import { arrange } from './rows.ts'
import type { Viewport } from './viewport.ts'

const WIDTH = GUTTER + 600
const HEIGHT = 700

/** Each colour is its own name. */
const palette: Palette = {
  pane: 'pane',
  pane2: 'pane2',
  line: 'line',
  edge: 'edge',
  text: 'text',
  dim: 'dim',
  focus: 'focus',
  bad: 'bad',
  't-running': 'running',
  't-waiting': 'waiting',
  't-sgi': 'sgi',
  't-ppi': 'ppi',
  't-spi': 'spi',
  't-sync': 'sync',
  't-irq': 'irq',
  't-mark': 'mark',
  't-sent': 'sent',
  't-area': 'area',
}

interface Rectangle {
  readonly colour: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** As much of a canvas as the painter uses. */
class Recorder implements Paper {
  readonly rectangles: Rectangle[] = []
  steps = 0
  fillStyle: Paper['fillStyle'] = ''
  strokeStyle: Paper['strokeStyle'] = ''
  font = ''
  textBaseline: Paper['textBaseline'] = 'middle'
  lineWidth = 1
  globalAlpha = 1
  fillRect(x: number, y: number, width: number, height: number): void {
    this.steps++
    this.rectangles.push({ colour: String(this.fillStyle), x, y, width, height })
  }
  fillText(): void {
    this.steps++
  }
  stroke(): void {
    this.steps++
  }
  fill(): void {
    this.steps++
  }
  save(): void {}
  restore(): void {}
  beginPath(): void {}
  rect(): void {}
  clip(): void {}
  moveTo(): void {}
  lineTo(): void {}
  bezierCurveTo(): void {}
}

const paint = (lanes: LaneStore, cpus: number, view: Viewport): Recorder => {
  const recorder = new Recorder()
  const arrangement = arrange(cpus, lanes.numbers())
  const nothing = { selected: undefined, area: undefined, found: [], cpu: -1, scrolled: 0 }
  const picture = { ...nothing, view, arrangement, lanes, palette, width: WIDTH, height: HEIGHT }
  new Painter(recorder, picture).paint('monospace')
  return recorder
}

interface Span {
  readonly from: number
  readonly to: number
}

/** Fills a lane with slices of these lengths, each followed by a gap. */
const fill = (lanes: LaneStore, lane: number, steps: readonly (readonly [gap: number, length: number])[]): Span[] => {
  let time = 0
  return steps.map(([gap, length], event) => {
    const from = time + gap
    time = from + length
    lanes.begin(lane, from, stateCode('running'), event)
    lanes.end(lane, time)
    return { from, to: time }
  })
}

describe('the picture of a lane', () => {
  it('has something within a pixel of every slice, and nothing further from all of them', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 0, max: 900 })), {
      minLength: 1,
      maxLength: 200,
    })
    fc.assert(
      fc.property(steps, fc.nat(20_000), fc.integer({ min: 100, max: 60_000 }), (lengths, from, width) => {
        const lanes = new LaneStore()
        const spans = fill(lanes, cpuLane(0, 'state'), lengths)
        const view = { from, to: from + width, follows: false }
        const drawn = paint(lanes, 1, view)
          .rectangles.filter(({ colour }) => colour === 'running')
          .map(({ x, width: wide }): Span => ({ from: x, to: x + wide }))
        const onPage = ({ from: a, to: b }: Span): Span => {
          const x = (time: number): number => GUTTER + ((time - from) / width) * (WIDTH - GUTTER)
          return { from: Math.max(x(a), GUTTER), to: Math.min(x(b), WIDTH) }
        }
        const near = (a: Span, b: Span): boolean => a.from <= b.to + 1 && b.from <= a.to + 1
        const seen = spans.filter((span) => span.to >= view.from && span.from < view.to).map(onPage)
        for (const span of seen) expect(drawn.some((one) => near(one, span))).toBe(true)
        for (const one of drawn) expect(seen.some((span) => near(one, span))).toBe(true)
      }),
    )
  })

  it('costs what a page shows, however many millions of events there are', () => {
    const cpus = 512
    const lanes = new LaneStore()
    const lengths = Array.from({ length: 2000 }, (_, i): readonly [number, number] => [3 + (i % 5), 1 + (i % 7)])
    let end = 0
    for (let cpu = 0; cpu < cpus; cpu++) {
      end = fill(lanes, cpuLane(cpu, 'state'), lengths).at(-1)?.to ?? 0
      fill(lanes, cpuLane(cpu, 'interrupts'), lengths)
    }
    const { steps } = paint(lanes, cpus, { from: 0, to: end, follows: true })
    const rows = arrange(cpus, []).rows.filter(({ top }) => top < HEIGHT - RULER).length
    const pixels = rows * (WIDTH - GUTTER)
    // Titles, ticks and the like: not more than three for each row.
    expect(steps).toBeLessThan(pixels + 3 * rows)
    // It does draw: most pixels of most rows have a slice.
    expect(steps).toBeGreaterThan(pixels / 2)
  })
})
