/**
 * Floating-point instructions as compiled code calls them: registers are byte offsets, sizes are log2 of bytes.
 * Numbers that the host computes exactly as Arm does go the short way; all others through the exact arithmetic.
 */
import { Lanes } from '../lanes.ts'
import type { Registers } from '../state.ts'
import { vectorHelpers } from '../vector-helpers.ts'
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
import { contextOf, rounding } from './context.ts'
import type { FloatContext, Rounding } from './context.ts'
import { convert, fromFixed, roundToInteger, roundToIntegral, toFixed, toFixedJs } from './convert.ts'
import {
  reciprocalEstimate,
  reciprocalExponent,
  reciprocalRootEstimate,
  unsignedReciprocalEstimate,
  unsignedReciprocalRootEstimate,
} from './estimate.ts'
import { fastPaths } from './fast.ts'
import { absolute, double, half, halfAsSingle, negate, single } from './format.ts'
import type { Format } from './format.ts'

export type Helper = (...args: number[]) => number

type Unary = (f: Format, c: FloatContext, a: bigint) => bigint
type Binary = (f: Format, c: FloatContext, a: bigint, b: bigint) => bigint
/** The third operand is the old value of the destination. */
type Ternary = (f: Format, c: FloatContext, a: bigint, b: bigint, old: bigint) => bigint

const formatOf = (size: number): Format => (size === 3 ? double : size === 2 ? single : half)
const MODES: readonly Rounding[] = [0, 1, 2, 3, 4, 5]
const modeOf = (n: number): Rounding => MODES[n] ?? rounding.tiesToEven
/** Z of NZCV. */
const ZERO_FLAG = 0b0100
const widthOf = (n: number): 16 | 32 | 64 => (n === 64 ? 64 : n === 32 ? 32 : 16)

const roundBy =
  (mode: Rounding): Unary =>
  (f, c, a) =>
    roundToIntegral(f, c, a, mode, false)

/** All ones or zeros. */
const mask = (f: Format, holds: boolean): bigint => (holds ? (f.signBit << 1n) - 1n : 0n)

const UNARY: Readonly<Record<string, Unary>> = {
  FSQRT: squareRoot,
  FRINTN: roundBy(rounding.tiesToEven),
  FRINTP: roundBy(rounding.towardsPlus),
  FRINTM: roundBy(rounding.towardsMinus),
  FRINTZ: roundBy(rounding.towardsZero),
  FRINTA: roundBy(rounding.tiesAway),
  FRINTX: (f, c, a) => roundToIntegral(f, c, a, c.rounding, true),
  FRINTI: (f, c, a) => roundToIntegral(f, c, a, c.rounding, false),
  FRINT32Z: (f, c, a) => roundToInteger(f, c, a, rounding.towardsZero, 32),
  FRINT32X: (f, c, a) => roundToInteger(f, c, a, c.rounding, 32),
  FRINT64Z: (f, c, a) => roundToInteger(f, c, a, rounding.towardsZero, 64),
  FRINT64X: (f, c, a) => roundToInteger(f, c, a, c.rounding, 64),
  FRECPE: reciprocalEstimate,
  FRSQRTE: reciprocalRootEstimate,
  FRECPX: reciprocalExponent,
  URECPE: (_f, _c, a) => unsignedReciprocalEstimate(a),
  URSQRTE: (_f, _c, a) => unsignedReciprocalRootEstimate(a),
  'FCMEQ (zero)': (f, c, a) => mask(f, compare(f, c, a, 0n, false) === 'equal'),
  'FCMGT (zero)': (f, c, a) => mask(f, compare(f, c, a, 0n, true) === 'greater'),
  'FCMGE (zero)': (f, c, a) => mask(f, ['greater', 'equal'].includes(compare(f, c, a, 0n, true))),
  'FCMLT (zero)': (f, c, a) => mask(f, compare(f, c, a, 0n, true) === 'less'),
  'FCMLE (zero)': (f, c, a) => mask(f, ['less', 'equal'].includes(compare(f, c, a, 0n, true))),
}

const BINARY: Readonly<Record<string, Binary>> = {
  FADD: add,
  FSUB: subtract,
  FMUL: multiply,
  FDIV: divide,
  FNMUL: (f, c, a, b) => {
    // The product is negated, a default NaN too; a NaN operand is handed on and then negated.
    return negate(f, multiply(f, c, a, b))
  },
  FMAX: maximum,
  FMIN: minimum,
  FMAXNM: maximumNumber,
  FMINNM: minimumNumber,
  FMULX: multiplyExtended,
  FRECPS: reciprocalStep,
  FRSQRTS: reciprocalRootStep,
  FABD: (f, c, a, b) => absolute(f, subtract(f, c, a, b)),
  FCMEQ: (f, c, a, b) => mask(f, compare(f, c, a, b, false) === 'equal'),
  FCMGT: (f, c, a, b) => mask(f, compare(f, c, a, b, true) === 'greater'),
  FCMGE: (f, c, a, b) => mask(f, ['greater', 'equal'].includes(compare(f, c, a, b, true))),
  FACGT: (f, c, a, b) => mask(f, compare(f, c, absolute(f, a), absolute(f, b), true) === 'greater'),
  FACGE: (f, c, a, b) => mask(f, ['greater', 'equal'].includes(compare(f, c, absolute(f, a), absolute(f, b), true))),
}

const TERNARY: Readonly<Record<string, Ternary>> = {
  FMLA: (f, c, a, b, old) => multiplyAdd(f, c, old, a, b),
  FMLS: (f, c, a, b, old) => multiplyAdd(f, c, old, negate(f, a), b),
}

/** With the addend last: FMADD and its relatives. */
const MULTIPLY_ADD: Readonly<Record<string, Ternary>> = {
  FMADD: (f, c, a, b, d) => multiplyAdd(f, c, d, a, b),
  FMSUB: (f, c, a, b, d) => multiplyAdd(f, c, d, negate(f, a), b),
  FNMADD: (f, c, a, b, d) => multiplyAdd(f, c, negate(f, d), negate(f, a), b),
  FNMSUB: (f, c, a, b, d) => multiplyAdd(f, c, negate(f, d), a, b),
}

/** Of each pair of neighbours, one result. */
const PAIRWISE: Readonly<Record<string, Binary>> = {
  FADDP: add,
  FMAXP: maximum,
  FMINP: minimum,
  FMAXNMP: maximumNumber,
  FMINNMP: minimumNumber,
}
const ACROSS: Readonly<Record<string, Binary>> = {
  FMAXV: maximum,
  FMINV: minimum,
  FMAXNMV: maximumNumber,
  FMINNMV: minimumNumber,
}

export function floatHelpers(registers: Registers): Record<string, Helper> {
  const lanes = new Lanes(registers)
  const helpers: Record<string, Helper> = { ...vectorHelpers(registers) }

  /** Runs with FPCR, and adds the exceptions to FPSR. */
  const within = <T>(work: (c: FloatContext) => T): T => {
    const c = contextOf(lanes.fpcr)
    const result = work(c)
    if (c.flags !== 0) lanes.raise(c.flags)
    return result
  }

  for (const [name, op] of Object.entries(UNARY))
    helpers[name] = (size = 0, bytes = 0, d = 0, n = 0) => {
      const f = formatOf(size)
      within((c) =>
        lanes.write(
          d,
          size,
          lanes.read(n, size, bytes >> size).map((a) => op(f, c, a)),
        ),
      )
      return 0
    }
  const elementwise =
    (op: Ternary, indexed: boolean): Helper =>
    (size = 0, bytes = 0, d = 0, n = 0, m = 0, index = 0) => {
      const f = formatOf(size)
      within((c) => {
        const count = bytes >> size
        const old = lanes.read(d, size, count)
        const second = indexed ? Array<bigint>(count).fill(lanes.get(m, size, index)) : lanes.read(m, size, count)
        lanes.write(
          d,
          size,
          lanes.read(n, size, count).map((a, i) => op(f, c, a, second[i] ?? 0n, old[i] ?? 0n)),
        )
      })
      return 0
    }
  for (const [name, op] of Object.entries({ ...BINARY, ...TERNARY })) {
    helpers[name] = elementwise(op, false)
    helpers[`${name} (by element)`] = elementwise(op, true)
  }
  for (const [name, op] of Object.entries(MULTIPLY_ADD))
    helpers[name] = (size = 0, d = 0, n = 0, m = 0, a = 0) => {
      const f = formatOf(size)
      within((c) =>
        lanes.write(d, size, [op(f, c, lanes.get(n, size, 0), lanes.get(m, size, 0), lanes.get(a, size, 0))]),
      )
      return 0
    }
  for (const [name, op] of Object.entries(PAIRWISE)) {
    helpers[name] = (size = 0, bytes = 0, d = 0, n = 0, m = 0) => {
      const f = formatOf(size)
      const count = bytes >> size
      const all = [...lanes.read(n, size, count), ...lanes.read(m, size, count)]
      within((c) =>
        lanes.write(
          d,
          size,
          Array.from({ length: count }, (_, i) => op(f, c, all[2 * i] ?? 0n, all[2 * i + 1] ?? 0n)),
        ),
      )
      return 0
    }
    helpers[`${name} (scalar)`] = (size = 0, d = 0, n = 0) => {
      within((c) => lanes.write(d, size, [op(formatOf(size), c, lanes.get(n, size, 0), lanes.get(n, size, 1))]))
      return 0
    }
  }
  for (const [name, op] of Object.entries(ACROSS))
    helpers[name] = (size = 0, bytes = 0, d = 0, n = 0) => {
      const f = formatOf(size)
      within((c) => {
        // Halves first (Reduce of the pseudocode), which matters to NaNs.
        const reduce = (values: readonly bigint[]): bigint => {
          const [first] = values
          if (values.length <= 1) return first ?? 0n
          const middle = values.length / 2
          const low = reduce(values.slice(0, middle))
          return op(f, c, low, reduce(values.slice(middle)))
        }
        lanes.write(d, size, [reduce(lanes.read(n, size, bytes >> size))])
      })
      return 0
    }

  const compareBits = (size: number, signalling: number, a: bigint, b: bigint): number =>
    within((c) => NZCV[compare(formatOf(size), c, a, b, signalling === 1)])
  const fast = fastPaths(registers)
  helpers['FCMP'] = (size = 0, signalling = 0, n = 0, m = 0) => {
    const nzcv = fast.compare(size, n, m)
    return nzcv >= 0 ? nzcv : compareBits(size, signalling, lanes.get(n, size, 0), lanes.get(m, size, 0))
  }
  helpers['FCMP (zero)'] = (size = 0, signalling = 0, n = 0) => {
    const nzcv = fast.compare(size, n, undefined)
    return nzcv >= 0 ? nzcv : compareBits(size, signalling, lanes.get(n, size, 0), 0n)
  }

  helpers['FCVT'] = (from = 0, to = 0, d = 0, n = 0) => {
    within((c) => lanes.write(d, to, [convert(formatOf(from), formatOf(to), c, lanes.get(n, from, 0))]))
    return 0
  }
  helpers['FCVT to integer'] = (size = 0, width = 0, signed = 0, mode = 0, fractionBits = 0, d = 0, n = 0) => {
    const to = { width: widthOf(width), signed: signed === 1, fractionBits }
    registers.setAt(
      d,
      within((c) => toFixed(formatOf(size), c, lanes.get(n, size, 0), to, modeOf(mode))),
    )
    return 0
  }
  helpers['CVTF from integer'] = (size = 0, width = 0, signed = 0, fractionBits = 0, d = 0, n = 0) => {
    const from = { width: widthOf(width), signed: signed === 1, fractionBits }
    within((c) => lanes.write(d, size, [fromFixed(formatOf(size), c, registers.at(n), from)]))
    return 0
  }

  // The vector forms: the lanes of both sides have the same size.
  helpers['FCVT to integer (vector)'] = (size = 0, bytes = 0, signed = 0, mode = 0, fractionBits = 0, d = 0, n = 0) => {
    const to = { width: widthOf(8 << size), signed: signed === 1, fractionBits }
    within((c) =>
      lanes.write(
        d,
        size,
        lanes.read(n, size, bytes >> size).map((a) => toFixed(formatOf(size), c, a, to, modeOf(mode))),
      ),
    )
    return 0
  }
  helpers['CVTF from integer (vector)'] = (size = 0, bytes = 0, signed = 0, fractionBits = 0, d = 0, n = 0) => {
    const from = { width: widthOf(8 << size), signed: signed === 1, fractionBits }
    within((c) =>
      lanes.write(
        d,
        size,
        lanes.read(n, size, bytes >> size).map((a) => fromFixed(formatOf(size), c, a, from)),
      ),
    )
    return 0
  }
  // From lanes of 2^size bytes to lanes of twice that, and back.
  helpers['FCVTL'] = (size = 0, upper = 0, d = 0, n = 0) => {
    const count = 8 >> size
    within((c) => {
      const values = lanes
        .read(n, size, count, upper * count)
        .map((a) => convert(formatOf(size), formatOf(size + 1), c, a))
      lanes.write(d, size + 1, values)
    })
    return 0
  }
  const narrow =
    (mode: Rounding | undefined): Helper =>
    (size = 0, count = 0, upper = 0, d = 0, n = 0) => {
      within((c) => {
        const values = lanes
          .read(n, size + 1, count)
          .map((a) => convert(formatOf(size + 1), formatOf(size), c, a, mode))
        lanes.writeHalf(d, size, values, upper === 1)
      })
      return 0
    }
  helpers['FJCVTZS'] = (d = 0, n = 0) => {
    const { value, exact } = within((c) => toFixedJs(c, lanes.get(n, 3, 0)))
    registers.setAt(d, BigInt(value >>> 0))
    return exact ? ZERO_FLAG : 0
  }

  // Pairs of elements are complex numbers; a rotation turns the second operand by a multiple of 90 degrees.
  helpers['FCADD'] = (size = 0, bytes = 0, rotation = 0, d = 0, n = 0, m = 0) => {
    const f = formatOf(size)
    const a = lanes.read(n, size, bytes >> size)
    const b = lanes.read(m, size, bytes >> size)
    within((c) => {
      const sums = a.map((value, i) => {
        const other = b[i ^ 1] ?? 0n
        // 90: -imaginary, real; 270: imaginary, -real.
        return add(f, c, value, (i & 1) === rotation ? negate(f, other) : other)
      })
      lanes.write(d, size, sums)
    })
    return 0
  }
  const complexProduct = (
    size: number,
    bytes: number,
    rotation: number,
    [d, n]: readonly [number, number],
    second: (i: number) => bigint,
  ): number => {
    const f = formatOf(size)
    const a = lanes.read(n, size, bytes >> size)
    const old = lanes.read(d, size, bytes >> size)
    const turned = rotation & 1
    within((c) => {
      const sums = old.map((addend, i) => {
        const part = i & 1
        const factor = second((i & ~1) | (part ^ turned))
        const negated = part === 0 ? rotation === 1 || rotation === 2 : rotation >= 2
        return multiplyAdd(f, c, addend, a[(i & ~1) | turned] ?? 0n, negated ? negate(f, factor) : factor)
      })
      lanes.write(d, size, sums)
    })
    return 0
  }
  helpers['FCMLA'] = (size = 0, bytes = 0, rotation = 0, d = 0, n = 0, m = 0) => {
    const b = lanes.read(m, size, bytes >> size)
    return complexProduct(size, bytes, rotation, [d, n], (i) => b[i] ?? 0n)
  }
  helpers['FCMLA (by element)'] = (size = 0, bytes = 0, rotation = 0, d = 0, n = 0, m = 0, index = 0) => {
    const pair = lanes.read(m, size, 2, 2 * index)
    return complexProduct(size, bytes, rotation, [d, n], (i) => pair[i & 1] ?? 0n)
  }

  // Half-precision factors from the lower or upper half, single-precision sums.
  const multiplyLong = (
    negated: number,
    upper: number,
    bytes: number,
    [d, n]: readonly [number, number],
    second: (i: number) => bigint,
  ): number => {
    const count = bytes >> 2
    const a = lanes.read(n, 1, count, upper * count)
    const old = lanes.read(d, 2, count)
    within((c) => {
      const sums = old.map((addend, i) => {
        const factor = negated === 1 ? negate(half, a[i] ?? 0n) : (a[i] ?? 0n)
        return multiplyAdd(single, c, addend, halfAsSingle(factor, c), halfAsSingle(second(i), c))
      })
      lanes.write(d, 2, sums)
    })
    return 0
  }
  helpers['FMLAL'] = (negated = 0, upper = 0, bytes = 0, d = 0, n = 0, m = 0) => {
    const count = bytes >> 2
    const b = lanes.read(m, 1, count, upper * count)
    return multiplyLong(negated, upper, bytes, [d, n], (i) => b[i] ?? 0n)
  }
  helpers['FMLAL (by element)'] = (negated = 0, upper = 0, bytes = 0, d = 0, n = 0, m = 0, index = 0) => {
    const factor = lanes.get(m, 1, index)
    return multiplyLong(negated, upper, bytes, [d, n], () => factor)
  }

  helpers['FCVTN'] = narrow(undefined)
  helpers['FCVTXN'] = narrow(rounding.toOdd)

  for (const [name, path] of Object.entries(fast.paths)) {
    const exact = helpers[name]
    if (exact === undefined) throw new Error(`${name} has a short way only`)
    helpers[name] = (...args) => (path(...args) ? 0 : exact(...args))
  }
  return helpers
}
