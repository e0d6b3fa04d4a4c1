/**
 * Branch target identification (FEAT_BTI, Arm ARM D8.4.5). The branch itself looks at where it leads. PSTATE.BTYPE is told
 * only to who comes between a branch and its target: no instruction has to clear it, as it counts for one moment alone.
 */
import type { CpuState } from './state.ts'

/** Values of PSTATE.BTYPE: after BR by X16 or X17, or from a page that is not guarded; after BLR; after another BR. */
export const BTYPE = { NONE: 0, JUMP: 1, CALL: 2, GUARDED_JUMP: 3 } as const
/** JUMP or GUARDED_JUMP: the page of the branch decides. */
export const BTYPE_BY_PAGE = 4

const X16 = 16
const X17 = 17

/** BTYPE behind a branch to the address in a register. */
export const branchTypeOf = (call: boolean, register: number): number =>
  call ? BTYPE.CALL : register === X16 || register === X17 ? BTYPE.JUMP : BTYPE_BY_PAGE

/** PSTATE.BTYPE becomes this when so many instructions have been executed. */
export function setBranchType(cpu: CpuState, type: number, executed: number): void {
  cpu.branchType = type
  cpu.branchedAt = executed
}

/** PSTATE.BTYPE before the next instruction, so many having been executed. */
export const branchTypeAt = (cpu: CpuState, executed: number): number =>
  cpu.branchedAt === executed ? cpu.branchType : BTYPE.NONE

const EXCEPTION = { MASK: 0xffe0_001f, BRK: 0xd420_0000, HLT: 0xd440_0000 } as const
const HINT = { MASK: 0xffff_f01f, MATCH: 0xd503_201f, PACIASP: 25, PACIBSP: 27, BTI: 32, BTI_JC: 38 } as const

/** Whether a branch of this type may lead to an instruction. `strict`: PACIASP is no target of GUARDED_JUMP (SCTLR_EL1.BTn). */
export function isLandingPad(word: number, type: number, strict: boolean): boolean {
  const exception = (word & EXCEPTION.MASK) >>> 0
  if (type === BTYPE.NONE || exception === EXCEPTION.BRK || exception === EXCEPTION.HLT) return true
  if ((word & HINT.MASK) >>> 0 !== HINT.MATCH) return false
  const hint = (word >>> 5) & 0x7f
  if (hint === HINT.PACIASP || hint === HINT.PACIBSP) return type !== BTYPE.GUARDED_JUMP || !strict
  if (hint < HINT.BTI || hint > HINT.BTI_JC || (hint & 1) !== 0) return false
  // BTI, BTI c, BTI j, BTI jc.
  const targets = (hint - HINT.BTI) >> 1
  if (type === BTYPE.JUMP) return targets !== 0
  return (targets & (type === BTYPE.CALL ? 1 : 2)) !== 0
}
