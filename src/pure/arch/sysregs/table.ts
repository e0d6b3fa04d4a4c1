/** Every system register of the CPU itself, and where those that are kept have their slot. */
import { debug } from './debug.ts'
import { el1 } from './el1.ts'
import { DCZID, identification } from './identification.ts'
import { performanceMonitors } from './pmu.ts'
import type { SysregRow } from './sysreg.ts'

export const sysregs: readonly SysregRow[] = [...identification, ...el1, ...debug, ...performanceMonitors]

/** Registers that live in a slot although reading or writing them does more. */
const BANKED = ['SP_EL0', 'SP_EL1', 'CPACR_EL1', 'DAIF'] as const

/**
 * Not registers: which bits of an address pointer authentication uses for its code (in the lower and the upper half of the
 * address space, of instructions and of data), and the number of the bit that tells the halves apart. They follow TCR_EL1.
 * SYSREG_CONCERNS is not 0 where an access to a register may be more than that: at EL0, while an interrupt is pending, while
 * debug is in use, while writes are traced.
 */
export const DERIVED = [
  'PAC_FIELD_I0',
  'PAC_FIELD_I1',
  'PAC_SELECTOR_I',
  'PAC_FIELD_D0',
  'PAC_FIELD_D1',
  'PAC_SELECTOR_D',
  'SYSREG_CONCERNS',
] as const

const names = [...BANKED, ...DERIVED, ...sysregs.filter((row) => row.is.kind === 'stored').map((row) => row.name)]
const slots = new Map(names.map((name, slot) => [name, slot]))

export const slotCount = names.length

/** The slot, from 0, of a register that is kept in memory. */
export function slotOf(name: string): number {
  const slot = slots.get(name)
  if (slot === undefined) throw new Error(`${name} has no slot`)
  return slot
}

const named = new Map(sysregs.map((row) => [row.name, row]))

/** A register of the CPU itself. */
export function sysregNamed(name: string): SysregRow {
  const row = named.get(name)
  if (row === undefined) throw new Error(`no register ${name}`)
  return row
}

/**
 * Reads that are frequent enough for a handler of their own: a plain load of the slot. SP_EL0 is where
 * Linux keeps the current task, TPIDR_EL1 the offset of the CPU's variables.
 */
const HOT_READS = [
  'SP_EL0',
  'TPIDR_EL1',
  'TPIDR_EL0',
  'TPIDRRO_EL0',
  'TTBR1_EL1',
  'ELR_EL1',
  'SPSR_EL1',
  'ESR_EL1',
  'FAR_EL1',
]
const hot = new Map(
  sysregs.filter((row) => HOT_READS.includes(row.name)).map((row) => [row.encoding, slotOf(row.name)]),
)

/** Writes that are: Linux writes them at each entry to the kernel and each return. All bits are kept on every CPU. */
const HOT_WRITES = ['SP_EL0', 'ELR_EL1', 'TPIDRRO_EL0', 'TPIDR_EL0', 'TPIDR_EL1']
const hotWrites = new Map(
  sysregs.filter((row) => HOT_WRITES.includes(row.name)).map((row) => [row.encoding, slotOf(row.name)]),
)

/** The slot that an MSR of this encoding may write straight away at EL1; `undefined`: it must go to the register file. */
export const hotWriteSlot = (encoding: number): number | undefined => hotWrites.get(encoding)

const constants = new Map<number, bigint>([
  [sysregNamed('DCZID_EL0').encoding, DCZID.BS],
  ...sysregs.flatMap(({ encoding, is }): [number, bigint][] => (is.kind === 'constant' ? [[encoding, is.value]] : [])),
])

/** What an MRS of this encoding reads at EL1 on every CPU; `undefined`: that is not always the same. */
export const constantAtEl1 = (encoding: number): bigint | undefined => constants.get(encoding)

/** The slot that an MRS of this encoding may read straight away; `undefined`: it must ask the register file. */
export const hotReadSlot = (encoding: number): number | undefined => hot.get(encoding)
