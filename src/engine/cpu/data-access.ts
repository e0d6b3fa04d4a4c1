/** The slow side of loads and stores: the soft TLB's misses, devices, page ends, watchpoints. */
import { faultStatus } from '../../pure/arch/syndrome.ts'
import type { AccessWidth } from '../bus/device.ts'
import { watchedByte } from './debug.ts'
import type { Debug } from './debug.ts'
import { ALIGN_LSB, IGNORE_PAN, NOT_DEVICE } from './emit/memory-ops.ts'
import { FetchAccess } from './fetch-access.ts'
import { scratch, tlb } from './layout.ts'
import { slots } from './slots.ts'
import { EXTERNAL_ABORT, PAGE, address } from './translated-access.ts'
import type { AccessCpu, AccessMemory, MmioPorts } from './translated-access.ts'

const SCTLR_A = 1

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

export abstract class DataAccess extends FetchAccess {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly devicePages: readonly DevicePage[] = Array.from({ length: DEVICE_PAGES }, () => ({ ...NO_PAGE }))
  /** Watchpoints that the running CPU may meet. */
  watches: ReturnType<Debug['watches']>
  /** A store whose bytes go through the bounce buffer: to RAM in two parts, or to a device where `host` is 0. */
  private bounce = { bytes: 0, first: 0, host: 0, second: 0, physical: 0 }

  constructor(memory: AccessMemory, ports: MmioPorts, cpu: AccessCpu) {
    super(memory, ports, cpu)
    const { buffer } = memory.registers.i32
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
  }

  /**
   * Physical address of a data access, or -1 with an abort pending. `what` as compiled code gives it: of each part of an
   * access that crosses a page, so that alignment is that of the whole, whose first byte is at `from`.
   */
  protected translateData(vaHigh: number, vaLow: number, write: boolean, what: number, from: number): number {
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
      const physical = this.walkedPage()
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

  /** SCTLR_EL1.A: every access has to be aligned. */
  private alignmentChecked(): boolean {
    return this.registers.bitAt(slots.SCTLR_EL1, SCTLR_A) === 1
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

  protected fillData(what: number, vaLow: number, vaHigh: number, host: number): void {
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
    else if (width === 4) this.view.setUint32(at, Number(BigInt.asUintN(32, value)), true)
    else if (width === 2) this.view.setUint16(at, Number(BigInt.asUintN(16, value)), true)
    else this.view.setUint8(at, Number(BigInt.asUintN(8, value)))
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
}

/** The first address of the page after that of `low`. */
const nextPage = (high: number, low: number): [number, number] => {
  const next = ((low | (PAGE - 1)) + 1) | 0
  return [next === 0 ? (high + 1) | 0 : high, next]
}

/** The widest access that is aligned and not longer than what is left. */
const mmioWidth = (physical: number, left: number): AccessWidth => {
  if (left >= 8 && physical % 8 === 0) return 8
  if (left >= 4 && physical % 4 === 0) return 4
  return left >= 2 && physical % 2 === 0 ? 2 : 1
}
