/** The five places in which a person meets an affinity, each with its bits, and how it is read back from a value. */
import {
  AFFINITY_BYTES,
  affinityOf,
  affinityLevels,
  attributeAffinity,
  decodeSgi,
  encodeSgi,
  irouterAffinity,
  mpidrAffinity,
  mpidrOf,
  SGI_LIST,
  sgiTo,
  typerAffinity,
} from './affinity.ts'
import type { Affinity, AffinityCodec } from './affinity.ts'

export type ReadForm =
  | { readonly ok: true; readonly affinity: Affinity }
  | { readonly ok: false; readonly what: string }

export interface AffinityForm {
  readonly name: string
  /** Where it is met, in a sentence. */
  readonly says: string
  readonly source: string
  /** The lowest bit of each level; a level that is absent is carried in another way. */
  readonly bytes: Partial<Record<'aff3' | 'aff2' | 'aff1' | 'aff0', number>>
  /** All else zero, but for what the register always has. */
  encode(affinity: Affinity): bigint
  read(value: bigint): ReadForm
}

const WIDTH = 64n
const wrong = (what: string): ReadForm => ({ ok: false, what })
const hex = (value: bigint): string => `0x${value.toString(16)}`

/** `others`: bits that the register may have besides, which are passed over. */
const byMask =
  (name: string, codec: AffinityCodec, others: bigint) =>
  (value: bigint): ReadForm => {
    if (value >> WIDTH !== 0n) return wrong(`${hex(value)} has more than 64 bits.`)
    const rest = value & ~(codec.mask | others)
    if (rest !== 0n) return wrong(`Bits ${hex(rest)} of ${name} are no part of an affinity.`)
    return { ok: true, affinity: codec.decode(value) }
  }

/** MPIDR_EL1: RES1, U and MT (Arm ARM D24.2). */
const MPIDR_FLAGS = (1n << 31n) | (1n << 30n) | (1n << 24n)
const LOW_WORD = 0xffff_ffffn

const readSgi = (value: bigint): ReadForm => {
  if (value >> WIDTH !== 0n) return wrong(`${hex(value)} has more than 64 bits.`)
  const { cluster, targetList, rangeSelector, allButSelf } = decodeSgi(value)
  if (allButSelf) return wrong('IRM is set: this SGI goes to every CPU but the sender, and the rest is ignored.')
  const bits = Array.from({ length: SGI_LIST }, (_, bit) => bit).filter((bit) => (targetList >> bit) & 1)
  const [bit] = bits
  if (bit === undefined) return wrong('The target list is empty: this SGI goes to nobody.')
  if (bits.length > 1) return wrong(`The target list names ${bits.length} CPUs; an affinity is one of them.`)
  return { ok: true, affinity: affinityOf({ ...affinityLevels(cluster), aff0: rangeSelector * SGI_LIST + bit }) }
}

export const AFFINITY_FORMS: readonly AffinityForm[] = [
  {
    name: 'MPIDR_EL1',
    says: 'What a CPU reads of itself; device tree and PSCI have the same bits without the flags.',
    source: 'Arm ARM D24.2, MPIDR_EL1',
    bytes: AFFINITY_BYTES.mpidr,
    encode: mpidrOf,
    read: byMask('MPIDR_EL1', mpidrAffinity, MPIDR_FLAGS),
  },
  {
    name: 'GICR_TYPER',
    says: 'What a redistributor says of the CPU it belongs to, in its upper word.',
    source: 'IHI 0069, 12.11, GICR_TYPER',
    bytes: AFFINITY_BYTES.typer,
    encode: typerAffinity.encode,
    read: byMask('GICR_TYPER', typerAffinity, LOW_WORD),
  },
  {
    name: 'GICD_IROUTER',
    says: 'Where an SPI goes. Bit 31 is the routing mode.',
    source: 'IHI 0069, 12.9, GICD_IROUTER<n>',
    bytes: AFFINITY_BYTES.irouter,
    encode: irouterAffinity.encode,
    read: byMask('GICD_IROUTER', irouterAffinity, 0n),
  },
  {
    name: 'ICC_SGI1R_EL1',
    says: 'Where an SGI goes. Aff0 is a bit of the target list in 15:0, in steps of 16 by RS in 47:44.',
    source: 'IHI 0069, 12.2, ICC_SGI1R_EL1',
    bytes: AFFINITY_BYTES.sgi1r,
    encode: (affinity) => encodeSgi(sgiTo(affinity, 0)),
    read: readSgi,
  },
  {
    name: 'KVM attribute',
    says: "How userspace names a CPU's registers to the vGIC device: the affinity above, the offset below.",
    source: 'Documentation/virt/kvm/devices/arm-vgic-v3.rst',
    bytes: AFFINITY_BYTES.attribute,
    encode: attributeAffinity.encode,
    read: byMask('the attribute', attributeAffinity, LOW_WORD),
  },
]

/** A number as a person writes it in a field: hexadecimal, with or without 0x, `_` where it helps. */
export const readHex = (text: string): bigint | undefined => {
  const digits = text.trim().toLowerCase().replace(/^0x/, '').replaceAll('_', '')
  return /^[0-9a-f]+$/.test(digits) ? BigInt(`0x${digits}`) : undefined
}

/** What a field with this text says, whatever form it is of; an affinity itself may stand there as well. */
export const readForm = (form: AffinityForm, text: string): ReadForm => {
  const value = readHex(text)
  return value === undefined
    ? wrong(`"${text.trim()}" is not a hexadecimal number of 64 bits, such as ${hex(form.encode(0x0100_0002))}.`)
    : form.read(value)
}
