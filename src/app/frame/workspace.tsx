/** The panes of the page in the layout that was chosen. */
import { useSyncExternalStore } from 'react'
import { Fragment } from 'react'
import { Group, Panel, Separator } from 'react-resizable-panels'
import { PANES } from '../panes.ts'
import { useSession, useViewState } from '../session-context.ts'
import { LAYOUTS } from '../session/layouts.ts'
import type { Column, LayoutId } from '../session/layouts.ts'
import { PaneSlot, slotOf } from './slot.tsx'

/** Narrower than this, one pane is what fits. */
const narrow = window.matchMedia('(max-width: 700px)')

const listen = (hear: () => void): (() => void) => {
  narrow.addEventListener('change', hear)
  return () => narrow.removeEventListener('change', hear)
}

/** The layout that was chosen, where the window has room for it. */
export const useLayoutId = (): LayoutId => {
  const chosen = useViewState((state) => state.layout)
  const small = useSyncExternalStore(listen, () => narrow.matches)
  return small ? 'phone' : chosen
}

export const Workspace = () => {
  const id = useLayoutId()
  const whole = useViewState((state) => state.whole)
  const moved = useViewState((state) => state.moved[id])
  const layout = LAYOUTS[id]
  const pane = PANES.find((one) => one.id === whole)
  if (pane !== undefined) return <PaneSlot layout={id} slot={slotOf(pane, layout, moved)} />
  if (layout.below === undefined) return <Columns key={id} layout={id} />
  return (
    <Parts key={id} group={`${id}-page`} orientation="vertical" label="Height of the strip below">
      {[
        { id: 'columns', size: 100 - layout.below.size, body: <Columns layout={id} /> },
        { id: layout.below.id, size: layout.below.size, body: <PaneSlot layout={id} slot={layout.below.id} /> },
      ]}
    </Parts>
  )
}

const Columns = ({ layout }: { readonly layout: LayoutId }) => (
  <Parts group={`${layout}-columns`} orientation="horizontal" label="Width of the column">
    {LAYOUTS[layout].columns.map((column) => ({
      id: column.id,
      size: column.size,
      body: <Slots layout={layout} column={column} />,
    }))}
  </Parts>
)

const Slots = ({ layout, column }: { readonly layout: LayoutId; readonly column: Column }) => (
  <Parts group={`${layout}-${column.id}`} orientation="vertical" label={`Height in the ${column.id} column`}>
    {column.slots.map(({ id, size }) => ({ id, size, body: <PaneSlot layout={layout} slot={id} /> }))}
  </Parts>
)

interface Part {
  readonly id: string
  readonly size: number
  readonly body: React.ReactNode
}

/** Parts beside or below each other; their sizes are the person's to choose, and kept. */
const Parts = (props: {
  readonly group: string
  readonly orientation: 'horizontal' | 'vertical'
  readonly label: string
  readonly children: readonly Part[]
}) => {
  const { group, orientation, label, children } = props
  const { view } = useSession()
  const sizes = useViewState((state) => state.sizes[group])
  const [only] = children
  if (children.length === 1 && only !== undefined) return only.body
  const kept = sizes !== undefined && children.every(({ id }) => sizes[id] !== undefined)
  return (
    <Group
      id={group}
      orientation={orientation}
      defaultLayout={kept ? sizes : undefined}
      onLayoutChanged={(layout, { isUserInteraction }) => {
        if (isUserInteraction) view.resize(group, layout)
      }}
    >
      {children.map(({ id, size, body }, place) => (
        <Fragment key={id}>
          {place > 0 && (
            <Separator
              className={orientation === 'horizontal' ? 'separator across' : 'separator down'}
              aria-label={`${label} ${place}`}
            />
          )}
          <Panel id={id} defaultSize={`${size}%`} minSize="8%">
            {body}
          </Panel>
        </Fragment>
      ))}
    </Group>
  )
}
