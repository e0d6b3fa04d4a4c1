/** A GICv2 distributor's registers (GIC architecture IHI 0048, 4.3; offsets from GICD_base). */
import { BYTE_OR_WORD, registerFrame, WORD } from '../register.ts'
import type { Register } from '../register.ts'
import { GICD_BANKS, GICD_IIDR } from './gicd.ts'
import { PER_IRQ } from './per-irq.ts'

/** KVM_VGIC_V2_DIST_SIZE. */
export const GICD_V2_SIZE = 0x1000

export const GICD_V2_CTLR = {
  name: 'GICD_CTLR',
  offset: 0x000,
  size: 4,
  access: WORD,
  fields: [
    { name: 'Enable', lsb: 0, width: 1, text: (v) => (v === 1n ? 'interrupts are forwarded' : 'nothing is forwarded') },
  ],
} as const satisfies Register

export const GICD_V2_TYPER = {
  name: 'GICD_TYPER',
  offset: 0x004,
  size: 4,
  access: WORD,
  fields: [
    { name: 'ITLinesNumber', lsb: 0, width: 5, text: (v) => `INTIDs up to ${32n * (v + 1n) - 1n}` },
    { name: 'CPUNumber', lsb: 5, width: 3, text: (v) => `${v + 1n} CPUs` },
    { name: 'SecurityExtn', lsb: 10, width: 1 },
    { name: 'LSPI', lsb: 11, width: 5 },
  ],
} as const satisfies Register

export const GICD_SGIR = {
  name: 'GICD_SGIR',
  offset: 0xf00,
  size: 4,
  access: WORD,
  fields: [
    { name: 'SGIINTID', lsb: 0, width: 4 },
    { name: 'NSATT', lsb: 15, width: 1 },
    { name: 'CPUTargetList', lsb: 16, width: 8 },
    { name: 'TargetListFilter', lsb: 24, width: 2, text: (v) => FILTERS[Number(v)] ?? 'reserved' },
  ],
} as const satisfies Register

const FILTERS = ['the CPUs of the list', 'all CPUs but the writer', 'the writer']

export const SGI_FILTER = { list: 0, allButSelf: 1, self: 2 } as const

/** The CPUs are bits 0 to 7 of a target list. */
export const GIC_V2_MAX_CPUS = 8

export const gicdV2 = [
  GICD_V2_CTLR,
  GICD_V2_TYPER,
  GICD_IIDR,
  ...GICD_BANKS,
  GICD_SGIR,
  { name: 'GICD_CPENDSGIR', offset: 0xf10, size: 0x10, access: BYTE_OR_WORD, perIrq: PER_IRQ.sources },
  { name: 'GICD_SPENDSGIR', offset: 0xf20, size: 0x10, access: BYTE_OR_WORD, perIrq: PER_IRQ.sources },
] as const satisfies readonly Register[]

export type GicdV2Name = (typeof gicdV2)[number]['name']

export const gicdV2Frame = registerFrame(gicdV2)
