/** Every frame of registers that a machine may have, by its name: what the trace and the page read names from. */
import { pl011Frame } from './devices/pl011.ts'
import { pl031Frame } from './devices/pl031.ts'
import { virtioMmioFrame } from './devices/virtio-mmio.ts'
import { giccFrame } from './gic/gicc.ts'
import { gicdFrame } from './gic/gicd.ts'
import { gicdV2Frame } from './gic/gicd-v2.ts'
import { gicrFrame } from './gic/gicr.ts'
import { gitsFrame } from './gic/gits.ts'
import { registerAt } from './register.ts'
import type { Register } from './register.ts'

export const FRAMES = {
  GICD: { title: 'Distributor', gic: true, perCpu: false, registers: gicdFrame },
  GICR: { title: 'Redistributor', gic: true, perCpu: true, registers: gicrFrame },
  GITS: { title: 'Interrupt Translation Service', gic: true, perCpu: false, registers: gitsFrame },
  GICDv2: { title: 'Distributor of a GICv2', gic: true, perCpu: false, registers: gicdV2Frame },
  GICC: { title: 'CPU interface of a GICv2', gic: true, perCpu: true, registers: giccFrame },
  PL011: { title: 'PL011 UART', gic: false, perCpu: false, registers: pl011Frame },
  PL031: { title: 'PL031 real-time clock', gic: false, perCpu: false, registers: pl031Frame },
  VIRTIO: { title: 'Slots for virtio devices', gic: false, perCpu: false, registers: virtioMmioFrame },
} as const satisfies Record<string, FrameRow>

export interface FrameRow {
  readonly title: string
  /** Whether it belongs to the interrupt controller. */
  readonly gic: boolean
  /** Whether every CPU has one of its own. */
  readonly perCpu: boolean
  readonly registers: readonly Register[]
}

export type FrameName = keyof typeof FRAMES

export const FRAME_NAMES: readonly [FrameName, ...FrameName[]] = [
  'GICD',
  'GICR',
  'GITS',
  'GICDv2',
  'GICC',
  'PL011',
  'PL031',
  'VIRTIO',
]

const hex = (value: number): string => `0x${value.toString(16)}`

/** `GICD_CTLR`, `GICD_IROUTER<42>`, `GICR_TYPER+4`; an offset without a register stands for itself. */
export const registerName = (frame: FrameName, offset: number): string => {
  const register = registerAt(FRAMES[frame].registers, offset)
  if (register === undefined) return `${frame}+${hex(offset)}`
  const at = offset - register.offset
  // A bank counts in words, or in interrupts where each has a word or more of its own.
  const step = register.each ?? Math.max(4, (register.perIrq?.bits ?? 0) / 8)
  const banked = (register.perIrq !== undefined || register.each !== undefined) && register.size > 4
  const index = banked ? `<${Math.floor(at / step)}>` : ''
  const rest = banked ? at % step : at
  return `${register.name}${index}${rest === 0 ? '' : `+${rest}`}`
}
