/** Remembers what the page was told, and tells it the difference. */
import type { ItsView } from '../../pure/protocol/its-view.ts'
import type { CpuView, FrameView, InterruptsView, MachineUpdate, SpiView } from '../../pure/protocol/views.ts'
import type { CpuInterrupts, MachineInspection } from '../vmm/vmm.ts'
import {
  cpuRow,
  frameRow,
  interruptsOf,
  itsOf,
  sameInterrupts,
  sameIts,
  sameRow,
  sameRows,
  spiRow,
} from './projections.ts'

export class Publisher {
  private machine = 0
  private cpus: CpuView[] = []
  private frames: FrameView[] | undefined
  private spis: SpiView[] | undefined
  private interrupts: InterruptsView | undefined
  private its: ItsView | undefined
  private virtualNs = -1

  /** Another machine, or a page that knows nothing: the next update carries everything. */
  restart(machine: number): void {
    this.machine = machine
    this.cpus = []
    this.frames = undefined
    this.spis = undefined
    this.interrupts = undefined
    this.its = undefined
    this.virtualNs = -1
  }

  /** Nothing, where nothing changed. */
  update(
    { virtualNs, gicdCtlr, gicdTyper, ...rows }: MachineInspection,
    watched?: CpuInterrupts,
  ): MachineUpdate | undefined {
    const cpus = rows.cpus.map(cpuRow).filter((row) => !sameRow(this.cpus[row.index], row))
    for (const row of cpus) this.cpus[row.index] = row
    const update: MachineUpdate = { machine: this.machine, virtualNs, gicdCtlr, gicdTyper, cpus }
    const frames = rows.frames.map(frameRow)
    if (!sameRows(this.frames, frames)) update.frames = this.frames = frames
    const spis = rows.spis.map(spiRow)
    if (!sameRows(this.spis, spis)) update.spis = this.spis = spis
    const interrupts = watched === undefined ? undefined : interruptsOf(watched)
    if (interrupts !== undefined && !sameInterrupts(this.interrupts, interrupts)) {
      update.interrupts = this.interrupts = interrupts
    }
    const its = itsOf(rows)
    if (its !== undefined && !sameIts(this.its, its)) update.its = this.its = its
    const still = virtualNs === this.virtualNs && cpus.length === 0
    this.virtualNs = virtualNs
    const tables = [update.frames, update.spis, update.interrupts, update.its]
    const nothing = tables.every((one) => one === undefined)
    return still && nothing ? undefined : update
  }
}
