/**
 * The identification registers at the end of a frame of the GIC (IHI 0069, 12.9 and 12.11: PIDR2.ArchRev, the others as
 * CoreSight has them, IHI 0029, B2.2).
 */
import { WORD } from '../register.ts'
import type { Field, Register } from '../register.ts'

/** PIDR2.ArchRev 3 (GICv3) with Arm's JEP106 code. */
export const PIDR2_GICV3 = 0x3bn

const architecture: Field['text'] = (value) => (value === 0n ? 'not said' : `GICv${value}`)
const preamble = (n: number): readonly Field[] => [{ name: `PRMBL_${n}`, lsb: 0, width: 8 }]

/** In the order of their addresses, from 0xffd0 on. */
const NAMES = [
  'PIDR4',
  'PIDR5',
  'PIDR6',
  'PIDR7',
  'PIDR0',
  'PIDR1',
  'PIDR2',
  'PIDR3',
  'CIDR0',
  'CIDR1',
  'CIDR2',
  'CIDR3',
] as const
type IdentificationName = (typeof NAMES)[number]
const FROM = 0xffd0

const reserved: readonly Field[] = [{ name: 'RES0', lsb: 0, width: 8 }]
const FIELDS: Readonly<Record<IdentificationName, readonly Field[]>> = {
  PIDR4: [
    { name: 'DES_2', lsb: 0, width: 4 },
    { name: 'SIZE', lsb: 4, width: 4, text: (value) => `${4n << value} KiB` },
  ],
  PIDR5: reserved,
  PIDR6: reserved,
  PIDR7: reserved,
  PIDR0: [{ name: 'PART_0', lsb: 0, width: 8 }],
  PIDR1: [
    { name: 'PART_1', lsb: 0, width: 4 },
    { name: 'DES_0', lsb: 4, width: 4 },
  ],
  PIDR2: [
    { name: 'DES_1', lsb: 0, width: 3 },
    { name: 'JEDEC', lsb: 3, width: 1 },
    { name: 'ArchRev', lsb: 4, width: 4, text: architecture },
  ],
  PIDR3: [
    { name: 'CMOD', lsb: 0, width: 4 },
    { name: 'REVAND', lsb: 4, width: 4 },
  ],
  CIDR0: preamble(0),
  CIDR1: [
    { name: 'PRMBL_1', lsb: 0, width: 4 },
    { name: 'CLASS', lsb: 4, width: 4 },
  ],
  CIDR2: preamble(2),
  CIDR3: preamble(3),
}

export type Identification<Frame extends string> = Register & { readonly name: `${Frame}_${IdentificationName}` }

export const identificationRegisters = <Frame extends string>(frame: Frame): readonly Identification<Frame>[] =>
  NAMES.map((name, i) => ({
    name: `${frame}_${name}` as const,
    offset: FROM + 4 * i,
    size: 4,
    access: WORD,
    fields: FIELDS[name],
  }))
