/** GICD_IROUTER: what an SPI's record keeps, and which CPU that means. */
import { irouterAffinity } from '../../pure/arch/affinity.ts'
import { FIRST_SPI } from '../../pure/arch/intid.ts'
import type { VgicRules, VmFacts } from '../../pure/rules/points.ts'
import { NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import type { CpuLookup } from './lookup.ts'
import type { InterruptState } from './state.ts'

type Half = 'low' | 'high'

export class Routing {
  private readonly rules: VgicRules
  private readonly vm: VmFacts
  private readonly lookup: CpuLookup
  private readonly state: InterruptState

  constructor(rules: VgicRules, vm: VmFacts, lookup: CpuLookup, state: InterruptState) {
    this.rules = rules
    this.vm = vm
    this.lookup = lookup
    this.state = state
    const initial = rules.retargetSource.decide() === 'index-0' ? 0 : this.resolve(0)
    this.forEachSpi((irq) => state.route(irq, irq.affinity, initial, false))
  }

  read(irq: Readonly<VgicIrq>, width: 4 | 8, half: Half): bigint {
    return this.rules.irouterRead.decide({ stored: irq.affinity, width, half, vm: this.vm })
  }

  /** The note, if something was lost on the way. */
  write(irq: VgicIrq, value: bigint, width: 4 | 8, half: Half): string | undefined {
    const { stored, resolve, note } = this.rules.irouterWrite.decide({
      stored: irq.affinity,
      value,
      width,
      half,
      vm: this.vm,
    })
    this.state.route(irq, stored, resolve ? this.resolve(stored) : irq.target, this.rules.queueOnRoute.decide())
    return note
  }

  /** Some CPU's MPIDR_EL1 is another, or what shows of Aff3. */
  retarget(): void {
    if (!this.rules.retargetOnMpidrChange.decide()) return
    const queue = this.rules.queueOnRoute.decide()
    this.forEachSpi((irq) => this.state.route(irq, irq.affinity, this.resolve(irq.affinity), queue))
  }

  /** Only what the VM sees of a route counts. */
  private resolve(stored: number): number {
    const shown = this.rules.irouterRead.decide({ stored, width: 8, half: 'low', vm: this.vm })
    return this.lookup.find(irouterAffinity.decode(shown)) ?? NONE
  }

  private forEachSpi(visit: (irq: VgicIrq) => void): void {
    for (let intid = FIRST_SPI; intid < this.state.nrIrqs; intid++) {
      const irq = this.state.spi(intid)
      if (irq !== undefined) visit(irq)
    }
  }
}
