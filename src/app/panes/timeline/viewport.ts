/** Which part of time a timeline shows, and how a person moves it. Times are virtual nanoseconds. */

export interface Viewport {
  readonly from: number
  readonly to: number
  /** The end of time is at the right edge, and stays there as time goes on. */
  readonly follows: boolean
}

/** All time there is. */
export interface Extent {
  readonly begins: number
  readonly ends: number
}

/** A hundred nanoseconds across the page is as near as anybody needs to look. */
const NEAREST = 100
/** How much of its width time may be dragged out of sight. */
const MARGIN = 0.1

const spanOf = ({ begins, ends }: Extent): number => Math.max(NEAREST, ends - begins)

/** Keeps a part of time within what there is, its width first. */
const within = (from: number, width: number, extent: Extent): Viewport => {
  const span = spanOf(extent)
  const kept = Math.min(Math.max(width, NEAREST), span * (1 + 2 * MARGIN))
  const margin = kept * MARGIN
  const start = Math.min(Math.max(from, extent.begins - margin), extent.begins + span + margin - kept)
  return { from: start, to: start + kept, follows: false }
}

export const everything = (extent: Extent): Viewport => ({
  from: extent.begins,
  to: extent.begins + spanOf(extent),
  follows: true,
})

/** `factor` below 1 looks nearer; the time `at` stays where it is. */
export const zoomed = ({ from, to }: Viewport, factor: number, at: number, extent: Extent): Viewport => {
  const width = Math.min(Math.max((to - from) * factor, NEAREST), spanOf(extent) * (1 + 2 * MARGIN))
  const share = (at - from) / (to - from)
  return within(at - share * width, width, extent)
}

/** `share` of the width, to the right where it is positive. */
export const panned = ({ from, to }: Viewport, share: number, extent: Extent): Viewport =>
  within(from + share * (to - from), to - from, extent)

/** A part of time with a little room around it. */
export const fitted = (from: number, to: number, extent: Extent): Viewport => {
  const width = Math.max(to - from, NEAREST)
  return within(from - width * MARGIN, width * (1 + 2 * MARGIN), extent)
}

export const centred = ({ from, to }: Viewport, at: number, extent: Extent): Viewport =>
  within(at - (to - from) / 2, to - from, extent)

/** As time goes on. */
export const followed = (view: Viewport, extent: Extent): Viewport => {
  if (!view.follows) return view
  const width = view.to - view.from
  // From the beginning of time on, until a person has looked nearer.
  return view.from <= extent.begins ? everything(extent) : { from: extent.ends - width, to: extent.ends, follows: true }
}

/** Goes back to the end of time, as near as before. */
export const live = ({ from, to }: Viewport, extent: Extent): Viewport => ({
  from: Math.max(extent.begins, extent.ends - (to - from)),
  to: Math.max(extent.begins + (to - from), extent.ends),
  follows: true,
})

const UNITS = [
  { name: 's', ns: 1e9 },
  { name: 'ms', ns: 1e6 },
  { name: 'µs', ns: 1e3 },
  { name: 'ns', ns: 1 },
] as const

/** A length of time in the unit that suits it, with three digits behind the point where they are of use. */
export const durationText = (ns: number): string => {
  const unit = UNITS.find((one) => Math.abs(ns) >= one.ns) ?? UNITS[3]
  const value = ns / unit.ns
  return `${unit.ns === 1 ? Math.round(value) : Number(value.toPrecision(4))} ${unit.name}`
}

/** A moment, in seconds as Linux's log writes them, but to the nanosecond. */
export const momentText = (ns: number): string => `${(ns / 1e9).toFixed(9)} s`

/** Round moments for a ruler, about `count` of them. */
export const ticks = (
  { from, to }: Viewport,
  count: number,
): { readonly step: number; readonly at: readonly number[] } => {
  const rough = (to - from) / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = Math.max(1, ([1, 2, 5, 10].find((n) => n * power >= rough) ?? 10) * power)
  const first = Math.ceil(from / step)
  const last = Math.floor(to / step)
  return { step, at: Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step) }
}

/** What a ruler writes at a tick: no finer than its step. */
export const tickText = (ns: number, step: number): string => {
  const unit = UNITS.find((one) => step >= one.ns) ?? UNITS[3]
  if (unit.ns === 1e9 || ns === 0) return `${Number((ns / 1e9).toPrecision(12))} s`
  if (ns >= 1e9) {
    // The whole seconds matter less beside a fine step, and would not fit.
    const rest = (ns % 1e9) / unit.ns
    return `${Math.floor(ns / 1e9)} s ${Number(rest.toPrecision(12))} ${unit.name}`
  }
  return `${Number((ns / unit.ns).toPrecision(12))} ${unit.name}`
}
