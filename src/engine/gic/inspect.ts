/** What a person sees of the GIC. Reading it never changes anything. */
import { GICR_SIZE } from '../../pure/arch/gic/gicr.ts'
import { irqName, PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import type { CpuInterfaces } from './cpu-interface-v3.ts'
import { readGicdCtlr, readGicdTyper } from './distributor.ts'
import type { GicParts } from './distributor.ts'
import { isPending, NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import type { Redistributors } from './redistributor.ts'

export interface FrameInspection {
  readonly base: number
  /** The index of the vCPU whose redistributor it is. */
  readonly cpu: number
  /** As the guest reads it. */
  readonly typer: bigint
  readonly waker: number
}

export interface SpiInspection {
  readonly intid: number
  readonly enabled: boolean
  readonly pending: boolean
  readonly active: boolean
  readonly line: boolean
  readonly priority: number
  readonly edge: boolean
  /** As the guest reads it. */
  readonly irouter: bigint
  readonly target: number | undefined
}

export interface PrivateIrq {
  readonly intid: number
  readonly name: string
  readonly enabled: boolean
  readonly pending: boolean
  readonly active: boolean
  readonly priority: number
}

export interface CpuGicInspection {
  readonly priorityMask: number
  readonly igrpen1: boolean
  /** INTIDs, its own and the SPIs it has or would get. */
  readonly pending: readonly number[]
  readonly active: readonly number[]
  readonly enabled: readonly number[]
  /** SGIs and PPIs that are enabled, pending or active. */
  readonly private: readonly PrivateIrq[]
}

export interface GicInspection {
  readonly frames: readonly FrameInspection[]
  readonly spis: readonly SpiInspection[]
  readonly gicdCtlr: number
  readonly gicdTyper: number
  readonly cpus: readonly CpuGicInspection[]
}

const frames = (redistributors: Redistributors): FrameInspection[] =>
  redistributors.regions
    .flatMap(({ base, first, count }) =>
      Array.from({ length: count }, (_, i) => ({
        base: base + i * GICR_SIZE,
        cpu: first + i,
        typer: redistributors.typer(first + i),
        waker: 0,
      })),
    )
    .toSorted((a, b) => a.base - b.base)

const notable = (irq: Readonly<VgicIrq>): boolean => irq.touched || irq.line || isPending(irq) || irq.affinity !== 0

export const inspectGic = (
  parts: GicParts,
  redistributors: Redistributors,
  interfaces: CpuInterfaces,
  cpuCount: number,
): GicInspection => {
  const { state, routing } = parts
  const spis = state.allSpis().filter(notable)
  return {
    frames: frames(redistributors),
    spis: spis.map((irq) => ({
      intid: irq.intid,
      enabled: irq.enabled,
      pending: isPending(irq),
      active: irq.active,
      line: irq.line,
      priority: irq.priority,
      edge: irq.edge,
      irouter: routing.read(irq, 8, 'low'),
      target: irq.target === NONE ? undefined : irq.target,
    })),
    gicdCtlr: Number(readGicdCtlr(parts)),
    gicdTyper: Number(readGicdTyper(parts)),
    cpus: Array.from({ length: cpuCount }, (_, cpu) => {
      const own = Array.from({ length: PRIVATE_COUNT }, (__, intid) => state.privateIrq(cpu, intid)).flatMap((irq) =>
        irq !== undefined && (irq.enabled || irq.active || isPending(irq)) ? [irq] : [],
      )
      const all: Readonly<VgicIrq>[] = [
        ...own,
        ...spis.filter((irq) => (irq.queuedOn === NONE ? irq.target : irq.queuedOn) === cpu),
      ]
      const intids = (holds: (irq: Readonly<VgicIrq>) => boolean): number[] =>
        all.filter(holds).map(({ intid }) => intid)
      const at = interfaces.at(cpu)
      return {
        priorityMask: at.pmr,
        igrpen1: at.groupEnabled[1],
        pending: intids(isPending),
        active: intids(({ active }) => active),
        enabled: intids(({ enabled }) => enabled),
        private: own.map((irq) => ({
          intid: irq.intid,
          name: irqName(irq.intid),
          enabled: irq.enabled,
          pending: isPending(irq),
          active: irq.active,
          priority: irq.priority,
        })),
      }
    }),
  }
}
