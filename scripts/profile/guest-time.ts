/** Which functions of the guest its instructions and the host's time go to, by where its CPU is after every step. */
import type { Vmm } from '../../src/engine/vmm/vmm.ts'
import type { ElfFunction } from './elf-symbols.ts'
import { functionAt } from './elf-symbols.ts'

export interface GuestFunction {
  readonly name: string
  readonly samples: number
  /** Milliseconds of the host in the steps that ended there. */
  readonly ms: number
}

const IDLE = 'waiting: every CPU idle'
const PAGE = 0xfffn
const UPPER_HALF = 0xffffn

export class GuestTime {
  /** By PC, and exception level. */
  private readonly at = new Map<string, { readonly pc: bigint; readonly el: 0 | 1; samples: number; ms: number }>()
  private readonly idle = { samples: 0, ms: 0 }

  look(vmm: Vmm, ms: number): void {
    const where = vmm.whereabouts()
    let sum: { samples: number; ms: number } = this.idle
    if (where !== undefined) {
      const { pc, el } = where
      const key = `${el} ${pc}`
      const known = this.at.get(key) ?? { pc, el, samples: 0, ms: 0 }
      this.at.set(key, known)
      sum = known
    }
    sum.samples++
    sum.ms += ms
  }

  /** `elf`: functions of the guest that are not its Linux kernel's. */
  functions(vmm: Vmm, elf: readonly ElfFunction[]): readonly GuestFunction[] {
    const kernel = vmm.symbols()
    const nameOf = (pc: bigint, el: 0 | 1): string => {
      const own = functionAt(elf, pc)
      if (own !== undefined) return own
      const known = kernel.ok && pc >> 48n === UPPER_HALF ? kernel.symbols.at(pc) : undefined
      return known?.name ?? `EL${el} page 0x${(pc & ~PAGE).toString(16)}`
    }
    const byName = new Map<string, { samples: number; ms: number }>()
    for (const { pc, el, samples, ms } of this.at.values()) {
      const name = nameOf(pc, el)
      const sum = byName.get(name) ?? { samples: 0, ms: 0 }
      byName.set(name, { samples: sum.samples + samples, ms: sum.ms + ms })
    }
    if (this.idle.samples > 0) byName.set(IDLE, this.idle)
    return [...byName].map(([name, sum]) => ({ name, ...sum })).toSorted((a, b) => b.ms - a.ms)
  }
}
