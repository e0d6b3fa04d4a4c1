/** Taking and returning from exceptions between EL0 and EL1 (Arm ARM D1.3, D1.4). */
import { setBranchType } from './branch-target.ts'
import { bank, mode } from './layout.ts'
import { daif } from './state.ts'
import type { CpuState, Registers } from './state.ts'
import { slots } from './slots.ts'

export const vector = { SYNC: 0x000, IRQ: 0x080, FIQ: 0x100, SERROR: 0x180 } as const

const MODE = { EL0t: 0b0000, EL1t: 0b0100, EL1h: 0b0101 } as const

/** Fields of SPSR_EL1 (C5.2.18). */
const SPSR = {
  NZCV: 28,
  DIT: 24,
  UAO: 23,
  PAN: 22,
  SS: 21,
  IL: 20,
  SSBS: 12,
  BTYPE: 10,
  DAIF: 6,
  M_MASK: 0x1f,
} as const
/** SCTLR_EL1: the CPU keeps PAN on an exception; SSBS on an exception. */
const SCTLR = { SPAN: 23, DSSBS: 44 } as const

/** Changes exception level and stack pointer; the stack pointer that was current goes to its own register. */
export function setMode(cpu: CpuState, r: Registers, el: 0 | 1, spsel: 0 | 1): void {
  const SP = 31
  r.setAt(cpu.spsel === 0 ? slots.SP_EL0 : slots.SP_EL1, r.x(SP))
  cpu.el = el
  cpu.spsel = spsel
  r.i32[bank.MODE >>> 2] = el === 0 ? mode.EL0 : spsel === 1 ? mode.EL1H : mode.EL1T
  r.setX(SP, r.at(spsel === 0 ? slots.SP_EL0 : slots.SP_EL1))
}

/** PSTATE as SPSR_EL1 holds it. */
export const savedState = (cpu: CpuState, r: Registers, branchType: number): number =>
  ((r.nzcv << SPSR.NZCV) |
    (cpu.dit << SPSR.DIT) |
    (cpu.uao << SPSR.UAO) |
    (cpu.pan << SPSR.PAN) |
    (cpu.ss << SPSR.SS) |
    ((cpu.il ? 1 : 0) << SPSR.IL) |
    (cpu.ssbs << SPSR.SSBS) |
    (branchType << SPSR.BTYPE) |
    (r.daif << SPSR.DAIF) |
    (cpu.el === 0 ? MODE.EL0t : cpu.spsel === 0 ? MODE.EL1t : MODE.EL1h)) >>>
  0

/** The opposite of `savedState`, as a hypervisor restores it; false: no such state can be, and nothing changes. */
export function restoreState(cpu: CpuState, r: Registers, value: bigint): boolean {
  const spsr = Number(value & 0xffff_ffffn)
  if (modeOf(spsr) === undefined) return false
  restore(cpu, r, spsr)
  setBranchType(cpu, (spsr >>> SPSR.BTYPE) & 3, cpu.instructions)
  return true
}

/** The vector of the interrupt that PSTATE lets through, if there is one; which of the two goes first is free (D1.3.6). */
export const interruptTaken = ({ irq, fiq }: CpuState, masks: number): number | undefined => {
  if (fiq && (masks & daif.F) === 0) return vector.FIQ
  return irq && (masks & daif.I) === 0 ? vector.IRQ : undefined
}

/**
 * Enters EL1: the PC becomes `VBAR_EL1` + vector, and SPSR_EL1.BTYPE `branchType`. ELR_EL1 has been written already
 * (AArch64.TakeException()).
 */
export function takeException(cpu: CpuState, r: Registers, offset: number, branchType: number): void {
  const from = cpu.el === 0 ? 0x400 : cpu.spsel === 0 ? 0x000 : 0x200
  r.setWordAt(slots.SPSR_EL1, savedState(cpu, r, branchType))
  setMode(cpu, r, 1, 1)
  if (r.bitAt(slots.SCTLR_EL1, SCTLR.SPAN) === 0) cpu.pan = 1
  cpu.uao = 0
  cpu.ssbs = r.bitAt(slots.SCTLR_EL1, SCTLR.DSSBS)
  cpu.il = false
  cpu.ss = 0
  cpu.stepped = undefined
  r.daif = daif.ALL
  r.i32[bank.MONITOR_SIZE >>> 2] = 0
  r.copy(bank.PC, slots.VBAR_EL1)
  r.i32[bank.PC >>> 2] = ((r.i32[bank.PC >>> 2] ?? 0) & ~0x7ff) + from + offset
}

/** PSTATE.SS after a return to a level with these masks and this SPSR_EL1.SS. */
export interface StepRules {
  stepAfterReturn(cpu: CpuState, el: 0 | 1, masks: number, spsrSs: number): number
}

/**
 * What ERET makes of SPSR_EL1 (SetPSTATEFromPSR()). An illegal return stays where it is and sets PSTATE.IL. Answers with
 * PSTATE.BTYPE.
 */
export function exceptionReturn(cpu: CpuState, r: Registers, step: StepRules): number {
  const spsr = r.wordAt(slots.SPSR_EL1)
  const target = modeOf(spsr)
  r.i32[bank.MONITOR_SIZE >>> 2] = 0
  cpu.event = true
  const masks = (spsr >>> SPSR.DAIF) & daif.ALL
  const ss = step.stepAfterReturn(cpu, target?.el ?? cpu.el, masks, flag(spsr, SPSR.SS))
  restore(cpu, r, spsr)
  cpu.ss = ss
  return target === undefined ? 0 : (spsr >>> SPSR.BTYPE) & 3
}

interface Target {
  readonly el: 0 | 1
  readonly spsel: 0 | 1
}
const TARGETS: Readonly<Record<keyof typeof MODE, Target>> = {
  EL0t: { el: 0, spsel: 0 },
  EL1t: { el: 1, spsel: 0 },
  EL1h: { el: 1, spsel: 1 },
}

/** The level and stack pointer of SPSR_EL1.M; `undefined`: none that there is. */
function modeOf(spsr: number): Target | undefined {
  switch (spsr & SPSR.M_MASK) {
    case MODE.EL0t:
      return TARGETS.EL0t
    case MODE.EL1t:
      return TARGETS.EL1t
    case MODE.EL1h:
      return TARGETS.EL1h
    default:
      return undefined
  }
}

const flag = (spsr: number, lsb: number): number => (spsr >>> lsb) & 1

/** SetPSTATEFromPSR(): of a state that cannot be, the flags and masks are taken over, and IL is set. */
function restore(cpu: CpuState, r: Registers, spsr: number): void {
  const target = modeOf(spsr)
  r.nzcv = spsr >>> SPSR.NZCV
  r.daif = (spsr >>> SPSR.DAIF) & daif.ALL
  cpu.pan = flag(spsr, SPSR.PAN)
  cpu.ss = flag(spsr, SPSR.SS)
  cpu.il = target === undefined || flag(spsr, SPSR.IL) === 1
  if (target === undefined) return
  cpu.uao = flag(spsr, SPSR.UAO)
  cpu.dit = flag(spsr, SPSR.DIT)
  cpu.ssbs = flag(spsr, SPSR.SSBS)
  setMode(cpu, r, target.el, target.spsel)
}
