/** The slice under way: how many instructions a CPU may still run, and why it ends early. */
import type { Meter } from './meter.ts'
import type { SliceEnd } from './pending.ts'
import type { Registers } from './state.ts'

export class Slice {
  private readonly registers: Registers
  private readonly meter: Meter | undefined
  /** Instructions; 0: no slice is under way. */
  private given = 0
  /** Instructions taken off the budget to make compiled code return early. */
  private withheld = 0
  /** Compiled code shall come back though instructions are left. */
  private held = false
  /** Why it ends, once that is decided. */
  end: SliceEnd | undefined

  constructor(registers: Registers, meter: Meter | undefined) {
    this.registers = registers
    this.meter = meter
  }

  get underWay(): boolean {
    return this.given > 0
  }

  begin(budget: number): void {
    this.given = budget
    this.end = undefined
    this.registers.budget = 0
    this.withheld = budget
    this.held = false
  }

  /** Instructions that were executed. */
  finish(): number {
    const executed = this.executing()
    this.given = 0
    return executed
  }

  /** Instructions executed so far, each a nanosecond. */
  executing(): number {
    return this.given === 0 ? 0 : this.given - this.withheld - this.registers.budget
  }

  /** Lets compiled code run up to so many instructions; false: none are left. One is one, whatever code would like. */
  give(most: number): boolean {
    if (this.registers.budget > 0) return true
    if (this.withheld === 0) return false
    this.held = most === 1
    this.registers.budget = this.takeOff(most)
    return true
  }

  /** Takes back what compiled code did not run of what it was given. */
  takeBack(): void {
    this.withheld += this.registers.budget
    this.registers.budget = 0
  }

  /** Whether compiled code that asks for more would get it. */
  get hasMore(): boolean {
    return !this.held && this.withheld > 0
  }

  /** What a region has to go on with that has so many instructions left: as many, or up to `most` more. */
  more(left: number, most: number): number {
    if (!this.hasMore) return left
    const added = this.takeOff(most)
    this.meter?.budgetChanged(added)
    return left + added
  }

  private takeOff(most: number): number {
    const taken = Math.min(this.withheld, most)
    this.withheld -= taken
    return taken
  }

  /** Takes one instruction off; false: there is none left. */
  charge(): boolean {
    if (this.registers.budget > 0) this.registers.budget--
    else if (this.withheld > 0) this.withheld--
    else return false
    return true
  }

  /** Lets compiled code run one instruction of what it was given. */
  giveOne(): void {
    this.takeBack()
    this.registers.budget = this.takeOff(1)
    this.held = true
  }

  /** Makes compiled code return after the instruction under way; what is left is given back later. */
  holdBack(): void {
    if (this.given === 0) return
    this.meter?.budgetChanged(-this.registers.budget)
    this.takeBack()
    this.held = true
  }

  /** Ends after the instruction under way. A slice that ends for a reason of its own does not end for a break. */
  stop(end: SliceEnd): void {
    if (this.given === 0) return
    if (end !== 'break' || this.end === undefined) this.end = end
    this.holdBack()
  }
}
