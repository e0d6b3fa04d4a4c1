/** Who runs a batch: QEMU's user-mode emulator, or our CPU with or without the translator. */
import { spawnSync } from 'node:child_process'
import { Core } from '../../engine/cpu/core.ts'
import { record as decoded, region } from '../../engine/cpu/layout.ts'
import { slots } from '../../engine/cpu/slots.ts'
import type { CpuState } from '../../engine/cpu/state.ts'
import type { Thresholds } from '../../engine/cpu/translator/translator.ts'
import { CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import { mapFlat } from '../flat-mapping.ts'
import { addressOfBlock } from './batch.ts'
import type { Batch } from './batch.ts'
import type { DriverImage } from './driver.ts'
import { BLOCKS, RAM } from './layout.ts'

export type Tier = 'interpreter' | 'translator'

/** The bytes of a batch after it has run, or why it did not come to its end. */
export type Run = { readonly bytes: Uint8Array } | { readonly failed: string }

/** A QEMU CPU with every feature that we may have; pointer authentication by its own algorithm would differ. */
const QEMU_CPU = 'max,pauth=off'

export function runOnQemu(program: string, batch: Batch, cpu = QEMU_CPU): Run {
  const input = new Uint8Array(8 + batch.bytes.length)
  new DataView(input.buffer).setBigUint64(0, BigInt(batch.bytes.length), true)
  input.set(batch.bytes, 8)
  const result = spawnSync('qemu-aarch64', ['-cpu', cpu, program], { input, maxBuffer: 1 << 30 })
  if (result.status !== 0 || result.stdout.length !== batch.bytes.length)
    return { failed: `QEMU ended with ${result.signal ?? result.status}: ${result.stderr.toString().trim()}` }
  // A copy whose buffer is aligned.
  return { bytes: new Uint8Array(result.stdout) }
}

/** A place is queued as soon as it is met; many are compiled together. */
const WHEN: Thresholds = { hot: 1, called: 1, batch: 64, patience: 64, modules: 1000 }
const SLICE = 10_007
const LIMIT = 50_000_000

export class OurCpu {
  readonly tier: Tier
  private readonly image: DriverImage
  private core: Core
  private cpu: CpuState

  constructor(image: DriverImage, tier: Tier) {
    this.image = image
    this.tier = tier
    this.core = this.newCore()
    this.cpu = this.core.addCpu()
  }

  private newCore(): Core {
    return new Core({
      model: CPU_MODELS.max,
      ramBase: RAM.base,
      ramSize: RAM.size,
      translate: this.tier === 'translator' && WHEN,
      mmioHas: () => false,
      mmioRead: () => undefined,
      mmioWrite: () => false,
      hypercall: () => undefined,
    })
  }

  get translated(): number {
    return this.core.translator?.statistics.instructions ?? 0
  }

  run(batch: Batch): Run & { readonly executed: number } {
    if ((this.core.translator?.statistics.regions ?? 0) + batch.blocks.length >= region.MAX) {
      this.core = this.newCore()
      this.cpu = this.core.addCpu()
    }
    const { core, cpu } = this
    const ram = new Uint8Array(core.memory.buffer, core.plan.ram, RAM.size)
    ram.set(this.image.bytes)
    ram.set(batch.bytes, BLOCKS - RAM.base)
    this.forget(batch)
    if (core.translator !== undefined) this.heat(batch)
    core.powerOn(cpu, BigInt(this.image.entry), 0n)
    mapFlat(core, cpu, RAM.base)
    let executed = 0
    for (let off = false; !off && executed < LIMIT;) {
      const slice = core.run(cpu, SLICE)
      executed += slice.executed
      off = slice.end === 'off'
    }
    if (executed >= LIMIT) return { failed: `it is not done after ${executed} instructions`, executed }
    const ended = this.ended()
    if (ended !== undefined) return { failed: ended, executed }
    return { bytes: ram.slice(BLOCKS - RAM.base, BLOCKS - RAM.base + batch.bytes.length), executed }
  }

  /** The words of the last batch are no longer what is decoded. */
  private forget(batch: Batch): void {
    const end = addressOfBlock(batch.blocks.length)
    for (let page = BLOCKS; page < end; page += 4096) this.core.code.invalidate(page - RAM.base, 4096)
  }

  /** Makes the translator take every block for hot. */
  private heat(batch: Batch): void {
    const { code, translator } = this.core
    const recordOf = (block: number): number => {
      const offset = addressOfBlock(block) - RAM.base
      return code.page(offset) + ((offset & 4095) / 4) * decoded.SIZE
    }
    batch.blocks.forEach((_, block) => translator?.sample(recordOf(block)))
    for (let i = 0; i < WHEN.patience; i++) translator?.sample(recordOf(0))
  }

  /** `undefined` when the CPU ended as it should, with SVC; otherwise which exception it took. */
  private ended(): string | undefined {
    const { core, cpu } = this
    return core.banks.with(cpu, () => {
      const [esr, elr, far] = [slots.ESR_EL1, slots.ELR_EL1, slots.FAR_EL1].map((slot) => core.registers.at(slot))
      if ((esr ?? 0n) >> 26n === EC_SVC) return undefined
      return `it took an exception at 0x${elr?.toString(16)}, ESR_EL1 0x${esr?.toString(16)}, FAR_EL1 0x${far?.toString(16)}`
    })
  }
}

/** ESR_EL1.EC of SVC in AArch64 state. */
const EC_SVC = 0x15n
