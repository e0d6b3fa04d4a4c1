/** What is worth saying about a machine that runs, from what it shows of itself. */
import {
  affinityLevels,
  affinityText,
  aff3Of,
  mpidrAffinity,
  mpidrOf,
  SGI_LIST,
  typerAffinity,
} from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICD_TYPER } from '../arch/gic/gicd.ts'
import { GICR_SIZE, GICR_TYPER, GICR_WAKER } from '../arch/gic/gicr.ts'
import { irqKind, irqName } from '../arch/intid.ts'
import { decodeField } from '../arch/register.ts'
import { mpidrCall } from '../blueprint/plan.ts'
import type { KvmCall } from '../uapi/calls.ts'
import { setAttr } from '../uapi/registers/row.ts'
import { registerAttr, VGIC_GROUP } from '../uapi/vgic-attr.ts'
import { aboutRoutes } from './check-live-routes.ts'
import { bySeverity } from './finding.ts'
import type { Cure, Finding } from './finding.ts'
import { linkFrames } from './links.ts'

export interface LiveCpu {
  readonly index: number
  readonly mpidr: bigint
  readonly state: 'off' | 'waiting' | 'running'
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

export interface LiveIts {
  /** `cpu`: where it leads; `undefined`: to no vCPU there is. */
  readonly collections: readonly { readonly its: number; readonly id: number; readonly cpu?: number | undefined }[]
  readonly translations: readonly { readonly its: number; readonly collection?: number | undefined }[]
}

export interface LiveMachine {
  readonly gicdCtlr: number
  readonly gicdTyper: number
  readonly cpus: readonly LiveCpu[]
  readonly frames: readonly LiveFrame[]
  readonly spis: readonly LiveSpi[]
  readonly its: LiveIts | undefined
  /** What the device tree says of each CPU. */
  readonly described: (cpu: number) => Affinity | undefined
}

const LINUX = 'drivers/irqchip/irq-gic-v3.c: gic_iterate_rdists()'
const vcpu = (index: number) => ({ kind: 'vcpu', index }) as const

/** Of a redistributor with virtual LPIs: two more frames of 64 KiB (IHI 0069, 12.10). */
const VLPI_STRIDE = 2 * GICR_SIZE
const strideOf = (typer: bigint): number => (decodeField(GICR_TYPER, 'VLPIS', typer) === 1n ? VLPI_STRIDE : GICR_SIZE)
/** Farther away than this is another region. */
const MOST_FRAMES = 4

/** Its place of before: what the device tree told the guest. */
const asDescribed = ({ cpus, described }: LiveMachine, index: number): readonly Cure[] => {
  const mpidr = cpus[index]?.mpidr
  const dt = described(index)
  if (mpidr === undefined || dt === undefined || dt === mpidrAffinity.decode(mpidr)) return []
  const title = `Set its MPIDR_EL1 to ${affinityText(dt)} again`
  return [{ title, calls: [mpidrCall(index, mpidrOf(dt))], inverse: [mpidrCall(index, mpidr)] }]
}

const FIXED =
  'No call changes it: KVM puts GICR_TYPER together at each read, and the plan has decided where the regions lie.'

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
    found.push({ severity: 'error', text, where: vcpu(index), source: LINUX, cures: asDescribed(machine, index) })
  }
  for (const [place, { cpu, typer, waker, base }] of frames.entries()) {
    const where = vcpu(cpu)
    const said = affinityText(typerAffinity.decode(typer))
    if (claims[place] === 0) {
      const text = `Frame ${place} says ${said}, and no vCPU is there.`
      const source = 'IHI 0069, 12.11, GICR_TYPER.Affinity_Value'
      found.push({ severity: 'warning', text, where, source, cures: asDescribed(machine, cpu) })
    }
    const last = decodeField(GICR_TYPER, 'Last', typer) === 1n
    const distance = (frames[place + 1]?.base ?? Infinity) - base
    const stride = strideOf(typer)
    // Whoever walks takes VLPIS's word for where the next frame is.
    const follows = distance === stride
    if (!last && !follows && distance <= MOST_FRAMES * GICR_SIZE) {
      const text = `Frame ${place} says VLPIS = ${Number(stride === VLPI_STRIDE)}, so that the next is 0x${stride.toString(16)} further; it is 0x${distance.toString(16)} further.`
      found.push({ severity: 'error', text, where, source: LINUX, noCure: FIXED })
    } else if (last === follows) {
      const text = last
        ? `Frame ${place} has Last set, and frame ${place + 1} follows it: a walk ends too early.`
        : `Frame ${place} ends its region without Last: a walk goes on where no frame is.`
      found.push({ severity: 'error', text, where, source: 'IHI 0069, 12.11, GICR_TYPER.Last', noCure: FIXED })
    }
    const at = machine.cpus[cpu]
    const held = at?.pending.find((intid) => irqKind(intid) === 'PPI' || irqKind(intid) === 'SGI')
    if (decodeField(GICR_WAKER, 'ProcessorSleep', BigInt(waker)) === 1n && at !== undefined && held !== undefined) {
      const text = `vCPU ${cpu} has ${irqName(held)} pending, and GICR_WAKER.ProcessorSleep is set: it is not forwarded.`
      const [calls, inverse] = [0n, BigInt(waker)].map((value): readonly KvmCall[] => [
        setAttr(VGIC_GROUP.REDIST_REGS, registerAttr(mpidrAffinity.decode(at.mpidr), GICR_WAKER.offset), value),
      ])
      const cures = calls === undefined || inverse === undefined ? [] : [{ title: 'Wake it', calls, inverse }]
      found.push({ severity: 'warning', text, where, source: 'IHI 0069, 12.11, GICR_WAKER', cures })
    }
  }
  return found
}

const aboutAffinities = (machine: LiveMachine): readonly Finding[] => {
  const { cpus, described, gicdTyper, frames } = machine
  const found: Finding[] = []
  const first = new Map<Affinity, number>()
  for (const { index, mpidr } of cpus) {
    const affinity = mpidrAffinity.decode(mpidr)
    const text = affinityText(affinity)
    const cures = asDescribed(machine, index)
    const other = first.get(affinity)
    if (other === undefined) first.set(affinity, index)
    else {
      const what = `vCPUs ${other} and ${index} are both at ${text}: what is sent to one may reach the other.`
      found.push({ severity: 'error', text: what, where: vcpu(index), source: 'Arm ARM D24.2, MPIDR_EL1', cures })
    }
    const dt = described(index)
    if (dt !== undefined && dt !== affinity) {
      const what = `The device tree has vCPU ${index} at ${affinityText(dt)}, and its MPIDR_EL1 says ${text}.`
      const source = 'Documentation/devicetree/bindings/arm/cpus.yaml: reg'
      found.push({ severity: 'warning', text: what, where: vcpu(index), source, cures })
    }
    const hasGicV3 = frames.length > 0
    const { aff0 } = affinityLevels(affinity)
    if (hasGicV3 && aff0 >= SGI_LIST && decodeField(GICD_TYPER, 'RSS', BigInt(gicdTyper)) === 0n) {
      const what = `vCPU ${index} has Aff0 = 0x${aff0.toString(16)}, and GICD_TYPER.RSS is 0: a target list ends at 15, so no SGI but a broadcast reaches it, whatever ICC_CTLR_EL1.RSS of the sender says.`
      found.push({
        severity: 'warning',
        text: what,
        where: vcpu(index),
        source: 'IHI 0069, 12.9, GICD_TYPER.RSS',
        cures,
      })
    }
    if (hasGicV3 && aff3Of(affinity) !== 0 && decodeField(GICD_TYPER, 'A3V', BigInt(gicdTyper)) === 0n) {
      const what = `vCPU ${index} has Aff3 = ${aff3Of(affinity)}, and GICD_TYPER.A3V is 0: no SPI may be routed to it.`
      found.push({
        severity: 'warning',
        text: what,
        where: vcpu(index),
        source: 'IHI 0069, 12.9, GICD_TYPER.A3V',
        cures,
      })
    }
  }
  return found
}

/** Errors first. */
export const liveFindings = (machine: LiveMachine): readonly Finding[] =>
  bySeverity([...aboutFrames(machine), ...aboutAffinities(machine), ...aboutRoutes(machine)])
