import { Tabs } from 'radix-ui'
import type { ReactNode } from 'react'

export interface TabSpec {
  readonly id: string
  readonly title: string
  readonly count?: number
  /** The count is of things that are wrong. */
  readonly bad?: boolean
  readonly body: ReactNode
}

/** Panes that share a place. Those behind are not there: they cost nothing. */
export const TabGroup = (props: {
  readonly label: string
  readonly tabs: readonly TabSpec[]
  readonly value: string
  readonly onChange: (id: string) => void
}) => (
  <Tabs.Root className="pane" value={props.value} onValueChange={props.onChange} activationMode="automatic">
    <div className="pane-head">
      <Tabs.List className="tabs" aria-label={props.label}>
        {props.tabs.map(({ id, title, count, bad }) => (
          <Tabs.Trigger key={id} value={id} className="tab">
            {title}
            {count !== undefined && count > 0 && <span className={bad === true ? 'count bad' : 'count'}>{count}</span>}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
    </div>
    {props.tabs.map(({ id, body }) => (
      <Tabs.Content key={id} value={id} className="tab-body" tabIndex={-1}>
        {body}
      </Tabs.Content>
    ))}
  </Tabs.Root>
)
