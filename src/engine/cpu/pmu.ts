/**
 * The performance monitors of the CPUs. Nothing counts while instructions run: a counter is brought up to date from the
 * number of instructions that its CPU has executed, when it is looked at and when what it counts may change.
 */
import { CYCLE_COUNTER, EVENTS, EVENT_COUNTERS, FILTER, PMCR, PMUSERENR } from '../../pure/arch/sysregs/pmu.ts'
import type { CpuState } from './state.ts'
import type { Refused, Special } from './special-registers.ts'

export interface PmuPorts {
  /** Instructions that a CPU has executed, the one under way included. */
  executed(cpu: CpuState): number
  /** The level of a CPU's overflow interrupt. */
  interrupt(cpu: number, level: boolean): void
  /** What the slice may run without an overflow has become less. */
  limitChanged(): void
}

const CYCLE_BIT = (1 << CYCLE_COUNTER) >>> 0
const IMPLEMENTED = (CYCLE_BIT | ((1 << EVENT_COUNTERS) - 1)) >>> 0
const TWO32 = 2 ** 32
const PMCR_WRITABLE = PMCR.E | PMCR.D | PMCR.X | PMCR.DP | PMCR.LC
/** Event numbers have 10 bits in Armv8.0, and P and U filter. */
const TYPE_MASK = FILTER.P + FILTER.U + 0x3ff
const CLOCK_DIVIDER = 64

class Counters {
  control = 0
  enabled = 0
  interruptEnabled = 0
  overflowed = 0
  selected = 0
  userEnable = 0
  cycles = 0n
  cycleFilter = 0
  /** Cycles that PMCR_EL0.D has not let through yet. */
  remainder = 0
  readonly counts = Array<number>(EVENT_COUNTERS).fill(0)
  readonly types = Array<number>(EVENT_COUNTERS).fill(0)
  /** Instructions executed when the counters were last brought up to date. */
  seen = 0
  level = false
}

export class Pmu {
  private readonly ports: PmuPorts
  private readonly all: Counters[] = []
  private readonly implementer: number

  constructor(implementer: number, ports: PmuPorts) {
    this.implementer = implementer
    this.ports = ports
  }

  /** The state after a reset: everything is off. */
  reset(cpu: CpuState): void {
    const counters = new Counters()
    counters.seen = this.ports.executed(cpu)
    if (this.all[cpu.index]?.level === true) this.ports.interrupt(cpu.index, false)
    this.all[cpu.index] = counters
  }

  /** A slice begins: nothing has been executed since the last one. */
  resume(cpu: CpuState): void {
    const c = this.all[cpu.index]
    if (c !== undefined) c.seen = this.ports.executed(cpu)
  }

  private of(cpu: CpuState): Counters {
    return (this.all[cpu.index] ??= new Counters())
  }

  isCounting(cpu: CpuState): boolean {
    const c = this.all[cpu.index]
    return c !== undefined && (c.control & PMCR.E) !== 0 && c.enabled !== 0
  }

  /** Counts what was executed since the last look; comes before each change of the exception level. */
  update(cpu: CpuState): void {
    const c = this.of(cpu)
    const now = this.ports.executed(cpu)
    const passed = now - c.seen
    c.seen = now
    const { el } = cpu
    if ((c.control & PMCR.E) === 0 || passed === 0) return
    if ((c.enabled & CYCLE_BIT) !== 0 && counted(c.cycleFilter, el)) this.addCycles(c, passed)
    this.happened(c, EVENTS.INST_RETIRED, passed, el)
    this.happened(c, EVENTS.CPU_CYCLES, passed, el)
    this.signal(cpu, c)
  }

  /** Something happened once: an exception was taken, or returned from. */
  event(cpu: CpuState, event: number): void {
    if (!this.isCounting(cpu)) return
    const c = this.of(cpu)
    this.happened(c, event, 1, cpu.el)
    this.signal(cpu, c)
  }

  private addCycles(c: Counters, passed: number): void {
    // Long counts are of every cycle.
    const divided = (c.control & (PMCR.D | PMCR.LC)) === PMCR.D
    const total = c.remainder + passed
    const count = divided ? Math.floor(total / CLOCK_DIVIDER) : passed
    c.remainder = divided ? total % CLOCK_DIVIDER : 0
    const before = c.cycles
    c.cycles = before + BigInt(count)
    const width = (c.control & PMCR.LC) === 0 ? 32n : 64n
    if (before >> width !== c.cycles >> width) c.overflowed = (c.overflowed | CYCLE_BIT) >>> 0
    c.cycles = BigInt.asUintN(64, c.cycles)
  }

  private happened(c: Counters, event: number, times: number, el: 0 | 1): void {
    for (let n = 0; n < EVENT_COUNTERS; n++) {
      const type = c.types[n] ?? 0
      if (((c.enabled >>> n) & 1) === 0 || (type & 0x3ff) !== event || !counted(type, el)) continue
      this.add(c, n, times, el)
    }
  }

  private add(c: Counters, n: number, times: number, el: 0 | 1): void {
    const value = (c.counts[n] ?? 0) + times
    c.counts[n] = value % TWO32
    if (value < TWO32) return
    c.overflowed = (c.overflowed | (1 << n)) >>> 0
    // An odd counter may count how often the one below it overflows.
    const next = n + 1
    const type = c.types[next] ?? 0
    const chained =
      (n & 1) === 0 && next < EVENT_COUNTERS && (type & 0x3ff) === EVENTS.CHAIN && ((c.enabled >>> next) & 1) === 1
    if (chained && counted(type, el)) this.add(c, next, Math.floor(value / TWO32), el)
  }

  private signal(cpu: CpuState, c: Counters): void {
    const level = (c.control & PMCR.E) !== 0 && (c.overflowed & c.interruptEnabled) !== 0
    if (level === c.level) return
    c.level = level
    this.ports.interrupt(cpu.index, level)
  }

  /** How many instructions a CPU may run before an overflow could interrupt it. */
  limit(cpu: CpuState): number {
    const c = this.all[cpu.index]
    if (c === undefined || (c.control & PMCR.E) === 0) return Infinity
    const armed = c.enabled & c.interruptEnabled
    if (armed === 0) return Infinity
    let limit = Infinity
    if ((armed & CYCLE_BIT) !== 0) {
      const width = (c.control & PMCR.LC) === 0 ? 32 : 64
      limit = Number((1n << BigInt(width)) - BigInt.asUintN(width, c.cycles))
    }
    for (let n = 0; n < EVENT_COUNTERS; n++) {
      const chain = (c.types[n + 1] ?? 0) & 0x3ff
      if (((armed >>> n) & 1) === 1 || ((armed >>> (n + 1)) & 1 && chain === EVENTS.CHAIN))
        limit = Math.min(limit, TWO32 - (c.counts[n] ?? 0))
    }
    return Math.max(1, limit)
  }

  // ---- registers

  /** What MRS and MSR of the PMU's registers do. EL0 needs one of the bits of PMUSERENR_EL0 that are named. */
  specials(): Readonly<Record<string, Special>> {
    const reg = (
      o: { readonly user?: number; readonly userWrite?: number; readonly readOnly?: boolean },
      read: (c: Counters) => bigint | number | Refused,
      write?: (c: Counters, value: number, wide: bigint) => void | Refused,
    ): Special => {
      const refused = (cpu: CpuState, c: Counters, bits: number): boolean =>
        cpu.el === 0 && (c.userEnable & (PMUSERENR.EN | bits)) === 0
      const special: Special = {
        read: (cpu) => {
          this.update(cpu)
          const c = this.of(cpu)
          if (refused(cpu, c, o.user ?? 0)) return 'trap'
          const value = read(c)
          return typeof value === 'number' ? BigInt(value) : value
        },
      }
      if (write === undefined) return special
      return {
        ...special,
        write: (cpu, value) => {
          this.update(cpu)
          const c = this.of(cpu)
          if (refused(cpu, c, o.userWrite ?? 0)) return 'trap'
          const answer = write(c, Number(value & 0xffff_ffffn), value)
          this.signal(cpu, c)
          this.ports.limitChanged()
          return answer
        },
      }
    }
    const count = (n: (c: Counters) => number): Special =>
      reg(
        { user: PMUSERENR.ER },
        (c) => c.counts[n(c)] ?? 0,
        (c, value) => {
          if (n(c) < EVENT_COUNTERS) c.counts[n(c)] = value
        },
      )
    const cycleFilter = reg(
      {},
      (c) => c.cycleFilter,
      (c, value) => {
        c.cycleFilter = (value & (FILTER.P | FILTER.U)) >>> 0
      },
    )
    const type = (n: (c: Counters) => number): Special =>
      reg(
        {},
        (c) => (n(c) === CYCLE_COUNTER ? c.cycleFilter : (c.types[n(c)] ?? 0)),
        (c, value) => {
          if (n(c) === CYCLE_COUNTER) c.cycleFilter = (value & (FILTER.P | FILTER.U)) >>> 0
          else if (n(c) < EVENT_COUNTERS) c.types[n(c)] = (value & TYPE_MASK) >>> 0
        },
      )
    const set = (field: 'enabled' | 'interruptEnabled' | 'overflowed', on: boolean): Special =>
      reg(
        {},
        (c) => c[field],
        (c, value) => {
          c[field] = ((on ? c[field] | value : c[field] & ~value) & IMPLEMENTED) >>> 0
        },
      )
    const events = Object.values<number>(EVENTS).reduce((mask, event) => mask | (1 << event), 0) >>> 0
    const numbered = (name: string, make: (n: (c: Counters) => number) => Special): [string, Special][] =>
      Array.from({ length: EVENT_COUNTERS }, (_, n) => [`${name}${n}_EL0`, make(() => n)])
    return {
      PMCR_EL0: reg(
        {},
        (c) => (c.control | (EVENT_COUNTERS << PMCR.N_LSB) | (this.implementer << PMCR.IMP_LSB)) >>> 0,
        (c, value) => {
          c.control = value & PMCR_WRITABLE
          if ((value & PMCR.P) !== 0) c.counts.fill(0)
          if ((value & PMCR.C) !== 0) c.cycles = 0n
        },
      ),
      PMCNTENSET_EL0: set('enabled', true),
      PMCNTENCLR_EL0: set('enabled', false),
      PMOVSSET_EL0: set('overflowed', true),
      PMOVSCLR_EL0: set('overflowed', false),
      PMINTENSET_EL1: set('interruptEnabled', true),
      PMINTENCLR_EL1: set('interruptEnabled', false),
      PMSWINC_EL0: {
        read: () => 'undefined',
        write: (cpu, value) => {
          this.update(cpu)
          const c = this.of(cpu)
          if (cpu.el === 0 && (c.userEnable & (PMUSERENR.EN | PMUSERENR.SW)) === 0) return 'trap'
          if ((c.control & PMCR.E) === 0) return undefined
          for (let n = 0; n < EVENT_COUNTERS; n++) {
            const kind = c.types[n] ?? 0
            const wanted = ((Number(value & 0xffn) & c.enabled) >>> n) & 1
            if (wanted === 1 && (kind & 0x3ff) === EVENTS.SW_INCR && counted(kind, cpu.el)) this.add(c, n, 1, cpu.el)
          }
          this.signal(cpu, c)
          return undefined
        },
      },
      PMSELR_EL0: reg(
        { user: PMUSERENR.ER, userWrite: PMUSERENR.ER },
        (c) => c.selected,
        (c, value) => {
          c.selected = value & 31
        },
      ),
      PMCEID0_EL0: reg({}, () => events),
      PMCEID1_EL0: reg({}, () => 0),
      PMCCNTR_EL0: reg(
        { user: PMUSERENR.CR },
        (c) => c.cycles,
        (c, _value, wide) => {
          c.cycles = wide
        },
      ),
      PMCCFILTR_EL0: cycleFilter,
      PMXEVTYPER_EL0: type((c) => c.selected),
      PMXEVCNTR_EL0: count((c) => c.selected),
      PMUSERENR_EL0: {
        read: (cpu) => BigInt(this.of(cpu).userEnable),
        write: (cpu, value) => {
          this.of(cpu).userEnable = Number(value & 15n)
        },
      },
      ...Object.fromEntries(numbered('PMEVCNTR', count)),
      ...Object.fromEntries(numbered('PMEVTYPER', type)),
    }
  }
}

/** Whether a filter lets through what happens at this level. */
const counted = (filter: number, el: 0 | 1): boolean => (filter & (el === 1 ? FILTER.P : FILTER.U)) === 0
