/** Self-hosted debug at EL1 and EL0: software step, breakpoints, watchpoints (Arm ARM D2). */
import { BREAKPOINTS, MDSCR, OSLSR, WATCHPOINTS } from '../../pure/arch/sysregs/debug.ts'
import { slotOf } from '../../pure/arch/sysregs/table.ts'
import { sysregAt } from './layout.ts'
import { daif } from './state.ts'
import type { CpuState, Registers } from './state.ts'

const at = (name: string): number => sysregAt(slotOf(name))
const MDSCR_AT = at('MDSCR_EL1')
/** Its lower half, where something is enabled that may stop the CPU: Linux leaves TDCC set. */
const MDSCR_USED = Number((1n << MDSCR.SS) | (1n << MDSCR.MDE))
const OSLSR_AT = at('OSLSR_EL1')
const CONTEXT_AT = at('CONTEXTIDR_EL1')
const numbered = (count: number, name: string): readonly number[] =>
  Array.from({ length: count }, (_, n) => at(`${name}${n}_EL1`))
const BVR = numbered(BREAKPOINTS, 'DBGBVR')
const BCR = numbered(BREAKPOINTS, 'DBGBCR')
const WVR = numbered(WATCHPOINTS, 'DBGWVR')
const WCR = numbered(WATCHPOINTS, 'DBGWCR')

/** Bits 48:2 of an address are compared; those above are copies of bit 48 without FEAT_LVA. */
const ADDRESS_MASK = 0x1_ffff_ffff_ffffn
/** DBGBCR.BT, DBGWCR.WT: what a breakpoint compares, and that it is linked to one that compares contexts. */
const TYPE = { ADDRESS: 0, ADDRESS_LINKED: 1, CONTEXT: 2, CONTEXT_LINKED: 3 } as const

const bit = (value: bigint, lsb: bigint): boolean => ((value >> lsb) & 1n) === 1n

interface Watch {
  /** The bytes watched: the first and the last. */
  readonly first: bigint
  readonly last: bigint
  /** DBGWCR.LSC. */
  readonly loads: boolean
  readonly stores: boolean
  /** DBGWCR.PAC. */
  readonly el0: boolean
  readonly el1: boolean
}

export class Debug {
  private readonly r: Registers

  constructor(registers: Registers) {
    this.r = registers
  }

  /** Neither software step nor breakpoints and watchpoints are enabled. Asked at each exception. */
  get isOff(): boolean {
    return ((this.r.i32[MDSCR_AT >>> 2] ?? 0) & MDSCR_USED) === 0
  }

  /** AArch64.GenerateDebugExceptionsFrom(): EL1 takes the exceptions of both levels. */
  private enabledFrom(el: 0 | 1, masks: number): boolean {
    if ((this.r.at(OSLSR_AT) & OSLSR.OSLK) !== 0n) return false
    return el === 0 || (bit(this.r.at(MDSCR_AT), MDSCR.KDE) && (masks & daif.D) === 0)
  }

  /** Whether the CPU has to be run one instruction at a time, because something may stop it before any of them. */
  isCareful(cpu: CpuState): boolean {
    if (this.isOff || !this.enabledFrom(cpu.el, this.r.daif)) return false
    const mdscr = this.r.at(MDSCR_AT)
    return bit(mdscr, MDSCR.SS) || (bit(mdscr, MDSCR.MDE) && BCR.some((address) => bit(this.r.at(address), 0n)))
  }

  /** Software step is active: D2.12.3. */
  isStepping(cpu: CpuState): boolean {
    return bit(this.r.at(MDSCR_AT), MDSCR.SS) && this.enabledFrom(cpu.el, this.r.daif)
  }

  /** PSTATE.SS after a return to `el`: DebugExceptionReturnSS(). */
  stepAfterReturn(cpu: CpuState, el: 0 | 1, masks: number, spsrSs: number): number {
    if (this.isOff || !bit(this.r.at(MDSCR_AT), MDSCR.SS) || this.enabledFrom(cpu.el, this.r.daif)) return 0
    return this.enabledFrom(el, masks) ? spsrSs : 0
  }

  /** A breakpoint matches the instruction at `pc`. */
  breaksAt(cpu: CpuState, pc: bigint): boolean {
    if (!bit(this.r.at(MDSCR_AT), MDSCR.MDE) || !this.enabledFrom(cpu.el, this.r.daif)) return false
    return BCR.some((_, n) => this.matches(n, cpu, pc, false))
  }

  private matches(n: number, cpu: CpuState, pc: bigint, linked: boolean): boolean {
    const control = Number(this.r.at(BCR[n] ?? 0))
    const value = this.r.at(BVR[n] ?? 0)
    const type = (control >>> 20) & 15
    const levels = (control >>> 1) & 3
    if ((control & 1) === 0 || (!linked && !levelAllowed(levels, cpu.el))) return false
    const isContext = type === TYPE.CONTEXT || type === TYPE.CONTEXT_LINKED
    if (isContext) {
      // Only the last two compare contexts, as ID_AA64DFR0_EL1.CTX_CMPs says.
      if (n < BREAKPOINTS - 2 || linked !== (type === TYPE.CONTEXT_LINKED)) return false
      return (value & 0xffff_fffcn) === (this.r.at(CONTEXT_AT) & 0xffff_fffcn)
    }
    if (linked || type > TYPE.ADDRESS_LINKED || ((control >>> 5) & 15) === 0) return false
    if ((value & ADDRESS_MASK) !== (pc & ADDRESS_MASK)) return false
    return type === TYPE.ADDRESS || this.matches((control >>> 16) & 15, cpu, pc, true)
  }

  /** What is watched at the CPU's level and below; `undefined`: nothing. */
  watches(cpu: CpuState): readonly Watch[] | undefined {
    if (this.isOff || !bit(this.r.at(MDSCR_AT), MDSCR.MDE) || !this.enabledFrom(cpu.el, this.r.daif)) return undefined
    const found: Watch[] = []
    for (const [n, address] of WCR.entries()) {
      const control = Number(this.r.at(address))
      if ((control & 1) === 0) continue
      if (((control >>> 20) & 1) === 1 && !this.matches((control >>> 16) & 15, cpu, 0n, true)) continue
      const range = watchedRange(this.r.at(WVR[n] ?? 0) & ADDRESS_MASK, control)
      if (range === undefined) continue
      const kinds = (control >>> 3) & 3
      const levels = (control >>> 1) & 3
      found.push({
        ...range,
        loads: (kinds & 1) !== 0,
        stores: (kinds & 2) !== 0,
        el0: levelAllowed(levels, 0),
        el1: levelAllowed(levels, 1),
      })
    }
    return found.length === 0 ? undefined : found
  }
}

/** PMC and PAC: 1 is EL1, 2 is EL0, 3 both. */
const levelAllowed = (levels: number, el: 0 | 1): boolean => (levels & (el === 1 ? 1 : 2)) !== 0

/** The bytes that DBGWVR and DBGWCR select: an aligned power of two by MASK, or those of a doubleword by BAS. */
function watchedRange(value: bigint, control: number): { readonly first: bigint; readonly last: bigint } | undefined {
  const mask = (control >>> 24) & 31
  // 1 and 2 are reserved: they behave as 0.
  if (mask > 2) {
    const size = 1n << BigInt(mask)
    const first = value & ~(size - 1n)
    return { first, last: first + size - 1n }
  }
  // BAS has to be a run of ones; of another the bytes from the first to the last are taken. Above a word BAS[7:4] is ignored.
  const select = (control >>> 5) & 0xff & ((value & 4n) !== 0n ? 0xf : 0xff)
  if (select === 0) return undefined
  const low = 31 - Math.clz32(select & -select)
  const high = 31 - Math.clz32(select)
  return { first: value + BigInt(low), last: value + BigInt(high) }
}

/** The first watched byte that an access touches. */
export function watchedByte(
  watches: readonly Watch[],
  access: { readonly va: bigint; readonly bytes: number; readonly write: boolean; readonly el: 0 | 1 },
): bigint | undefined {
  const first = access.va & ADDRESS_MASK
  const last = first + BigInt(access.bytes) - 1n
  for (const watch of watches) {
    if (!(access.write ? watch.stores : watch.loads) || !(access.el === 0 ? watch.el0 : watch.el1)) continue
    if (first > watch.last || last < watch.first) continue
    return access.va + (watch.first > first ? watch.first - first : 0n)
  }
  return undefined
}
