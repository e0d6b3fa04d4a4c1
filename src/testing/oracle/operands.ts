/** Operands worth trying: random ones, and far more often than chance would have it, those near the edges. */

/** A reproducible source of numbers (Marsaglia's xorshift128). */
export class Random {
  private x: number
  private y: number
  private z: number
  private w: number

  constructor(seed: number) {
    this.x = (Math.imul(seed, 0x9e3779b9) ^ 123456789) | 0
    this.y = (Math.imul(seed, 0x85ebca6b) ^ 362436069) | 0
    this.z = 521288629
    this.w = (seed ^ 88675123) | 0
    for (let i = 0; i < 16; i++) this.u32()
  }

  u32(): number {
    const t = this.x ^ (this.x << 11)
    this.x = this.y
    this.y = this.z
    this.z = this.w
    this.w = this.w ^ (this.w >>> 19) ^ t ^ (t >>> 8)
    return this.w >>> 0
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32())
  }

  below(n: number): number {
    return this.u32() % n
  }

  pick<T>(list: readonly T[]): T {
    const value = list[this.below(list.length)]
    if (value === undefined) throw new Error('nothing to pick from')
    return value
  }
}

interface Shape {
  readonly width: 16 | 32 | 64
  readonly fraction: number
}
const SHAPE: Readonly<Record<16 | 32 | 64, Shape>> = {
  16: { width: 16, fraction: 10 },
  32: { width: 32, fraction: 23 },
  64: { width: 64, fraction: 52 },
}

/** The bits of a floating-point number of this width: zeros, denormals, near ties, near overflow, NaNs of both kinds. */
export function floatBits(random: Random, width: 16 | 32 | 64): bigint {
  const { fraction } = SHAPE[width]
  const top = width - 1 - fraction
  const exponents = (1 << top) - 1
  const bias = exponents >> 1
  const ones = (1n << BigInt(fraction)) - 1n
  const exponent = random.pick([
    () => 0,
    () => 1,
    () => exponents,
    () => exponents - 1 - random.below(3),
    () => bias,
    () => bias + random.below(5) - 2,
    () => bias + random.below(80) - 40,
    () => random.below(exponents + 1),
    () => random.below(exponents + 1),
    () => bias + 15 + random.below(50),
    () => (bias >> 1) + random.below(8) - 4,
  ])()
  const sparse = (): bigint =>
    (1n << BigInt(random.below(fraction))) | (random.below(2) === 0 ? 1n << BigInt(random.below(fraction)) : 0n)
  const mantissa = random.pick([
    () => 0n,
    () => 0n,
    () => 1n,
    () => ones,
    () => ones - 1n,
    () => 1n << BigInt(fraction - 1),
    sparse,
    () => ones ^ sparse(),
    () => random.u64() & ones,
    () => random.u64() & ones,
    () => random.u64() & ones,
  ])()
  const clamped = BigInt(Math.min(Math.max(exponent, 0), exponents))
  return (BigInt(random.below(2)) << BigInt(width - 1)) | (clamped << BigInt(fraction)) | mantissa
}

/** Numbers of sizes that meet: sums that cancel, ties, small integers. */
export function meetingFloatBits(random: Random, width: 16 | 32 | 64): bigint {
  const { fraction } = SHAPE[width]
  const bias = 2 ** (width - 2 - fraction) - 1
  const kept = random.pick([2, 5, fraction >> 1, fraction - 1, fraction])
  const dropped = BigInt(fraction - kept)
  const mantissa = ((random.u64() & ((1n << BigInt(fraction)) - 1n)) >> dropped) << dropped
  const exponent = BigInt(bias + random.below(6) - 3)
  return (BigInt(random.below(2)) << BigInt(width - 1)) | (exponent << BigInt(fraction)) | mantissa
}

/** An integer of this many bits, often near a limit. */
export function integerBits(random: Random, width: number): bigint {
  const mask = (1n << BigInt(width)) - 1n
  const value = random.pick([
    () => BigInt(random.below(16)) - 8n,
    () => (1n << BigInt(width - 1)) + BigInt(random.below(5)) - 2n,
    () => 1n << BigInt(random.below(width)),
    () => (1n << BigInt(random.below(width))) - 1n,
    () => random.u64() >> BigInt(random.below(64)),
    () => random.u64() | (random.u64() << 64n),
    () => random.u64() | (random.u64() << 64n),
  ])()
  return value & mask
}

/** 128 bits, of lanes that are interesting integers or floating-point numbers of one width. */
export function vectorBits(random: Random): bigint {
  const kind = random.below(8)
  if (kind === 0) return random.u64() | (random.u64() << 64n)
  const [width, lane]: readonly [number, () => bigint] = random.pick([
    [8, () => integerBits(random, 8)],
    [16, () => integerBits(random, 16)],
    [32, () => integerBits(random, 32)],
    [64, () => integerBits(random, 64)],
    [16, () => floatBits(random, 16)],
    [32, () => floatBits(random, 32)],
    [64, () => floatBits(random, 64)],
  ])
  let bits = 0n
  for (let i = 0; i < 128; i += width) bits |= lane() << BigInt(i)
  return bits
}

/** FPCR with random rounding, flushing, NaN and half precision modes. */
export const fpcrBits = (random: Random, withHalf = false): number =>
  random.below(3) === 0 ? 0 : (random.below(32) << 22) | (withHalf ? random.below(2) << 19 : 0)
