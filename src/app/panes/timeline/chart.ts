/** The timeline's canvas: what it shows, and what a person does to it. Tells whoever shows the rest. */
import { eventText } from '../../../pure/trace/events.ts'
import type { TraceFeed } from '../../session/trace/feed.ts'
import type { LogEvent } from '../../session/trace/log.ts'
import { GUTTER, Painter, readPalette, RULER } from './paint.ts'
import type { Palette, Picture } from './paint.ts'
import { arrange, rowAt } from './rows.ts'
import type { Arrangement } from './rows.ts'
import { centred, durationText, everything, fitted, followed, live, momentText, panned, zoomed } from './viewport.ts'
import type { Extent, Viewport } from './viewport.ts'

export interface Area {
  readonly from: number
  readonly to: number
}

export interface Tip {
  readonly x: number
  readonly y: number
  readonly text: string
  /** The window over the lanes that `x` and `y` are in. */
  readonly within: { readonly clientWidth: number; readonly clientHeight: number; readonly scrollTop: number }
}

export interface ChartPorts {
  /** Virtual time now, which goes on when nothing happens. */
  now(): number
  cpus(): number
  cpu(): number
  onSelect(event: LogEvent | undefined): void
  onArea(area: Area | undefined): void
  onTip(tip: Tip | undefined): void
  onView(view: Viewport): void
  onSearch(): void
}

/** Pixels within which a mark is met, and from which on a press is a drag. */
const NEAR = 5
const DRAG = 4

export class Chart {
  private readonly canvas: HTMLCanvasElement
  private readonly scroller: HTMLElement
  private readonly trace: TraceFeed
  private readonly ports: ChartPorts
  private readonly stop: (() => void)[] = []
  private view: Viewport = { from: 0, to: 1e6, follows: true }
  private arrangement: Arrangement = arrange(0, [])
  private arranged = ''
  private palette: Palette
  private mono: string
  private frame = 0
  private drag: { readonly x: number; readonly view: Viewport; readonly pans: boolean; moved: boolean } | undefined
  private selected: LogEvent | undefined
  private area: Area | undefined
  private found: readonly number[] = []

  constructor(canvas: HTMLCanvasElement, scroller: HTMLElement, trace: TraceFeed, ports: ChartPorts) {
    this.canvas = canvas
    this.scroller = scroller
    this.trace = trace
    this.ports = ports
    this.palette = readPalette(scroller)
    this.mono = getComputedStyle(scroller).getPropertyValue('--mono')
    this.listenTo()
    this.schedule()
  }

  private listenTo(): void {
    const { canvas, scroller } = this
    const on = <Name extends keyof HTMLElementEventMap>(
      element: HTMLElement,
      name: Name,
      act: (event: HTMLElementEventMap[Name]) => void,
    ): void => {
      element.addEventListener(name, act, { passive: false })
      this.stop.push(() => element.removeEventListener(name, act))
    }
    on(canvas, 'pointerdown', (event) => this.pressed(event))
    on(canvas, 'pointermove', (event) => this.moved(event))
    on(canvas, 'pointerup', (event) => this.released(event))
    on(canvas, 'pointercancel', () => (this.drag = undefined))
    on(canvas, 'pointerleave', () => this.ports.onTip(undefined))
    on(scroller, 'wheel', (event) => this.wheel(event))
    on(scroller, 'scroll', () => this.schedule())
    this.stop.push(this.trace.listen(() => this.schedule()))
    const size = new ResizeObserver(() => this.schedule())
    size.observe(scroller)
    const theme = new MutationObserver(() => {
      this.palette = readPalette(scroller)
      this.schedule()
    })
    theme.observe(document.documentElement, { attributes: true })
    this.stop.push(
      () => size.disconnect(),
      () => theme.disconnect(),
    )
  }

  dispose(): void {
    cancelAnimationFrame(this.frame)
    for (const stop of this.stop) stop()
  }

  get extent(): Extent {
    const { log } = this.trace
    return { begins: log.begins, ends: Math.max(log.ends, this.ports.now()) }
  }

  schedule(): void {
    if (this.frame !== 0) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      this.draw()
    })
  }

  private picture(): Picture {
    const { clientWidth, clientHeight, scrollTop } = this.scroller
    return {
      view: this.view,
      arrangement: this.arrangement,
      lanes: this.trace.lanes,
      palette: this.palette,
      width: clientWidth,
      height: clientHeight,
      scrolled: scrollTop,
      selected: this.selected,
      area: this.area,
      found: this.found,
      cpu: this.ports.cpu(),
    }
  }

  private draw(): void {
    this.rearrange()
    this.show(followed(this.view, this.extent))
    const { canvas } = this
    const picture = this.picture()
    if (picture.width <= GUTTER) return
    const ratio = window.devicePixelRatio
    const [width, height] = [Math.round(picture.width * ratio), Math.round(picture.height * ratio)]
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width
      canvas.height = height
      canvas.style.width = `${picture.width}px`
      canvas.style.height = `${picture.height}px`
    }
    const context = canvas.getContext('2d', { alpha: false })
    if (context === null) return
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    new Painter(context, picture).paint(this.mono)
  }

  private rearrange(): void {
    const cpus = this.ports.cpus()
    const busy = this.trace.lanes.numbers()
    const arranged = `${cpus} ${busy.length}`
    if (arranged === this.arranged) return
    this.arranged = arranged
    this.arrangement = arrange(cpus, busy)
    const room = this.canvas.nextElementSibling
    if (room instanceof HTMLElement) room.style.height = `${this.arrangement.height + RULER}px`
  }

  private show(view: Viewport): void {
    if (view.from === this.view.from && view.to === this.view.to && view.follows === this.view.follows) return
    this.view = view
    this.ports.onView(view)
    this.schedule()
  }

  // What a person does.

  zoom(factor: number, at: number = (this.view.from + this.view.to) / 2): void {
    this.show(zoomed(this.view, factor, at, this.extent))
  }

  pan(share: number): void {
    this.show(panned(this.view, share, this.extent))
  }

  /** What is selected, or else everything. */
  fit(): void {
    const { area, selected } = this
    if (area !== undefined) this.show(fitted(area.from, area.to, this.extent))
    else if (selected !== undefined) this.show(fitted(selected.time - 5e3, selected.time + 5e3, this.extent))
    else this.show(everything(this.extent))
  }

  all(): void {
    this.show(everything(this.extent))
  }

  live(): void {
    this.show(live(this.view, this.extent))
  }

  /** Brings a moment to the middle, near enough to tell it from its neighbours. */
  goTo(time: number): void {
    const width = Math.min(this.view.to - this.view.from, 1e6)
    this.show(centred({ from: 0, to: width, follows: false }, time, this.extent))
  }

  search(): void {
    this.ports.onSearch()
  }

  clear(): void {
    this.select(undefined)
    this.setArea(undefined)
  }

  /** The event that many places further on; of none, the first in sight. */
  step(by: number): void {
    const { log } = this.trace
    const from = this.selected === undefined ? log.numberAt(this.view.from) : this.selected.number + by
    if (from < log.first || from >= log.end) return
    this.choose(log.at(from))
  }

  /** Selects an event and brings it into sight. */
  choose(event: LogEvent | undefined): void {
    this.select(event)
    if (event !== undefined && (event.time < this.view.from || event.time > this.view.to)) {
      this.show(centred(this.view, event.time, this.extent))
    }
  }

  mark(found: readonly number[]): void {
    this.found = found
    this.schedule()
  }

  private select(event: LogEvent | undefined): void {
    this.selected = event
    this.ports.onSelect(event)
    this.schedule()
  }

  private setArea(area: Area | undefined): void {
    this.area = area
    this.ports.onArea(area)
    this.schedule()
  }

  private timeAt(x: number): number {
    return Painter.timeAt({ view: this.view, width: this.scroller.clientWidth }, x)
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) {
      const across = event.shiftKey ? event.deltaY : event.deltaX
      if (across === 0) return
      event.preventDefault()
      this.pan(across / Math.max(1, this.scroller.clientWidth - GUTTER))
      return
    }
    event.preventDefault()
    this.zoom(2 ** (event.deltaY / 200), this.timeAt(event.offsetX))
  }

  private pressed(event: PointerEvent): void {
    if (event.button > 1 || event.offsetX < GUTTER) return
    this.canvas.setPointerCapture(event.pointerId)
    this.drag = { x: event.offsetX, view: this.view, pans: event.shiftKey || event.button === 1, moved: false }
  }

  private moved(event: PointerEvent): void {
    const { drag } = this
    if (drag === undefined) {
      this.hover(event)
      return
    }
    const by = event.offsetX - drag.x
    if (Math.abs(by) < DRAG && !drag.moved) return
    drag.moved = true
    this.ports.onTip(undefined)
    if (drag.pans) this.show(panned(drag.view, -by / (this.scroller.clientWidth - GUTTER), this.extent))
    else {
      const [a, b] = [this.timeAt(drag.x), this.timeAt(event.offsetX)]
      this.area = { from: Math.min(a, b), to: Math.max(a, b) }
      this.schedule()
    }
  }

  private released(event: PointerEvent): void {
    const { drag } = this
    this.drag = undefined
    if (drag === undefined) return
    if (!drag.moved) {
      this.setArea(undefined)
      this.select(this.hit(event.offsetX, event.offsetY))
    } else if (!drag.pans) this.setArea(this.area)
  }

  private hover({ offsetX, offsetY }: PointerEvent): void {
    const event = offsetX < GUTTER || offsetY < RULER ? undefined : this.hit(offsetX, offsetY)
    if (event === undefined) {
      this.ports.onTip(undefined)
      return
    }
    const lasts = this.durationAt(offsetX, offsetY)
    const text = `${momentText(event.time)}${lasts === undefined ? '' : ` for ${durationText(lasts)}`}\n${eventText(event.event)}`
    const { clientWidth, clientHeight, scrollTop } = this.scroller
    this.ports.onTip({ x: offsetX, y: offsetY, text, within: { clientWidth, clientHeight, scrollTop } })
  }

  /** The innermost slice at a place, by its position in its column. */
  private sliceAt(x: number, y: number) {
    const row = rowAt(this.arrangement, y - RULER + this.scroller.scrollTop)
    if (row === undefined) return undefined
    const time = this.timeAt(x)
    const slack = this.timeAt(x + NEAR) - time
    for (const slices of this.trace.lanes.slices(row.lane).toReversed()) {
      const i = slices.ends.from(time - slack)
      if (i < slices.starts.length && slices.starts.at(i) <= time + slack) return { slices, i }
    }
    return undefined
  }

  private durationAt(x: number, y: number): number | undefined {
    const slice = this.sliceAt(x, y)
    if (slice === undefined) return undefined
    const end = slice.slices.ends.at(slice.i)
    return (end === Infinity ? this.extent.ends : end) - slice.slices.starts.at(slice.i)
  }

  private hit(x: number, y: number): LogEvent | undefined {
    const row = rowAt(this.arrangement, y - RULER + this.scroller.scrollTop)
    if (row === undefined) return undefined
    const { log, lanes } = this.trace
    const slice = this.sliceAt(x, y)
    if (slice !== undefined) return log.at(slice.slices.events.at(slice.i))
    const marks = lanes.marks(row.lane)
    if (marks === undefined || marks.times.length === 0) return undefined
    const time = this.timeAt(x)
    const after = marks.times.from(time)
    const nearer = time - marks.times.at(after - 1) < marks.times.at(after) - time || after === marks.times.length
    const i = nearer ? after - 1 : after
    if (i < 0) return undefined
    const away = Math.abs(marks.times.at(i) - time)
    return away <= this.timeAt(x + NEAR) - time ? log.at(marks.events.at(i)) : undefined
  }
}
