/** In which registers two saved VMs differ. */
import type { Values, VmImage } from './image.ts'

export interface Difference {
  /** `GICD_IROUTER40`, `MPIDR_EL1 of vCPU 1`. */
  readonly what: string
  /** `undefined`: it has no such register. */
  readonly before: bigint | undefined
  readonly after: bigint | undefined
}

const valueDifferences = (before: Values, after: Values, of: string): readonly Difference[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ what: `${name}${of}`, before: before[name], after: after[name] }))

export const diffImages = (before: VmImage, after: VmImage): readonly Difference[] => {
  const count = Math.max(before.vcpus.length, after.vcpus.length)
  const vcpus = Array.from({ length: count }, (_, vcpu) => {
    const [a, b] = [before.vcpus[vcpu], after.vcpus[vcpu]]
    const of = ` of vCPU ${vcpu}`
    return [
      ...valueDifferences(power(a?.on), power(b?.on), of),
      ...(['registers', 'redistributor', 'interface'] as const).flatMap((part) =>
        valueDifferences(a?.[part] ?? {}, b?.[part] ?? {}, of),
      ),
    ]
  })
  return [
    ...valueDifferences(layout(before), layout(after), ''),
    ...valueDifferences(before.gic.distributor, after.gic.distributor, ''),
    ...vcpus.flat(),
    ...before.its.flatMap(({ registers }, its) =>
      valueDifferences(registers, after.its[its]?.registers ?? {}, ` of ITS ${its}`),
    ),
  ]
}

const power = (on: boolean | undefined): Values => (on === undefined ? {} : { power: on ? 1n : 0n })

const layout = ({ gic, its, vcpus }: VmImage): Values => ({
  'number of vCPUs': BigInt(vcpus.length),
  'number of ITSes': BigInt(its.length),
  'number of interrupts': BigInt(gic.irqs),
  'address of the distributor': BigInt(gic.distributorBase),
  ...Object.fromEntries(
    gic.regions.map(({ base }, index) => [`address of redistributor region ${index}`, BigInt(base)]),
  ),
})

const hex = (value: bigint | undefined): string => (value === undefined ? 'absent' : `0x${value.toString(16)}`)

export const differenceText = ({ what, before, after }: Difference): string => `${what}: ${hex(before)}, ${hex(after)}`
