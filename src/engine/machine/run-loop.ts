/**
 * Who runs when. CPUs take turns in short slices on one virtual clock; a CPU that waits is skipped, and
 * when all wait, time skips to the next deadline. Slices depend on nothing but the guest, so that the same
 * machine with the same inputs runs the same instructions in the same order.
 */
import type { Core } from '../cpu/core.ts'
import type { CpuState } from '../cpu/state.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Instructions in a slice: short where others wait for their turn. */
const SLICE = { alone: 50_000, shared: 10_000 } as const
export const LONGEST_SLICE = SLICE.alone
/**
 * Nanoseconds that a round of turns takes in which every CPU gave its own away (YIELD, WFE): what such a CPU waits
 * for comes with time or from another CPU, and to ask for it every few instructions would take all of the host.
 */
const IDLE_ROUND = 1000

/** Why `runUntil` came back: its time has come; nothing can happen but input; a break; or the machine was stopped. */
export type LoopEnd = 'time' | 'idle' | 'break' | 'stopped'

export class RunLoop {
  private readonly core: Core
  private readonly clock: VirtualClock
  private next = 0
  /** Told of each CPU whose slice is over: KVM has the host back. */
  onExit: (cpu: number) => void = () => {}
  private stopped = false
  private broken = false
  /** A slice that was interrupted goes on where it was, so that a run with breaks is the run without them. */
  private rest: { readonly cpu: CpuState; readonly budget: number } | undefined

  constructor(core: Core, clock: VirtualClock) {
    this.core = core
    this.clock = clock
  }

  /** The CPU whose turn it is, and what is left of its slice where that was interrupted, else 0. */
  get turn(): { readonly turn: number; readonly left: number } {
    const { rest } = this
    return rest === undefined ? { turn: this.next, left: 0 } : { turn: rest.cpu.index, left: rest.budget }
  }

  set turn({ turn, left }: { readonly turn: number; readonly left: number }) {
    const cpu = this.core.cpus[turn]
    this.next = turn
    this.rest = cpu === undefined || left === 0 ? undefined : { cpu, budget: left }
  }

  stop(): void {
    this.stopped = true
    this.core.stopSlice('stop')
  }

  /** Has `runUntil` come back after the instruction under way. */
  breakHere(): void {
    this.broken = true
    this.core.stopSlice('break')
  }

  /**
   * Runs whole slices until virtual time has reached `until`, and over it by less than a slice unless it shall be
   * `exact`. `skipTo`: how far time may skip while every CPU waits.
   */
  runUntil(until: number, skipTo: number, exact = false): LoopEnd {
    const { core, clock } = this
    this.stopped = false
    this.broken = false
    for (;;) {
      clock.fireDue()
      if (this.stopped) return 'stopped'
      if (this.broken) return 'break'
      if (clock.now() >= until) return 'time'
      const { rest } = this
      this.rest = undefined
      const goesOn = rest !== undefined && core.ready.has(rest.cpu.index)
      const cpu = goesOn ? rest.cpu : this.pick()
      const deadline = clock.next()
      if (cpu === undefined) {
        const to = Math.min(deadline, skipTo, exact ? until : Infinity)
        // Nothing is due and time may skip at will: it has nowhere to go.
        if (to === Infinity) return 'idle'
        if (to > clock.now()) clock.advance(to - clock.now())
        if (deadline > to) return exact && to === until ? 'time' : 'idle'
        continue
      }
      const slice = goesOn ? rest.budget : core.ready.count === 1 ? SLICE.alone : SLICE.shared
      const budget = Math.max(1, Math.min(slice, deadline - clock.now()))
      const allowed = exact ? Math.min(budget, until - clock.now()) : budget
      const { executed, end } = core.run(cpu, allowed)
      clock.advance(executed)
      if (end === 'yield') this.waitAMoment()
      const cut = end === 'break' || (end === 'budget' && allowed < budget)
      if (cut && executed < budget) this.rest = { cpu, budget: budget - executed }
      else this.sliceOver(cpu)
      if (end === 'break') return 'break'
    }
  }

  /** Runs one CPU alone, for some instructions and no longer; says how many it executed. */
  step(cpu: CpuState, instructions: number): number {
    const { core, clock } = this
    clock.fireDue()
    this.broken = false
    cpu.passes = core.banks.pcOf(cpu)
    const { executed } = core.run(cpu, instructions)
    clock.advance(executed)
    const { rest } = this
    if (rest?.cpu === cpu && executed < rest.budget) this.rest = { cpu, budget: rest.budget - executed }
    else if (rest?.cpu === cpu) {
      this.rest = undefined
      this.sliceOver(cpu)
    } else this.onExit(cpu.index)
    return executed
  }

  /** A CPU has given its turn away: it takes its share of a round, but nothing due is late for that. */
  private waitAMoment(): void {
    const { core, clock } = this
    const share = Math.ceil(IDLE_ROUND / Math.max(1, core.ready.count))
    clock.advance(Math.max(0, Math.min(share, clock.next() - clock.now())))
  }

  private sliceOver(cpu: CpuState): void {
    this.onExit(cpu.index)
    this.next = cpu.index + 1
  }

  /** The next CPU in turn that can run. */
  private pick(): CpuState | undefined {
    const index = this.core.ready.from(this.next)
    return index === undefined ? undefined : this.core.cpus[index]
  }
}
