import { describe, expect, it } from 'vitest'
import { Random, floatBits, integerBits, meetingFloatBits } from '../../../testing/oracle/operands.ts'
import { bank, vAt, xAt } from '../layout.ts'
import { Registers } from '../state.ts'
import { add, divide, multiply, multiplyAdd, squareRoot, subtract } from './arithmetic.ts'
import { NZCV, compare, maximum, minimum } from './compare.ts'
import { contextOf, exception } from './context.ts'
import type { FloatContext } from './context.ts'
import { convert, fromFixed, roundToIntegral, toFixed } from './convert.ts'
import { fastPaths } from './fast.ts'
import { absolute, double, half, negate, single } from './format.ts'
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

function operand(random: Random, f: Format): bigint {
  return random.below(3) === 0 ? floatBits(random, f.width) : meetingFloatBits(random, f.width)
}

/** FPCR.FZ and FZ16 */
const FLUSHING = (1 << 24) | (1 << 19)
const FORMATS = [
  ['half', half, 1],
  ['single', single, 2],
  ['double', double, 3],
] as const

const put = (register: number, value: bigint): void => registers.setAt(vAt(register), value)
const start = (random: Random): FloatContext => {
  registers.i32[bank.FPSR >>> 2] = random.below(4) === 0 ? 0 : exception.inexact
  registers.i32[bank.FPCR >>> 2] = random.below(8) === 0 ? FLUSHING : 0
  return contextOf(registers.i32[bank.FPCR >>> 2] ?? 0)
}

/** Gathers what the short way did otherwise than the exact arithmetic, or with flags that it did not raise. */
class Findings {
  taken = 0
  readonly wrong: string[] = []

  compare(operands: readonly bigint[], got: bigint, want: bigint, c: FloatContext): void {
    this.taken++
    const missed = c.flags & ~(registers.i32[bank.FPSR >>> 2] ?? 0)
    if (got === want && missed === 0) return
    this.wrong.push(
      `${operands.map((n) => n.toString(16)).join(' ')}: ${got.toString(16)} instead of ${want.toString(16)}, flags ${missed}`,
    )
  }
}

describe.each(FORMATS)('the short way, %s precision', (_name, f, size) => {
  it.each(Object.keys(EXACT))('%s gives the bits of the exact arithmetic, or declines', (name) => {
    const random = new Random(name.length * 7 + size)
    const path = fast.paths[name]
    const exact = EXACT[name]
    if (path === undefined || exact === undefined) throw new Error(`${name} is missing`)
    const hasAddend = /^FN?M(ADD|SUB)$/.test(name)
    const findings = new Findings()
    for (let i = 0; i < SAMPLES; i++) {
      const [a, b, d, old] = [operand(random, f), operand(random, f), operand(random, f), operand(random, f)]
      const c = start(random)
      put(0, old)
      put(1, a)
      put(2, b)
      put(3, d)
      const done = hasAddend
        ? path(size, vAt(0), vAt(1), vAt(2), vAt(3))
        : path(size, 1 << size, vAt(0), vAt(1), vAt(2), 0)
      if (done) findings.compare([a, b, d, old], registers.at(vAt(0)), exact(f, c, a, b, d, old), c)
    }
    expect(findings.wrong).toEqual([])
    expect(findings.taken).toBeGreaterThan(SAMPLES / 5)
  })

  it('compares alike', () => {
    const random = new Random(size)
    const findings = new Findings()
    for (let i = 0; i < SAMPLES; i++) {
      const a = operand(random, f)
      const b = random.below(4) === 0 ? a : operand(random, f)
      const c = start(random)
      put(1, a)
      put(2, b)
      const nzcv = fast.compare(size, vAt(1), vAt(2))
      if (nzcv >= 0) findings.compare([a, b], BigInt(nzcv), BigInt(NZCV[compare(f, c, a, b, true)]), c)
    }
    expect(findings.wrong).toEqual([])
    expect(findings.taken).toBeGreaterThan(SAMPLES / 2)
  })

  it('converts alike', () => {
    const random = new Random(size)
    const findings = new Findings()
    for (let i = 0; i < SAMPLES; i++) {
      const a = operand(random, f)
      const c = start(random)
      put(1, a)
      const [, other, to] = random.pick(FORMATS.filter(([, , another]) => another !== size))
      if (fast.paths['FCVT']?.(size, to, vAt(0), vAt(1)) === true)
        findings.compare([a], registers.at(vAt(0)), convert(f, other, c, a), c)
      const format = {
        width: random.pick([32, 64] as const),
        signed: random.below(2) === 0,
        fractionBits: random.pick([0, 0, 4, 31]),
      }
      const signed = format.signed ? 1 : 0
      const mode = random.pick([0, 1, 2, 3] as const)
      c.flags = 0
      if (
        fast.paths['FCVT to integer']?.(size, format.width, signed, mode, format.fractionBits, xAt(0), vAt(1)) === true
      )
        findings.compare([a], registers.x(0), toFixed(f, c, a, format, mode), c)
      const x = integerBits(random, random.pick([format.width, 20]))
      registers.setX(0, x)
      c.flags = 0
      if (fast.paths['CVTF from integer']?.(size, format.width, signed, format.fractionBits, vAt(0), xAt(0)) === true)
        findings.compare([x], registers.at(vAt(0)), fromFixed(f, c, x, format), c)
    }
    expect(findings.wrong).toEqual([])
    expect(findings.taken).toBeGreaterThan(SAMPLES)
  })
})
