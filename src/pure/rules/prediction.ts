/** What a blueprint's machine will look like to its guest, asked of the rules before any machine is built. */
import { mpidrAffinity, mpidrOf, resetAffinity, resetMpidr } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICR_SIZE } from '../arch/gic/gicr.ts'
import { affinityIn } from '../blueprint/blueprint.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { memoryMap } from '../blueprint/memory-map.ts'
import { newVmFacts } from './points.ts'
import type { Refusal, VmFacts } from './points.ts'
import { rulesFor } from './rule-sets.ts'

export interface PredictedCpu {
  readonly index: number
  /** What the blueprint says. */
  readonly asked: Affinity
  /** What MPIDR_EL1 holds after KVM_SET_ONE_REG. */
  readonly affinity: Affinity
  readonly refusal?: Refusal
  /** What KVM changed in silence. */
  readonly note?: string
}

export interface PredictedFrame {
  readonly base: number
  readonly cpu: number
  /** Affinity_Value of GICR_TYPER, as the guest reads it. */
  readonly affinity: Affinity
}

export interface Prediction {
  readonly cpus: readonly PredictedCpu[]
  readonly frames: readonly PredictedFrame[]
}

/** The facts of a blueprint's VM once its vGICv3 is created. */
export const vmFactsOf = ({ host, ruleSet, base }: Pick<Blueprint, 'host' | 'ruleSet' | 'base'>): VmFacts => {
  const vm = newVmFacts(host, rulesFor(ruleSet, base))
  vm.gic = 3
  return vm
}

/** Where the frame of the n-th vCPU lies: the regions filled in address order. */
export const frameBase = (index: number): number => {
  let rest = index
  for (const { base, frames } of memoryMap.redistributors) {
    if (rest < frames) return base + rest * GICR_SIZE
    rest -= frames
  }
  throw new Error(`vCPU ${index} is outside all redistributor regions`)
}

export const predict = (blueprint: Blueprint): Prediction => {
  const rules = rulesFor(blueprint.ruleSet, blueprint.base)
  const vm = vmFactsOf(blueprint)
  const cpus: PredictedCpu[] = []
  const frames: PredictedFrame[] = []
  for (let index = 0; index < blueprint.vcpus; index++) {
    const asked = affinityIn(blueprint, index)
    const current = resetMpidr(index)
    const set =
      asked === resetAffinity(index) ? undefined : rules.setMpidr.decide({ vm, current, value: mpidrOf(asked) })
    const affinity = mpidrAffinity.decode(set?.ok === true ? set.stored : current)
    cpus.push({
      index,
      asked,
      affinity,
      ...(set?.ok === false ? { refusal: set } : {}),
      ...(set?.ok === true && set.note !== undefined ? { note: set.note } : {}),
    })
    frames.push({ base: frameBase(index), cpu: index, affinity: rules.typerAffinity.decide({ vm, affinity }) })
  }
  return { cpus, frames }
}
