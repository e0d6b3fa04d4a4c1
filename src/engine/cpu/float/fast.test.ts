import { describe, expect, it } from 'vitest'
import { Random, floatBits, integerBits } from '../../../testing/oracle/operands.ts'
import { bank, vAt, xAt } from '../layout.ts'
import { Registers } from '../state.ts'
import { add, divide, multiply, multiplyAdd, squareRoot, subtract } from './arithmetic.ts'
import { NZCV, compare, maximum, minimum } from './compare.ts'
import { contextOf, exception } from './context.ts'
import type { FloatContext } from './context.ts'
import { convert, fromFixed, roundToIntegral, toFixed } from './convert.ts'
import { fastPaths } from './fast.ts'
import { absolute, double, negate, single } from './format.ts'
import type { Format } from './format.ts'

const registers = new Registers(new ArrayBuffer(8192))
const fast = fastPaths(registers)

/** What the exact arithmetic makes of V1, V2 and V3 (and V0 as it was). */
type Exact = (f: Format, c: FloatContext, a: bigint, b: bigint, d: bigint, old: bigint) => bigint
const EXACT: Readonly<Record<string, Exact>> = {
  FADD: add,
  FSUB: subtract,
  FMUL: multiply,
  FDIV: divide,
  FNMUL: (f, c, a, b) => negate(f, multiply(f, c, a, b)),
  FABD: (f, c, a, b) => absolute(f, subtract(f, c, a, b)),
  FMAX: maximum,
  FMIN: minimum,
  FSQRT: (f, c, a) => squareRoot(f, c, a),
  FRINTN: (f, c, a) => roundToIntegral(f, c, a, 0, false),
  FRINTP: (f, c, a) => roundToIntegral(f, c, a, 1, false),
  FRINTM: (f, c, a) => roundToIntegral(f, c, a, 2, false),
  FRINTZ: (f, c, a) => roundToIntegral(f, c, a, 3, false),
  FMLA: (f, c, a, b, _d, old) => multiplyAdd(f, c, old, a, b),
  FMLS: (f, c, a, b, _d, old) => multiplyAdd(f, c, old, negate(f, a), b),
  FMADD: (f, c, a, b, d) => multiplyAdd(f, c, d, a, b),
  FMSUB: (f, c, a, b, d) => multiplyAdd(f, c, d, negate(f, a), b),
  FNMADD: (f, c, a, b, d) => multiplyAdd(f, c, negate(f, d), negate(f, a), b),
  FNMSUB: (f, c, a, b, d) => multiplyAdd(f, c, negate(f, d), a, b),
}
const SAMPLES = 3000

/** Numbers of sizes that meet: sums that cancel, ties, small integers. */
function operand(random: Random, f: Format): bigint {
  if (random.below(3) === 0) return floatBits(random, f.width === 64 ? 64 : 32)
  const exponent = BigInt(f.maxBiased >> 1) + BigInt(random.below(6) - 3)
  const kept = random.pick([2, 5, f.fractionBits >> 1, f.fractionBits - 1, f.fractionBits])
  const fraction = ((random.u64() & f.fractionMask) >> BigInt(f.fractionBits - kept)) << BigInt(f.fractionBits - kept)
  return (random.below(2) === 0 ? 0n : f.signBit) | (exponent << BigInt(f.fractionBits)) | fraction
}

const FZ = 1 << 24

describe.each([['single', single, 2], ['double', double, 3]] as const)('the short way, %s precision', (_name, f, size) => {
  const put = (register: number, value: bigint): void => registers.setAt(vAt(register), value)
  const start = (random: Random): FloatContext => {
    registers.i32[bank.FPSR >>> 2] = random.below(4) === 0 ? 0 : exception.inexact
    registers.i32[bank.FPCR >>> 2] = random.below(8) === 0 ? FZ : 0
    return contextOf(registers.i32[bank.FPCR >>> 2] ?? 0)
  }
  /** Flags that the exact arithmetic raised and that were not there. */
  const newFlags = (c: FloatContext): number => c.flags & ~(registers.i32[bank.FPSR >>> 2] ?? 0)

  it.each(Object.keys(EXACT))('%s gives the bits of the exact arithmetic, or declines', (name) => {
    const random = new Random(name.length * 7 + size)
    const path = fast.paths[name]
    const exact = EXACT[name]
    if (path === undefined || exact === undefined) throw new Error(`${name} is missing`)
    const hasAddend = /^FN?M(ADD|SUB)$/.test(name)
    let taken = 0
    for (let i = 0; i < SAMPLES; i++) {
      const [a, b, d, old] = [operand(random, f), operand(random, f), operand(random, f), operand(random, f)]
      const c = start(random)
      put(0, old)
      put(1, a)
      put(2, b)
      put(3, d)
      const bytes = 1 << size
      const done = hasAddend ? path(size, vAt(0), vAt(1), vAt(2), vAt(3)) : path(size, bytes, vAt(0), vAt(1), vAt(2), 0)
      if (!done) continue
      taken++
      const want = exact(f, c, a, b, d, old)
      expect({ a, b, d, old, got: registers.at(vAt(0)), flags: 0 }).toEqual({ a, b, d, old, got: want, flags: newFlags(c) })
    }
    expect(taken).toBeGreaterThan(SAMPLES / 5)
  })

  it('compares and converts alike', () => {
    const random = new Random(size)
    let taken = 0
    for (let i = 0; i < SAMPLES; i++) {
      const [a, b] = [operand(random, f), operand(random, f)]
      const c = start(random)
      put(1, a)
      put(2, random.below(4) === 0 ? a : b)
      const nzcv = fast.compare(size, vAt(1), vAt(2))
      if (nzcv >= 0) expect(nzcv).toBe(NZCV[compare(f, c, a, registers.at(vAt(2)), true)])
      const other = size === 2 ? double : single
      if (fast.paths['FCVT']?.(size, 5 - size, vAt(0), vAt(1)) === true) {
        taken++
        expect([a, registers.at(vAt(0)), 0]).toEqual([a, convert(f, other, c, a), newFlags(c)])
      }
      for (const width of [32, 64] as const)
        for (const signed of [false, true]) {
          const x = integerBits(random, random.pick([width, 20]))
          registers.setX(0, x)
          if (fast.paths['CVTF from integer']?.(size, width, signed ? 1 : 0, 0, vAt(0), xAt(0)) === true) {
            taken++
            expect([x, registers.at(vAt(0)), 0]).toEqual([x, fromFixed(f, c, x, { width, signed, fractionBits: 0 }), newFlags(c)])
          }
          const mode = random.pick([0, 1, 2, 3] as const)
          if (fast.paths['FCVT to integer']?.(size, width, signed ? 1 : 0, mode, 0, xAt(0), vAt(1)) === true) {
            taken++
            expect([a, registers.x(0), 0]).toEqual([a, toFixed(f, c, a, { width, signed, fractionBits: 0 }, mode), newFlags(c)])
          }
        }
    }
    expect(taken).toBeGreaterThan(2 * SAMPLES)
  })
})
