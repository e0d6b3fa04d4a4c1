/**
 * A GICv2 CPU interface's registers (GIC architecture IHI 0048, 4.4 and 5.5; offsets from GICC_base). A guest of KVM
 * finds the hardware's virtual interface there, GICV, which has the layout of the physical one.
 */
import { registerFrame, whether, WORD } from '../register.ts'
import type { Register } from '../register.ts'

/** KVM_VGIC_V2_CPU_SIZE: GICC_DIR lies in the second page. */
export const GICC_SIZE = 0x2000

export const GICC_CTLR = {
  name: 'GICC_CTLR',
  offset: 0x0000,
  size: 4,
  access: WORD,
  fields: [
    { name: 'EnableGrp0', lsb: 0, width: 1, text: whether('Group 0 is signalled', 'Group 0 is not signalled') },
    { name: 'EnableGrp1', lsb: 1, width: 1, text: whether('Group 1 is signalled', 'Group 1 is not signalled') },
    {
      name: 'AckCtl',
      lsb: 2,
      width: 1,
      text: whether('GICC_IAR acknowledges both groups', 'GICC_IAR acknowledges Group 0'),
    },
    { name: 'FIQEn', lsb: 3, width: 1, text: whether('Group 0 is an FIQ', 'Group 0 is an IRQ') },
    { name: 'CBPR', lsb: 4, width: 1, text: whether('GICC_BPR serves both groups', 'Group 1 has GICC_ABPR') },
    {
      name: 'EOImode',
      lsb: 9,
      width: 1,
      text: whether('GICC_EOIR drops the priority only', 'GICC_EOIR deactivates too'),
    },
  ],
} as const satisfies Register

/** GICC_IAR, GICC_AIAR, GICC_EOIR, GICC_AEOIR, GICC_DIR, GICC_HPPIR and GICC_AHPPIR have one layout. */
const INTERRUPT_FIELDS = [
  { name: 'INTID', lsb: 0, width: 10 },
  { name: 'CPUID', lsb: 10, width: 3, text: (v) => `from CPU ${v}` },
] as const satisfies Register['fields']

const interrupt = <const Name extends string>(name: Name, offset: number) =>
  ({ name, offset, size: 4, access: WORD, fields: INTERRUPT_FIELDS }) as const satisfies Register

export const GICC_IAR = interrupt('GICC_IAR', 0x000c)

/** GICC_PMR has five bits, 7:3 of a priority (GICV_PMR). */
export const GICC_PRIORITY_LSB = 3
/** Virtual priorities of a GICv2: 32 levels. */
export const GICV_PRIORITY_BITS = 5

export const GICC_IIDR = {
  name: 'GICC_IIDR',
  offset: 0x00fc,
  size: 4,
  access: WORD,
  fields: [
    { name: 'Implementer', lsb: 0, width: 12 },
    { name: 'Revision', lsb: 12, width: 4 },
    { name: 'Architecture_version', lsb: 16, width: 4, text: (v) => `GICv${v}` },
    { name: 'ProductID', lsb: 20, width: 12 },
  ],
} as const satisfies Register

export const gicc = [
  GICC_CTLR,
  { name: 'GICC_PMR', offset: 0x0004, size: 4, access: WORD, fields: [{ name: 'Priority', lsb: 0, width: 8 }] },
  { name: 'GICC_BPR', offset: 0x0008, size: 4, access: WORD, fields: [{ name: 'Binary_point', lsb: 0, width: 3 }] },
  GICC_IAR,
  interrupt('GICC_EOIR', 0x0010),
  { name: 'GICC_RPR', offset: 0x0014, size: 4, access: WORD, fields: [{ name: 'Priority', lsb: 0, width: 8 }] },
  interrupt('GICC_HPPIR', 0x0018),
  { name: 'GICC_ABPR', offset: 0x001c, size: 4, access: WORD, fields: [{ name: 'Binary_point', lsb: 0, width: 3 }] },
  interrupt('GICC_AIAR', 0x0020),
  interrupt('GICC_AEOIR', 0x0024),
  interrupt('GICC_AHPPIR', 0x0028),
  {
    name: 'GICC_APR',
    offset: 0x00d0,
    size: 0x10,
    each: 4,
    access: WORD,
    fields: [{ name: 'Active_priorities', lsb: 0, width: 32 }],
  },
  GICC_IIDR,
  interrupt('GICC_DIR', 0x1000),
] as const satisfies readonly Register[]

export type GiccName = (typeof gicc)[number]['name']

export const giccFrame = registerFrame(gicc)
