/**
 * Which redistributor a CPU finds: the first frame in address order whose GICR_TYPER has the affinity of its
 * MPIDR_EL1, as Linux looks for it (drivers/irqchip/irq-gic-v3.c: __gic_populate_rdist()).
 */
import { affinityText } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { vmWithVgic } from './forecast.ts'
import { rulesFor } from './rule-sets.ts'

export interface LinkEnd {
  readonly affinity: Affinity
}

export interface Links {
  /** By place of the CPU: the places of all frames that match. */
  readonly ofCpu: readonly (readonly number[])[]
  /** By place of the frame: how many CPUs match it. */
  readonly claims: readonly number[]
}

const NONE: readonly number[] = []

export const linkFrames = (cpus: readonly LinkEnd[], frames: readonly LinkEnd[]): Links => {
  const byAffinity = new Map<Affinity, number[]>()
  for (const [place, { affinity }] of frames.entries()) {
    const places = byAffinity.get(affinity)
    if (places === undefined) byAffinity.set(affinity, [place])
    else places.push(place)
  }
  const ofCpu = cpus.map(({ affinity }) => byAffinity.get(affinity) ?? NONE)
  const claims = frames.map(() => 0)
  for (const places of ofCpu) for (const place of places) claims[place] = (claims[place] ?? 0) + 1
  return { ofCpu, claims }
}

export interface Reason {
  readonly text: string
  readonly source: string
}

/** Why no frame has the affinity of a CPU that is there, in the words of the rule. */
export const missReason = (blueprint: Pick<Blueprint, 'ruleSet' | 'base' | 'host'>, affinity: Affinity): Reason => {
  const rules = rulesFor(blueprint.ruleSet, blueprint.base)
  const { title, source, decide } = rules.typerAffinity
  const shown = decide({ vm: vmWithVgic({ ...blueprint, gic: 3 }, rules), affinity })
  const text =
    shown === affinity
      ? 'none of the frames was made for it.'
      : `its GICR_TYPER reads ${affinityText(shown)}, because under ${blueprint.ruleSet} ${title.replace(/^GICR_TYPER/, 'it')}`
  return { text, source }
}
