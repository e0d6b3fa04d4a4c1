/** What the kernels of this visit's boots have said, the same line of each in one row. */
import { useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { Blueprint } from '../../../pure/blueprint/blueprint.ts'
import { RULE_SETS } from '../../../pure/blueprint/host.ts'
import type { RuleSetId } from '../../../pure/blueprint/host.ts'
import type { LogLine } from '../../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../../session-context.ts'
import { LOST } from '../../session/session.ts'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { useKernelLog } from '../shared/use-kernel-log.ts'
import { alignLogs } from './align.ts'
import type { AlignedRow } from './align.ts'

const ruleText = ({ ruleSet, base, host }: Blueprint): string =>
  `${ruleSet} on Linux ${base}, A3V = ${Number(host.a3v)}`

const NOTHING: readonly LogLine[] = []

export const ComparedLogs = ({ children }: { readonly children: ReactNode }) => {
  const running = useSessionState((state) => state.running)
  const earlier = useSessionState((state) => state.earlier)
  const log = useKernelLog()
  const [all, setAll] = useState(false)
  const now = log?.ok === true ? log.lines : NOTHING
  const logs = useMemo(() => [now, ...earlier.map(({ lines }) => lines)], [now, earlier])
  const rows = useMemo(() => alignLogs(logs), [logs])
  const differing = useMemo(() => rows.filter(({ differs }) => differs), [rows])
  const shown = all ? rows : differing

  return (
    <>
      <div className="pane-bar">
        {children}
        {earlier.length > 0 && (
          <span className="aside num">
            {differing.length} of {rows.length} lines differ
          </span>
        )}
        <span className="grow" />
        <label className="labelled">
          <input type="checkbox" checked={all} onChange={({ target }) => setAll(target.checked)} />
          all lines
        </label>
      </div>
      {earlier.length === 0 ? (
        <BootAnother ruleSet={running?.ruleSet} />
      ) : (
        <VirtualList
          label="Boot logs compared"
          className="compared logs"
          count={shown.length}
          estimate={20}
          head={
            <div className="compared-row head">
              <span>
                <b>running</b> {running === undefined ? '' : ruleText(running)}
              </span>
              {earlier.map(({ blueprint }, place) => (
                <span key={place}>
                  <b>{place === 0 ? 'before' : 'before that'}</b> {ruleText(blueprint)}
                </span>
              ))}
            </div>
          }
          renderRow={(place) => {
            const row = shown[place]
            return row === undefined ? null : <Row row={row} logs={logs} />
          }}
        />
      )}
      {earlier.length > 0 && shown.length === 0 && (
        <p className="empty">
          <span className="ok">●</span> These kernels have said the same, times aside.
        </p>
      )}
    </>
  )
}

/** What must happen before there is something to compare, a press away. */
const BootAnother = ({ ruleSet }: { readonly ruleSet: RuleSetId | undefined }) => {
  const session = useSession()
  return (
    <div className="empty">
      <p>
        When a machine has been booted after another one, what their kernels have said stands here side by side: under
        other rules, on another host, or after an edit.
      </p>
      {RULE_SETS.filter((one) => one !== ruleSet).map((one) => (
        <button
          key={one}
          className="button small"
          onClick={() => {
            if (session.edit({ edit: 'setRuleSet', ruleSet: one })) void session.boot()
          }}
        >
          Boot under {one}
        </button>
      ))}
    </div>
  )
}

const Row = (props: { readonly row: AlignedRow; readonly logs: readonly (readonly LogLine[])[] }) => {
  const { places, differs } = props.row
  const texts = places.map((place, log) => (place === undefined ? undefined : props.logs[log]?.[place]?.text))
  return (
    <div className="compared-row">
      {texts.map((text, log) => (
        <span key={log} className={text?.includes(LOST) === true ? 'lost' : differs ? 'other-value' : 'dim'}>
          {differs && text !== undefined && (
            <span className="warn" role="img" aria-label="differs">
              ≠{' '}
            </span>
          )}
          {text ?? (
            <span className="faint" title="This kernel has not said it">
              –
            </span>
          )}
        </span>
      ))}
    </div>
  )
}
