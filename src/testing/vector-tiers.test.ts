/** Random straight-line code in a loop, in the interpreter alone and with hot code translated: the same in every bit. */
import { CPU_MODELS } from '../pure/arch/cpu/models.ts'
import { afterAll, describe, expect, it } from 'vitest'
import { Core } from '../engine/cpu/core.ts'
import { rows } from '../pure/arch/a64/rows/index.ts'
import { system } from '../pure/arch/a64/rows/system.ts'
import { EAGER } from './eager.ts'
import { mapFlat } from './flat-mapping.ts'
import { wordOf } from './instruction-cases.ts'
import { Random, floatBits, meetingFloatBits, vectorBits } from './oracle/operands.ts'
import { missingBinutils, openOracle } from './oracle/run-instruction.ts'

const RAM = 0x40000000
const RAM_SIZE = 0x400000
const INPUTS = 0x100000
const OUTPUTS = 0x200000
const ITERATIONS = 300
const LENGTH = 200
/** More than the translator waits for. */
const SAMPLES = 4096

const usable = rows.filter((row) => !row.flow && !system.includes(row) && !/LD|ST|PRF|SWP|CAS/.test(row.name))

const list = (count: number, text: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => text(2 * i))

/** Inputs are read and results written, all registers of a test and the flags, around the random code. */
const before = (fpcr: number): string[] => [
  'mov x0, #0x300000',
  'msr cpacr_el1, x0',
  'isb',
  `mov x0, #${fpcr}`,
  'msr fpcr, x0',
  `mov x20, #${RAM + INPUTS}`,
  'mov x22, #0x40000000',
  `add x22, x22, #${OUTPUTS}`,
  `mov x21, #${ITERATIONS}`,
  ...list(4, (i) => `ldp q${i}, q${i + 1}, [x20, #${16 * i}]`),
  ...list(4, (i) => `ldp x${i}, x${i + 1}, [x20, #${128 + 8 * i}]`),
  'add x20, x20, #192',
]
const LOOP = 9
const after = [
  ...list(4, (i) => `stp q${i}, q${i + 1}, [x22, #${16 * i}]`),
  ...list(4, (i) => `stp x${i}, x${i + 1}, [x22, #${128 + 8 * i}]`),
  'mrs x8, nzcv',
  'mrs x9, fpsr',
  'stp x8, x9, [x22, #192]',
  'add x22, x22, #208',
  'sub x21, x21, #1',
]

function inputs(random: Random): BigUint64Array {
  const halves = new BigUint64Array((ITERATIONS * 192) / 8)
  for (let i = 0; i < halves.length; i += 2) {
    const double = (): bigint => meetingFloatBits(random, 64)
    const single = (): bigint => floatBits(random, 32) | (meetingFloatBits(random, 32) << 32n)
    const bits = random.pick([
      () => vectorBits(random),
      () => double() | (double() << 64n),
      () => single() | (single() << 64n),
    ])()
    halves[i] = BigInt.asUintN(64, bits)
    halves[i + 1] = bits >> 64n
  }
  return halves
}

function run(
  translate: boolean,
  words: readonly number[],
  data: BigUint64Array,
): { core: Core; ram: Uint8Array; executed: number } {
  const core = new Core({
    model: CPU_MODELS.max,
    ramBase: RAM,
    ramSize: RAM_SIZE,
    translate: translate && EAGER,
    mmioHas: () => false,
    mmioRead: () => undefined,
    mmioWrite: () => false,
    hypercall: () => undefined,
  })
  const cpu = core.addCpu()
  new Uint32Array(core.memory.buffer, core.plan.ram, words.length).set(words)
  new BigUint64Array(core.memory.buffer, core.plan.ram + INPUTS, data.length).set(data)
  core.powerOn(cpu, BigInt(RAM), 0n)
  mapFlat(core, cpu, RAM)
  let executed = core.run(cpu, 10_007).executed
  // Where the interpreter is now is hot enough.
  for (let i = 0; i < SAMPLES; i++) core.translator?.sample(core.registers.record)
  for (let off = false; !off;) {
    const slice = core.run(cpu, 10_007)
    executed += slice.executed
    off = slice.end === 'off'
  }
  return { core, ram: new Uint8Array(core.memory.buffer, core.plan.ram, RAM_SIZE), executed }
}

describe.skipIf(missingBinutils().length > 0)('both tiers, with vectors and floating point', () => {
  const oracle = openOracle()
  afterAll(() => oracle.dispose())

  it.each([
    [1, 0],
    [2, 0],
    [4, 1 << 22],
    [5, 1 << 24],
  ])('leave the same memory behind, program %i, FPCR %i', { timeout: 120_000 }, (seed, fpcr) => {
    const random = new Random(seed)
    const body = Array.from({ length: LENGTH }, () => wordOf(random.pick(usable), random) ?? 0xd503201f)
    const head = oracle.assemble(before(fpcr))
    const tail = oracle.assemble(after)
    const length = head.length + body.length + tail.length
    // CBNZ X21 back to the loop; HVC, which nobody answers: the CPU goes off.
    const back = (0xb5000000 | (((LOOP - length) & 0x7ffff) << 5) | 21) >>> 0
    const words = [...head, ...body, ...tail, back, 0xd4000002]
    const data = inputs(random)
    const slow = run(false, words, data)
    const fast = run(true, words, data)
    expect(slow.executed).toBe(LOOP + ITERATIONS * (length + 1 - LOOP) + 1)
    expect(fast.executed).toBe(slow.executed)
    const different = slow.ram.findIndex((byte, i) => byte !== fast.ram[i])
    expect(different).toBe(-1)
    expect(fast.core.translator?.statistics.instructions).toBeGreaterThan(0)
  })
})
