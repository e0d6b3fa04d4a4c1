import { describe, expect, it } from 'vitest'
import { GICD_TYPER, gicdFrame } from './gic/gicd.ts'
import { GICR_TYPER, gicrFrame } from './gic/gicr.ts'
import { gitsFrame } from './gic/gits.ts'
import {
  COLLECTION_TABLE_ENTRY,
  DEVICE_TABLE_ENTRY,
  LEVEL_1_ENTRY,
  LPI_CONFIGURATION,
  TRANSLATION_ENTRY,
} from './gic/its-tables.ts'
import { irqKind, irqName } from './intid.ts'
import {
  decodeField,
  encodeRegister,
  explainRegister,
  fieldMask,
  firstIrqAt,
  registerAt,
  registerFrame,
} from './register.ts'
import type { Register } from './register.ts'

describe('a register', () => {
  it('explains its fields from the top', () => {
    const explained = explainRegister(GICR_TYPER, 0x0100_0002_0001_2c10n)
    expect(explained[0]).toEqual({ field: 'Affinity_Value', bits: '63:32', value: 0x0100_0002n, text: '1.0.0.2' })
    expect(explained.find(({ field }) => field === 'Processor_Number')).toMatchObject({ bits: '23:8', value: 300n })
    expect(explained.find(({ field }) => field === 'Last')).toMatchObject({ bits: '4', value: 1n })
    expect(explainRegister(GICD_TYPER, 0x0148_0007n).find(({ field }) => field === 'ITLinesNumber')?.text).toBe(
      'INTIDs up to 255',
    )
  })

  it('puts fields together and takes them apart', () => {
    const value = encodeRegister(GICD_TYPER, { ITLinesNumber: 7, IDbits: 9, A3V: true })
    expect(value).toBe(0x0148_0007n)
    expect(decodeField(GICD_TYPER, 'IDbits', value)).toBe(9n)
    expect(() => encodeRegister(GICD_TYPER, { ITLinesNumber: 32 })).toThrow('does not fit')
    expect(() => encodeRegister(GICD_TYPER, { Nothing: 0 })).toThrow('no field Nothing')
  })

  const entries: readonly Register[] = [
    COLLECTION_TABLE_ENTRY,
    DEVICE_TABLE_ENTRY,
    LEVEL_1_ENTRY,
    LPI_CONFIGURATION,
    TRANSLATION_ENTRY,
  ]

  it.each([...gicdFrame, ...gicrFrame, ...gitsFrame, ...entries].map((register) => [register.name, register] as const))(
    '%s has fields that neither overlap nor leave it',
    (_, register) => {
      const masks = (register.fields ?? []).map(fieldMask)
      expect(masks.reduce((all, mask) => all | mask, 0n)).toBe(masks.reduce((sum, mask) => sum + mask, 0n))
      const bits = register.perIrq?.bits ?? register.size * 8
      expect(masks.every((mask) => mask >> BigInt(bits) === 0n)).toBe(true)
    },
  )
})

const at = (offset: number) => registerAt(gicdFrame, offset)?.name
const intid = (offset: number) => {
  const register = registerAt(gicdFrame, offset)
  return register && firstIrqAt(register, offset)
}

describe('a frame', () => {
  it('finds registers by offset', () => {
    expect([0, 4, 0x100, 0x17f, 0x180, 0x6140, 0x6144, 0xffe8].map(at)).toEqual([
      'GICD_CTLR',
      'GICD_TYPER',
      'GICD_ISENABLER',
      'GICD_ISENABLER',
      'GICD_ICENABLER',
      'GICD_IROUTER',
      'GICD_IROUTER',
      'GICD_PIDR2',
    ])
    expect([0x14, 0x4000, 0xffcc, 0x10000].map(at)).toEqual([undefined, undefined, undefined, undefined])
  })
  it('knows which interrupt a word of a bank begins with', () => {
    expect([0x104, 0x428, 0xc08, 0x6140, 0x6144].map(intid)).toEqual([32, 40, 32, 40, 40])
  })
  it('cannot have two registers in one place', () => {
    const register = { name: 'A', offset: 0, size: 8, access: [4] } as const
    expect(() => registerFrame([register, { ...register, name: 'B', offset: 4 }])).toThrow('A overlaps B')
  })
})

describe('an INTID', () => {
  it('says what it is', () => {
    expect([0, 15, 16, 31, 32, 1019, 1020, 1023, 1024, 8191, 8192].map(irqKind)).toEqual([
      'SGI',
      'SGI',
      'PPI',
      'PPI',
      'SPI',
      'SPI',
      'special',
      'special',
      'reserved',
      'reserved',
      'LPI',
    ])
    expect([5, 27, 31, 33].map(irqName)).toEqual(['SGI 5', 'EL1 virtual timer', 'PPI 15', 'SPI 1'])
  })
})
