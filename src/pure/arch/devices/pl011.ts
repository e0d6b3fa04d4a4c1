/** The PL011 UART's registers (Arm DDI 0183, 3.2). */
import { registerFrame, whether } from '../register.ts'
import type { Field, Register } from '../register.ts'
import { PRIMECELL_ID } from './primecell.ts'
import type { PrimeCellId } from './primecell.ts'

export const PL011_SIZE = 0x1000

/** Revision 1: a FIFO of 16 (drivers/tty/serial/amba-pl011.c takes 32 from revision 3 on). */
export const PL011_ID: PrimeCellId = { peripheral: 0x00141011, cell: PRIMECELL_ID }
export const PL011_FIFO = 16

/** UARTFR. */
export const FR = { BUSY: 0x08, RXFE: 0x10, TXFF: 0x20, RXFF: 0x40, TXFE: 0x80 } as const
/** UARTLCR_H. */
export const LCR_H = { FEN: 0x10 } as const
/** UARTCR. */
export const CR = { UARTEN: 0x001, LBE: 0x080, TXE: 0x100, RXE: 0x200 } as const
/** UARTRIS, UARTMIS, UARTIMSC and UARTICR. */
export const INT = { RX: 0x010, TX: 0x020, RT: 0x040, OE: 0x400 } as const
/** UARTIFLS.RXIFLSEL: the receive FIFO's trigger level. */
export const RX_LEVELS = [2, 4, 8, 12, 14] as const
export const RXIFLSEL = { lsb: 3, mask: 7 } as const

const ACCESS = [1, 2, 4] as const

const flags = (bits: Readonly<Record<string, number>>): readonly Field[] =>
  Object.entries(bits).map(([name, bit]) => ({ name, lsb: 31 - Math.clz32(bit), width: 1 }))

/** The levels of UARTIFLS; each FIFO has its own. */
const LEVELS = ['1/8', '1/4', '1/2', '3/4', '7/8'] as const
const level: Field['text'] = (value) => {
  const part = LEVELS[Number(value)]
  return part === undefined ? 'reserved' : `${part} full`
}
const number = (name: string, width: number): readonly Field[] => [{ name, lsb: 0, width, text: (value) => `${value}` }]

const lineControl: readonly Field[] = [
  ...flags(LCR_H),
  { name: 'BRK', lsb: 0, width: 1 },
  { name: 'PEN', lsb: 1, width: 1, text: whether('parity', 'no parity') },
  { name: 'EPS', lsb: 2, width: 1, text: whether('even', 'odd') },
  { name: 'STP2', lsb: 3, width: 1, text: whether('two stop bits', 'one stop bit') },
  { name: 'WLEN', lsb: 5, width: 2, text: (value) => `${value + 5n} bits` },
  { name: 'SPS', lsb: 7, width: 1 },
]

export const pl011 = [
  { name: 'UARTDR', offset: 0x00, size: 4, access: ACCESS, fields: [{ name: 'DATA', lsb: 0, width: 8 }] },
  { name: 'UARTRSR', offset: 0x04, size: 4, access: ACCESS, fields: flags({ FE: 1, PE: 2, BE: 4, OE: 8 }) },
  { name: 'UARTFR', offset: 0x18, size: 4, access: ACCESS, fields: flags(FR) },
  { name: 'UARTILPR', offset: 0x20, size: 4, access: ACCESS, fields: number('ILPDVSR', 8) },
  { name: 'UARTIBRD', offset: 0x24, size: 4, access: ACCESS, fields: number('BAUD_DIVINT', 16) },
  { name: 'UARTFBRD', offset: 0x28, size: 4, access: ACCESS, fields: number('BAUD_DIVFRAC', 6) },
  { name: 'UARTLCR_H', offset: 0x2c, size: 4, access: ACCESS, fields: lineControl },
  { name: 'UARTCR', offset: 0x30, size: 4, access: ACCESS, fields: flags(CR) },
  {
    name: 'UARTIFLS',
    offset: 0x34,
    size: 4,
    access: ACCESS,
    fields: [
      { name: 'RXIFLSEL', lsb: RXIFLSEL.lsb, width: 3, text: level },
      { name: 'TXIFLSEL', lsb: 0, width: 3, text: level },
    ],
  },
  { name: 'UARTIMSC', offset: 0x38, size: 4, access: ACCESS, fields: flags(INT) },
  { name: 'UARTRIS', offset: 0x3c, size: 4, access: ACCESS, fields: flags(INT) },
  { name: 'UARTMIS', offset: 0x40, size: 4, access: ACCESS, fields: flags(INT) },
  { name: 'UARTICR', offset: 0x44, size: 4, access: ACCESS, fields: flags(INT) },
  {
    name: 'UARTDMACR',
    offset: 0x48,
    size: 4,
    access: ACCESS,
    fields: flags({ RXDMAE: 1, TXDMAE: 2, DMAONERR: 4 }),
  },
] as const satisfies readonly Register[]

export type Pl011Name = (typeof pl011)[number]['name']

export const pl011Frame = registerFrame(pl011)

/** Registers that only store: the bits they have, and the value after reset. */
export const PL011_STORED = {
  UARTILPR: { mask: 0xff, reset: 0 },
  UARTIBRD: { mask: 0xffff, reset: 0 },
  UARTFBRD: { mask: 0x3f, reset: 0 },
  UARTLCR_H: { mask: 0xff, reset: 0 },
  UARTCR: { mask: 0xff87, reset: CR.TXE | CR.RXE },
  UARTIFLS: { mask: 0x3f, reset: 0x12 },
  UARTIMSC: { mask: 0x7ff, reset: 0 },
  UARTDMACR: { mask: 7, reset: 0 },
} as const satisfies Partial<Record<Pl011Name, { mask: number; reset: number }>>
