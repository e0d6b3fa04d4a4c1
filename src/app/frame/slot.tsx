/** A slot of the page: the panes that stand in it, one in front. Those behind are not there and cost nothing. */
import { Maximize2, Minimize2, MoreVertical } from 'lucide-react'
import { DropdownMenu, Tabs } from 'radix-ui'
import { Suspense, useEffect, useRef } from 'react'
import { PANES } from '../panes.ts'
import type { Pane } from '../panes.ts'
import { useSession, useSessionState, useViewState } from '../session-context.ts'
import { LAYOUTS, slotsOf } from '../session/layouts.ts'
import type { Layout, LayoutId } from '../session/layouts.ts'
import { SLOT } from '../widgets/focus.ts'
import { Broken } from './broken.tsx'

/** Which slot of a layout a pane stands in: where it was moved to, else the one that has its home. */
export const slotOf = (pane: Pane, layout: Layout, moved: Readonly<Record<string, string>> = {}): string => {
  const slots = slotsOf(layout)
  const to = moved[pane.id]
  const slot = slots.find(({ id }) => id === to) ?? slots.find(({ places }) => places.includes(pane.home)) ?? slots[0]
  return slot?.id ?? ''
}

/** Of some panes, the one that was shown last; else the first. */
export const frontOf = (panes: readonly Pane[], recent: readonly string[]): Pane | undefined => {
  const id = recent.find((shown) => panes.some((pane) => pane.id === shown))
  return panes.find((pane) => pane.id === id) ?? panes[0]
}

const titleOf = (panes: readonly Pane[]): string => panes.map(({ title }) => title).join(', ')

export const PaneSlot = ({ layout, slot }: { readonly layout: LayoutId; readonly slot: string }) => {
  const { view } = useSession()
  const moved = useViewState((state) => state.moved[layout])
  const recent = useViewState((state) => state.recent)
  const strip = useRef<HTMLDivElement>(null)
  const panes = PANES.filter((pane) => slotOf(pane, LAYOUTS[layout], moved) === slot)
  const front = frontOf(panes, recent)
  const inFront = front?.id
  useEffect(() => {
    const tab = strip.current?.querySelector(`[data-pane="${inFront}"]`)
    tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [inFront])
  if (front === undefined) return <div className="pane" {...{ [SLOT]: slot }} />
  const { view: Front } = front
  return (
    <Tabs.Root
      className="pane"
      value={front.id}
      onValueChange={view.show}
      activationMode="automatic"
      {...{ [SLOT]: slot }}
    >
      <div className="pane-head">
        <Tabs.List ref={strip} className="tabs fades" aria-label={titleOf(panes)}>
          {panes.map((pane) => (
            <Tabs.Trigger key={pane.id} value={pane.id} className="tab" data-pane={pane.id}>
              {pane.title}
              <Count pane={pane} />
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        <SlotMenu layout={layout} slot={slot} pane={front} />
      </div>
      {panes.map((pane) => (
        <Tabs.Content key={pane.id} value={pane.id} className="tab-body" tabIndex={-1}>
          {pane === front && (
            <Broken title={pane.title}>
              <Suspense fallback={null}>
                <Front />
              </Suspense>
            </Broken>
          )}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  )
}

const Count = ({ pane: { badge } }: { readonly pane: Pane }) => {
  const count = useSessionState((state) => badge?.(state).count ?? 0)
  const bad = useSessionState((state) => badge?.(state).bad ?? false)
  return count > 0 ? <span className={bad ? 'count bad' : 'count'}>{count}</span> : null
}

const SlotMenu = (props: { readonly layout: LayoutId; readonly slot: string; readonly pane: Pane }) => {
  const { layout, slot, pane } = props
  const { view } = useSession()
  const whole = useViewState((state) => state.whole !== undefined)
  const others = slotsOf(LAYOUTS[layout]).filter(({ id }) => id !== slot)
  const Icon = whole ? Minimize2 : Maximize2
  return (
    <span className="pane-tools">
      <button
        className="button icon tiny quiet"
        aria-label={whole ? 'Back to the layout' : `Enlarge ${pane.title}`}
        onClick={() => view.enlarge(whole ? undefined : pane.id)}
      >
        <Icon size={13} aria-hidden />
      </button>
      {others.length > 0 && (
        <DropdownMenu.Root modal={false}>
          <DropdownMenu.Trigger className="button icon tiny quiet" aria-label={`Move ${pane.title}`}>
            <MoreVertical size={14} aria-hidden />
          </DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content className="popover" align="end" sideOffset={4}>
              {others.map(({ id }) => (
                <DropdownMenu.Item key={id} className="item" onSelect={() => view.move(pane.id, id)}>
                  Move {pane.title} to {id}
                </DropdownMenu.Item>
              ))}
              <DropdownMenu.Item className="item" onSelect={view.reset}>
                Reset the layout {LAYOUTS[layout].title}
              </DropdownMenu.Item>
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      )}
    </span>
  )
}
