/**
 * What the page sees of a machine. A view carries only rows that changed since the one before it, so that a
 * machine of many CPUs costs by what happens in it; `mergeMachine` puts the rows in their places and keeps the
 * identity of those that stayed.
 */
import * as z from 'zod/mini'
import { itsView } from './its-view.ts'
import type { ItsView } from './its-view.ts'

const count = z.number()
const intids = z.array(z.number())

export const cpuView = z.object({
  index: count,
  mpidr: z.bigint(),
  state: z.enum(['off', 'waiting', 'running']),
  instructions: count,
  pc: z.bigint(),
  el: z.union([z.literal(0), z.literal(1)]),
  /** A person keeps it from running. */
  frozen: z.boolean(),
  priorityMask: z.number(),
  igrpen1: z.boolean(),
  /** INTIDs: its SGIs and PPIs, and the SPIs that target it. */
  pending: intids,
  active: intids,
  enabled: intids,
  /** INTIDs on KVM's ap_list, in its order. */
  apList: intids,
  /** ICH_LR<n>_EL2 of every list register of the host (`pure/arch/gic/ich.ts` explains them); 0: empty. */
  listRegisters: z.array(z.bigint()),
  /** ICH_VMCR_EL2 and ICH_HCR_EL2. */
  vmcr: z.number(),
  hcr: z.number(),
})
export type CpuView = z.infer<typeof cpuView>

/** A redistributor, in address order. */
export const frameView = z.object({
  base: z.number(),
  /** Index of the vCPU whose redistributor it is. */
  cpu: count,
  /** GICR_TYPER as the guest reads it. */
  typer: z.bigint(),
  waker: z.number(),
})
export type FrameView = z.infer<typeof frameView>

export const spiView = z.object({
  intid: count,
  enabled: z.boolean(),
  pending: z.boolean(),
  active: z.boolean(),
  line: z.boolean(),
  priority: z.number(),
  edge: z.boolean(),
  /** GICD_IROUTER<n> as the guest reads it. */
  irouter: z.bigint(),
  /** Index of the vCPU it would be delivered to. */
  target: z.optional(z.number()),
})
export type SpiView = z.infer<typeof spiView>

export const irqView = z.object({
  intid: count,
  enabled: z.boolean(),
  latch: z.boolean(),
  line: z.boolean(),
  active: z.boolean(),
  edge: z.boolean(),
  group: z.union([z.literal(0), z.literal(1)]),
  priority: z.number(),
  /** The vCPU it goes to, and the one on whose list it is. */
  target: z.optional(z.number()),
  queuedOn: z.optional(z.number()),
})
export type IrqView = z.infer<typeof irqView>

/** The interrupts of the vCPU that is watched: its own, the SPIs in use, and the LPIs in its queue. */
export const interruptsView = z.object({ cpu: count, irqs: z.array(irqView) })
export type InterruptsView = z.infer<typeof interruptsView>

export interface MachineView {
  readonly virtualNs: number
  readonly gicdCtlr: number
  readonly gicdTyper: number
  readonly cpus: readonly CpuView[]
  readonly frames: readonly FrameView[]
  readonly spis: readonly SpiView[]
  readonly interrupts: InterruptsView | undefined
  /** `undefined`: the machine has no ITS. */
  readonly its: ItsView | undefined
}

export const machineUpdate = z.object({
  /** Which machine, counted from the first build: an update of another one starts from nothing. */
  machine: count,
  virtualNs: z.number(),
  gicdCtlr: z.number(),
  gicdTyper: z.number(),
  /** Rows that changed; their place is `index`. */
  cpus: z.array(cpuView),
  /** All of them, when one changed. */
  frames: z.optional(z.array(frameView)),
  spis: z.optional(z.array(spiView)),
  /** Of the vCPU whose interrupts are watched, when one changed. */
  interrupts: z.optional(interruptsView),
  /** All of ITSes and LPIs, when something changed. */
  its: z.optional(itsView),
})
export type MachineUpdate = z.infer<typeof machineUpdate>

export const mergeMachine = (before: MachineView | undefined, update: MachineUpdate): MachineView => {
  const { virtualNs, gicdCtlr, gicdTyper } = update
  let cpus = before?.cpus ?? []
  if (update.cpus.length > 0) {
    const rows = cpus.slice()
    for (const row of update.cpus) rows[row.index] = row
    cpus = rows
  }
  return {
    virtualNs,
    gicdCtlr,
    gicdTyper,
    cpus,
    frames: update.frames ?? before?.frames ?? [],
    spis: update.spis ?? before?.spis ?? [],
    interrupts: update.interrupts ?? before?.interrupts,
    its: update.its ?? before?.its,
  }
}

/** `stuck`: the guest can never run again (all CPUs off or waiting with every interrupt masked, or an engine limit). */
export const RUN_STATES = ['empty', 'running', 'paused', 'off', 'stuck'] as const
export type RunStateId = (typeof RUN_STATES)[number]

export const ENGINES = ['interpreter', 'translator'] as const
export type EngineId = (typeof ENGINES)[number]

export const runView = z.object({
  state: z.enum(RUN_STATES),
  engine: z.enum(ENGINES),
  virtualNs: z.number(),
  instructions: z.number(),
  /** Million instructions a second of wall time in which the engine was busy; 0 while it never was. */
  mips: z.number(),
  /** Virtual seconds per wall second, over the last interval. */
  ratio: z.number(),
  /** Why it is paused, where a person did not pause it; a sentence. */
  stop: z.exactOptional(z.string()),
})
export type RunView = z.infer<typeof runView>

export const logLine = z.object({ level: z.number(), seconds: z.number(), text: z.string() })
export type LogLine = z.infer<typeof logLine>

export const kernelLogView = z.union([
  z.object({ ok: z.literal(true), lines: z.array(logLine) }),
  z.object({ ok: z.literal(false), what: z.string() }),
])
export type KernelLogView = z.infer<typeof kernelLogView>
