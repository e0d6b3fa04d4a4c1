/** The CPUs and frames of a machine: of the running machine, or of the one the rules forecast. */
import { mpidrAffinity, typerAffinity } from '../../../pure/arch/affinity.ts'
import type { Affinity } from '../../../pure/arch/affinity.ts'
import { GICR_TYPER } from '../../../pure/arch/gic/gicr.ts'
import { decodeField, encodeRegister } from '../../../pure/arch/register.ts'
import type { Blueprint } from '../../../pure/blueprint/blueprint.ts'
import { frameBase, regionOf } from '../../../pure/blueprint/frames.ts'
import type { MachineView } from '../../../pure/protocol/views.ts'
import { forecast } from '../../../pure/rules/forecast.ts'

export interface CpuSpot {
  readonly index: number
  readonly affinity: Affinity
}

export interface FrameSpot {
  readonly base: number
  readonly cpu: number
  readonly affinity: Affinity
  readonly last: boolean
  /** Which redistributor region it lies in. */
  readonly region: number
  /** GICR_TYPER as it reads. */
  readonly typer: bigint
}

export interface Spots {
  readonly cpus: readonly CpuSpot[]
  readonly frames: readonly FrameSpot[]
}

export const spotsOfMachine = ({ cpus, frames }: Pick<MachineView, 'cpus' | 'frames'>): Spots => ({
  cpus: cpus.map(({ index, mpidr }) => ({ index, affinity: mpidrAffinity.decode(mpidr) })),
  frames: frames.map(({ base, cpu, typer }) => ({
    base,
    cpu,
    affinity: typerAffinity.decode(typer),
    last: decodeField(GICR_TYPER, 'Last', typer) === 1n,
    region: regionOf(base),
    typer,
  })),
})

export const spotsOfBlueprint = (blueprint: Blueprint): Spots => {
  const { vcpus } = forecast(blueprint)
  return {
    cpus: vcpus.map(({ index, running }) => ({ index, affinity: running })),
    // A GICv2 has no redistributors.
    frames: (blueprint.gic === 2 ? [] : vcpus).map(({ index, shown }) => {
      const base = frameBase(index)
      const region = regionOf(base)
      const last = index === vcpus.length - 1 || regionOf(frameBase(index + 1)) !== region
      const typer = typerAffinity.encode(shown) | encodeRegister(GICR_TYPER, { Processor_Number: index, Last: last })
      return { base, cpu: index, affinity: shown, last, region, typer }
    }),
  }
}

/** Of the running machine where it is asked for and there, else of the one the draft will be. */
export const spotsOf = (machine: MachineView | undefined, draft: Blueprint): Spots =>
  machine === undefined ? spotsOfBlueprint(draft) : spotsOfMachine(machine)
