/**
 * What a blueprint will become under its rules, by the calls of its plan, whoever wrote them: the affinity each vCPU is
 * meant to have, the one KVM stores, the one it has once the guest runs, the one its redistributor shows.
 */
import { irouterAffinity, mpidrAffinity, resetAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { planOf } from '../blueprint/plan.ts'
import type { RedistRegionValue } from '../uapi/vgic-attr.ts'
import { findVcpu, planOutcome } from './plan-outcome.ts'
import type { PlannedRoute } from './plan-outcome.ts'
import { newVmFacts } from './points.ts'
import type { Refusal, RouterWrite, VgicRules, VmFacts } from './points.ts'
import { rulesFor } from './rule-sets.ts'

export interface VcpuForecast {
  readonly index: number
  /** What KVM_CREATE_VCPU was given. */
  readonly id: number
  /** What the VMM asks for. */
  readonly wanted: Affinity
  /** Why KVM_SET_ONE_REG does not take it. */
  readonly refused: Refusal | undefined
  /** What KVM stores before the first run, and so what the device tree says. */
  readonly stored: Affinity
  /** What the vCPU reads in MPIDR_EL1 once it runs: CPU_ON may have changed it. */
  readonly running: Affinity
  /** What its GICR_TYPER shows while it runs. */
  readonly shown: Affinity
  /** Whose redistributor the CPU finds when it comes up and looks for `stored`, frame by frame; with a GICv2, no one's. */
  readonly finds: number | undefined
  /** Which vCPU PSCI CPU_ON(`stored`) addresses when its turn comes; none for the boot CPU. */
  readonly cpuOn: number | undefined
}

export interface Forecast {
  readonly rules: VgicRules
  /** The VM's facts once it runs. */
  readonly vm: VmFacts
  readonly vcpus: readonly VcpuForecast[]
  readonly routes: readonly RouteForecast[]
  readonly regions: readonly RedistRegionValue[]
}

/** GICD_IROUTER after the VMM wrote its low word and then its high word, the order of every VMM. */
export const routeThroughHalves = (
  rules: VgicRules,
  vm: Readonly<VmFacts>,
  wanted: Affinity,
): { readonly stored: Affinity; readonly note: string | undefined } => {
  const value = irouterAffinity.encode(wanted)
  const write = (stored: Affinity, half: RouterWrite['half'], word: bigint) =>
    rules.irouterWrite.decide({ vm, stored, width: 4, half, value: word })
  const low = write(0, 'low', BigInt.asUintN(32, value))
  const high = write(low.stored, 'high', value >> 32n)
  return { stored: high.stored, note: high.note ?? low.note }
}

export type RouteForecast = Readonly<PlannedRoute>

/** The facts of a VM with its vGIC, before it runs. */
export const vmWithVgic = ({ host, gic }: Pick<Blueprint, 'host' | 'gic'>, rules: VgicRules): VmFacts => {
  const vm = newVmFacts(host, rules)
  vm.gic = gic
  vm.revision = rules.iidrDefaultRevision.decide({ vm })
  vm.guestA3v = rules.guestA3vAtCreation.decide({ vm })
  return vm
}

const known = new WeakMap<Blueprint, Forecast>()

/** Computed once for a document, however many ask. */
export const forecast = (blueprint: Blueprint): Forecast => {
  const before = known.get(blueprint)
  if (before !== undefined) return before
  const made = makeForecast(blueprint)
  known.set(blueprint, made)
  return made
}

const makeForecast = (blueprint: Blueprint): Forecast => {
  const rules = rulesFor(blueprint.ruleSet, blueprint.base)
  const { vm, vcpus: planned, routes, regions } = planOutcome(planOf(blueprint), rules, blueprint.host)
  const lookup = rules.lookupAffinity.decide()
  const first = planned.map(({ id, mpidr, wanted, refused }, index) => {
    return { index, id, wanted, refused, stored: mpidrAffinity.decode(mpidr) }
  })
  const stored = first.map((vcpu) => vcpu.stored)

  vm.hasRun = true
  const running = [...stored]
  const shown = running.map((affinity) => rules.typerAffinity.decide({ vm, affinity }))
  /** The boot CPU turns the others on, one after the other, by the affinities of the device tree. */
  const turnOn = (described: Affinity): number | undefined => {
    const target = findVcpu(lookup, described, running, stored)
    // The boot CPU is on: ALREADY_ON resets nothing. To reset one of the others twice changes nothing.
    if (target === undefined || target === 0) return target
    if (rules.mpidrAtCpuOn.decide() === 'reset') {
      const affinity = resetAffinity(planned[target]?.id ?? target)
      running[target] = affinity
      shown[target] = rules.typerAffinity.decide({ vm, affinity })
    }
    return target
  }
  const booted = first.map((vcpu) => {
    const cpuOn = vcpu.index === 0 ? undefined : turnOn(vcpu.stored)
    const found = shown.indexOf(vcpu.stored)
    return { ...vcpu, cpuOn, finds: found === -1 ? undefined : found }
  })
  const vcpus = booted.map((vcpu): VcpuForecast => ({
    ...vcpu,
    running: running[vcpu.index] ?? vcpu.stored,
    shown: shown[vcpu.index] ?? vcpu.stored,
  }))
  return { rules, vm, vcpus, routes, regions }
}
