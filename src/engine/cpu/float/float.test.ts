import { afterAll, describe, expect, it } from 'vitest'
import { emptyState, missingTools, openOracle } from '../../../testing/oracle/run-instruction.ts'
import type { MachineState, Oracle } from '../../../testing/oracle/run-instruction.ts'
import { Random, floatBits, fpcrBits, integerBits } from '../../../testing/oracle/operands.ts'
import {
  add,
  divide,
  multiply,
  multiplyAdd,
  multiplyExtended,
  reciprocalRootStep,
  reciprocalStep,
  squareRoot,
  subtract,
} from './arithmetic.ts'
import { NZCV, compare, maximum, maximumNumber, minimum, minimumNumber } from './compare.ts'
import { contextOf, exception, rounding } from './context.ts'
import type { FloatContext, Rounding } from './context.ts'
import { convert, fromFixed, roundToIntegral, toFixed } from './convert.ts'
import {
  reciprocalEstimate,
  reciprocalExponent,
  reciprocalRootEstimate,
  unsignedReciprocalEstimate,
  unsignedReciprocalRootEstimate,
} from './estimate.ts'
import { double, half, negate, single } from './format.ts'
import type { Format } from './format.ts'

const missing = missingTools()
const SAMPLES = 700

interface Case {
  readonly asm: string
  /** What the registers hold: formats of V1, V2, V3, or the width of X1. */
  readonly in: readonly Format[] | 32 | 64
  /** Where the result is. */
  readonly out: 'v' | 'x' | 'nzcv'
  readonly run: (c: FloatContext, a: bigint, b: bigint, d: bigint) => bigint
}

const FORMATS: readonly (readonly [string, Format])[] = [
  ['h', half],
  ['s', single],
  ['d', double],
]
const MODES: readonly (readonly [string, Rounding])[] = [
  ['n', rounding.tiesToEven],
  ['p', rounding.towardsPlus],
  ['m', rounding.towardsMinus],
  ['z', rounding.towardsZero],
  ['a', rounding.tiesAway],
]
const cases: Case[] = []

for (const [r, f] of FORMATS) {
  const two = (name: string, run: (f: Format, c: FloatContext, a: bigint, b: bigint) => bigint): void => {
    cases.push({ asm: `${name} ${r}0, ${r}1, ${r}2`, in: [f, f], out: 'v', run: (c, a, b) => run(f, c, a, b) })
  }
  const one = (name: string, run: (f: Format, c: FloatContext, a: bigint) => bigint): void => {
    cases.push({ asm: `${name} ${r}0, ${r}1`, in: [f], out: 'v', run: (c, a) => run(f, c, a) })
  }
  two('fadd', add)
  two('fsub', subtract)
  two('fmul', multiply)
  two('fdiv', divide)
  two('fmulx', multiplyExtended)
  two('frecps', reciprocalStep)
  two('frsqrts', reciprocalRootStep)
  two('fmax', maximum)
  two('fmin', minimum)
  two('fmaxnm', maximumNumber)
  two('fminnm', minimumNumber)
  one('fsqrt', squareRoot)
  one('frecpe', reciprocalEstimate)
  one('frsqrte', reciprocalRootEstimate)
  one('frecpx', reciprocalExponent)
  const three = (name: string, run: (c: FloatContext, a: bigint, b: bigint, d: bigint) => bigint): void => {
    cases.push({ asm: `${name} ${r}0, ${r}1, ${r}2, ${r}3`, in: [f, f, f], out: 'v', run })
  }
  three('fmadd', (c, a, b, d) => multiplyAdd(f, c, d, a, b))
  three('fmsub', (c, a, b, d) => multiplyAdd(f, c, d, negate(f, a), b))
  three('fnmadd', (c, a, b, d) => multiplyAdd(f, c, negate(f, d), negate(f, a), b))
  three('fnmsub', (c, a, b, d) => multiplyAdd(f, c, negate(f, d), a, b))
  for (const [name, signalling] of [
    ['fcmp', false],
    ['fcmpe', true],
  ] as const)
    cases.push({
      asm: `${name} ${r}1, ${r}2`,
      in: [f, f],
      out: 'nzcv',
      run: (c, a, b) => BigInt(NZCV[compare(f, c, a, b, signalling)]),
    })
  for (const [letter, mode] of MODES) one(`frint${letter}`, (_f, c, a) => roundToIntegral(f, c, a, mode, false))
  one('frinti', (_f, c, a) => roundToIntegral(f, c, a, c.rounding, false))
  one('frintx', (_f, c, a) => roundToIntegral(f, c, a, c.rounding, true))
  for (const [x, width] of [
    ['w', 32],
    ['x', 64],
  ] as const)
    for (const [u, signed] of [
      ['s', true],
      ['u', false],
    ] as const) {
      for (const [letter, mode] of MODES)
        cases.push({
          asm: `fcvt${letter}${u} ${x}0, ${r}1`,
          in: [f],
          out: 'x',
          run: (c, a) => toFixed(f, c, a, { width, signed, fractionBits: 0 }, mode),
        })
      for (const fractionBits of [1, 7, width]) {
        const fixed = { width, signed, fractionBits }
        cases.push(
          {
            asm: `fcvtz${u} ${x}0, ${r}1, #${fractionBits}`,
            in: [f],
            out: 'x',
            run: (c, a) => toFixed(f, c, a, fixed, rounding.towardsZero),
          },
          {
            asm: `${u}cvtf ${r}0, ${x}1, #${fractionBits}`,
            in: width,
            out: 'v',
            run: (c, a) => fromFixed(f, c, a, fixed),
          },
        )
      }
      cases.push({
        asm: `${u}cvtf ${r}0, ${x}1`,
        in: width,
        out: 'v',
        run: (c, a) => fromFixed(f, c, a, { width, signed, fractionBits: 0 }),
      })
    }
  for (const [r2, to] of FORMATS)
    if (to !== f) cases.push({ asm: `fcvt ${r2}0, ${r}1`, in: [f], out: 'v', run: (c, a) => convert(f, to, c, a) })
}
cases.push({
  asm: 'fcvtxn s0, d1',
  in: [double],
  out: 'v',
  run: (c, a) => convert(double, single, c, a, rounding.toOdd),
})
for (const [name, run] of [
  ['urecpe', unsignedReciprocalEstimate],
  ['ursqrte', unsignedReciprocalRootEstimate],
] as const) {
  const lanes = (a: bigint): bigint => run(a & 0xffffffffn) | (run(a >> 32n) << 32n)
  cases.push({ asm: `${name} v0.2s, v1.2s`, in: [double], out: 'v', run: (_c, a) => lanes(a) })
}

const shown = (value: bigint, flags: number): string => `${value.toString(16)} flags ${flags.toString(16)}`
const nameOf = (test: Case): string => test.asm.split(' ')[0] ?? ''
const quiet = (n: bigint): bigint => 0x7fc00000n | n
const signalling = (n: bigint): bigint => 0x7f800000n | n

function statesOf(test: Case, word: number, random: Random): MachineState[] {
  return Array.from({ length: SAMPLES }, () => {
    const s = emptyState(word)
    s.fpcr = fpcrBits(random, /\bh\d/.test(test.asm))
    if (typeof test.in === 'number') s.x[1] = integerBits(random, test.in)
    else test.in.forEach((f, i) => (s.v[i + 1] = floatBits(random, f.width)))
    return s
  })
}

/** What differs, in words; undefined: nothing. */
function difference(test: Case, before: MachineState, after: MachineState): string | undefined {
  const c = contextOf(before.fpcr)
  const [a, b, d] = typeof test.in === 'number' ? [before.x[1], 0n, 0n] : [before.v[1], before.v[2], before.v[3]]
  const result = test.run(c, a ?? 0n, b ?? 0n, d ?? 0n)
  const expected = test.out === 'v' ? (after.v[0] ?? 0n) : test.out === 'x' ? (after.x[0] ?? 0n) : BigInt(after.nzcv)
  const operands = [a, b, d].map((n) => (n ?? 0n).toString(16)).join(' ')
  if (result === expected && c.flags === after.fpsr) return undefined
  return `${test.asm} of ${operands} with FPCR ${before.fpcr.toString(16)}: ${shown(result, c.flags)} instead of ${shown(expected, after.fpsr)}`
}

describe.skipIf(missing.length > 0)(
  `floating point against QEMU${missing.length > 0 ? ` (skipped: no ${missing.join(', ')})` : ''}`,
  () => {
    const oracle: Oracle = openOracle()
    afterAll(() => oracle.dispose())
    for (const name of new Set(cases.map(nameOf)))
      it(`${name} is bit-identical, flags included`, () => {
        const group = cases.filter((test) => nameOf(test) === name)
        const words = oracle.assemble(group.map((test) => test.asm))
        const random = new Random(name.length * 1000 + group.length)
        const before = group.map((test, i) => statesOf(test, words[i] ?? 0, random))
        const after = oracle.run(before.flat(), 'max')
        const wrong: (string | undefined)[] = []
        let index = 0
        group.forEach((test, i) => {
          for (const state of before[i] ?? []) wrong.push(difference(test, state, after[index++] ?? state))
        })
        expect(index).toBe(SAMPLES * group.length)
        expect(wrong.filter((text) => text !== undefined)).toEqual([])
      })
  },
)

describe('floating point by the manual', () => {
  it('hands on the addend of a fused operation before its factors, signalling NaNs first', () => {
    expect(multiplyAdd(single, contextOf(0), quiet(1n), quiet(2n), quiet(3n))).toBe(quiet(1n))
    expect(multiplyAdd(single, contextOf(0), quiet(1n), signalling(2n), signalling(3n))).toBe(quiet(2n))
  })

  it('detects tininess before rounding', () => {
    // The largest denormal and a half rounds to the smallest normal number, and still underflows.
    const c = contextOf(0)
    expect(multiply(single, c, 0x00ffffffn, 0x3f000000n)).toBe(0x00800000n)
    expect(c.flags).toBe(exception.underflow | exception.inexact)
  })
})
