import { ToggleGroup } from 'radix-ui'
import type { ReactNode } from 'react'

export interface Option<Value extends string> {
  readonly value: Value
  readonly title: string
}

/** One of a few, all visible. */
export const Segments = <Value extends string>(props: {
  readonly label: string
  readonly value: Value
  readonly options: readonly Option<Value>[]
  readonly onChange: (value: Value) => void
  readonly mono?: boolean
}) => (
  <ToggleGroup.Root
    type="single"
    aria-label={props.label}
    className={props.mono === true ? 'segments mono' : 'segments'}
    value={props.value}
    onValueChange={(text) => {
      const found = props.options.find(({ value }) => value === text)
      if (found !== undefined) props.onChange(found.value)
    }}
  >
    {props.options.map(({ value, title }) => (
      <ToggleGroup.Item key={value} value={value} className="segment">
        {title}
      </ToggleGroup.Item>
    ))}
  </ToggleGroup.Root>
)

/** One of several, in a menu of the browser's. */
export const Select = <Value extends string>(props: {
  readonly label: ReactNode
  readonly name: string
  readonly value: Value
  readonly options: readonly Option<Value>[]
  readonly onChange: (value: Value) => void
}) => (
  <label className="labelled">
    {props.label}
    <select
      className="select"
      aria-label={props.name}
      value={props.value}
      onChange={(event) => {
        const found = props.options.find(({ value }) => value === event.target.value)
        if (found !== undefined) props.onChange(found.value)
      }}
    >
      {props.options.map(({ value, title }) => (
        <option key={value} value={value}>
          {title}
        </option>
      ))}
    </select>
  </label>
)
