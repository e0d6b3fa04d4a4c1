/** What is known of one CPU beside its bank in memory, and the views of the bank. */
import { bank, scratch } from './layout.ts'
import { slots } from './slots.ts'
import type { Regime } from './soft-tlb.ts'

/** PSTATE.DAIF as in the DAIF register (C5.2.2), shifted down by `DAIF_LSB`. */
export const daif = { D: 8, A: 4, I: 2, F: 1, ALL: 15 } as const
const DAIF_LSB = 6
export const DAIF_MASK = BigInt(daif.ALL << DAIF_LSB)

export interface CpuState {
  readonly index: number
  powered: boolean
  /** In WFI: nothing runs until an interrupt is pending. */
  waiting: boolean
  /** A person keeps it from running. */
  frozen: boolean
  /** The breakpoint it last stopped at: it is passed once. */
  passes: bigint | undefined
  /** The event register of WFE. */
  event: boolean
  /** Levels of the IRQ and FIQ inputs. */
  irq: boolean
  fiq: boolean
  /** Whether a hypervisor that traps WFI would let it end, though neither input is high. */
  wake: boolean
  el: 0 | 1
  /** PSTATE.SPSel: 0 selects SP_EL0. */
  spsel: 0 | 1
  /** PSTATE.PAN, UAO, DIT and SSBS, 0 or 1; always 0 on a CPU without the feature. */
  pan: number
  uao: number
  dit: number
  ssbs: number
  /** PSTATE.IL: whatever comes next takes an Illegal Execution state exception. */
  il: boolean
  /** PSTATE.SS: the next instruction is to be stepped. */
  ss: number
  /** What software step has stepped, until its exception tells. */
  stepped: 'exclusive' | 'other' | undefined
  /** PSTATE.BTYPE as the last indirect branch set it, and how many instructions had been executed then: the next clears it. */
  branchType: number
  branchedAt: number
  /** The ISS of a pending SError interrupt. */
  serror: number | undefined
  /** The value of TCR_EL1 for which the fields of pointer authentication stand in the bank. */
  pauthFor: bigint | undefined
  /** Something may stop the CPU before any instruction, so that they run one by one. */
  careful: boolean
  /** Data accesses may meet a watchpoint, so that none takes the fast path. */
  watched: boolean
  /** Value of MPIDR_EL1. */
  mpidr: bigint
  regime: Regime | undefined
  /** Instructions executed since the CPU was created. */
  instructions: number
}

/** What a CPU holds that no register shows. */
export interface CpuRunState {
  readonly waiting: boolean
  readonly event: boolean
  readonly instructions: number
  readonly monitorAddress: bigint
  /** Bytes; 0: the monitor is closed. */
  readonly monitorSize: number
}

export const newCpuState = (index: number): CpuState => ({
  index,
  powered: false,
  waiting: false,
  frozen: false,
  passes: undefined,
  event: false,
  irq: false,
  fiq: false,
  wake: false,
  el: 1,
  spsel: 1,
  pan: 0,
  uao: 0,
  dit: 0,
  ssbs: 0,
  il: false,
  ss: 0,
  stepped: undefined,
  branchType: 0,
  branchedAt: 0,
  serror: undefined,
  pauthFor: undefined,
  careful: false,
  watched: false,
  mpidr: 0n,
  regime: undefined,
  instructions: 0,
})

/** The running CPU's registers, in memory. */
export class Registers {
  readonly i32: Int32Array
  readonly i64: BigInt64Array
  readonly u64: BigUint64Array

  constructor(buffer: ArrayBuffer) {
    this.i32 = new Int32Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.u64 = new BigUint64Array(buffer)
  }

  x(n: number): bigint {
    return this.u64[(bank.X >>> 3) + n] ?? 0n
  }

  setX(n: number, value: bigint): void {
    this.u64[(bank.X >>> 3) + n] = value
  }

  /** The 64-bit value at a byte address: what a register operand of a helper names. */
  at(address: number): bigint {
    return this.u64[address >>> 3] ?? 0n
  }

  setAt(address: number, value: bigint): void {
    this.u64[address >>> 3] = value
  }

  /** The lower half of a 64-bit value: numbers of 64 bits have to be allocated. */
  wordAt(address: number): number {
    return (this.i32[address >>> 2] ?? 0) >>> 0
  }

  /** Writes 32 bits, and 0 above. */
  setWordAt(address: number, value: number): void {
    this.i32[address >>> 2] = value
    this.i32[(address >>> 2) + 1] = 0
  }

  /** A bit, 0 to 63. */
  bitAt(address: number, lsb: number): number {
    return ((this.i32[(address >>> 2) + (lsb >>> 5)] ?? 0) >>> (lsb & 31)) & 1
  }

  get budget(): number {
    return this.i32[scratch.BUDGET >>> 2] ?? 0
  }

  set budget(value: number) {
    this.i32[scratch.BUDGET >>> 2] = value
  }

  get record(): number {
    return this.i32[scratch.RECORD >>> 2] ?? 0
  }

  set record(value: number) {
    this.i32[scratch.RECORD >>> 2] = value
  }

  /** Copies 64 bits from one byte address to another. */
  copy(to: number, from: number): void {
    this.i32[to >>> 2] = this.i32[from >>> 2] ?? 0
    this.i32[(to >>> 2) + 1] = this.i32[(from >>> 2) + 1] ?? 0
  }

  /** Writes the address of the instruction whose record is current, or of the one `after` bytes behind it. */
  setToPc(to: number, after: 0 | 4): void {
    const { i32 } = this
    const offset = (i32[scratch.PC_OFFSET >>> 2] ?? 0) >>> 0
    const low = offset + (this.record >>> 2) + after
    i32[to >>> 2] = low
    i32[(to >>> 2) + 1] = (i32[(scratch.PC_OFFSET >>> 2) + 1] ?? 0) + (low > 0xffff_ffff ? 1 : 0)
  }

  /** Makes a record current, that of the instruction at the PC. */
  comeTo(record: number): void {
    const { i32 } = this
    const pc = (i32[bank.PC >>> 2] ?? 0) >>> 0
    const low = pc - (record >>> 2)
    this.record = record
    i32[scratch.PC_OFFSET >>> 2] = low
    i32[(scratch.PC_OFFSET >>> 2) + 1] = (i32[(bank.PC >>> 2) + 1] ?? 0) - (low < 0 ? 1 : 0)
  }

  /** The address of the instruction whose record is current. */
  currentPc(): bigint {
    return BigInt.asUintN(64, (this.i64[scratch.PC_OFFSET >>> 3] ?? 0n) + BigInt(this.record >>> 2))
  }

  /** PSTATE.DAIF, which lies in the slot of the register so that compiled code has it. */
  get daif(): number {
    return (this.i32[slots.DAIF >>> 2] ?? 0) >>> DAIF_LSB
  }

  set daif(value: number) {
    this.i32[slots.DAIF >>> 2] = value << DAIF_LSB
  }

  /** NZCV as bits 3:0; by halves, as reading 64 bits here allocates. */
  get nzcv(): number {
    const { i32 } = this
    const n = (i32[(bank.FLAG_N >>> 2) + 1] ?? 0) < 0 ? 8 : 0
    const z = i32[bank.FLAG_Z >>> 2] === 0 && i32[(bank.FLAG_Z >>> 2) + 1] === 0 ? 4 : 0
    const c = i32[bank.FLAG_C >>> 2] === 0 ? 0 : 2
    const v = (i32[(bank.FLAG_V >>> 2) + 1] ?? 0) < 0 ? 1 : 0
    return n | z | c | v
  }

  set nzcv(value: number) {
    const { i32 } = this
    i32[bank.FLAG_N >>> 2] = i32[(bank.FLAG_N >>> 2) + 1] = (value & 8) !== 0 ? -1 : 0
    i32[bank.FLAG_Z >>> 2] = (value & 4) !== 0 ? 0 : 1
    i32[(bank.FLAG_Z >>> 2) + 1] = 0
    i32[bank.FLAG_C >>> 2] = (value & 2) !== 0 ? 1 : 0
    i32[bank.FLAG_V >>> 2] = i32[(bank.FLAG_V >>> 2) + 1] = (value & 1) !== 0 ? -1 : 0
  }
}

/** The masks that `condition` of the interpreter looks up: bit NZCV of mask `cond` (Arm ARM C1.2.4). */
export function conditionMasks(): Uint16Array {
  const masks = new Uint16Array(16)
  for (let cond = 0; cond < 16; cond++)
    for (let nzcv = 0; nzcv < 16; nzcv++) {
      const [n, z, c, v] = [(nzcv & 8) !== 0, (nzcv & 4) !== 0, (nzcv & 2) !== 0, (nzcv & 1) !== 0]
      const base = [z, c, n, v, c && !z, n === v, n === v && !z, true][cond >> 1] ?? true
      const holds = (cond & 1) === 1 && cond !== 15 ? !base : base
      if (holds) masks[cond] = (masks[cond] ?? 0) | (1 << nzcv)
    }
  return masks
}
