/** Draws a part of a trace on a canvas. What is too small for a pixel is skipped, so that millions cost what a page shows. */
import { irqKind } from '../../../pure/arch/intid.ts'
import type { EventName } from '../../../pure/trace/events.ts'
import { cpuLane, sliceName, stateCode } from '../../../pure/trace/lanes.ts'
import type { LaneStore, Marks, Slices } from '../../session/trace/lane-store.ts'
import type { Arrangement, Row } from './rows.ts'
import { tickText, ticks } from './viewport.ts'
import type { Viewport } from './viewport.ts'

export const GUTTER = 104
export const RULER = 22

/** The variables of the page's style that a timeline is drawn with. */
const COLOURS = [
  'pane',
  'pane2',
  'line',
  'edge',
  'text',
  'dim',
  'focus',
  'bad',
  't-running',
  't-waiting',
  't-sgi',
  't-ppi',
  't-spi',
  't-sync',
  't-irq',
  't-mark',
  't-sent',
  't-area',
] as const
export type Colour = (typeof COLOURS)[number]
export type Palette = Readonly<Record<Colour, string>>

export const readPalette = (element: Element): Palette => {
  const style = getComputedStyle(element)
  const of = (name: Colour): string => style.getPropertyValue(`--${name}`).trim()
  return {
    pane: of('pane'),
    pane2: of('pane2'),
    line: of('line'),
    edge: of('edge'),
    text: of('text'),
    dim: of('dim'),
    focus: of('focus'),
    bad: of('bad'),
    't-running': of('t-running'),
    't-waiting': of('t-waiting'),
    't-sgi': of('t-sgi'),
    't-ppi': of('t-ppi'),
    't-spi': of('t-spi'),
    't-sync': of('t-sync'),
    't-irq': of('t-irq'),
    't-mark': of('t-mark'),
    't-sent': of('t-sent'),
    't-area': of('t-area'),
  }
}

export interface Picture {
  readonly view: Viewport
  readonly arrangement: Arrangement
  readonly lanes: LaneStore
  readonly palette: Palette
  /** CSS pixels of the whole canvas, and how far its rows are scrolled. */
  readonly width: number
  readonly height: number
  readonly scrolled: number
  readonly selected: { readonly time: number } | undefined
  readonly area: { readonly from: number; readonly to: number } | undefined
  /** Times of what was searched for. */
  readonly found: readonly number[]
  readonly cpu: number
}

const FONT = '11px'
/** The width of a letter in it. */
const LETTER = 6.6
const TITLE_LEFT = 6

const cut = (text: string, room: number): string => {
  const letters = Math.floor(room / LETTER)
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`
}

/** A slice as narrow as this, in pixels, stands for all that begin in its pixel. */
const NARROW = 1.5
const LABEL = { least: 34, pad: 4 } as const
/** More arrows than the first are drawn thin, than the second not at all: they would be a mass. */
const FEW_ARROWS = 24
const MAX_ARROWS = 400

/** What is used of a canvas. */
export type Paper = Pick<
  CanvasRenderingContext2D,
  | 'fillStyle'
  | 'strokeStyle'
  | 'lineWidth'
  | 'globalAlpha'
  | 'font'
  | 'textBaseline'
  | 'fillRect'
  | 'fillText'
  | 'save'
  | 'restore'
  | 'beginPath'
  | 'rect'
  | 'clip'
  | 'moveTo'
  | 'lineTo'
  | 'bezierCurveTo'
  | 'stroke'
  | 'fill'
>

export class Painter {
  private readonly c: Paper
  private readonly p: Picture
  private readonly scale: number

  constructor(paper: Paper, picture: Picture) {
    this.c = paper
    this.p = picture
    this.scale = (picture.width - GUTTER) / (picture.view.to - picture.view.from)
  }

  static timeAt({ view, width }: Pick<Picture, 'view' | 'width'>, x: number): number {
    return view.from + ((x - GUTTER) / (width - GUTTER)) * (view.to - view.from)
  }

  private x(time: number): number {
    return GUTTER + (time - this.p.view.from) * this.scale
  }

  paint(mono: string): void {
    const { c, p } = this
    c.fillStyle = p.palette.pane
    c.fillRect(0, 0, p.width, p.height)
    c.font = `${FONT} ${mono}`
    c.textBaseline = 'middle'
    c.save()
    c.beginPath()
    c.rect(GUTTER, RULER, p.width - GUTTER, p.height - RULER)
    c.clip()
    this.gridLines()
    this.rows()
    this.arrows()
    this.selection()
    c.restore()
    this.titles()
    this.ruler()
  }

  private visible({ top, height }: Row): boolean {
    const y = top - this.p.scrolled + RULER
    return y + height > RULER && y < this.p.height
  }

  private rows(): void {
    for (const row of this.p.arrangement.rows) {
      if (!this.visible(row)) continue
      const y = row.top - this.p.scrolled + RULER
      if (row.kind === 'marks' || row.kind === 'accesses')
        this.marks(this.p.lanes.marks(row.lane), y, row.height, row.kind)
      else this.lane(row, y)
    }
  }

  private lane(row: Row, y: number): void {
    const depths = this.p.lanes.slices(row.lane)
    // Deeper slices lie inside the outer one, a little lower.
    const inset = row.kind === 'state' ? 0 : Math.min(3, (row.height - 6) / Math.max(1, depths.length - 1))
    for (const [depth, slices] of depths.entries())
      this.slices(row, slices, y + depth * inset, row.height - 2 - depth * inset)
  }

  private colour({ kind }: Row, code: number): string {
    const { palette } = this.p
    if (kind === 'state') return palette[code === stateCode('running') ? 't-running' : 't-waiting']
    if (kind === 'exceptions') return palette[code < 64 ? 't-sync' : 't-irq']
    const irq = irqKind(code)
    return palette[irq === 'SGI' ? 't-sgi' : irq === 'PPI' ? 't-ppi' : 't-spi']
  }

  private slices(row: Row, slices: Slices, y: number, height: number): void {
    const { c, p } = this
    const { from, to } = p.view
    const { starts, ends, codes } = slices
    let i = ends.from(from)
    while (i < starts.length && starts.at(i) < to) {
      const start = this.x(starts.at(i))
      const end = Math.min(p.width, this.x(Math.min(ends.at(i), to)))
      const code = codes.at(i)
      const colour = this.colour(row, code)
      c.fillStyle = colour
      if (end - start < NARROW) {
        c.fillRect(start, y, 1, height)
        i = starts.from(from + (start + 1 - GUTTER) / this.scale, i + 1)
        continue
      }
      const left = Math.max(start, GUTTER)
      if (row.kind === 'state') c.fillRect(left, y, end - left, height)
      else {
        c.globalAlpha = 0.42
        c.fillRect(left, y, end - left, height)
        c.globalAlpha = 1
        c.fillRect(left, y, 1.5, height)
        if (end - left > LABEL.least && height >= 10)
          this.label(sliceName(row.kind === 'exceptions' ? 'exceptions' : 'interrupts', code), left, end, y, height)
      }
      i++
    }
  }

  private label(text: string, left: number, right: number, y: number, height: number): void {
    const { c, p } = this
    const room = right - left - 2 * LABEL.pad
    if (room < 3 * LETTER) return
    c.fillStyle = p.palette.text
    c.fillText(cut(text, room), left + LABEL.pad, y + height / 2 + 0.5)
  }

  private marks(marks: Marks | undefined, y: number, height: number, kind: Row['kind']): void {
    if (marks === undefined) return
    const { c, p } = this
    const { from, to } = p.view
    const { times } = marks
    let last = Number.NaN
    for (let i = times.from(from); i < times.length && times.at(i) < to;) {
      const x = Math.round(this.x(times.at(i)))
      const name = marks.kindAt(i)
      const notable = name !== undefined && NOTABLE.has(name)
      if (x !== last || notable) {
        c.fillStyle = p.palette[name === 'sgiSent' ? 't-sent' : name === 'hypercall' ? 't-irq' : 't-mark']
        c.fillRect(
          x,
          y + (notable || kind === 'marks' ? 0 : 3),
          notable ? 2 : 1,
          height - (notable || kind === 'marks' ? 2 : 5),
        )
      }
      last = x
      // The rest of this pixel holds nothing that stands out, as long as there is much of it.
      const next = times.from(from + (x + 1 - GUTTER) / this.scale, i + 1)
      i = next - i > 64 ? next : i + 1
    }
  }

  private arrows(): void {
    const { c, p } = this
    const { arrows } = p.lanes
    const { from, to } = p.view
    const first = arrows.arrived.from(from)
    const last = arrows.arrived.from(to)
    if (last - first > MAX_ARROWS) return
    const middle = new Map(p.arrangement.rows.map((row) => [row.lane, row.top + row.height / 2 - p.scrolled + RULER]))
    c.strokeStyle = p.palette['t-sent']
    c.fillStyle = p.palette['t-sent']
    const many = last - first > FEW_ARROWS
    c.lineWidth = many ? 0.75 : 1.25
    c.globalAlpha = many ? 0.45 : 1
    for (let i = first; i < last; i++) {
      const sender = arrows.from.at(i)
      const y1 = middle.get(cpuLane(sender, 'accesses')) ?? middle.get(cpuLane(sender, 'state'))
      const y2 = middle.get(cpuLane(arrows.to.at(i), 'interrupts'))
      if (y1 === undefined || y2 === undefined) continue
      const [x1, x2] = [this.x(arrows.sent.at(i)), this.x(arrows.arrived.at(i))]
      const bend = Math.max(6, (x2 - x1) / 2)
      c.beginPath()
      c.moveTo(x1, y1)
      c.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 3, y2)
      c.stroke()
      c.beginPath()
      c.moveTo(x2 + 1, y2)
      c.lineTo(x2 - 5, y2 - 3.5)
      c.lineTo(x2 - 5, y2 + 3.5)
      c.fill()
    }
    c.globalAlpha = 1
  }

  private gridLines(): void {
    const { c, p } = this
    c.fillStyle = p.palette.line
    for (const time of ticks(p.view, this.tickCount()).at) c.fillRect(Math.round(this.x(time)), RULER, 1, p.height)
  }

  private tickCount(): number {
    return Math.max(2, (this.p.width - GUTTER) / 120)
  }

  private ruler(): void {
    const { c, p } = this
    c.fillStyle = p.palette.pane2
    c.fillRect(0, 0, p.width, RULER)
    c.save()
    c.beginPath()
    c.rect(GUTTER, 0, p.width - GUTTER, RULER)
    c.clip()
    const { step, at } = ticks(p.view, this.tickCount())
    for (const time of at) {
      const x = Math.round(this.x(time))
      c.fillStyle = p.palette.edge
      c.fillRect(x, RULER - 6, 1, 6)
      c.fillStyle = p.palette.dim
      c.fillText(tickText(time, step), x + 4, RULER / 2)
    }
    c.fillStyle = p.palette.focus
    let last = Number.NaN
    for (const time of p.found) {
      const x = Math.round(this.x(time))
      if (x !== last && x >= GUTTER && x <= p.width) c.fillRect(x - 1, RULER - 5, 3, 5)
      last = x
    }
    c.restore()
    c.fillStyle = p.palette.line
    c.fillRect(0, RULER - 1, p.width, 1)
  }

  private titles(): void {
    const { c, p } = this
    c.fillStyle = p.palette.pane
    c.fillRect(0, 0, GUTTER, p.height)
    c.save()
    c.beginPath()
    c.rect(0, RULER, GUTTER, p.height - RULER)
    c.clip()
    for (const row of p.arrangement.rows) {
      const { title, group = 0 } = row
      const y = row.top - p.scrolled + RULER
      if (y > p.height || y + Math.max(group, row.height) < RULER) continue
      if (title === undefined) {
        if (row.height < 10 || p.arrangement.slim) continue
        c.fillStyle = p.palette.dim
        c.fillText(ROW_TITLES[row.kind] ?? '', 14, y + row.height / 2)
        continue
      }
      const own = row.kind === 'state' && row.cpu === p.cpu
      c.fillStyle = own ? p.palette.focus : p.palette.text
      if (own) c.fillRect(0, y, 2, group)
      const height = row.kind === 'state' && !p.arrangement.slim ? row.height : group
      c.fillText(cut(title, GUTTER - 2 * TITLE_LEFT), TITLE_LEFT, y + height / 2)
    }
    c.restore()
    c.fillStyle = p.palette.line
    c.fillRect(GUTTER - 1, 0, 1, p.height)
  }

  private selection(): void {
    const { c, p } = this
    if (p.area !== undefined) {
      const [left, right] = [this.x(p.area.from), this.x(p.area.to)]
      c.fillStyle = p.palette['t-area']
      c.globalAlpha = 0.16
      c.fillRect(left, RULER, right - left, p.height)
      c.globalAlpha = 1
      c.fillStyle = p.palette.focus
      c.fillRect(left, RULER, 1, p.height)
      c.fillRect(right, RULER, 1, p.height)
    }
    if (p.selected !== undefined) {
      c.fillStyle = p.palette.focus
      c.fillRect(Math.round(this.x(p.selected.time)), RULER, 1.5, p.height)
    }
  }
}

/** Drawn even where another mark has the same pixel. */
const NOTABLE: ReadonlySet<EventName> = new Set(['sgiSent', 'hypercall', 'kvmCall'])

const ROW_TITLES: Readonly<Partial<Record<Row['kind'], string>>> = {
  interrupts: 'interrupts',
  exceptions: 'exceptions',
  accesses: 'GIC, PSCI',
}
