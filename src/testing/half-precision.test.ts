/** Half precision against double precision: what is rounded to 53 bits and then to 11 is rounded once. */
import { describe, expect, it } from 'vitest'
import { bank } from '../engine/cpu/layout.ts'
import { BareCore } from './bare-core.ts'
import { floatBits, Random } from './oracle/operands.ts'

const VECTORS = 400
const LANES = 8
/** FPSR.IXC, without which a sum is a helper's the first time that it is inexact. */
const INEXACT = 1n << 4n

/** The value of 16 bits that are no NaN. */
function valueOf(half: number): number {
  const sign = half >= 0x8000 ? -1 : 1
  const [exponent, fraction] = [(half >> 10) & 31, half & 0x3ff]
  if (exponent === 31) return sign * Infinity
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** The nearest number of half precision, ties to even. */
function nearest(value: number): number {
  const size = Math.abs(value)
  if (size >= 65520 || size === 0) return size === 0 ? value : Math.sign(value) * Infinity
  let exponent = -14
  while (2 ** (exponent + 1) <= size) exponent++
  const units = size / 2 ** (exponent - 10)
  const below = Math.floor(units)
  const up = units - below > 0.5 || (units - below === 0.5 && below % 2 === 1)
  return Math.sign(value) * (below + (up ? 1 : 0)) * 2 ** (exponent - 10)
}

/** Half of the vectors have numbers of moderate size only, which the host computes with. */
const vector = (random: Random): number[] => {
  const moderate = random.below(2) === 0
  return Array.from({ length: LANES }, () =>
    moderate ? (random.u32() & 0x83ff) | ((10 + random.below(10)) << 10) : Number(floatBits(random, 16)),
  )
}

const isNaNBits = (half: number): boolean => (half & 0x7fff) > 0x7c00
const packed = (halves: readonly number[]): bigint =>
  halves.reduce((all, half, i) => all | (BigInt(half) << BigInt(16 * i)), 0n)

type Operation = (a: number, b: number) => number
const OPERATIONS: readonly (readonly [code: string, operation: Operation])[] = [
  ['fadd v0.8h, v1.8h, v2.8h', (a, b) => a + b],
  ['fsub v0.8h, v1.8h, v2.8h', (a, b) => a - b],
  ['fabd v0.8h, v1.8h, v2.8h', (a, b) => Math.abs(a - b)],
  ['fmul v0.8h, v1.8h, v2.8h', (a, b) => a * b],
  ['fdiv v0.8h, v1.8h, v2.8h', (a, b) => a / b],
  ['fmax v0.8h, v1.8h, v2.8h', Math.max],
  ['fmin v0.8h, v1.8h, v2.8h', Math.min],
  ['fsqrt v0.8h, v1.8h', (a) => Math.sqrt(a)],
  ['fnmul h0, h1, h2', (a, b) => -(a * b)],
]

describe('half precision', () => {
  it.each(OPERATIONS)('%s', (code, operation) => {
    const lanes = code.includes('8h') ? LANES : 1
    const random = new Random(code.length)
    let compared = 0
    const machine = new BareCore('max')
    for (let n = 0; n < VECTORS; n++) {
      const [a, b] = [vector(random), vector(random)]
      const { registers } = machine.load(`mov x0, #3145728\n msr cpacr_el1, x0\n isb\n ${code}\n hvc #0`).core
      registers.setAt(bank.FPSR, INEXACT)
      for (const [v, bits] of [a, b].entries()) {
        registers.setAt(bank.V + 16 * (v + 1), packed(bits.slice(0, 4)))
        registers.setAt(bank.V + 16 * (v + 1) + 8, packed(bits.slice(4)))
      }
      machine.run()
      for (let lane = 0; lane < lanes; lane++) {
        const [x, y] = [a[lane] ?? 0, b[lane] ?? 0]
        if (isNaNBits(x) || isNaNBits(y)) continue
        const want = nearest(operation(valueOf(x), valueOf(y)))
        if (Number.isNaN(want)) continue
        const got = Number((registers.at(bank.V + 8 * (lane >> 2)) >> BigInt(16 * (lane & 3))) & 0xffffn)
        expect(valueOf(got), `${code} of 0x${x.toString(16)} and 0x${y.toString(16)}`).toBe(want)
        compared++
      }
    }
    expect(compared).toBeGreaterThan(VECTORS / 2)
  })
})
