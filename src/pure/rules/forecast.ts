/**
 * What a blueprint will become under its rules, asked of the same points that drive the engine: the affinity
 * each vCPU is meant to have, the one KVM stores, the one it has once the guest runs, the one its redistributor shows.
 */
import { irouterAffinity, mpidrAffinity, resetAffinity, resetMpidr } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { affinityIn, mpidrOf } from '../blueprint/blueprint.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { newVmFacts } from './points.ts'
import type { AffinityLookup, Refusal, RouterWrite, VgicRules, VmFacts } from './points.ts'
import { rulesFor } from './rule-sets.ts'

export interface VcpuForecast {
  readonly index: number
  /** What the blueprint says, and so the device tree. */
  readonly wanted: Affinity
  /** Why KVM_SET_ONE_REG does not take it. */
  readonly refused: Refusal | undefined
  /** What KVM stores before the first run. */
  readonly stored: Affinity
  /** What the vCPU reads in MPIDR_EL1 once it runs: CPU_ON may have changed it. */
  readonly running: Affinity
  /** What its GICR_TYPER shows while it runs. */
  readonly shown: Affinity
  /** Whose redistributor the CPU finds when it comes up and looks for `wanted`, frame by frame; with a GICv2, no one's. */
  readonly finds: number | undefined
  /** Which vCPU PSCI CPU_ON(`wanted`) addresses when its turn comes; none for the boot CPU. */
  readonly cpuOn: number | undefined
}

export interface RouteForecast {
  readonly intid: number
  readonly wanted: Affinity
  /** What GICD_IROUTER holds after the VMM wrote its low and then its high word. */
  readonly stored: Affinity
  readonly target: number | undefined
  readonly note: string | undefined
}

export interface Forecast {
  readonly rules: VgicRules
  /** The VM's facts once it runs. */
  readonly vm: VmFacts
  readonly vcpus: readonly VcpuForecast[]
  readonly routes: readonly RouteForecast[]
}

/** The vCPU at an affinity as the lookup rule has it; `tabled`: the affinities when the table was made. */
export const findVcpu = (
  lookup: AffinityLookup,
  wanted: Affinity,
  now: readonly Affinity[],
  tabled: readonly Affinity[] | undefined,
): number | undefined => {
  const first = now.indexOf(wanted)
  const linear = first === -1 ? undefined : first
  // With one vCPU there is no table.
  if (!lookup.table || tabled === undefined || tabled.length < 2) return linear
  const last = tabled.lastIndexOf(wanted)
  if (last !== -1 && now[last] === wanted) return last
  return lookup.fallback ? linear : undefined
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

/** The facts of a VM with its vGIC, before it runs. */
export const vmWithVgic = ({ host, gic }: Pick<Blueprint, 'host' | 'gic'>, rules: VgicRules): VmFacts => {
  const vm = newVmFacts(host, rules)
  vm.gic = gic
  vm.revision = rules.iidrDefaultRevision.decide({ vm })
  vm.guestA3v = rules.guestA3vAtCreation.decide({ vm })
  return vm
}

export const forecast = (blueprint: Blueprint): Forecast => {
  const rules = rulesFor(blueprint.ruleSet, blueprint.base)
  // The VMM sets MPIDR_EL1 before there is a GIC.
  const early = newVmFacts(blueprint.host, rules)
  const vm = vmWithVgic(blueprint, rules)
  const lookup = rules.lookupAffinity.decide()
  const indexes = Array.from({ length: blueprint.vcpus }, (_, index) => index)

  const first = indexes.map((index) => {
    const reset = resetMpidr(index)
    const overridden = blueprint.affinities[index] !== undefined
    const answer = overridden
      ? rules.setMpidr.decide({ vm: early, current: reset, value: mpidrOf(blueprint, index) })
      : { ok: true as const, stored: reset }
    return {
      index,
      wanted: affinityIn(blueprint, index),
      refused: answer.ok ? undefined : answer,
      stored: mpidrAffinity.decode(answer.ok ? answer.stored : reset),
    }
  })
  const stored = first.map((vcpu) => vcpu.stored)

  const routes = Object.entries(blueprint.routes).map(([intid, wanted]): RouteForecast => {
    const route = routeThroughHalves(rules, vm, wanted)
    const target = findVcpu(lookup, route.stored, stored, undefined)
    return { intid: Number(intid), wanted, stored: route.stored, target, note: route.note }
  })

  vm.hasRun = true
  const running = [...stored]
  const shown = running.map((affinity) => rules.typerAffinity.decide({ vm, affinity }))
  /** The boot CPU turns the others on, one after the other, by the affinities of the device tree. */
  const turnOn = (wanted: Affinity): number | undefined => {
    const target = findVcpu(lookup, wanted, running, stored)
    // The boot CPU is on: ALREADY_ON resets nothing. To reset one of the others twice changes nothing.
    if (target === undefined || target === 0) return target
    if (rules.mpidrAtCpuOn.decide() === 'reset') {
      const affinity = resetAffinity(target)
      running[target] = affinity
      shown[target] = rules.typerAffinity.decide({ vm, affinity })
    }
    return target
  }
  const booted = first.map((vcpu) => {
    const cpuOn = vcpu.index === 0 ? undefined : turnOn(vcpu.wanted)
    const found = shown.indexOf(vcpu.wanted)
    return { ...vcpu, cpuOn, finds: found === -1 ? undefined : found }
  })
  const vcpus = booted.map((vcpu): VcpuForecast => ({
    ...vcpu,
    running: running[vcpu.index] ?? vcpu.stored,
    shown: shown[vcpu.index] ?? vcpu.stored,
  }))
  return { rules, vm, vcpus, routes }
}
