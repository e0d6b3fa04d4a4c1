/**
 * Priorities at one CPU interface: binary points, preemption levels and the active priorities that stack up
 * (GIC architecture IHI 0069, 4.8; arch/arm64/kvm/hyp/vgic-v3-sr.c).
 */
import { activePriorityWords } from '../../pure/arch/gic/ich.ts'

export const IDLE_PRIORITY = 0xff
/** AP0R and AP1R have up to four words each. */
export const AP_WORDS = 4
const BPR_MAX = 7

export interface PriorityState {
  /** As written; the hardware reads at least the minimum. */
  bpr0: number
  bpr1: number
  /** One binary point for both groups. */
  cbpr: boolean
  readonly active: readonly [Uint32Array, Uint32Array]
}

export const newPriorityState = (): PriorityState => ({
  bpr0: 0,
  bpr1: 0,
  cbpr: false,
  active: [new Uint32Array(AP_WORDS), new Uint32Array(AP_WORDS)],
})

export class PriorityScheme {
  /** ICH_VTR_EL2.PREbits + 1: as many bits can preempt as there are. */
  readonly preemptionBits: number
  readonly priorityMask: number
  readonly minBpr1: number

  constructor(bits: number) {
    this.preemptionBits = bits
    this.priorityMask = (0xff << (8 - bits)) & 0xff
    this.minBpr1 = 8 - bits
  }

  /** Words of AP0R and AP1R that are there. */
  get apWords(): number {
    return activePriorityWords(this.preemptionBits)
  }

  bpr0(state: Readonly<PriorityState>): number {
    return Math.max(state.bpr0, this.minBpr1 - 1)
  }

  bpr1(state: Readonly<PriorityState>): number {
    return state.cbpr ? Math.min(this.bpr0(state) + 1, BPR_MAX) : Math.max(state.bpr1, this.minBpr1)
  }

  /** The part of a priority that decides about preemption. */
  preemptionLevel(state: Readonly<PriorityState>, priority: number, group: 0 | 1): number {
    const bpr = group === 0 ? this.bpr0(state) + 1 : this.bpr1(state)
    return priority & (0xff << bpr) & 0xff
  }

  /** The highest active priority. */
  running({ active: [group0, group1] }: Readonly<PriorityState>): number {
    for (let word = 0; word < AP_WORDS; word++) {
      const bits = (group0[word] ?? 0) | (group1[word] ?? 0)
      if (bits !== 0) return ((word * 32 + lowestBit(bits)) << this.minBpr1) & 0xff
    }
    return IDLE_PRIORITY
  }

  activate(state: PriorityState, priority: number, group: 0 | 1): void {
    const level = this.preemptionLevel(state, priority, group) >>> this.minBpr1
    const words = state.active[group]
    words[level >>> 5] = (words[level >>> 5] ?? 0) | (1 << (level & 31))
  }

  /** Drops the highest active priority, of whichever group it is, and tells which it was. */
  drop(state: PriorityState): number {
    const dropped = this.running(state)
    const [group0, group1] = state.active
    for (let word = 0; word < AP_WORDS; word++) {
      const bits0 = group0[word] ?? 0
      const bits1 = group1[word] ?? 0
      if (bits0 === 0 && bits1 === 0) continue
      const lowest0 = bits0 === 0 ? 32 : lowestBit(bits0)
      const lowest1 = bits1 === 0 ? 32 : lowestBit(bits1)
      if (lowest0 < lowest1) group0[word] = bits0 & (bits0 - 1)
      else group1[word] = bits1 & (bits1 - 1)
      break
    }
    return dropped
  }
}

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)
