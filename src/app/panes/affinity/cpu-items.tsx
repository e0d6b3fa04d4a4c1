/** What stands in the column of CPUs: one CPU, or a closed group of them. */
import { Pencil } from 'lucide-react'
import { memo } from 'react'
import { affinityText } from '../../../pure/arch/affinity.ts'
import type { Reason } from '../../../pure/rules/links.ts'
import { AffinityText, WithAffinities } from '../../widgets/affinity-text.tsx'
import type { Columns } from './columns.ts'
import type { CpuRow, GroupRow } from './map.ts'

const HALF = 15

/** What is pressed is told by the tree they stand in (`rowAt`): a row of a machine that runs is drawn only when it changes. */
interface ItemProps {
  readonly columns: Columns
  readonly selected: boolean
  readonly focusable: boolean
  readonly place: number
  readonly of: number
}

export const rowId = (of: number | string): string => `affinity-row-${of}`

export const CpuItem = memo(
  (
    props: ItemProps & {
      readonly row: CpuRow
      readonly state: string
      /** Why no frame matches. */
      readonly reason: Reason | undefined
    },
  ) => {
    const { row, reason, columns } = props
    const text = affinityText(row.affinity)
    const found = row.frames.length === 0 ? `no frame has affinity ${text}` : `frame ${row.frames.join(' and ')}`
    return (
      <>
        <div
          id={rowId(row.index)}
          role="treeitem"
          aria-level={1}
          aria-posinset={props.place}
          aria-setsize={props.of}
          aria-selected={props.selected}
          aria-label={`vCPU ${row.index}, affinity ${text}, ${props.state}, ${found}`}
          tabIndex={props.focusable ? 0 : -1}
          className={`cpu ${props.state}${reason === undefined ? '' : ' miss'}`}
          style={{ top: row.y - HALF, left: columns.cpu.left, width: columns.cpu.width }}
          title="Enter or a double click edits its affinity"
        >
          vCPU {row.index}
        </div>
        {reason !== undefined && (
          <p
            className="reason"
            style={{ top: row.y + HALF + 3, width: columns.frame.left - 12 - 16 }}
            title={reason.source}
          >
            <b className="bad">no frame has affinity</b> <AffinityText affinity={row.affinity} />:{' '}
            <WithAffinities text={reason.text} wanted={row.affinity} />
          </p>
        )}
      </>
    )
  },
)

export const GroupItem = memo((props: ItemProps & { readonly row: GroupRow }) => {
  const { row, columns } = props
  const text = affinityText(row.prefix)
  const missing = row.misses === 0 ? 'each has its frame' : `${row.misses} without a frame`
  return (
    <div
      id={rowId(row.key)}
      role="treeitem"
      aria-level={1}
      aria-posinset={props.place}
      aria-setsize={props.of}
      aria-expanded={false}
      aria-selected={props.selected}
      aria-label={`${row.cpus.length} vCPUs from affinity ${text}, closed, ${missing}`}
      tabIndex={props.focusable ? 0 : -1}
      className={`cpu group${row.misses > 0 ? ' miss' : ''}`}
      style={{ top: row.y - HALF, left: columns.cpu.left, width: columns.cpu.width }}
      title={`vCPUs ${row.cpus[0]} to ${row.cpus.at(-1)}; click to open`}
    >
      {row.cpus.length} vCPUs
      <span className="under">
        from <AffinityText affinity={row.prefix} />
        {row.misses > 0 && <b className="bad"> ✕ {row.misses}</b>}
      </span>
    </div>
  )
})

/** The way into the editor for a pointer; the keyboard's is Enter. Outside of the tree, where no button may be. */
export const EditMark = (props: { readonly row: CpuRow; readonly columns: Columns; readonly onEdit: () => void }) => (
  <button
    className="button icon tiny quiet edit-mark"
    style={{ top: props.row.y - 30, left: props.columns.cpu.left + props.columns.cpu.width + 2 }}
    aria-label={`Edit the affinity of vCPU ${props.row.index}`}
    onClick={props.onEdit}
  >
    <Pencil size={12} aria-hidden />
  </button>
)
