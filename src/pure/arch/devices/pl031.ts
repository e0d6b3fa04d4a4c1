/** The PL031 real-time clock's registers (Arm DDI 0224, 3.2). */
import { registerFrame, whether, WORD } from '../register.ts'
import type { Field, Register } from '../register.ts'
import { PRIMECELL_ID } from './primecell.ts'
import type { PrimeCellId } from './primecell.ts'

export const PL031_SIZE = 0x1000
export const PL031_ID: PrimeCellId = { peripheral: 0x00141031, cell: PRIMECELL_ID }

/** Seconds since 1970, as the clock counts and compares them. */
const time = (name: string): readonly Field[] => [
  { name, lsb: 0, width: 32, text: (value) => new Date(Number(value) * 1000).toISOString().replace('.000Z', ' UTC') },
]
const flag = (name: string, set: string, clear: string): readonly Field[] => [
  { name, lsb: 0, width: 1, text: whether(set, clear) },
]

export const pl031 = [
  { name: 'RTCDR', offset: 0x00, size: 4, access: WORD, fields: time('Data') },
  { name: 'RTCMR', offset: 0x04, size: 4, access: WORD, fields: time('Match') },
  { name: 'RTCLR', offset: 0x08, size: 4, access: WORD, fields: time('Load') },
  { name: 'RTCCR', offset: 0x0c, size: 4, access: WORD, fields: flag('Start', 'it counts', 'it stands still') },
  { name: 'RTCIMSC', offset: 0x10, size: 4, access: WORD, fields: flag('Mask', 'its interrupt goes out', 'masked') },
  { name: 'RTCRIS', offset: 0x14, size: 4, access: WORD, fields: flag('Raw', 'the match has come', 'not yet') },
  { name: 'RTCMIS', offset: 0x18, size: 4, access: WORD, fields: flag('Masked', 'interrupts', 'quiet') },
  { name: 'RTCICR', offset: 0x1c, size: 4, access: WORD, fields: flag('Clear', 'clears', 'nothing') },
] as const satisfies readonly Register[]

export type Pl031Name = (typeof pl031)[number]['name']

export const pl031Frame = registerFrame(pl031)
