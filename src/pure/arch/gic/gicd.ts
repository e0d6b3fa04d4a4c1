/** The distributor's registers (GIC architecture IHI 0069, 12.9; offsets from GICD_base). */
import { affinityText, irouterAffinity } from '../affinity.ts'
import { BYTE_OR_WORD, DOUBLEWORD, registerFrame, whether, WORD } from '../register.ts'
import type { Register } from '../register.ts'
import { identificationRegisters } from './identification.ts'
import { IIDR_FIELDS } from './iidr.ts'
import { PER_IRQ } from './per-irq.ts'
import { STATUS_FIELDS } from './status.ts'

export const GICD_SIZE = 0x10000

export const GICD_CTLR = {
  name: 'GICD_CTLR',
  offset: 0x0000,
  size: 4,
  access: WORD,
  fields: [
    { name: 'EnableGrp0', lsb: 0, width: 1 },
    { name: 'EnableGrp1', lsb: 1, width: 1, text: whether('Group 1 interrupts are forwarded', 'nothing is forwarded') },
    { name: 'ARE', lsb: 4, width: 1, text: whether('affinity routing', 'legacy routing') },
    { name: 'DS', lsb: 6, width: 1, text: whether('one Security state', 'two Security states') },
    { name: 'nASSGIreq', lsb: 8, width: 1 },
    { name: 'RWP', lsb: 31, width: 1 },
  ],
} as const satisfies Register

export const GICD_TYPER = {
  name: 'GICD_TYPER',
  offset: 0x0004,
  size: 4,
  access: WORD,
  fields: [
    { name: 'ITLinesNumber', lsb: 0, width: 5, text: (value) => `INTIDs up to ${32n * (value + 1n) - 1n}` },
    { name: 'CPUNumber', lsb: 5, width: 3 },
    { name: 'ESPI', lsb: 8, width: 1, text: whether('extended SPIs', 'no extended SPIs') },
    { name: 'SecurityExtn', lsb: 10, width: 1 },
    { name: 'num_LPIs', lsb: 11, width: 5 },
    { name: 'MBIS', lsb: 16, width: 1, text: whether('SPIs by message', 'no SPIs by message') },
    { name: 'LPIS', lsb: 17, width: 1, text: whether('LPIs', 'no LPIs') },
    { name: 'DVIS', lsb: 18, width: 1 },
    { name: 'IDbits', lsb: 19, width: 5, text: (value) => `INTIDs of ${value + 1n} bits` },
    { name: 'A3V', lsb: 24, width: 1, text: whether('GICD_IROUTER has Aff3', 'Aff3 is 0 in GICD_IROUTER') },
    { name: 'No1N', lsb: 25, width: 1, text: whether('no 1-of-N SPIs', '1-of-N SPIs') },
    { name: 'RSS', lsb: 26, width: 1, text: whether('SGIs reach Aff0 0 to 255', 'SGIs reach Aff0 0 to 15') },
    { name: 'ESPI_range', lsb: 27, width: 5 },
  ],
} as const satisfies Register

export const GICD_IIDR = {
  name: 'GICD_IIDR',
  offset: 0x0008,
  size: 4,
  access: WORD,
  fields: IIDR_FIELDS,
} as const satisfies Register

export const GICD_IROUTER = {
  name: 'GICD_IROUTER',
  offset: 0x6000,
  size: 0x2000,
  access: DOUBLEWORD,
  perIrq: { bits: 64 },
  fields: [
    { name: 'Aff0', lsb: 0, width: 8 },
    { name: 'Aff1', lsb: 8, width: 8 },
    { name: 'Aff2', lsb: 16, width: 8 },
    { name: 'Interrupt_Routing_Mode', lsb: 31, width: 1, text: whether('any CPU', 'the CPU with this affinity') },
    { name: 'Aff3', lsb: 32, width: 8 },
  ],
} as const satisfies Register

/** `0.0.0.2`, what a GICD_IROUTER value says. */
export const irouterText = (value: bigint): string => affinityText(irouterAffinity.decode(value))

/** The banks that every distributor has at the same places, GICv2's too (IHI 0048, 4.3). */
export const GICD_BANKS = [
  { name: 'GICD_IGROUPR', offset: 0x0080, size: 0x80, access: WORD, perIrq: PER_IRQ.group },
  { name: 'GICD_ISENABLER', offset: 0x0100, size: 0x80, access: WORD, perIrq: PER_IRQ.enable },
  { name: 'GICD_ICENABLER', offset: 0x0180, size: 0x80, access: WORD, perIrq: PER_IRQ.enable },
  { name: 'GICD_ISPENDR', offset: 0x0200, size: 0x80, access: WORD, perIrq: PER_IRQ.pending },
  { name: 'GICD_ICPENDR', offset: 0x0280, size: 0x80, access: WORD, perIrq: PER_IRQ.pending },
  { name: 'GICD_ISACTIVER', offset: 0x0300, size: 0x80, access: WORD, perIrq: PER_IRQ.active },
  { name: 'GICD_ICACTIVER', offset: 0x0380, size: 0x80, access: WORD, perIrq: PER_IRQ.active },
  { name: 'GICD_IPRIORITYR', offset: 0x0400, size: 0x400, access: BYTE_OR_WORD, perIrq: PER_IRQ.priority },
  { name: 'GICD_ITARGETSR', offset: 0x0800, size: 0x400, access: BYTE_OR_WORD, perIrq: PER_IRQ.targets },
  { name: 'GICD_ICFGR', offset: 0x0c00, size: 0x100, access: WORD, perIrq: PER_IRQ.config },
] as const satisfies readonly Register[]

export const gicd = [
  GICD_CTLR,
  GICD_TYPER,
  GICD_IIDR,
  {
    name: 'GICD_TYPER2',
    offset: 0x000c,
    size: 4,
    access: WORD,
    fields: [
      { name: 'VID', lsb: 0, width: 5 },
      { name: 'VIL', lsb: 7, width: 1 },
      { name: 'nASSGIcap', lsb: 8, width: 1 },
    ],
  },
  { name: 'GICD_STATUSR', offset: 0x0010, size: 4, access: WORD, fields: STATUS_FIELDS },
  ...GICD_BANKS,
  { name: 'GICD_IGRPMODR', offset: 0x0d00, size: 0x80, access: WORD, perIrq: PER_IRQ.groupModifier },
  GICD_IROUTER,
  ...identificationRegisters('GICD'),
] as const satisfies readonly Register[]

export type GicdName = (typeof gicd)[number]['name']

export const gicdFrame = registerFrame(gicd)
