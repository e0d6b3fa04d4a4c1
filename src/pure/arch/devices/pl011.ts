/** The PL011 UART's registers (Arm DDI 0183, 3.2). */
import { registerFrame } from '../register.ts'
import type { Register } from '../register.ts'
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

const bits = (flags: Readonly<Record<string, number>>) =>
  Object.entries(flags).map(([name, bit]) => ({ name, lsb: 31 - Math.clz32(bit), width: 1 }))

export const pl011 = [
  { name: 'UARTDR', offset: 0x00, size: 4, access: ACCESS, fields: [{ name: 'DATA', lsb: 0, width: 8 }] },
  { name: 'UARTRSR', offset: 0x04, size: 4, access: ACCESS },
  { name: 'UARTFR', offset: 0x18, size: 4, access: ACCESS, fields: bits(FR) },
  { name: 'UARTILPR', offset: 0x20, size: 4, access: ACCESS },
  { name: 'UARTIBRD', offset: 0x24, size: 4, access: ACCESS },
  { name: 'UARTFBRD', offset: 0x28, size: 4, access: ACCESS },
  { name: 'UARTLCR_H', offset: 0x2c, size: 4, access: ACCESS, fields: bits(LCR_H) },
  { name: 'UARTCR', offset: 0x30, size: 4, access: ACCESS, fields: bits(CR) },
  { name: 'UARTIFLS', offset: 0x34, size: 4, access: ACCESS },
  { name: 'UARTIMSC', offset: 0x38, size: 4, access: ACCESS, fields: bits(INT) },
  { name: 'UARTRIS', offset: 0x3c, size: 4, access: ACCESS, fields: bits(INT) },
  { name: 'UARTMIS', offset: 0x40, size: 4, access: ACCESS, fields: bits(INT) },
  { name: 'UARTICR', offset: 0x44, size: 4, access: ACCESS, fields: bits(INT) },
  { name: 'UARTDMACR', offset: 0x48, size: 4, access: ACCESS },
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
