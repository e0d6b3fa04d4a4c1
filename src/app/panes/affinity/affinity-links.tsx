import { memo } from 'react'
import { NODE_RADIUS } from './columns.ts'
import type { Columns } from './columns.ts'
import type { AffinityMap, LevelNode, Link } from './map.ts'
import type { Window } from './use-window.ts'

const LEVELS = [3, 2, 1, 0] as const
const CROSS = 5

/** A line between two heights, and where its middle lies. */
export const curve = (x1: number, y1: number, x2: number, y2: number): string => {
  const middle = (x1 + x2) / 2
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`
}

/** A trunk with branches, for groups that are taller than the eye follows a curve. */
const elbow = (x1: number, y1: number, x2: number, y2: number): string => `M${x1} ${y1}H${(x1 + x2) / 2}V${y2}H${x2}`

/** Whether anything between two heights can be seen. */
const crosses = ({ top, bottom }: Window, a: number, b: number): boolean =>
  Math.max(a, b) >= top - 40 && Math.min(a, b) <= bottom + 40

const cross = (x: number, y: number): string =>
  `M${x - CROSS} ${y - CROSS}l${2 * CROSS} ${2 * CROSS}m0 ${-2 * CROSS}l${-2 * CROSS} ${2 * CROSS}`

interface TreeProps {
  readonly nodes: readonly LevelNode[]
  readonly seen: Window
  readonly columns: Columns
  readonly onToggle: (node: LevelNode) => void
}

const Tree = memo(({ nodes, seen, columns, onToggle }: TreeProps) => (
  <>
    {nodes.map((node) => {
      const { level, value, y, children, key, closed } = node
      if (!crosses(seen, Math.min(y, children[0] ?? y), Math.max(y, children.at(-1) ?? y))) return null
      const x = columns.level[level]
      const line = children.length > 1 && y === children[0] ? elbow : curve
      const next = level === 3 ? 2 : level === 2 ? 1 : 0
      const to = level === 0 || closed ? columns.cpu.left : columns.level[next] - NODE_RADIUS
      return (
        <g key={`${level}-${y}`}>
          {children.map((child) =>
            crosses(seen, y, child) ? (
              <path key={child} className="branch" d={line(x + NODE_RADIUS, y, to, child)} />
            ) : null,
          )}
          <g
            className={key === undefined ? undefined : 'closable'}
            onClick={key === undefined ? undefined : () => onToggle(node)}
          >
            <circle cx={x} cy={y} r={NODE_RADIUS} className={`node n${level}${closed ? ' closed' : ''}`} />
            <text x={x} y={y + 4} className={`level a${level}`}>
              {value.toString(16)}
            </text>
          </g>
        </g>
      )
    })}
  </>
))

interface LineProps {
  readonly link: Link
  readonly columns: Columns
  readonly state: string
  readonly chosen: boolean
}

const LinkLine = memo((props: LineProps) => {
  const { link, columns, state } = props
  const { kind, from, to, of, place } = link
  const [x1, x2] = [columns.cpu.left + columns.cpu.width, columns.frame.left]
  const chosen = props.chosen ? ' chosen' : ''
  if (kind !== 'miss') {
    const shared = kind === 'shared' ? ' shared' : ''
    return (
      <path
        data-link={`${of}-${place}`}
        className={`link ${state}${shared}${chosen}`}
        d={curve(x1, from, x2, to ?? from)}
      />
    )
  }
  // Towards the frame that was made for it, and broken where it should have gone on.
  const end = to === undefined ? { x: x1 + (x2 - x1) / 2, y: from } : { x: (x1 + x2) / 2, y: (from + to) / 2 }
  return (
    <g data-link={`${of}-none`}>
      <path
        className={`link miss${chosen}`}
        d={to === undefined ? `M${x1} ${from}H${end.x - CROSS - 3}` : curve(x1, from, x2, to)}
      />
      <circle className="gap" cx={end.x} cy={end.y} r={CROSS + 4} />
      <path className="cross" d={cross(end.x, end.y)} />
    </g>
  )
})

/** Everything that is drawn and not read: the tree's nodes, and a line for each match. */
export const AffinityLinks = (props: {
  readonly map: AffinityMap
  readonly seen: Window
  readonly columns: Columns
  readonly stateOf: (of: number | string) => string
  readonly isChosen: (of: number | string) => boolean
  readonly onToggle: (node: LevelNode) => void
}) => {
  const { map, seen, columns } = props
  return (
    <svg className="affinity-lines" width={seen.width} height={map.height} aria-hidden="true">
      {LEVELS.map((level) => (
        <text key={level} x={columns.level[level]} y={18} className={`level a${level}`}>
          {columns.tight ? level : `Aff${level}`}
        </text>
      ))}
      <text x={columns.cpu.left + columns.cpu.width / 2} y={18} className="level head">
        vCPU
      </text>
      <text x={columns.frame.left} y={18} className="head">
        {columns.wide ? 'GICR frames, by address' : 'GICR frames'}
      </text>
      <Tree nodes={map.nodes} seen={seen} columns={columns} onToggle={props.onToggle} />
      {map.links.map((link) =>
        crosses(seen, link.from, link.to ?? link.from) ? (
          <LinkLine
            key={`${link.of}-${link.place}`}
            link={link}
            columns={columns}
            state={props.stateOf(link.of)}
            chosen={props.isChosen(link.of)}
          />
        ) : null,
      )}
    </svg>
  )
}
