/**
 * What lies in guest memory for an ITS and for LPIs. How the tables of an ITS look inside is up to whoever implements
 * it: the entries are those of KVM's layout 0 (Documentation/virt/kvm/devices/arm-vgic-its.rst, "ITS Table ABI REV0");
 * first-level entries and LPI tables are the architecture's (IHI 0069, 5.2 and 5.1).
 */
import { DOUBLEWORD } from '../register.ts'
import type { Register } from '../register.ts'

/** Bytes of each kind of entry, KVM's and the first level's. */
export const ENTRY_BYTES = 8
/** An ITS of KVM has no other pages. */
export const TABLE_PAGE_BYTES = 0x1_0000

const isValid = (value: bigint): string => (value === 1n ? 'valid' : 'not valid')
const address =
  (lsb: bigint) =>
  (value: bigint): string =>
    `0x${(value << lsb).toString(16)}`

/** Bits of an address below ITT_addr, and below the page of a second-level table. */
export const ITT_ADDRESS_LSB = 8n
export const PAGE_ADDRESS_LSB = 16n

/** The first level of a device table with two: where a page of the second lies. */
export const LEVEL_1_ENTRY = {
  name: 'level 1 entry',
  offset: 0,
  size: ENTRY_BYTES,
  access: DOUBLEWORD,
  fields: [
    { name: 'Valid', lsb: 63, width: 1, text: isValid },
    { name: 'Physical_Address', lsb: 16, width: 36, text: address(PAGE_ADDRESS_LSB) },
  ],
} as const satisfies Register

export const DEVICE_TABLE_ENTRY = {
  name: 'device table entry',
  offset: 0,
  size: ENTRY_BYTES,
  access: DOUBLEWORD,
  fields: [
    { name: 'Valid', lsb: 63, width: 1, text: isValid },
    { name: 'next', lsb: 49, width: 14, text: (value) => (value === 0n ? 'the last' : `${value} further`) },
    { name: 'ITT_addr', lsb: 5, width: 44, text: address(ITT_ADDRESS_LSB) },
    { name: 'Size', lsb: 0, width: 5, text: (value) => `EventIDs of ${value + 1n} bits` },
  ],
} as const satisfies Register

/** Not indexed by ICID: collections follow each other in any order, up to an entry that is not valid. */
export const COLLECTION_TABLE_ENTRY = {
  name: 'collection table entry',
  offset: 0,
  size: ENTRY_BYTES,
  access: DOUBLEWORD,
  fields: [
    { name: 'Valid', lsb: 63, width: 1, text: isValid },
    { name: 'RDBase', lsb: 16, width: 36 },
    { name: 'ICID', lsb: 0, width: 16 },
  ],
} as const satisfies Register

/** pINTID 0 stands for an entry that is not valid. */
export const TRANSLATION_ENTRY = {
  name: 'interrupt translation entry',
  offset: 0,
  size: ENTRY_BYTES,
  access: DOUBLEWORD,
  fields: [
    { name: 'next', lsb: 48, width: 16, text: (value) => (value === 0n ? 'the last' : `${value} further`) },
    { name: 'pINTID', lsb: 16, width: 32 },
    { name: 'ICID', lsb: 0, width: 16 },
  ],
} as const satisfies Register

/** One byte for each LPI in the table at GICR_PROPBASER, the first for INTID 8192 (5.1.1). */
export const LPI_CONFIGURATION = {
  name: 'LPI configuration',
  offset: 0,
  size: 1,
  access: [1],
  fields: [
    { name: 'Enable', lsb: 0, width: 1, text: (value) => (value === 1n ? 'enabled' : 'disabled') },
    { name: 'Priority', lsb: 2, width: 6, text: (value) => `0x${(value << 2n).toString(16)}` },
  ],
} as const satisfies Register
