/** Translation for tests on the bare CPU: with it off, memory is of Device type, to which accesses have to be aligned. */
import type { Core } from '../engine/cpu/core.ts'
import { slots } from '../engine/cpu/slots.ts'
import type { CpuState } from '../engine/cpu/state.ts'

const GIB = 2 ** 30
const PAGE = 4096
/** T0SZ = 25 makes level 1 the first; no walks of the upper half; write-back cacheable walks and memory; 44 bits out. */
const TCR = 25n | (1n << 23n) | (4n << 32n)
const MAIR_NORMAL = 0xffn
/** A block: valid, accessed, Inner Shareable, for EL1 alone. */
const BLOCK = 0x701n

/** Maps RAM to itself as Normal memory, by a table in its last page, once the CPU is on. */
export function mapFlat(core: Core, cpu: CpuState, ramBase: number): void {
  const { ram, ramSize } = core.plan
  const table = new BigUint64Array(core.memory.buffer, ram + ramSize - PAGE, PAGE / 8)
  const first = Math.floor(ramBase / GIB)
  for (let gib = first; gib * GIB < ramBase + ramSize; gib++) table[gib] = BigInt(gib * GIB) | BLOCK
  core.banks.with(cpu, () => {
    const r = core.registers
    r.setAt(slots.TTBR0_EL1, BigInt(ramBase + ramSize - PAGE))
    r.setAt(slots.TCR_EL1, TCR)
    r.setAt(slots.MAIR_EL1, MAIR_NORMAL)
    r.setAt(slots.SCTLR_EL1, r.at(slots.SCTLR_EL1) | 1n)
  })
}
