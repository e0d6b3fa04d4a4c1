/** Where each lane stands on the timeline, from top to bottom. Heights are CSS pixels. */
import { CONSOLE_LANE, cpuLane, deviceLane, VMM_LANE } from '../../../pure/trace/lanes.ts'
import { FRAME_NAMES, FRAMES } from '../../../pure/arch/frames.ts'

export interface Row {
  readonly lane: number
  readonly kind: 'state' | 'interrupts' | 'exceptions' | 'accesses' | 'marks'
  readonly top: number
  readonly height: number
  /** Of the first row of a group: what the group is. */
  readonly title?: string
  /** The height of the whole group. */
  readonly group?: number
  readonly cpu?: number
}

/** Each has room for its title. */
const FULL = { state: 12, interrupts: 14, exceptions: 14, accesses: 12, gap: 5 } as const
/** Many CPUs: exceptions and accesses make room. */
const SLIM = { state: 5, interrupts: 11, exceptions: 0, accesses: 0, gap: 2 } as const
/** From as many CPUs on, lanes are slim. */
export const MANY = 17
const DEVICE = { height: 13, gap: 3 } as const
/** Room above the first row. */
const TOP = 5

const groupOf = ({ state, interrupts, exceptions, accesses }: typeof FULL | typeof SLIM): number =>
  state + interrupts + exceptions + accesses

const cpuRows = (cpu: number, top: number, slim: boolean): readonly Row[] => {
  const heights = slim ? SLIM : FULL
  const group = groupOf(heights)
  const rows: Row[] = []
  let at = top
  for (const kind of ['state', 'interrupts', 'exceptions', 'accesses'] as const) {
    const height = heights[kind]
    if (height === 0) continue
    rows.push({
      lane: cpuLane(cpu, kind),
      kind,
      top: at,
      height,
      cpu,
      ...(kind === 'state' ? { title: `CPU ${cpu}`, group } : {}),
    })
    at += height
  }
  return rows
}

export interface Arrangement {
  readonly rows: readonly Row[]
  readonly height: number
  /** A CPU has room for one title only. */
  readonly slim: boolean
}

/** `busy`: the lanes in which something is; devices without anything take no room. */
export const arrange = (cpus: number, busy: readonly number[]): Arrangement => {
  const slim = cpus >= MANY
  const heights = slim ? SLIM : FULL
  const step = groupOf(heights) + heights.gap
  const rows = Array.from({ length: cpus }, (_, cpu) => cpuRows(cpu, TOP + cpu * step, slim)).flat()
  const others = [
    ...FRAME_NAMES.map((frame) => ({ lane: deviceLane(frame), title: FRAMES[frame].title })),
    { lane: VMM_LANE, title: 'KVM calls' },
    { lane: CONSOLE_LANE, title: 'Console' },
  ].filter(({ lane }) => busy.includes(lane))
  const first = TOP + cpus * step
  const each = DEVICE.height + DEVICE.gap
  return {
    slim,
    rows: [
      ...rows,
      ...others.map(({ lane, title }, i): Row => ({
        lane,
        kind: 'marks',
        top: first + i * each,
        height: DEVICE.height,
        title,
        group: DEVICE.height,
      })),
    ],
    height: first + others.length * each,
  }
}

export const rowAt = ({ rows }: Arrangement, y: number): Row | undefined =>
  rows.find(({ top, height }) => y >= top && y < top + height)
