/**
 * The registers of an Interrupt Translation Service (GIC architecture IHI 0069, 12.19; offsets from GITS_base). The
 * control frame is followed by the translation frame, where a device's message ends.
 */
import { DOUBLEWORD, registerFrame, whether, WORD } from '../register.ts'
import type { Field, Register } from '../register.ts'
import { identificationRegisters } from './identification.ts'
import { IIDR_FIELDS } from './iidr.ts'

/** Control and translation frame, 64 KiB each. */
export const GITS_SIZE = 0x20000
/** GITS_TRANSLATER: where a device writes its EventID. */
export const GITS_TRANSLATER = 0x1_0040

const pages = (size: string) => (value: bigint) => `${value + 1n} ${value === 0n ? 'page' : 'pages'}${size}`
const address =
  (lsb: bigint) =>
  (value: bigint): string =>
    `0x${(value << lsb).toString(16)}`

/** What GITS_CBASER and GITS_BASER<n> say about memory at the same places (12.19.2). */
const MEMORY_FIELDS = [
  { name: 'Shareability', lsb: 10, width: 2 },
  { name: 'OuterCache', lsb: 53, width: 3 },
  { name: 'InnerCache', lsb: 59, width: 3 },
  { name: 'Valid', lsb: 63, width: 1, text: whether('there is memory', 'nothing is allocated') },
] as const satisfies readonly Field[]

export const GITS_CTLR = {
  name: 'GITS_CTLR',
  offset: 0x0000,
  size: 4,
  access: WORD,
  fields: [
    { name: 'Enabled', lsb: 0, width: 1, text: whether('translates', 'off') },
    { name: 'ImDe', lsb: 1, width: 1 },
    { name: 'ITS_Number', lsb: 4, width: 4 },
    { name: 'Quiescent', lsb: 31, width: 1, text: whether('nothing under way', 'commands are under way') },
  ],
} as const satisfies Register

/** KVM: Revision is the layout of the tables it saves (Documentation/virt/kvm/devices/arm-vgic-its.rst). */
export const GITS_IIDR = {
  name: 'GITS_IIDR',
  offset: 0x0004,
  size: 4,
  access: WORD,
  fields: IIDR_FIELDS,
} as const satisfies Register

export const GITS_TYPER = {
  name: 'GITS_TYPER',
  offset: 0x0008,
  size: 8,
  access: DOUBLEWORD,
  fields: [
    { name: 'Physical', lsb: 0, width: 1, text: whether('physical LPIs', 'no physical LPIs') },
    { name: 'Virtual', lsb: 1, width: 1, text: whether('virtual LPIs', 'no virtual LPIs') },
    { name: 'CCT', lsb: 2, width: 1 },
    { name: 'ITT_entry_size', lsb: 4, width: 4, text: (value) => `${value + 1n} bytes an ITT entry` },
    { name: 'ID_bits', lsb: 8, width: 5, text: (value) => `EventIDs of ${value + 1n} bits` },
    { name: 'Devbits', lsb: 13, width: 5, text: (value) => `DeviceIDs of ${value + 1n} bits` },
    { name: 'SEIS', lsb: 18, width: 1 },
    { name: 'PTA', lsb: 19, width: 1, text: whether('RDbase is an address', 'RDbase is a processor number') },
    { name: 'HCC', lsb: 24, width: 8, text: (value) => `${value} collections without memory` },
    { name: 'CIDbits', lsb: 32, width: 4 },
    { name: 'CIL', lsb: 36, width: 1 },
    { name: 'VMOVP', lsb: 37, width: 1 },
  ],
} as const satisfies Register

/** The ring of commands that software writes. */
export const GITS_CBASER = {
  name: 'GITS_CBASER',
  offset: 0x0080,
  size: 8,
  access: DOUBLEWORD,
  fields: [
    { name: 'Size', lsb: 0, width: 8, text: pages(' of 4 KiB') },
    { name: 'Physical_Address', lsb: 12, width: 40, text: address(12n) },
    ...MEMORY_FIELDS,
  ],
} as const satisfies Register

/** Where the next command will be written, from the start of the ring. */
export const GITS_CWRITER = {
  name: 'GITS_CWRITER',
  offset: 0x0088,
  size: 8,
  access: DOUBLEWORD,
  fields: [
    { name: 'Retry', lsb: 0, width: 1 },
    { name: 'Offset', lsb: 5, width: 15, text: address(5n) },
  ],
} as const satisfies Register

/** Where the next command will be read. */
export const GITS_CREADR = {
  name: 'GITS_CREADR',
  offset: 0x0090,
  size: 8,
  access: DOUBLEWORD,
  fields: [
    { name: 'Stalled', lsb: 0, width: 1 },
    { name: 'Offset', lsb: 5, width: 15, text: address(5n) },
  ],
} as const satisfies Register

/** GITS_BASER<n>.Type: which table it is. */
export const TABLE_TYPE = { none: 0n, devices: 1n, vPEs: 2n, collections: 4n } as const
/** GITS_BASER<n>.Page_Size: 4, 16 or 64 KiB. */
export const PAGE_SIZE_64K = 2n
export const BASER_COUNT = 8

/** Eight of them: GITS_BASER0 to GITS_BASER7. */
export const GITS_BASER = {
  name: 'GITS_BASER',
  offset: 0x0100,
  size: BASER_COUNT * 8,
  each: 8,
  access: DOUBLEWORD,
  fields: [
    { name: 'Size', lsb: 0, width: 8, text: pages('') },
    {
      name: 'Page_Size',
      lsb: 8,
      width: 2,
      text: (value) => ['4 KiB', '16 KiB', '64 KiB'][Number(value)] ?? 'reserved',
    },
    { name: 'Physical_Address', lsb: 12, width: 36, text: address(12n) },
    { name: 'Entry_Size', lsb: 48, width: 5, text: (value) => `${value + 1n} bytes an entry` },
    {
      name: 'Type',
      lsb: 56,
      width: 3,
      text: (value) => Object.entries(TABLE_TYPE).find(([, type]) => type === value)?.[0] ?? 'reserved',
    },
    { name: 'Indirect', lsb: 62, width: 1, text: whether('two levels', 'one level') },
    ...MEMORY_FIELDS,
  ],
} as const satisfies Register

export const gits = [
  GITS_CTLR,
  GITS_IIDR,
  GITS_TYPER,
  GITS_CBASER,
  GITS_CWRITER,
  GITS_CREADR,
  GITS_BASER,
  ...identificationRegisters('GITS'),
] as const satisfies readonly Register[]

export type GitsName = (typeof gits)[number]['name']

export const gitsFrame = registerFrame(gits)
