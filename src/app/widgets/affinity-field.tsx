import { useId, useState } from 'react'
import { affinityText, parseAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'

export interface AffinityAction {
  readonly title: string
  /** Where the title is a sign. */
  readonly label?: string
  readonly hint: string
  readonly accent?: boolean
  readonly enabled?: boolean
  readonly act: (affinity: Affinity) => void
}

/** An affinity to type, and what may be done with it. The first action is what Enter does. */
export const AffinityField = (props: {
  readonly label: string
  readonly value: Affinity
  readonly actions: readonly AffinityAction[]
}) => {
  const shown = affinityText(props.value)
  // A value that changes underneath replaces what was typed.
  const [typed, setTyped] = useState({ of: shown, text: shown })
  const text = typed.of === shown ? typed.text : shown
  const parsed = parseAffinity(text)
  const problem = useId()

  const act = (action: AffinityAction | undefined): void => {
    if (parsed.ok && action !== undefined && action.enabled !== false) action.act(parsed.affinity)
  }

  return (
    <form
      className="affinity-field"
      onSubmit={(event) => {
        event.preventDefault()
        act(props.actions[0])
      }}
    >
      <input
        className="field"
        aria-label={props.label}
        aria-invalid={!parsed.ok}
        aria-describedby={problem}
        spellCheck={false}
        autoComplete="off"
        size={12}
        value={text}
        onChange={(event) => setTyped({ of: shown, text: event.target.value })}
      />
      {props.actions.map((action, i) => (
        <button
          key={action.title}
          type={i === 0 ? 'submit' : 'button'}
          className={action.accent === true ? 'button small accent' : 'button small'}
          title={action.hint}
          aria-label={action.label}
          disabled={!parsed.ok || action.enabled === false}
          onClick={i === 0 ? undefined : () => act(action)}
        >
          {action.title}
        </button>
      ))}
      <span id={problem} role="status" className="problem bad">
        {parsed.ok ? '' : parsed.what}
      </span>
    </form>
  )
}
