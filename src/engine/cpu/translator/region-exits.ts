/**
 * Instruction bodies for a translated region, the part that knows where it is and how to leave. Whatever a region does not do
 * itself it leaves to the interpreter, by returning at that instruction with the registers it has changed in memory.
 */
import type { AccessMode, GprOperand, ImmOperand } from '../../../pure/arch/a64/ops.ts'
import { gpr } from '../../../pure/arch/a64/ops.ts'
import type { Code } from '../../wasm/code.ts'
import { PUSHED } from '../emit/arithmetic-ops.ts'
import type { Pushed } from '../emit/arithmetic-ops.ts'
import { pushFetchHit } from '../emit/region-entry.ts'
import { record, scratch, tlb } from '../layout.ts'
import type { FlagPorts } from './lazy-flag-ops.ts'
import { distanceOf } from './pages.ts'
import type { Pages } from './pages.ts'
import { RegionRegisters, forEachRegister } from './region-registers.ts'
import type { RegionLocals, RegisterSets } from './region-registers.ts'
import { REGION_RESULT } from './region-result.ts'

/** Where a block's control goes: an instruction in a known page by its number, or an offset from the block's last one. */
export type Edge = { readonly to: number } | { readonly far: number }

/**
 * The rare ways out of a block: they end in one chain of stores, which each enters where what it has changed so far is written
 * back. Written out each, they would be most of a region's code.
 */
interface RareExits {
  /** Depths of the labels: that of after the chain, and those of its places, by how many registers have become dirty. */
  readonly after: number
  readonly places: readonly number[]
  /** What had been changed before the block. */
  readonly dirty: RegisterSets
}

export abstract class RegionExits extends RegionRegisters {
  protected readonly pages: Pages
  /** Depth of the block whose end returns. */
  exit = 0
  /** The instruction that is emitted. */
  index = 0
  /** Instructions of the block that have been counted but, at this one, not run. */
  protected uncounted = 0
  private rare: RareExits | undefined

  constructor(code: Code, ports: FlagPorts, locals: RegionLocals, pages: Pages) {
    super(code, ports, locals)
    this.pages = pages
  }

  // ---- addresses

  protected recordOf(index: number): number {
    return this.pages.recordOf(index)
  }

  protected pushPcOf(index: number, offset: number | bigint = 0): Pushed {
    this.code.get(this.locals.pcOffset)
    this.code.i64(BigInt((this.pages.pageOf(0) >>> 2) + 4 * index) + BigInt(offset))
    this.code.op('i64.add')
    return PUSHED
  }

  protected pushPcPlus(offset: number | bigint): Pushed {
    return this.pushPcOf(this.index, offset)
  }

  pcRelative(offset: ImmOperand): Pushed {
    return this.pushPcPlus(offset.value)
  }

  pageRelative(offset: ImmOperand): Pushed {
    this.pushPcPlus(0)
    this.code.i64(-4096)
    this.code.op('i64.and')
    this.code.i64(offset.value)
    this.code.op('i64.add')
    return PUSHED
  }

  nextPc(): Pushed {
    return this.pushPcPlus(4)
  }

  // ---- ways out

  /** Leaves the region for an instruction that is not in it, or not a direct successor. */
  leaveAt(edge: Edge): void {
    if ('far' in edge) this.pushPcPlus(edge.far)
    else if (distanceOf(edge.to) === distanceOf(this.index)) return this.leaveWith(this.recordOf(edge.to))
    else this.pushPcOf(edge.to)
    this.code.set(this.locals.target)
    this.leaveToTarget()
  }

  /** Has memory say where the page at a distance from the root's is. */
  protected storePcOffset(distance: number): void {
    const c = this.code
    c.i32(0)
    c.get(this.locals.pcOffset)
    if (distance !== 0) {
      const first = distance * record.PER_PAGE
      c.i64((this.pages.pageOf(0) >>> 2) + 4 * first - (this.pages.pageOf(first) >>> 2))
      c.op('i64.add')
    }
    c.memory('i64.store', scratch.PC_OFFSET)
  }

  /** Before what asks memory for the address of this instruction. */
  protected comeToPage(): void {
    const distance = distanceOf(this.index)
    if (distance !== 0) this.storePcOffset(distance)
  }

  /** After that: memory says again where the root's page is. */
  protected comeBack(): void {
    if (distanceOf(this.index) !== 0) this.storePcOffset(0)
  }

  /** Leaves for an instruction in another page, unless that page is still what is fetched from there. */
  needPage(index: number): void {
    const c = this.code
    const entry = this.temporary('i32')
    this.pushPcOf(index)
    c.set(this.locals.target)
    pushFetchHit(c, this.locals.target, entry)
    c.get(entry)
    c.memory('i32.load', tlb.FETCH + 8)
    c.i32(this.pages.pageOf(index))
    c.op('i32.eq')
    c.op('i32.and')
    c.op('i32.eqz')
    c.if(undefined, false)
    this.leaveToTarget()
    c.end()
  }

  leaveToTarget(): void {
    const c = this.code
    c.i32(0)
    c.get(this.locals.target)
    c.memory('i64.store', scratch.TARGET)
    this.leaveWith(REGION_RESULT.TARGET)
  }

  protected leaveWith(result: number): void {
    if (result !== REGION_RESULT.TARGET) this.comeToPage()
    this.storeRegisters(this.dirtyX, this.dirtyV)
    this.storeFlags()
    this.code.i32(result)
    this.code.set(this.locals.result)
    this.code.br(this.exit)
  }

  /** From here on rare ways out lead to `endRareExits`; no other registers than these are written until then. */
  beginRareExits(writes: RegisterSets): void {
    const c = this.code
    const open = (): number => {
      const { depth } = c
      c.block()
      return depth
    }
    this.dirtied.length = 0
    const after = open()
    const places = [open()]
    forEachRegister(writes.x & ~this.dirtyX, () => places.push(open()))
    forEachRegister(writes.v & ~this.dirtyV, () => places.push(open()))
    this.rare = { after, places, dirty: { x: this.dirtyX, v: this.dirtyV } }
  }

  /** `behind`: the number of the instruction behind those that have been emitted, all of which the budget has counted. */
  endRareExits(behind: number): void {
    const c = this.code
    const { rare } = this
    if (rare === undefined) return
    this.rare = undefined
    c.br(rare.after)
    for (let n = rare.places.length - 1; n >= 0; n--) {
      c.end()
      const register = this.dirtied[n - 1]
      if (register !== undefined) this.storeDirtied(register)
    }
    this.storeRegisters(rare.dirty.x, rare.dirty.v)
    this.comeToPage()
    c.get(this.locals.budget)
    c.i32((this.recordOf(behind - 1) + record.SIZE) | REGION_RESULT.INTERPRET)
    c.get(this.locals.result)
    c.op('i32.sub')
    c.i32(record.LOG2_SIZE)
    c.op('i32.shr_u')
    c.op('i32.add')
    c.set(this.locals.budget)
    c.br(this.exit)
    c.end()
  }

  /** Leaves before this instruction has had any effect; the interpreter runs it once. */
  leaveToInterpret(): void {
    const c = this.code
    const place = this.rare?.places[this.dirtied.length]
    if (place !== undefined) {
      this.storeFlags()
      c.i32(this.recordOf(this.index) | REGION_RESULT.INTERPRET)
      c.set(this.locals.result)
      return c.br(place)
    }
    c.get(this.locals.budget)
    c.i32(this.uncounted)
    c.op('i32.add')
    c.set(this.locals.budget)
    this.leaveWith(this.recordOf(this.index) | REGION_RESULT.INTERPRET)
  }

  // ---- accesses

  base(reg: GprOperand): Pushed {
    if (reg.value !== gpr.SP) return this.get(64, reg)
    const c = this.code
    this.get(32, reg)
    c.i32(15)
    c.op('i32.and')
    c.if(undefined, false)
    this.leaveToInterpret()
    c.end()
    return this.get(64, reg)
  }

  protected misaligned(): void {
    this.leaveToInterpret()
  }

  // Only translations are looked up: that has no effect on the guest.
  protected beforeCallOut(): void {}
  protected afterCallOut(): void {}
  protected commitStore(): void {}

  protected leaveOnFault(): void {
    this.leaveToInterpret()
  }

  protected tlbBase(access: AccessMode): void {
    if (access === 'normal') return this.code.get(this.locals.tlb)
    this.code.i32(0)
    this.code.memory('i32.load', scratch.TLB_UNPRIVILEGED)
  }
}
