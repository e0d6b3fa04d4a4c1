/** Compares what QEMU and our CPU make of the same random blocks, and narrows a difference down to an instruction. */
import { createDecoder } from '../../pure/arch/a64/decoder.ts'
import { disassemble } from '../../pure/arch/a64/disassembler.ts'
import type { Row } from '../../pure/arch/a64/row.ts'
import { classes, rowsWith } from '../../pure/arch/a64/rows/index.ts'
import type { ClassName } from '../../pure/arch/a64/rows/index.ts'
import { CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import { Random } from '../oracle/operands.ts'
import {
  addressOfBlock,
  copyState,
  dataOf,
  differences,
  firstDifference,
  makeBatch,
  stateOf,
  vectorOf,
} from './batch.ts'
import type { Batch } from './batch.ts'
import type { Driver } from './driver.ts'
import { knownDifference } from './known.ts'
import { MAX_CASES, record } from './layout.ts'
import { ProgramMaker } from './program.ts'
import type { ClassTally } from './program.ts'
import { OurCpu, runOnQemu } from './runners.ts'
import type { Run, Tier } from './runners.ts'
import { StateMaker } from './states.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly tiers: readonly Tier[]
  /** `undefined`: all of them. */
  readonly class: ClassName | undefined
  /** Mismatches after which to stop. */
  readonly give: number
}

export interface Mismatch {
  readonly tier: Tier
  readonly row: string
  readonly text: string
  readonly word: number
  readonly what: readonly string[]
  /** What the instruction started from, as far as it names it. */
  readonly from: string
}

const LENGTH = 12
/** Few, so that each runs on 64 states: to make and translate a block costs as much as to run it so often. */
const BLOCKS = 32
const CASES = MAX_CASES

/** A batch as QEMU and our CPU ran it. */
interface Both {
  readonly batch: Batch
  readonly want: Run
  readonly got: Run
}

/** A block and a state that it runs on. */
interface Case {
  readonly block: number
  readonly start: DataView
}

type Blocks = Batch['blocks']

const piece = (blocks: Blocks, cases: readonly Case[], data: Uint8Array): Batch => {
  const of = cases.map(({ block }) => block)
  return makeBatch(blocks, of, data, (view, i) => {
    const one = cases[i]
    if (one !== undefined) copyState(one.start, view)
  })
}

const same = ({ batch, want, got }: Both): boolean =>
  !('failed' in want) && !('failed' in got) && firstDifference(batch, want.bytes, got.bytes) === undefined

/** Of a run that has been seen to come to its end. */
function bytesOf(run: Run): Uint8Array {
  if ('failed' in run) throw new Error(`once it did not fail: ${run.failed}`)
  return run.bytes
}

/** An n at which something is wrong that is not wrong at n - 1; `undefined`: it is not wrong at `most` either. */
function firstWrong(most: number, isWrong: (n: number) => boolean): number | undefined {
  if (!isWrong(most)) return undefined
  let [right, wrong] = [0, most]
  while (wrong - right > 1) {
    const middle = (right + wrong) >> 1
    if (isWrong(middle)) wrong = middle
    else right = middle
  }
  return wrong
}

/** What has been compared of a class, with each tier. */
export interface Coverage extends Omit<ClassTally, 'drawn'> {
  readonly instructions: number
}

export class Fuzzer {
  /** Of differences that `known.ts` explains, how many of each. */
  readonly known = new Map<string, number>()
  readonly mismatches: Mismatch[] = []
  private readonly driver: Driver
  private readonly options: FuzzOptions
  private readonly random: Random
  private readonly programs: ProgramMaker
  private readonly cpus: readonly OurCpu[]
  private readonly decoder = createDecoder(rowsWith(CPU_MODELS.max.features))

  constructor(driver: Driver, options: FuzzOptions) {
    this.driver = driver
    this.options = options
    this.random = new Random(options.seed)
    const wanted: readonly Row[] = options.class === undefined ? this.decoder.rows : classes[options.class]
    const rows = wanted.filter((row) => this.decoder.rows.includes(row))
    this.programs = new ProgramMaker(rows, this.decoder, this.random)
    this.cpus = options.tiers.map((tier) => new OurCpu(driver.image, tier))
  }

  get coverage(): readonly Coverage[] {
    return this.programs.tallies.map(({ drawn, ...rest }) => ({ ...rest, instructions: drawn * (CASES / BLOCKS) }))
  }

  get done(): boolean {
    return this.mismatches.length >= this.options.give
  }

  /** One batch, on QEMU and on every tier. */
  step(): void {
    const batch = this.newBatch()
    const want = runOnQemu(this.driver.program, batch)
    for (const cpu of this.cpus) if (!same({ batch, want, got: cpu.run(batch) })) this.findAll(cpu, batch)
  }

  private newBatch(): Batch {
    const blocks = Array.from({ length: BLOCKS }, (_, i) => this.programs.block(i, LENGTH))
    const states = new StateMaker(this.random)
    return makeBatch(
      blocks,
      Array.from({ length: CASES }, (_, i) => i % BLOCKS),
      states.data(),
      (view) => states.write(view),
    )
  }

  private both(cpu: OurCpu, batch: Batch): Both {
    return { batch, want: runOnQemu(this.driver.program, batch), got: cpu.run(batch) }
  }

  /** Explains a case of each block that differs. Every case starts from the memory that QEMU has left of those before it. */
  private findAll(cpu: OurCpu, batch: Batch): void {
    let data = dataOf(batch.bytes)
    let rest: readonly Case[] = batch.cases.map((block, index) => ({ block, start: stateOf(batch.bytes, index) }))
    while (!this.done) {
      const [cases, memory] = [rest, data]
      const run = (count: number): Both => this.both(cpu, piece(batch.blocks, cases.slice(0, count), memory))
      const count = firstWrong(cases.length, (n) => !same(run(n)))
      const wrong = cases[(count ?? 0) - 1]
      if (count === undefined || wrong === undefined) return
      const after = this.explain(cpu, batch.blocks, wrong, count === 1 ? memory : dataOf(bytesOf(run(count - 1).want)))
      if (after === undefined) return
      data = dataOf(after)
      rest = cases.slice(count).filter(({ block }) => block !== wrong.block)
    }
  }

  /**
   * Notes the instruction of a case before which all is the same, and after which it is not. Answers with what QEMU makes of
   * the whole case; `undefined`: it does not come to its end.
   */
  private explain(cpu: OurCpu, blocks: Blocks, wrong: Case, data: Uint8Array): Uint8Array | undefined {
    const words = blocks[wrong.block] ?? []
    const run = (length: number): Both => {
      const alone = blocks.map((_, block) => (block === wrong.block ? words.slice(0, length) : []))
      return this.both(cpu, piece(alone, [wrong], data))
    }
    const length = firstWrong(words.length, (n) => !same(run(n)))
    if (length === undefined) this.note({ tier: cpu.tier, what: ['differs among others only'] })
    else {
      const last = { word: words[length - 1] ?? 0, address: addressOfBlock(wrong.block) + 4 * (length - 1) }
      this.tell(cpu.tier, last, run(length - 1), run(length))
    }
    const { want } = run(words.length)
    return 'failed' in want ? undefined : want.bytes
  }

  /** Notes how an instruction differs, by runs that end before and after it. */
  private tell(tier: Tier, last: { word: number; address: number }, before: Both, after: Both): void {
    const { word, address } = last
    const start = stateOf(bytesOf(before.want), 0)
    const row = this.decoder.decode(word)
    const found = {
      tier,
      word,
      row: row?.name ?? 'none',
      text: disassemble(word, address),
      from: this.inputs(row, word, start),
    }
    const { batch, want, got } = after
    if ('failed' in want) return this.note({ ...found, what: [want.failed] })
    if ('failed' in got) return this.note({ ...found, what: [got.failed] })
    const states = { want: stateOf(want.bytes, 0), got: stateOf(got.bytes, 0) }
    const known = row === undefined ? undefined : knownDifference({ row, word, before: start, ...states })
    if (known !== undefined) return void this.known.set(known, (this.known.get(known) ?? 0) + 1)
    const list = differences(states.want, states.got)
    const memory = `memory differs: ${JSON.stringify(firstDifference(batch, want.bytes, got.bytes))}`
    this.note({ ...found, what: list.length > 0 ? list : [memory] })
  }

  private note(mismatch: Pick<Mismatch, 'tier' | 'what'> & Partial<Mismatch>): void {
    this.mismatches.push({ row: 'batch', text: '', word: 0, from: '', ...mismatch })
  }

  private inputs(row: Row | undefined, word: number, state: DataView): string {
    const list = [
      `FPCR 0x${state.getUint32(record.FPCR, true).toString(16)}`,
      `FPSR 0x${state.getUint32(record.FPSR, true).toString(16)}`,
      `NZCV ${state.getUint32(record.NZCV, true) >>> 28}`,
    ]
    for (const operand of Object.values(row?.operandsOf(word) ?? {})) {
      if (operand.kind === 'x' && operand.value < 29)
        list.push(`X${operand.value} 0x${state.getBigUint64(record.X + 8 * operand.value, true).toString(16)}`)
      if (operand.kind === 'v') list.push(`V${operand.value} 0x${vectorOf(state, operand.value).toString(16)}`)
    }
    return list.join(', ')
  }
}
