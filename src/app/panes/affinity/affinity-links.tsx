import { memo } from 'react'
import { CPU_BOX, FRAME_BOX, LEVEL_X, NODE_RADIUS } from './columns.ts'
import type { AffinityMap, CpuRow, LevelNode } from './map.ts'
import type { Window } from './use-window.ts'

const LEVELS = [3, 2, 1, 0] as const

const curve = (x1: number, y1: number, x2: number, y2: number): string => {
  const middle = (x1 + x2) / 2
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`
}

/** A trunk with branches, for groups that are taller than the eye follows a curve. */
const elbow = (x1: number, y1: number, x2: number, y2: number): string => `M${x1} ${y1}H${(x1 + x2) / 2}V${y2}H${x2}`

/** Whether anything between two heights can be seen. */
const crosses = ({ top, bottom }: Window, a: number, b: number): boolean =>
  Math.max(a, b) >= top - 40 && Math.min(a, b) <= bottom + 40

const Tree = memo(({ nodes, seen }: { readonly nodes: readonly LevelNode[]; readonly seen: Window }) => (
  <>
    {nodes.map(({ level, value, y, children }) => {
      if (!crosses(seen, Math.min(y, children[0] ?? y), Math.max(y, children.at(-1) ?? y))) return null
      const x = LEVEL_X[level]
      const line = children.length > 1 && y === children[0] ? elbow : curve
      const to = level === 0 ? CPU_BOX.left : LEVEL_X[level === 3 ? 2 : level === 2 ? 1 : 0] - NODE_RADIUS
      return (
        <g key={`${level}-${y}`}>
          {children.map((child) =>
            crosses(seen, y, child) ? (
              <path key={child} className="branch" d={line(x + NODE_RADIUS, y, to, child)} />
            ) : null,
          )}
          <circle cx={x} cy={y} r={NODE_RADIUS} className={`node n${level}`} />
          <text x={x} y={y + 4} className={`level a${level}`}>
            {value.toString(16)}
          </text>
        </g>
      )
    })}
  </>
))

/** Everything that is drawn and not read: the tree's nodes, and a line for each match. */
export const AffinityLinks = (props: {
  readonly map: AffinityMap
  readonly seen: Window
  readonly stateOf: (cpu: number) => string
  readonly selected: number
}) => {
  const { map, seen } = props
  const [from, to] = [CPU_BOX.left + CPU_BOX.width, Math.max(seen.width - FRAME_BOX.right - FRAME_BOX.width, 240)]
  const link = (row: CpuRow) => {
    const chosen = row.index === props.selected ? ' chosen' : ''
    if (row.frames.length === 0) {
      if (!crosses(seen, row.y, row.y)) return null
      const end = from + Math.min(46, (to - from) / 2)
      return (
        <g key={row.index} data-link={`${row.index}-none`}>
          <path className={`link miss${chosen}`} d={`M${from} ${row.y}H${end - 8}`} />
          <path className="cross" d={`M${end - 5} ${row.y - 5}l10 10m0 -10l-10 10`} />
        </g>
      )
    }
    return row.frames.map((place) => {
      const y = map.frames[place]?.y ?? row.y
      if (!crosses(seen, row.y, y)) return null
      const shared = row.frames.length > 1 || (map.frames[place]?.claims ?? 0) > 1 ? ' shared' : ''
      return (
        <path
          key={`${row.index}-${place}`}
          data-link={`${row.index}-${place}`}
          className={`link ${props.stateOf(row.index)}${shared}${chosen}`}
          d={curve(from, row.y, to, y)}
        />
      )
    })
  }
  return (
    <svg className="affinity-lines" width={seen.width} height={map.height} aria-hidden="true">
      {LEVELS.map((level) => (
        <text key={level} x={LEVEL_X[level]} y={18} className={`level a${level}`}>
          Aff{level}
        </text>
      ))}
      <text x={CPU_BOX.left + CPU_BOX.width / 2} y={18} className="level head">
        vCPU
      </text>
      <text x={to} y={18} className="head">
        GICR frames, by address
      </text>
      <Tree nodes={map.nodes} seen={seen} />
      {map.cpus.map(link)}
    </svg>
  )
}
