/** A guest that is no Linux: a flat binary from assembler source, at RAM base + 0x80000, run until it ends. */
import { createVmm } from '../engine/vmm/vmm.ts'
import type { GuestFiles, RunEnd, Vmm } from '../engine/vmm/vmm.ts'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../pure/blueprint/blueprint.ts'

export const ORIGIN = 0x4008_0000
const MIB = 2 ** 20
/** Virtual nanoseconds that are run at once. */
const TURN = 1e6

/** A program's bytes; what does not assemble is told with its lines. */
export const flatBinary = (source: string): Uint8Array => {
  const result = assemble(source, ORIGIN)
  if (!result.ok) throw new Error(result.errors.map(({ line, what }) => `${line}: ${what}`).join('\n'))
  return result.bytes
}

export interface FlatGuestOptions {
  readonly source: string
  /** What differs from a default machine with 64 MiB. */
  readonly blueprint?: Partial<Omit<Blueprint, 'guest'>>
  /** In /chosen. */
  readonly bootargs?: string
  readonly initrd?: GuestFiles['initrd']
  readonly engine?: 'interpreter' | 'translator'
}

export class FlatGuest {
  readonly vmm: Vmm
  private readonly bytes: number[] = []

  constructor({ source, blueprint, bootargs = '', initrd, engine = 'translator' }: FlatGuestOptions) {
    const made = createVmm({
      blueprint: { ...defaultBlueprint, memory: 64 * MIB, ...blueprint, guest: { id: 'own', append: bootargs } },
      engine,
      guest: { kernel: flatBinary(source), initrd, append: '' },
      onConsole: (bytes) => this.bytes.push(...bytes),
    })
    if (!made.ok) throw new Error(made.what)
    this.vmm = made.vmm
  }

  /** What it wrote to its UART. */
  get printed(): Uint8Array {
    return Uint8Array.from(this.bytes)
  }

  get text(): string {
    return new TextDecoder('latin1').decode(this.printed)
  }

  /** Runs it for at most so many virtual nanoseconds, which skip while every CPU waits; says why it came back. */
  run(maxNs: number): RunEnd {
    const end = this.vmm.now() + maxNs
    for (;;) {
      const left = end - this.vmm.now()
      if (left <= 0) return 'time'
      const why = this.vmm.run(Math.min(TURN, left), left)
      if (why !== 'time') return why
    }
  }
}
