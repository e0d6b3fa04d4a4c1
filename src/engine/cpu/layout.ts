/**
 * Where things lie in the one WebAssembly memory. The running CPU's bank is at a constant address, so
 * that compiled code reaches it without a base register; the banks of the others are copied in and out.
 */

const KIB = 1024

/** Scratch of the running code, not part of any CPU's state. */
export const scratch = {
  /** An access that is not plain RAM within a page goes through these 64 bytes. */
  BOUNCE: 0x100,
  /** Record of the instruction that called out. */
  RECORD: 0x140,
  /** Instructions that may still run before the interpreter returns. */
  BUDGET: 0x144,
  /** Address of the instruction at record r is PC_OFFSET + (r >> 2). 64 bits. */
  PC_OFFSET: 0x148,
  /** The soft TLB bank of the current translation context, and the one that unprivileged accesses use. */
  TLB: 0x150,
  TLB_UNPRIVILEGED: 0x154,
  /** Where a region or an out-of-line handler goes on, when that is elsewhere. 64 bits. */
  TARGET: 0x158,
  /** What an instruction hands to a helper beside its operands. 64 bits. */
  ARGUMENT: 0x180,
  /** Instructions that may run beyond BUDGET, but in regions only: while one runs, they are in BUDGET. */
  REGION_BUDGET: 0x1a0,
  /** The condition flags as a region has noted them: a `flagKind`, 32 bits, and two values of 64 bits. */
  FLAG_KIND: 0x188,
  FLAG_A: 0x190,
  FLAG_B: 0x198,
  /** Counters of a machine that is metered (`meter.ts`): 64 bytes. */
  METER: 0x1c0,
  /** 16 masks of 16 bits: bit NZCV of mask `cond` says whether the condition holds. */
  CONDITIONS: 0x160,
} as const

/** Byte offsets of the running CPU's state. */
export const bank = {
  /** X0..X30, SP of the current level, zero, sink: 8 bytes each, indexed as `gpr`. */
  X: 0x400,
  PC: 0x518,
  /** N and V are the sign bits, Z is set when the value is 0, C is 0 or 1. */
  FLAG_N: 0x520,
  FLAG_Z: 0x528,
  FLAG_V: 0x530,
  FLAG_C: 0x538,
  /** Exclusive monitor: virtual address, and size in bytes (0: closed). */
  MONITOR_ADDRESS: 0x540,
  MONITOR_SIZE: 0x548,
  /** One of `mode`: which exception level and stack pointer, 32 bits. */
  MODE: 0x54c,
  FPCR: 0x550,
  FPSR: 0x558,
  /** Not 0: floating point and AdvSIMD are trapped at the current level (CPACR_EL1.FPEN), 32 bits. */
  FP_TRAPPED: 0x560,
  /** V0..V31, 16 bytes each. */
  V: 0x600,
  /** Plain system registers, 8 bytes each, by slot. */
  SYSREG: 0x800,
  START: 0x400,
  SIZE: 0xc00,
} as const

/** Tables that instructions look something up in (`lookup-tables.ts`). */
export const lookupTables = { START: 0x2000, END: 0x1_0000 } as const

/** Values of `bank.MODE`. */
export const mode = { EL0: 0, EL1H: 1, EL1T: 2 } as const

export const xAt = (register: number): number => bank.X + 8 * register
export const sysregAt = (slot: number): number => bank.SYSREG + 8 * slot
export const vAt = (register: number): number => bank.V + 16 * register

/**
 * A soft TLB bank: direct-mapped entries for reads, writes and fetches, 16 bytes each: tag (64 bits), addend (32 bits). The
 * entry of an address lies at (address >> INDEX_SHIFT) & INDEX_MASK of its table.
 */
export const tlb = {
  ENTRIES: 1024,
  INDEX_SHIFT: 8,
  INDEX_MASK: 0x3ff0,
  READ: 0,
  WRITE: 16 * KIB,
  FETCH: 32 * KIB,
  BANK_SIZE: 48 * KIB,
  /** As many translation contexts are cached at a time. */
  BANKS: 64,
} as const

/** Pre-decoded instructions: 16 bytes each; a page has 1024 and a sentinel. */
export const record = {
  SIZE: 16,
  LOG2_SIZE: 4,
  PER_PAGE: 1024,
  PAGE_STRIDE: 16 * 1025,
  OPCODE: 0,
  /** Register and small operands: 16 bits each, from here. */
  OPERANDS: 2,
  /** The 64-bit immediate, where there is one. */
  IMMEDIATE: 8,
} as const

/** What is known of translated regions: original opcode of the root (16 bits), instructions to enter (16 bits). */
export const region = {
  /** An opcode with this bit is the number of a region. */
  OPCODE: 0x8000,
  /**
   * Node 20 keeps a copy of the table for each module that imports it, so that each place costs the bytes of a pointer or two in
   * each module: with four times as many, a thousand modules took half a gigabyte more.
   */
  MAX: 0x2000,
  SIZE: 4,
  /** As many may have called each other: WebAssembly's stack is not the guest's to fill. */
  MAX_DEPTH: 48,
} as const

export const MAX_CPUS = 512

const TLB_BASE = 64 * KIB
const CPU_BANKS = TLB_BASE + tlb.BANKS * tlb.BANK_SIZE
export const REGION_TABLE = CPU_BANKS + MAX_CPUS * bank.SIZE
const RECORD_POOL = REGION_TABLE + region.MAX * region.SIZE

/** The memory of a machine: where its parts begin. All sizes in bytes. */
export interface MemoryPlan {
  readonly tlbBase: number
  readonly cpuBanks: number
  readonly recordPool: number
  readonly recordPages: number
  /** For each record page, the instructions as they were fetched: 4 KiB each. */
  readonly fetched: number
  readonly ram: number
  readonly ramSize: number
  readonly total: number
}

const RECORD_PAGES = 4096

export function planMemory(ramSize: number): MemoryPlan {
  const fetched = RECORD_POOL + RECORD_PAGES * record.PAGE_STRIDE
  const ram = Math.ceil((fetched + RECORD_PAGES * 4 * KIB) / (64 * KIB)) * 64 * KIB
  return {
    tlbBase: TLB_BASE,
    cpuBanks: CPU_BANKS,
    recordPool: RECORD_POOL,
    recordPages: RECORD_PAGES,
    fetched,
    ram,
    ramSize,
    total: ram + ramSize,
  }
}
