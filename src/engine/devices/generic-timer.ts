/** The generic timer at EL1 and EL0: one counter for all CPUs, two timers for each (Arm ARM D12, D24.10). */
import { CNTKCTL, TIMER, TIMER_CTL } from '../../pure/arch/sysregs/timer.ts'
import type { Cancel, Clock } from '../bus/clock.ts'
import type { IrqLine } from '../bus/irq-line.ts'
import type { SysregPort } from '../bus/sysreg-port.ts'

/** QEMU's and KVM's usual CNTFRQ_EL0. */
export const COUNTER_HZ = 62_500_000
const NS_PER_TICK = 1_000_000_000 / COUNTER_HZ

export interface TimerLines {
  readonly physical: IrqLine
  readonly virtual: IrqLine
}

export interface GenericTimerOptions {
  readonly clock: Clock
  readonly lines: (cpu: number) => TimerLines
}

/** One timer of one CPU: its output is level-sensitive. */
class Timer {
  private control = 0
  private compare = 0n
  private level = false
  private cancel: Cancel | undefined
  private readonly clock: Clock
  private readonly line: IrqLine
  /** How far its counter is behind the physical one. */
  private readonly offset: () => bigint

  constructor(clock: Clock, line: IrqLine, offset: () => bigint) {
    this.clock = clock
    this.line = line
    this.offset = offset
  }

  private count(): bigint {
    return BigInt.asUintN(64, count(this.clock) - this.offset())
  }

  ctl(): bigint {
    return BigInt(this.control | (this.conditionMet() ? TIMER_CTL.ISTATUS : 0))
  }

  setCtl(value: bigint): void {
    this.control = Number(value & BigInt(TIMER_CTL.ENABLE | TIMER_CTL.IMASK))
    this.update()
  }

  cval(): bigint {
    return this.compare
  }

  setCval(value: bigint): void {
    this.compare = value
    this.update()
  }

  tval(): bigint {
    return BigInt.asUintN(32, this.compare - this.count())
  }

  setTval(value: bigint): void {
    this.setCval(BigInt.asUintN(64, this.count() + BigInt.asIntN(32, value)))
  }

  reset(): void {
    this.setCtl(0n)
  }

  private conditionMet(): boolean {
    return (this.control & TIMER_CTL.ENABLE) !== 0 && this.count() >= this.compare
  }

  /** The control, the comparator or the counter is another. */
  update(): void {
    this.cancel?.()
    this.cancel = undefined
    const armed = (this.control & (TIMER_CTL.ENABLE | TIMER_CTL.IMASK)) === TIMER_CTL.ENABLE
    const met = armed && this.conditionMet()
    if (met !== this.level) {
      this.level = met
      this.line.set(met)
    }
    if (!armed || met) return
    const deadline = Number(this.compare + this.offset()) * NS_PER_TICK
    // Later than virtual time ever gets.
    if (deadline > Number.MAX_SAFE_INTEGER) return
    this.cancel = this.clock.schedule(deadline, () => {
      this.cancel = undefined
      this.update()
    })
  }
}

const count = (clock: Clock): bigint => BigInt(Math.floor(clock.now() / NS_PER_TICK))

interface CpuTimers {
  readonly physical: Timer
  readonly virtual: Timer
  /** CNTKCTL_EL1. */
  kernelControl: number
}

interface Row {
  /** The CNTKCTL_EL1 bits one of which EL0 needs; without it EL0 has no access. */
  readonly el0?: number
  readonly read: (timers: CpuTimers) => bigint
  readonly write?: (timers: CpuTimers, value: bigint) => void
  /** What only a hypervisor can write. */
  readonly hypervisorWrite?: (timers: CpuTimers, value: bigint) => void
}

/** The three registers of one timer. */
const timerRows = (which: 'physical' | 'virtual', el0: number) => ({
  tval: { el0, read: (t: CpuTimers) => t[which].tval(), write: (t: CpuTimers, v: bigint) => t[which].setTval(v) },
  ctl: { el0, read: (t: CpuTimers) => t[which].ctl(), write: (t: CpuTimers, v: bigint) => t[which].setCtl(v) },
  cval: { el0, read: (t: CpuTimers) => t[which].cval(), write: (t: CpuTimers, v: bigint) => t[which].setCval(v) },
})

/** A SysregPort's `el` for a hypervisor's own access. */
const HYPERVISOR_EL = 2

/** What a hypervisor keeps of the timers: the rest follows (KVM_REG_ARM_TIMER_*, KVM_REG_ARM_PTIMER_*). */
const SAVED = [
  TIMER.CNTKCTL_EL1,
  TIMER.CNTP_CTL_EL0,
  TIMER.CNTP_CVAL_EL0,
  TIMER.CNTV_CTL_EL0,
  TIMER.CNTV_CVAL_EL0,
  TIMER.CNTVCT_EL0,
] as const

/** All of CNTKCTL_EL1 but EVNTIS, which is FEAT_ECV's. */
const KERNEL_CONTROL_MASK = 0x3ffn

export class GenericTimer {
  readonly sysregs: SysregPort
  private readonly options: GenericTimerOptions
  private readonly cpus: CpuTimers[] = []
  /** CNTVOFF_EL2: one for the VM (arch/arm64/kvm/arch_timer.c: timer_set_offset()). */
  private virtualOffset = 0n

  constructor(options: GenericTimerOptions) {
    this.options = options
    const table: Readonly<Record<string, Row>> = this.rows()
    const byEncoding = new Map<number, Row>()
    for (const [name, encoding] of Object.entries(TIMER)) {
      const row = table[name]
      if (row !== undefined) byEncoding.set(encoding, row)
    }
    const reach = (cpu: number, reg: number, el: number): readonly [Row, CpuTimers] | undefined => {
      const row = byEncoding.get(reg)
      const timers = this.cpus[cpu]
      if (row === undefined || timers === undefined) return undefined
      return el === 0 && (timers.kernelControl & (row.el0 ?? 0)) === 0 ? undefined : [row, timers]
    }
    this.sysregs = {
      registers: Object.values(TIMER),
      // CNTKCTL_EL1 decides over all of EL0's.
      trapped: Object.values(TIMER).filter((reg) => byEncoding.get(reg)?.el0 !== undefined),
      saved: SAVED,
      read: (cpu, reg, el) => {
        const found = reach(cpu, reg, el)
        return found?.[0].read(found[1])
      },
      write: (cpu, reg, value, el) => {
        const found = reach(cpu, reg, el)
        const write = (el === HYPERVISOR_EL ? found?.[0].hypervisorWrite : undefined) ?? found?.[0].write
        if (found === undefined || write === undefined) return false
        write(found[1], value)
        return true
      },
    }
  }

  addCpu(): void {
    const { clock, lines } = this.options
    const { physical, virtual } = lines(this.cpus.length)
    this.cpus.push({
      physical: new Timer(clock, physical, () => 0n),
      virtual: new Timer(clock, virtual, () => this.virtualOffset),
      kernelControl: 0,
    })
  }

  /** Disables both timers; the compare values stay (arch/arm64/kvm/arch_timer.c: kvm_timer_vcpu_reset()). */
  reset(cpu: number): void {
    const timers = this.cpus[cpu]
    if (timers === undefined) throw new Error(`there is no CPU ${cpu}`)
    timers.kernelControl = 0
    timers.physical.reset()
    timers.virtual.reset()
  }

  private rows(): Record<keyof typeof TIMER, Row> {
    const { clock } = this.options
    const counter = (el0: number): Row => ({ el0, read: () => count(clock) })
    const physical = timerRows('physical', CNTKCTL.EL0PTEN)
    const virtual = timerRows('virtual', CNTKCTL.EL0VTEN)
    return {
      CNTKCTL_EL1: {
        read: (timers) => BigInt(timers.kernelControl),
        write: (timers, value) => {
          timers.kernelControl = Number(value & KERNEL_CONTROL_MASK)
        },
      },
      CNTFRQ_EL0: { el0: CNTKCTL.EL0PCTEN | CNTKCTL.EL0VCTEN, read: () => BigInt(COUNTER_HZ) },
      CNTPCT_EL0: counter(CNTKCTL.EL0PCTEN),
      CNTVCT_EL0: {
        el0: CNTKCTL.EL0VCTEN,
        read: () => BigInt.asUintN(64, count(clock) - this.virtualOffset),
        hypervisorWrite: (_, value) => {
          this.virtualOffset = count(clock) - value
          for (const { virtual: timer } of this.cpus) timer.update()
        },
      },
      CNTP_TVAL_EL0: physical.tval,
      CNTP_CTL_EL0: physical.ctl,
      CNTP_CVAL_EL0: physical.cval,
      CNTV_TVAL_EL0: virtual.tval,
      CNTV_CTL_EL0: virtual.ctl,
      CNTV_CVAL_EL0: virtual.cval,
    }
  }
}
