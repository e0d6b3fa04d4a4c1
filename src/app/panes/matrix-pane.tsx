/** "Which path sees Aff3?", for the selected vCPU, on the chosen base and host, under each rule set and by the architecture. */
import { useMemo, useState } from 'react'
import { affinityOf, affinityLevels } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { affinityIn } from '../../pure/blueprint/blueprint.ts'
import { RULE_SETS } from '../../pure/blueprint/host.ts'
import type { RuleSetId } from '../../pure/blueprint/host.ts'
import { architectureCell } from '../../pure/rules/architecture.ts'
import { aff3Matrix } from '../../pure/rules/matrix.ts'
import type { MatrixCell, MatrixRow, Verdict } from '../../pure/rules/matrix.ts'
import { useSessionState } from '../session-context.ts'
import { AffinityText, WithAffinities } from '../widgets/affinity-text.tsx'
import { Hint } from '../widgets/hint.tsx'
import '../style/matrix.css'

const MARKS: Record<Verdict, { mark: string; className: string; says: string }> = {
  kept: { mark: '●', className: 'ok', says: 'yes' },
  lost: { mark: '✕', className: 'bad', says: 'no' },
  plain: { mark: '·', className: 'dim', says: '' },
}

/** The columns in which a path ends otherwise than on the present machine. */
export const differing = ({ cells }: Pick<MatrixRow, 'cells'>, present: RuleSetId): readonly RuleSetId[] =>
  RULE_SETS.filter((ruleSet) => cells[ruleSet].text !== cells[present].text)

const MatrixPane = () => {
  const draft = useSessionState((state) => state.draft)
  const cpu = useSessionState((state) => state.selected)
  const [only, setOnly] = useState(false)
  const given = affinityIn(draft, cpu)
  // The question is about Aff3: a vCPU that has none is asked as if it were in cluster 1.
  const affinity = affinityLevels(given).aff3 === 0 ? affinityOf({ ...affinityLevels(given), aff3: 1 }) : given
  const { base, host, ruleSet: present } = draft
  const all = useMemo(() => aff3Matrix({ base, host, affinity, cpu }), [base, host, affinity, cpu])
  const rows = only ? all.filter((row) => differing(row, present).length > 0) : all
  return (
    <>
      <div className="pane-bar">
        <span className="aside">
          vCPU {cpu} at <AffinityText affinity={affinity} />
          {affinity !== given && (
            <>
              {' '}
              (is at <AffinityText affinity={given} />)
            </>
          )}
          , KVM {base}, A3V = {Number(host.a3v)}
        </span>
        <span className="grow" />
        <label className="labelled">
          <input type="checkbox" checked={only} onChange={({ target }) => setOnly(target.checked)} />
          only what differs
        </label>
      </div>
      <div className="pane-body" tabIndex={0} role="region" aria-label="Matrix of paths and rule sets">
        <table className="matrix">
          <thead>
            <tr>
              <th>path</th>
              {RULE_SETS.map((ruleSet) => (
                <th key={ruleSet} aria-current={ruleSet === present}>
                  {ruleSet}
                </th>
              ))}
              <th>architecture</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Path
                key={row.path}
                row={row}
                present={present}
                wanted={affinity}
                architecture={architectureCell(row.path, affinity)}
              />
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

const Path = (props: {
  readonly row: MatrixRow
  readonly present: RuleSetId
  readonly wanted: Affinity
  readonly architecture: MatrixCell | undefined
}) => {
  const { row, present, wanted, architecture } = props
  const differ = differing(row, present)
  const now = row.cells[present]
  return (
    <tr className={differ.length > 0 ? 'differs' : undefined}>
      <th scope="row" title={row.title}>
        {row.path}
        {differ.length > 0 && <span className="hidden-text"> (differs from the present machine elsewhere)</span>}
      </th>
      {RULE_SETS.map((ruleSet) => (
        <td key={ruleSet} aria-current={ruleSet === present} className={differ.includes(ruleSet) ? 'other' : undefined}>
          <Cell cell={row.cells[ruleSet]} wanted={wanted} />
        </td>
      ))}
      <td className={architecture !== undefined && architecture.text !== now.text ? 'other' : undefined}>
        {architecture === undefined ? (
          <span className="faint" title="The architecture has no such path">
            –
          </span>
        ) : (
          <Cell cell={architecture} wanted={wanted} />
        )}
      </td>
    </tr>
  )
}

const Cell = ({ cell, wanted }: { readonly cell: MatrixCell; readonly wanted: Affinity }) => {
  const { mark, className, says } = MARKS[cell.verdict]
  return (
    <Hint
      text={
        <>
          {cell.title}
          <div className="source">{cell.source}</div>
        </>
      }
    >
      <button type="button">
        <span className={className} role="img" aria-label={says} aria-hidden={says === ''}>
          {mark}
        </span>{' '}
        <WithAffinities text={cell.text.replace(/^becomes /, '')} wanted={wanted} />
      </button>
    </Hint>
  )
}

export default MatrixPane
