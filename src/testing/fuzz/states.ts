/** Random states for blocks to start from, written straight into a batch. */
import { floatBits, fpcrBits, integerBits, meetingFloatBits, vectorBits } from '../oracle/operands.ts'
import type { Random } from '../oracle/operands.ts'
import { DATA, purpose, record } from './layout.ts'

/** Values of which each state takes some: making them costs more than running on them. */
const POOL = 192
/** FPSR: a cumulative bit that is set already lets inexact results take the short way. */
const IXC = 1 << 4
const FPSR = 0x0800_009f

interface Pools {
  /** 128 bits each: halves in turn. */
  readonly vectors: BigUint64Array
  readonly integers: BigUint64Array
}

function lanes(random: Random, width: 16 | 32 | 64): bigint {
  const near = random.below(2) === 0
  let bits = 0n
  for (let i = 0; i < 128; i += width)
    bits |= (near ? meetingFloatBits(random, width) : floatBits(random, width)) << BigInt(i)
  return bits
}

function pools(random: Random): Pools {
  const vectors = new BigUint64Array(2 * POOL)
  for (let i = 0; i < POOL; i++) {
    const width = random.pick([0, 0, 16, 32, 32, 64, 64] as const)
    const bits = width === 0 ? vectorBits(random) : lanes(random, width)
    vectors[2 * i] = BigInt.asUintN(64, bits)
    vectors[2 * i + 1] = bits >> 64n
  }
  return { vectors, integers: BigUint64Array.from({ length: POOL }, () => integerBits(random, 64)) }
}

export class StateMaker {
  private readonly random: Random
  private readonly pools: Pools

  constructor(random: Random) {
    this.random = random
    this.pools = pools(random)
  }

  data(): Uint8Array {
    const words = new BigUint64Array(DATA.size / 8)
    const { random, pools: all } = this
    for (let i = 0; i < words.length; i++)
      words[i] =
        random.below(2) === 0 ? (all.vectors[random.below(2 * POOL)] ?? 0n) : (all.integers[random.below(POOL)] ?? 0n)
    return new Uint8Array(words.buffer)
  }

  write(view: DataView): void {
    const { random, pools: all } = this
    view.setUint32(record.FPCR, random.below(2) === 0 ? fpcrBits(random, true) : 0, true)
    view.setUint32(record.FPSR, random.pick([0, IXC, IXC, random.u32() & FPSR]), true)
    view.setUint32(record.NZCV, (random.below(16) << 28) >>> 0, true)
    for (let x = 0; x < 29; x++) view.setBigUint64(record.X + 8 * x, all.integers[random.below(POOL)] ?? 0n, true)
    view.setBigUint64(record.SP, all.integers[random.below(POOL)] ?? 0n, true)
    view.setBigUint64(record.X + 8 * purpose.BASE, BigInt(DATA.middle + random.below(64)), true)
    view.setBigUint64(record.X + 8 * purpose.INDEX, BigInt(random.below(256)), true)
    view.setBigUint64(record.X + 8 * purpose.ALIGNED, BigInt(DATA.middle + 16 * random.below(16)), true)
    for (let v = 0; v < 32; v++) {
      const from = 2 * random.below(POOL)
      view.setBigUint64(record.V + 16 * v, all.vectors[from] ?? 0n, true)
      view.setBigUint64(record.V + 16 * v + 8, all.vectors[from + 1] ?? 0n, true)
    }
  }
}
