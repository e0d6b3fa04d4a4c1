/** Two or three machines side by side, by what the rules forecast: registers by their names, and what becomes of each CPU. */
import { useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { Blueprint } from '../../../pure/blueprint/blueprint.ts'
import { HOST_PRESETS, KERNEL_BASES, RULE_SETS } from '../../../pure/blueprint/host.ts'
import type { HostPresetId, KernelBase, RuleSetId } from '../../../pure/blueprint/host.ts'
import { compareMachines } from '../../../pure/rules/compare.ts'
import type { ComparedRow } from '../../../pure/rules/compare.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { WithAffinities } from '../../widgets/affinity-text.tsx'
import { Select } from '../../widgets/choice.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'

/** What a column takes from elsewhere than the document. */
interface Variant {
  readonly ruleSet: RuleSetId
  readonly base: KernelBase | 'same'
  readonly host: HostPresetId | 'same'
}

const RULES = RULE_SETS.map((value) => ({ value, title: value }))
const BASES = [
  { value: 'same', title: 'same KVM' },
  ...KERNEL_BASES.map((value) => ({ value, title: `Linux ${value}` })),
] as const
const HOSTS = [
  { value: 'same', title: 'same host' },
  { value: 'H1', title: 'A3V = 1' },
  { value: 'H0', title: 'A3V = 0' },
] as const

const start = (present: RuleSetId): readonly Variant[] =>
  RULE_SETS.filter((ruleSet) => ruleSet !== present).map((ruleSet) => ({ ruleSet, base: 'same', host: 'same' }))

const varied = (of: Blueprint, { ruleSet, base, host }: Variant): Blueprint => ({
  ...of,
  ruleSet,
  base: base === 'same' ? of.base : base,
  host: host === 'same' ? of.host : HOST_PRESETS[host],
})

export const ComparedRegisters = ({ children }: { readonly children: ReactNode }) => {
  const draft = useSessionState((state) => state.draft)
  const running = useSessionState((state) => state.running)
  const [own, setOwn] = useState<readonly Variant[] | undefined>(undefined)
  const [before, setBefore] = useState(false)
  const [all, setAll] = useState(false)
  const variants = own ?? start(draft.ruleSet)
  const machines = useMemo(
    () => [
      draft,
      ...(before && running !== undefined ? [running] : []),
      ...variants.map((variant) => varied(draft, variant)).slice(0, before ? 1 : 2),
    ],
    [draft, before, running, variants],
  )
  const rows = useMemo(() => compareMachines(machines), [machines])
  const shown = all ? rows : rows.filter(({ differs }) => differs)
  const change = (place: number, to: Partial<Variant>): void =>
    setOwn(variants.map((variant, i) => (i === place ? { ...variant, ...to } : variant)))

  return (
    <>
      <div className="pane-bar">
        {children}
        <span className="aside num">
          {rows.filter(({ differs }) => differs).length} of {rows.length} differ
        </span>
        <span className="grow" />
        <label className="labelled" title="Compares the machine that runs as well">
          <input
            type="checkbox"
            checked={before}
            disabled={running === undefined}
            onChange={({ target }) => setBefore(target.checked)}
          />
          running too
        </label>
        <label className="labelled">
          <input type="checkbox" checked={all} onChange={({ target }) => setAll(target.checked)} />
          all rows
        </label>
      </div>
      <VirtualList
        label="Machines compared"
        className="compared"
        count={shown.length}
        estimate={30}
        head={
          <div className="compared-row head">
            <span>register or question</span>
            <span>
              <b>this machine</b> {draft.ruleSet}
            </span>
            {before && running !== undefined && (
              <span>
                <b>running</b> {running.ruleSet}
              </span>
            )}
            {variants.slice(0, before ? 1 : 2).map((variant, place) => (
              <span key={place} className="compare-choice">
                <Select
                  label=""
                  name={`Rule set of machine ${place + 2}`}
                  value={variant.ruleSet}
                  options={RULES}
                  onChange={(ruleSet) => change(place, { ruleSet })}
                />
                <Select
                  label=""
                  name={`Kernel of machine ${place + 2}`}
                  value={variant.base}
                  options={BASES}
                  onChange={(base) => change(place, { base })}
                />
                <Select
                  label=""
                  name={`Host of machine ${place + 2}`}
                  value={variant.host}
                  options={HOSTS}
                  onChange={(host) => change(place, { host })}
                />
              </span>
            ))}
          </div>
        }
        renderRow={(place) => {
          const row = shown[place]
          return row === undefined ? null : <Row row={row} />
        }}
      />
      {shown.length === 0 && (
        <p className="empty">
          <span className="ok">●</span> These machines are the same to a guest. Give a vCPU an Aff3, or choose another
          host.
        </p>
      )}
    </>
  )
}

const Row = ({ row }: { readonly row: ComparedRow }) => {
  const session = useSession()
  const { name, values, differs, cpu } = row
  const [first] = values
  return (
    <div className="compared-row">
      {cpu === undefined ? (
        <span title={name}>{name}</span>
      ) : (
        <button className="link-button" title={name} onClick={() => session.select(cpu)}>
          {name}
        </button>
      )}
      {values.map((value, place) => (
        <span
          key={place}
          className={differs && place > 0 && value !== first ? 'mono other-value' : 'mono'}
          title={value}
        >
          {differs && place > 0 && value !== first && (
            <span className="warn" role="img" aria-label="differs">
              ≠{' '}
            </span>
          )}
          {value === undefined ? '–' : <WithAffinities text={value} />}
        </span>
      ))}
    </div>
  )
}
