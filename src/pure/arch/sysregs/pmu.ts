/** The performance monitors, PMUv3 (Arm ARM D11, D24.5). */
import { special } from './sysreg.ts'
import type { SysregRow } from './sysreg.ts'

/** Event counters beside the cycle counter: PMCR_EL0.N. */
export const EVENT_COUNTERS = 6
/** The cycle counter's bit in the registers that have one for each counter. */
export const CYCLE_COUNTER = 31

/** PMCR_EL0. */
export const PMCR = { E: 1, P: 2, C: 4, D: 8, X: 0x10, DP: 0x20, LC: 0x40, N_LSB: 11, IMP_LSB: 24 } as const
/** PMUSERENR_EL0: EL0 may use all; software increment; read the cycle counter; read the event counters. */
export const PMUSERENR = { EN: 1, SW: 2, CR: 4, ER: 8 } as const
/** PMEVTYPER<n>_EL0, PMCCFILTR_EL0: EL1 and EL0 are not counted. */
export const FILTER = { P: 0x8000_0000, U: 0x4000_0000 } as const

/** The events that are counted (D11.11), by their numbers. An instruction takes a cycle. */
export const EVENTS = {
  SW_INCR: 0x00,
  INST_RETIRED: 0x08,
  EXC_TAKEN: 0x09,
  EXC_RETURN: 0x0a,
  CPU_CYCLES: 0x11,
  CHAIN: 0x1e,
} as const

const feature = 'FEAT_PMUv3' as const
const perCounter = (name: string, base: number): SysregRow[] =>
  Array.from({ length: EVENT_COUNTERS }, (_, n) =>
    special(`${name}${n}_EL0`, [3, 3, 14, base + (n >> 3), n & 7], { feature }),
  )

export const performanceMonitors: readonly SysregRow[] = [
  special('PMCR_EL0', [3, 3, 9, 12, 0], { feature }),
  special('PMCNTENSET_EL0', [3, 3, 9, 12, 1], { feature }),
  special('PMCNTENCLR_EL0', [3, 3, 9, 12, 2], { feature }),
  special('PMOVSCLR_EL0', [3, 3, 9, 12, 3], { feature }),
  special('PMSWINC_EL0', [3, 3, 9, 12, 4], { feature, writeOnly: true }),
  special('PMSELR_EL0', [3, 3, 9, 12, 5], { feature }),
  special('PMCEID0_EL0', [3, 3, 9, 12, 6], { feature, readOnly: true }),
  special('PMCEID1_EL0', [3, 3, 9, 12, 7], { feature, readOnly: true }),
  special('PMCCNTR_EL0', [3, 3, 9, 13, 0], { feature }),
  special('PMXEVTYPER_EL0', [3, 3, 9, 13, 1], { feature }),
  special('PMXEVCNTR_EL0', [3, 3, 9, 13, 2], { feature }),
  special('PMUSERENR_EL0', [3, 3, 9, 14, 0], { feature, write: 1 }),
  special('PMOVSSET_EL0', [3, 3, 9, 14, 3], { feature }),
  special('PMINTENSET_EL1', [3, 0, 9, 14, 1], { feature }),
  special('PMINTENCLR_EL1', [3, 0, 9, 14, 2], { feature }),
  ...perCounter('PMEVCNTR', 8),
  ...perCounter('PMEVTYPER', 12),
  special('PMCCFILTR_EL0', [3, 3, 14, 15, 7], { feature }),
]

/** What a hypervisor saves of them: of registers that set and clear the same bits, the one that sets. */
export const SAVED_PMU_REGISTERS: readonly string[] = performanceMonitors
  .map(({ name }) => name)
  .filter((name) => !/CLR|SWINC|PMX|CEID/.test(name))
