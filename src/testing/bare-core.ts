/** A CPU with nothing but RAM, for programs of a few instructions. */
import { Core } from '../engine/cpu/core.ts'
import type { CpuState } from '../engine/cpu/state.ts'
import type { Thresholds } from '../engine/cpu/translator/translator.ts'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { CPU_MODELS } from '../pure/arch/cpu/models.ts'
import type { CpuModelId } from '../pure/arch/cpu/models.ts'

export const RAM = 0x4000_0000
export const RAM_SIZE = 4 * 2 ** 20

export class BareCore {
  readonly core: Core
  readonly cpu: CpuState
  /** Levels of the PMU's overflow interrupt, as they changed. */
  readonly pmuLevels: boolean[] = []

  constructor(model: CpuModelId, translate: boolean | Thresholds = false, ramSize = RAM_SIZE) {
    this.core = new Core({
      model: CPU_MODELS[model],
      ramBase: RAM,
      ramSize,
      translate,
      mmioHas: () => false,
      mmioRead: () => undefined,
      mmioWrite: () => {},
      hypercall: () => undefined,
      pmuInterrupt: (_cpu, level) => this.pmuLevels.push(level),
    })
    this.cpu = this.core.addCpu()
  }

  words(at: number, count: number): Uint32Array {
    return new Uint32Array(this.core.memory.buffer, this.core.plan.ram + at - RAM, count)
  }

  /** Resets the CPU and puts it before a program, which has to end with HVC. */
  load(source: string, registers: readonly bigint[] = []): this {
    const made = assemble(source, RAM)
    if (!made.ok) throw new Error(made.errors.map(({ line, what }) => `${line}: ${what}`).join('\n'))
    new Uint8Array(this.core.memory.buffer, this.core.plan.ram).set(made.bytes)
    this.core.code.reset()
    this.core.powerOn(this.cpu, BigInt(RAM), 0n)
    this.core.banks.with(this.cpu, () => registers.forEach((value, n) => this.core.registers.setX(n, value)))
    return this
  }

  /** Runs until HVC; the general registers then. */
  run(budget = 100_000): bigint[] {
    for (let left = budget; left > 0;) {
      const { executed, end } = this.core.run(this.cpu, left)
      if (end === 'off') return Array.from({ length: 31 }, (_, n) => this.core.registers.x(n))
      left -= executed
    }
    throw new Error(`no HVC after ${budget} instructions; the PC is 0x${this.core.banks.pcOf(this.cpu).toString(16)}`)
  }
}
