/** The slow side of every access: translation, the soft TLB's misses, devices, page ends, and fetches. */
import { faultStatus, syndrome } from '../../pure/arch/syndrome.ts'
import type { CpuModel } from '../../pure/arch/cpu/models.ts'
import type { AccessWidth } from '../bus/device.ts'
import { BTYPE, BTYPE_BY_PAGE, isLandingPad } from './branch-target.ts'
import { LINE } from './code-cache.ts'
import type { CodeCache } from './code-cache.ts'
import { watchedByte } from './debug.ts'
import type { Debug } from './debug.ts'
import { record, scratch, tlb } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { translationFeatures } from './mmu/regime.ts'
import { createWalker } from './mmu/walk.ts'
import type { Walker } from './mmu/walk.ts'
import type { Pending } from './pending.ts'
import type { SoftTlb } from './soft-tlb.ts'
import type { CpuState, Registers } from './state.ts'
import { slots } from './slots.ts'
import { ALIGN_LSB, IGNORE_PAN, NOT_DEVICE, UNPRIVILEGED } from './emit/memory-ops.ts'

/** Whatever answers physical addresses outside RAM. */
export interface MmioPorts {
  readonly model: CpuModel
  /** Start of RAM in the physical address space. */
  readonly ramBase: number
  /** Whether somebody answers at this address. */
  mmioHas(physical: number): boolean
  /** `undefined`: nobody answers, an external abort. */
  mmioRead(physical: number, width: AccessWidth, cpu: number): bigint | undefined
  mmioWrite(physical: number, width: AccessWidth, value: bigint, cpu: number): void
}

/** The CPU on whose behalf accesses are made. */
export interface AccessCpu {
  current(): CpuState | undefined
  raise(pending: Pending): void
  /** Takes back what was raised. */
  take(): Pending
}

const PAGE = 4096
const TWO32 = 2 ** 32
const EXTERNAL_ABORT = 0x10
const SCTLR_A = 1
const PAR = { F: 1n, RES1: 1n << 11n, NS: 1n << 9n, FST: 1n, SH: 7n, ATTR: 56n } as const
/** A byte of MAIR_EL1, and a value of SH. */
const NORMAL_NON_CACHEABLE = 0x44
const OUTER_SHAREABLE = 2
/** SCTLR_EL1.BT0 and BT1: PACIASP is no target for BTYPE 3. */
const SCTLR_BT = { el0: 35n, el1: 36n } as const

/**
 * Where a page of a device was found: compiled code has no translations of devices, and a driver asks for the same page
 * again and again.
 */
interface DevicePage {
  /** Of the soft TLB. */
  generation: number
  bank: number
  low: number
  high: number
  physical: number
  /** What was allowed. */
  reads: boolean
  writes: boolean
}
const NO_PAGE: DevicePage = { generation: -1, bank: 0, low: 0, high: 0, physical: 0, reads: false, writes: false }
/** A power of two. */
const DEVICE_PAGES = 16

export class MemoryAccess {
  readonly statistics = { mmioExits: 0, pageWalks: 0 }
  private readonly plan: MemoryPlan
  private readonly registers: Registers
  private readonly softTlb: SoftTlb
  private readonly code: CodeCache
  private readonly ports: MmioPorts
  private readonly cpu: AccessCpu
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly walker: Walker
  private walkerRegime: unknown
  /** Of the walk under way; one for all, as a walk does not allocate. */
  private readonly purpose: { el: 0 | 1; write: boolean; looksOnly: boolean } = {
    el: 1,
    write: false,
    looksOnly: false,
  }
  private readonly devicePages: readonly DevicePage[] = Array.from({ length: DEVICE_PAGES }, () => ({ ...NO_PAGE }))
  /** Watchpoints that the running CPU may meet. */
  watches: ReturnType<Debug['watches']>
  /** The CPU has FEAT_BTI. */
  private readonly guards: boolean
  /**
   * A store whose bytes go through the bounce buffer: to RAM in two parts, or to a device where `host` is 0.
   */
  private bounce = { bytes: 0, first: 0, host: 0, second: 0, physical: 0 }

  constructor(
    memory: {
      readonly plan: MemoryPlan
      readonly registers: Registers
      readonly softTlb: SoftTlb
      readonly code: CodeCache
    },
    ports: MmioPorts,
    cpu: AccessCpu,
  ) {
    this.plan = memory.plan
    this.registers = memory.registers
    this.softTlb = memory.softTlb
    this.code = memory.code
    this.ports = ports
    this.cpu = cpu
    const { buffer } = memory.registers.i32
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.guards = ports.model.features.has('FEAT_BTI')
    this.walker = createWalker(translationFeatures(ports.model.features), {
      read: (high, low) => this.readDescriptor(high, low),
      update: (high, low, descLo) => this.updateDescriptor(high, low, descLo),
    })
  }

  private readDescriptor(high: number, low: number): boolean {
    const w = this.walker
    const physical = (high >>> 0) * TWO32 + (low >>> 0)
    const offset = physical - this.ports.ramBase
    if (offset >= 0 && offset < this.plan.ramSize) {
      const at = (this.plan.ram + offset) >>> 2
      w.descLo = this.registers.i32[at] ?? 0
      w.descHi = this.registers.i32[at + 1] ?? 0
      return true
    }
    // Tables may lie in a device, though none here has any.
    const value = this.ports.mmioRead(physical, 8, this.cpu.current()?.index ?? 0)
    if (value === undefined) return false
    w.descLo = Number(BigInt.asIntN(32, value))
    w.descHi = Number(BigInt.asIntN(32, value >> 32n))
    return true
  }

  private updateDescriptor(high: number, low: number, descLo: number): void {
    const offset = (high >>> 0) * TWO32 + (low >>> 0) - this.ports.ramBase
    if (offset >= 0 && offset < this.plan.ramSize) this.registers.i32[(this.plan.ram + offset) >>> 2] = descLo
  }

  /** Walks the tables for the running CPU; false: `walker.fault` says why. */
  private walk(vaHigh: number, vaLow: number, el: 0 | 1, write: boolean, looksOnly = false): boolean {
    const regime = this.cpu.current()?.regime
    if (regime !== undefined && regime !== this.walkerRegime) {
      this.walker.configure(regime)
      this.walkerRegime = regime
    }
    this.statistics.pageWalks++
    const { purpose } = this
    purpose.el = el
    purpose.write = write
    purpose.looksOnly = looksOnly
    return this.walker.walk(vaHigh, vaLow, purpose)
  }

  /**
   * Physical address of a data access, or -1 with an abort pending. `what` as compiled code gives it: of each part of an
   * access that crosses a page, so that alignment is that of the whole, whose first byte is at `from`.
   */
  private translateData(vaHigh: number, vaLow: number, write: boolean, what: number, from: number): number {
    const w = this.walker
    const el = this.elOf(what)
    const misaligned = (from & ((1 << ((what >>> ALIGN_LSB) & 15)) - 1)) !== 0
    const device = misaligned || (what & (IGNORE_PAN | NOT_DEVICE)) !== 0 ? undefined : this.devicePage(vaLow)
    const bank = this.bankOf(what)
    const page = vaLow & ~(PAGE - 1)
    if (device !== undefined && this.knows(device, bank, page, vaHigh) && (write ? device.writes : device.reads))
      return device.physical + (vaLow & (PAGE - 1))
    let dfsc: number
    if (misaligned && this.alignmentChecked()) dfsc = faultStatus.ALIGNMENT
    else if (!this.walk(vaHigh, vaLow, el, write && (what & IGNORE_PAN) === 0)) dfsc = w.fault
    else if (!this.allowed(write, el, what)) dfsc = w.permissionFault
    else if ((misaligned || (what & NOT_DEVICE) !== 0) && w.isDevice) dfsc = faultStatus.ALIGNMENT
    else {
      const physical = (w.paHi >>> 0) * TWO32 + (w.paLo >>> 0)
      if (device !== undefined && w.isDevice && this.ramAddress(physical) === 0) {
        if (!this.knows(device, bank, page, vaHigh)) {
          const { generation } = this.softTlb
          Object.assign(device, { generation, bank, low: page, high: vaHigh, physical, reads: false, writes: false })
        }
        device.reads ||= !write
        device.writes ||= write
      }
      return physical + (vaLow & (PAGE - 1))
    }
    // DC ZVA reports the address it was given.
    const far = (what & NOT_DEVICE) === 0 ? address(vaHigh, vaLow) : this.registers.at(scratch.ARGUMENT)
    this.cpu.raise({ kind: 'abort', fetch: false, write, dfsc, far })
    return -1
  }

  private devicePage(vaLow: number): DevicePage | undefined {
    return this.devicePages[(vaLow >>> 12) & (DEVICE_PAGES - 1)]
  }

  /** Whether this is what was found of a page, and nothing has ended it since. */
  private knows(device: DevicePage, bank: number, page: number, vaHigh: number): boolean {
    const { generation } = this.softTlb
    return device.generation === generation && device.bank === bank && device.low === page && device.high === vaHigh
  }

  /** The bank of the soft TLB that an access goes by; of fetches, with 0. */
  private bankOf(what: number): number {
    return this.registers.i32[((what & UNPRIVILEGED) !== 0 ? scratch.TLB_UNPRIVILEGED : scratch.TLB) >>> 2] ?? 0
  }

  /** SCTLR_EL1.A: every access has to be aligned. */
  private alignmentChecked(): boolean {
    return this.registers.bitAt(slots.SCTLR_EL1, SCTLR_A) === 1
  }

  /** Whether the permissions allow a data access; PSTATE.PAN keeps EL1 off what EL0 may read. */
  private allowed(write: boolean, el: 0 | 1, what: number): boolean {
    const w = this.walker
    if (el === 0) return write ? w.writeEl0 : w.readEl0
    if (w.isUnprivileged && (what & IGNORE_PAN) === 0 && this.cpu.current()?.pan === 1) return false
    return write ? w.writeEl1 : w.readEl1
  }

  /** Whether an access meets a watchpoint, whose exception is pending then. */
  private watched(vaHigh: number, vaLow: number, write: boolean, what: number): boolean {
    if (this.watches === undefined) return false
    const access = { va: address(vaHigh, vaLow), bytes: what & 0xff, write, el: this.elOf(what) }
    const far = watchedByte(this.watches, access)
    if (far === undefined) return false
    this.cpu.raise({ kind: 'abort', fetch: false, write, dfsc: faultStatus.DEBUG, far })
    return true
  }

  private externalAbort(vaHigh: number, vaLow: number, write: boolean): number {
    this.cpu.raise({ kind: 'abort', fetch: false, write, dfsc: EXTERNAL_ABORT, far: address(vaHigh, vaLow) })
    return 0
  }

  private ramAddress(physical: number): number {
    const offset = physical - this.ports.ramBase
    return offset >= 0 && offset < this.plan.ramSize ? this.plan.ram + offset : 0
  }

  private elOf(what: number): 0 | 1 {
    const cpu = this.cpu.current()
    return (what & UNPRIVILEGED) !== 0 && cpu?.uao !== 1 ? 0 : (cpu?.el ?? 1)
  }

  private fillData(what: number, vaLow: number, vaHigh: number, host: number): void {
    const w = this.walker
    // What is checked at each access is not entered.
    if (w.isDevice || this.watches !== undefined || this.alignmentChecked()) return
    const el = this.elOf(what)
    const bankAddress = this.bankOf(what)
    const page = host & ~(PAGE - 1)
    if (w.log2Size > 12) this.softTlb.noteLarge(vaLow, vaHigh, w.log2Size)
    if (this.allowed(false, el, what)) this.softTlb.fill(bankAddress, tlb.READ, vaLow, vaHigh, page)
    if (w.dirty && this.allowed(true, el, what)) this.softTlb.fill(bankAddress, tlb.WRITE, vaLow, vaHigh, page)
  }

  /** Where the bytes to load lie, in RAM or in the bounce buffer; 0: an abort is pending. */
  loadSlow(vaLow: number, vaHigh: number, what: number): number {
    const bytes = what & 0xff
    if ((vaLow & (PAGE - 1)) + bytes <= PAGE) {
      const physical = this.translateData(vaHigh, vaLow, false, what, vaLow)
      if (physical < 0 || this.watched(vaHigh, vaLow, false, what)) return 0
      const host = this.ramAddress(physical)
      if (host !== 0) {
        this.fillData(what, vaLow, vaHigh, host)
        return host
      }
      return this.mmioLoad(vaLow, vaHigh, physical, bytes)
    }
    const first = PAGE - (vaLow & (PAGE - 1))
    const parts: readonly [number, number, number][] = [
      [vaHigh, vaLow, first],
      [...nextPage(vaHigh, vaLow), bytes - first],
    ]
    let to: number = scratch.BOUNCE
    for (const [high, low, length] of parts) {
      const physical = this.translateData(high, low, false, what, vaLow)
      if (physical < 0) return 0
      const host = this.ramAddress(physical)
      if (host === 0) return this.externalAbort(high, low, false)
      this.bytes.copyWithin(to, host, host + length)
      to += length
    }
    if (this.watched(vaHigh, vaLow, false, what)) return 0
    return scratch.BOUNCE
  }

  /** Where the bytes of an access by a region lie, if it is plain RAM within a page and allowed; 0: the interpreter shall see. */
  lookUp(vaLow: number, vaHigh: number, what: number, write: boolean): number {
    if ((vaLow & (PAGE - 1)) + (what & 0xff) > PAGE) return 0
    if (this.watches !== undefined) return 0
    const physical = this.translateData(vaHigh, vaLow, write, what, vaLow)
    if (physical < 0) {
      this.cpu.take()
      return 0
    }
    const host = this.ramAddress(physical)
    if (host !== 0) this.fillData(what, vaLow, vaHigh, host)
    return host
  }

  private mmioLoad(vaLow: number, vaHigh: number, physical: number, bytes: number): number {
    this.statistics.mmioExits++
    for (let done = 0; done < bytes;) {
      const width = mmioWidth(physical + done, bytes - done)
      const value = this.ports.mmioRead(physical + done, width, this.cpu.current()?.index ?? 0)
      if (value === undefined) return this.externalAbort(vaHigh, vaLow, false)
      this.putBytes(scratch.BOUNCE + done, width, value)
      done += width
    }
    return scratch.BOUNCE
  }

  private putBytes(at: number, width: AccessWidth, value: bigint): void {
    if (width === 8) this.view.setBigUint64(at, BigInt.asUintN(64, value), true)
    else if (width === 4) this.view.setUint32(at, Number(value & 0xffffffffn), true)
    else if (width === 2) this.view.setUint16(at, Number(value & 0xffffn), true)
    else this.view.setUint8(at, Number(value & 0xffn))
  }

  private getBytes(at: number, width: AccessWidth): bigint {
    if (width === 8) return this.view.getBigUint64(at, true)
    if (width === 4) return BigInt(this.view.getUint32(at, true))
    if (width === 2) return BigInt(this.view.getUint16(at, true))
    return BigInt(this.view.getUint8(at))
  }

  /** Where the bytes to store belong; in the bounce buffer, `commitStore` follows. 0: an abort is pending. */
  storeSlow(vaLow: number, vaHigh: number, what: number): number {
    const bytes = what & 0xff
    const physical = this.translateData(vaHigh, vaLow, true, what, vaLow)
    if (physical < 0) return 0
    if ((vaLow & (PAGE - 1)) + bytes <= PAGE) {
      if (this.watched(vaHigh, vaLow, true, what)) return 0
      const host = this.ramAddress(physical)
      if (host !== 0) {
        this.fillData(what, vaLow, vaHigh, host)
        return host
      }
      if (!this.ports.mmioHas(physical)) return this.externalAbort(vaHigh, vaLow, true)
      this.bounce = { bytes, first: bytes, host: 0, second: 0, physical }
      return scratch.BOUNCE
    }
    const [high, low] = nextPage(vaHigh, vaLow)
    const host = this.ramAddress(physical)
    if (host === 0) return this.externalAbort(vaHigh, vaLow, true)
    const onNextPage = this.translateData(high, low, true, what, vaLow)
    if (onNextPage < 0 || this.watched(vaHigh, vaLow, true, what)) return 0
    const second = this.ramAddress(onNextPage)
    if (second === 0) return this.externalAbort(high, low, true)
    this.bounce = { bytes, first: PAGE - (vaLow & (PAGE - 1)), host, second, physical }
    return scratch.BOUNCE
  }

  /** The bytes of a store are in the bounce buffer: brings them to where they belong. */
  commitStore(): void {
    const { bytes, first, host, second, physical } = this.bounce
    if (host !== 0) {
      this.bytes.copyWithin(host, scratch.BOUNCE, scratch.BOUNCE + first)
      this.bytes.copyWithin(second, scratch.BOUNCE + first, scratch.BOUNCE + bytes)
      return
    }
    this.statistics.mmioExits++
    for (let done = 0; done < bytes;) {
      const width = mmioWidth(physical + done, bytes - done)
      this.ports.mmioWrite(
        physical + done,
        width,
        this.getBytes(scratch.BOUNCE + done, width),
        this.cpu.current()?.index ?? 0,
      )
      done += width
    }
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
    const physical = (w.paHi >>> 0) * TWO32 + (w.paLo >>> 0)
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
  fetched(address: bigint): number | undefined {
    const page = this.softTlb.fetchPage(this.bankOf(0), Number(address & 0xffffffffn) | 0, Number(address >> 32n) | 0)
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

  /** TLBI by address, by ASID, or of everything. */
  tlbInvalidate(va: bigint | undefined, asid: number | undefined): void {
    if (va === undefined) this.softTlb.flushAll(asid)
    else this.softTlb.flushPage(Number(va & 0xffffffffn) | 0, Number((va >> 32n) & 0xffffffffn) | 0)
  }

  /** IC IVAU on the line of an address (false: an abort is pending), or IC IALLU. */
  icInvalidate(va: bigint | undefined): boolean {
    if (va === undefined) {
      this.code.refresh()
      return true
    }
    const low = Number(va & 0xffffffffn) | 0
    const high = Number(va >> 32n) | 0
    const host = this.maintained(high, low, false)
    if (host < 0) return this.wasMaintenance()
    if (host > 0) this.code.refreshLine(Math.floor((host - this.plan.ram) / LINE) * LINE)
    return true
  }

  /** Where the byte lies that cache maintenance is about; 0: not in RAM; -1: an abort is pending. */
  private maintained(high: number, low: number, write: boolean): number {
    const known = write ? 0 : this.softTlb.readable(this.bankOf(0), low, high)
    if (known !== 0) return known
    const physical = this.translateData(high, low, write, IGNORE_PAN, 0)
    if (physical < 0) return -1
    const host = this.ramAddress(physical)
    // The next line of the page is found at once.
    if (host !== 0) this.fillData(0, low, high, host)
    return host
  }

  /** Faults of cache maintenance are reported as writes (ISS.CM, ISS.WnR). */
  private wasMaintenance(): false {
    const abort = this.cpu.take()
    this.cpu.raise(abort.kind === 'abort' ? { ...abort, maintenance: true, write: true } : abort)
    return false
  }

  /** DC by address: the line must be mapped; memory is always up to date. */
  dcMaintain(va: bigint, write: boolean): boolean {
    const low = Number(va & 0xffffffffn) | 0
    const high = Number(va >> 32n) | 0
    return this.maintained(high, low, write) >= 0 || this.wasMaintenance()
  }

  /** AT: the value of PAR_EL1 (D24.2.122). `pan`: as PSTATE.PAN says. */
  addressTranslate(va: bigint, write: boolean, el: 0 | 1, pan: boolean): bigint {
    const w = this.walker
    const walked = this.walk(Number((va >> 32n) & 0xffffffffn) | 0, Number(va & 0xffffffffn) | 0, el, write, true)
    const fails = !walked ? w.fault : this.allowed(write, el, pan ? 0 : IGNORE_PAN) ? undefined : w.permissionFault
    if (fails !== undefined) return PAR.RES1 | (BigInt(fails) << PAR.FST) | PAR.F
    // Device memory and what no cache holds are Outer Shareable, whatever the tables say.
    const shareability = w.isDevice || w.attributes === NORMAL_NON_CACHEABLE ? OUTER_SHAREABLE : w.shareability
    const page = (BigInt(w.paHi >>> 0) << 32n) | BigInt(w.paLo >>> 0)
    return page | PAR.RES1 | PAR.NS | (BigInt(w.attributes) << PAR.ATTR) | (BigInt(shareability) << PAR.SH)
  }
}

const address = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

/** The first address of the page after that of `low`. */
const nextPage = (high: number, low: number): [number, number] => {
  const next = ((low | (PAGE - 1)) + 1) | 0
  return [next === 0 ? (high + 1) | 0 : high, next]
}

/** The widest access that is aligned and not longer than what is left. */
const mmioWidth = (physical: number, left: number): AccessWidth => {
  for (const width of [8, 4, 2] as const) if (left >= width && physical % width === 0) return width
  return 1
}
