/** Where an entry of the device or collection table lies in guest memory: vgic_its_check_id(). */
import { GITS_BASER } from '../../../pure/arch/gic/gits.ts'
import { ENTRY_BYTES, LEVEL_1_ENTRY, PAGE_ADDRESS_LSB, TABLE_PAGE_BYTES } from '../../../pure/arch/gic/its-tables.ts'
import { decodeField } from '../../../pure/arch/register.ts'
import type { GuestMemory } from '../../bus/guest-memory.ts'

/** DeviceIDs and collection numbers have no more bits (VITS_TYPER_DEVBITS; GITS_TYPER.CIL = 0). */
export const TABLE_ID_BITS = 16
const ENTRIES_PER_PAGE = TABLE_PAGE_BYTES / ENTRY_BYTES

/** What a GITS_BASER<n> says. */
export interface Table {
  readonly valid: boolean
  readonly base: number
  /** Of the first level, where there are two. */
  readonly bytes: number
  readonly indirect: boolean
}

/** With pages of 64 KiB, bits 15:12 of the register are bits 51:48 of the address (IHI 0069, GITS_BASER<n>). */
const HIGH_ADDRESS = { mask: 0xfn, lsb: 12n } as const

const baseOf = (baser: bigint): number => {
  const field = decodeField(GITS_BASER, 'Physical_Address', baser)
  const high = field & HIGH_ADDRESS.mask
  return Number((high << 48n) | ((field & ~HIGH_ADDRESS.mask) << HIGH_ADDRESS.lsb))
}

export const tableOf = (baser: bigint): Table => ({
  valid: decodeField(GITS_BASER, 'Valid', baser) === 1n,
  base: baseOf(baser),
  bytes: (Number(decodeField(GITS_BASER, 'Size', baser)) + 1) * TABLE_PAGE_BYTES,
  indirect: decodeField(GITS_BASER, 'Indirect', baser) === 1n,
})

/** The page of the second level that a first-level entry names. */
export const levelTwoPage = (entry: bigint): number | undefined =>
  decodeField(LEVEL_1_ENTRY, 'Valid', entry) === 0n
    ? undefined
    : Number(decodeField(LEVEL_1_ENTRY, 'Physical_Address', entry) << PAGE_ADDRESS_LSB)

/** The address of an entry that exists and lies in RAM. */
export const entryAddress = (memory: GuestMemory, table: Table, id: number): number | undefined => {
  if (id >= 2 ** TABLE_ID_BITS) return undefined
  const address = table.indirect ? indirectAddress(memory, table, id) : directAddress(table, id)
  return address !== undefined && memory.has(address) ? address : undefined
}

const directAddress = ({ base, bytes }: Table, id: number): number | undefined =>
  id < bytes / ENTRY_BYTES ? base + id * ENTRY_BYTES : undefined

const indirectAddress = (memory: GuestMemory, { base, bytes }: Table, id: number): number | undefined => {
  const index = Math.floor(id / ENTRIES_PER_PAGE)
  if (index >= bytes / ENTRY_BYTES) return undefined
  const entry = memory.readDoubleword(base + index * ENTRY_BYTES)
  const page = entry === undefined ? undefined : levelTwoPage(entry)
  return page === undefined ? undefined : page + (id % ENTRIES_PER_PAGE) * ENTRY_BYTES
}
