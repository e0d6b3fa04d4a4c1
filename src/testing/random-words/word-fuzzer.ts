/**
 * Runs pages of random words in both tiers, and compares what they leave: registers, and all of RAM. A page is entered at many
 * places in turn, since code of this kind does not get far; every exception goes on behind the word that took it.
 */
import { special } from '../../engine/cpu/interpreter/handler.ts'
import { bank, record } from '../../engine/cpu/layout.ts'
import { slots } from '../../engine/cpu/slots.ts'
import type { Thresholds } from '../../engine/cpu/translator/translator.ts'
import { assemble } from '../../pure/arch/a64/assembler/assemble.ts'
import type { CpuModelId } from '../../pure/arch/cpu/models.ts'
import { BareCore, RAM, RAM_SIZE } from '../bare-core.ts'
import { mapFlat } from '../flat-mapping.ts'
import { integerBits, Random } from '../oracle/operands.ts'
import { randomWord } from './words.ts'

const WORDS = record.PER_PAGE
const VECTORS = RAM + 0x10000
const CODE = RAM + 0x20000
/** What most registers point to. */
const DATA = RAM + RAM_SIZE / 2
/** Words between two places where the page is entered. */
const STRIDE = 16
/** Instructions from each of them: the handler's eleven for each word, and some turns of a loop. */
const BUDGET = 24 * STRIDE
/** Whatever is looked at is compiled, the whole page in one module. Others make other regions of it. */
const THRESHOLDS: Thresholds = { hot: 1, called: 1, batch: WORDS, patience: WORDS, modules: 1000 }

/** HVC ends the run: for lack of a word to go on with, the PC being astray. */
const HANDLER = `
  mrs x29, elr_el1
  add x29, x29, #4
  ldr x28, =${CODE}
  sub x27, x29, x28
  cmp x27, #${4 * WORDS}
  b.hs 1f
  msr elr_el1, x29
  mov x29, #0x3c5
  msr spsr_el1, x29
  eret
1: hvc #0
  .ltorg`

const assembled = assemble(HANDLER, VECTORS)
if (!assembled.ok) throw new Error(assembled.errors[0]?.what)
const handlerWords = new Uint32Array(assembled.bytes.slice().buffer)

interface Program {
  readonly words: Uint32Array
  /** With translation most accesses reach RAM; without, they have to be aligned, as to a device. */
  readonly mapped: boolean
  readonly x: readonly bigint[]
  /** Halves of V0 to V31. */
  readonly v: readonly bigint[]
}

function makeProgram(random: Random): Program {
  const address = (): bigint => BigInt(DATA + 16 * random.below(4096))
  return {
    words: Uint32Array.from({ length: WORDS }, () => randomWord(random)),
    mapped: random.below(2) === 0,
    x: Array.from({ length: 31 }, () => (random.below(3) > 0 ? address() : integerBits(random, 64))),
    v: Array.from({ length: 64 }, () => random.u64()),
  }
}

/** The registers that a CPU shows, those of the system included. */
const shown = ({ core, cpu }: BareCore): string => {
  const from = bank.FPCR >>> 3
  const rest = core.registers.u64.subarray(from, (bank.START + bank.SIZE) >>> 3)
  const x = Array.from({ length: 31 }, (_, n) => core.registers.x(n).toString(16))
  return `PC ${core.banks.pcOf(cpu).toString(16)} NZCV ${core.registers.nzcv} X ${x.join(' ')} V ${rest.join(' ')}`
}

export class WordFuzzer {
  /** Words that the interpreter has come to. */
  words = 0
  exceptions = 0
  private readonly model: CpuModelId
  private readonly thresholds: Thresholds
  private tiers: readonly [BareCore, BareCore]

  constructor(model: CpuModelId, thresholds = THRESHOLDS) {
    this.model = model
    this.thresholds = thresholds
    this.tiers = this.newTiers()
  }

  /** Instructions that have been translated. */
  get translated(): number {
    return this.tiers[1].core.translator?.statistics.instructions ?? 0
  }

  private newTiers(): readonly [BareCore, BareCore] {
    return [new BareCore(this.model), new BareCore(this.model, this.thresholds)]
  }

  /** Runs the program of this seed; answers with how the tiers differ, if they do. */
  step(seed: number): string | undefined {
    const program = makeProgram(new Random(seed))
    const [interpreter, translator] = this.tiers
    for (const tier of this.tiers) this.prepare(tier, program)
    for (let entry = 0; entry < WORDS; entry += STRIDE) {
      const [want, got] = [this.enter(interpreter, program, entry), this.enter(translator, program, entry)]
      if (want !== got) return `seed ${seed}, entered at word ${entry}:\n  ${want}\n  ${got}`
    }
    this.count(interpreter)
    const [one, other] = this.tiers.map((tier) => this.ramOf(tier))
    if (one !== undefined && other !== undefined && Buffer.compare(one, other) !== 0) return `seed ${seed}: RAM differs`
    return undefined
  }

  private ramOf({ core }: BareCore): Uint8Array {
    return new Uint8Array(core.memory.buffer, core.plan.ram, core.plan.ramSize)
  }

  private prepare(tier: BareCore, { words }: Program): void {
    this.ramOf(tier).fill(0)
    tier.words(CODE, WORDS).set(words)
    const vectors = tier.words(VECTORS, 16 * 32)
    for (let vector = 0; vector < 16; vector++) vectors.set(handlerWords, vector * 32)
    tier.core.code.reset()
    this.heat(tier)
  }

  /** Makes the translator take all of the page for hot, and compile it. */
  private heat({ core: { code, translator } }: BareCore): void {
    if (translator === undefined) return
    const page = code.page(CODE - RAM)
    const { hot, patience } = this.thresholds
    for (let i = 0; i < hot; i++)
      for (let word = 0; word < WORDS; word += 4) translator.sample(page + word * record.SIZE)
    for (let i = 0; i < patience; i++) translator.sample(page)
  }

  private enter(tier: BareCore, { mapped, x, v }: Program, word: number): string {
    const { core, cpu } = tier
    core.powerOn(cpu, BigInt(CODE + 4 * word), 0n)
    core.banks.with(cpu, () => {
      const { registers: r } = core
      x.forEach((value, n) => r.setX(n, value))
      v.forEach((value, half) => r.setAt(bank.V + 8 * half, value))
      r.setAt(slots.VBAR_EL1, BigInt(VECTORS))
      r.setAt(slots.CPACR_EL1, 3n << 20n)
    })
    if (mapped) mapFlat(core, cpu, RAM)
    for (let left = BUDGET; left > 0;) {
      const { executed, end } = core.run(cpu, left)
      if (end === 'off') break
      // An event at once for what waits for one.
      cpu.waiting = false
      left -= Math.max(executed, 1)
    }
    return core.banks.with(cpu, () => shown(tier))
  }

  private count({ core }: BareCore): void {
    const page = core.code.page(CODE - RAM)
    const records = new DataView(core.memory.buffer, page)
    for (let i = 0; i < WORDS; i++)
      if (records.getUint16(i * record.SIZE + record.OPCODE, true) !== special.DECODE) this.words++
    this.exceptions = core.statistics.exceptions
  }
}
