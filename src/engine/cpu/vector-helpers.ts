/** Vector instructions of integers that compiled code calls out for: saturation, shifts by register, and other rarities. */
import { Lanes } from './lanes.ts'
import type { Registers } from './state.ts'

type Helper = (...args: number[]) => number

/** FPSR.QC, cumulative saturation. */
const QC = 1 << 27

/** Brings a value into the range of `bits` bits, and notes when it was not. */
class Saturation {
  happened = false

  signed(bits: number, value: bigint): bigint {
    const limit = 1n << BigInt(bits - 1)
    return this.within(value, -limit, limit - 1n)
  }

  unsigned(bits: number, value: bigint): bigint {
    return this.within(value, 0n, (1n << BigInt(bits)) - 1n)
  }

  to(isUnsigned: boolean, bits: number, value: bigint): bigint {
    return isUnsigned ? this.unsigned(bits, value) : this.signed(bits, value)
  }

  private within(value: bigint, low: bigint, high: bigint): bigint {
    if (value >= low && value <= high) return value
    this.happened = true
    return value < low ? low : high
  }
}

const signed = (bits: number, value: bigint): bigint => BigInt.asIntN(bits, value)
/** The value as an instruction whose name starts with U or S sees it. */
const reading = (isUnsigned: boolean, bits: number, value: bigint): bigint => (isUnsigned ? value : signed(bits, value))

/** value * 2^amount, rounded down or to nearest. */
function shifted(value: bigint, amount: number, rounding: boolean): bigint {
  if (amount >= 0) return value << BigInt(amount)
  const right = BigInt(-amount)
  return (rounding ? value + (1n << (right - 1n)) : value) >> right
}

/** `old`: the destination's lane before. */
type Two = (bits: number, a: bigint, b: bigint, q: Saturation, old: bigint) => bigint
type One = (bits: number, a: bigint, q: Saturation, old: bigint) => bigint

/** SQSHL and its relatives: the amount is the signed low byte of the second operand. */
const shiftBy =
  (isUnsigned: boolean, rounding: boolean): Two =>
  (bits, a, b, q) =>
    q.to(isUnsigned, bits, shifted(reading(isUnsigned, bits, a), Number(BigInt.asIntN(8, b)), rounding))

const doublingHigh =
  (rounding: boolean): Two =>
  (bits, a, b, q) => {
    const product = 2n * signed(bits, a) * signed(bits, b) + (rounding ? 1n << BigInt(bits - 1) : 0n)
    return q.signed(bits, product >> BigInt(bits))
  }

/** SQRDMLAH, SQRDMLSH: the old value is the high half of what the product is added to. */
const doublingHighAccumulate =
  (sign: 1n | -1n): Two =>
  (bits, a, b, q, old) => {
    const product = 2n * signed(bits, a) * signed(bits, b)
    const sum = (signed(bits, old) << BigInt(bits)) + sign * product + (1n << BigInt(bits - 1))
    return q.signed(bits, sum >> BigInt(bits))
  }

const TWO: Readonly<Record<string, Two>> = {
  SQADD: (bits, a, b, q) => q.signed(bits, signed(bits, a) + signed(bits, b)),
  UQADD: (bits, a, b, q) => q.unsigned(bits, a + b),
  SQSUB: (bits, a, b, q) => q.signed(bits, signed(bits, a) - signed(bits, b)),
  UQSUB: (bits, a, b, q) => q.unsigned(bits, a - b),
  SQSHL: shiftBy(false, false),
  UQSHL: shiftBy(true, false),
  SQRSHL: shiftBy(false, true),
  UQRSHL: shiftBy(true, true),
  SQDMULH: doublingHigh(false),
  SQRDMULH: doublingHigh(true),
  SQRDMLAH: doublingHighAccumulate(1n),
  SQRDMLSH: doublingHighAccumulate(-1n),
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)
const leadingZeros = (bits: number, value: bigint): number => (value === 0n ? bits : bits - value.toString(2).length)

const ONE: Readonly<Record<string, One>> = {
  CLZ: (bits, a) => BigInt(leadingZeros(bits, a)),
  CLS: (bits, a) => BigInt(leadingZeros(bits, BigInt.asUintN(bits, a ^ (signed(bits, a) >> 1n))) - 1),
  SQABS: (bits, a, q) => q.signed(bits, magnitude(signed(bits, a))),
  SQNEG: (bits, a, q) => q.signed(bits, -signed(bits, a)),
  SUQADD: (bits, a, q, old) => q.signed(bits, signed(bits, old) + a),
  USQADD: (bits, a, q, old) => q.unsigned(bits, old + signed(bits, a)),
}

/** Shifts left by an immediate: how the operand is read, and how the result saturates. */
const LEFT: Readonly<Record<string, readonly [fromUnsigned: boolean, toUnsigned: boolean]>> = {
  'SQSHL (immediate)': [false, false],
  'UQSHL (immediate)': [true, true],
  'SQSHLU (immediate)': [false, true],
}

const NARROW: Readonly<Record<string, readonly [fromUnsigned: boolean, toUnsigned: boolean, rounding: boolean]>> = {
  SQXTN: [false, false, false],
  SQXTUN: [false, true, false],
  UQXTN: [true, true, false],
  SQSHRN: [false, false, false],
  SQSHRUN: [false, true, false],
  UQSHRN: [true, true, false],
  SQRSHRN: [false, false, true],
  SQRSHRUN: [false, true, true],
  UQRSHRN: [true, true, true],
}

/** SQDMULL, and what is done to the old value. */
const DOUBLING_LONG: Readonly<Record<string, (wide: number, old: bigint, product: bigint, q: Saturation) => bigint>> = {
  SQDMULL: (_wide, _old, product) => product,
  SQDMLAL: (wide, old, product, q) => q.signed(wide, signed(wide, old) + product),
  SQDMLSL: (wide, old, product, q) => q.signed(wide, signed(wide, old) - product),
}

export function vectorHelpers(registers: Registers): Record<string, Helper> {
  const lanes = new Lanes(registers)
  const helpers: Record<string, Helper> = {}
  const saturating = (work: (q: Saturation) => void): number => {
    const q = new Saturation()
    work(q)
    if (q.happened) lanes.raise(QC)
    return 0
  }
  for (const [name, op] of Object.entries(TWO)) {
    helpers[name] = (size = 0, bytes = 0, d = 0, n = 0, m = 0) =>
      saturating((q) => {
        const second = lanes.read(m, size, bytes >> size)
        const old = lanes.read(d, size, bytes >> size)
        lanes.write(
          d,
          size,
          lanes.read(n, size, bytes >> size).map((a, i) => op(8 << size, a, second[i] ?? 0n, q, old[i] ?? 0n)),
        )
      })
    helpers[`${name} (by element)`] = (size = 0, bytes = 0, d = 0, n = 0, m = 0, index = 0) =>
      saturating((q) => {
        const second = lanes.get(m, size, index)
        const old = lanes.read(d, size, bytes >> size)
        lanes.write(
          d,
          size,
          lanes.read(n, size, bytes >> size).map((a, i) => op(8 << size, a, second, q, old[i] ?? 0n)),
        )
      })
  }
  for (const [name, op] of Object.entries(ONE))
    helpers[name] = (size = 0, bytes = 0, d = 0, n = 0) =>
      saturating((q) => {
        const old = lanes.read(d, size, bytes >> size)
        lanes.write(
          d,
          size,
          lanes.read(n, size, bytes >> size).map((a, i) => op(8 << size, a, q, old[i] ?? 0n)),
        )
      })
  for (const [name, [fromUnsigned, toUnsigned]] of Object.entries(LEFT))
    helpers[name] = (size = 0, bytes = 0, d = 0, n = 0, amount = 0) =>
      saturating((q) => {
        const bits = 8 << size
        const values = lanes.read(n, size, bytes >> size)
        lanes.write(
          d,
          size,
          values.map((a) => q.to(toUnsigned, bits, reading(fromUnsigned, bits, a) << BigInt(amount))),
        )
      })
  for (const [name, [fromUnsigned, toUnsigned, rounding]] of Object.entries(NARROW)) {
    const narrow = (size: number, count: number, upper: number, d: number, n: number, amount: number): number =>
      saturating((q) => {
        const values = lanes.read(n, size + 1, count)
        const results = values.map((a) =>
          q.to(toUnsigned, 8 << size, shifted(reading(fromUnsigned, 16 << size, a), -amount, rounding)),
        )
        lanes.writeHalf(d, size, results, upper === 1)
      })
    // The shifts' operand is the amount less one.
    helpers[name] =
      name.endsWith('XTN') || name.endsWith('XTUN')
        ? (size = 0, count = 0, upper = 0, d = 0, n = 0) => narrow(size, count, upper, d, n, 0)
        : (size = 0, count = 0, upper = 0, d = 0, n = 0, amount = 0) => narrow(size, count, upper, d, n, amount + 1)
  }
  for (const [name, op] of Object.entries(DOUBLING_LONG)) {
    const run = (
      size: number,
      first: number,
      count: number,
      d: number,
      n: number,
      second: (i: number) => bigint,
    ): number =>
      saturating((q) => {
        const wide = 16 << size
        const old = lanes.read(d, size + 1, count)
        const results = lanes.read(n, size, count, first).map((a, i) => {
          const product = q.signed(wide, 2n * signed(8 << size, a) * signed(8 << size, second(i)))
          return op(wide, old[i] ?? 0n, product, q)
        })
        lanes.write(d, size + 1, results)
      })
    helpers[name] = (size = 0, count = 0, upper = 0, d = 0, n = 0, m = 0) =>
      run(size, upper * count, count, d, n, (i) => lanes.get(m, size, upper * count + i))
    helpers[`${name} (by element)`] = (size = 0, count = 0, upper = 0, d = 0, n = 0, m = 0, index = 0) =>
      run(size, upper * count, count, d, n, () => lanes.get(m, size, index))
  }
  return helpers
}
