/** What is worth saying about a machine that runs, from what it shows of itself. */
import { affinityText, aff3Of, irouterAffinity, mpidrAffinity, typerAffinity } from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICD_TYPER } from '../arch/gic/gicd.ts'
import { GICR_SIZE, GICR_TYPER, GICR_WAKER } from '../arch/gic/gicr.ts'
import { irqKind, irqName } from '../arch/intid.ts'
import { decodeField } from '../arch/register.ts'
import type { Finding } from './check.ts'
import { linkFrames } from './links.ts'

export interface LiveCpu {
  readonly index: number
  readonly mpidr: bigint
  readonly pending: readonly number[]
}

export interface LiveFrame {
  readonly base: number
  readonly cpu: number
  readonly typer: bigint
  readonly waker: number
}

export interface LiveSpi {
  readonly intid: number
  readonly enabled: boolean
  readonly pending: boolean
  readonly irouter: bigint
  readonly target?: number | undefined
}

export interface LiveMachine {
  readonly gicdTyper: number
  readonly cpus: readonly LiveCpu[]
  readonly frames: readonly LiveFrame[]
  readonly spis: readonly LiveSpi[]
  /** What the device tree says of each CPU. */
  readonly described: (cpu: number) => Affinity | undefined
}

const LINUX = 'drivers/irqchip/irq-gic-v3.c: gic_iterate_rdists()'
const vcpu = (index: number) => ({ kind: 'vcpu', index }) as const

const aboutFrames = (machine: LiveMachine): readonly Finding[] => {
  const frames = machine.frames.toSorted((a, b) => a.base - b.base)
  const cpus = machine.cpus.map(({ index, mpidr }) => ({ index, affinity: mpidrAffinity.decode(mpidr) }))
  const { ofCpu, claims } = linkFrames(
    cpus,
    frames.map(({ typer }) => ({ affinity: typerAffinity.decode(typer) })),
  )
  const found: Finding[] = []
  for (const [place, { index, affinity }] of cpus.entries()) {
    if ((ofCpu[place] ?? []).length > 0) continue
    const text = `vCPU ${index} is at ${affinityText(affinity)}, and no frame says so.`
    found.push({ severity: 'error', text, where: vcpu(index), source: LINUX })
  }
  for (const [place, { cpu, typer, waker, base }] of frames.entries()) {
    const where = vcpu(cpu)
    const said = affinityText(typerAffinity.decode(typer))
    if (claims[place] === 0) {
      const text = `Frame ${place} says ${said}, and no vCPU is there.`
      found.push({ severity: 'warning', text, where, source: 'IHI 0069, 12.11, GICR_TYPER.Affinity_Value' })
    }
    const last = decodeField(GICR_TYPER, 'Last', typer) === 1n
    const follows = frames[place + 1]?.base === base + GICR_SIZE
    if (last === follows) {
      const text = last
        ? `Frame ${place} has Last set, and frame ${place + 1} follows it: a walk ends too early.`
        : `Frame ${place} ends its region without Last: a walk goes on where no frame is.`
      found.push({ severity: 'error', text, where, source: 'IHI 0069, 12.11, GICR_TYPER.Last' })
    }
    const ppi = machine.cpus[cpu]?.pending.find((intid) => irqKind(intid) === 'PPI')
    if (decodeField(GICR_WAKER, 'ProcessorSleep', BigInt(waker)) === 1n && ppi !== undefined) {
      const text = `vCPU ${cpu} has ${irqName(ppi)} pending, and GICR_WAKER.ProcessorSleep is set: it is not forwarded.`
      found.push({ severity: 'warning', text, where, source: 'IHI 0069, 12.11, GICR_WAKER' })
    }
  }
  return found
}

const aboutAffinities = ({ cpus, described, gicdTyper, frames }: LiveMachine): readonly Finding[] => {
  const found: Finding[] = []
  const first = new Map<Affinity, number>()
  for (const { index, mpidr } of cpus) {
    const affinity = mpidrAffinity.decode(mpidr)
    const text = affinityText(affinity)
    const other = first.get(affinity)
    if (other === undefined) first.set(affinity, index)
    else {
      const what = `vCPUs ${other} and ${index} are both at ${text}: what is sent to one may reach the other.`
      found.push({ severity: 'error', text: what, where: vcpu(index), source: 'Arm ARM D24.2, MPIDR_EL1' })
    }
    const dt = described(index)
    if (dt !== undefined && dt !== affinity) {
      const what = `The device tree has vCPU ${index} at ${affinityText(dt)}, and its MPIDR_EL1 says ${text}.`
      const source = 'Documentation/devicetree/bindings/arm/cpus.yaml: reg'
      found.push({ severity: 'warning', text: what, where: vcpu(index), source })
    }
    const hasGicV3 = frames.length > 0
    if (hasGicV3 && aff3Of(affinity) !== 0 && decodeField(GICD_TYPER, 'A3V', BigInt(gicdTyper)) === 0n) {
      const what = `vCPU ${index} has Aff3 = ${aff3Of(affinity)}, and GICD_TYPER.A3V is 0: no SPI may be routed to it.`
      found.push({ severity: 'warning', text: what, where: vcpu(index), source: 'IHI 0069, 12.9, GICD_TYPER.A3V' })
    }
  }
  return found
}

const aboutSpis = ({ spis }: LiveMachine): readonly Finding[] =>
  spis.flatMap((spi): readonly Finding[] => {
    if (spi.target !== undefined || !(spi.enabled || spi.pending)) return []
    const at = affinityText(irouterAffinity.decode(spi.irouter))
    const waits = spi.pending ? ' It is pending and stays so.' : ''
    return [
      {
        severity: 'warning',
        text: `${irqName(spi.intid)} (INTID ${spi.intid}) is routed to ${at}, where no vCPU was found.${waits}`,
        where: { kind: 'spi', index: spi.intid },
        source: 'IHI 0069, 12.9, GICD_IROUTER<n>',
      },
    ]
  })

const SEVERITIES = ['error', 'warning', 'info'] as const

/** Errors first. */
export const liveFindings = (machine: LiveMachine): readonly Finding[] =>
  [...aboutFrames(machine), ...aboutAffinities(machine), ...aboutSpis(machine)].toSorted(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  )
