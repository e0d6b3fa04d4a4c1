/** Where panes may stand. A layout is columns of slots, and a strip below them; every place of the page lies in some slot. */

/** What a pane is about, and so where it lives unless a person moves it. */
export const PLACES = ['console', 'words', 'machine', 'rules', 'findings', 'vcpu', 'time'] as const
export type Place = (typeof PLACES)[number]

export interface Slot {
  readonly id: string
  /** Percent of its column. */
  readonly size: number
  readonly places: readonly Place[]
}

export interface Column {
  readonly id: string
  /** Percent of the page's width. */
  readonly size: number
  readonly slots: readonly Slot[]
}

export interface Layout {
  readonly id: LayoutId
  readonly title: string
  /** What it is for, in a sentence. */
  readonly says: string
  readonly columns: readonly Column[]
  /** Below the columns, as wide as the page. */
  readonly below?: Slot
  /** Panes that stand in front when the layout is chosen. */
  readonly front: readonly string[]
}

export const LAYOUT_IDS = ['learn', 'debug', 'compare', 'present', 'phone'] as const
export type LayoutId = (typeof LAYOUT_IDS)[number]

const column = (id: string, size: number, slots: readonly Slot[]): Column => ({ id, size, slots })
const slot = (id: string, size: number, places: readonly Place[]): Slot => ({ id, size, places })

export const LAYOUTS: Readonly<Record<LayoutId, Layout>> = {
  learn: {
    id: 'learn',
    title: 'Learn',
    says: 'What the guest says, what the machine is, and what the rules say, side by side.',
    columns: [
      column('left', 36, [slot('console', 60, ['console']), slot('words', 40, ['words', 'time'])]),
      column('middle', 40, [slot('machine', 58, ['machine']), slot('rules', 42, ['rules'])]),
      column('right', 24, [slot('findings', 50, ['findings']), slot('vcpu', 50, ['vcpu'])]),
    ],
    front: [],
  },
  debug: {
    id: 'debug',
    title: 'Debug',
    says: 'The machine in the middle, time below it over the whole width.',
    columns: [
      column('left', 34, [slot('console', 58, ['console']), slot('words', 42, ['words'])]),
      column('middle', 42, [slot('machine', 100, ['machine', 'rules'])]),
      column('right', 24, [slot('vcpu', 52, ['vcpu']), slot('findings', 48, ['findings'])]),
    ],
    below: slot('time', 30, ['time']),
    front: [],
  },
  compare: {
    id: 'compare',
    title: 'Compare',
    says: 'Machines beside each other over most of the page.',
    columns: [
      column('left', 66, [slot('rules', 62, ['rules', 'machine']), slot('words', 38, ['console', 'words', 'time'])]),
      column('right', 34, [slot('findings', 50, ['findings']), slot('vcpu', 50, ['vcpu'])]),
    ],
    front: ['compare'],
  },
  present: {
    id: 'present',
    title: 'Present',
    says: 'Two panes in larger type, for a room.',
    columns: [
      column('left', 62, [slot('machine', 100, ['machine', 'rules', 'time'])]),
      column('right', 38, [slot('console', 100, ['console', 'words', 'findings', 'vcpu'])]),
    ],
    front: ['affinity'],
  },
  phone: {
    id: 'phone',
    title: 'Phone',
    says: 'One pane at a time.',
    columns: [column('only', 100, [slot('only', 100, PLACES)])],
    front: ['affinity'],
  },
}

/** The slots of a layout, in reading order. */
export const slotsOf = ({ columns, below }: Layout): readonly Slot[] => [
  ...columns.flatMap(({ slots }) => slots),
  ...(below === undefined ? [] : [below]),
]
