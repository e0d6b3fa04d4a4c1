/**
 * Instruction bodies for a translated region, the part that goes elsewhere: how its blocks end, and what is called by them.
 */
import type { ImmOperand, JumpKind, Operand, Ops } from '../../../pure/arch/a64/ops.ts'
import type { Row } from '../../../pure/arch/a64/row.ts'
import type { Code } from '../../wasm/code.ts'
import { PUSHED } from '../emit/arithmetic-ops.ts'
import type { Pushed } from '../emit/arithmetic-ops.ts'
import { UNTOUCHED } from '../flag-kind.ts'
import type { FlagState } from '../flag-kind.ts'
import { fieldValue } from '../interpreter/interpreter.ts'
import { callRegion, needBudget } from '../emit/region-entry.ts'
import { record, region, scratch } from '../layout.ts'
import { distanceOf } from './pages.ts'
import type { Pages } from './pages.ts'
import { REGION_RESULT } from './region-result.ts'
import type { FlagPorts } from './lazy-flag-ops.ts'
import { RegionExits } from './region-exits.ts'
import type { Edge } from './region-exits.ts'
import { registersOf } from './region-registers.ts'
import type { RegionLocals, RegionNeeds, RegisterSets } from './region-registers.ts'

export type Terminator =
  | { readonly kind: 'goto'; readonly edge: Edge }
  | { readonly kind: 'branch'; readonly condition: number; readonly edge: Edge }
  /**
   * The address is in the target local; the next instruction is where the call comes back to. `to`: the number of the
   * called instruction, where it lies in a known page.
   */
  | { readonly kind: 'call'; readonly to?: number }
  /** The address is in the target local. `jump`: BR, which may lead to places of the same page. */
  | { readonly kind: 'indirect'; readonly jump: boolean }
  /** The interpreter's handler has to run this instruction. */
  | { readonly kind: 'system' }

export interface RegionPorts extends FlagPorts {
  /** Runs the region at an address with a budget, if there is one, and what it leads to until that comes back. */
  readonly enter: number
  /** Their type, and where in the table they begin. */
  readonly regionType: number
  readonly functions: number
  /** Told of an indirect branch or call, by its record, and how far from itself it leads, in bytes. */
  readonly branched: number
  /** A pure helper's function. */
  helper(name: string, parameters: number): number
}

export class RegionOps extends RegionExits implements Ops<Pushed> {
  private readonly regionPorts: RegionPorts
  private fpAllowed = false
  /** Whether the instruction goes elsewhere than to the next. */
  private branches = false
  terminator: Terminator | undefined

  constructor(code: Code, ports: RegionPorts, locals: RegionLocals, pages: Pages) {
    super(code, ports, locals, pages)
    this.regionPorts = ports
  }

  /** `dirty`: registers that some way here has changed. */
  startBlock(dirty: RegisterSets, flags: FlagState): void {
    this.dirtyX = dirty.x
    this.dirtyV = dirty.v
    this.flagState = flags
    this.fpAllowed = false
  }

  /** `uncounted`: instructions from this one to the end of its block. */
  startInstruction(index: number, uncounted: number, { fp, flow }: Pick<Row, 'fp' | 'flow'>): void {
    this.index = index
    this.uncounted = uncounted
    this.branches = flow !== undefined
    this.terminator = undefined
    this.begin(this.code)
    if (!fp || this.fpAllowed) return
    // CPACR_EL1 changes only where a system instruction ends a block: once a block is enough.
    this.fpAllowed = true
    this.code.get(this.locals.fpTrapped)
    this.code.if(undefined, false)
    this.leaveToInterpret()
    this.code.end()
  }

  private edge(offset: ImmOperand): Edge {
    const to = this.index + Number(offset.value) / 4
    return this.pages.has(to) ? { to } : { far: Number(offset.value) }
  }

  /** What follows a call to a system helper is not reached. */
  private end(terminator: Terminator): void {
    if (this.terminator?.kind !== 'system') this.terminator = terminator
  }

  jump(offset: ImmOperand, kind: JumpKind = 'jump'): void {
    const edge = this.edge(offset)
    if (kind !== 'call') return this.end({ kind: 'goto', edge })
    this.pushPcPlus(offset.value)
    this.code.set(this.locals.target)
    this.end({ kind: 'call', ...('to' in edge ? { to: edge.to } : {}) })
  }

  jumpIf(_condition: Pushed, offset: ImmOperand): void {
    const condition = this.temporary('i32')
    this.code.set(condition)
    this.end({ kind: 'branch', condition, edge: this.edge(offset) })
  }

  jumpTo(_address: Pushed, kind: JumpKind): void {
    this.code.set(this.locals.target)
    this.end(kind === 'call' ? { kind } : { kind: 'indirect', jump: kind === 'jump' })
  }

  /**
   * Runs the region of the called function, if there is one, and goes on behind when it comes back here; everything else
   * is handed on. Afterwards memory is as the callee left it, and `live` is loaded from it. `to`: the number of the
   * called instruction, if it is known.
   */
  callOut(to: number | undefined, live: RegisterSets, flags: boolean): void {
    const c = this.code
    this.storeRegisters(this.dirtyX, this.dirtyV)
    this.storeFlags()
    const called = c.depth
    c.block()
    if (to !== undefined && distanceOf(to) === distanceOf(this.index)) this.callNear(this.recordOf(to), called)
    c.get(this.locals.target)
    c.get(this.locals.budget)
    c.get(this.locals.depth)
    this.nextPc()
    c.call(this.regionPorts.enter)
    c.set(this.locals.result)
    c.end()
    c.get(this.locals.result)
    c.i32(0)
    c.memory('i64.load', scratch.TARGET)
    this.nextPc()
    c.op('i64.ne')
    c.op('i32.or')
    c.if(undefined, false)
    c.get(this.locals.result)
    c.return()
    c.end()
    c.i32(0)
    c.memory('i32.load', scratch.BUDGET)
    c.set(this.locals.budget)
    this.storePcOffset(0)
    this.startBlock({ x: 0, v: 0 }, UNTOUCHED)
    if (flags) this.loadFlags()
    this.loadRegisters(live)
  }

  /** Calls the region that begins at a record of this page, if one does and may: then on behind `called`. */
  private callNear(at: number, called: number): void {
    const c = this.code
    const { budget, depth, result, target } = this.locals
    const { functions, regionType } = this.regionPorts
    const miss = c.depth
    c.block()
    c.i32(at)
    c.memory('i32.load16_u', 0)
    c.tee(result)
    c.i32(region.OPCODE)
    c.op('i32.lt_u')
    c.brIf(miss, false)
    c.get(depth)
    c.i32(region.MAX_DEPTH)
    c.op('i32.ge_s')
    c.brIf(miss, false)
    this.comeToPage()
    const call = { budget, depth, opcode: result, functions, regionType }
    needBudget(c, call, miss)
    callRegion(c, call)
    c.tee(result)
    c.brIf(called, false)
    c.i32(0)
    c.memory('i64.load', scratch.TARGET)
    c.tee(target)
    this.nextPc()
    c.op('i64.eq')
    c.brIf(called, true)
    // It went on elsewhere, as a function does that ends by going to another.
    c.i32(0)
    c.memory('i32.load', scratch.BUDGET)
    c.set(budget)
    c.end()
  }

  /**
   * Runs the instruction by its handler, a function of the interpreter's table, as if it had just been dispatched. Afterwards
   * memory is as the handler left it, and `live` is loaded from it. `needed`: instructions that the budget must cover
   * for the region to go on.
   */
  callHandler(handler: number, type: number, live: RegisterSets, needs: RegionNeeds, needed: number): void {
    const c = this.code
    const left = this.uncounted - 1
    this.storeRegisters(this.dirtyX, this.dirtyV)
    this.storeFlags()
    c.i32(0)
    c.memory('i32.load', scratch.FLAG_KIND)
    c.if()
    c.call(this.regionPorts.flags)
    c.op('drop')
    c.end()
    c.i32(0)
    c.get(this.locals.budget)
    c.i32(left)
    c.op('i32.add')
    c.memory('i32.store', scratch.BUDGET)
    this.comeToPage()
    c.i32(this.recordOf(this.index))
    c.i32(handler)
    c.callIndirect(type)
    c.if(undefined, false)
    c.i32(REGION_RESULT.LEAVE)
    c.return()
    c.end()
    c.i32(0)
    c.memory('i32.load', scratch.BUDGET)
    c.tee(this.locals.budget)
    c.i32(needed)
    c.op('i32.lt_s')
    c.if(undefined, false)
    c.i32(this.recordOf(this.index) + record.SIZE)
    c.return()
    c.end()
    this.comeBack()
    if (left > 0) {
      c.get(this.locals.budget)
      c.i32(left)
      c.op('i32.sub')
      c.set(this.locals.budget)
    }
    this.startBlock({ x: 0, v: 0 }, UNTOUCHED)
    this.loadContext(needs)
    this.loadRegisters(live)
  }

  /**
   * Does the instruction by its handler, which reads its operands from the record, works on the registers in memory, and goes on
   * with the next whatever they hold.
   */
  callLong(handler: number, type: number, operands: readonly Operand[]): void {
    const named = registersOf(operands)
    this.storeRegisters(named.x & this.dirtyX, named.v & this.dirtyV)
    this.code.i32(this.recordOf(this.index))
    this.code.i32(handler)
    this.code.callIndirect(type)
    this.code.op('drop')
    this.loadRegisters(named)
  }

  /** Emits one way of a branch; what it changes of what is known does not hold on the other. */
  branching(way: () => void): void {
    const { dirtyX, dirtyV, flagState, index, uncounted } = this
    way()
    this.index = index
    this.uncounted = uncounted
    this.dirtyX = dirtyX
    this.dirtyV = dirtyV
    this.flagState = flagState
  }

  /**
   * Goes to the one of these instructions that is the target, where it is one. The numbers ascend; afterwards the target is
   * none of them.
   */
  choose(targets: readonly number[], go: (target: number) => void): void {
    const c = this.code
    const offset = this.temporary('i64')
    c.get(this.locals.target)
    this.pushPcOf(0)
    c.op('i64.sub')
    c.set(offset)
    const search = (from: readonly number[]): void => {
      const middle = from.length >> 1
      const at = from[middle]
      if (at === undefined) return
      c.get(offset)
      c.i64(4 * at)
      if (from.length === 1) {
        c.op('i64.eq')
        c.if()
        this.branching(() => go(at))
        c.end()
        return
      }
      c.op('i64.lt_s')
      c.if()
      search(from.slice(0, middle))
      c.else()
      search(from.slice(middle))
      c.end()
    }
    search(targets)
  }

  /** Goes to an instruction where it is the target. */
  ifTarget(index: number, go: () => void): void {
    const c = this.code
    c.get(this.locals.target)
    this.pushPcOf(index)
    c.op('i64.eq')
    c.if(undefined, true)
    this.branching(go)
    c.end()
  }

  /** Tells where this branch leads: when it leads to a place often, the region learns of it. */
  noteBranch(): void {
    const c = this.code
    this.comeToPage()
    c.i32(this.recordOf(this.index))
    c.get(this.locals.target)
    this.pushPcPlus(0)
    c.op('i64.sub')
    c.op('i32.wrap_i64')
    c.call(this.regionPorts.branched)
    this.comeBack()
  }

  call(helper: string, kind: 'pure' | 'system', ...args: readonly (number | Operand)[]): void {
    if (kind === 'pure') {
      this.ask(helper, ...args)
      return this.code.op('drop')
    }
    // A branch that calls out would be half done here.
    if (this.nesting > 0 || this.branches) this.leaveToInterpret()
    if (this.nesting === 0) this.terminator = { kind: 'system' }
  }

  argument(): void {
    this.code.op('drop')
  }

  /** A helper works on the registers in memory: those it is told of are there before, and fetched from there after. */
  ask(helper: string, ...args: readonly (number | Operand)[]): Pushed {
    const c = this.code
    const named = registersOf(args)
    this.storeRegisters(named.x, named.v)
    for (const arg of args) c.i32(typeof arg === 'number' ? arg : fieldValue(arg))
    c.call(this.regionPorts.helper(helper, args.length))
    this.loadRegisters(named)
    return PUSHED
  }
}
