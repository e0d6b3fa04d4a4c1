/** To which vCPU an interrupt goes, and why to no other; as a sentence. */
import { affinityText, irouterAffinity, mpidrAffinity } from '../../../pure/arch/affinity.ts'
import { GICD_IROUTER } from '../../../pure/arch/gic/gicd.ts'
import { irqKind } from '../../../pure/arch/intid.ts'
import { decodeField } from '../../../pure/arch/register.ts'
import type { CpuView } from '../../../pure/protocol/views.ts'
import type { IrqRow } from './rows.ts'

const list = (cpus: readonly number[]): string => `vCPU${cpus.length === 1 ? '' : 's'} ${cpus.join(', ')}`

const spiText = ({ irouter = 0n, target }: IrqRow, cpus: readonly CpuView[]): string => {
  if (decodeField(GICD_IROUTER, 'Interrupt_Routing_Mode', irouter) === 1n)
    return 'Interrupt_Routing_Mode is 1: it may go to any vCPU that takes part, and KVM chooses one.'
  const affinity = irouterAffinity.decode(irouter)
  const at = affinityText(affinity)
  const there = cpus.filter(({ mpidr }) => mpidrAffinity.decode(mpidr) === affinity).map(({ index }) => index)
  const others = there.filter((cpu) => cpu !== target)
  if (target === undefined) {
    if (there.length === 0) return `No vCPU has the affinity ${at}.`
    return `${list(there)} came to ${at} after the route was written, and KVM does not look again.`
  }
  if (!there.includes(target)) return `vCPU ${target} was at ${at} when the route was written; no other has come there.`
  return others.length === 0
    ? `vCPU ${target} has the affinity ${at}, and no other has it.`
    : `vCPU ${target} has the affinity ${at}; so ${others.length === 1 ? 'has' : 'have'} ${list(others)}, and one is found.`
}

/** `cpu`: whose private interrupts the rows are. */
export const routeText = (row: IrqRow, cpu: number, cpus: readonly CpuView[], gic: 2 | 3): string => {
  switch (irqKind(row.intid)) {
    case 'SGI':
    case 'PPI':
      return `It is private: each vCPU has one of its own, and this is that of vCPU ${cpu}.`
    case 'LPI':
      return row.target === undefined
        ? 'Its collection leads to no redistributor.'
        : `The collection of its event leads to the redistributor of vCPU ${row.target}.`
    default:
      if (gic === 3) return spiText(row, cpus)
      return row.target === undefined
        ? 'GICD_ITARGETSR names no vCPU.'
        : `vCPU ${row.target} is the lowest in GICD_ITARGETSR: KVM's GICv2 takes that one.`
  }
}
