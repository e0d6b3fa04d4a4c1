/** A vGICv2 on its own, with CPUs that only remember their inputs. */
import type { AccessWidth } from '../engine/bus/device.ts'
import { VgicV2 } from '../engine/gic/vgic-v2.ts'
import { resetMpidr } from '../pure/arch/affinity.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import type { HostProfile, RuleSetId } from '../pure/blueprint/host.ts'
import { newVmFacts } from '../pure/rules/points.ts'
import { rulesFor } from '../pure/rules/rule-sets.ts'

export interface TestVgicV2Options {
  readonly ruleSet?: RuleSetId
  readonly host?: HostProfile
  /** Ids in creation order; four CPUs, if not given. */
  readonly ids?: readonly number[]
  readonly nrIrqs?: number
}

/** Offsets in the CPU interface's frame. */
export const GICC = { CTLR: 0, PMR: 4, BPR: 8, IAR: 0xc, EOIR: 0x10, RPR: 0x14, HPPIR: 0x18, ABPR: 0x1c, AIAR: 0x20 }

export class TestVgicV2 {
  readonly vgic: VgicV2
  readonly irq: boolean[]
  readonly fiq: boolean[]
  readonly wake: boolean[]
  private readonly distributor
  private readonly cpuInterface

  constructor(o: TestVgicV2Options = {}) {
    const ids = o.ids ?? [0, 1, 2, 3]
    const rules = rulesFor(o.ruleSet ?? 'mainline', '6.12')
    const vm = newVmFacts(o.host ?? HOST_PRESETS.H2, rules)
    vm.gic = 2
    vm.revision = rules.iidrDefaultRevision.decide({ vm })
    this.irq = ids.map(() => false)
    this.fiq = ids.map(() => false)
    this.wake = ids.map(() => false)
    const line = (levels: boolean[], index: number) => ({ set: (level: boolean) => void (levels[index] = level) })
    this.vgic = new VgicV2({
      rules,
      vm,
      nrIrqs: o.nrIrqs ?? 256,
      cpus: ids.map((id, index) => ({
        index,
        id,
        mpidr: () => resetMpidr(id),
        irq: line(this.irq, index),
        fiq: line(this.fiq, index),
        wake: line(this.wake, index),
      })),
    })
    this.distributor = this.vgic.distributor(0)
    this.cpuInterface = this.vgic.cpuInterface(0)
  }

  /** A read of the distributor, by CPU `cpu`. */
  dist(offset: number, { cpu = 0, width = 4 }: { cpu?: number; width?: AccessWidth } = {}): number {
    return Number(this.distributor.read(offset, width, cpu))
  }

  setDist(offset: number, value: number, { cpu = 0, width = 4 }: { cpu?: number; width?: AccessWidth } = {}): this {
    this.distributor.write(offset, width, BigInt(value >>> 0), cpu)
    return this
  }

  gicc(cpu: number, offset: number): number {
    return Number(this.cpuInterface.read(offset, 4, cpu))
  }

  setGicc(cpu: number, offset: number, value: number): this {
    this.cpuInterface.write(offset, 4, BigInt(value >>> 0), cpu)
    return this
  }

  /** Everything on, as Linux leaves it: the distributor, and every CPU's interface with all priorities let through. */
  start(control = 1): this {
    this.setDist(0, 1)
    for (const cpu of this.irq.keys()) this.setGicc(cpu, GICC.PMR, 0xff).setGicc(cpu, GICC.CTLR, control)
    return this
  }
}
