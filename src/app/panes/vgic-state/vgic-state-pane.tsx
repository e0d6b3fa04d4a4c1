/** KVM's own text about the vGIC, as its debugfs has it: to be saved, and compared with an earlier one. */
import { Download } from 'lucide-react'
import { useCallback, useMemo, useState } from 'react'
import { useSessionState } from '../../session-context.ts'
import type { Session } from '../../session/session.ts'
import { Hint } from '../../widgets/hint.tsx'
import { VirtualList } from '../../widgets/virtual-list.tsx'
import { saveFile } from '../../widgets/save-file.ts'
import { useAsked } from '../shared/use-asked.ts'
import { diffLines } from '../shared/diff.ts'
import type { DiffLine } from '../shared/diff.ts'
import '../../style/vgic-state.css'

interface Kept {
  readonly lines: readonly string[]
  readonly at: number
}

const NAMES = { ' ': undefined, '+': 'added', '-': 'gone' } as const

const VgicStatePane = () => {
  const there = useSessionState((state) => state.machine !== undefined)
  const now = useSessionState((state) => state.machine?.virtualNs ?? 0)
  const ask = useCallback((session: Session) => session.vgicState(), [])
  const text = useAsked(ask)
  const [kept, setKept] = useState<Kept>()
  const [only, setOnly] = useState(false)
  const lines = useMemo(() => text?.trimEnd().split('\n') ?? [], [text])
  const shown = useMemo((): readonly DiffLine[] => {
    if (kept === undefined) return lines.map((line) => ({ mark: ' ', text: line }))
    const diff = diffLines(kept.lines, lines)
    return only ? diff.filter(({ mark }) => mark !== ' ') : diff
  }, [kept, lines, only])
  const changes = kept === undefined ? 0 : shown.filter(({ mark }) => mark !== ' ').length
  if (!there || text === undefined) return <p className="empty">What KVM tells of the vGIC appears here.</p>
  return (
    <div className="vgic-state">
      <div className="vgic-state-tools" role="toolbar" aria-label="vgic-state">
        <Hint text="Keep this one, and mark what is different from it from now on">
          <button className="button small" onClick={() => setKept({ lines, at: now })}>
            {kept === undefined ? 'Compare from here' : 'Compare from here again'}
          </button>
        </Hint>
        {kept !== undefined && (
          <>
            <label className="labelled">
              <input type="checkbox" checked={only} onChange={({ target }) => setOnly(target.checked)} />
              only what differs
            </label>
            <button className="button small quiet" onClick={() => setKept(undefined)}>
              Stop comparing
            </button>
            <span className="dim num" role="status">
              {changes} lines differ from {(kept.at / 1e9).toFixed(3)} s
            </span>
          </>
        )}
        <span className="grow" />
        <Hint text="Save it as a text file">
          <button className="button icon tiny quiet" aria-label="Save vgic-state" onClick={() => save(text)}>
            <Download size={14} aria-hidden />
          </button>
        </Hint>
      </div>
      <VirtualList
        label="vgic-state, as KVM's debugfs has it"
        className="vgic-state-text"
        count={shown.length}
        estimate={18}
        renderRow={(place) => {
          const line = shown[place]
          if (line === undefined) return null
          const name = NAMES[line.mark]
          return (
            <pre className={name}>
              {kept !== undefined && <span aria-label={name}>{line.mark} </span>}
              {line.text === '' ? ' ' : line.text}
            </pre>
          )
        }}
      />
    </div>
  )
}

const save = (text: string): void => saveFile('vgic-state.txt', new Blob([text], { type: 'text/plain' }))

export default VgicStatePane
