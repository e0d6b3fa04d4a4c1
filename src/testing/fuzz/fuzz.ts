/** Compares what QEMU and our CPU make of the same random blocks, and narrows a difference down to an instruction. */
import { createDecoder } from '../../pure/arch/a64/decoder.ts'
import { disassemble } from '../../pure/arch/a64/disassembler.ts'
import type { Row } from '../../pure/arch/a64/row.ts'
import { classes, rowsWith } from '../../pure/arch/a64/rows/index.ts'
import type { ClassName } from '../../pure/arch/a64/rows/index.ts'
import { CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import { Random } from '../oracle/operands.ts'
import { addressOfBlock, dataOf, differences, firstDifference, makeBatch, stateOf, vectorOf } from './batch.ts'
import type { Batch } from './batch.ts'
import type { Driver } from './driver.ts'
import { knownDifference } from './known.ts'
import { record } from './layout.ts'
import { ProgramMaker } from './program.ts'
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
const BLOCKS = 128
const CASES = 1024

function copyState(from: DataView, to: DataView): void {
  for (let i = 0; i < record.SIZE; i += 4) to.setUint32(i, from.getUint32(i, true), true)
}

export class Fuzzer {
  /** Instructions compared, with each tier. */
  instructions = 0
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

  get hit(): { readonly rows: number; readonly of: number; readonly without: readonly string[] } {
    const all = this.programs.drawable
    const without = all.filter((row) => !this.programs.drawn.has(row)).map((row) => row.name)
    return { rows: all.length - without.length, of: all.length, without }
  }

  get done(): boolean {
    return this.mismatches.length >= this.options.give
  }

  /** One batch, on QEMU and on every tier. */
  step(): void {
    const batch = this.newBatch()
    const want = runOnQemu(this.driver.program, batch)
    if ('failed' in want) return this.findUndefined(batch, want.failed)
    for (const cpu of this.cpus) {
      const got = cpu.run(batch)
      this.instructions += batch.cases.length * LENGTH
      if ('failed' in got) this.explain(cpu, batch, 0, got.failed)
      else {
        const first = firstDifference(batch, want.bytes, got.bytes)
        if (first !== undefined) this.findAll(cpu, batch, want.bytes, got.bytes)
      }
    }
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

  /** Each case that differs and has no cause before it. */
  private findAll(cpu: OurCpu, batch: Batch, want: Uint8Array, got: Uint8Array): void {
    let found = false
    for (let index = 0; index < batch.cases.length && !this.done; index++) {
      if (differences(stateOf(want, index), stateOf(got, index)).length === 0) continue
      found = this.explain(cpu, batch, index, undefined) || found
    }
    // A difference that no state shows, or that none shows alone: in memory only.
    if (found) return
    for (let index = 0; index < batch.cases.length && !this.done; index++)
      if (this.explain(cpu, batch, index, undefined)) return
    this.note({ tier: cpu.tier, row: 'batch', text: '', word: 0, what: ['differs as a whole only'], from: '' })
  }

  /** Finds an instruction of a case's block before which all is the same and after which it is not; true when there is one. */
  private explain(cpu: OurCpu, batch: Batch, index: number, failed: string | undefined): boolean {
    const words = batch.blocks[batch.cases[index] ?? 0] ?? []
    const start = stateOf(batch.bytes, index)
    const after = (length: number): { piece: Batch; want: Run; got: Run; same: boolean } => {
      const piece = makeBatch([words.slice(0, length)], [0], dataOf(batch.bytes), (view) => copyState(start, view))
      const want = runOnQemu(this.driver.program, piece)
      const got = cpu.run(piece)
      const ended = !('failed' in want) && !('failed' in got)
      return { piece, want, got, same: ended && firstDifference(piece, want.bytes, got.bytes) === undefined }
    }
    let differs = after(words.length)
    if (differs.same) {
      if (failed !== undefined)
        return this.note({ tier: cpu.tier, row: 'batch', text: '', word: 0, what: [failed], from: '' })
      return false
    }
    let [low, high, before] = [0, words.length, start]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      const run = after(middle)
      if (run.same && 'bytes' in run.want) [low, before] = [middle, stateOf(run.want.bytes, 0)]
      else [high, differs] = [middle, run]
    }
    const { piece, want, got } = differs
    const word = words[low] ?? 0
    const row = this.decoder.decode(word)
    const text = disassemble(word, addressOfBlock(0) + 4 * low)
    const found = { tier: cpu.tier, row: row?.name ?? 'none', text, word, from: this.inputs(row, word, before) }
    if ('failed' in want) return this.note({ ...found, what: [want.failed] })
    if ('failed' in got) return this.note({ ...found, what: [got.failed] })
    const states = { want: stateOf(want.bytes, 0), got: stateOf(got.bytes, 0) }
    const known = row === undefined ? undefined : knownDifference({ row, word, before, ...states })
    if (known === undefined) {
      const list = differences(states.want, states.got)
      const memory = `memory differs: ${JSON.stringify(firstDifference(piece, want.bytes, got.bytes))}`
      return this.note({ ...found, what: list.length > 0 ? list : [memory] })
    }
    this.known.set(known, (this.known.get(known) ?? 0) + 1)
    return true
  }

  private note(mismatch: Mismatch): true {
    this.mismatches.push(mismatch)
    return true
  }

  /** Blocks that QEMU does not run to their end. */
  private findUndefined(batch: Batch, failed: string): void {
    let found = 0
    batch.blocks.forEach((words, block) => {
      const index = batch.cases.indexOf(block)
      if (found > 0 || index < 0) return
      const alone = makeBatch([words], [0], dataOf(batch.bytes), (view) => copyState(stateOf(batch.bytes, index), view))
      if (!('failed' in runOnQemu(this.driver.program, alone))) return
      found++
      const [cpu] = this.cpus
      if (cpu !== undefined) this.explain(cpu, batch, index, failed)
    })
    if (found === 0) this.note({ tier: 'interpreter', row: 'batch', text: '', word: 0, what: [failed], from: '' })
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
