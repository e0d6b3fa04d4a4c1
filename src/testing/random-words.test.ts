/** Random words, as a hostile guest has them: nothing throws, hangs or leaves RAM, and both tiers do the same. */
import { describe, expect, it } from 'vitest'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { createDecoder } from '../pure/arch/a64/decoder.ts'
import { disassemble } from '../pure/arch/a64/disassembler.ts'
import { rows } from '../pure/arch/a64/rows/index.ts'
import { record } from '../engine/cpu/layout.ts'
import { BareCore, RAM } from './bare-core.ts'
import { Random } from './oracle/operands.ts'

const PROGRAMS = 40
const WORDS = 512
const BUDGET = 20_000
const VECTORS = RAM + 0x10000
const CODE = RAM + 0x20000

/** Every exception goes on behind the instruction that took it, or at the start where the PC is astray. */
const HANDLER = `
  mrs x29, elr_el1
  add x29, x29, #4
  ldr x28, =${CODE}
  sub x27, x29, x28
  cmp x27, #${4 * WORDS}
  csel x29, x29, x28, lo
  msr elr_el1, x29
  mov x29, #0x3c5
  msr spsr_el1, x29
  eret
  .ltorg`

const assembled = assemble(HANDLER, VECTORS)
if (!assembled.ok) throw new Error(assembled.errors[0]?.what)
const handlerWords = new Uint32Array(assembled.bytes.slice().buffer)

const rowsDecoder = createDecoder(rows)

/** Half of the words are instructions; the others are anything. */
function randomWord(random: Random): number {
  const word = random.u32()
  if (random.below(2) === 0) return word
  const row = random.pick(rows)
  const made = (row.match | (word & ~row.mask)) >>> 0
  // HVC ends the program here.
  return row.name === 'HVC' ? word : made
}

/** Samples after which a neighbourhood of code is translated. */
const HOT = 112

/** Makes the translator take all of the code for hot. */
function heat({ core }: BareCore): void {
  if (core.translator === undefined) return
  const page = core.code.page(CODE - RAM)
  for (let word = 0; word < WORDS; word += 16)
    for (let i = 0; i < HOT; i++) core.translator.sample(page + word * record.SIZE)
}

function runProgram(machine: BareCore, seed: number): string {
  const random = new Random(seed)
  const { core, cpu } = machine
  new Uint8Array(core.memory.buffer, core.plan.ram, core.plan.ramSize).fill(0)
  machine.load(
    `ldr x0, =${VECTORS}\nmsr vbar_el1, x0\nmov x0, #(3 << 20)\nmsr cpacr_el1, x0\nldr x0, =${CODE}\nbr x0\n.ltorg`,
  )
  machine.words(CODE, WORDS).set(Array.from({ length: WORDS }, () => randomWord(random)))
  const handler = machine.words(VECTORS, 16 * 32)
  for (let vector = 0; vector < 16; vector++) handler.set(handlerWords, vector * 32)
  heat(machine)
  let executed = 0
  for (let i = 0; i < 20 && executed < BUDGET; i++) {
    const slice = core.run(cpu, Math.min(2000, BUDGET - executed))
    executed += slice.executed
    if (slice.end === 'off') break
    cpu.waiting = false
  }
  let hash = 0
  for (const word of new Uint32Array(core.memory.buffer, core.plan.ram, core.plan.ramSize / 4))
    hash = (Math.imul(hash, 31) + word) | 0
  const x = Array.from({ length: 31 }, (_, n) => core.registers.x(n).toString(16)).join(' ')
  return `${executed} executed, PC ${core.pcOf(cpu).toString(16)}, memory ${hash}, ${core.statistics.exceptions > 0}, x ${x}`
}

describe('random words', () => {
  it('are decoded and written without a mistake', () => {
    const random = new Random(31)
    let decoded = 0
    let empty = 0
    for (let i = 0; i < 100_000; i++) {
      const word = randomWord(random)
      const row = rowsDecoder.decode(word)
      if (row !== undefined) {
        row.operandsOf(word)
        decoded++
      }
      if (i % 20 === 0) empty += disassemble(word, 0x1000) === '' ? 1 : 0
    }
    expect(decoded).toBeGreaterThan(30_000)
    expect(empty).toBe(0)
  })

  it.each(['cortex-a57', 'max'] as const)('do the same in both tiers of a %s', { timeout: 120_000 }, (model) => {
    const tiers = [new BareCore(model), new BareCore(model, true)] as const
    for (let seed = 1; seed <= PROGRAMS; seed++)
      expect(runProgram(tiers[1], seed), `program ${seed}`).toBe(runProgram(tiers[0], seed))
    expect(tiers[0].core.statistics.exceptions).toBeGreaterThan(1000)
    expect(tiers[1].core.translator?.statistics.instructions).toBeGreaterThan(500)
  })
})
