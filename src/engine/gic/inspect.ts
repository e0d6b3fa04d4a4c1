/** What a person sees of the GIC. Reading it never changes anything. */
import { FIRST_LPI, irqName, PRIVATE_COUNT } from '../../pure/arch/intid.ts'
import type { CpuInterfaces } from './cpu-interface.ts'
import { isPending, NONE } from './irq.ts'
import type { VgicIrq } from './irq.ts'
import { hypControl, listRegisters, virtualMachineControl } from './list-registers.ts'
import type { InterruptState } from './state.ts'

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
  /** INTIDs on KVM's ap_list, in its order. */
  readonly apList: readonly number[]
  /** ICH_LR<n>_EL2 of every list register of the host; 0: empty. */
  readonly listRegisters: readonly bigint[]
  /** ICH_VMCR_EL2. */
  readonly vmcr: number
  /** ICH_HCR_EL2. */
  readonly hcr: number
}

export interface GicInspection {
  readonly frames: readonly FrameInspection[]
  readonly spis: readonly SpiInspection[]
  readonly gicdCtlr: number
  readonly gicdTyper: number
  readonly cpus: readonly CpuGicInspection[]
}

/** One interrupt as one CPU has it. */
export interface IrqInspection {
  readonly intid: number
  readonly enabled: boolean
  /** Pended by a write, an SGI or an edge. */
  readonly latch: boolean
  readonly line: boolean
  readonly active: boolean
  readonly edge: boolean
  readonly group: 0 | 1
  readonly priority: number
  /** The CPU it goes to, and the CPU on whose list it is; `undefined` for none. */
  readonly target: number | undefined
  readonly queuedOn: number | undefined
}

/** The interrupts of one CPU: its own 32, the SPIs in use, and the LPIs that are queued there. */
export interface CpuInterrupts {
  readonly cpu: number
  readonly irqs: readonly IrqInspection[]
}

const cpuOrNone = (cpu: number): number | undefined => (cpu === NONE ? undefined : cpu)

const inspectIrq = (irq: Readonly<VgicIrq>): IrqInspection => {
  const { intid, enabled, latch, line, active, edge, group, priority } = irq
  const [target, queuedOn] = [cpuOrNone(irq.target), cpuOrNone(irq.queuedOn)]
  return { intid, enabled, latch, line, active, edge, group, priority, target, queuedOn }
}

export const inspectInterrupts = (state: InterruptState, cpu: number): CpuInterrupts => {
  const own = Array.from({ length: PRIVATE_COUNT }, (_, intid) => state.privateIrq(cpu, intid))
  // There may be thousands of LPIs elsewhere.
  const lpis = state.list(cpu).all.filter(({ intid }) => intid >= FIRST_LPI)
  const irqs = [...own.filter((irq) => irq !== undefined), ...state.allSpis().filter(notable), ...lpis]
  return { cpu, irqs: irqs.map(inspectIrq) }
}

const notable = (irq: Readonly<VgicIrq>): boolean =>
  irq.touched || irq.line || isPending(irq) || irq.affinity !== 0 || irq.targets !== 0

export interface Inspected {
  readonly state: InterruptState
  readonly interfaces: CpuInterfaces
  readonly cpuCount: number
  readonly frames: readonly FrameInspection[]
  /** GICD_IROUTER<n> as the guest reads it; 0 where there is none. */
  readonly irouter: (irq: Readonly<VgicIrq>) => bigint
  readonly gicdCtlr: number
  readonly gicdTyper: number
  /** ICH_HCR_EL2.TC. */
  readonly trapsCommon: boolean
}

export const inspectGic = (o: Inspected): GicInspection => {
  const { state, interfaces, cpuCount } = o
  const spis = state.allSpis().filter(notable)
  return {
    frames: o.frames,
    spis: spis.map((irq) => ({
      intid: irq.intid,
      enabled: irq.enabled,
      pending: isPending(irq),
      active: irq.active,
      line: irq.line,
      priority: irq.priority,
      edge: irq.edge,
      irouter: o.irouter(irq),
      target: irq.target === NONE ? undefined : irq.target,
    })),
    gicdCtlr: o.gicdCtlr,
    gicdTyper: o.gicdTyper,
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
      const list = state.list(cpu)
      return {
        apList: list.all.map(({ intid }) => intid),
        listRegisters: listRegisters(list),
        vmcr: virtualMachineControl(at),
        hcr: hypControl(list, at, o.trapsCommon),
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
