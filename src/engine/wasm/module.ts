/** Builds a WebAssembly module out of functions, imports and one table. Knows no Arm. */
import { ByteWriter, Code } from './code.ts'
import { valtype } from './opcodes.ts'
import type { ValType } from './opcodes.ts'

const NAME_OF_MODULE = 0
const SECTION = { custom: 0, type: 1, import: 2, function: 3, table: 4, export: 7, element: 9, code: 10 } as const

interface Signature {
  readonly parameters: readonly ValType[]
  readonly results: readonly ValType[]
}

export class ModuleBuilder {
  private readonly types: Signature[] = []
  private readonly typeIndexes = new Map<string, number>()
  private readonly importedFunctions: { name: string; type: number }[] = []
  private readonly functions: { code: Code; type: number }[] = []
  private readonly exports: { name: string; index: number }[] = []
  private importedTable = false
  private readonly elements: { offset: number; functions: readonly number[] }[] = []
  private ownTable = 0
  private readonly name: string
  private readonly hinted: boolean
  private readonly memoryPages: number | undefined

  /**
   * `name`: what profilers call it. `hinted`: whether the host's optimiser is told which branches are cold. `memoryPages`: the
   * size of the memory, where it is known, which then cannot change: the host need not look where it is after each call.
   */
  constructor(name: string, options: { readonly hinted?: boolean; readonly memoryPages?: number } = {}) {
    this.name = name
    this.hinted = options.hinted ?? true
    this.memoryPages = options.memoryPages
  }

  type(parameters: readonly ValType[], results: readonly ValType[]): number {
    const key = `${parameters.join()}>${results.join()}`
    const known = this.typeIndexes.get(key)
    if (known !== undefined) return known
    this.types.push({ parameters, results })
    this.typeIndexes.set(key, this.types.length - 1)
    return this.types.length - 1
  }

  /** An imported function `env.name`; all imports come before the first function. */
  importFunction(name: string, parameters: readonly ValType[], results: readonly ValType[]): number {
    if (this.functions.length > 0) throw new Error('imports come before functions')
    this.importedFunctions.push({ name, type: this.type(parameters, results) })
    return this.importedFunctions.length - 1
  }

  importTable(): void {
    this.importedTable = true
  }

  table(size: number): void {
    this.ownTable = size
  }

  function(parameters: readonly ValType[], results: readonly ValType[]): { code: Code; index: number } {
    const code = new Code(parameters.length)
    this.functions.push({ code, type: this.type(parameters, results) })
    return { code, index: this.importedFunctions.length + this.functions.length - 1 }
  }

  export(name: string, index: number): void {
    this.exports.push({ name, index })
  }

  element(offset: number, functions: readonly number[]): void {
    this.elements.push({ offset, functions })
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter()
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte)
    const section = (id: number, write: (body: ByteWriter) => void): void => {
      const body = new ByteWriter()
      write(body)
      out.byte(id)
      out.unsigned(body.length)
      out.append(body.written())
    }
    section(SECTION.type, (b) => {
      b.unsigned(this.types.length)
      for (const t of this.types) {
        b.byte(0x60)
        for (const list of [t.parameters, t.results]) {
          b.unsigned(list.length)
          for (const v of list) b.byte(valtype[v])
        }
      }
    })
    section(SECTION.import, (b) => {
      b.unsigned(this.importedFunctions.length + 1 + (this.importedTable ? 1 : 0))
      for (const f of this.importedFunctions) {
        b.name('env')
        b.name(f.name)
        b.byte(0)
        b.unsigned(f.type)
      }
      b.name('env')
      b.name('memory')
      b.byte(2)
      const { memoryPages } = this
      b.byte(memoryPages === undefined ? 0 : 1)
      b.unsigned(memoryPages ?? 1)
      if (memoryPages !== undefined) b.unsigned(memoryPages)
      if (this.importedTable) {
        b.name('env')
        b.name('table')
        b.byte(1)
        b.byte(0x70)
        b.byte(0)
        b.unsigned(1)
      }
    })
    section(SECTION.function, (b) => {
      b.unsigned(this.functions.length)
      for (const f of this.functions) b.unsigned(f.type)
    })
    if (this.ownTable > 0)
      section(SECTION.table, (b) => {
        b.byte(1)
        b.byte(0x70)
        b.byte(0)
        b.unsigned(this.ownTable)
      })
    section(SECTION.export, (b) => {
      b.unsigned(this.exports.length)
      for (const e of this.exports) {
        b.name(e.name)
        b.byte(0)
        b.unsigned(e.index)
      }
    })
    if (this.elements.length > 0)
      section(SECTION.element, (b) => {
        b.unsigned(this.elements.length)
        for (const e of this.elements) {
          b.byte(0)
          b.byte(0x41)
          b.signed32(e.offset)
          b.byte(0x0b)
          b.unsigned(e.functions.length)
          for (const f of e.functions) b.unsigned(f)
        }
      })
    const headers = this.functions.map((f) => localsHeader(f.code.locals))
    if (this.hinted && this.functions.some((f) => f.code.hints.length > 0))
      section(SECTION.custom, (b) => this.writeHints(b, headers))
    section(SECTION.code, (b) => {
      b.unsigned(this.functions.length)
      this.functions.forEach((f, i) => {
        const header = headers[i] ?? new Uint8Array()
        b.unsigned(header.length + f.code.length + 1)
        b.append(header)
        b.append(f.code.written())
        b.byte(0x0b)
      })
    })
    section(SECTION.custom, (b) => this.writeName(b))
    return new Uint8Array(out.written())
  }

  /** The name section (WebAssembly Core, 7.4.1) with nothing but the module's. */
  private writeName(b: ByteWriter): void {
    b.name('name')
    b.byte(NAME_OF_MODULE)
    const name = new ByteWriter()
    name.name(this.name)
    b.unsigned(name.length)
    b.append(name.written())
  }

  /** The custom section that tells an optimiser which branches are cold (branch hinting proposal). */
  private writeHints(b: ByteWriter, headers: readonly Uint8Array[]): void {
    b.name('metadata.code.branch_hint')
    const hinted = this.functions.map((f, i) => ({ f, i })).filter(({ f }) => f.code.hints.length > 0)
    b.unsigned(hinted.length)
    for (const { f, i } of hinted) {
      b.unsigned(this.importedFunctions.length + i)
      b.unsigned(f.code.hints.length)
      for (const hint of f.code.hints) {
        b.unsigned(hint.offset + (headers[i]?.length ?? 0))
        b.unsigned(1)
        b.byte(hint.likely ? 1 : 0)
      }
    }
  }
}

function localsHeader(locals: readonly ValType[]): Uint8Array {
  const runs: { type: ValType; count: number }[] = []
  for (const type of locals) {
    const last = runs.at(-1)
    if (last?.type === type) last.count++
    else runs.push({ type, count: 1 })
  }
  const header = new ByteWriter()
  header.unsigned(runs.length)
  for (const run of runs) {
    header.unsigned(run.count)
    header.byte(valtype[run.type])
  }
  return header.written()
}
