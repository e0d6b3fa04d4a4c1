/** Instructions against QEMU: live where it is installed, and as it was recorded. `npm run fuzz` does the same for longer. */
import { spawnSync } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { fusesMultiplyAdd } from '../../engine/wasm/host.ts'
import { Random, fpcrBits } from '../oracle/operands.ts'
import { missingTools } from '../oracle/run-instruction.ts'
import { differences, firstDifference, makeBatch, stateOf, vectorOf } from './batch.ts'
import type { Batch } from './batch.ts'
import { buildDriver } from './driver.ts'
import { Fuzzer } from './fuzz.ts'
import { DATA, MAX_LENGTH, purpose, record } from './layout.ts'
import { digests, readRecorded } from './recorded.ts'
import { OurCpu, runOnQemu } from './runners.ts'
import type { Run, Tier } from './runners.ts'
import { StateMaker } from './states.ts'

const TIERS: readonly Tier[] = ['interpreter', 'translator']
const BATCHES = 12

const bytesOf = (run: Run): Uint8Array => {
  if ('failed' in run) throw new Error(run.failed)
  return run.bytes
}

describe.skipIf(missingTools().length > 0)('instructions, beside QEMU', () => {
  const driver = buildDriver()
  afterAll(() => driver.dispose())
  const cpus = TIERS.map((tier) => new OurCpu(driver.image, tier))

  it('do what QEMU says they do, whatever the row, in both tiers', { timeout: 120_000 }, () => {
    const fuzzer = new Fuzzer(driver, { seed: 2026, tiers: TIERS, class: undefined, give: 5 })
    for (let i = 0; i < BATCHES && !fuzzer.done; i++) fuzzer.step()
    expect(fuzzer.mismatches).toEqual([])
    expect(fuzzer.coverage.flatMap(({ without }) => without)).toEqual([])
  })

  // Node 20 has the operation behind a switch, so that the tests above see the other way.
  it.each(['float', 'simd-float'])(
    "do so with the host's own fused multiply-add, if its processor has one: %s",
    { timeout: 120_000 },
    (name) => {
      const host = fusesMultiplyAdd() ? [] : ['--experimental-wasm-relaxed-simd']
      const fuzz = ['--import', 'tsx', 'scripts/fuzz.ts', '--class', name, '--batches', '6']
      const { stdout } = spawnSync(process.execPath, [...host, ...fuzz], { encoding: 'utf8' })
      expect(stdout).toMatch(/ (\d+)\/\1\n/)
      expect(stdout).toContain('\n0 mismatches')
    },
  )

  /** Runs one block on states that `state` completes, and tells how the two differ. */
  function compare(words: readonly number[], count: number, state: (view: DataView) => void, cpu?: string): string[] {
    const states = new StateMaker(new Random(words.length + count))
    const batch = makeBatch([words], Array<number>(count).fill(0), states.data(), (view) => {
      states.write(view)
      state(view)
    })
    const want = bytesOf(runOnQemu(driver.program, batch, cpu))
    return cpus.flatMap((ours) => {
      const got = bytesOf(ours.run(batch))
      const first = firstDifference(batch, want, got)
      if (first === undefined) return []
      return 'byte' in first
        ? [`byte ${first.byte}`]
        : differences(stateOf(want, first.index), stateOf(got, first.index))
    })
  }

  it('clear the 64 bytes around the address of DC ZVA, as a Cortex-A57 does', () => {
    const DC_ZVA_X28 = 0xd50b743c
    const anywhere = new Random(1)
    const place = (view: DataView): void => {
      view.setBigUint64(record.X + 8 * purpose.BASE, BigInt(DATA.middle + anywhere.below(2048)), true)
      // A Cortex-A57 has no FZ16.
      view.setUint32(record.FPCR, 0, true)
    }
    expect(compare([DC_ZVA_X28], 20, place, 'cortex-a57')).toEqual([])
  })

  /** d0 or v0 = v0 ± v1 * v2; with bit 22 clear, singles. */
  const FUSED = [
    ['fmadd d0, d1, d2, d0', 0x1f420020],
    ['fnmsub d0, d1, d2, d0', 0x1f628020],
    ['fmla v0.2d, v1.2d, v2.2d', 0x4e62cc20],
    ['fmls v0.2d, v1.2d, v2.2d', 0x4ee2cc20],
  ] as const

  it.each(FUSED)('round %s once', (_text, word) => {
    const random = new Random(5)
    for (const [width, fraction] of [
      [64, 52n],
      [32, 23n],
    ] as const) {
      const bias = (1n << (BigInt(width) - 2n - fraction)) - 1n
      const number = (exponent: bigint, mantissa: bigint): bigint =>
        (BigInt(random.below(2)) << BigInt(width - 1)) | (((bias + exponent) << fraction) + mantissa)
      const differ = compare([width === 64 ? word : word & ~(1 << 22)], 300, (view) => {
        const set = (v: number, bits: bigint): void => {
          for (const half of [0, 8])
            view.setBigUint64(record.V + 16 * v + half, width === 64 ? bits : bits | (bits << 32n), true)
        }
        // (1 + 2^-k)(1 - 2^-k) is a little less than 1: with half of the addend's last bit as its unit, next to a tie.
        const k = BigInt(random.below(Number(fraction) >> 1)) + (fraction >> 1n) + 1n
        const apart = BigInt(random.below(3)) - 1n
        set(1, number(-20n, 1n << (fraction - k)))
        set(2, number(19n - fraction + apart, -(1n << (fraction - k + 1n)) / 2n))
        set(0, number(0n, BigInt(random.below(4))))
        view.setUint32(record.FPCR, 0, true)
        view.setUint32(record.FPSR, 1 << 4, true)
      })
      expect(differ).toEqual([])
    }
  })

  /** What is done to the numbers of half precision, of which there are 65,536; and in how many lanes at a time. */
  const OF_ALL_HALVES = [
    ['frecpe v0.8h, v0.8h', 0x4ef9d800, 8],
    ['frsqrte v0.8h, v0.8h', 0x6ef9d800, 8],
    ['fsqrt v0.8h, v0.8h', 0x6ef9f800, 8],
    ['frintx v0.8h, v0.8h', 0x6e799800, 8],
    ['fcvtas v0.8h, v0.8h', 0x4e79c800, 8],
    ['fcvtzu v0.8h, v0.8h', 0x6ef9b800, 8],
    ['fcvtl v0.4s, v0.4h', 0x0e217800, 4],
  ] as const

  it.each(OF_ALL_HALVES)('do %s to each number there is', { timeout: 120_000 }, (_text, word, lanes) => {
    // Of a block each instruction has a register of its own.
    const words = Array.from({ length: MAX_LENGTH }, (_, r) => (word | (r << 5) | r) >>> 0)
    const control = new Random(word)
    let next = 0
    const differ = compare(words, Math.ceil(65536 / (lanes * MAX_LENGTH)), (view) => {
      view.setUint32(record.FPCR, fpcrBits(control, true), true)
      for (let r = 0; r < MAX_LENGTH; r++)
        for (let lane = 0; lane < lanes; lane++) view.setUint16(record.V + 16 * r + 2 * lane, next++ & 0xffff, true)
    })
    expect(next).toBeGreaterThanOrEqual(65536)
    expect(differ).toEqual([])
  })

  it('would be found if one did something else', () => {
    // ADD X0, X1, X2 on one side, SUB on the other; then a store of X0 and a load over it: only memory tells.
    const [add, sub, store, hide] = [0x8b020020, 0xcb020020, 0xf9000380, 0xd2800000]
    const of = (words: readonly number[]): Batch => {
      const states = new StateMaker(new Random(9))
      return makeBatch([words], [0], states.data(), (view) => states.write(view))
    }
    const want = bytesOf(runOnQemu(driver.program, of([add])))
    const stored = bytesOf(runOnQemu(driver.program, of([add, store, hide])))
    for (const cpu of cpus) {
      expect(firstDifference(of([add]), want, bytesOf(cpu.run(of([add]))))).toBeUndefined()
      expect(firstDifference(of([add]), want, bytesOf(cpu.run(of([sub]))))).toEqual({ index: 0 })
      const found = firstDifference(of([add]), stored, bytesOf(cpu.run(of([sub, store, hide]))))
      expect(found !== undefined && 'byte' in found).toBe(true)
    }
  })
})

describe('instructions, as QEMU was recorded', () => {
  const { image, batches } = readRecorded()

  /** By name as in `known.ts`: the word, FPCR, the source in V1, and what X0, V0, NZCV and FPSR are afterwards. */
  const KNOWN_CASES = [
    ['FJCVTZS of a denormal that is flushed has changed it: Z is clear', 0x1e7e0020, 1 << 24, 1n, 0n, 7n, 0, 0x80],
    ['FCVTZS to 16 bits clears what is above', 0x5f1ffc20, 0, 0xbc00n, 5n, 0xfffen, 9, 0],
  ] as const

  it.each(KNOWN_CASES)(
    'but as the manual says where QEMU is wrong: %s',
    (_name, word, fpcr, v1, x0, v0, nzcv, fpsr) => {
      const batch = makeBatch([[word]], [0], new Uint8Array(), (view) => {
        view.setUint32(record.FPCR, fpcr, true)
        view.setUint32(record.NZCV, (9 << 28) >>> 0, true)
        view.setBigUint64(record.X, 5n, true)
        view.setBigUint64(record.V, 7n, true)
        view.setBigUint64(record.V + 16, v1, true)
      })
      for (const tier of TIERS) {
        const after = stateOf(bytesOf(new OurCpu(image, tier).run(batch)), 0)
        expect(after.getBigUint64(record.X, true)).toBe(x0)
        expect(vectorOf(after, 0)).toBe(v0)
        expect(after.getUint32(record.NZCV, true) >>> 28).toBe(nzcv)
        expect(after.getUint32(record.FPSR, true)).toBe(fpsr)
      }
    },
  )

  it.each(TIERS)('do what they did then, %s', { timeout: 120_000 }, (tier) => {
    const cpu = new OurCpu(image, tier)
    for (const { batch, digests: wanted } of batches) {
      const got = digests(batch, bytesOf(cpu.run(batch)))
      const wrong = batch.cases.flatMap((block, i) => (got[i] === wanted[i] ? [] : [block]))
      const words = batch.blocks[wrong[0] ?? 0]?.map((word) => word.toString(16)).join(' ')
      expect(wrong, `the first such block is ${words}`).toEqual([])
      expect(got.at(-1), 'the memory afterwards').toBe(wanted.at(-1))
    }
    expect(batches.length).toBeGreaterThan(0)
  })
})
