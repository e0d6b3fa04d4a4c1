/** How compiled code finds the record of an address, and enters the region that begins there. */
import type { Code } from '../../wasm/code.ts'
import { REGION_TABLE, region, scratch, tlb } from '../layout.ts'

/** Looks up the page of `target` (a 64-bit local) in the fetch side of the soft TLB; pushes whether it is `entry`'s. */
export function pushFetchHit(c: Code, target: number, entry: number): void {
  c.get(target)
  c.i64(tlb.INDEX_SHIFT)
  c.op('i64.shr_u')
  c.op('i32.wrap_i64')
  c.i32(tlb.INDEX_MASK)
  c.op('i32.and')
  c.i32(0)
  c.memory('i32.load', scratch.TLB)
  c.op('i32.add')
  c.tee(entry)
  c.memory('i64.load', tlb.FETCH)
  c.get(target)
  c.i64(-4093) // the page and the two bits that must be 0
  c.op('i64.and')
  c.op('i64.eq')
}

/** After a hit: pushes the address of the target's record. */
export function pushRecord(c: Code, target: number, entry: number): void {
  c.get(entry)
  c.memory('i32.load', tlb.FETCH + 8)
  c.get(target)
  c.op('i32.wrap_i64')
  c.i32(0xffc)
  c.op('i32.and')
  c.i32(2)
  c.op('i32.shl')
  c.op('i32.add')
}

export interface RegionCall {
  /** Locals: instructions that may run, how many regions have called each other, and the opcode of the region's root. */
  readonly budget: number
  readonly depth: number
  readonly opcode: number
  /** Of the table: where regions begin, and their type. */
  readonly functions: number
  readonly regionType: number
}

/** Turns `opcode` into the region's number; on to `miss` where the budget does not cover the region. */
export function needBudget(c: Code, { budget, opcode }: RegionCall, miss: number): void {
  c.get(budget)
  c.get(opcode)
  c.i32(region.OPCODE - 1)
  c.op('i32.and')
  c.tee(opcode)
  c.i32(2)
  c.op('i32.shl')
  c.memory('i32.load', REGION_TABLE)
  c.i32(16)
  c.op('i32.shr_u')
  c.op('i32.lt_u')
  c.brIf(miss, false)
}

/** After `needBudget`: runs the region and pushes what it answers. */
export function callRegion(c: Code, { budget, depth, opcode, functions, regionType }: RegionCall): void {
  c.get(budget)
  c.get(depth)
  c.i32(1)
  c.op('i32.add')
  c.get(opcode)
  c.i32(functions)
  c.op('i32.add')
  c.callIndirect(regionType)
}
