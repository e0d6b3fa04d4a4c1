/**
 * Tier 1: finds hot code by looking where the interpreter is every few thousand instructions, compiles
 * regions of it in batches, and puts them in the place of their root's record. Regions belong to physical
 * pages, and ask where they lead from one to another: nothing that changes translations concerns them, only what changes code does.
 */
import type { CodeCache } from '../code-cache.ts'
import type { CompiledCode } from '../compiled-code.ts'
import type { Interpreter } from '../interpreter/interpreter.ts'
import { REGION_TABLE, record, region, scratch } from '../layout.ts'
import { ModuleBuilder } from '../../wasm/module.ts'
import { analyse, findBlocks, frameOf, isLeaf } from './control-flow.ts'
import type { Block, PageCode } from './control-flow.ts'
import { BranchProfile } from './branch-profile.ts'
import { EffectsOf } from './effects.ts'
import { Pages, inPage } from './pages.ts'
import { emitRegion, planRegion } from './region.ts'
import type { Region, Surroundings } from './region.ts'

/** Interpreted instructions between two looks at where the interpreter is. */
export const SAMPLE_INTERVAL = 4096
/** When code is compiled. The choice changes how fast a guest runs, and nothing else. */
export interface Thresholds {
  /**
   * Samples (each of `SAMPLE_INTERVAL` instructions) of a neighbourhood before it is compiled: compiling a region takes
   * about a millisecond, in which the interpreter runs as many instructions as lie between 50 samples. With 128 a boot of
   * Debian is a tenth shorter than with 48.
   */
  readonly hot: number
  /** Calls from regions before a function is compiled. */
  readonly called: number
  /** Regions in a module. */
  readonly batch: number
  /** Samples that a smaller batch waits for more. */
  readonly patience: number
  /** Modules that live at a time: each costs the host some ten kilobytes. */
  readonly modules: number
}
const DEFAULT: Thresholds = { hot: 128, called: 64, batch: 32, patience: 512, modules: 1500 }
const MAX_COUNTED = 1 << 16
/** A neighbourhood: 32 instructions. */
const NEIGHBOURHOOD = 32 * record.SIZE
/** A region of less is not worth its entry. */
const MIN_INSTRUCTIONS = 3
/** WebAssembly's. */
const PAGE_OF_MEMORY = 65_536
/** UDF: regions end before a breakpoint as before a word that is no instruction. */
const NO_INSTRUCTION = 0
/** How far back the start of a function is looked for, in instructions. */
const LOOK_BACK = 256

export interface TranslatorPorts {
  readonly memory: WebAssembly.Memory
  readonly compiled: CompiledCode
  /** Address of the first record of the page that fetches from a virtual address find; `undefined`: not known just now. */
  readonly fetched: (address: bigint) => number | undefined
}

interface Installed extends Region {
  readonly pages: Pages
  readonly number: number
  /** Address of the root's record. */
  readonly root: number
  readonly originalOpcode: number
}

interface Candidate {
  readonly pages: Pages
  readonly root: number
  readonly blocks: readonly Block[]
}

export class Translator {
  readonly statistics = { regions: 0, instructions: 0, modules: 0, bytes: 0, dropped: 0, evictions: 0 }
  private readonly interpreter: Interpreter
  private readonly code: CodeCache
  private readonly ports: TranslatorPorts
  private readonly when: Thresholds
  private readonly view: DataView
  /** Samples by neighbourhood, and how many are enough for it to be thought about. */
  private readonly samples = new Map<number, { count: number; enough: number }>()
  /** How often regions have called functions that have none, by record. */
  private readonly calls = new Map<number, number>()
  private readonly queue = new Map<number, Candidate>()
  private readonly effects = new EffectsOf()
  private readonly profile = new BranchProfile()
  private waited = 0
  /** Set while compiled code may be running, which only a sample may change. */
  private compileSoon = false
  private next = 0
  /** Modules whose regions can be entered. */
  liveModules = 0
  /** Regions by the pages they have instructions of, each by the address of its first record. */
  private readonly pages = new Map<number, Installed[]>()
  /** Roots that were found not to be worth it. */
  private readonly refused = new Set<number>()

  constructor(interpreter: Interpreter, code: CodeCache, ports: TranslatorPorts, when: Thresholds = DEFAULT) {
    this.when = when
    this.interpreter = interpreter
    this.code = code
    this.ports = ports
    this.view = new DataView(ports.memory.buffer)
  }

  /** Tells where the interpreter is. A neighbourhood is thought about when it is hot, and ever more rarely if that leads to nothing. */
  sample(address: number): void {
    if (this.queue.size > 0) {
      this.waited++
      if (this.compileSoon || this.queue.size >= this.when.batch || this.waited >= this.when.patience) this.compile()
    }
    const key = Math.floor(address / NEIGHBOURHOOD)
    const heat = this.samples.get(key) ?? { count: 0, enough: this.when.hot }
    heat.count++
    this.samples.set(key, heat)
    if (heat.count < heat.enough) return
    const page = this.code.pageOf(address)
    // What is interpreted here still, as behind a call from which nothing came back to the region, soon gets its turn.
    heat.enough = this.noteHot(page, (address - page) / record.SIZE)
      ? heat.count + Math.ceil(this.when.hot / 2)
      : heat.count * 2
  }

  /** A region has called the function at this record, and there is no region for it. */
  wanted(address: number): void {
    // A hostile guest could call everything there is.
    if (this.calls.size >= MAX_COUNTED) this.calls.clear()
    const calls = (this.calls.get(address) ?? 0) + 1
    this.calls.set(address, calls)
    if (calls < this.when.called || (calls & (calls - 1)) !== 0) return
    const page = this.code.pageOf(address)
    this.queueRoot(page, (address - page) / record.SIZE, this.addressOf(page))
  }

  /** An indirect branch or call of a region led `offset` bytes away from itself. */
  branched(at: number, offset: number): void {
    const page = this.code.pageOf(at)
    const index = (at - page) / record.SIZE
    const address = this.addressOf(page)
    const code = this.codeAround(this.pagesAround(page, address))
    const isUseful = (target: number): boolean =>
      code.decoder.decode(code.wordAt(index))?.flow !== 'call' || isLeaf(code, target)
    if (!this.profile.note(at, index + (offset >> 2), isUseful)) return
    // The regions that hold the branch are made again, now that it is known where it leads.
    for (const { pages, root } of this.drop(page, index, 1)) {
      const distance = BigInt(pages.distanceTo(page) ?? 0)
      const own = pages.pageOf(0)
      this.queueRoot(own, (root - own) / record.SIZE, address - 4096n * distance)
    }
    this.compileSoon = true
  }

  /** The virtual address of the page that runs just now. */
  private addressOf(page: number): bigint {
    return BigInt.asUintN(64, this.view.getBigInt64(scratch.PC_OFFSET, true) + BigInt(page >>> 2))
  }

  private pagesAround(page: number, address: bigint): Pages {
    const { fetched } = this.ports
    if (fetched(address) !== page) return new Pages(page)
    return new Pages(page, (distance) => fetched(BigInt.asUintN(64, address + 4096n * BigInt(distance))))
  }

  /** Queues the next place that code around an instruction should be entered at; false: there is none. */
  private noteHot(page: number, index: number): boolean {
    if (index >= record.PER_PAGE) return false
    const address = this.addressOf(page)
    return this.candidates(page, index).some((root) => this.queueRoot(page, root, address))
  }

  /** False: it is a root already, or not worth to be one. `virtual`: the address of the page. */
  private queueRoot(page: number, root: number, virtual: bigint): boolean {
    const address = page + root * record.SIZE
    if (this.isRoot(address) || this.refused.has(address)) return false
    // Hot while it still waits for company: hot enough alone.
    if (this.queue.has(address)) {
      this.compileSoon ||= this.queue.size >= this.when.batch / 4 || this.waited >= this.when.patience / 4
      return true
    }
    const pages = this.pagesAround(page, virtual)
    const blocks = findBlocks(this.codeAround(pages), root)
    const size = blocks.reduce((n, b) => n + b.instructions.length, 0)
    if (size < MIN_INSTRUCTIONS) {
      this.refused.add(address)
      return false
    }
    this.queue.set(address, { pages: pages.seal(), root, blocks })
    return true
  }

  private isRoot(address: number): boolean {
    return (this.view.getUint16(address, true) & region.OPCODE) !== 0
  }

  private codeAround(pages: Pages): PageCode {
    return {
      decoder: this.interpreter.decoder,
      has: (index) => pages.has(index),
      wordAt: (index) => {
        const address = pages.recordOf(index)
        return this.code.isBreak(address) ? NO_INSTRUCTION : this.code.wordOf(address)
      },
      isSystem: (row, word) => this.effects.of(row, word).system,
      targetsOf: (index) => this.profile.targets(pages.recordOf(index)).map((target) => index - inPage(index) + target),
    }
  }

  /** Headers of the loops around an instruction, innermost first, then where its function seems to start, then itself. */
  private candidates(page: number, index: number): number[] {
    const code = this.codeAround(new Pages(page))
    const start = this.startOf(code, index)
    const graph = analyse(findBlocks(code, start), start)
    const at = graph.blocks.findIndex(
      (b) => frameOf(b.key) === 0 && index >= b.start && index < b.start + b.instructions.length,
    )
    const found: number[] = []
    for (let b = at; b > 0; b = graph.dominator[b] ?? 0)
      if (graph.loops.has(b)) found.push(graph.blocks[b]?.start ?? start)
    found.push(start)
    const own = graph.blocks[at]?.start
    found.push(own ?? index)
    return found
  }

  /** The instruction after the last one before `index` that control cannot pass. */
  private startOf(code: PageCode, index: number): number {
    for (let i = index - 1; i >= Math.max(0, index - LOOK_BACK); i--) {
      const row = code.decoder.decode(code.wordAt(i))
      if (row === undefined || row.flow === 'jump' || row.flow === 'indirect' || row.name === 'ERET') return i + 1
    }
    return index < LOOK_BACK ? 0 : index
  }

  private compile(): void {
    this.waited = 0
    this.compileSoon = false
    const batch = [...this.queue.values()]
    this.queue.clear()
    if (this.next + batch.length > region.MAX || this.liveModules >= this.when.modules) this.evict()
    const planned = batch.map(({ pages, root, blocks }) => planRegion(pages, blocks, root, this.effects))
    const m = new ModuleBuilder('regions', { memoryPages: this.ports.memory.buffer.byteLength / PAGE_OF_MEMORY })
    const helpers = new Map<string, number>()
    const ports = {
      loadSlow: m.importFunction('loadSlow', ['i32', 'i32', 'i32'], ['i32']),
      storeSlow: m.importFunction('storeSlow', ['i32', 'i32', 'i32'], ['i32']),
      flags: m.importFunction('flags', [], ['i32']),
      enter: m.importFunction('enter', ['i64', 'i32', 'i32', 'i64'], ['i32']),
      regionType: m.type(['i32', 'i32'], ['i32']),
      functions: this.interpreter.functions,
      branched: m.importFunction('branched', ['i32', 'i32'], []),
      helper: (name: string): number => {
        const index = helpers.get(name)
        if (index === undefined) throw new Error(`helper ${name} was not planned for`)
        return index
      },
    }
    for (const { facts } of planned)
      for (const [name, parameters] of facts.helpers)
        if (!helpers.has(name)) helpers.set(name, m.importFunction(name, Array<'i32'>(parameters).fill('i32'), ['i32']))
    m.importTable()
    const surroundings = (pages: Pages): Surroundings => ({
      type: m.type(['i32'], ['i32']),
      // Cache maintenance may change the very code that runs.
      of: (row, word) => (row.name === 'SYS' ? undefined : this.interpreter.functionOf(row, word)),
      wantsTargets: (index) => this.profile.wants(pages.recordOf(index)),
    })
    const functions: number[] = []
    const regions = planned.map((plan) => {
      const f = m.function(['i32', 'i32'], ['i32'])
      functions.push(f.index)
      return emitRegion(f.code, plan, ports, surroundings(plan.pages))
    })
    m.element(this.interpreter.functions + this.next, functions)
    const bytes = m.build()
    this.ports.compiled.add(bytes)
    regions.forEach((r, i) => {
      const candidate = batch[i]
      if (candidate !== undefined) this.install(r, candidate)
    })
    this.liveModules++
    this.statistics.modules++
    this.statistics.bytes += bytes.length
  }

  private install(r: Region, { pages, root, blocks }: Candidate): void {
    const number = this.next++
    // Handlers read the decoded instruction.
    for (const { instructions } of blocks)
      for (const [i, { index, row }] of instructions.entries())
        if (row.long || i === instructions.length - 1) this.code.decodedOpcode(pages.recordOf(index))
    const address = pages.recordOf(root)
    const originalOpcode = this.code.decodedOpcode(address)
    this.view.setUint32(REGION_TABLE + number * region.SIZE, originalOpcode | (r.instructions << 16), true)
    this.view.setUint16(address, region.OPCODE | number, true)
    const installed: Installed = { ...r, pages, number, root: address, originalOpcode }
    for (const page of new Set(r.ranges.map((range) => range.page))) {
      const list = this.pages.get(page)
      if (list === undefined) this.pages.set(page, [installed])
      else list.push(installed)
    }
    this.statistics.regions++
    this.statistics.instructions += r.instructions
  }

  /** Code has changed: drops the regions that hold some of these instructions of a page. */
  invalidate(page: number, first: number, count: number): void {
    for (const [address, { pages }] of this.queue) if (pages.distanceTo(page) !== undefined) this.queue.delete(address)
    this.profile.forget(page + first * record.SIZE, page + (first + count) * record.SIZE)
    this.statistics.dropped += this.drop(page, first, count).length
  }

  /** Takes out the regions that hold some of these instructions of a page. */
  private drop(page: number, first: number, count: number): readonly Installed[] {
    const dropped = (this.pages.get(page) ?? []).filter(({ ranges }) =>
      ranges.some((r) => r.page === page && r.start < first + count && r.start + r.length > first),
    )
    for (const gone of dropped) {
      this.view.setUint16(gone.root, gone.originalOpcode, true)
      for (const { page: other } of gone.ranges) {
        const left = (this.pages.get(other) ?? []).filter((r) => r !== gone)
        if (left.length > 0) this.pages.set(other, left)
        else this.pages.delete(other)
      }
    }
    return dropped
  }

  /** Forgets every region: what is hot still is compiled anew. The host frees their modules when it likes. */
  private evict(): void {
    for (const list of this.pages.values())
      for (const { root, originalOpcode } of list) this.view.setUint16(root, originalOpcode, true)
    this.statistics.evictions++
    this.reset()
  }

  /** Every record is gone, and every region's root with it. */
  reset(): void {
    this.profile.clear()
    if (this.next > 0) this.ports.compiled.renew()
    this.next = 0
    this.liveModules = 0
    this.pages.clear()
    this.queue.clear()
    this.samples.clear()
    this.calls.clear()
    this.refused.clear()
  }
}
