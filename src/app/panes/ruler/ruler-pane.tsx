/** One affinity in its five layouts, each byte in its colour; what is typed into one, the others follow. */
import { useState } from 'react'
import { affinityText, parseAffinity } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import { AFFINITY_FORMS, readForm } from '../../../pure/arch/affinity-forms.ts'
import type { AffinityForm } from '../../../pure/arch/affinity-forms.ts'
import { affinityIn } from '../../../pure/blueprint/blueprint.ts'
import { forecast } from '../../../pure/rules/forecast.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { AffinityText } from '../../widgets/affinity-text.tsx'
import { Hint } from '../../widgets/hint.tsx'
import { bytesOf } from './bytes.ts'
import { lostIn } from '../shared/lost-levels.ts'
import '../../style/ruler.css'

interface Typed {
  /** Which field it stands in: a form's name, or `dotted`. */
  readonly field: string
  readonly text: string
}

const hex64 = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`

const RulerPane = () => {
  const session = useSession()
  const cpu = useSessionState((state) => state.selected)
  const given = useSessionState((state) => affinityIn(state.draft, state.selected))
  const draft = useSessionState((state) => state.draft)
  const [own, setOwn] = useState<{ of: string; affinity: Affinity } | undefined>(undefined)
  const [typed, setTyped] = useState<Typed | undefined>(undefined)
  // Another vCPU, or another affinity of it, is another ruler.
  const of = `${cpu} ${given}`
  const affinity = own?.of === of ? own.affinity : given
  const lost = lostIn(forecast(draft), cpu)

  const type = (field: string, text: string): void => {
    setTyped({ field, text })
    const form = AFFINITY_FORMS.find(({ name }) => name === field)
    const read = form === undefined ? parseAffinity(text) : readForm(form, text)
    if (read.ok) setOwn({ of, affinity: read.affinity })
  }
  const done = (): void => setTyped(undefined)
  const textIn = (field: string, shown: string): string => (typed?.field === field ? typed.text : shown)
  const dotted = textIn('dotted', affinityText(affinity))
  const read = parseAffinity(dotted)

  return (
    <>
      <div className="pane-bar">
        <label className="labelled">
          affinity
          <input
            className="field affinity-input"
            aria-label="Affinity: Aff3.Aff2.Aff1.Aff0"
            aria-invalid={!read.ok}
            spellCheck={false}
            value={dotted}
            onChange={({ target }) => type('dotted', target.value)}
            onBlur={done}
          />
        </label>
        <AffinityText affinity={affinity} />
        <span className="grow" />
        <button
          className="button small accent"
          disabled={affinity === given}
          title={`The VMM gives it to vCPU ${cpu} before the machine runs`}
          onClick={() => session.edit({ edit: 'setAffinity', vcpu: cpu, affinity })}
        >
          give it to vCPU {cpu}
        </button>
      </div>
      <div className="pane-body rulers" tabIndex={0} role="region" aria-label="One affinity, five layouts">
        {!read.ok && <p className="bad problem">{read.what}</p>}
        {AFFINITY_FORMS.map((form) => (
          <Ruler
            key={form.name}
            form={form}
            affinity={affinity}
            text={textIn(form.name, hex64(form.encode(affinity)))}
            lost={affinity === given ? lost[form.name]?.why : undefined}
            onType={(text) => type(form.name, text)}
            onDone={done}
          />
        ))}
      </div>
    </>
  )
}

const Ruler = (props: {
  readonly form: AffinityForm
  readonly affinity: Affinity
  readonly text: string
  readonly lost: string | undefined
  readonly onType: (text: string) => void
  readonly onDone: () => void
}) => {
  const { form, affinity, text, lost } = props
  const read = readForm(form, text)
  return (
    <div className="ruler" role="group" aria-label={form.name}>
      <Hint
        text={
          <>
            {form.says}
            <div className="source">{form.source}</div>
          </>
        }
      >
        <span className="ruler-name" tabIndex={0}>
          {form.name}
        </span>
      </Hint>
      <input
        className="field"
        aria-label={`${form.name} as a number`}
        aria-invalid={!read.ok}
        spellCheck={false}
        value={text}
        onChange={({ target }) => props.onType(target.value)}
        onBlur={props.onDone}
      />
      <div className="ruler-bytes" aria-hidden="true">
        {bytesOf(form, affinity).map(({ bits, text: byte, level }) => (
          <span
            key={bits}
            className={
              level === undefined
                ? 'ruler-byte'
                : `ruler-byte carries b${level}${lost !== undefined && level === 3 ? ' lost-byte' : ''}`
            }
          >
            <span className="at">{bits}</span>
            <span className="mono">{byte}</span>
            <span className="name">{level === undefined ? '' : `Aff${level}`}</span>
          </span>
        ))}
      </div>
      {!read.ok && <p className="bad problem">{read.what}</p>}
      {lost !== undefined && (
        <p className="problem">
          <b className="bad">✕</b> {lost}
        </p>
      )}
    </div>
  )
}

export default RulerPane
