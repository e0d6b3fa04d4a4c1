/**
 * What follows for a CPU from its state: the bank of the soft TLB, what is trapped, and what may stop it at any instruction.
 * Whoever changes PSTATE, a translation register, or an input of the running CPU, says so here.
 */
import type { TraceTap } from '../bus/trace-sink.ts'
import type { Debug } from './debug.ts'
import { interruptTaken } from './exceptions.ts'
import { bank } from './layout.ts'
import type { MemoryAccess } from './memory-access.ts'
import { writePauthFields } from './pauth-fields.ts'
import type { Slice } from './slice.ts'
import { slots } from './slots.ts'
import type { SoftTlb } from './soft-tlb.ts'
import { daif } from './state.ts'
import type { CpuState, Registers } from './state.ts'
import { fpTrapped } from './sysreg-file.ts'

export interface ContextParts {
  readonly registers: Registers
  readonly softTlb: SoftTlb
  readonly access: MemoryAccess
  readonly debug: Debug
  readonly slice: Slice
  readonly trace: TraceTap
  /** The CPU has FEAT_PAuth. */
  readonly authenticates: boolean
}

export class Context {
  private readonly o: ContextParts

  constructor(parts: ContextParts) {
    this.o = parts
  }

  /** A register that decides over translation or traps has changed. */
  translationChanged(cpu: CpuState): void {
    const r = this.o.registers
    cpu.regime = this.o.softTlb.regime()
    const { tcr } = cpu.regime
    if (this.o.authenticates && cpu.pauthFor !== tcr) {
      writePauthFields(r, tcr)
      cpu.pauthFor = tcr
    }
    this.levelChanged(cpu)
  }

  /** The exception level has changed, or what else of PSTATE decides over accesses. */
  levelChanged(cpu: CpuState): void {
    const r = this.o.registers
    this.debugChanged(cpu)
    if (cpu.regime !== undefined) this.o.softTlb.select(cpu.regime, cpu)
    r.i32[bank.FP_TRAPPED >>> 2] = fpTrapped(r.i32[slots.CPACR_EL1 >>> 2] ?? 0, cpu.el) ? 1 : 0
  }

  /** PSTATE.DAIF, or an input of the CPU, is other than it was. */
  maskChanged(cpu: CpuState): void {
    const unmasked =
      interruptTaken(cpu, this.o.registers.daif) !== undefined ||
      (cpu.serror !== undefined && (this.o.registers.daif & daif.A) === 0)
    if (unmasked) this.o.slice.holdBack()
    this.debugChanged(cpu)
  }

  /** Tells compiled code whether the running CPU's accesses to registers in slots may be more than that. */
  noteConcerns(cpu: CpuState): void {
    const pending = cpu.irq || cpu.fiq || cpu.serror !== undefined
    const concerns = cpu.el === 0 || pending || !this.o.debug.isOff || this.o.trace.sink !== undefined
    this.o.registers.i32[slots.SYSREG_CONCERNS >>> 2] = concerns ? 1 : 0
  }

  /** What debug exceptions depend on has changed. */
  private debugChanged(cpu: CpuState): void {
    this.noteConcerns(cpu)
    cpu.careful = this.o.debug.isCareful(cpu)
    if (cpu.careful) this.o.slice.holdBack()
    const watches = this.o.debug.watches(cpu)
    this.o.access.watches = watches
    if ((watches !== undefined) === cpu.watched) return
    cpu.watched = watches !== undefined
    if (cpu.regime !== undefined) this.o.softTlb.select(cpu.regime, cpu)
  }
}
