/** What a CPU would read at a virtual address, looked at without a trace: no fault, no soft TLB, no device. */
import type { MemoryPlan } from './layout.ts'
import { createWalker } from './mmu/walk.ts'
import type { TranslationFeatures } from './mmu/regime.ts'
import type { Walker, WalkPurpose } from './mmu/walk.ts'
import { slots } from './slots.ts'
import type { Registers } from './state.ts'

const PAGE_MASK = 0xfff
const LOOKS: WalkPurpose = { el: 1, write: false, looksOnly: true }
const TWO32 = 2 ** 32

export class Peek {
  private readonly plan: MemoryPlan
  private readonly ramBase: number
  private readonly view: DataView
  private readonly walker: Walker

  constructor(plan: MemoryPlan, ramBase: number, buffer: ArrayBuffer, features: TranslationFeatures) {
    this.plan = plan
    this.ramBase = ramBase
    this.view = new DataView(buffer)
    this.walker = createWalker(features, {
      read: (high, low) => this.readDescriptor(high, low),
      // One that looks only leaves descriptors as they are.
      update: () => {},
    })
  }

  private readDescriptor(high: number, low: number): boolean {
    const at = this.hostOf((high >>> 0) * TWO32 + (low >>> 0), 8)
    if (at === undefined) return false
    this.walker.descLo = this.view.getInt32(at, true)
    this.walker.descHi = this.view.getInt32(at + 4, true)
    return true
  }

  /** Where a physical address lies in memory, if `length` bytes of RAM are there. */
  private hostOf(physical: number, length: number): number | undefined {
    const offset = physical - this.ramBase
    return offset >= 0 && offset + length <= this.plan.ramSize ? this.plan.ram + offset : undefined
  }

  /** The translation of the CPU whose registers are in place, from now on. */
  use(r: Registers): void {
    this.walker.configure({
      sctlr: r.at(slots.SCTLR_EL1),
      tcr: r.at(slots.TCR_EL1),
      ttbr0: r.at(slots.TTBR0_EL1),
      ttbr1: r.at(slots.TTBR1_EL1),
      mair: r.at(slots.MAIR_EL1),
    })
  }

  /** The value at an aligned address; `undefined` where nothing is mapped, or something other than RAM. */
  read(address: bigint, bytes: 4 | 8): bigint | undefined {
    const low = Number(BigInt.asIntN(32, address))
    if (low % bytes !== 0) return undefined
    if (!this.walker.walk(Number(BigInt.asIntN(32, address >> 32n)), low, LOOKS)) return undefined
    const { paHi, paLo } = this.walker
    const at = this.hostOf((paHi >>> 0) * TWO32 + (paLo >>> 0) + (low & PAGE_MASK), bytes)
    if (at === undefined) return undefined
    return bytes === 8 ? this.view.getBigUint64(at, true) : BigInt(this.view.getUint32(at, true))
  }
}
