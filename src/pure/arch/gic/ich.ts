/**
 * The hypervisor's side of the CPU interface: ICH_*_EL2 (GIC architecture IHI 0069, 12.4). They are system registers;
 * here are their fields.
 */
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
  { name: 'TDS', lsb: 19, width: 1 },
  { name: 'nV4', lsb: 20, width: 1 },
  { name: 'A3V', lsb: 21, width: 1, text: (v) => (v === 1n ? 'Aff3 in SGIs' : 'Aff3 is 0 in SGIs') },
  { name: 'SEIS', lsb: 22, width: 1 },
  { name: 'IDbits', lsb: 23, width: 3, text: (v) => `INTIDs of ${16n + 8n * v} bits` },
  { name: 'PREbits', lsb: 26, width: 3, text: (v) => `${v + 1n} bits preempt` },
  { name: 'PRIbits', lsb: 29, width: 3, text: (v) => `${v + 1n} bits of priority` },
])

export const ICH_VMCR = system('ICH_VMCR_EL2', [
  { name: 'VENG0', lsb: 0, width: 1 },
  { name: 'VENG1', lsb: 1, width: 1 },
  { name: 'VAckCtl', lsb: 2, width: 1 },
  { name: 'VFIQEn', lsb: 3, width: 1 },
  { name: 'VCBPR', lsb: 4, width: 1 },
  { name: 'VEOIM', lsb: 9, width: 1 },
  { name: 'VBPR1', lsb: 18, width: 3 },
  { name: 'VBPR0', lsb: 21, width: 3 },
  { name: 'VPMR', lsb: 24, width: 8 },
])

export const ICH_HCR = system('ICH_HCR_EL2', [
  { name: 'En', lsb: 0, width: 1 },
  { name: 'UIE', lsb: 1, width: 1, text: (v) => (v === 1n ? 'interrupts wait outside the list registers' : 'all fit') },
  { name: 'LRENPIE', lsb: 2, width: 1 },
  { name: 'NPIE', lsb: 3, width: 1 },
  { name: 'TC', lsb: 10, width: 1, text: (v) => (v === 1n ? 'common registers are trapped' : 'nothing is trapped') },
  { name: 'TALL0', lsb: 11, width: 1 },
  { name: 'TALL1', lsb: 12, width: 1 },
  { name: 'TDIR', lsb: 14, width: 1 },
  { name: 'EOIcount', lsb: 27, width: 5, text: (v) => `${v} ends of what is in no list register` },
])
