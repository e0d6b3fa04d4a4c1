/**
 * Runs pages of random words in both tiers, and compares what they leave after each entry: registers, PSTATE, time; and all of
 * RAM at the end of a page. A page is entered at many places in turn, since code of this kind does not get far; every
 * exception goes on behind the word that took it. The translator has a region at each of these places. Words that no row
 * decodes are looked up by the instruction cache, which makes one and the same record of each.
 */
import { special } from '../../engine/cpu/interpreter/handler.ts'
import { interpreterOf } from '../../engine/cpu/interpreter/interpreters.ts'
import { bank, record } from '../../engine/cpu/layout.ts'
import { slots } from '../../engine/cpu/slots.ts'
import type { Thresholds } from '../../engine/cpu/translator/translator.ts'
import { assemble } from '../../pure/arch/a64/assembler/assemble.ts'
import type { Decoder } from '../../pure/arch/a64/decoder.ts'
import { CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import type { CpuModelId } from '../../pure/arch/cpu/models.ts'
import { BareCore, RAM } from '../bare-core.ts'
import { mapFlat } from '../flat-mapping.ts'
import { makeWordProgram } from './word-program.ts'
import type { WordProgram } from './word-program.ts'

const WORDS = record.PER_PAGE
/** Little, since all of it is compared. */
const RAM_SIZE = 2 ** 20
const VECTORS = RAM + 0x10000
const CODE = RAM + 0x20000
/** Where words stand to be looked up only. */
const LOOKED_UP = RAM + 0x30000
/** What most registers point to. */
const DATA = RAM + RAM_SIZE / 2
/** Instructions from each entry: the handler's eleven for each word of a block, and some turns of a loop. */
const BUDGET = 400
/** Whatever is looked at or wanted is compiled, the whole page in one module. Others make other regions of it. */
const THRESHOLDS: Thresholds = { hot: 1, called: 1, batch: Infinity, patience: 0, modules: 1000 }
/** Places of a page where the translator looks, as it does where the interpreter is: it looks for loops and functions there. */
const SAMPLES = 16

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

/** One of the two machines that are compared. */
class Tier {
  readonly machine: BareCore
  private readonly ram: Uint8Array
  private readonly bank: Uint8Array
  /** Registers to start with. */
  private readonly initial = new Uint8Array(bank.SIZE)

  constructor(model: CpuModelId, translate: false | Thresholds) {
    this.machine = new BareCore(model, translate, RAM_SIZE)
    const { memory, plan } = this.machine.core
    this.ram = new Uint8Array(memory.buffer, plan.ram, RAM_SIZE)
    this.bank = new Uint8Array(memory.buffer, bank.START, bank.SIZE)
  }

  prepare({ words, x, v }: WordProgram): void {
    const { machine } = this
    const { core, cpu } = machine
    this.ram.fill(0)
    machine.words(CODE, WORDS).set(words)
    const vectors = machine.words(VECTORS, 16 * 32)
    for (let vector = 0; vector < 16; vector++) vectors.set(handlerWords, vector * 32)
    core.code.reset()
    core.powerOn(cpu, 0n, 0n)
    core.banks.with(cpu, () => {
      const { registers: r } = core
      x.forEach((value, n) => r.setX(n, value))
      v.forEach((value, half) => r.setAt(bank.V + 8 * half, value))
      r.setAt(slots.VBAR_EL1, BigInt(VECTORS))
      r.setAt(slots.CPACR_EL1, 3n << 20n)
      this.initial.set(this.bank)
    })
  }

  /** Has regions made that begin at these words of the page, and some where the translator would begin by itself. */
  translate(roots: readonly number[], { hot, called, patience }: Thresholds): void {
    const { code, translator } = this.machine.core
    if (translator === undefined) return
    const page = code.page(CODE - RAM)
    // Calls are thought about at powers of two.
    for (let n = 0; n < 2 * called; n++) for (const root of roots) translator.wanted(page + root * record.SIZE)
    for (let n = 0; n < hot; n++)
      for (let word = 0; word < WORDS; word += WORDS / SAMPLES) translator.sample(page + word * record.SIZE)
    for (let n = 0; n <= patience; n++) translator.sample(page)
  }

  /** Runs the page from one of its words on. */
  enter(word: number, mapped: boolean): void {
    const { core, cpu } = this.machine
    core.powerOn(cpu, 0n, 0n)
    cpu.instructions = 0
    this.bank.set(this.initial)
    core.registers.u64[bank.PC >>> 3] = BigInt(CODE + 4 * word)
    if (mapped) mapFlat(core, cpu, RAM)
    for (let left = BUDGET; left > 0;) {
      const { executed, end } = core.run(cpu, left)
      if (end === 'off') break
      // An event at once for what waits for one.
      cpu.waiting = false
      left -= Math.max(executed, 1)
    }
  }

  /** What the CPU has come to, in bytes to compare. */
  state(): Uint8Array {
    const { core, cpu } = this.machine
    const { el, spsel, pan, uao, dit, ssbs, il, ss, instructions } = cpu
    const shown = this.bank.slice()
    // Flags are kept in more ways than one, and nothing is behind the stack pointer.
    shown.fill(0, bank.X + 8 * 32 - bank.START, bank.PC - bank.START)
    shown.fill(0, bank.FLAG_N - bank.START, bank.FPCR - bank.START)
    const pstate = [core.registers.nzcv, el, spsel, core.registers.daif, pan, uao, dit, ssbs, Number(il), ss]
    shown.set([...pstate, instructions & 0xff, instructions >>> 8], bank.FLAG_N - bank.START)
    return shown
  }

  /** The same with names. */
  told(): string {
    const { core, cpu } = this.machine
    const { regime: _, ...pstate } = cpu
    const rest = core.registers.u64.subarray(bank.FPCR >>> 3, (bank.START + bank.SIZE) >>> 3)
    const x = Array.from({ length: 32 }, (_value, n) => core.registers.x(n).toString(16))
    const json = JSON.stringify(pstate, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
    return `PC ${core.banks.pcOf(cpu).toString(16)} NZCV ${core.registers.nzcv} X ${x.join(' ')} V ${rest.join(' ')} ${json}`
  }

  /** The first byte of RAM that is another one in another machine. */
  differsInRam({ ram }: Tier): number | undefined {
    if (Buffer.compare(this.ram, ram) === 0) return undefined
    return RAM + this.ram.findIndex((byte, at) => byte !== ram[at])
  }

  /** The first of the page's words from one on that has not been decoded, and so not been executed; their number: none. */
  firstNew(word: number): number {
    const { core } = this.machine
    const records = new DataView(core.memory.buffer, core.code.page(CODE - RAM))
    while (word < WORDS && records.getUint16(word * record.SIZE + record.OPCODE, true) !== special.DECODE) word++
    return word
  }

  /** Looks up at most a page of words; answers with those that are an instruction all the same. */
  instructionsIn(words: readonly number[]): number[] {
    const { code } = this.machine.core
    this.machine.words(LOOKED_UP, WORDS).fill(0)
    this.machine.words(LOOKED_UP, WORDS).set(words)
    code.invalidate(LOOKED_UP - RAM, 4 * WORDS)
    const page = code.page(LOOKED_UP - RAM)
    return words.filter((_, i) => code.decodedOpcode(page + i * record.SIZE) !== special.UNDEFINED)
  }
}

/** A word that the page was entered at, and what the CPU came to from there. */
interface Entry {
  readonly word: number
  readonly state: Uint8Array
}

export interface WordFuzzerOptions {
  readonly thresholds?: Thresholds
  /** The translator runs the pages of the seeds that are a multiple of this. */
  readonly compareEvery?: number
}

export class WordFuzzer {
  /** What was done so far. */
  readonly count = {
    /** Random words. */
    drawn: 0,
    /** Of those, words that are no instruction and were looked up only. */
    lookedUp: 0,
    /** Words that were executed, some of them drawn by their rows; of those, in both tiers. */
    executed: 0,
    compared: 0,
    entries: 0,
  }
  private readonly thresholds: Thresholds
  private readonly compareEvery: number
  private readonly decoder: Decoder
  private readonly interpreter: Tier
  private readonly translator: Tier

  constructor(model: CpuModelId, { thresholds = THRESHOLDS, compareEvery = 1 }: WordFuzzerOptions = {}) {
    this.thresholds = thresholds
    this.compareEvery = compareEvery
    this.decoder = interpreterOf(CPU_MODELS[model], false).decoder
    this.interpreter = new Tier(model, false)
    this.translator = new Tier(model, thresholds)
  }

  /** Instructions that have been translated. */
  get translated(): number {
    return this.translator.machine.core.translator?.statistics.instructions ?? 0
  }

  get exceptions(): number {
    return this.interpreter.machine.core.statistics.exceptions
  }

  /** Runs the program of this seed; answers with what is wrong, if anything is. */
  step(seed: number): string | undefined {
    const { interpreter, count } = this
    const program = makeWordProgram(seed, this.decoder, DATA)
    const { drawn, rejected, mapped } = program
    count.drawn += drawn
    count.lookedUp += rejected.length
    for (let from = 0; from < rejected.length; from += WORDS) {
      const [word] = interpreter.instructionsIn(rejected.slice(from, from + WORDS))
      if (word !== undefined) return `seed ${seed}: 0x${word.toString(16)} is an instruction to the instruction cache`
    }
    const entries: Entry[] = []
    interpreter.prepare(program)
    for (let word = 0; word < WORDS; word = interpreter.firstNew(word + 1)) {
      interpreter.enter(word, mapped)
      entries.push({ word, state: interpreter.state() })
    }
    count.executed += WORDS
    count.entries += entries.length
    const how = seed % this.compareEvery === 0 ? this.compare(program, entries) : undefined
    return how && `seed ${seed}: ${how}`
  }

  /** Runs a program that was interpreted in the other tier; answers with how that differs, if it does. */
  private compare(program: WordProgram, entries: readonly Entry[]): string | undefined {
    const { interpreter, translator, count } = this
    const { mapped } = program
    translator.prepare(program)
    translator.translate(
      entries.map(({ word }) => word),
      this.thresholds,
    )
    for (const { word, state } of entries) {
      translator.enter(word, mapped)
      if (Buffer.compare(state, translator.state()) === 0) continue
      interpreter.prepare(program)
      for (const earlier of entries) if (earlier.word <= word) interpreter.enter(earlier.word, mapped)
      return `entered at word ${word}\n  ${interpreter.told()}\n  ${translator.told()}`
    }
    count.compared += WORDS
    const at = interpreter.differsInRam(translator)
    return at === undefined ? undefined : `RAM differs at 0x${at.toString(16)}`
  }
}
