/**
 * Mistakes that VMMs, hypervisors and guests have made, to be made on purpose: each as KVM calls on the machine that
 * runs, or as an edit of the plan that builds the next one, with what takes it back.
 */
import {
  aff3Of,
  affinityText,
  irouterAffinity,
  mpidrAffinity,
  mpidrOf,
  withAff3,
  withoutAff3,
} from '../arch/affinity.ts'
import type { Affinity } from '../arch/affinity.ts'
import { GICD_CTLR } from '../arch/gic/gicd.ts'
import { GICR_WAKER } from '../arch/gic/gicr.ts'
import { FIRST_SPI, irqName } from '../arch/intid.ts'
import { encodeRegister } from '../arch/register.ts'
import { ICC } from '../arch/sysregs/gic-cpu.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import type { Edit } from '../blueprint/edits.ts'
import { mpidrCall, planLines, routeCalls } from '../blueprint/plan.ts'
import { parseCall } from '../uapi/call-parser.ts'
import { callText } from '../uapi/calls.ts'
import type { KvmCall } from '../uapi/calls.ts'
import { setAttr } from '../uapi/registers/row.ts'
import { decodeRedistRegion, encodeRedistRegion, registerAttr, VGIC_ADDR, VGIC_GROUP } from '../uapi/vgic-attr.ts'

export interface FaultyMachine {
  readonly gicdCtlr: number
  readonly cpus: readonly { readonly index: number; readonly mpidr: bigint; readonly priorityMask: number }[]
  readonly spis: readonly { readonly intid: number; readonly irouter: bigint }[]
}

export interface FaultPlace {
  /** Of the next boot. */
  readonly blueprint: Blueprint
  /** What runs, where something does. */
  readonly machine: FaultyMachine | undefined
  readonly cpu: number
  /** The interrupt that is looked at. */
  readonly intid: number | undefined
}

export type Injection =
  | {
      readonly kind: 'now'
      readonly what: string
      readonly calls: readonly KvmCall[]
      readonly inverse: readonly KvmCall[]
    }
  | { readonly kind: 'next boot'; readonly what: string; readonly edit: Edit }
  | { readonly kind: 'impossible'; readonly what: string }

export interface Fault {
  readonly id: string
  readonly title: string
  /** What comes of it. */
  readonly says: string
  inject(place: FaultPlace): Injection
}

const impossible = (what: string): Injection => ({ kind: 'impossible', what })

type Running = FaultPlace & { readonly machine: FaultyMachine }

/** One that is done to the machine that runs. */
const onRunning =
  (inject: (place: Running, mpidr: bigint) => Injection) =>
  (place: FaultPlace): Injection => {
    const { machine, cpu } = place
    const mpidr = machine?.cpus[cpu]?.mpidr
    if (machine === undefined || mpidr === undefined) return impossible(`No vCPU ${cpu} runs.`)
    return inject({ ...place, machine }, mpidr)
  }

/** One that only a GICv3 can have. */
const withGicV3 =
  (inject: (place: FaultPlace) => Injection) =>
  (place: FaultPlace): Injection =>
    place.blueprint.gic === 3 ? inject(place) : impossible('A GICv2 has no such register.')

const toAffinity = (cpu: number, mpidr: bigint, to: Affinity): Injection => {
  const from = mpidrAffinity.decode(mpidr)
  const flags = mpidr & ~mpidrAffinity.mask
  return {
    kind: 'now',
    what: `vCPU ${cpu}: MPIDR_EL1 goes from ${affinityText(from)} to ${affinityText(to)}.`,
    calls: [mpidrCall(cpu, flags | mpidrAffinity.encode(to))],
    inverse: [mpidrCall(cpu, mpidr)],
  }
}

const AFF1 = 1 << 8
/** An affinity that no vCPU has, with Aff3 as 0: one that every rule set can store in a route. */
const nobody = ({ cpus }: FaultyMachine): Affinity => {
  const taken = new Set(cpus.map(({ mpidr }) => mpidrAffinity.decode(mpidr)))
  let affinity = 0
  while (taken.has(affinity)) affinity += AFF1
  return affinity
}

/** The SPI that is looked at, or else the first that is in use. */
const spiOf = ({ machine, intid }: Running) =>
  machine.spis.find((spi) => spi.intid === intid) ??
  (intid === undefined || intid < FIRST_SPI ? machine.spis[0] : undefined)

const rerouted = (
  place: Running,
  to: Affinity,
  more: readonly KvmCall[],
  back: readonly KvmCall[],
  what: string,
): Injection => {
  const spi = spiOf(place)
  if (spi === undefined) return impossible('No SPI is in use.')
  const before = irouterAffinity.decode(spi.irouter)
  return {
    kind: 'now',
    what: `${irqName(spi.intid)} (INTID ${spi.intid}) goes to ${affinityText(to)}, ${what}.`,
    calls: [...routeCalls(spi.intid, to), ...more],
    inverse: [...back, ...routeCalls(spi.intid, before)],
  }
}

/** Another plan, where some of its lines can be changed. */
const replanned = (
  blueprint: Blueprint,
  change: (lines: readonly string[]) => readonly string[] | undefined,
  what: string,
): Injection => {
  const plan = change(planLines(blueprint))
  return plan === undefined
    ? impossible('The plan has no such call.')
    : { kind: 'next boot', what, edit: { edit: 'setPlan', plan } }
}

const callAt = (line: string): KvmCall | undefined => {
  const parsed = parseCall(line)
  return parsed.ok ? parsed.call : undefined
}

const creates = (lines: readonly string[], id: number): number =>
  lines.findIndex((line) => {
    const call = callAt(line)
    return call?.call === 'KVM_CREATE_VCPU' && call.id === id
  })

const swapped =
  (a: number, b: number) =>
  (lines: readonly string[]): readonly string[] | undefined => {
    const [first, second] = [creates(lines, a), creates(lines, b)]
    const [one, other] = [lines[first], lines[second]]
    return one === undefined || other === undefined ? undefined : lines.with(first, other).with(second, one)
  }

/** The last redistributor region of a plan, one frame shorter. */
const truncated = (lines: readonly string[]): readonly string[] | undefined => {
  const place = lines.findLastIndex((line) => {
    const call = callAt(line)
    return (
      call?.call === 'KVM_SET_DEVICE_ATTR' && call.group === VGIC_GROUP.ADDR && call.attr === VGIC_ADDR.V3_REDIST_REGION
    )
  })
  const call = callAt(lines[place] ?? '')
  if (call?.call !== 'KVM_SET_DEVICE_ATTR') return undefined
  const region = decodeRedistRegion(call.value)
  if (region.count < 2) return undefined
  return lines.with(place, callText({ ...call, value: encodeRedistRegion({ ...region, count: region.count - 1 }) }))
}

const register = (mpidr: bigint, group: number, offset: number, value: bigint): KvmCall =>
  setAttr(group, registerAttr(mpidrAffinity.decode(mpidr), offset), value)

export const FAULTS = [
  {
    id: 'drop-aff3',
    title: 'Drop Aff3 of its MPIDR_EL1',
    says: 'What finds CPUs by affinity no longer finds this one: SGIs by its old affinity miss, its frame is nobody’s.',
    inject: onRunning(({ cpu }, mpidr) => {
      const affinity = mpidrAffinity.decode(mpidr)
      if (aff3Of(affinity) === 0) return impossible(`Aff3 of vCPU ${cpu} is 0 already.`)
      return toAffinity(cpu, mpidr, withoutAff3(affinity))
    }),
  },
  {
    id: 'gain-aff3',
    title: 'Give its MPIDR_EL1 another Aff3',
    says: 'As a VMM that moves a vCPU to another node while the guest believes it where it was.',
    inject: onRunning(({ cpu }, mpidr) => {
      const affinity = mpidrAffinity.decode(mpidr)
      return toAffinity(cpu, mpidr, withAff3(affinity, aff3Of(affinity) + 1))
    }),
  },
  {
    id: 'duplicate',
    title: 'Give it the affinity of another vCPU',
    says: 'Two CPUs answer to one affinity: what is sent to one may reach the other.',
    inject: onRunning(({ cpu, machine }, mpidr) => {
      const other = machine.cpus.find(({ index }) => index !== cpu)
      if (other === undefined) return impossible('There is no other vCPU.')
      return toAffinity(cpu, mpidr, mpidrAffinity.decode(other.mpidr))
    }),
  },
  {
    id: 'route-nobody',
    title: 'Route an SPI to nobody',
    says: 'It becomes pending and stays so: no vCPU has the affinity in its GICD_IROUTER.',
    inject: withGicV3(onRunning((place) => rerouted(place, nobody(place.machine), [], [], 'where no vCPU is'))),
  },
  {
    id: 'stale-route',
    title: 'Route an SPI to it, then move it away',
    says: 'KVM found the target as the route was written: whether it looks again is a rule of its own.',
    inject: withGicV3(
      onRunning((place, mpidr) => {
        const from = mpidrAffinity.decode(mpidr)
        const away = mpidrCall(place.cpu, mpidrOf(nobody(place.machine)))
        return rerouted(place, from, [away], [mpidrCall(place.cpu, mpidr)], `where vCPU ${place.cpu} was`)
      }),
    ),
  },
  {
    id: 'waker',
    title: 'Put GICR_WAKER asleep',
    says: 'On hardware nothing is forwarded to the CPU any more. KVM takes the write and does nothing: it reads 0.',
    inject: withGicV3(
      onRunning(({ cpu }, mpidr) => {
        const write = (sleep: boolean): KvmCall =>
          register(
            mpidr,
            VGIC_GROUP.REDIST_REGS,
            GICR_WAKER.offset,
            encodeRegister(GICR_WAKER, { ProcessorSleep: sleep }),
          )
        return {
          kind: 'now',
          what: `vCPU ${cpu}: GICR_WAKER.ProcessorSleep is written as 1.`,
          calls: [write(true)],
          inverse: [write(false)],
        }
      }),
    ),
  },
  {
    id: 'group-off',
    title: 'Switch Group 1 off in GICD_CTLR',
    says: 'The distributor forwards nothing: timers, IPIs and devices stay pending.',
    inject: withGicV3(
      onRunning(({ machine }) => {
        const enabled = encodeRegister(GICD_CTLR, { EnableGrp1: 1 })
        const write = (value: bigint): KvmCall =>
          setAttr(VGIC_GROUP.DIST_REGS, registerAttr(0, GICD_CTLR.offset), value)
        const before = BigInt(machine.gicdCtlr)
        return {
          kind: 'now',
          what: 'GICD_CTLR.EnableGrp1 is written as 0.',
          calls: [write(before & ~enabled)],
          inverse: [write(before)],
        }
      }),
    ),
  },
  {
    id: 'mask-all',
    title: 'Mask every priority in its ICC_PMR_EL1',
    says: 'The CPU interface passes nothing on, as after a restore that forgot ICC_PMR_EL1.',
    inject: withGicV3(
      onRunning(({ cpu, machine }, mpidr) => {
        const write = (value: number): KvmCall =>
          register(mpidr, VGIC_GROUP.CPU_SYSREGS, ICC.ICC_PMR_EL1, BigInt(value))
        return {
          kind: 'now',
          what: `vCPU ${cpu}: ICC_PMR_EL1 is written as 0.`,
          calls: [write(0)],
          inverse: [write(machine.cpus[cpu]?.priorityMask ?? 0)],
        }
      }),
    ),
  },
  {
    id: 'swap-frames',
    title: 'Swap its frame with a neighbour’s',
    says: 'The VMM creates two vCPUs in the other order: frames follow creation, affinities follow ids.',
    inject: withGicV3(({ blueprint, cpu }) => {
      const other = cpu + 1 < blueprint.vcpus ? cpu + 1 : cpu - 1
      if (other < 0) return impossible('There is no other vCPU.')
      return replanned(blueprint, swapped(cpu, other), `vCPU ids ${cpu} and ${other} are created in the other order.`)
    }),
  },
  {
    id: 'truncate-region',
    title: 'Make the redistributor region too small',
    says: 'The last vCPU has no frame: KVM refuses to run it.',
    inject: withGicV3(({ blueprint }) =>
      replanned(blueprint, truncated, 'The last redistributor region holds one frame less.'),
    ),
  },
] as const satisfies readonly Fault[]

export type FaultId = (typeof FAULTS)[number]['id']
