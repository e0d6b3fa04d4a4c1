/** What stands in the column of frames: one frame, or those of a closed group. */
import { memo } from 'react'
import { AFFINITY_BYTES, affinityText } from '../../../pure/arch/affinity.ts'
import { hexParts, HexText } from '../../widgets/affinity-text.tsx'
import type { Columns } from './columns.ts'
import type { FrameRow, FramesRow, RegionHead } from './map.ts'

const HALF = 20
const address = (base: number): string => `0x${base.toString(16).padStart(8, '0')}`

const frameTitle = ({ cpu, affinity, claims, last }: FrameRow): string =>
  `GICR_TYPER of vCPU ${cpu} reads ${affinityText(affinity)}${claims === 0 ? ', and no vCPU is there' : ''}${
    last ? '; a walk of this region ends here' : ''
  }`

export const frameId = (cpu: number): string => `affinity-frame-${cpu}`

export const FrameItem = memo(
  (props: {
    readonly row: FrameRow
    readonly columns: Columns
    readonly selected: boolean
    readonly onPress: (cpu: number) => void
  }) => {
    const { row, columns, selected } = props
    const parts = hexParts(row.typer, AFFINITY_BYTES.typer)
    const style = { top: row.y - HALF, left: columns.frame.left, width: columns.frame.width }
    return (
      <li className="frame-place" style={style}>
        <button
          id={frameId(row.cpu)}
          className={`frame${row.claims === 0 ? ' unclaimed' : ''}${selected ? ' selected' : ''}${row.last ? ' last' : ''}`}
          title={frameTitle(row)}
          onClick={() => props.onPress(row.cpu)}
        >
          <span className="pair dim">
            <span>{address(row.base)}</span>
            <span>
              {!columns.tight && 'frame '}
              {row.place}
            </span>
          </span>
          <span className="pair">
            <HexText parts={columns.wide ? parts : parts.slice(0, 4)} />
            {row.claims === 0 && <b className="bad">nobody’s</b>}
            {row.claims > 1 && <b className="warn">{row.claims} vCPUs</b>}
            {row.last && row.claims === 1 && <span className="dim">Last</span>}
          </span>
        </button>
      </li>
    )
  },
)

export const FramesItem = ({ row, columns }: { readonly row: FramesRow; readonly columns: Columns }) => (
  <li className="frame-place" style={{ top: row.y - HALF, left: columns.frame.left, width: columns.frame.width }}>
    <div className={`frame several${row.last ? ' last' : ''}`}>
      <span className="pair dim">
        <span>{address(row.base)}</span>
        <span>{row.to - row.from + 1} frames</span>
      </span>
      <span className="pair">
        <span>
          {row.from} to {row.to}
        </span>
        {row.last && <span className="dim">Last</span>}
      </span>
    </div>
  </li>
)

export const RegionItem = ({ head, columns }: { readonly head: RegionHead; readonly columns: Columns }) => (
  <li className="region-head" style={{ top: head.y - 8, left: columns.frame.left, width: columns.frame.width }}>
    region {head.region} <span className="mono">{address(head.base)}</span>, {head.frames} frames
  </li>
)
