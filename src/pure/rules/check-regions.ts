/** What is worth saying about where a plan puts the redistributors, and where the device tree says that they are. */
import { GICR_SIZE } from '../arch/gic/gicr.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { describedRegions } from '../blueprint/device-tree.ts'
import type { RedistRegionValue } from '../uapi/vgic-attr.ts'
import type { Finding } from './finding.ts'
import type { Forecast } from './forecast.ts'

const PLAN = { kind: 'plan', index: 0 } as const
const BINDING = 'Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml: reg, #redistributor-regions'
const KVM = 'arch/arm64/kvm/vgic/vgic-v3.c: vgic_v3_map_resources()'
const hex = (value: number): string => `0x${value.toString(16)}`

interface Frames {
  readonly base: number
  readonly frames: number
}

/** How many redistributors of so many vCPUs each region gets: the first is filled first. */
const filled = (regions: readonly RedistRegionValue[], vcpus: number): readonly Frames[] => {
  let left = vcpus
  return regions.flatMap(({ base, count }) => {
    const frames = count === 0 ? left : Math.min(left, count)
    left -= frames
    return frames === 0 ? [] : [{ base, frames }]
  })
}

const end = ({ base, frames }: Frames): number => base + frames * GICR_SIZE

export const aboutRegions = ({ gic }: Blueprint, { regions, vcpus }: Forecast): readonly Finding[] => {
  if (gic === 2 || vcpus.length === 0) return []
  const used = filled(regions, vcpus.length)
  const described = describedRegions(vcpus.length)
  const placed = used.reduce((sum, { frames }) => sum + frames, 0)
  const found: Finding[] = []
  const say = (text: string, source: string): void => {
    found.push({ severity: 'error', text, where: PLAN, source })
  }
  if (placed < vcpus.length)
    say(
      `The plan has room for ${placed} redistributors, and ${vcpus.length} vCPUs: KVM refuses to run vCPU ${placed}.`,
      KVM,
    )
  if (used.length !== described.length)
    say(`The plan fills ${used.length} redistributor regions, and the device tree names ${described.length}.`, BINDING)
  for (const region of used) {
    const around = described.find(({ base }) => base === region.base)
    if (around === undefined)
      say(`Redistributors are at ${hex(region.base)}, and the device tree names no region that begins there.`, BINDING)
    else if (end(region) > end(around))
      say(
        `Redistributors end at ${hex(end(region))}, and the device tree's region at ${hex(end(around))}: a walk ends before the last.`,
        BINDING,
      )
  }
  return found
}
