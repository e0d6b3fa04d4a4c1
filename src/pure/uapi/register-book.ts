/**
 * Every register a person may look at, book by book: where the guest's view of it is read, where userspace's, and by
 * which KVM calls it is written. Made of the register tables alone.
 */
import type { Affinity } from '../arch/affinity.ts'
import { FRAMES } from '../arch/frames.ts'
import type { FrameName } from '../arch/frames.ts'
import { irqName } from '../arch/intid.ts'
import { firstIrqAt } from '../arch/register.ts'
import type { Field, Register } from '../arch/register.ts'
import { registerName } from '../arch/frames.ts'
import { ICC, ICC_CTLR } from '../arch/sysregs/gic-cpu.ts'
import { sysregs } from '../arch/sysregs/table.ts'
import { TIMER } from '../arch/sysregs/timer.ts'
import type { KvmCall } from './calls.ts'
import { oneRegOf } from './one-reg.ts'
import { registerAttr, v2RegisterAttr, VGIC_GROUP } from './vgic-attr.ts'

/** A look at one register, without a trace. */
export type Peek =
  | { readonly kind: 'mmio'; readonly frame: FrameName; readonly offset: number; readonly width: 4 | 8 }
  | { readonly kind: 'sysreg'; readonly encoding: number }
  /** KVM_GET_ONE_REG or KVM_GET_DEVICE_ATTR. */
  | { readonly kind: 'call'; readonly call: KvmCall }

/** Where a register is, as the trace tells of accesses to it. */
export type RegisterPlace = { readonly frame: FrameName; readonly offset: number } | { readonly encoding: number }

export interface BookRow {
  readonly name: string
  readonly bytes: 4 | 8
  readonly fields: readonly Field[]
  readonly place: RegisterPlace
  /** As the guest reads it; `undefined`: it cannot be read, or not without effect. */
  readonly guest: Peek | undefined
  /** Why the guest's view cannot be shown. */
  readonly unread?: string
  /** As userspace reads it: one call a word of 32 bits, the low one first, or one for all. */
  readonly user: readonly Peek[]
  /** The calls that write a value; `undefined`: KVM has none. */
  readonly write: ((value: bigint) => readonly KvmCall[]) | undefined
}

export interface BookContext {
  readonly cpu: number
  readonly affinity: Affinity
  /** SGIs and PPIs included. */
  readonly nrIrqs: number
}

export const BOOKS = {
  GICD: { title: 'GICD', says: 'Distributor', perCpu: false, gic: 3 },
  GICR: { title: 'GICR', says: 'Redistributor of the selected vCPU', perCpu: true, gic: 3 },
  ICC: { title: 'ICC', says: 'CPU interface of the selected vCPU', perCpu: true, gic: 3 },
  GICDv2: { title: 'GICD', says: 'Distributor of a GICv2', perCpu: true, gic: 2 },
  GICC: { title: 'GICC', says: 'CPU interface of a GICv2', perCpu: true, gic: 2 },
  GITS: { title: 'GITS', says: 'Interrupt Translation Service', perCpu: false, gic: 'its' },
  EL1: { title: 'EL1', says: 'System registers of the selected vCPU', perCpu: true, gic: undefined },
  PL011: { title: 'PL011', says: 'UART', perCpu: false, gic: undefined },
  PL031: { title: 'PL031', says: 'Real-time clock', perCpu: false, gic: undefined },
} as const
export type BookId = keyof typeof BOOKS

/** Reading these does something. */
const READ_EFFECTS: Readonly<Record<string, string>> = {
  UARTDR: 'Reading it takes a byte from the receive FIFO.',
  GICC_IAR: 'Reading it acknowledges an interrupt.',
  GICC_AIAR: 'Reading it acknowledges an interrupt.',
  ICC_IAR0_EL1: 'Reading it acknowledges an interrupt.',
  ICC_IAR1_EL1: 'Reading it acknowledges an interrupt.',
}

export const hasReadEffect = (name: string): boolean => Object.hasOwn(READ_EFFECTS, name)

const WRITE_ONLY = /^ICC_(EOIR|DIR|SGI|ASGI)/

const setAttr = (group: number, attr: bigint, value: bigint): KvmCall => ({
  call: 'KVM_SET_DEVICE_ATTR',
  group,
  attr,
  value,
})
const getAttr = (group: number, attr: bigint): Peek => ({
  kind: 'call',
  call: { call: 'KVM_GET_DEVICE_ATTR', group, attr },
})

/** What a bit, or a few, of a bank mean: each interrupt has its own. */
const bankFields = (register: Register, offset: number, bytes: number): readonly Field[] => {
  const bits = register.perIrq?.bits ?? 1
  const first = firstIrqAt(register, offset)
  return Array.from({ length: (bytes * 8) / bits }, (_, i) => ({
    name: irqName(first + i),
    lsb: i * bits,
    width: bits,
    ...(register.name.includes('ICFGR') ? { text: (value: bigint) => ((value & 2n) === 2n ? 'edge' : 'level') } : {}),
  }))
}

interface Part {
  readonly register: Register
  readonly offset: number
  readonly bytes: 4 | 8
}

/** A register, the words of a bank, or those of a row of identification registers. */
const partsOf = (register: Register, nrIrqs: number): readonly Part[] => {
  const { perIrq, size, offset, access } = register
  const wide = access.includes(8)
  if (perIrq === undefined) {
    if (size <= 8) return [{ register, offset, bytes: size === 8 && wide ? 8 : 4 }]
    return Array.from({ length: size / 4 }, (_, i) => ({ register, offset: offset + 4 * i, bytes: 4 }))
  }
  const bytes = perIrq.bits === 64 ? 8 : 4
  const all = Array.from({ length: Math.ceil(size / bytes) }, (_, i): Part => ({
    register,
    offset: offset + bytes * i,
    bytes,
  }))
  return all.filter((part) => size <= 8 || firstIrqAt(register, part.offset) < nrIrqs)
}

const words = (bytes: 4 | 8, offset: number): readonly number[] => (bytes === 8 ? [offset, offset + 4] : [offset])

/** The attribute group and attribute of a frame's word, where KVM has one. */
const attributeOf =
  (frame: FrameName, { cpu, affinity }: BookContext) =>
  (offset: number): readonly [number, bigint] | undefined => {
    switch (frame) {
      case 'GICD':
        return [VGIC_GROUP.DIST_REGS, registerAttr(0, offset)]
      case 'GICR':
        return [VGIC_GROUP.REDIST_REGS, registerAttr(affinity, offset)]
      case 'GICDv2':
        return [VGIC_GROUP.DIST_REGS, v2RegisterAttr(cpu, offset)]
      case 'GICC':
        return [VGIC_GROUP.CPU_REGS, v2RegisterAttr(cpu, offset)]
      default:
        return undefined
    }
  }

const frameRows = (frame: FrameName, context: BookContext): readonly BookRow[] => {
  const attribute = attributeOf(frame, context)
  return FRAMES[frame].registers
    .flatMap((register: Register) => partsOf(register, context.nrIrqs))
    .map(({ register, offset, bytes }): BookRow => {
      const name = registerName(frame, offset)
      const unread = READ_EFFECTS[register.name]
      const attributes = words(bytes, offset).flatMap((word) => {
        const found = attribute(word)
        return found === undefined ? [] : [found]
      })
      const perInterrupt = register.perIrq !== undefined && register.perIrq.bits !== 64
      return {
        name,
        bytes,
        fields: perInterrupt ? bankFields(register, offset, bytes) : (register.fields ?? []),
        place: { frame, offset },
        guest: unread === undefined ? { kind: 'mmio', frame, offset, width: bytes } : undefined,
        ...(unread === undefined ? {} : { unread }),
        user: attributes.map(([group, attr]) => getAttr(group, attr)),
        write:
          attributes.length === 0
            ? undefined
            : (value) =>
                attributes.map(([group, attr], i) => setAttr(group, attr, BigInt.asUintN(32, value >> BigInt(32 * i)))),
      }
    })
}

const bitWidth = (mask: number): number => 32 - Math.clz32(mask)
const ICC_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  ICC_CTLR_EL1: Object.entries(ICC_CTLR).map(([name, { lsb, mask }]) => ({ name, lsb, width: bitWidth(mask) })),
  ICC_PMR_EL1: [{ name: 'Priority', lsb: 0, width: 8 }],
  ICC_BPR0_EL1: [{ name: 'BinaryPoint', lsb: 0, width: 3 }],
  ICC_BPR1_EL1: [{ name: 'BinaryPoint', lsb: 0, width: 3 }],
  ICC_IGRPEN0_EL1: [{ name: 'Enable', lsb: 0, width: 1 }],
  ICC_IGRPEN1_EL1: [{ name: 'Enable', lsb: 0, width: 1 }],
  ICC_SRE_EL1: ['SRE', 'DFB', 'DIB'].map((name, lsb) => ({ name, lsb, width: 1 })),
}

const iccRows = ({ affinity }: BookContext): readonly BookRow[] =>
  Object.entries(ICC).map(([name, encoding]): BookRow => {
    const writeOnly = WRITE_ONLY.test(name)
    const unread = writeOnly ? 'It can only be written.' : READ_EFFECTS[name]
    const attr = registerAttr(affinity, encoding)
    const group = VGIC_GROUP.CPU_SYSREGS
    return {
      name,
      bytes: 8,
      fields: ICC_FIELDS[name] ?? [],
      place: { encoding },
      guest: unread === undefined ? { kind: 'sysreg', encoding } : undefined,
      ...(unread === undefined ? {} : { unread }),
      user: writeOnly ? [] : [getAttr(group, attr)],
      write: writeOnly ? undefined : (value) => [setAttr(group, attr, value)],
    }
  })

const AFFINITY_FIELDS: readonly Field[] = [
  { name: 'Aff3', lsb: 32, width: 8 },
  { name: 'U', lsb: 30, width: 1, text: (v) => (v === 1n ? 'one processor' : 'several processors') },
  { name: 'MT', lsb: 24, width: 1, text: (v) => (v === 1n ? 'Aff0 counts threads' : 'Aff0 counts cores') },
  { name: 'Aff2', lsb: 16, width: 8 },
  { name: 'Aff1', lsb: 8, width: 8 },
  { name: 'Aff0', lsb: 0, width: 8 },
]

const el1Rows = ({ cpu }: BookContext): readonly BookRow[] =>
  [...sysregs.map(({ name, encoding }) => [name, encoding] as const), ...Object.entries(TIMER)].map(
    ([name, encoding]): BookRow => {
      const reg = oneRegOf(encoding)
      return {
        name,
        bytes: 8,
        fields: name === 'MPIDR_EL1' ? AFFINITY_FIELDS : [],
        place: { encoding },
        guest: { kind: 'call', call: { call: 'KVM_GET_ONE_REG', vcpu: cpu, reg } },
        user: [],
        write: (value) => [{ call: 'KVM_SET_ONE_REG', vcpu: cpu, reg, value }],
      }
    },
  )

export const bookRows = (book: BookId, context: BookContext): readonly BookRow[] => {
  if (book === 'ICC') return iccRows(context)
  return book === 'EL1' ? el1Rows(context) : frameRows(book, context)
}

/** The books that a machine has. */
export const booksOf = (gic: 2 | 3, its: boolean): readonly BookId[] => {
  const has = (id: BookId): boolean => {
    const wants = BOOKS[id].gic
    return wants === undefined || wants === gic || (wants === 'its' && its)
  }
  return BOOK_IDS.filter(has)
}

const BOOK_IDS: readonly BookId[] = ['GICD', 'GICR', 'ICC', 'GICDv2', 'GICC', 'GITS', 'EL1', 'PL011', 'PL031']
