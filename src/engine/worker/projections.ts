/** A machine's inspection as rows for the page. */
import type { ItsUnitView, ItsView } from '../../pure/protocol/its-view.ts'
import type { CpuView, FrameView, InterruptsView, SpiView } from '../../pure/protocol/views.ts'
import type { CpuInspection, CpuInterrupts, FrameInspection, MachineInspection, SpiInspection } from '../vmm/vmm.ts'

export const cpuRow = (cpu: CpuInspection): CpuView => {
  const { index, mpidr, state, instructions, pc, el, frozen, priorityMask, igrpen1, vmcr, hcr } = cpu
  const [pending, active, enabled] = [[...cpu.pending], [...cpu.active], [...cpu.enabled]]
  const [apList, listRegisters] = [[...cpu.apList], [...cpu.listRegisters]]
  const interrupts = { pending, active, enabled, apList, listRegisters, vmcr, hcr }
  return { index, mpidr, state, instructions, pc, el, frozen, priorityMask, igrpen1, ...interrupts }
}

export const frameRow = ({ base, cpu, typer, waker }: FrameInspection): FrameView => ({ base, cpu, typer, waker })

export const spiRow = (spi: SpiInspection): SpiView => {
  const { intid, enabled, pending, active, line, priority, edge, irouter, target } = spi
  return { intid, enabled, pending, active, line, priority, edge, irouter, target }
}

export const interruptsOf = ({ cpu, irqs }: CpuInterrupts): InterruptsView => ({
  cpu,
  irqs: irqs.map((irq) => ({ ...irq })),
})

const unitRow = (its: MachineInspection['its'][number]): ItsUnitView => {
  const { base, enabled, quiescent, cbaser, cwriter, creadr, deviceTable, collectionTable } = its
  const { deviceCount, collectionCount, translationCount } = its
  const registers = { cbaser, cwriter, creadr, deviceTable, collectionTable }
  return { base, enabled, quiescent, ...registers, deviceCount, collectionCount, translationCount }
}

/** `undefined`: the machine has no ITS. */
export const itsOf = ({ its, lpis }: Pick<MachineInspection, 'its' | 'lpis'>): ItsView | undefined =>
  its.length === 0
    ? undefined
    : {
        units: its.map(unitRow),
        devices: its.flatMap(({ devices }, index) => devices.map((row) => ({ its: index, ...row }))),
        collections: its.flatMap(({ collections }, index) => collections.map((row) => ({ its: index, ...row }))),
        translations: its.flatMap(({ translations }, index) => translations.map((row) => ({ its: index, ...row }))),
        lpis: lpis.map((row) => ({ ...row })),
      }

type List = readonly (number | bigint)[]
type Cell = string | number | bigint | boolean | undefined | List
type Row = Readonly<Record<string, Cell>>

const isList = (cell: Cell): cell is List => typeof cell === 'object'

const sameCell = (a: Cell, b: Cell): boolean =>
  a === b || (isList(a) && isList(b) && a.length === b.length && a.every((value, i) => value === b[i]))

/** Whether two rows of one kind show the same. */
export const sameRow = (a: Row | undefined, b: Row): boolean => {
  if (a === undefined) return false
  for (const name in b) if (!sameCell(a[name], b[name])) return false
  return true
}

export const sameRows = (a: readonly Row[] | undefined, b: readonly Row[]): boolean =>
  a !== undefined && a.length === b.length && b.every((row, i) => sameRow(a[i], row))

export const sameInterrupts = (a: InterruptsView | undefined, b: InterruptsView): boolean =>
  a !== undefined && a.cpu === b.cpu && sameRows(a.irqs, b.irqs)

export const sameIts = (a: ItsView | undefined, b: ItsView): boolean =>
  a !== undefined &&
  sameRows(a.units, b.units) &&
  sameRows(a.devices, b.devices) &&
  sameRows(a.collections, b.collections) &&
  sameRows(a.translations, b.translations) &&
  sameRows(a.lpis, b.lpis)
