/** The plan of the next build, line by line: to reorder, change, put out of use, and build. */
import { ArrowDown, ArrowUp, GripVertical, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { KeyboardEvent } from 'react'
import { isOff } from '../../../pure/blueprint/blueprint.ts'
import { derivedLines, PLAN_ORDER_IDS, PLAN_ORDERS, planLines } from '../../../pure/blueprint/plan.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { findings } from '../../../pure/rules/check.ts'
import { Select } from '../../widgets/choice.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { faultOf, moved, orderOf, switched } from './script.ts'

const ORDERS = PLAN_ORDER_IDS.map((value) => ({ value, title: PLAN_ORDERS[value].title }))
const OWN = { value: 'own', title: 'a person’s order' } as const
const NEW_LINE = 'KVM_SET_ONE_REG vcpu 0 MPIDR_EL1 = 0x80000000'

export const PlanEditor = () => {
  const session = useSession()
  const draft = useSessionState((state) => state.draft)
  const [dragged, setDragged] = useState<number | undefined>(undefined)
  const [focus, setFocus] = useState<number | undefined>(undefined)
  const lines = planLines(draft)
  const order = orderOf(draft)
  const faults = lines.filter((line) => faultOf(line) !== undefined).length

  const write = (plan: readonly string[]): void => void session.edit({ edit: 'setPlan', plan })
  const move = (from: number, to: number): void => {
    write(moved(lines, from, to))
    setFocus(to)
  }

  return (
    <>
      <div className="pane-bar">
        <Select
          label="as"
          name="Whose order"
          value={order ?? 'own'}
          options={order === undefined ? [...ORDERS, OWN] : ORDERS}
          onChange={(value) => {
            if (value === 'qemu') session.edit({ edit: 'setPlan', plan: undefined })
            else if (value !== 'own') write(derivedLines(draft, value))
          }}
        />
        <span className="aside">
          {order === undefined ? 'Written by hand: the machine’s form no longer changes it.' : PLAN_ORDERS[order].says}
        </span>
        <span className="grow" />
        <Foreseen />
        {draft.plan !== undefined && (
          <button className="button small" onClick={() => session.edit({ edit: 'setPlan', plan: undefined })}>
            Follow the form
          </button>
        )}
        <button
          className="button small accent"
          disabled={faults > 0}
          title={faults > 0 ? `${faults} lines are no calls` : 'Builds the machine by these calls and boots it'}
          onClick={() => void session.boot()}
        >
          Rebuild
        </button>
      </div>
      <VirtualList
        label="The plan, to edit"
        className="script"
        count={lines.length}
        estimate={28}
        renderRow={(place) => {
          const line = lines[place]
          if (line === undefined) return null
          return (
            <Line
              // The text is in the key: a line that another one replaced is another line.
              key={`${place} ${line}`}
              line={line}
              place={place}
              focused={place === focus}
              over={dragged !== undefined && dragged !== place}
              onFocused={() => setFocus(undefined)}
              onChange={(text) => write(lines.with(place, text))}
              onMove={(to) => move(place, to)}
              onDelete={() => write(lines.toSpliced(place, 1))}
              onAdd={() => write(lines.toSpliced(place + 1, 0, `# ${NEW_LINE}`))}
              onDrag={(on) => setDragged(on ? place : undefined)}
              onDrop={() => dragged !== undefined && move(dragged, place)}
            />
          )
        }}
      />
    </>
  )
}

/** What is wrong with the machine that these calls build, as far as it can be told before. */
const Foreseen = () => {
  const { view } = useSession()
  const found = useSessionState(({ draft }) => findings(draft))
  const wrong = found.filter(({ severity }) => severity !== 'info')
  const [first] = wrong
  if (first === undefined) return null
  return (
    <button className="button small quiet" title={first.text} onClick={() => view.show('findings')}>
      <span className={first.severity === 'error' ? 'bad' : 'warn'} aria-hidden>
        {first.severity === 'error' ? '✕' : '▲'}
      </span>{' '}
      {wrong.length === 1 ? '1 finding' : `${wrong.length} findings`}
    </button>
  )
}

const Line = (props: {
  readonly line: string
  readonly place: number
  readonly focused: boolean
  /** Another line is held over it. */
  readonly over: boolean
  readonly onFocused: () => void
  readonly onChange: (text: string) => void
  readonly onMove: (to: number) => void
  readonly onDelete: () => void
  readonly onAdd: () => void
  readonly onDrag: (on: boolean) => void
  readonly onDrop: () => void
}) => {
  const { line, place, focused } = props
  const [text, setText] = useState(line)
  const off = isOff(text)
  const fault = faultOf(text)
  const commit = (): void => {
    // What is no call stays in the field, with its fault, and is not in the plan.
    if (text !== line && fault === undefined) props.onChange(text)
  }
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') commit()
    else if (event.altKey && event.key === 'ArrowUp') props.onMove(place - 1)
    else if (event.altKey && event.key === 'ArrowDown') props.onMove(place + 1)
    else if (event.key === 'Escape') setText(line)
    else return
    event.preventDefault()
  }
  return (
    <div
      className={off ? 'script-line off' : 'script-line'}
      onDragOver={(event) => {
        if (props.over) event.preventDefault()
      }}
      onDrop={(event) => {
        event.preventDefault()
        props.onDrop()
      }}
    >
      <span
        className="grip"
        draggable
        title="Drag to another place; with the keyboard, Alt and an arrow"
        onDragStart={(event) => {
          event.dataTransfer.setData('text/plain', line)
          event.dataTransfer.effectAllowed = 'move'
          props.onDrag(true)
        }}
        onDragEnd={() => props.onDrag(false)}
      >
        <GripVertical size={12} aria-hidden />
      </span>
      <input
        type="checkbox"
        aria-label={`Line ${place + 1} is called`}
        checked={!off}
        onChange={() => props.onChange(switched(line))}
      />
      <input
        className="script-text"
        ref={(field) => {
          if (!focused || field === null) return
          field.focus()
          props.onFocused()
        }}
        aria-label={`Line ${place + 1} of the plan`}
        aria-invalid={fault !== undefined}
        spellCheck={false}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onBlur={commit}
        onKeyDown={keys}
      />
      <span className="line-tools">
        <Tool label={`Move line ${place + 1} up`} icon={ArrowUp} onClick={() => props.onMove(place - 1)} />
        <Tool label={`Move line ${place + 1} down`} icon={ArrowDown} onClick={() => props.onMove(place + 1)} />
        <Tool label={`Add a line after line ${place + 1}`} icon={Plus} onClick={props.onAdd} />
        <Tool label={`Remove line ${place + 1}`} icon={Trash2} onClick={props.onDelete} />
      </span>
      {fault !== undefined && <p className="bad problem">{fault}</p>}
    </div>
  )
}

const Tool = (props: { readonly label: string; readonly icon: typeof Plus; readonly onClick: () => void }) => {
  const { icon: Icon } = props
  return (
    <button className="button icon tiny quiet" aria-label={props.label} onClick={props.onClick}>
      <Icon size={12} aria-hidden />
    </button>
  )
}
