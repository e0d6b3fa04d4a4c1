/** The registers of a frame of memory, bank by bank, and the attributes by which KVM has them. */
import { FRAMES, registerName } from '../../arch/frames.ts'
import type { FrameName } from '../../arch/frames.ts'
import { irqName } from '../../arch/intid.ts'
import { firstIrqAt } from '../../arch/register.ts'
import type { Field, Register } from '../../arch/register.ts'
import { registerAttr, v2RegisterAttr, VGIC_GROUP } from '../vgic-attr.ts'
import { getAttr, readEffect, setAttr } from './row.ts'
import type { BookContext, BookRow } from './row.ts'

/** What a bit, or a few, of a bank mean: each interrupt has its own. */
const bankFields = (register: Register, offset: number, bytes: number): readonly Field[] => {
  const { bits = 1, text } = register.perIrq ?? {}
  const first = firstIrqAt(register, offset)
  return Array.from({ length: (bytes * 8) / bits }, (_, i) => ({
    name: irqName(first + i),
    lsb: i * bits,
    width: bits,
    ...(text === undefined ? {} : { text }),
  }))
}

interface Part {
  readonly register: Register
  readonly offset: number
  readonly bytes: 4 | 8
}

/** A register, the words of a bank, the registers of a row, or those of a row of identification registers. */
const partsOf = (register: Register, nrIrqs: number): readonly Part[] => {
  const { perIrq, each, size, offset, access } = register
  const wide = access.includes(8)
  if (perIrq === undefined && size <= 8) return [{ register, offset, bytes: size === 8 && wide ? 8 : 4 }]
  const bytes = perIrq?.bits === 64 ? 8 : (each ?? 4)
  const all = Array.from({ length: Math.ceil(size / bytes) }, (_, i): Part => ({
    register,
    offset: offset + bytes * i,
    bytes,
  }))
  return perIrq === undefined ? all : all.filter((part) => size <= 8 || firstIrqAt(register, part.offset) < nrIrqs)
}

/** How KVM has a register of a frame: the calls that read it and write it, in order; `undefined`: not at all. */
type Access = Pick<BookRow, 'user' | 'write'>
const NONE: Access = { user: [], write: undefined }

/** An attribute for each word of 32 bits. */
const byWords = (group: number, attribute: (offset: number) => bigint, { offset, bytes }: Part): Access => {
  const words = bytes === 8 ? [offset, offset + 4] : [offset]
  return {
    user: words.map((word) => getAttr(group, attribute(word))),
    write: (value) =>
      words.map((word, i) => setAttr(group, attribute(word), BigInt.asUintN(32, value >> BigInt(32 * i)))),
  }
}

/** Of the first ITS, whose attributes have 64 bits (Documentation/virt/kvm/devices/arm-vgic-its.rst). */
const ofIts = ({ offset }: Part): Access => {
  const attribute = { group: VGIC_GROUP.ITS_REGS, attr: BigInt(offset), its: 0 } as const
  return {
    user: [{ kind: 'call', call: { call: 'KVM_GET_DEVICE_ATTR', ...attribute } }],
    write: (value) => [{ call: 'KVM_SET_DEVICE_ATTR', ...attribute, value }],
  }
}

const accessOf = (frame: FrameName, { cpu, affinity }: BookContext, part: Part): Access => {
  switch (frame) {
    case 'GICD':
      return byWords(VGIC_GROUP.DIST_REGS, (offset) => registerAttr(0, offset), part)
    case 'GICR':
      return byWords(VGIC_GROUP.REDIST_REGS, (offset) => registerAttr(affinity, offset), part)
    case 'GICDv2':
      return byWords(VGIC_GROUP.DIST_REGS, (offset) => v2RegisterAttr(cpu, offset), part)
    case 'GICC':
      return byWords(VGIC_GROUP.CPU_REGS, (offset) => v2RegisterAttr(cpu, offset), part)
    case 'GITS':
      return ofIts(part)
    default:
      return NONE
  }
}

const rowOf = (frame: FrameName, context: BookContext, part: Part): BookRow => {
  const { register, offset, bytes } = part
  const unread = readEffect(register.name)
  const perInterrupt = register.perIrq !== undefined && register.perIrq.bits !== 64
  return {
    name: registerName(frame, offset),
    bytes,
    fields: perInterrupt ? bankFields(register, offset, bytes) : (register.fields ?? []),
    place: { frame, offset },
    guest: unread === undefined ? { kind: 'mmio', frame, offset, width: bytes } : undefined,
    ...(unread === undefined ? {} : { unread }),
    ...accessOf(frame, context, part),
  }
}

export const frameRows = (frame: FrameName, context: BookContext): readonly BookRow[] =>
  FRAMES[frame].registers
    .flatMap((register: Register) => partsOf(register, context.nrIrqs))
    .map((part) => rowOf(frame, context, part))
