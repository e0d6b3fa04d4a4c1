/**
 * Stops before instructions at virtual addresses, on whichever CPU and in whichever address space. Their records call the driver in
 * every page, and the driver knows the address when it gets there.
 */
import type { CodeCache } from './code-cache.ts'
import { bank } from './layout.ts'
import type { Slice } from './slice.ts'
import type { CpuState, Registers } from './state.ts'

export class Breakpoints {
  private readonly code: CodeCache
  private readonly registers: Registers
  private readonly slice: Slice
  private addresses: ReadonlySet<bigint> = new Set()
  /** The one that was met last. */
  last: { readonly cpu: number; readonly pc: bigint } | undefined
  /** The record of one whose instruction is being done; 0: none. */
  private passing = 0

  constructor(code: CodeCache, registers: Registers, slice: Slice) {
    this.code = code
    this.registers = registers
    this.slice = slice
  }

  set(addresses: readonly bigint[]): void {
    this.addresses = new Set(addresses)
    this.code.breakAt(new Set(addresses.map((address) => Number(address & 0xffcn) >>> 2)))
  }

  /** The record has taken an instruction off the budget and done nothing. Stops here, or has the instruction done. */
  meet(cpu: CpuState): void {
    const r = this.registers
    r.budget++
    const pc = r.currentPc()
    r.u64[bank.PC >>> 3] = pc
    if (this.addresses.has(pc) && cpu.passes !== pc) {
      cpu.passes = pc
      this.last = { cpu: cpu.index, pc }
      this.slice.stop('break')
      return
    }
    cpu.passes = undefined
    this.slice.giveOne()
    this.passing = r.record
    this.code.passBreak(r.record)
  }

  /** Compiled code has returned. */
  passed(): void {
    if (this.passing === 0) return
    this.code.setBreak(this.passing)
    this.passing = 0
  }
}
