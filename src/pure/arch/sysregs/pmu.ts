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

/** The common events (D11.11), each at its number. */
export const COMMON_EVENTS = [
  'SW_INCR',
  'L1I_CACHE_REFILL',
  'L1I_TLB_REFILL',
  'L1D_CACHE_REFILL',
  'L1D_CACHE',
  'L1D_TLB_REFILL',
  'LD_RETIRED',
  'ST_RETIRED',
  'INST_RETIRED',
  'EXC_TAKEN',
  'EXC_RETURN',
  'CID_WRITE_RETIRED',
  'PC_WRITE_RETIRED',
  'BR_IMMED_RETIRED',
  'BR_RETURN_RETIRED',
  'UNALIGNED_LDST_RETIRED',
  'BR_MIS_PRED',
  'CPU_CYCLES',
  'BR_PRED',
  'MEM_ACCESS',
  'L1I_CACHE',
  'L1D_CACHE_WB',
  'L2D_CACHE',
  'L2D_CACHE_REFILL',
  'L2D_CACHE_WB',
  'BUS_ACCESS',
  'MEMORY_ERROR',
  'INST_SPEC',
  'TTBR_WRITE_RETIRED',
  'BUS_CYCLES',
  'CHAIN',
  'L1D_CACHE_ALLOCATE',
  'L2D_CACHE_ALLOCATE',
  'BR_RETIRED',
  'BR_MIS_PRED_RETIRED',
  'STALL_FRONTEND',
  'STALL_BACKEND',
  'L1D_TLB',
  'L1I_TLB',
  'L2I_CACHE',
  'L2I_CACHE_REFILL',
  'L3D_CACHE_ALLOCATE',
  'L3D_CACHE_REFILL',
  'L3D_CACHE',
  'L3D_CACHE_WB',
  'L2D_TLB_REFILL',
  'L2I_TLB_REFILL',
  'L2D_TLB',
  'L2I_TLB',
  'REMOTE_ACCESS',
  'LL_CACHE',
  'LL_CACHE_MISS',
  'DTLB_WALK',
  'ITLB_WALK',
  'LL_CACHE_RD',
  'LL_CACHE_MISS_RD',
  'REMOTE_ACCESS_RD',
  'L1D_CACHE_LMISS_RD',
  'OP_RETIRED',
  'OP_SPEC',
  'STALL',
  'STALL_SLOT_BACKEND',
  'STALL_SLOT_FRONTEND',
  'STALL_SLOT',
] as const

const eventNumber = (name: (typeof COMMON_EVENTS)[number]): number => COMMON_EVENTS.indexOf(name)

/** Those that are counted here, by their numbers. An instruction takes a cycle. */
export const EVENTS = {
  SW_INCR: eventNumber('SW_INCR'),
  INST_RETIRED: eventNumber('INST_RETIRED'),
  EXC_TAKEN: eventNumber('EXC_TAKEN'),
  EXC_RETURN: eventNumber('EXC_RETURN'),
  CPU_CYCLES: eventNumber('CPU_CYCLES'),
  CHAIN: eventNumber('CHAIN'),
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
