/** The lanes of vector registers in memory, as helpers read and write them. */
import { bank } from './layout.ts'
import type { Registers } from './state.ts'

/** log2 of the bytes of a lane. */
export type LaneSize = number

export class Lanes {
  private readonly view: DataView
  private readonly registers: Registers

  constructor(registers: Registers) {
    this.registers = registers
    this.view = new DataView(registers.u64.buffer)
  }

  get(at: number, size: LaneSize, index: number): bigint {
    const v = this.view
    switch (size) {
      case 0:
        return BigInt(v.getUint8(at + index))
      case 1:
        return BigInt(v.getUint16(at + 2 * index, true))
      case 2:
        return BigInt(v.getUint32(at + 4 * index, true))
      default:
        return v.getBigUint64(at + 8 * index, true)
    }
  }

  set(at: number, size: LaneSize, index: number, value: bigint): void {
    const v = this.view
    switch (size) {
      case 0:
        v.setUint8(at + index, Number(value & 0xffn))
        break
      case 1:
        v.setUint16(at + 2 * index, Number(value & 0xffffn), true)
        break
      case 2:
        v.setUint32(at + 4 * index, Number(value & 0xffffffffn), true)
        break
      default:
        v.setBigUint64(at + 8 * index, BigInt.asUintN(64, value), true)
    }
  }

  read(at: number, size: LaneSize, count: number, first = 0): bigint[] {
    return Array.from({ length: count }, (_, i) => this.get(at, size, first + i))
  }

  /** Writes lanes from the first on; what is above them becomes zero. */
  write(at: number, size: LaneSize, values: readonly bigint[]): void {
    values.forEach((value, i) => this.set(at, size, i, value))
    for (let byte = values.length << size; byte < 16; byte++) this.view.setUint8(at + byte, 0)
  }

  /** A narrowing result: the lower half, the rest cleared; or the upper half, the lower one kept. */
  writeHalf(at: number, size: LaneSize, values: readonly bigint[], upper: boolean): void {
    if (!upper) return this.write(at, size, values)
    values.forEach((value, i) => this.set(at, size, (8 >> size) + i, value))
  }

  get fpcr(): number {
    return this.registers.i32[bank.FPCR >>> 2] ?? 0
  }

  /** Cumulative exceptions. */
  get raised(): number {
    return this.registers.i32[bank.FPSR >>> 2] ?? 0
  }

  raise(flags: number): void {
    this.registers.i32[bank.FPSR >>> 2] = this.raised | flags
  }
}
