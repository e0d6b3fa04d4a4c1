/** All accesses to memory that compiled code does not make itself; here the maintenance of caches and TLB, and AT. */
import { LINE } from './code-cache.ts'
import { DataAccess } from './data-access.ts'
import { IGNORE_PAN } from './emit/memory-ops.ts'

const PAR = { F: 1n, RES1: 1n << 11n, NS: 1n << 9n, FST: 1n, SH: 7n, ATTR: 56n } as const
/** A byte of MAIR_EL1, and a value of SH. */
const NORMAL_NON_CACHEABLE = 0x44
const OUTER_SHAREABLE = 2

export class MemoryAccess extends DataAccess {
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
