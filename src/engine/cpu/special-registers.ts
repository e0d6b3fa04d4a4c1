/** System registers that are a part of PSTATE, computed, or more than a value that is kept: what their reads and writes do. */
import type { CpuModel } from '../../pure/arch/cpu/models.ts'
import { OSLSR } from '../../pure/arch/sysregs/debug.ts'
import { DCZID, cacheSizes } from '../../pure/arch/sysregs/identification.ts'
import { setMode } from './exceptions.ts'
import { bank } from './layout.ts'
import type { Pmu } from './pmu.ts'
import { slots } from './slots.ts'
import { DAIF_MASK } from './state.ts'
import type { CpuState, Registers } from './state.ts'

/** What the registers do to the rest of the CPU. */
export interface SysregEffects {
  /** What decides over translation or traps has changed. */
  contextChanged(cpu: CpuState): void
  /** PSTATE decides otherwise over accesses. */
  levelChanged(cpu: CpuState): void
  readonly pmu: Pmu
  /** Instructions that a CPU has executed, the one under way included. */
  executed(cpu: CpuState): number
  tlbi(va: bigint | undefined, asid: number | undefined): void
  /** Forgets the code at an address, or all; false: the instruction does not simply end. */
  icInvalidate(va: bigint | undefined): boolean
  /** Data cache maintenance at an address; false: an abort is pending. */
  dcMaintain(va: bigint, write: boolean): boolean
  /** PAR_EL1 for an address. */
  addressTranslate(va: bigint, write: boolean, el: 0 | 1, pan: boolean): bigint
  /** PSTATE.DAIF has changed. */
  maskChanged(cpu: CpuState): void
}

export type Refused = 'undefined' | 'trap'

export interface Special {
  read(cpu: CpuState): bigint | Refused
  write?(cpu: CpuState, value: bigint): void | Refused
}

/** PSTATE's position in the NZCV register (C5.2). */
const NZCV_LSB = 28n
const EL_LSB = 2n
/** CPACR_EL1.TTA and FPEN. */
const CPACR_MASK = (3n << 20n) | (1n << 28n)
const ISR_I = 1n << 7n
const ISR_F = 1n << 6n
const ISR_A = 1n << 8n
/** Their places in the registers of their names, which are those in SPSR_EL1. */
const [PAN_LSB, UAO_LSB, DIT_LSB, SSBS_LSB] = [22n, 23n, 24n, 12n] as const
const SCTLR_DZE = 14
/** AHP, DN, FZ, RMode; no exception can be trapped. */
const FPCR_MASK = 0x07c0_0000n
const FPCR_FZ16 = 1n << 19n
/** QC and the cumulative exceptions. */
const FPSR_MASK = 0x0800_009fn

/** By name. `trapped`: whether EL0 is kept from a register by this bit of SCTLR_EL1. */
export function specialRegisters(
  r: Registers,
  model: CpuModel,
  effects: SysregEffects,
  trapped: (cpu: CpuState, control: number) => boolean,
): Readonly<Record<string, Special>> {
  /** The same sequence in each run: a mix (SplitMix64's) of which instruction of which CPU asks. NZCV says that there was a number. */
  const randomNumber = (cpu: CpuState): bigint => {
    let z = BigInt.asUintN(64, (BigInt(effects.executed(cpu)) + (BigInt(cpu.index) << 53n)) * 0x9e37_79b9_7f4a_7c15n)
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn)
    r.nzcv = 0
    return z ^ (z >> 31n)
  }

  /** A register that is a slot, some bits of which can be written. */
  const slot = (address: number, mask: bigint): Special => ({
    read: () => r.at(address),
    write: (_cpu, value) => r.setAt(address, value & mask),
  })
  return {
    MIDR_EL1: { read: () => model.midr },
    MPIDR_EL1: { read: (cpu) => cpu.mpidr },
    CCSIDR_EL1: { read: () => cacheSizes[Number(r.at(slots.CSSELR_EL1))] ?? 0n },
    CPACR_EL1: {
      read: () => r.at(slots.CPACR_EL1),
      write: (cpu, value) => {
        r.setAt(slots.CPACR_EL1, value & CPACR_MASK)
        effects.contextChanged(cpu)
      },
    },
    SP_EL0: {
      read: (cpu) => (cpu.spsel === 0 ? 'undefined' : r.at(slots.SP_EL0)),
      write: (cpu, value) => (cpu.spsel === 0 ? 'undefined' : r.setAt(slots.SP_EL0, value)),
    },
    SPSel: {
      read: (cpu) => BigInt(cpu.spsel),
      write: (cpu, value) => setMode(cpu, r, cpu.el, (value & 1n) === 1n ? 1 : 0),
    },
    ...effects.pmu.specials(),
    PAN: {
      read: (cpu) => BigInt(cpu.pan) << PAN_LSB,
      write: (cpu, value) => {
        cpu.pan = Number((value >> PAN_LSB) & 1n)
        effects.levelChanged(cpu)
      },
    },
    UAO: {
      read: (cpu) => BigInt(cpu.uao) << UAO_LSB,
      write: (cpu, value) => {
        cpu.uao = Number((value >> UAO_LSB) & 1n)
        effects.levelChanged(cpu)
      },
    },
    DIT: {
      read: (cpu) => BigInt(cpu.dit) << DIT_LSB,
      write: (cpu, value) => {
        cpu.dit = Number((value >> DIT_LSB) & 1n)
      },
    },
    SSBS: {
      read: (cpu) => BigInt(cpu.ssbs) << SSBS_LSB,
      write: (cpu, value) => {
        cpu.ssbs = Number((value >> SSBS_LSB) & 1n)
      },
    },
    RNDR: { read: (cpu) => randomNumber(cpu) },
    RNDRRS: { read: (cpu) => randomNumber(cpu) },
    OSLAR_EL1: {
      read: () => 'undefined',
      write: (cpu, value) => {
        r.setAt(slots.OSLSR_EL1, OSLSR.OSLM | ((value & 1n) === 1n ? OSLSR.OSLK : 0n))
        effects.contextChanged(cpu)
      },
    },
    DCZID_EL0: { read: (cpu) => DCZID.BS | (trapped(cpu, SCTLR_DZE) ? DCZID.DZP : 0n) },
    CurrentEL: { read: (cpu) => BigInt(cpu.el) << EL_LSB },
    ISR_EL1: {
      read: (cpu) => (cpu.irq ? ISR_I : 0n) | (cpu.fiq ? ISR_F : 0n) | (cpu.serror === undefined ? 0n : ISR_A),
    },
    NZCV: {
      read: () => BigInt(r.nzcv) << NZCV_LSB,
      write: (_cpu, value) => {
        r.nzcv = Number((value >> NZCV_LSB) & 15n)
      },
    },
    DAIF: {
      read: () => r.at(slots.DAIF),
      write: (cpu, value) => {
        r.setAt(slots.DAIF, value & DAIF_MASK)
        effects.maskChanged(cpu)
      },
    },
    FPCR: slot(bank.FPCR, FPCR_MASK | (model.features.has('FEAT_FP16') ? FPCR_FZ16 : 0n)),
    FPSR: slot(bank.FPSR, FPSR_MASK),
  }
}
