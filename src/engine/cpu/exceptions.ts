/** Taking and returning from exceptions between EL0 and EL1 (Arm ARM D1.3, D1.4). */
import { bank, mode } from './layout.ts'
import { daif } from './state.ts'
import type { CpuState, Registers } from './state.ts'
import { slots } from './slots.ts'

export const vector = { SYNC: 0x000, IRQ: 0x080, FIQ: 0x100, SERROR: 0x180 } as const

const MODE = { EL0t: 0b0000, EL1t: 0b0100, EL1h: 0b0101 } as const

const SPSR_NZCV = 28
const SPSR_DAIF = 6
const SPSR_IL = 1n << 20n
const SPSR_M_MASK = 0x1fn

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
export const savedState = (cpu: CpuState, r: Registers): bigint =>
  (BigInt(r.nzcv) << BigInt(SPSR_NZCV)) |
  BigInt(cpu.daif << SPSR_DAIF) |
  BigInt(cpu.el === 0 ? MODE.EL0t : cpu.spsel === 0 ? MODE.EL1t : MODE.EL1h)

/** The opposite of `savedState`; false: no such state can be, and nothing changes. */
export function restoreState(cpu: CpuState, r: Registers, value: bigint): boolean {
  const target = Number(value & SPSR_M_MASK)
  if (target !== MODE.EL0t && target !== MODE.EL1t && target !== MODE.EL1h) return false
  r.nzcv = Number((value >> BigInt(SPSR_NZCV)) & 15n)
  cpu.daif = Number((value >> BigInt(SPSR_DAIF)) & 15n)
  setMode(cpu, r, target === MODE.EL0t ? 0 : 1, target === MODE.EL1h ? 1 : 0)
  return true
}

/** The vector of the interrupt that PSTATE lets through, if there is one; which of the two goes first is free (D1.3.6). */
export const interruptTaken = ({ irq, fiq, daif: masks }: Readonly<CpuState>): number | undefined => {
  if (fiq && (masks & daif.F) === 0) return vector.FIQ
  return irq && (masks & daif.I) === 0 ? vector.IRQ : undefined
}

/** Enters EL1 at `VBAR_EL1` + vector; `returnTo` becomes ELR_EL1. Returns the new PC. */
export function takeException(cpu: CpuState, r: Registers, offset: number, returnTo: bigint): bigint {
  const from = cpu.el === 0 ? 0x400 : cpu.spsel === 0 ? 0x000 : 0x200
  r.setAt(slots.SPSR_EL1, savedState(cpu, r))
  r.setAt(slots.ELR_EL1, returnTo)
  setMode(cpu, r, 1, 1)
  cpu.daif = daif.ALL
  r.i32[bank.MONITOR_SIZE >>> 2] = 0
  return (r.at(slots.VBAR_EL1) & ~0x7ffn) + BigInt(from + offset)
}

/** What ERET does; an illegal return keeps EL and sets PSTATE.IL, which here raises at once. */
export function exceptionReturn(cpu: CpuState, r: Registers): { pc: bigint; illegal: boolean } {
  const spsr = r.at(slots.SPSR_EL1)
  const pc = r.at(slots.ELR_EL1)
  const target = Number(spsr & SPSR_M_MASK)
  r.i32[bank.MONITOR_SIZE >>> 2] = 0
  cpu.event = true
  r.nzcv = Number((spsr >> BigInt(SPSR_NZCV)) & 15n)
  cpu.daif = Number((spsr >> BigInt(SPSR_DAIF)) & 15n)
  if ((target !== MODE.EL0t && target !== MODE.EL1t && target !== MODE.EL1h) || (spsr & SPSR_IL) !== 0n) return { pc, illegal: true }
  setMode(cpu, r, target === MODE.EL0t ? 0 : 1, target === MODE.EL1h ? 1 : 0)
  return { pc, illegal: false }
}
