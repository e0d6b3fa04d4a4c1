/** What every access to memory begins with: whose it is, what the tables say of its address, what is allowed there. */
import type { CpuModel } from '../../pure/arch/cpu/models.ts'
import type { AccessWidth } from '../bus/device.ts'
import type { CodeCache } from './code-cache.ts'
import { IGNORE_PAN, UNPRIVILEGED } from './emit/memory-ops.ts'
import { scratch } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { translationFeatures } from './mmu/regime.ts'
import { createWalker } from './mmu/walk.ts'
import type { Walker } from './mmu/walk.ts'
import type { Pending } from './pending.ts'
import type { SoftTlb } from './soft-tlb.ts'
import type { CpuState, Registers } from './state.ts'

/** Whatever answers physical addresses outside RAM. */
export interface MmioPorts {
  readonly model: CpuModel
  /** Start of RAM in the physical address space. */
  readonly ramBase: number
  /** Whether somebody answers at this address. */
  mmioHas(physical: number): boolean
  /** `undefined`: nobody answers, an external abort. */
  mmioRead(physical: number, width: AccessWidth, cpu: number): bigint | undefined
  mmioWrite(physical: number, width: AccessWidth, value: bigint, cpu: number): void
}

/** The CPU on whose behalf accesses are made. */
export interface AccessCpu {
  current(): CpuState | undefined
  raise(pending: Pending): void
  /** Takes back what was raised. */
  take(): Pending
}

/** What accesses work on. */
export interface AccessMemory {
  readonly plan: MemoryPlan
  readonly registers: Registers
  readonly softTlb: SoftTlb
  readonly code: CodeCache
}

export const PAGE = 4096
const TWO32 = 2 ** 32
export const EXTERNAL_ABORT = 0x10

export abstract class TranslatedAccess {
  readonly statistics = { mmioExits: 0, pageWalks: 0 }
  protected readonly plan: MemoryPlan
  protected readonly registers: Registers
  protected readonly softTlb: SoftTlb
  protected readonly code: CodeCache
  protected readonly ports: MmioPorts
  protected readonly cpu: AccessCpu
  protected readonly walker: Walker
  private walkerRegime: unknown
  /** Of the walk under way; one for all, as a walk does not allocate. */
  private readonly purpose: { el: 0 | 1; write: boolean; looksOnly: boolean } = {
    el: 1,
    write: false,
    looksOnly: false,
  }

  constructor({ plan, registers, softTlb, code }: AccessMemory, ports: MmioPorts, cpu: AccessCpu) {
    this.plan = plan
    this.registers = registers
    this.softTlb = softTlb
    this.code = code
    this.ports = ports
    this.cpu = cpu
    this.walker = createWalker(translationFeatures(ports.model.features), {
      read: (high, low) => this.readDescriptor(high, low),
      update: (high, low, descLo) => this.updateDescriptor(high, low, descLo),
    })
  }

  private readDescriptor(high: number, low: number): boolean {
    const w = this.walker
    const physical = (high >>> 0) * TWO32 + (low >>> 0)
    const offset = physical - this.ports.ramBase
    if (offset >= 0 && offset < this.plan.ramSize) {
      const at = (this.plan.ram + offset) >>> 2
      w.descLo = this.registers.i32[at] ?? 0
      w.descHi = this.registers.i32[at + 1] ?? 0
      return true
    }
    // Tables may lie in a device, though none here has any.
    const value = this.ports.mmioRead(physical, 8, this.cpu.current()?.index ?? 0)
    if (value === undefined) return false
    w.descLo = Number(BigInt.asIntN(32, value))
    w.descHi = Number(BigInt.asIntN(32, value >> 32n))
    return true
  }

  private updateDescriptor(high: number, low: number, descLo: number): void {
    const offset = (high >>> 0) * TWO32 + (low >>> 0) - this.ports.ramBase
    if (offset >= 0 && offset < this.plan.ramSize) this.registers.i32[(this.plan.ram + offset) >>> 2] = descLo
  }

  /** Walks the tables for the running CPU; false: `walker.fault` says why. */
  protected walk(vaHigh: number, vaLow: number, el: 0 | 1, write: boolean, looksOnly = false): boolean {
    const regime = this.cpu.current()?.regime
    if (regime !== undefined && regime !== this.walkerRegime) {
      this.walker.configure(regime)
      this.walkerRegime = regime
    }
    this.statistics.pageWalks++
    const { purpose } = this
    purpose.el = el
    purpose.write = write
    purpose.looksOnly = looksOnly
    return this.walker.walk(vaHigh, vaLow, purpose)
  }

  /** The bank of the soft TLB that an access goes by; of fetches, with 0. */
  protected bankOf(what: number): number {
    return this.registers.i32[((what & UNPRIVILEGED) !== 0 ? scratch.TLB_UNPRIVILEGED : scratch.TLB) >>> 2] ?? 0
  }

  /** Whether the permissions allow a data access; PSTATE.PAN keeps EL1 off what EL0 may read. */
  protected allowed(write: boolean, el: 0 | 1, what: number): boolean {
    const w = this.walker
    if (el === 0) return write ? w.writeEl0 : w.readEl0
    if (w.isUnprivileged && (what & IGNORE_PAN) === 0 && this.cpu.current()?.pan === 1) return false
    return write ? w.writeEl1 : w.readEl1
  }

  protected ramAddress(physical: number): number {
    const offset = physical - this.ports.ramBase
    return offset >= 0 && offset < this.plan.ramSize ? this.plan.ram + offset : 0
  }

  protected elOf(what: number): 0 | 1 {
    const cpu = this.cpu.current()
    return (what & UNPRIVILEGED) !== 0 && cpu?.uao !== 1 ? 0 : (cpu?.el ?? 1)
  }

  /** The physical address of the page that the walk has found. */
  protected walkedPage(): number {
    return (this.walker.paHi >>> 0) * TWO32 + (this.walker.paLo >>> 0)
  }
}

export const address = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
