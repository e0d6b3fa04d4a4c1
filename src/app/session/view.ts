/** How a person has arranged the page: which layout, which panes in front, how wide everything is. Kept by the browser. */
import * as z from 'zod/mini'
import { createStore } from 'zustand/vanilla'
import type { StoreApi } from 'zustand/vanilla'
import { LAYOUT_IDS, LAYOUTS } from './layouts.ts'
import type { LayoutId } from './layouts.ts'

/** Where everything stands: what a link carries, and what a person can give a name. */
export interface Arrangement {
  readonly layout: LayoutId
  /** Panes by when they were last shown, the latest first: of the panes of a slot, the earliest here is in front. */
  readonly recent: readonly string[]
  /** Percentages by group (a layout's columns, or the slots of a column), then by panel. */
  readonly sizes: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** By layout and pane: the slot a person moved it to. */
  readonly moved: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** By pane: which of its parts is shown, where a person chose another than the first. */
  readonly parts: Readonly<Record<string, string>>
}

export interface ViewState extends Arrangement {
  /** Arrangements that a person saved, by their names. */
  readonly named: Readonly<Record<string, Arrangement>>
  /** The pane that fills the page. */
  readonly whole: string | undefined
  readonly dialog: Dialog | undefined
}

export type Dialog = 'palette' | 'help' | 'snapshots' | 'save-layout'

export interface View {
  readonly store: StoreApi<ViewState>
  choose(layout: LayoutId): void
  /** Brings a pane to the front of its slot. */
  show(pane: string): void
  /** Shows a part of a pane that has several. */
  turn(pane: string, part: string): void
  /** Lets a pane fill the page, or takes it back. */
  enlarge(pane: string | undefined): void
  open(dialog: Dialog | undefined): void
  move(pane: string, slot: string): void
  resize(group: string, sizes: Readonly<Record<string, number>>): void
  /** Everything of the present layout where it stood at first. */
  reset(): void
  /** Takes over what a link or the browser kept. */
  restore(state: Arrangement): void
  /** Keeps the present arrangement under a name; says why not, where it cannot. */
  save(name: string): string | undefined
  /** Goes back to what was saved under a name. */
  recall(name: string): void
  forget(name: string): void
  /** Takes over the arrangements that the browser kept. */
  restoreNamed(named: Readonly<Record<string, Arrangement>>): void
}

const VERSION = 1
const RECENT = 40

const byName = <T extends z.ZodMiniType>(value: T) => z.record(z.string(), value)

const arrangement = {
  layout: z.enum(LAYOUT_IDS),
  recent: z.array(z.string()).check(z.maxLength(RECENT)),
  sizes: byName(byName(z.number().check(z.minimum(0), z.maximum(100)))),
  moved: byName(byName(z.string())),
  // Pages before this one kept none.
  parts: z.prefault(byName(z.string()), {}),
}

export const keptView = z.object({ version: z.literal(VERSION), ...arrangement })
export type KeptView = z.infer<typeof keptView>

/** What the browser keeps besides; pages before this one kept none. */
const kept = z.extend(keptView, { named: z.prefault(byName(z.object(arrangement)), {}) })

const arrangementOf = ({ layout, recent, sizes, moved, parts }: Arrangement) => ({
  layout,
  recent: [...recent],
  sizes: { ...sizes },
  moved: { ...moved },
  parts: { ...parts },
})

/** What is worth keeping of a view. */
export const keptOf = (state: Arrangement): KeptView => ({ version: VERSION, ...arrangementOf(state) })

export type ReadView =
  | { readonly ok: true; readonly view: z.infer<typeof kept> }
  | { readonly ok: false; readonly what: string }

/** Reads what was kept; what another version kept is refused with a sentence. */
export const readView = (text: string): ReadView => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { ok: false, what: 'The kept layout is not JSON: the page starts with its own.' }
  }
  const parsed = kept.safeParse(json)
  if (parsed.success) return { ok: true, view: parsed.data }
  const version = typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined
  if (version !== VERSION) {
    return {
      ok: false,
      what: `The kept layout is of version ${String(version)}, and this page knows version ${VERSION}: it starts with its own.`,
    }
  }
  const [issue] = parsed.error.issues
  return {
    ok: false,
    what: `The kept layout is damaged at "${issue?.path.join('.') ?? ''}": the page starts with its own.`,
  }
}

const initial: ViewState = {
  layout: 'learn',
  recent: [],
  sizes: {},
  moved: {},
  parts: {},
  named: {},
  whole: undefined,
  dialog: undefined,
}

/** A name is read in a menu, and all of them in one. */
export const LONGEST_NAME = 40
export const MOST_NAMES = 24

const shown = (recent: readonly string[], panes: readonly string[]): readonly string[] =>
  [...panes, ...recent.filter((pane) => !panes.includes(pane))].slice(0, RECENT)

const without = <T>(all: Readonly<Record<string, T>>, goes: (key: string) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => !goes(key)))

export const createView = (): View => {
  const store = createStore<ViewState>(() => initial)
  const { setState: set, getState: get } = store
  return {
    store,
    choose: (layout) =>
      set(({ recent }) => ({ layout, recent: shown(recent, LAYOUTS[layout].front), whole: undefined })),
    show: (pane) =>
      set(({ recent, whole }) => ({
        recent: recent[0] === pane ? recent : shown(recent, [pane]),
        whole: whole === undefined ? undefined : pane,
      })),
    turn: (pane, part) => set(({ parts }) => ({ parts: { ...parts, [pane]: part } })),
    enlarge: (whole) => set({ whole }),
    open: (dialog) => set({ dialog }),
    move: (pane, slot) =>
      set(({ layout, moved, recent }) => ({
        moved: { ...moved, [layout]: { ...moved[layout], [pane]: slot } },
        recent: shown(recent, [pane]),
      })),
    resize: (group, sizes) => set((state) => ({ sizes: { ...state.sizes, [group]: sizes } })),
    reset: () =>
      set(({ layout, sizes, moved }) => ({
        sizes: without(sizes, (group) => group.startsWith(`${layout}-`)),
        moved: without(moved, (of) => of === layout),
        recent: LAYOUTS[layout].front,
        whole: undefined,
      })),
    restore: (to) => set({ ...arrangementOf(to), whole: undefined }),
    save: (text) => {
      const name = text.trim()
      const { named } = get()
      if (name === '') return 'A layout needs a name.'
      if (name.length > LONGEST_NAME) return `A name has at most ${LONGEST_NAME} letters; this one has ${name.length}.`
      if (!Object.hasOwn(named, name) && Object.keys(named).length >= MOST_NAMES)
        return `There are ${MOST_NAMES} saved layouts: forget one first.`
      set({ named: { ...named, [name]: arrangementOf(get()) } })
      return undefined
    },
    recall: (name) => {
      const { named } = get()
      const saved = Object.hasOwn(named, name) ? named[name] : undefined
      if (saved !== undefined) set({ ...arrangementOf(saved), whole: undefined })
    },
    forget: (name) => set(({ named }) => ({ named: without(named, (key) => key === name) })),
    restoreNamed: (named) => set({ named }),
  }
}

const KEY = 'gicscope-view'
const KEEP_MS = 300

/** What a browser keeps for a page. */
export type Keeper = Pick<Storage, 'getItem' | 'setItem'>

/** Takes over what was kept, and keeps what changes. What cannot be read is told and left aside. */
export const keepView = (view: View, keeper: () => Keeper, report: (what: string) => void): void => {
  try {
    const text = keeper().getItem(KEY)
    const read = text === null ? undefined : readView(text)
    if (read?.ok === true) {
      view.restore(read.view)
      view.restoreNamed(read.view.named)
    }
    if (read?.ok === false) report(read.what)
  } catch {
    // A browser that keeps nothing shows the page as it is at first.
    return
  }
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = ''
  const keep = (): void => {
    const state = view.store.getState()
    const text = JSON.stringify({ ...keptOf(state), named: state.named })
    if (text === last) return
    last = text
    try {
      keeper().setItem(KEY, text)
    } catch (error) {
      report(`The browser does not keep the layout: ${String(error)}`)
    }
  }
  view.store.subscribe(() => {
    clearTimeout(timer)
    timer = setTimeout(keep, KEEP_MS)
  })
}
