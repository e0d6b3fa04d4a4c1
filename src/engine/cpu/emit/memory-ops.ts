/** Instruction bodies written as WebAssembly, the part that accesses memory through the inline soft TLB. */
import type { AccessBytes, AccessMode, LoadKind, Local, Width } from '../../../pure/arch/a64/ops.ts'
import type { Code } from '../../wasm/code.ts'
import type { Opcode } from '../../wasm/opcodes.ts'
import { bank, tlb } from '../layout.ts'
import { PUSHED } from './arithmetic-ops.ts'
import type { Pushed } from './arithmetic-ops.ts'
import { StateOps } from './state-ops.ts'

const LOAD: Record<LoadKind, readonly [Opcode, Opcode]> = {
  u8: ['i32.load8_u', 'i64.load8_u'],
  s8: ['i32.load8_s', 'i64.load8_s'],
  u16: ['i32.load16_u', 'i64.load16_u'],
  s16: ['i32.load16_s', 'i64.load16_s'],
  u32: ['i32.load', 'i64.load32_u'],
  s32: ['i32.load', 'i64.load32_s'],
  u64: ['i64.load', 'i64.load'],
}
const LOAD_BYTES: Record<LoadKind, AccessBytes> = { u8: 1, s8: 1, u16: 2, s16: 2, u32: 4, s32: 4, u64: 8 }
const STORE: Record<1 | 2 | 4 | 8, readonly [Opcode, Opcode]> = {
  1: ['i32.store8', 'i64.store8'],
  2: ['i32.store16', 'i64.store16'],
  4: ['i32.store', 'i64.store32'],
  8: ['i64.store', 'i64.store'],
}

const PAGE = 4096

/**
 * What a memory access needs to know on its slow path, beside its size in bits 7:0: whether it is unprivileged or not
 * subject to PSTATE.PAN (cache maintenance, which makes nothing dirty either), or not for Device memory, and from bit 12 on log2 of its alignment.
 */
export const UNPRIVILEGED = 0x100
export const IGNORE_PAN = 0x200
export const NOT_DEVICE = 0x400
export const ALIGN_LSB = 12

/** Functions that find the bytes of an access which the soft TLB does not know. */
export interface AccessPorts {
  readonly loadSlow: number
  readonly storeSlow: number
}

export abstract class MemoryOps extends StateOps {
  private readonly ports: AccessPorts
  /** Locals: virtual address, and where its bytes lie. */
  protected va = 0
  protected ha = 0

  constructor(code: Code, ports: AccessPorts) {
    super(code)
    this.ports = ports
  }

  protected override begin(code: Code): void {
    super.begin(code)
    this.va = this.temporary('i64')
    this.ha = this.temporary('i32')
  }

  /** Emitted where an access calls out: leaves the machine as it was before the instruction. */
  protected abstract beforeCallOut(): void
  /** Emitted after a call-out that succeeded. */
  protected abstract afterCallOut(): void
  /** Emitted where an access has failed: leaves the compiled code. */
  protected abstract leaveOnFault(): void
  protected abstract commitStore(): void
  /** Emitted where an address that has to be aligned is not. */
  protected abstract misaligned(address: Local, write: boolean): void
  protected abstract tlbBase(mode: AccessMode): void

  /**
   * The address is on the stack; afterwards whether the soft TLB misses, and `ha` is the entry. An access hits when
   * 0 <= address - tag <= page - size, so that one compare also catches accesses across a page's end.
   */
  private missesTlb(write: boolean, bytes: number, mode: AccessMode): void {
    const c = this.code
    c.tee(this.va)
    c.i64(tlb.INDEX_SHIFT)
    c.op('i64.shr_u')
    c.op('i32.wrap_i64')
    c.i32(tlb.INDEX_MASK)
    c.op('i32.and')
    this.tlbBase(mode)
    c.op('i32.add')
    c.set(this.ha)
    c.get(this.va)
    c.get(this.ha)
    c.memory('i64.load', write ? tlb.WRITE : tlb.READ)
    c.op('i64.sub')
    c.i64(PAGE - bytes)
    c.op('i64.gt_u')
  }

  isReadable(_address: Pushed): Pushed {
    this.missesTlb(false, 1, 'normal')
    this.code.op('i32.eqz')
    return PUSHED
  }

  /** The address is on the stack; afterwards `ha` is where the bytes lie. */
  private translate(write: boolean, bytes: number, mode: AccessMode, element = bytes, flags = 0): void {
    const c = this.code
    this.missesTlb(write, bytes, mode)
    c.if('i32', false)
    this.beforeCallOut()
    c.get(this.va)
    c.op('i32.wrap_i64')
    c.get(this.va)
    c.i64(32)
    c.op('i64.shr_u')
    c.op('i32.wrap_i64')
    c.i32(flags | bytes | (Math.log2(element) << ALIGN_LSB) | (mode === 'unprivileged' ? UNPRIVILEGED : 0))
    c.call(write ? this.ports.storeSlow : this.ports.loadSlow)
    c.tee(this.ha)
    c.op('i32.eqz')
    c.if(undefined, false)
    this.leaveOnFault()
    c.end()
    this.afterCallOut()
    c.get(this.ha)
    c.else()
    c.get(this.va)
    c.op('i32.wrap_i64')
    c.get(this.ha)
    c.memory('i32.load', (write ? tlb.WRITE : tlb.READ) + 8)
    c.op('i32.add')
    c.end()
    c.set(this.ha)
  }

  aligned(address: Local, bytes: number, write: boolean): void {
    if (bytes === 1) return
    const c = this.code
    c.get(address.local)
    c.op('i32.wrap_i64')
    c.i32(bytes - 1)
    c.op('i32.and')
    c.if(undefined, false)
    this.misaligned(address, write)
    c.end()
  }

  load(kind: LoadKind, w: Width, _address: Pushed, mode: AccessMode = 'normal'): Pushed {
    this.translate(false, LOAD_BYTES[kind], mode)
    this.code.get(this.ha)
    this.code.memory(LOAD[kind][w === 64 ? 1 : 0], 0)
    return PUSHED
  }

  store(bytes: AccessBytes, w: Width, _address: Pushed, value: Pushed, mode: AccessMode = 'normal'): void {
    const v = this.let(w, value)
    this.translate(true, bytes, mode)
    this.put(bytes, w, v, 0)
    this.commitStore()
  }

  private put(bytes: AccessBytes, w: Width, value: Local, offset: number): void {
    if (bytes === 16) throw new Error('a general register has no 16 bytes')
    this.code.get(this.ha)
    this.code.get(value.local)
    this.code.memory(STORE[bytes][w === 64 ? 1 : 0], offset)
  }

  loadPair(kind: LoadKind, w: Width, _address: Pushed): readonly [Local, Local] {
    const bytes = LOAD_BYTES[kind]
    this.translate(false, 2 * bytes, 'normal', bytes)
    const element = (offset: number): Local => {
      this.code.get(this.ha)
      this.code.memory(LOAD[kind][w === 64 ? 1 : 0], offset)
      return this.let(w, PUSHED)
    }
    return [element(0), element(bytes)]
  }

  storePair(bytes: AccessBytes, w: Width, _address: Pushed, _first: Pushed, second: Pushed): void {
    const b = this.let(w, second)
    const a = this.let(w, PUSHED)
    this.translate(true, 2 * bytes, 'normal', bytes)
    this.put(bytes, w, a, 0)
    this.put(bytes, w, b, bytes)
    this.commitStore()
  }

  private vectorFrom(bytes: AccessBytes, offset: number): void {
    const c = this.code
    if (bytes === 16) {
      c.get(this.ha)
      c.vectorMemory('v128.load', offset)
      return
    }
    this.vconst(0n, 0n)
    c.get(this.ha)
    c.memory(bytes === 8 ? 'i64.load' : LOAD[`u${8 * bytes}` as 'u8' | 'u16' | 'u32'][0], offset)
    c.vectorLane(bytes === 8 ? 'i64x2.replace_lane' : 'i32x4.replace_lane', 0)
  }

  private vectorTo(bytes: AccessBytes, value: Local, offset: number): void {
    const c = this.code
    c.get(this.ha)
    c.get(value.local)
    if (bytes === 16) c.vectorMemory('v128.store', offset)
    else {
      c.vectorLane(bytes === 8 ? 'i64x2.extract_lane' : 'i32x4.extract_lane', 0)
      c.memory(bytes === 8 ? 'i64.store' : STORE[bytes][0], offset)
    }
  }

  loadVector(bytes: AccessBytes, _address: Pushed, element = bytes): Pushed {
    this.translate(false, bytes, 'normal', element)
    this.vectorFrom(bytes, 0)
    return PUSHED
  }

  storeVector(bytes: AccessBytes, _address: Pushed, value: Pushed, element = bytes): void {
    const v = this.let(128, value)
    this.translate(true, bytes, 'normal', element)
    this.vectorTo(bytes, v, 0)
    this.commitStore()
  }

  loadVectorPair(bytes: 4 | 8 | 16, _address: Pushed): readonly [Local, Local] {
    this.translate(false, 2 * bytes, 'normal', bytes)
    this.vectorFrom(bytes, 0)
    const first = this.let(128, PUSHED)
    this.vectorFrom(bytes, bytes)
    return [first, this.let(128, PUSHED)]
  }

  storeVectorPair(bytes: 4 | 8 | 16, _address: Pushed, _first: Pushed, second: Pushed): void {
    const b = this.let(128, second)
    const a = this.let(128, PUSHED)
    this.translate(true, 2 * bytes, 'normal', bytes)
    this.vectorTo(bytes, a, 0)
    this.vectorTo(bytes, b, bytes)
    this.commitStore()
  }

  zeroBlock(_address: Pushed): void {
    const block = 64
    this.code.i64(-block)
    this.code.op('i64.and')
    this.translate(true, block, 'normal', block, NOT_DEVICE)
    for (let offset = 0; offset < block; offset += 16) {
      this.code.get(this.ha)
      this.vconst(0n, 0n)
      this.code.vectorMemory('v128.store', offset)
    }
    this.commitStore()
  }

  monitorOpen(address: Local, bytes: number): void {
    const c = this.code
    c.i32(0)
    c.get(address.local)
    c.memory('i64.store', bank.MONITOR_ADDRESS)
    c.i32(0)
    c.i32(bytes)
    c.memory('i32.store', bank.MONITOR_SIZE)
  }

  monitorHolds(address: Local, bytes: number): Pushed {
    const c = this.code
    c.i32(0)
    c.memory('i64.load', bank.MONITOR_ADDRESS)
    c.get(address.local)
    c.op('i64.eq')
    c.i32(0)
    c.memory('i32.load', bank.MONITOR_SIZE)
    c.i32(bytes)
    c.op('i32.eq')
    c.op('i32.and')
    return PUSHED
  }

  monitorClear(): void {
    this.code.i32(0)
    this.code.i32(0)
    this.code.memory('i32.store', bank.MONITOR_SIZE)
  }
}
