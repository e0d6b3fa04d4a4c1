/**
 * The WebAssembly of a machine: an instance of the interpreter, the table of its functions, and behind them in the same table
 * those of the regions.
 */
import type { Interpreter } from './interpreter/interpreter.ts'
import { region } from './layout.ts'
import type { Meter } from './meter.ts'

export type Imports = Record<string, WebAssembly.Memory | WebAssembly.Table | ((...args: never[]) => unknown)>

const isFunction = (value: unknown): value is () => number => typeof value === 'function'

export class CompiledCode {
  private readonly interpreter: Interpreter
  private readonly services: Imports
  private readonly ofRegions: Imports
  private readonly meter: Meter | undefined
  private current: ReturnType<CompiledCode['instantiate']>

  /**
   * `services`: `memory` and what the interpreter calls. `ofRegions`: what regions have instead of it: `loadSlow` and `storeSlow`
   * find bytes of RAM accesses that miss the soft TLB (0: the interpreter has to make the access), `branched` hears of branches.
   */
  constructor(interpreter: Interpreter, services: Imports, ofRegions: Imports, meter: Meter | undefined) {
    this.interpreter = interpreter
    this.services = services
    this.ofRegions = ofRegions
    this.meter = meter
    this.current = this.instantiate()
  }

  /** Runs from the current record on, until the budget is used up (0) or there is something for the driver to do. */
  run(): number {
    return this.current.run()
  }

  /** Adds a module of regions, which puts its functions into the table; nothing else is wanted of its instance. */
  add(module: Uint8Array<ArrayBuffer>): void {
    void new WebAssembly.Instance(new WebAssembly.Module(module), { env: this.current.imports })
  }

  /**
   * Forgets all regions. A table keeps the modules alive that have written to it (in Node 20 even when what they wrote is
   * overwritten), so there is a new one. What runs just now goes on with the old one to its end.
   */
  renew(): void {
    this.current = this.instantiate()
  }

  private instantiate(): { readonly run: () => number; readonly imports: Imports } {
    const { interpreter, meter } = this
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: interpreter.functions + region.MAX })
    const env = { ...this.services, table }
    const { run, flags, enter } = new WebAssembly.Instance(interpreter.module, {
      env: meter?.counted('interpreter', env) ?? env,
    }).exports
    if (!isFunction(run) || !isFunction(flags) || !isFunction(enter)) throw new Error('the interpreter lacks an export')
    const imports = { ...env, flags, enter, ...this.ofRegions }
    return { run, imports: meter?.counted('region', imports) ?? imports }
  }
}
