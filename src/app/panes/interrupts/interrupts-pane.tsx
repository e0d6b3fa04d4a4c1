/** Interrupts, by INTID or by vCPU. */
import { useState } from 'react'
import { Segments } from '../../widgets/choice.tsx'
import { usePart } from '../shared/use-part.ts'
import { ByIntid } from './by-intid.tsx'
import { FaultMenu, LastFault } from './fault-menu.tsx'
import { ByVcpu } from './by-vcpu.tsx'
import { STATE_WORDS } from './rows.ts'
import '../../style/interrupts.css'

const VIEWS = [
  { value: 'intid', title: 'By INTID' },
  { value: 'vcpu', title: 'By vCPU' },
] as const

const InterruptsPane = () => {
  const [view, setView] = usePart('interrupts', VIEWS)
  const [filter, setFilter] = useState('')
  const [all, setAll] = useState(false)
  return (
    <>
      <div className="pane-bar">
        <Segments label="Interrupts by" value={view} options={VIEWS} onChange={setView} />
        {view === 'intid' && (
          <>
            <input
              className="field filter"
              aria-label="Filter the interrupts"
              placeholder="27, timer, pending …"
              title={`A number, part of a name, or: ${STATE_WORDS.join(', ')}`}
              spellCheck={false}
              value={filter}
              onChange={({ target }) => setFilter(target.value)}
            />
            <label className="labelled">
              <input type="checkbox" checked={all} onChange={({ target }) => setAll(target.checked)} />
              all
            </label>
          </>
        )}
        <span className="grow" />
        <FaultMenu />
      </div>
      <LastFault />
      {view === 'intid' ? <ByIntid all={all} filter={filter} /> : <ByVcpu />}
    </>
  )
}

export default InterruptsPane
