/** The PL031 real-time clock's registers (Arm DDI 0224, 3.2). */
import { registerFrame, WORD } from '../register.ts'
import type { Register } from '../register.ts'
import { PRIMECELL_ID } from './primecell.ts'
import type { PrimeCellId } from './primecell.ts'

export const PL031_SIZE = 0x1000
export const PL031_ID: PrimeCellId = { peripheral: 0x00141031, cell: PRIMECELL_ID }

export const pl031 = [
  { name: 'RTCDR', offset: 0x00, size: 4, access: WORD },
  { name: 'RTCMR', offset: 0x04, size: 4, access: WORD },
  { name: 'RTCLR', offset: 0x08, size: 4, access: WORD },
  { name: 'RTCCR', offset: 0x0c, size: 4, access: WORD },
  { name: 'RTCIMSC', offset: 0x10, size: 4, access: WORD },
  { name: 'RTCRIS', offset: 0x14, size: 4, access: WORD },
  { name: 'RTCMIS', offset: 0x18, size: 4, access: WORD },
  { name: 'RTCICR', offset: 0x1c, size: 4, access: WORD },
] as const satisfies readonly Register[]

export type Pl031Name = (typeof pl031)[number]['name']

export const pl031Frame = registerFrame(pl031)
