/** The slice under way: how many instructions a CPU may still run, and why it ends early. */
import { scratch } from './layout.ts'
import type { Meter } from './meter.ts'
import type { SliceEnd } from './pending.ts'
import type { Registers } from './state.ts'

export class Slice {
  private readonly registers: Registers
  private readonly meter: Meter | undefined
  /** Instructions; 0: no slice is under way. */
  private given = 0
  /** Instructions of it that compiled code does not know of, so that it returns early. */
  private withheld = 0
  /** Why it ends, once that is decided. */
  end: SliceEnd | undefined

  constructor(registers: Registers, meter: Meter | undefined) {
    this.registers = registers
    this.meter = meter
  }

  get underWay(): boolean {
    return this.given > 0
  }

  /** Instructions that compiled code may run in regions only. */
  private get ofRegions(): number {
    return this.registers.i32[scratch.REGION_BUDGET >>> 2] ?? 0
  }

  private set ofRegions(value: number) {
    this.registers.i32[scratch.REGION_BUDGET >>> 2] = value
  }

  begin(budget: number): void {
    this.given = budget
    this.end = undefined
    this.registers.budget = 0
    this.ofRegions = 0
    this.withheld = budget
  }

  /** Instructions that were executed. */
  finish(): number {
    const executed = this.executing()
    this.given = 0
    return executed
  }

  /** Instructions executed so far, each a nanosecond. */
  executing(): number {
    return this.given === 0 ? 0 : this.given - this.withheld - this.ofRegions - this.registers.budget
  }

  /** Lets compiled code run what is left, of which the interpreter up to so many instructions; false: none are left. */
  give(interpreted: number): boolean {
    if (this.registers.budget > 0) return true
    this.takeBack()
    if (this.withheld === 0) return false
    this.registers.budget = Math.min(this.withheld, interpreted)
    this.ofRegions = this.withheld - this.registers.budget
    this.withheld = 0
    return true
  }

  /** Lets compiled code run one instruction, which is interpreted; false: none is left. */
  giveOne(): boolean {
    this.takeBack()
    if (this.withheld === 0) return false
    this.withheld--
    this.registers.budget = 1
    return true
  }

  private takeBack(): void {
    this.withheld += this.registers.budget + this.ofRegions
    this.registers.budget = 0
    this.ofRegions = 0
  }

  /** Takes one instruction off; false: there is none left. */
  charge(): boolean {
    if (this.registers.budget === 0) this.takeBack()
    if (this.registers.budget > 0) this.registers.budget--
    else if (this.withheld > 0) this.withheld--
    else return false
    return true
  }

  /** Makes compiled code return after the instruction under way; what is left is given back later. */
  holdBack(): void {
    if (this.given === 0) return
    this.meter?.heldBack(this.registers.budget)
    this.takeBack()
  }

  /** Ends after the instruction under way. A slice that ends for a reason of its own does not end for a break. */
  stop(end: SliceEnd): void {
    if (this.given === 0) return
    if (end !== 'break' || this.end === undefined) this.end = end
    this.holdBack()
  }
}
