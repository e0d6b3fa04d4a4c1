/** Where instructions are fetched from, and whether an indirect branch may lead there. */
import { syndrome } from '../../pure/arch/syndrome.ts'
import { BTYPE, BTYPE_BY_PAGE, isLandingPad } from './branch-target.ts'
import { record, tlb } from './layout.ts'
import type { Pending } from './pending.ts'
import { slots } from './slots.ts'
import type { SoftTlb } from './soft-tlb.ts'
import { EXTERNAL_ABORT, PAGE, TranslatedAccess, address } from './translated-access.ts'
import type { AccessCpu, AccessMemory, MmioPorts } from './translated-access.ts'

/** SCTLR_EL1.BT0 and BT1: PACIASP is no target for BTYPE 3. */
const SCTLR_BT = { el0: 35n, el1: 36n } as const

export abstract class FetchAccess extends TranslatedAccess {
  /** The CPU has FEAT_BTI. */
  private readonly guards: boolean

  constructor(memory: AccessMemory, ports: MmioPorts, cpu: AccessCpu) {
    super(memory, ports, cpu)
    this.guards = ports.model.features.has('FEAT_BTI')
  }

  /** The record of the instruction at an address, reached with PSTATE.BTYPE; 0: an exception is pending. */
  fetch(vaLow: number, vaHigh: number, branchType: number): number {
    const bank = this.bankOf(0)
    const known =
      (vaLow & 3) === 0 && (branchType === BTYPE.NONE || !this.guards) ? this.softTlb.fetchPage(bank, vaLow, vaHigh) : 0
    if (known !== 0) return known + ((vaLow & (PAGE - 1)) >>> 2) * record.SIZE
    const far = address(vaHigh, vaLow)
    const cpu = this.cpu.current()
    if (cpu === undefined) throw new Error('no CPU runs')
    if ((vaLow & 3) !== 0) {
      this.cpu.raise({ kind: 'sync', esr: syndrome.pcAlignment(), returnTo: far, far, branchType })
      return 0
    }
    const w = this.walker
    let dfsc: number | undefined
    if (!this.walk(vaHigh, vaLow, cpu.el, false)) dfsc = w.fault
    else if (!(cpu.el === 0 ? w.execEl0 : w.execEl1)) dfsc = w.permissionFault
    // The PC has no tag (AArch64.BranchAddr()).
    const untagged = this.walker.untagged(vaHigh)
    if (untagged !== vaHigh) {
      this.cpu.raise({ kind: 'jump', pc: address(untagged, vaLow), branchType })
      return 0
    }
    const physical = this.walkedPage()
    const offset = physical - this.ports.ramBase
    if (dfsc === undefined && (offset < 0 || offset >= this.plan.ramSize)) dfsc = EXTERNAL_ABORT
    if (dfsc !== undefined) {
      this.cpu.raise({ kind: 'abort', fetch: true, write: false, dfsc, far, branchType })
      return 0
    }
    if (w.log2Size > 12) this.softTlb.noteLarge(vaLow, vaHigh, w.log2Size)
    const page = this.code.page(offset)
    const at = page + ((vaLow & (PAGE - 1)) >>> 2) * record.SIZE
    this.softTlb.fill(bank, tlb.FETCH, vaLow, vaHigh, page)
    if (!this.guards) return at
    this.softTlb.setGuarded(bank, vaLow, w.guarded)
    if (!w.guarded || this.isLandingPad(at, branchType)) return at
    this.cpu.raise({ kind: 'sync', esr: syndrome.branchTarget(branchType), returnTo: far, branchType })
    return 0
  }

  private isLandingPad(at: number, type: number): boolean {
    const control = this.cpu.current()?.el === 0 ? SCTLR_BT.el0 : SCTLR_BT.el1
    return isLandingPad(this.code.wordOf(at), type, ((this.registers.at(slots.SCTLR_EL1) >> control) & 1n) === 1n)
  }

  /** The page of records that a fetch from an address hits in the soft TLB; `undefined`: it misses. */
  fetched(virtual: bigint): number | undefined {
    const page = this.softTlb.fetchPage(this.bankOf(0), Number(virtual & 0xffffffffn) | 0, Number(virtual >> 32n) | 0)
    return page === 0 ? undefined : page
  }

  /** What is known of the page that code at an address is fetched from; `undefined`: something is pending. */
  private fetchEntry(low: number, high: number): ReturnType<SoftTlb['fetchEntry']> {
    const bank = this.bankOf(0)
    const known = (low & 3) === 0 ? this.softTlb.fetchEntry(bank, low, high) : undefined
    if (known !== undefined) return known
    return this.fetch(low, high, BTYPE.NONE) === 0 ? undefined : this.softTlb.fetchEntry(bank, low, high)
  }

  /** What happens instead when an indirect branch leads to an address with this PSTATE.BTYPE; `undefined`: it goes there. */
  checkLanding(target: bigint, branchType: number): Pending | undefined {
    const low = Number(target & 0xffffffffn) | 0
    const entry = this.fetchEntry(low, Number(target >> 32n) | 0)
    const fault = entry === undefined ? this.cpu.take() : undefined
    if (entry?.guarded === false) return undefined
    if (fault?.kind === 'abort' || fault?.kind === 'sync' || fault?.kind === 'jump') return { ...fault, branchType }
    const at = (entry?.page ?? 0) + ((low & (PAGE - 1)) >>> 2) * record.SIZE
    if (this.isLandingPad(at, branchType)) return undefined
    return { kind: 'sync', esr: syndrome.branchTarget(branchType), returnTo: target, branchType }
  }

  /** What PSTATE.BTYPE a branch from here has. */
  branchTypeFromHere(type: number): number {
    if (type !== BTYPE_BY_PAGE) return type
    const pc = this.registers.currentPc()
    const entry = this.fetchEntry(Number(pc & 0xffffffffn) | 0, Number(pc >> 32n) | 0)
    // The instruction is being executed: that it could not be fetched again is nothing to tell.
    if (entry === undefined) this.cpu.take()
    return entry?.guarded === true ? BTYPE.GUARDED_JUMP : BTYPE.JUMP
  }
}
