/** Writes the body of one WebAssembly function. Written for speed: one growing buffer, no objects per instruction. */
import { opcode, valtype, vectorOpcode } from './opcodes.ts'
import type { Opcode, ValType, VectorOpcode } from './opcodes.ts'

const OP_LOCAL_GET = 0x20
const OP_LOCAL_SET = 0x21
const OP_LOCAL_TEE = 0x22
const OP_I32_CONST = 0x41
const OP_I64_CONST = 0x42
const OP_END = 0x0b
const BLOCK_VOID = 0x40
const PREFIX_VECTOR = 0xfd
const PREFIX_MISC = 0xfc

export class ByteWriter {
  bytes = new Uint8Array(256)
  length = 0

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1)
    this.bytes[this.length++] = value
  }

  unsigned(value: number): void {
    value >>>= 0
    while (value >= 0x80) {
      this.byte((value & 0x7f) | 0x80)
      value >>>= 7
    }
    this.byte(value)
  }

  signed32(value: number): void {
    value |= 0
    for (;;) {
      const low = value & 0x7f
      value >>= 7
      if ((value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0)) return this.byte(low)
      this.byte(low | 0x80)
    }
  }

  signed64(value: number | bigint): void {
    if (typeof value === 'number') {
      if (value === (value | 0)) return this.signed32(value)
      value = BigInt(value)
    }
    value = BigInt.asIntN(64, value)
    for (;;) {
      const low = Number(value & 0x7fn)
      value >>= 7n
      if ((value === 0n && (low & 0x40) === 0) || (value === -1n && (low & 0x40) !== 0)) return this.byte(low)
      this.byte(low | 0x80)
    }
  }

  append(other: Uint8Array): void {
    if (this.length + other.length > this.bytes.length) this.grow(other.length)
    this.bytes.set(other, this.length)
    this.length += other.length
  }

  name(text: string): void {
    this.unsigned(text.length)
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i))
  }

  written(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  private grow(atLeast: number): void {
    const bigger = new Uint8Array(Math.max(this.bytes.length * 4, this.length + atLeast))
    bigger.set(this.bytes)
    this.bytes = bigger
  }
}

/** A branch hint: byte offset in the body of an `if` or `br_if`, and whether it is likely taken. */
export interface BranchHint {
  readonly offset: number
  readonly likely: boolean
}

export class Code extends ByteWriter {
  readonly locals: ValType[] = []
  readonly hints: BranchHint[] = []
  /** How many blocks are open, for `br` to an absolute depth. */
  depth = 0
  readonly parameters: number

  constructor(parameters: number) {
    super()
    this.parameters = parameters
  }

  local(type: ValType): number {
    this.locals.push(type)
    return this.parameters + this.locals.length - 1
  }

  op(name: Opcode): void {
    this.byte(opcode[name])
  }

  vector(name: VectorOpcode): void {
    this.byte(PREFIX_VECTOR)
    this.unsigned(vectorOpcode[name])
  }

  vectorLane(name: VectorOpcode, lane: number): void {
    this.vector(name)
    this.byte(lane)
  }

  vectorMemory(name: VectorOpcode, offset: number): void {
    this.vector(name)
    this.byte(0)
    this.unsigned(offset)
  }

  get(local: number): void {
    this.byte(OP_LOCAL_GET)
    this.unsigned(local)
  }

  set(local: number): void {
    this.byte(OP_LOCAL_SET)
    this.unsigned(local)
  }

  tee(local: number): void {
    this.byte(OP_LOCAL_TEE)
    this.unsigned(local)
  }

  i32(value: number): void {
    this.byte(OP_I32_CONST)
    this.signed32(value)
  }

  i64(value: number | bigint): void {
    this.byte(OP_I64_CONST)
    this.signed64(value)
  }

  /** A load or store of memory 0 at a constant offset from the address on the stack. */
  memory(name: Opcode, offset: number): void {
    this.byte(opcode[name])
    this.byte(0)
    this.unsigned(offset)
  }

  /** `memory.fill` */
  fill(): void {
    this.byte(PREFIX_MISC)
    this.unsigned(11)
    this.byte(0)
  }

  block(): void {
    this.byte(0x02)
    this.byte(BLOCK_VOID)
    this.depth++
  }

  loop(): void {
    this.byte(0x03)
    this.byte(BLOCK_VOID)
    this.depth++
  }

  if(result?: ValType, likely?: boolean): void {
    if (likely !== undefined) this.hints.push({ offset: this.length, likely })
    this.byte(0x04)
    this.byte(result === undefined ? BLOCK_VOID : valtype[result])
    this.depth++
  }

  else(): void {
    this.byte(0x05)
  }

  end(): void {
    this.byte(OP_END)
    this.depth--
  }

  /** Branches to the block that was opened when `depth` had this value (the value before it was opened). */
  br(openedAt: number): void {
    this.byte(0x0c)
    this.unsigned(this.depth - openedAt - 1)
  }

  brIf(openedAt: number, likely?: boolean): void {
    if (likely !== undefined) this.hints.push({ offset: this.length, likely })
    this.byte(0x0d)
    this.unsigned(this.depth - openedAt - 1)
  }

  /** `br_table`: relative depths, as WebAssembly has them. */
  brTable(depths: readonly number[], otherwise: number): void {
    this.byte(0x0e)
    this.unsigned(depths.length)
    for (const d of depths) this.unsigned(d)
    this.unsigned(otherwise)
  }

  call(functionIndex: number): void {
    this.byte(0x10)
    this.unsigned(functionIndex)
  }

  callIndirect(typeIndex: number): void {
    this.byte(0x11)
    this.unsigned(typeIndex)
    this.byte(0)
  }

  return(): void {
    this.op('return')
  }
}
