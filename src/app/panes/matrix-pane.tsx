/** "Which path sees Aff3?", for the selected vCPU, on the chosen base and host, under each rule set. */
import { useMemo } from 'react'
import { affinityOf, affinityLevels, affinityText } from '../../pure/arch/affinity.ts'
import { affinityIn } from '../../pure/blueprint/blueprint.ts'
import { RULE_SETS } from '../../pure/blueprint/host.ts'
import { aff3Matrix } from '../../pure/rules/matrix.ts'
import type { MatrixCell, Verdict } from '../../pure/rules/matrix.ts'
import { useSessionState } from '../session-context.ts'
import { AffinityText } from '../widgets/affinity-text.tsx'
import { Hint } from '../widgets/hint.tsx'

const MARKS: Record<Verdict, { mark: string; className: string; says: string }> = {
  kept: { mark: '●', className: 'ok', says: 'yes' },
  lost: { mark: '✕', className: 'bad', says: 'no' },
  plain: { mark: '·', className: 'dim', says: '' },
}

const MatrixPane = () => {
  const draft = useSessionState((state) => state.draft)
  const cpu = useSessionState((state) => state.selected)
  const given = affinityIn(draft, cpu)
  // The question is about Aff3: a vCPU that has none is asked as if it were in cluster 1.
  const affinity = affinityLevels(given).aff3 === 0 ? affinityOf({ ...affinityLevels(given), aff3: 1 }) : given
  const { base, host } = draft
  const rows = useMemo(() => aff3Matrix({ base, host, affinity, cpu }), [base, host, affinity, cpu])
  return (
    <>
      <div className="pane-bar">
        <span className="aside">
          vCPU {cpu} at <AffinityText affinity={affinity} />
          {affinity !== given && <> (it is at {affinityText(given)})</>}, KVM {base}, host A3V = {Number(host.a3v)}
        </span>
      </div>
      <div className="pane-body" tabIndex={0} role="region" aria-label="Matrix of paths and rule sets">
        <table className="matrix">
          <thead>
            <tr>
              <th>path</th>
              {RULE_SETS.map((ruleSet) => (
                <th key={ruleSet} aria-current={ruleSet === draft.ruleSet}>
                  {ruleSet}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ path, title, cells }) => (
              <tr key={path}>
                <td title={title}>{path}</td>
                {RULE_SETS.map((ruleSet) => (
                  <td key={ruleSet} aria-current={ruleSet === draft.ruleSet}>
                    <Cell cell={cells[ruleSet]} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

const Cell = ({ cell }: { readonly cell: MatrixCell }) => {
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
        {cell.text.replace(/^becomes /, '')}
      </button>
    </Hint>
  )
}

export default MatrixPane
