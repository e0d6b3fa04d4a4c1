/** A redistributor's registers: RD_base and, 64 KiB on, SGI_base (GIC architecture IHI 0069, 12.11; offsets from RD_base). */
import { affinityText } from '../affinity.ts'
import { BYTE_OR_WORD, DOUBLEWORD, registerFrame, whether, WORD } from '../register.ts'
import type { Field, Register } from '../register.ts'
import { identificationRegisters } from './identification.ts'
import { IIDR_FIELDS } from './iidr.ts'
import { PER_IRQ } from './per-irq.ts'
import { STATUS_FIELDS } from './status.ts'

/** RD_base and SGI_base of one CPU. */
export const GICR_SIZE = 0x20000
const SGI_BASE = 0x10000

export const GICR_CTLR = {
  name: 'GICR_CTLR',
  offset: 0x0000,
  size: 4,
  access: WORD,
  fields: [
    { name: 'EnableLPIs', lsb: 0, width: 1 },
    { name: 'CES', lsb: 1, width: 1, text: (v) => (v === 1n ? 'EnableLPIs can be cleared' : 'not said') },
    { name: 'IR', lsb: 2, width: 1, text: (v) => (v === 1n ? 'GICR_INVLPIR works' : 'not said') },
    { name: 'RWP', lsb: 3, width: 1 },
    { name: 'DPG0', lsb: 24, width: 1 },
    { name: 'DPG1NS', lsb: 25, width: 1 },
    { name: 'DPG1S', lsb: 26, width: 1 },
    { name: 'UWP', lsb: 31, width: 1 },
  ],
} as const satisfies Register

export const GICR_IIDR = {
  name: 'GICR_IIDR',
  offset: 0x0004,
  size: 4,
  access: WORD,
  fields: IIDR_FIELDS,
} as const satisfies Register

export const GICR_TYPER = {
  name: 'GICR_TYPER',
  offset: 0x0008,
  size: 8,
  access: DOUBLEWORD,
  fields: [
    { name: 'PLPIS', lsb: 0, width: 1, text: (v) => (v === 1n ? 'physical LPIs' : 'no physical LPIs') },
    { name: 'VLPIS', lsb: 1, width: 1, text: (v) => (v === 1n ? 'virtual LPIs' : 'no virtual LPIs') },
    { name: 'Dirty', lsb: 2, width: 1 },
    { name: 'DirectLPI', lsb: 3, width: 1 },
    { name: 'Last', lsb: 4, width: 1, text: (v) => (v === 1n ? 'the last frame here' : 'another frame follows') },
    { name: 'DPGS', lsb: 5, width: 1 },
    { name: 'MPAM', lsb: 6, width: 1 },
    { name: 'RVPEID', lsb: 7, width: 1 },
    { name: 'Processor_Number', lsb: 8, width: 16, text: (v) => `CPU ${v}` },
    { name: 'CommonLPIAff', lsb: 24, width: 2 },
    { name: 'VSGI', lsb: 26, width: 1 },
    { name: 'PPInum', lsb: 27, width: 5, text: (v) => `PPIs up to ${31n + 32n * v}` },
    { name: 'Affinity_Value', lsb: 32, width: 32, text: (v) => affinityText(Number(v)) },
  ],
} as const satisfies Register

/** KVM has it read as zero: ChildrenAsleep is never seen (vgic-mmio-v3.c). */
export const GICR_WAKER = {
  name: 'GICR_WAKER',
  offset: 0x0014,
  size: 4,
  access: WORD,
  fields: [
    { name: 'ProcessorSleep', lsb: 1, width: 1, text: (v) => (v === 1n ? 'asleep' : 'awake') },
    { name: 'ChildrenAsleep', lsb: 2, width: 1, text: (v) => (v === 1n ? 'quiescent' : 'the interface is awake') },
  ],
} as const satisfies Register

/** Memory attributes, which PROPBASER and PENDBASER share. */
const TABLE_FIELDS = [
  { name: 'InnerCache', lsb: 7, width: 3 },
  { name: 'Shareability', lsb: 10, width: 2 },
  { name: 'OuterCache', lsb: 56, width: 3 },
] as const satisfies readonly Field[]

export const GICR_PROPBASER = {
  name: 'GICR_PROPBASER',
  offset: 0x0070,
  size: 8,
  access: DOUBLEWORD,
  fields: [
    { name: 'IDbits', lsb: 0, width: 5, text: (v) => `INTIDs of ${v + 1n} bits` },
    ...TABLE_FIELDS,
    { name: 'Physical_Address', lsb: 12, width: 40, text: (v) => `0x${(v << 12n).toString(16)}` },
  ],
} as const satisfies Register

export const GICR_PENDBASER = {
  name: 'GICR_PENDBASER',
  offset: 0x0078,
  size: 8,
  access: DOUBLEWORD,
  fields: [
    ...TABLE_FIELDS,
    { name: 'Physical_Address', lsb: 16, width: 36, text: (v) => `0x${(v << 16n).toString(16)}` },
    { name: 'PTZ', lsb: 62, width: 1 },
  ],
} as const satisfies Register

/** Whose LPIs are invalidated, with virtual PEs (GICv4.1). */
const VIRTUAL_PE = [
  { name: 'vPEID', lsb: 32, width: 16 },
  { name: 'V', lsb: 63, width: 1, text: whether('of a virtual PE', 'of this CPU') },
] as const satisfies readonly Field[]

export const gicr = [
  GICR_CTLR,
  GICR_IIDR,
  GICR_TYPER,
  { name: 'GICR_STATUSR', offset: 0x0010, size: 4, access: WORD, fields: STATUS_FIELDS },
  GICR_WAKER,
  GICR_PROPBASER,
  GICR_PENDBASER,
  {
    name: 'GICR_INVLPIR',
    offset: 0x00a0,
    size: 8,
    access: DOUBLEWORD,
    fields: [{ name: 'INTID', lsb: 0, width: 32, text: (v) => `LPI ${v}` }, ...VIRTUAL_PE],
  },
  { name: 'GICR_INVALLR', offset: 0x00b0, size: 8, access: DOUBLEWORD, fields: VIRTUAL_PE },
  {
    name: 'GICR_SYNCR',
    offset: 0x00c0,
    size: 4,
    access: WORD,
    fields: [{ name: 'Busy', lsb: 0, width: 1, text: whether('invalidations are under way', 'nothing is under way') }],
  },
  ...identificationRegisters('GICR'),
  { name: 'GICR_IGROUPR0', offset: SGI_BASE + 0x0080, size: 4, access: WORD, perIrq: PER_IRQ.group },
  { name: 'GICR_ISENABLER0', offset: SGI_BASE + 0x0100, size: 4, access: WORD, perIrq: PER_IRQ.enable },
  { name: 'GICR_ICENABLER0', offset: SGI_BASE + 0x0180, size: 4, access: WORD, perIrq: PER_IRQ.enable },
  { name: 'GICR_ISPENDR0', offset: SGI_BASE + 0x0200, size: 4, access: WORD, perIrq: PER_IRQ.pending },
  { name: 'GICR_ICPENDR0', offset: SGI_BASE + 0x0280, size: 4, access: WORD, perIrq: PER_IRQ.pending },
  { name: 'GICR_ISACTIVER0', offset: SGI_BASE + 0x0300, size: 4, access: WORD, perIrq: PER_IRQ.active },
  { name: 'GICR_ICACTIVER0', offset: SGI_BASE + 0x0380, size: 4, access: WORD, perIrq: PER_IRQ.active },
  { name: 'GICR_IPRIORITYR', offset: SGI_BASE + 0x0400, size: 0x20, access: BYTE_OR_WORD, perIrq: PER_IRQ.priority },
  { name: 'GICR_ICFGR', offset: SGI_BASE + 0x0c00, size: 8, access: WORD, perIrq: PER_IRQ.config },
  { name: 'GICR_IGRPMODR0', offset: SGI_BASE + 0x0d00, size: 4, access: WORD, perIrq: PER_IRQ.groupModifier },
  { name: 'GICR_NSACR', offset: SGI_BASE + 0x0e00, size: 4, access: WORD, perIrq: PER_IRQ.nonSecureAccess },
] as const satisfies readonly Register[]

export type GicrName = (typeof gicr)[number]['name']

export const gicrFrame = registerFrame(gicr)
