/** What is worth saying about where the interrupts of a running machine go. */
import { affinityText, irouterAffinity, mpidrAffinity } from '../arch/affinity.ts'
import { GICD_CTLR, GICD_IROUTER } from '../arch/gic/gicd.ts'
import { irqName } from '../arch/intid.ts'
import { decodeField, encodeRegister } from '../arch/register.ts'
import { routeCalls } from '../blueprint/plan.ts'
import { setAttr } from '../uapi/registers/row.ts'
import { registerAttr, VGIC_GROUP } from '../uapi/vgic-attr.ts'
import type { LiveCpu, LiveMachine, LiveSpi } from './check-live.ts'
import type { Cure, Finding, Severity } from './finding.ts'

const SOURCE = 'IHI 0069, 12.9, GICD_IROUTER<n>'

const spiFinding = (
  { intid }: LiveSpi,
  severity: Severity,
  says: string,
  cures: readonly Cure[],
  source = SOURCE,
): Finding => ({
  severity,
  text: `${irqName(intid)} (INTID ${intid}) ${says}`,
  where: { kind: 'spi', index: intid },
  source,
  cures,
})

const rerouted = ({ intid, irouter }: LiveSpi, to: LiveCpu | undefined): readonly Cure[] => {
  if (to === undefined) return []
  const before = irouterAffinity.decode(irouter)
  const title = `Route it to vCPU ${to.index}`
  return [{ title, calls: routeCalls(intid, mpidrAffinity.decode(to.mpidr)), inverse: routeCalls(intid, before) }]
}

const withAffinityRouting = (gicdCtlr: number): Cure => {
  const set = (value: bigint) => [setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, GICD_CTLR.offset), value)]
  const before = BigInt(gicdCtlr)
  return {
    title: 'Set GICD_CTLR.ARE',
    calls: set(before | encodeRegister(GICD_CTLR, { ARE: 1 })),
    inverse: set(before),
  }
}

const isRoutedToAny = (irouter: bigint): boolean => decodeField(GICD_IROUTER, 'Interrupt_Routing_Mode', irouter) === 1n

const aboutSpi = (spi: LiveSpi, { cpus, gicdCtlr }: LiveMachine): readonly Finding[] => {
  const { irouter, target } = spi
  const used = spi.enabled || spi.pending
  const affinity = irouterAffinity.decode(irouter)
  const awake = cpus.find(({ state }) => state !== 'off')
  const waits = spi.pending ? ' It is pending and stays so.' : ''
  const findings: Finding[] = []
  if (isRoutedToAny(irouter) && affinity !== 0) {
    const says = `has Interrupt_Routing_Mode and the affinity ${affinityText(affinity)} at once: the affinity is ignored.`
    findings.push(spiFinding(spi, 'warning', says, rerouted(spi, awake)))
  }
  if (irouter !== 0n && decodeField(GICD_CTLR, 'ARE', BigInt(gicdCtlr)) === 0n) {
    const says = `has a route to ${affinityText(affinity)}, and GICD_CTLR.ARE is 0: GICD_ITARGETSR counts, not GICD_IROUTER.`
    findings.push(spiFinding(spi, 'error', says, [withAffinityRouting(gicdCtlr)], 'IHI 0069, 12.9, GICD_CTLR.ARE'))
  }
  if (used && target === undefined && awake !== undefined) {
    const says = `is routed to ${affinityText(affinity)}, where no vCPU was found.${waits}`
    findings.push(spiFinding(spi, 'warning', says, rerouted(spi, awake)))
  }
  const at = target === undefined ? undefined : cpus[target]
  // Of a machine that was turned off there is nothing to say.
  if (used && at?.state === 'off' && awake !== undefined) {
    findings.push(spiFinding(spi, 'warning', `goes to vCPU ${at.index}, which is off.${waits}`, rerouted(spi, awake)))
  }
  return findings
}

/** A collection leads to a redistributor; LPIs of one that does not go nowhere. */
const aboutCollections = ({ its }: LiveMachine): readonly Finding[] =>
  (its?.collections ?? []).flatMap(({ its: unit, id, cpu }): readonly Finding[] => {
    if (cpu !== undefined) return []
    const used = its?.translations.filter((one) => one.its === unit && one.collection === id).length ?? 0
    const text = `Collection ${id} of ITS ${unit} leads to a redistributor that is not there: ${used} events of it are lost.`
    const noCure = 'Only the guest can map it anew: MAPC is a command of its own queue, and no KVM call makes one.'
    return [{ severity: 'error', text, where: { kind: 'its', index: unit }, source: 'IHI 0069, 5.3, MAPC', noCure }]
  })

/** Of a GICv3; what a GICv2 has is no route. */
export const aboutRoutes = (machine: LiveMachine): readonly Finding[] =>
  machine.frames.length === 0
    ? []
    : [...machine.spis.flatMap((spi) => aboutSpi(spi, machine)), ...aboutCollections(machine)]
