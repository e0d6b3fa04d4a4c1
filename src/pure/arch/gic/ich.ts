/**
 * The hypervisor's side of the CPU interface: ICH_*_EL2 (GIC architecture IHI 0069, 12.4). They are system registers;
 * here are their fields.
 */
import { whether } from '../register.ts'
import type { Register } from '../register.ts'
import { sysregEncoding } from '../sysregs/encoding.ts'

/** ICH_LR<n>_EL2 and ICH_AP<g>R<n>_EL2 that an implementation may have. */
export const MAX_LIST_REGISTERS = 16
export const MAX_ACTIVE_PRIORITIES = 4

const each = (count: number, make: (n: number) => readonly [string, number]): Readonly<Record<string, number>> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => make(n)))

export const ICH_HCR_EL2 = sysregEncoding(3, 4, 12, 11, 0)
export const ICH_VTR_EL2 = sysregEncoding(3, 4, 12, 11, 1)
export const ICH_ELRSR_EL2 = sysregEncoding(3, 4, 12, 11, 5)
export const ICH_VMCR_EL2 = sysregEncoding(3, 4, 12, 11, 7)
export const ICH_APR_EL2 = (group: 0 | 1, n: number): number => sysregEncoding(3, 4, 12, 8 + group, n)
/** Words of ICH_AP<g>R<n>_EL2, and so of ICC_AP<g>R<n>_EL1, for so many bits that preempt (12.4.1). */
export const activePriorityWords = (preemptionBits: number): number => 1 << Math.max(0, preemptionBits - 5)
export const ICH_LR_EL2 = (n: number): number => sysregEncoding(3, 4, 12, 12 + (n >> 3), n & 7)

/** Their encodings by their names (12.4). */
export const ICH: Readonly<Record<string, number>> = {
  ICH_HCR_EL2,
  ICH_VTR_EL2,
  ICH_VMCR_EL2,
  ICH_ELRSR_EL2,
  ...each(MAX_ACTIVE_PRIORITIES, (n) => [`ICH_AP0R${n}_EL2`, ICH_APR_EL2(0, n)]),
  ...each(MAX_ACTIVE_PRIORITIES, (n) => [`ICH_AP1R${n}_EL2`, ICH_APR_EL2(1, n)]),
  ...each(MAX_LIST_REGISTERS, (n) => [`ICH_LR${n}_EL2`, ICH_LR_EL2(n)]),
}

const system = <const Fields extends NonNullable<Register['fields']>>(name: string, fields: Fields) =>
  ({ name, offset: 0, size: 8, access: [], fields }) as const satisfies Register

const LR_STATES = ['empty', 'pending', 'active', 'pending and active']
/** ICH_LR<n>_EL2.State. */
export const LR_STATE = { pending: 1, active: 2 } as const

/** A list register; of an SGI of a GICv2 the source is in bits 12:10 of vINTID. */
export const ICH_LR = system('ICH_LR<n>_EL2', [
  { name: 'vINTID', lsb: 0, width: 32, text: (v) => `INTID ${v & 0x3ffn}` },
  { name: 'pINTID', lsb: 32, width: 10, text: (v) => `${v}` },
  { name: 'Priority', lsb: 48, width: 8 },
  { name: 'Group', lsb: 60, width: 1, text: (v) => `Group ${v}` },
  { name: 'HW', lsb: 61, width: 1, text: (v) => (v === 1n ? 'a physical interrupt' : 'a virtual interrupt') },
  { name: 'State', lsb: 62, width: 2, text: (v) => LR_STATES[Number(v)] ?? '' },
])

/** Where HW is 0: whether the end of the interrupt is a maintenance interrupt. It lies in pINTID. */
export const LR_EOI = { pINTID: 1 << 9 } as const
export const LR_SOURCE_LSB = 10

export const ICH_VTR = system('ICH_VTR_EL2', [
  { name: 'ListRegs', lsb: 0, width: 5, text: (v) => `${v + 1n} list registers` },
  { name: 'DVIM', lsb: 18, width: 1 },
  { name: 'TDS', lsb: 19, width: 1, text: whether('ICC_DIR_EL1 can be trapped by itself', 'it cannot') },
  { name: 'nV4', lsb: 20, width: 1, text: whether('no virtual LPIs by hardware', 'virtual LPIs by hardware') },
  { name: 'A3V', lsb: 21, width: 1, text: (v) => (v === 1n ? 'Aff3 in SGIs' : 'Aff3 is 0 in SGIs') },
  { name: 'SEIS', lsb: 22, width: 1, text: whether('SErrors by the GIC', 'no SErrors by the GIC') },
  { name: 'IDbits', lsb: 23, width: 3, text: (v) => `INTIDs of ${16n + 8n * v} bits` },
  { name: 'PREbits', lsb: 26, width: 3, text: (v) => `${v + 1n} bits preempt` },
  { name: 'PRIbits', lsb: 29, width: 3, text: (v) => `${v + 1n} bits of priority` },
])

/** What the guest's CPU interface shows and is set to. */
export const ICH_VMCR = system('ICH_VMCR_EL2', [
  { name: 'VENG0', lsb: 0, width: 1, text: whether('Group 0 is signalled', 'Group 0 is not signalled') },
  { name: 'VENG1', lsb: 1, width: 1, text: whether('Group 1 is signalled', 'Group 1 is not signalled') },
  { name: 'VAckCtl', lsb: 2, width: 1, text: whether('an acknowledge takes both groups', 'it takes Group 0') },
  { name: 'VFIQEn', lsb: 3, width: 1, text: whether('Group 0 is an FIQ', 'Group 0 is an IRQ') },
  { name: 'VCBPR', lsb: 4, width: 1, text: whether('VBPR0 serves both groups', 'Group 1 has VBPR1') },
  { name: 'VEOIM', lsb: 9, width: 1, text: whether('EOI drops the priority only', 'EOI deactivates too') },
  { name: 'VBPR1', lsb: 18, width: 3 },
  { name: 'VBPR0', lsb: 21, width: 3 },
  {
    name: 'VPMR',
    lsb: 24,
    width: 8,
    text: (v) => `priorities under 0x${v.toString(16).padStart(2, '0')} are signalled`,
  },
])

const maintenance = (when: string) => whether(`maintenance interrupt when ${when}`, 'no maintenance interrupt')
const traps = (what: string) => whether(`${what} trapped`, `${what} not trapped`)
export const ICH_HCR = system('ICH_HCR_EL2', [
  { name: 'En', lsb: 0, width: 1, text: whether('the virtual interface is on', 'the virtual interface is off') },
  { name: 'UIE', lsb: 1, width: 1, text: (v) => (v === 1n ? 'interrupts wait outside the list registers' : 'all fit') },
  { name: 'LRENPIE', lsb: 2, width: 1, text: maintenance('EOIcount is not 0') },
  { name: 'NPIE', lsb: 3, width: 1, text: maintenance('nothing is pending') },
  { name: 'VGrp0EIE', lsb: 4, width: 1, text: maintenance('Group 0 is enabled') },
  { name: 'VGrp0DIE', lsb: 5, width: 1, text: maintenance('Group 0 is disabled') },
  { name: 'VGrp1EIE', lsb: 6, width: 1, text: maintenance('Group 1 is enabled') },
  { name: 'VGrp1DIE', lsb: 7, width: 1, text: maintenance('Group 1 is disabled') },
  { name: 'TC', lsb: 10, width: 1, text: traps('registers of both groups are') },
  { name: 'TALL0', lsb: 11, width: 1, text: traps('registers of Group 0 are') },
  { name: 'TALL1', lsb: 12, width: 1, text: traps('registers of Group 1 are') },
  { name: 'TSEI', lsb: 13, width: 1 },
  { name: 'TDIR', lsb: 14, width: 1, text: traps('ICC_DIR_EL1 is') },
  { name: 'EOIcount', lsb: 27, width: 5, text: (v) => `${v} ends of what is in no list register` },
])
