/** What an interrupt's number says about it (GIC architecture IHI 0069, 2.2.1). */

export const SGI_COUNT = 16
/** SGIs and PPIs: every CPU has its own. */
export const PRIVATE_COUNT = 32
export const FIRST_SPI = PRIVATE_COUNT
export const LAST_SPI = 1019
export const FIRST_LPI = 8192
/** GICC_IAR: an interrupt of Group 1 is pending, which this register does not acknowledge. */
export const GROUP_1_PENDING = 1022
/** No interrupt to acknowledge. */
export const SPURIOUS = 1023

export type IrqKind = 'SGI' | 'PPI' | 'SPI' | 'special' | 'LPI' | 'reserved'

export const irqKind = (intid: number): IrqKind => {
  if (intid < SGI_COUNT) return 'SGI'
  if (intid < PRIVATE_COUNT) return 'PPI'
  if (intid <= LAST_SPI) return 'SPI'
  if (intid <= SPURIOUS) return 'special'
  return intid >= FIRST_LPI ? 'LPI' : 'reserved'
}

/** The usual owner of a PPI (Arm BSA, "PPI assignments"). */
const PPI_NAMES: Readonly<Record<number, string>> = {
  23: 'PMU overflow',
  25: 'GIC maintenance',
  26: 'EL2 physical timer',
  27: 'EL1 virtual timer',
  28: 'EL2 virtual timer',
  29: 'EL3 physical timer',
  30: 'EL1 physical timer',
}

export const PPI = { pmu: 23, virtualTimer: 27, physicalTimer: 30 } as const

export const irqName = (intid: number): string => {
  const kind = irqKind(intid)
  if (kind === 'SGI') return `SGI ${intid}`
  if (kind === 'PPI') return PPI_NAMES[intid] ?? `PPI ${intid - SGI_COUNT}`
  if (kind === 'SPI') return `SPI ${intid - FIRST_SPI}`
  return `${kind} ${intid}`
}
