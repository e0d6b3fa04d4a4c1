/**
 * Every register a person may look at, book by book: where the guest's view of it is read, where userspace's, and by
 * which KVM calls it is written. Made of the register tables alone.
 */
import { frameRows } from './frame-rows.ts'
import type { BookContext, BookRow } from './row.ts'
import { el1Rows, iccRows, ichRows } from './system-rows.ts'

/** `wants`: what of a machine has the book; `other`: who reads it beside the guest. */
export const BOOKS = {
  GICD: { title: 'GICD', says: 'Distributor', perCpu: false, wants: 'GICv3', other: 'userspace' },
  GICR: { title: 'GICR', says: 'Redistributor', perCpu: true, wants: 'GICv3', other: 'userspace' },
  ICC: {
    title: 'ICC',
    says: 'CPU interface (hardware has ICV_*_EL1 there)',
    perCpu: true,
    wants: 'GICv3',
    other: 'userspace',
  },
  GICDv2: { title: 'GICD', says: 'Distributor of a GICv2', perCpu: true, wants: 'GICv2', other: 'userspace' },
  GICC: {
    title: 'GICC',
    says: 'CPU interface (hardware has GICV there)',
    perCpu: true,
    wants: 'GICv2',
    other: 'userspace',
  },
  ICH: {
    title: 'ICH',
    says: "The host's side of the CPU interface",
    perCpu: true,
    wants: 'host with a GICv3',
    other: 'host',
  },
  GITS: { title: 'GITS', says: 'Interrupt Translation Service', perCpu: false, wants: 'ITS', other: 'userspace' },
  EL1: { title: 'EL1', says: 'System registers', perCpu: true, wants: undefined, other: 'userspace' },
  PL011: { title: 'PL011', says: 'UART', perCpu: false, wants: undefined, other: 'userspace' },
  PL031: { title: 'PL031', says: 'Real-time clock', perCpu: false, wants: undefined, other: 'userspace' },
  VIRTIO: {
    title: 'virtio',
    says: 'First slot for a virtio device',
    perCpu: false,
    wants: undefined,
    other: 'userspace',
  },
} as const
export type BookId = keyof typeof BOOKS

export const BOOK_IDS: readonly BookId[] = [
  'GICD',
  'GICR',
  'ICC',
  'GICDv2',
  'GICC',
  'ICH',
  'GITS',
  'EL1',
  'PL011',
  'PL031',
  'VIRTIO',
]

export const bookRows = (book: BookId, context: BookContext): readonly BookRow[] => {
  switch (book) {
    case 'ICC':
      return iccRows(context)
    case 'ICH':
      return ichRows(context)
    case 'EL1':
      return el1Rows(context)
    default:
      return frameRows(book, context)
  }
}

/** What decides which books a machine has. */
export interface Shelf {
  readonly gic: 2 | 3
  readonly its: boolean
  readonly hostGicV3: boolean
}

/** The books that a machine has. */
export const booksOf = ({ gic, its, hostGicV3 }: Shelf): readonly BookId[] => {
  const there = new Set<string | undefined>([
    undefined,
    `GICv${gic}`,
    ...(its ? ['ITS'] : []),
    ...(hostGicV3 ? ['host with a GICv3'] : []),
  ])
  return BOOK_IDS.filter((id) => there.has(BOOKS[id].wants))
}
