/** Who gets an SGI, and who does not and why: vgic_v3_dispatch_sgi() (arch/arm64/kvm/vgic/vgic-mmio-v3.c). */
import { sgiTarget } from '../../pure/arch/affinity.ts'
import type { Affinity, SgiRegister } from '../../pure/arch/affinity.ts'
import type { VgicRules } from '../../pure/rules/points.ts'
import type { SgiMiss } from '../bus/trace-sink.ts'
import type { CpuLookup } from './lookup.ts'

const LIST_BITS = 16

export interface SgiWorld {
  readonly rules: VgicRules
  readonly lookup: CpuLookup
  readonly cpuCount: number
  /** The id a CPU was created with. */
  id(cpu: number): number
}

/** Calls `hit` for each CPU that the value written names, `miss` for each affinity that no CPU has. */
export const forEachSgiTarget = (
  world: SgiWorld,
  writer: number,
  { cluster, targetList, allButSelf }: SgiRegister,
  hit: (cpu: number) => void,
  miss?: (affinity: Affinity) => void,
): void => {
  const { rules, lookup, cpuCount } = world
  const { list, broadcastSkips } = rules.sgiDelivery.decide()
  if (allButSelf) {
    const skipped = broadcastSkips === 'writer' ? writer : world.id(writer)
    for (let cpu = 0; cpu < cpuCount; cpu++) if (cpu !== skipped) hit(cpu)
    return
  }
  for (let bit = 0; bit < LIST_BITS; bit++) {
    if ((targetList & (1 << bit)) === 0) continue
    const affinity = sgiTarget(cluster, bit)
    // A walk in creation order takes the bit out at the first CPU that has the affinity.
    const cpu = list === 'walk' ? lookup.findFirst(affinity) : lookup.find(affinity)
    const match = cpu !== undefined && rules.sgiAffinityCompare.decide({ sgi: affinity, cpu: lookup.affinity(cpu) })
    if (match) hit(cpu)
    else miss?.(affinity)
  }
}

export const noSuchCpu = (affinity: Affinity): SgiMiss => ({ affinity, why: 'no such CPU', cpu: undefined })

export const wrongGroup = (affinity: Affinity, cpu: number): SgiMiss => ({ affinity, why: 'in Group 1', cpu })
