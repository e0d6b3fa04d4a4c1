/** What the bits of the registers for self-hosted debug mean (Arm ARM D24.3, by the registers' names). */
import type { Field } from '../../register.ts'
import { bit, choice, part } from './parts.ts'

const hex = (value: bigint): string => `0x${value.toString(16)}`

/** PMC and PAC: the levels at which it matches (D2.8.3, D2.10.5); HMC and SSC add EL2, EL3 and the Security states. */
const LEVELS = ['neither EL1 nor EL0', 'EL1', 'EL0', 'EL1 and EL0'] as const
const conditions: readonly Field[] = [
  bit('HMC', 13),
  part('SSC', 14, 2),
  part('LBN', 16, 4, (value) => `linked to breakpoint ${value}`),
]

const BREAKPOINT_TYPES: Readonly<Record<number, string>> = {
  0b0000: 'address',
  0b0001: 'address, linked',
  0b0010: 'context ID',
  0b0011: 'context ID, linked',
}

/** Bytes of a doubleword, as a run from the lowest one that is chosen. */
const bytesText = (value: bigint): string => {
  const bytes = [0, 1, 2, 3, 4, 5, 6, 7].filter((n) => ((value >> BigInt(n)) & 1n) === 1n)
  return bytes.length === 0 ? 'no byte' : `${bytes.length === 1 ? 'byte' : 'bytes'} ${bytes.join(', ')}`
}

/** One and two are reserved. */
const maskText = (value: bigint): string =>
  value === 0n ? 'the bytes of BAS' : value < 3n ? 'reserved' : `${1n << value} bytes`

const authentication = (name: string, lsb: number, what: string): Field =>
  choice(name, lsb, 2, [`no ${what}`, undefined, `${what} off`, `${what} on`])

export const DEBUG_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  DBGBCR_EL1: [
    bit('E', 0, 'the breakpoint is on', 'the breakpoint is off'),
    choice('PMC', 1, 2, LEVELS),
    part('BAS', 5, 4, (value) => (value === 0xfn ? 'an A64 instruction' : bytesText(value))),
    ...conditions,
    part('BT', 20, 4, (value) => BREAKPOINT_TYPES[Number(value)] ?? 'only with AArch32 or EL2'),
  ],
  DBGBVR_EL1: [
    // Which of the two it is, DBGBCR<n>_EL1.BT says.
    part('VA or ContextID', 0, 64, (value) => `address ${hex(value)}, or context ID ${hex(BigInt.asUintN(32, value))}`),
  ],
  DBGWCR_EL1: [
    bit('E', 0, 'the watchpoint is on', 'the watchpoint is off'),
    choice('PAC', 1, 2, LEVELS),
    choice('LSC', 3, 2, ['neither loads nor stores', 'loads', 'stores', 'loads and stores']),
    part('BAS', 5, 8, bytesText),
    ...conditions,
    bit('WT', 20, 'linked', 'not linked'),
    part('MASK', 24, 5, maskText),
  ],
  DBGWVR_EL1: [part('VA', 2, 62, (value) => hex(value << 2n))],
  MDSCR_EL1: [
    bit('SS', 0, 'software step is on', 'software step is off'),
    bit('ERR', 6),
    bit('TDCC', 12, 'EL0 is trapped at the debug channel', 'EL0 may use the debug channel'),
    bit('KDE', 13, 'debug exceptions at EL1 too', 'no debug exceptions at EL1'),
    bit('HDE', 14),
    bit('MDE', 15, 'breakpoints and watchpoints are on', 'breakpoints and watchpoints are off'),
    bit('TXU', 26),
    bit('RXO', 27),
    bit('TXfull', 29),
    bit('RXfull', 30),
  ],
  MDCCINT_EL1: [
    bit('TX', 29, 'interrupts when it can send', 'no interrupt when it can send'),
    bit('RX', 30, 'interrupts when something has come', 'no interrupt when something has come'),
  ],
  MDCCSR_EL0: [
    bit('TXfull', 29, 'nothing can be sent', 'something can be sent'),
    bit('RXfull', 30, 'something has come', 'nothing has come'),
  ],
  MDRAR_EL1: [
    choice('Valid', 0, 2, ['no ROM table', undefined, undefined, 'there is a ROM table']),
    part('ROMADDR', 12, 40, (value) => hex(value << 12n)),
  ],
  OSLAR_EL1: [bit('OSLK', 0, 'locks the OS lock', 'opens the OS lock')],
  // OSLM is in two parts.
  OSLSR_EL1: [
    bit('OSLM[0]', 0),
    bit('OSLK', 1, 'the OS lock is locked', 'the OS lock is open'),
    bit('nTT', 2),
    bit('OSLM[1]', 3, 'there is an OS lock', 'there is no OS lock'),
  ],
  OSDLR_EL1: [bit('DLK', 0, 'the OS double lock is locked', 'the OS double lock is open')],
  DBGPRCR_EL1: [bit('CORENPDRQ', 0, 'power is not to be removed', 'power may be removed')],
  DBGCLAIMSET_EL1: [part('CLAIM', 0, 8)],
  DBGCLAIMCLR_EL1: [part('CLAIM', 0, 8)],
  DBGAUTHSTATUS_EL1: [
    authentication('NSID', 0, 'invasive debug'),
    authentication('NSNID', 2, 'noninvasive debug'),
    authentication('SID', 4, 'Secure invasive debug'),
    authentication('SNID', 6, 'Secure noninvasive debug'),
  ],
}
