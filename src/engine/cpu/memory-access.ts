/** The slow side of every access: translation, the soft TLB's misses, devices, page ends, and fetches. */
import { syndrome } from '../../pure/arch/syndrome.ts'
import type { AccessWidth } from '../bus/device.ts'
import type { CodeCache } from './code-cache.ts'
import { record, scratch, tlb } from './layout.ts'
import type { MemoryPlan } from './layout.ts'
import { createWalker } from './mmu/walk.ts'
import type { Walker } from './mmu/walk.ts'
import type { Pending } from './pending.ts'
import type { SoftTlb } from './soft-tlb.ts'
import type { CpuState, Registers } from './state.ts'
import { UNPRIVILEGED } from './emit/memory-ops.ts'

/** Whatever answers physical addresses outside RAM. */
export interface MmioPorts {
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
  /**
   * A store whose bytes go through the bounce buffer: to RAM in two parts, or to a device where `host` is 0.
   */
  private bounce = { bytes: 0, first: 0, host: 0, second: 0, physical: 0 }

  constructor(
    memory: { readonly plan: MemoryPlan; readonly registers: Registers; readonly softTlb: SoftTlb; readonly code: CodeCache },
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
    this.walker = createWalker((high, low) => this.readDescriptor(high, low))
  }

  private readDescriptor(high: number, low: number): boolean {
    const physical = (high >>> 0) * TWO32 + (low >>> 0)
    const offset = physical - this.ports.ramBase
    if (offset < 0 || offset >= this.plan.ramSize) return false
    const at = (this.plan.ram + offset) >>> 2
    this.walker.descLo = this.registers.i32[at] ?? 0
    this.walker.descHi = this.registers.i32[at + 1] ?? 0
    return true
  }

  /** Walks the tables for the running CPU; false: `walker.fault` says why. */
  private walk(vaHigh: number, vaLow: number): boolean {
    const regime = this.cpu.current()?.regime
    if (regime !== undefined && regime !== this.walkerRegime) {
      this.walker.configure(regime)
      this.walkerRegime = regime
    }
    this.statistics.pageWalks++
    return this.walker.walk(vaHigh, vaLow)
  }

  /** Physical address of a data access, or -1 with an abort pending. */
  private translateData(vaHigh: number, vaLow: number, write: boolean, el: 0 | 1): number {
    const w = this.walker
    let dfsc: number
    if (!this.walk(vaHigh, vaLow)) dfsc = w.fault
    else {
      const allowed = write ? (el === 0 ? w.writeEl0 : w.writeEl1) : el === 0 ? w.readEl0 : w.readEl1
      if (allowed) return (w.paHi >>> 0) * TWO32 + (w.paLo >>> 0) + (vaLow & (PAGE - 1))
      dfsc = w.permissionFault
    }
    this.cpu.raise({ kind: 'abort', fetch: false, write, dfsc, far: address(vaHigh, vaLow) })
    return -1
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
    return (what & UNPRIVILEGED) !== 0 ? 0 : (this.cpu.current()?.el ?? 1)
  }

  private fillData(what: number, vaLow: number, vaHigh: number, host: number): void {
    const w = this.walker
    const el0 = this.elOf(what) === 0
    const bankAddress = this.registers.i32[((what & UNPRIVILEGED) !== 0 ? scratch.TLB_UNPRIVILEGED : scratch.TLB) >>> 2] ?? 0
    const page = host & ~(PAGE - 1)
    if (w.log2Size > 12) this.softTlb.noteLarge(vaLow, vaHigh, w.log2Size)
    this.softTlb.misses++
    if (el0 ? w.readEl0 : w.readEl1) this.softTlb.fill(bankAddress, tlb.READ, vaLow, vaHigh, page)
    if (el0 ? w.writeEl0 : w.writeEl1) this.softTlb.fill(bankAddress, tlb.WRITE, vaLow, vaHigh, page)
  }

  /** Where the bytes to load lie, in RAM or in the bounce buffer; 0: an abort is pending. */
  loadSlow(vaLow: number, vaHigh: number, what: number): number {
    const bytes = what & 0xff
    const el = this.elOf(what)
    if ((vaLow & (PAGE - 1)) + bytes <= PAGE) {
      const physical = this.translateData(vaHigh, vaLow, false, el)
      if (physical < 0) return 0
      const host = this.ramAddress(physical)
      if (host !== 0) {
        this.fillData(what, vaLow, vaHigh, host)
        return host
      }
      return this.mmioLoad(vaLow, vaHigh, physical, bytes)
    }
    const first = PAGE - (vaLow & (PAGE - 1))
    const parts: readonly [number, number, number][] = [[vaHigh, vaLow, first], [...nextPage(vaHigh, vaLow), bytes - first]]
    let to: number = scratch.BOUNCE
    for (const [high, low, length] of parts) {
      const physical = this.translateData(high, low, false, el)
      if (physical < 0) return 0
      const host = this.ramAddress(physical)
      if (host === 0) return this.externalAbort(high, low, false)
      this.bytes.copyWithin(to, host, host + length)
      to += length
    }
    return scratch.BOUNCE
  }

  /** Where the bytes of an access by a region lie, if it is plain RAM within a page and allowed; 0: the interpreter shall see. */
  lookUp(vaLow: number, vaHigh: number, what: number, write: boolean): number {
    if ((vaLow & (PAGE - 1)) + (what & 0xff) > PAGE) return 0
    const physical = this.translateData(vaHigh, vaLow, write, this.elOf(what))
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
    for (let done = 0; done < bytes; ) {
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
    const el = this.elOf(what)
    const physical = this.translateData(vaHigh, vaLow, true, el)
    if (physical < 0) return 0
    if ((vaLow & (PAGE - 1)) + bytes <= PAGE) {
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
    const onNextPage = this.translateData(high, low, true, el)
    if (onNextPage < 0) return 0
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
    for (let done = 0; done < bytes; ) {
      const width = mmioWidth(physical + done, bytes - done)
      this.ports.mmioWrite(physical + done, width, this.getBytes(scratch.BOUNCE + done, width), this.cpu.current()?.index ?? 0)
      done += width
    }
  }

  /** The record of the instruction at an address; 0: an exception is pending. */
  fetch(vaLow: number, vaHigh: number): number {
    const far = address(vaHigh, vaLow)
    const cpu = this.cpu.current()
    if (cpu === undefined) throw new Error('no CPU runs')
    if ((vaLow & 3) !== 0) {
      this.cpu.raise({ kind: 'sync', esr: syndrome.pcAlignment(), returnTo: far, far })
      return 0
    }
    const w = this.walker
    let dfsc: number | undefined
    if (!this.walk(vaHigh, vaLow)) dfsc = w.fault
    else if (!(cpu.el === 0 ? w.execEl0 : w.execEl1)) dfsc = w.permissionFault
    const physical = (w.paHi >>> 0) * TWO32 + (w.paLo >>> 0)
    const offset = physical - this.ports.ramBase
    if (dfsc === undefined && (offset < 0 || offset >= this.plan.ramSize)) dfsc = EXTERNAL_ABORT
    if (dfsc !== undefined) {
      this.cpu.raise({ kind: 'abort', fetch: true, write: false, dfsc, far })
      return 0
    }
    if (w.log2Size > 12) this.softTlb.noteLarge(vaLow, vaHigh, w.log2Size)
    const page = this.code.page(offset)
    this.softTlb.fill(this.registers.i32[scratch.TLB >>> 2] ?? 0, tlb.FETCH, vaLow, vaHigh, page)
    return page + ((vaLow & (PAGE - 1)) >>> 2) * record.SIZE
  }

  /** TLBI by address, by ASID, or of everything. */
  tlbInvalidate(va: bigint | undefined, asid: number | undefined): void {
    if (va === undefined) this.softTlb.flushAll(asid)
    else this.softTlb.flushPage(Number(va & 0xffffffffn) | 0, Number((va >> 32n) & 0xffffffffn) | 0)
  }

  /** IC IVAU on the line of an address (false: an abort is pending), or IC IALLU. */
  icInvalidate(va: bigint | undefined): boolean {
    if (va === undefined) {
      this.code.reset()
      this.cpu.raise({ kind: 'jump', pc: this.registers.currentPc() + 4n })
      return false
    }
    const low = Number(va & 0xffffffffn) | 0
    const high = Number(va >> 32n) | 0
    const physical = this.translateData(high, low, false, this.cpu.current()?.el ?? 1)
    if (physical < 0) return this.wasMaintenance()
    const LINE = 64
    const offset = physical - this.ports.ramBase
    if (offset >= 0 && offset < this.plan.ramSize) this.code.invalidate(Math.floor(offset / LINE) * LINE, LINE)
    return true
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
    if (this.translateData(high, low, write, this.cpu.current()?.el ?? 1) >= 0) return true
    return this.wasMaintenance()
  }

  /** AT: the value of PAR_EL1 (D24.2.122). */
  addressTranslate(va: bigint, write: boolean, el: 0 | 1): bigint {
    const RES1 = 1n << 11n
    const physical = this.translateData(Number(va >> 32n) | 0, Number(va & 0xffffffffn) | 0, write, el)
    if (physical < 0) {
      const p = this.cpu.take()
      return RES1 | (BigInt(p.kind === 'abort' ? p.dfsc : 0) << 1n) | 1n
    }
    const { attributes, shareability } = this.walker
    return (BigInt(physical) & 0xffff_ffff_f000n) | RES1 | (BigInt(attributes) << 56n) | (BigInt(shareability) << 7n)
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
