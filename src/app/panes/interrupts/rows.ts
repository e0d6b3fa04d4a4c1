/** The interrupts as rows to filter and explain: what each is, where it goes, and what keeps it from its CPU. */
import { affinityText, irouterAffinity } from '../../../pure/arch/affinity.ts'
import { GICD_CTLR } from '../../../pure/arch/gic/gicd.ts'
import { ICH_LR, LR_SOURCE_LSB, LR_STATE } from '../../../pure/arch/gic/ich.ts'
import { FIRST_LPI, irqKind, irqName, SGI_COUNT } from '../../../pure/arch/intid.ts'
import { decodeField } from '../../../pure/arch/register.ts'
import type { CpuView, InterruptsView, IrqView, MachineView, SpiView } from '../../../pure/protocol/views.ts'

export interface IrqRow extends IrqView {
  readonly name: string
  /** GICD_IROUTER of an SPI, as the guest reads it. */
  readonly irouter: bigint | undefined
  readonly pending: boolean
  /** Place in the list registers of the watched vCPU, where it stands in one. */
  readonly listRegister: number | undefined
  /** Why it does not reach its CPU, or nothing where nothing keeps it. */
  readonly why: string | undefined
}

const hex = (value: number): string => `0x${value.toString(16)}`

const isPending = ({ latch, line, edge }: IrqView): boolean => latch || (line && !edge)

interface World {
  readonly gicdCtlr: number
  readonly cpus: readonly CpuView[]
  /** The vCPU whose private interrupts these are. */
  readonly cpu: number
}

/** What a list register holds. */
export interface ListRegister {
  readonly intid: number
  readonly pending: boolean
  readonly active: boolean
}

/** Nothing where the register is empty, or holds what is neither pending nor active. */
export const registerOf = (value: bigint): ListRegister | undefined => {
  const state = Number(decodeField(ICH_LR, 'State', value))
  if (state === 0) return undefined
  // The source of a GICv2's SGI stands above its number, and below every LPI.
  const virtual = Number(decodeField(ICH_LR, 'vINTID', value))
  const sgi = virtual & ((1 << LR_SOURCE_LSB) - 1)
  return {
    intid: virtual < FIRST_LPI && sgi < SGI_COUNT ? sgi : virtual,
    pending: (state & LR_STATE.pending) !== 0,
    active: (state & LR_STATE.active) !== 0,
  }
}

/** What keeps an interrupt that is pending from the CPU it is for; the first thing on its way. */
const whyNot = (irq: IrqView, spi: SpiView | undefined, { gicdCtlr, cpus, cpu }: World): string | undefined => {
  if (!isPending(irq)) return undefined
  if (!irq.enabled) return 'It is pending and not enabled: GICD_ISENABLER or GICR_ISENABLER0 has its bit clear.'
  const target = irqKind(irq.intid) === 'SPI' ? irq.target : cpu
  if (target === undefined) {
    const at = spi === undefined ? '' : ` at ${affinityText(irouterAffinity.decode(spi.irouter))}`
    return `No vCPU was found${at} when its route was written: it stays pending.`
  }
  const group = irq.group === 1 ? 'EnableGrp1' : 'EnableGrp0'
  if (decodeField(GICD_CTLR, group, BigInt(gicdCtlr)) === 0n)
    return `GICD_CTLR.${group} is 0: the distributor holds it.`
  const at = cpus[target]
  if (at === undefined) return undefined
  if (at.state === 'off') return `vCPU ${target} is off.`
  if (irq.group === 1 && !at.igrpen1) return `ICC_IGRPEN1_EL1 of vCPU ${target} is 0: it takes nothing of Group 1.`
  if (irq.priority >= at.priorityMask) {
    return `Its priority ${hex(irq.priority)} is not below ICC_PMR_EL1 = ${hex(at.priorityMask)} of vCPU ${target}.`
  }
  if (irq.active) return 'It is active: the next one waits for the end of this.'
  const urgent = at.active.filter((intid) => intid !== irq.intid)
  if (urgent.length > 0)
    return `vCPU ${target} has ${irqName(urgent[0] ?? 0)} active, and takes only what is more urgent.`
  return undefined
}

export const irqRows = (
  view: InterruptsView,
  machine: Pick<MachineView, 'gicdCtlr' | 'cpus' | 'spis'>,
): readonly IrqRow[] => {
  const spis = new Map(machine.spis.map((spi) => [spi.intid, spi]))
  const world: World = { gicdCtlr: machine.gicdCtlr, cpus: machine.cpus, cpu: view.cpu }
  const inRegisters = (machine.cpus[view.cpu]?.listRegisters ?? []).map(registerOf)
  return view.irqs.map((irq) => {
    const spi = spis.get(irq.intid)
    const register = inRegisters.findIndex((lr) => lr?.intid === irq.intid)
    return {
      ...irq,
      name: irqName(irq.intid),
      irouter: spi?.irouter,
      pending: isPending(irq),
      listRegister: register === -1 ? undefined : register,
      why: whyNot(irq, spi, world),
    }
  })
}

/** Words a person may type to see fewer rows, besides a number or part of a name. */
const STATES: Readonly<Record<string, (row: IrqRow) => boolean>> = {
  enabled: (row) => row.enabled,
  disabled: (row) => !row.enabled,
  pending: (row) => row.pending,
  active: (row) => row.active,
  edge: (row) => row.edge,
  level: (row) => !row.edge,
  stuck: (row) => row.why !== undefined,
  sgi: (row) => irqKind(row.intid) === 'SGI',
  ppi: (row) => irqKind(row.intid) === 'PPI',
  spi: (row) => irqKind(row.intid) === 'SPI',
  lpi: (row) => irqKind(row.intid) === 'LPI',
}
export const STATE_WORDS: readonly string[] = Object.keys(STATES)

/** Rows that every word of a text is true of. */
export const filterRows = (rows: readonly IrqRow[], text: string): readonly IrqRow[] => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return rows.filter((row) =>
    words.every((word) => {
      if (Object.hasOwn(STATES, word)) return STATES[word]?.(row) === true
      return String(row.intid) === word || (!/^\d+$/.test(word) && row.name.toLowerCase().includes(word))
    }),
  )
}

/** In use: what a guest has touched, or what waits. */
export const inUse = ({ enabled, pending, active, intid }: IrqRow): boolean =>
  pending || active || (enabled && irqKind(intid) !== 'SGI') || (enabled && intid < 8)
