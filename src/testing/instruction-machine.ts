/** Runs single instructions in the interpreter, on the states that the oracle takes, so that the two can be compared. */
import { CodeCache } from '../engine/cpu/code-cache.ts'
import { floatHelpers } from '../engine/cpu/float/helpers.ts'
import { buildInterpreter } from '../engine/cpu/interpreter/interpreter.ts'
import type { Interpreter } from '../engine/cpu/interpreter/interpreter.ts'
import { bank, planMemory, scratch, vAt } from '../engine/cpu/layout.ts'
import { Registers, conditionMasks } from '../engine/cpu/state.ts'
import type { Row } from '../pure/arch/a64/row.ts'
import { INSTRUCTION_ADDRESS, MEMORY_ADDRESS, MEMORY_SIZE } from './oracle/run-instruction.ts'
import type { MachineState } from './oracle/run-instruction.ts'

export interface Outcome {
  readonly state: MachineState
  readonly pc: bigint
  /** The first address that was accessed, if any. */
  readonly accessed: bigint | undefined
  readonly end: 'done' | 'fault' | 'undefined'
}

const REGION_SLOTS = 65536
/** Where the test's memory lies in RAM; the instruction is at its start. */
const MEMORY_OFFSET = 0x10000

export class InstructionMachine {
  readonly interpreter: Interpreter
  private readonly registers: Registers
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly code: CodeCache
  private readonly ram: number
  private readonly runWasm: () => number
  private accessed: bigint | undefined
  private undefinedMet = false

  constructor(rows: readonly Row[]) {
    const plan = planMemory(0x100000)
    const memory = new WebAssembly.Memory({ initial: plan.total / 65536, maximum: plan.total / 65536 })
    const { buffer } = memory
    this.ram = plan.ram
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    const registers = new Registers(buffer)
    this.registers = registers
    this.interpreter = buildInterpreter(rows)
    this.code = new CodeCache(plan, this.interpreter, buffer)
    // The soft TLB is never filled: every access asks.
    registers.i32[scratch.TLB >>> 2] = plan.tlbBase
    registers.i32[scratch.TLB_UNPRIVILEGED >>> 2] = plan.tlbBase
    new Uint16Array(buffer, scratch.CONDITIONS, 16).set(conditionMasks())
    const locate = (low: number, high: number, what: number): number => {
      const address = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
      this.accessed ??= address
      const offset = Number(BigInt.asIntN(64, address - BigInt(MEMORY_ADDRESS)))
      return offset >= 0 && offset + (what & 0xff) <= MEMORY_SIZE ? this.ram + MEMORY_OFFSET + offset : 0
    }
    const env: WebAssembly.ModuleImports = {
      memory,
      table: new WebAssembly.Table({ element: 'anyfunc', initial: this.interpreter.functions + REGION_SLOTS }),
      decode: (at: number) => this.code.decode(at),
      fetch: () => this.code.page(0),
      loadSlow: locate,
      storeSlow: locate,
      commitStore: () => {},
      undefinedInstruction: () => {
        this.undefinedMet = true
        return 1
      },
    }
    const floats = floatHelpers(registers)
    for (const name of this.interpreter.helperNames)
      env[name] =
        floats[name] ??
        ((): never => {
          throw new Error(`${name} is not served here`)
        })
    const instance = new WebAssembly.Instance(this.interpreter.module, { env: { ...env } })
    const { run } = instance.exports
    if (typeof run !== 'function') throw new Error('the interpreter exports no run')
    this.runWasm = () => Number(run())
  }

  run(state: MachineState): Outcome {
    const { registers: r, view } = this
    this.accessed = undefined
    this.undefinedMet = false
    this.bytes.fill(0, bank.START, bank.START + bank.SIZE)
    state.x.forEach((value, i) => r.setX(i, value))
    state.v.forEach((value, i) => {
      view.setBigUint64(vAt(i), BigInt.asUintN(64, value), true)
      view.setBigUint64(vAt(i) + 8, value >> 64n, true)
    })
    r.nzcv = state.nzcv
    r.i32[bank.FPCR >>> 2] = state.fpcr
    r.i32[bank.FPSR >>> 2] = state.fpsr
    this.bytes.set(state.memory, this.ram + MEMORY_OFFSET)
    view.setUint32(this.ram, state.word, true)
    const record = this.code.page(0)
    this.code.invalidate(0, 64)
    r.record = record
    r.i64[scratch.PC_OFFSET >>> 3] = BigInt(INSTRUCTION_ADDRESS - (record >>> 2))
    r.budget = 1
    const why = this.runWasm()
    return {
      state: {
        word: state.word,
        fpcr: view.getUint32(bank.FPCR, true),
        fpsr: view.getUint32(bank.FPSR, true),
        nzcv: r.nzcv,
        x: state.x.map((_, i) => r.x(i)),
        v: state.v.map((_, i) => view.getBigUint64(vAt(i), true) | (view.getBigUint64(vAt(i) + 8, true) << 64n)),
        memory: this.bytes.slice(this.ram + MEMORY_OFFSET, this.ram + MEMORY_OFFSET + MEMORY_SIZE),
      },
      pc: r.currentPc(),
      accessed: this.accessed,
      end: this.undefinedMet ? 'undefined' : why === 0 ? 'done' : 'fault',
    }
  }
}
