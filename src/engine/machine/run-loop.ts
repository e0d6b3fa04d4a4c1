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

/** Why `runUntil` came back: its time has come; nothing can happen but input; or the machine was stopped. */
export type LoopEnd = 'time' | 'idle' | 'stopped'

export class RunLoop {
  private readonly core: Core
  private readonly clock: VirtualClock
  private next = 0
  /** Told of each CPU whose slice is over: KVM has the host back. */
  onExit: (cpu: number) => void = () => {}
  private stopped = false

  constructor(core: Core, clock: VirtualClock) {
    this.core = core
    this.clock = clock
  }

  /** The CPU whose turn it is. */
  get turn(): number {
    return this.next
  }

  set turn(cpu: number) {
    this.next = cpu
  }

  stop(): void {
    this.stopped = true
    this.core.stopSlice('stop')
  }

  /**
   * Runs whole slices until virtual time has reached `until`; may run over by a slice. `skipTo`: how far
   * time may skip while every CPU waits.
   */
  runUntil(until: number, skipTo: number): LoopEnd {
    const { core, clock } = this
    this.stopped = false
    for (;;) {
      clock.fireDue()
      if (this.stopped) return 'stopped'
      if (clock.now() >= until) return 'time'
      const cpu = this.pick()
      const deadline = clock.next()
      if (cpu === undefined) {
        const to = Math.min(deadline, skipTo)
        // Nothing is due and time may skip at will: it has nowhere to go.
        if (to === Infinity) return 'idle'
        if (to > clock.now()) clock.advance(to - clock.now())
        if (deadline > to) return 'idle'
        continue
      }
      const slice = core.ready.count === 1 ? SLICE.alone : SLICE.shared
      const budget = Math.max(1, Math.min(slice, deadline - clock.now()))
      const { executed } = core.run(cpu, budget)
      clock.advance(executed)
      this.onExit(cpu.index)
      this.next = cpu.index + 1
    }
  }

  /** The next CPU in turn that can run. */
  private pick(): CpuState | undefined {
    const index = this.core.ready.from(this.next)
    return index === undefined ? undefined : this.core.cpus[index]
  }
}
